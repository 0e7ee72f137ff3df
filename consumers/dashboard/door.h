/* door.h - the HTTP side of the dashboard: connections and their limits, requests and answers.
 *
 * One thread, one loop: door_fd() is polled, door_turn() does what is due. A connection that does not
 * finish its request, or does not take its answer, within `patience_ms` is closed, however busy it
 * keeps: the time of a whole request is limited, not that of a silence. */
#ifndef TANDEM_DOOR_H
#define TANDEM_DOOR_H

#include "common/error.h"
#include "consumers/dashboard/answers.h"
#include "consumers/dashboard/feed.h"
#include "consumers/dashboard/password.h"
#include "consumers/dashboard/streams.h"

#include <stdint.h>

struct door_settings {
    int64_t connections, per_address, rate, patience_ms;
    char *certificate, *key; /* PEM texts; NULL: plain HTTP */
    struct password password;
};

struct door;

/* Takes over `fd`, which listens. `settings`, `source`, `feed` and `streams` must outlive it. */
int door_open(struct door **out, int fd, const struct door_settings *settings,
              const struct source *source, struct feed *feed, struct streams *streams,
              struct error *err);
void door_free(struct door *door); /* ends what is under way */
int door_fd(const struct door *door);
int64_t door_wait_ms(const struct door *door); /* how long poll() may wait for it at most */
void door_turn(struct door *door, int64_t now_ms);

#endif

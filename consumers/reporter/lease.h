/* lease.h - the right to publish, held in Redis by one reporter of a business at a time.
 *
 * Every script that publishes compares the lease's token, so one who lost it without knowing can
 * change nothing. */
#ifndef TANDEM_LEASE_H
#define TANDEM_LEASE_H

#include "common/error.h"
#include "common/redis.h"

#include <stdbool.h>

#define LEASE_MS 10000 /* without a renewal; how long the next one waits after a crash */

struct lease;

/* With a random token. 0, caller owns *out until lease_free(). */
int lease_open(struct lease **out, const char *business, struct error *err);
void lease_free(struct lease *lease);

enum lease_state {
    LEASE_OTHERS, /* another reporter holds it */
    LEASE_KEPT,   /* mine, without a gap */
    LEASE_TAKEN   /* mine anew: somebody else may have published in between */
};
/* Takes or renews it. 0, or -1 (Redis). */
int lease_take(struct lease *lease, struct redis *redis, enum lease_state *state,
               struct error *err);
/* Renews it when a third of its time has passed, else nothing. As lease_take(). */
int lease_renew(struct lease *lease, struct redis *redis, enum lease_state *state,
                struct error *err);
/* A script found it to be another's: it is asked for anew at the next renewal. */
void lease_lost(struct lease *lease);
/* Lets it go, so that the next need not wait. Errors do not matter: it ends by itself. */
void lease_release(struct lease *lease, struct redis *redis);

const char *lease_token(const struct lease *lease);
const char *lease_key(const struct lease *lease);

#endif

/* herald.h - announces verdicts that changed: on the topic of setting topics.verdicts, and to the
 * webhook if one is set.
 *
 * publish.lua notes each change in the stream `verdicts` in the step that publishes it. How far each
 * of the two ways has got stands in the hash `announced` and moves only after the change was taken:
 * who dies in between announces it again, with the same id. Each way is in order; one that is shut
 * holds up neither the other nor the publishing. */
#ifndef TANDEM_HERALD_H
#define TANDEM_HERALD_H

#include "common/config.h"
#include "common/error.h"
#include "common/redis.h"
#include "consumers/reporter/lease.h"

#include <stdint.h>

struct herald;

/* Keeps `config`. 0, caller owns *out until herald_free(); -1: memory, or a webhook that is not set
 * right. */
int herald_open(struct herald **out, const struct config *config, struct error *err);
void herald_free(struct herald *herald);

/* Waits for Kafka; the topic must exist. */
int herald_wait(struct herald *herald, struct error *err);
/* Reads how far others have got: for a new leader. A webhook that was not set until now begins with
 * what changes from now on. 0, or -1 (Redis). */
int herald_begin(struct herald *herald, struct redis *redis, const struct lease *lease,
                 struct error *err);
/* Moves both ways on, never waits for Kafka or the webhook. Call it often. 0, or -1 (Redis, memory). */
int herald_serve(struct herald *herald, struct redis *redis, const struct lease *lease,
                 struct error *err);
/* Serves for up to `wait_ms` until everything is announced. 0; -1 when something is left. */
int herald_flush(struct herald *herald, struct redis *redis, const struct lease *lease,
                 int64_t wait_ms, struct error *err);

#endif

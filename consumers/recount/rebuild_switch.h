/* rebuild_switch.h - the second set of keys of a store: cleared, begun, and put in the place of the
 * live one. Each step can be repeated after an interruption. `redis` is at the store's node. */
#ifndef TANDEM_REBUILD_SWITCH_H
#define TANDEM_REBUILD_SWITCH_H

#include "consumers/recount/rebuild_store.h"

#include <stddef.h>

/* More keys of one store than this are not switched: Redis would stand still for too long. */
enum { REBUILD_KEYS_MAX = 100000 };

/* How many keys are the live ones. -1 on error. */
int rebuild_live_keys(struct redis *redis, const struct rebuild_store *store, size_t *count,
                      struct error *err);
/* True in *there when a rebuild was begun: its position hashes exist. */
int rebuild_begun(struct redis *redis, const struct rebuild_store *store, bool *there,
                  struct error *err);
/* Removes what a rebuild has counted; the business's own begins with the live sets of values. */
int rebuild_begin(struct redis *redis, const struct config *config,
                  const struct rebuild_store *store, struct error *err);

/* Lets workers count on that an interrupted switch has stopped. */
int rebuild_open_fence(struct redis *redis, const struct rebuild_store *store, struct error *err);
/* The switch. *before and *after get the numbers of keys. On -1 the live keys are as they were. */
int rebuild_switch(struct redis *redis, const struct config *config,
                   const struct rebuild_store *store, size_t *before, size_t *after,
                   struct error *err);

#endif

/* rebuild_switch.h - the second set of counters: cleared, begun, and put in the place of the live
 * one. Each step can be repeated after an interruption. */
#ifndef TANDEM_REBUILD_SWITCH_H
#define TANDEM_REBUILD_SWITCH_H

#include "common/config.h"
#include "common/redis.h"

#include <stdbool.h>
#include <stddef.h>

/* More keys than this are not switched: Redis would stand still for too long. */
enum { REBUILD_KEYS_MAX = 100000 };

/* How many keys are the live counters. -1 on error. */
int rebuild_live_keys(struct redis *redis, const char *business, size_t *count, struct error *err);
/* True in *there when a rebuild was begun: both its position hashes exist. */
int rebuild_begun(struct redis *redis, const char *business, bool *there, struct error *err);
/* Removes what a rebuild has counted, and begins with the live sets of values. */
int rebuild_begin(struct redis *redis, const struct config *config, struct error *err);

/* Lets workers count on that an interrupted switch has stopped. */
int rebuild_open_fence(struct redis *redis, const char *business, struct error *err);
/* The switch. *before and *after get the numbers of keys. On -1 the live counters are as they
 * were. */
int rebuild_switch(struct redis *redis, const struct config *config, size_t *before, size_t *after,
                   struct error *err);

#endif

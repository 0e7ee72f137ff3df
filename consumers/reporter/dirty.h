/* dirty.h - which days changed: the marks that workers leave beside the counters.
 *
 * A field "<side>:<day>:<scope>" of the hash `dirty`, its value the random number of the batch that
 * last counted there. A mark is read before the counters and removed, if it is still the same,
 * after everything the day touches was published. */
#ifndef TANDEM_DIRTY_H
#define TANDEM_DIRTY_H

#include "common/error.h"
#include "common/redis.h"
#include "consumers/reporter/lease.h"

#include <stddef.h>
#include <stdint.h>

#define DIRTY_MAX 250000 /* marks read at once: the rest wait for the next reading */

struct mark {
    char *field;       /* "sale:2026-11-23:region=north" */
    const char *scope; /* within field */
    int32_t day;
    char value[24]; /* "": it was removed or is not readable */
};

struct dirty;

/* 0, caller owns *out until dirty_free(). */
int dirty_open(struct dirty **out, const char *business, struct error *err);
void dirty_free(struct dirty *dirty);

/* Number of marks in Redis, cheaply; -1 on error. */
int64_t dirty_waiting(const struct dirty *dirty, struct redis *redis, struct error *err);

/* Reads the marks: sorted by scope (`all` first), then day. Fields that are no marks are passed
 * over. 0, or -1 (Redis, memory). */
int dirty_read(struct dirty *dirty, struct redis *redis, struct error *err);
size_t dirty_count(const struct dirty *dirty);
const struct mark *dirty_at(const struct dirty *dirty, size_t i);

/* Reads the values of marks [from, from + count) again, just before their counters are read. */
int dirty_refresh(struct dirty *dirty, struct redis *redis, size_t from, size_t count,
                  struct error *err);
/* Removes marks [from, from + count) that are still the same, if the lease stands. *held tells
 * whether it did. */
int dirty_settle(struct dirty *dirty, struct redis *redis, const struct lease *lease, size_t from,
                 size_t count, bool *held, struct error *err);

/* Orders scopes: `all` first, the others by their bytes. */
int dirty_compare_scopes(const char *a, const char *b);
const char *dirty_key(const struct dirty *dirty);

#endif

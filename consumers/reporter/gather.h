/* gather.h - sums the shards of the ledger of customers into the business.
 *
 * Workers count customers in shards, each a store of its own, maybe on another node. What a
 * reporter publishes stands beside sale and service: the sums of all shards, as absolute values,
 * written and marked under its lease. Marks of a shard are read before its counters and removed,
 * if they are still the same, after the sums were written: killed in between, the next reporter
 * does it again.
 *
 * Marks tell what was counted. What they cannot tell is found by a sweep, which sums every day
 * again: when a leadership begins, when a shard was connected to anew, made anew or emptied (a
 * store that is set back to an older state breaks its connections), when a value that counted as
 * __other__ got a place of its own, and each hour. While a shard is away no sum is written. */
#ifndef TANDEM_GATHER_H
#define TANDEM_GATHER_H

#include "common/config.h"
#include "common/error.h"
#include "common/redis.h"
#include "consumers/reporter/lease.h"

#include <stdbool.h>
#include <stdint.h>

struct gather;

struct gather_result {
    bool lost;     /* the lease is another's */
    bool complete; /* nothing that was seen is left to do */
};

/* Keeps what it is given; `redis` is the business's. 0, caller owns *out until gather_free(). */
int gather_open(struct gather **out, const struct config *config, struct redis *redis,
                const struct lease *lease, struct error *err);
void gather_free(struct gather *gather);

/* Trusts nothing it remembers. */
void gather_begin(struct gather *gather);

/* Whether there is something to do: a cheap question. *due. 0, or -1. A shard that is away is no
 * error: it is logged once and tried again now and then. */
int gather_due(struct gather *gather, bool *due, struct error *err);
/* Whether anything is marked in a shard. */
int gather_marked(struct gather *gather, bool *marked, struct error *err);
/* Sums what is due, until `end_ms` (monotonic) at most. `store` and `floor` are the business's.
 * 0, or -1. */
int gather_run(struct gather *gather, const char *store, int32_t floor, int64_t end_ms,
               struct gather_result *result, struct error *err);

/* A shard is away, or a sweep is not over: the sums are not known to be whole. */
bool gather_pending(const struct gather *gather);
/* Since when a shard is away, monotonic; 0: none is. */
int64_t gather_away_ms(const struct gather *gather);
/* How often a shard could not be reached. */
int64_t gather_failures(const struct gather *gather);
/* There is a ledger: customers are counted. And its first local day (INT32_MIN: all). */
bool gather_ledger(const struct gather *gather);
int32_t gather_from(const struct gather *gather);

#endif

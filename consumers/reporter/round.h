/* round.h - one turn of the reporter: what changed, what the clock asks for, and publishing it.
 *
 * A round takes the time once (as_of) and ends after a few seconds even when more is waiting, so
 * that what changes now is never far behind a history that is being imported. */
#ifndef TANDEM_ROUND_H
#define TANDEM_ROUND_H

#include "common/config.h"
#include "common/error.h"
#include "common/redis.h"
#include "common/zone.h"
#include "consumers/reporter/bulletin.h"
#include "consumers/reporter/dispatch.h"
#include "consumers/reporter/keeper.h"
#include "consumers/reporter/lease.h"

#include <stdbool.h>
#include <stdint.h>

struct rounds;

struct round_result {
    bool store;    /* false: no worker has made a store yet, nothing was done */
    bool lost;     /* the lease is another's */
    bool complete; /* nothing that was seen is left to do */
    int64_t made;  /* publications */
};

/* Keeps what it is given. 0, caller owns *out until rounds_free(). */
int rounds_open(struct rounds **out, const struct config *config, const struct zone *zone,
                struct redis *redis, const struct lease *lease, struct dispatch *dispatch,
                struct keeper *keeper, struct bulletin *bulletin, struct error *err);
void rounds_free(struct rounds *rounds);

/* After a lost connection or a lease taken anew: trusts nothing it remembers, publishes the running
 * periods of every scope. */
void rounds_begin(struct rounds *rounds);
/* New targets may be there. */
void rounds_look_at_targets(struct rounds *rounds);

/* Whether there is something to do: a cheap question. *due. 0, or -1 (Redis). */
int rounds_due(struct rounds *rounds, bool *due, struct error *err);
/* Whether anything is marked that nobody has published. */
int rounds_waiting(struct rounds *rounds, bool *waiting, struct error *err);
/* The ledger of customers is not summed whole yet: a shard is away (since `*away_ms`, monotonic,
 * else 0), or days are still to be summed again. */
bool rounds_pending(const struct rounds *rounds, int64_t *away_ms);
/* 0, or -1: err->retry tells whether the next one may succeed. */
int rounds_run(struct rounds *rounds, struct round_result *result, struct error *err);

#endif

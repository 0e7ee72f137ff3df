/* sweep.h - every day and scope of customers there is: in the ledger's shards, or in the business.
 *
 * Walks over the keys of each Redis once, in short steps, and lists what has to be summed again
 * when marks alone cannot tell: a bounded part of it at a time, each day and scope once a part. */
#ifndef TANDEM_SWEEP_H
#define TANDEM_SWEEP_H

#include "common/error.h"
#include "common/redis.h"
#include "consumers/reporter/scopemap.h"
#include "consumers/reporter/shards.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SWEEP_MAX 200000 /* days and scopes listed at once */

struct swept {
    int32_t day;
    char *scope; /* of the business */
};

struct sweep;

/* 0, caller owns *out until sweep_free(). */
int sweep_open(struct sweep **out, const char *business, struct error *err);
void sweep_free(struct sweep *sweep);

/* Begins anew. `redis` is the business's. 0, or -1 (as sweep_read()). */
int sweep_begin(struct sweep *sweep, struct redis *redis, struct shards *shards, struct error *err);
void sweep_end(struct sweep *sweep);
/* Begun and not yet at its end. */
bool sweep_runs(const struct sweep *sweep);

/* One page of keys. *ready when what is listed is to be worked off now. 0; -1: *shard is the shard
 * that failed, or -1 for the business's Redis. */
int sweep_read(struct sweep *sweep, struct redis *redis, struct shards *shards,
               const struct scopemap *map, bool *ready, int *shard, struct error *err);
/* What is listed, in order. */
size_t sweep_count(const struct sweep *sweep);
const struct swept *sweep_at(const struct sweep *sweep, size_t i);
/* The first `count` of it are done. The sweep ends with the last of them. */
void sweep_done(struct sweep *sweep, size_t count);

/* Takes a key apart: shard -1 is the business itself. False when it is no day of customers. Pure. */
bool sweep_parse(struct text key, const char *business, int *shard, int32_t *day,
                 struct text *scope);

#endif

/* audit_shard.h - a few counters or states of a shard of the ledger as Redis has them, with the
 * positions they stand at, the scopes' numbers and who was forgotten: one script. */
#ifndef TANDEM_AUDIT_SHARD_H
#define TANDEM_AUDIT_SHARD_H

#include "common/redis.h"
#include "common/store.h"
#include "consumers/customers/dictionary.h"
#include "consumers/customers/ledger_key.h"
#include "consumers/recount/audit_tombs.h"

enum shard_part { SHARD_COUNTERS, SHARD_STATES };

struct shard_slice {
    char prefix[LEDGER_PREFIX_MAX]; /* "tandem:{main.3}:" */
    int32_t partitions;             /* of each topic */
    int shard, shards;
    char made[160]; /* its token */
    /* Kept fresh by each read. */
    struct dictionary *names;
    struct tombs tombs;
    char version[24]; /* of these two */
    /* What the last read found. */
    bool anew; /* the token is another now, and none of the following was read */
    int64_t *positions[STORE_TOPICS_MAX]; /* by partition; 0 of other shards' */
    int32_t floor;
    char *const *keys; /* the caller's; their values: */
    size_t key_count;
    redisReply *reply;
};

/* For the shard of `state`, which lies under `prefix`. Free with shard_slice_clear(), also after -1
 * (memory). */
int shard_slice_open(struct shard_slice *slice, const char *prefix, int shard, int shards,
                     const struct store_state *state, struct error *err);
void shard_slice_clear(struct shard_slice *slice); /* what it holds, not *slice itself */

/* Reads `count` keys (at most SLICE_KEYS), all of them counters or all states. They must stay until
 * the next read. */
int shard_slice_read(struct shard_slice *slice, struct redis *redis, enum shard_part part,
                     char *const *keys, size_t count, struct error *err);
/* Of counters as slice_value(); of a state a string, nothing (REDIS_REPLY_NIL), or a list: why it is
 * none. */
const redisReply *shard_slice_value(const struct shard_slice *slice, size_t i);

#endif

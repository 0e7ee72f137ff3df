/* store_inside.h - what the files of the store share.
 *
 *     store.c           the connection, making a store, looking at it, accepting gaps
 *     store_state.c     what a look finds, from Redis' answer
 *     store_guard.c     whether Redis keeps what it is given
 *     store_apply.c     a batch: sent, answered
 *     store_ledger.c    what only a shard of the ledger has: names, customers' states
 *
 * Nobody else includes it. */
#ifndef TANDEM_STORE_INSIDE_H
#define TANDEM_STORE_INSIDE_H

#include "common/args.h"
#include "common/redis.h"
#include "common/store.h"

struct store {
    struct redis *redis;
    char *business, *kind;
    const char *const *words;
    int word_count;
    int shard, shards;            /* its partitions are those with partition mod shards == shard */
    int64_t scope_limit;
    char prefix[80], position_key[112], floor_key[112], dirty_key[112], currency_key[112],
        gap_key[112], names_key[112], forgotten_key[112];
    struct redis_script accept, apply, look, make, names;
    int64_t guarded_ms, sent_ms, timeout_ms;
    long long evicted;            /* baseline of this connection; -1: none yet */
    char run_id[48];
    struct args args;             /* of the batch in flight: it may have to be sent again */
    bool flying;                  /* an answer is still to come */
    redisReply *fetched, *tombs;  /* of the last store_fetch() */
    char *keys;                   /* room for what store_customer_key() writes */
    size_t keys_room;
};

enum store_answer store_answer_of(enum redis_answer answer);
/* The answer of a batch that nobody waits for any more is taken off the connection. */
enum store_answer store_clear_line(struct store *store, struct error *err);
/* Asks whether Redis evicts. */
enum store_answer store_guard(struct store *store, struct error *err);
/* Fills *state from the answer of look.lua. */
int store_parse_look(const struct store *store, const redisReply *reply, struct store_state *state,
                     struct error *err);
/* Sets err: Redis replayed a part of a batch. -1. */
int store_torn(const struct store *store, const char *begun, const char *done, struct error *err);
void store_apply_init(struct store *store);
void store_ledger_init(struct store *store);
void store_ledger_free(struct store *store);

/* Room for `count` texts of store_customer_key(); false when memory is short. */
bool store_customer_keys(struct store *store, size_t count);
/* "3:c-8841", the i-th; valid until there is room for more. */
struct text store_customer_key(struct store *store, size_t i, int32_t partition, struct text id);

/* "17:3"; "sales:3" */
void store_arg_place(struct args *args, struct place place);
void store_arg_position(struct args *args, const char *word, int32_t partition);

#endif

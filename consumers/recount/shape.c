#include "consumers/recount/shape.h"

#include "consumers/customers/ledger_key.h"

#include <stdio.h>

static int does_not_tell(const char *key, struct error *err)
{
    return error_set(err, ERROR_STORE, "%s: its definition does not tell ledger.shards", key);
}

/* One shard's word: 0, it is not there. */
static int ask(struct redis *redis, const struct config *config, const char *key, int *shards,
               struct error *err)
{
    redisReply *reply;
    if (redis_wait_for(redis, config, key, err) != 0)
        return -1;
    enum redis_answer answer = redis_callf(redis, &reply, err, "HGET %s definition", key);
    if (answer == REDIS_PERMANENT)
        return does_not_tell(key, err);
    if (answer != REDIS_OK)
        return -1;
    bool told = reply->str != NULL;
    *shards = ledger_shards_in(reply->str);
    freeReplyObject(reply);
    if (told)
        return *shards ? 0 : does_not_tell(key, err);
    if (redis_callf(redis, &reply, err, "EXISTS %s", key) != REDIS_OK)
        return -1;
    bool there = reply->integer != 0;
    freeReplyObject(reply);
    return there ? does_not_tell(key, err) : 0;
}

int shape_shards(struct redis *redis, const struct config *config, const char *generation,
                 int *shards, struct error *err)
{
    char prefix[LEDGER_PREFIX_MAX], key[LEDGER_KEY_MAX];
    *shards = 0;
    for (int shard = 0; shard < config->ledger_shards && *shards == 0; shard++) {
        snprintf(key, sizeof key, "%s%sposition:customers",
                 ledger_prefix(prefix, config->business, shard), generation);
        if (ask(redis, config, key, shards, err) != 0)
            return -1;
    }
    return 0;
}

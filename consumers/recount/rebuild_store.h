/* rebuild_store.h - a store that is rebuilt: the business's own counters, or a shard of the ledger
 * of customers. Its second set of keys lies beside it under "<prefix>rebuild:". */
#ifndef TANDEM_REBUILD_STORE_H
#define TANDEM_REBUILD_STORE_H

#include "common/config.h"
#include "common/redis.h"
#include "consumers/recount/keylist.h"
#include "consumers/reporter/key.h"

#include <stdbool.h>

/* The business's own, where a shard is asked for. */
enum { REBUILD_MAIN = -1 };

struct rebuild_store {
    int shard;                /* REBUILD_MAIN; of the ledger */
    char prefix[64];          /* "tandem:{main}:", "tandem:{main.3}:" */
    const char *positions[2]; /* its position hashes; of a shard twice the one */
    keylist_wants *wants;     /* all that it is made of, but its marks */
};

struct rebuild_store rebuild_store_of(const struct config *config, int shard);
/* Its key of this name: "<prefix><generation><rest>". Returns out. */
char *rebuild_store_key(const struct rebuild_store *store, const char *generation, const char *rest,
                        char out[KEY_MAX]);
/* Goes to its node of a Redis Cluster; waits for Redis. */
int rebuild_store_go(const struct rebuild_store *store, const struct config *config,
                     struct redis *redis, struct error *err);
/* Says of which store an error is. Always -1. */
int rebuild_store_blame(const struct rebuild_store *store, struct error *err);

#endif

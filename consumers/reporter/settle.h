/* settle.h - takes what is done off a list of things to do in Redis. */
#ifndef TANDEM_SETTLE_H
#define TANDEM_SETTLE_H

#include "common/error.h"
#include "common/redis.h"
#include "consumers/reporter/lease.h"

#include <stdbool.h>
#include <stddef.h>

struct settled {
    const char *field, *value;
};

/* Removes from the hash `key` the fields whose value is still the given one, in steps of a bounded
 * script, as long as the lease stands; *held tells whether it did. 0, or -1 (Redis, memory). */
int settle(struct redis *redis, const struct lease *lease, const char *key,
           const struct settled *list, size_t count, bool *held, struct error *err);
/* The same of a ledger's shard, where no lease is. */
int settle_shard(struct redis *redis, const char *key, const struct settled *list, size_t count,
                 struct error *err);

#endif

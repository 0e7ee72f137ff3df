/* shape.h - whether a business has a ledger of customers, and in how many shards. */
#ifndef TANDEM_SHAPE_H
#define TANDEM_SHAPE_H

#include "common/config.h"
#include "common/redis.h"

/* Asks the shards one after the other, going to their nodes, until one tells: the first, or when it
 * is lost another. `generation` is "" or STORE_REBUILD. *shards: 0 when there is none. -1: Redis;
 * ERROR_STORE when a shard is there whose definition does not tell. */
int shape_shards(struct redis *redis, const struct config *config, const char *generation,
                 int *shards, struct error *err);

#endif

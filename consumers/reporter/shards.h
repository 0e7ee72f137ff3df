/* shards.h - the ledger of customers as a reader sees it: its shards, one connection each.
 *
 * How many there are and from which day on they know customers says the definition that the ledger
 * was made with, so a reader needs no setting that could differ from it. In a Redis Cluster each
 * shard may lie on another node. Use from one thread. */
#ifndef TANDEM_SHARDS_H
#define TANDEM_SHARDS_H

#include "common/config.h"
#include "common/error.h"
#include "common/redis.h"

#include <stdbool.h>
#include <stdint.h>

#define SHARDS_MAX 64

/* One shard, as last looked at. */
struct shard {
    char name[48]; /* "main.3": stands where the business stands in keys */
    struct redis *redis;
    int connected;       /* how often it was connected to */
    char token[160];     /* "": it is not made, or was emptied */
    char overflow[24];   /* of its undated counters; "": none */
    int64_t marks;       /* days that changed */
    int64_t names;       /* scopes that have a number */
    int64_t names_known; /* for the reader: how many of them it has read */
};

struct shards;

/* Keeps `config`. Does not connect. 0, caller owns *out until shards_free(). */
int shards_open(struct shards **out, const struct config *config, struct error *err);
void shards_free(struct shards *shards);

/* Looks at all of them, connecting where needed. 0; -1: err names the shard, err->retry says
 * whether it may come back. */
int shards_look(struct shards *shards, struct error *err);

/* 0: there is no ledger. */
int shards_count(const struct shards *shards);
struct shard *shards_at(struct shards *shards, int k);
/* First local day the ledger knows; INT32_MIN: all. */
int32_t shards_from(const struct shards *shards);

/* Number and first day in the text of a definition. -1 ERROR_STORE when it does not say them. Pure. */
int shards_parse(struct text definition, int *count, int32_t *from, struct error *err);

#endif

/* audit_slice.h - a few counters as Redis has them, with the positions they stand at: one script. */
#ifndef TANDEM_AUDIT_SLICE_H
#define TANDEM_AUDIT_SLICE_H

#include "common/redis.h"
#include "common/store.h"
#include "consumers/recount/audit_floor.h"
#include "consumers/recount/audit_scopes.h"

enum { SLICE_CELLS = 4000, SLICE_KEYS = 1000 };

struct slice {
    /* What it belongs to; set by the owner. */
    const char *business, *word; /* "main", "sales" */
    int32_t partitions;
    struct admissions *scopes;     /* kept fresh by each read */
    struct admissions *currencies; /* the set of currencies as one dimension, `currency` */
    /* What the last read found. */
    int64_t now_s; /* Redis' clock */
    char token[160];
    int64_t *positions; /* by partition */
    struct floors floors;
    char *const *keys; /* the caller's; their values: */
    size_t key_count;
    redisReply *reply;
};

int slice_open(struct slice *slice, const char *business, const char *word, int32_t partitions,
               struct admissions *scopes, struct admissions *currencies, struct error *err);
void slice_clear(struct slice *slice); /* what it holds, not *slice itself */

/* How many of the keys are read at once, by the cells that they have: at least one. */
int slice_fit(struct redis *redis, char *const *keys, size_t count, size_t *fit, struct error *err);
/* Reads `count` keys (at most SLICE_KEYS). They must stay until the next read. */
int slice_read(struct slice *slice, struct redis *redis, char *const *keys, size_t count,
               struct error *err);
/* The hash of key `i`: names and values by turns; or, when it is none, a string that says why. */
const redisReply *slice_value(const struct slice *slice, size_t i);

#endif

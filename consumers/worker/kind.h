/* kind.h - what one kind of worker makes of the records it reads.
 *
 * The loop (worker.h) knows partitions, positions, batches and faults; what a record adds, and what
 * a batch then holds, is its kind's matter. A worker has a lane for every store it writes to: one,
 * or for the customers one a shard of the ledger; each lane opens its kind once. Sums of sales and
 * service are in kind_sums.c, customers in consumers/customers. */
#ifndef TANDEM_KIND_H
#define TANDEM_KIND_H

#include "common/seen.h"
#include "common/store.h"
#include "common/zone.h"
#include "consumers/worker/judge.h"

/* What the loop tells a kind; it outlives what the kind opened. */
struct kind_lane {
    const struct config *config;
    const struct zone *zone;
    struct decoder *decoder;
    struct store *store;
    char prefix[80];         /* of the store's keys */
    int32_t partitions;      /* of each topic, once known */
    int64_t now_s;           /* epoch seconds, of this turn of the loop */
};

struct kind {
    const char *name;                    /* "sales": of the group and the position */
    int topic_count;
    enum side sides[STORE_TOPICS_MAX];   /* of its topics */
    bool letters;                        /* writes dead letters for what it rejects */
    bool sharded;                        /* has ledger.shards stores, else one */
    /* Adds lines to the definition, of settings that only its counters depend on; NULL: none. */
    void (*define)(const struct config *config, char *out, size_t room);

    /* 0, *own is the lane's until free(). */
    int (*open)(void **own, const struct kind_lane *lane, struct error *err);
    void (*free)(void *own);                        /* NULL is fine */

    /* The lane looked at its store and will go on from there: nothing is folded. */
    enum store_answer (*place)(void *own, const struct store_state *state, struct error *err);
    /* Adds one record to what is folded. Fills *why on JUDGED_REJECTED. */
    enum judged (*take)(void *own, int topic, struct seen *seen, const struct record *record,
                        struct rejection *why);
    bool (*full)(const void *own);                  /* time for a batch */
    bool (*empty)(const void *own);                 /* nothing is folded */
    void (*drop)(void *own);                        /* forgets what is folded */
    /* Puts what is folded into the batch, which has its moves and mark already, and forgets it.
     * STORE_DONE; else, as the store's answers say, the batch cannot be made (now). */
    enum store_answer (*fill)(void *own, struct batch *batch, struct error *err);
};

extern const struct kind sales_worker_kind, service_worker_kind;

/* The word of a side's topic in positions and notes: "sales", "service". */
const char *kind_word(enum side side);
/* The name of a side's topic. */
const char *kind_topic(const struct config *config, enum side side);
/* The prefix of the keys of a lane's store. */
void kind_prefix(const struct kind *kind, const struct config *config, const char *generation,
                 int shard, char *out, size_t room);

#endif

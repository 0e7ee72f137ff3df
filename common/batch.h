/* batch.h - what one atomic step changes: sums, and the positions they bring their partitions to.
 *
 * Built by the worker from its tally, carried out by the store (apply.lua), whole or not at all.
 * Text is copied in; a batch can be sent again as it is. Pure. */
#ifndef TANDEM_BATCH_H
#define TANDEM_BATCH_H

#include "common/error.h"
#include "common/text.h"

#include <stddef.h>
#include <stdint.h>

/* A place in the log: the next offset to read, and the leader epoch of the record before it. */
struct place {
    int64_t offset;
    int32_t epoch;   /* -1: unknown */
};

struct batch_move {
    int topic;            /* which of the kind's topics */
    int32_t partition;
    struct place from, to;
};

/* Cells of one Redis hash. Its key is head + scope, the scope `<dimension>=<value>` or, where
 * `dimension` is empty, `value` as it stands ("all", or "" for a hash without scopes). */
struct batch_group {
    struct text head, dimension, value;
    struct text dirty;        /* "sale:2026-11-23:" + scope is marked; empty: nothing */
    int64_t expire_s;         /* epoch seconds at which the key expires; 0: never */
    size_t first, count;      /* of the batch's cells */
};

struct batch_cell {
    struct text field;
    int64_t delta;
};

/* A scope that gets its number in a shard of the ledger, and a customer's state there. */
struct batch_name {
    struct text name;
    uint32_t number;
};

struct batch_state {
    int32_t partition;
    struct text customer, state;   /* an empty state: nothing is known any more */
};

struct batch {
    uint64_t mark;            /* random number of this batch */
    uint64_t ledger;          /* the version of the shard's names it was made with; 0: none yet */
    struct batch_name *names; /* with any, the version becomes the mark */
    size_t name_count, name_room;
    struct batch_state *states;
    size_t state_count, state_room;
    struct batch_move *moves;
    size_t move_count, move_room;
    struct batch_group *groups;
    size_t group_count, group_room;
    struct batch_cell *cells;
    size_t cell_count, cell_room;
    const char **currencies;  /* static codes, each once */
    size_t currency_count, currency_room;
    struct batch_page *pages; /* where the text lies */
    bool failed;              /* memory was short: the batch is not whole */
};

void batch_init(struct batch *batch);
void batch_clear(struct batch *batch);     /* keeps its memory */
void batch_free(struct batch *batch);      /* what it holds, not *batch itself */

void batch_add_move(struct batch *batch, struct batch_move move);
/* Starts a group; batch_add_cell() adds to the last one. Texts are copied. */
void batch_add_group(struct batch *batch, struct batch_group group);
void batch_add_cell(struct batch *batch, struct text field, int64_t delta);
void batch_add_currency(struct batch *batch, const char *code);
void batch_add_name(struct batch *batch, struct text name, uint32_t number);
void batch_add_state(struct batch *batch, int32_t partition, struct text customer,
                     struct text state);

#endif

/* tally.h - the sums of one batch, in memory. Pure.
 *
 * A row holds the sums of one time (day or hour), one scope and one block of fields, side by side,
 * so that folding an event is a few look-ups and then plain additions. What the fields are called
 * is the layout's matter. A cell is one sum that is not zero: what Redis will have to add. */
#ifndef TANDEM_TALLY_H
#define TANDEM_TALLY_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Rows of one time and scope, each with its own list of fields. */
enum tally_block {
    TALLY_FIELDS,           /* the side's plain fields */
    TALLY_RECORDS,          /* what happened to records: rejected_<reason>, duplicates ... */
    TALLY_CURRENCY,         /* + currency: the fields that exist once a currency */
    TALLY_HISTOGRAM = 512   /* + 64 * histogram + bucket / 32: 32 buckets */
};

enum tally_time { TALLY_DAY, TALLY_HOUR, TALLY_UNDATED };

struct tally_layout {
    const char *const *fields;       /* each list ends with NULL */
    const char *const *records;
    const char *const *currency;     /* "revenue": the field is "revenue:EUR" */
    const char *const *histograms;   /* "response": the field is "response_b17" */
};

struct tally;

/* 0, caller owns *out until tally_free(). `layout` must outlive it. */
int tally_open(struct tally **out, const struct tally_layout *layout, struct error *err);
void tally_free(struct tally *tally);
void tally_reset(struct tally *tally);

/* The row of (time, slot, scope, block); zeroes when it is new. slot: days since 1970-01-01, or
 * hours; 0 when undated. Valid until tally_reset(). Never NULL: when memory is short a row that
 * nobody reads, and tally_failed() from then on. */
int64_t *tally_row(struct tally *tally, enum tally_time time, int32_t slot, uint32_t scope,
                   int block);
/* The block and row of a histogram that hold `bucket`; the cell is row[bucket % 32]. */
static inline int tally_histogram_block(int histogram, int bucket)
{
    return TALLY_HISTOGRAM + 64 * histogram + bucket / 32;
}
int64_t *tally_histogram_row(struct tally *tally, enum tally_time time, int32_t slot,
                             uint32_t scope, int histogram, int bucket);

/* Adds to one cell of a row. Sums beyond +-2^62 make the tally full, before any can overflow: what
 * one event adds is far below 2^62. */
void tally_add(struct tally *tally, int64_t *cell, int64_t value);

/* What an event adds to a block in each of its scopes, worked out once for all of them. */
#define TALLY_SHARE_MAX 16
#define TALLY_WIDTH_MAX 128            /* cells of the widest block */

struct tally_addend {
    int64_t cell, value;           /* the cell's place in the block */
};

struct tally_share {
    int block;
    unsigned count;
    int64_t largest;               /* no value's magnitude is above it */
    uint64_t touched[TALLY_WIDTH_MAX / 64]; /* a bit a cell */
    struct tally_addend adds[TALLY_SHARE_MAX];
};

/* Empties a share for a block. */
static inline void tally_share_open(struct tally_share *share, int block)
{
    share->block = block;
    share->count = 0;
    share->largest = 0;
    memset(share->touched, 0, sizeof share->touched);
}

/* Puts a value into a share, for the cell of this place in the block. At most TALLY_SHARE_MAX;
 * zeroes are left out. */
static inline void tally_share_put(struct tally_share *share, unsigned cell, int64_t value)
{
    int64_t magnitude = value < 0 ? -value : value;
    share->adds[share->count].cell = cell;
    share->adds[share->count].value = value;
    share->count += value != 0;
    share->touched[cell / 64] |= (uint64_t)(value != 0) << (cell % 64);
    share->largest = magnitude > share->largest ? magnitude : share->largest;
}

/* Adds shares to their rows of (time, slot, scope), as tally_add() would value by value; the rows
 * are made also when a share is empty. The tally is full when all that shares added comes to 2^61,
 * whatever the cells: that is one comparison, and so far away that it costs no batch. */
void tally_add_shares(struct tally *tally, enum tally_time time, int32_t slot, uint32_t scope,
                      const struct tally_share *shares, int count);

/* At least as many as there are cells that are not zero. */
size_t tally_cells(const struct tally *tally);
bool tally_full(const struct tally *tally);
bool tally_failed(const struct tally *tally);
bool tally_empty(const struct tally *tally);

/* One row, to walk through them in the order they were made. */
struct tally_view {
    enum tally_time time;
    int32_t slot;
    uint32_t scope;
    int block;
    const int64_t *sums;
    int width;
};

size_t tally_rows(const struct tally *tally);
struct tally_view tally_view(const struct tally *tally, size_t row);
/* The name of cell `i` of a row of `block`, into out (room 48 is enough). Returns its length. */
size_t tally_name(const struct tally_layout *layout, int block, int i, char *out, size_t room);

#endif

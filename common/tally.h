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
/* The row of a histogram that holds `bucket`; the cell is row[bucket % 32]. */
int64_t *tally_histogram_row(struct tally *tally, enum tally_time time, int32_t slot,
                             uint32_t scope, int histogram, int bucket);

/* Adds to one cell of a row. Sums beyond +-2^62 make the tally full, before any can overflow: what
 * one event adds is far below 2^62. */
void tally_add(struct tally *tally, int64_t *cell, int64_t value);

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

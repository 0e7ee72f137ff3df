/* audit_rows.h - the rows of a tally by their time. Pure. */
#ifndef TANDEM_AUDIT_ROWS_H
#define TANDEM_AUDIT_ROWS_H

#include "common/tally.h"

struct chain;

/* Begin with {0}. */
struct rows {
    struct chain *chains;
    size_t chain_count, chain_room;
    size_t *next; /* of each row */
    size_t linked, next_room;
};

void rows_clear(struct rows *rows); /* what it holds, not *rows itself */
/* Takes in the rows that came since the last time. 0, or -1 when memory is short. */
int rows_link(struct rows *rows, const struct tally *tally, struct error *err);

/* The rows of one day or hour: rows_first(), then rows_next() until ROWS_NONE. */
#define ROWS_NONE SIZE_MAX
size_t rows_first(const struct rows *rows, enum tally_time time, int32_t slot);
size_t rows_next(const struct rows *rows, size_t row);

#endif

/* table.h - the comparison table: eight rows of what sale and service are, side by side.
 *
 * Made from published fields and a language; the renderers only draw it. Texts are UTF-8. */
#ifndef TANDEM_SHEET_H
#define TANDEM_SHEET_H

#include "common/error.h"
#include "consumers/comparison/fields.h"
#include "consumers/comparison/reasons.h"
#include "consumers/report/words.h"

#include <stddef.h>

#define SHEET_ROWS      8
#define SHEET_LABEL_MAX 160

enum sheet_group { SHEET_DIFFERENCES, SHEET_SIMILARITIES, SHEET_GROUPS };
enum sheet_side { SHEET_SALE, SHEET_SERVICE, SHEET_SIDES };

/* One line of a cell: a metric, or a word or note without one (metric is ""). */
struct sheet_line {
    char metric[64];             /* the published field: "gross_profit:RON" */
    const char *raw;             /* its published value, owned by the fields; NULL: no metric */
    char label[SHEET_LABEL_MAX]; /* "gross profit"; "" when the text says it all */
    char text[WORDS_MAX];        /* "250,000.00 RON", "–" */
};

struct sheet_cell {
    struct sheet_line *lines;
    size_t count, room;
};

struct sheet_row {
    const char *key; /* "purpose" */
    const char *label;
    enum sheet_group group;
    struct sheet_cell cell[SHEET_SIDES];
};

/* One clause of the reasons, as published and as people read it. */
struct sheet_reason {
    struct reason clause;
    char text[5 * WORDS_MAX];
};

struct sheet {
    enum language language;
    const char *title, *closing;
    const char *column[3]; /* axis, sale, service */
    const char *group_label[SHEET_GROUPS];
    struct sheet_row row[SHEET_ROWS];
    const char *verdict;  /* the code as published */
    const char *severity; /* as published */
    const char *severity_word;
    const char *sentence;
    struct sheet_reason *reasons;
    size_t reason_count;
};

/* Makes it; it points into `fields`, which must outlive it. 0, caller owns *out until
 * sheet_free(); -1 when memory is short. A field that is absent is undefined. */
int sheet_open(struct sheet **out, const struct fields *fields, enum language language,
               struct error *err);
void sheet_free(struct sheet *sheet);

/* What follows `prefix` in the names of fields, in ascending order whatever theirs is: the next one
 * after `last`, "" to begin with. NULL at the end. */
const char *sheet_suffix(const struct fields *fields, const char *prefix, const char *last);
/* The currencies in which something was sold, given back or meant to be, in ascending order: the
 * next one after `last`, "" to begin with. NULL at the end. */
const char *sheet_currency(const struct fields *fields, const char *last);

#endif

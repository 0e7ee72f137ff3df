/* pattern.h - written dates and times, as an export spells them.
 *
 * A pattern is made once from a format such as "D-MMM-YYYY" or "M/D/YYYY H:MM AM" (docs/import.md,
 * "Dates and times", lists the words), then reads any number of texts. Pure. */
#ifndef TANDEM_PATTERN_H
#define TANDEM_PATTERN_H

#include "common/error.h"
#include "common/text.h"

#include <stdbool.h>
#include <stdint.h>

#define PATTERN_PIECES_MAX 32

struct pattern {
    struct pattern_piece {
        char kind;    /* one of pattern.c's */
        char literal; /* of a literal */
    } pieces[PATTERN_PIECES_MAX];
    int count;
    bool has_date, has_hour; /* an instant (UNIX) has both */
};

/* A time as written: a wall clock, which needs a zone unless an offset stood beside it. */
struct moment {
    int32_t day;      /* days since 1970-01-01; 0 without a date */
    int64_t local_ms; /* milliseconds since 1970-01-01 00:00 of that wall clock */
    bool has_offset;
    int32_t offset_s; /* seconds east of UTC */
};

/* Reads a format. 0, or -1 (ERROR_USAGE) with what is wrong in it. */
int pattern_parse(struct pattern *out, struct text format, struct error *err);

/* Reads a text by a pattern; *out is set only when it fits. A day or an hour that does not exist is
 * PATTERN_NO_SUCH_DATE, a year outside 2000-2099 PATTERN_YEAR. */
enum pattern_fault { PATTERN_FITS, PATTERN_DIFFERS, PATTERN_NO_SUCH_DATE, PATTERN_YEAR };
enum pattern_fault pattern_read(const struct pattern *pattern, struct text text,
                                struct moment *out);

#endif

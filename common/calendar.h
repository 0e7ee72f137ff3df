/* calendar.h - days, periods and written times. Pure arithmetic, no time zone, no libc time.
 *
 * A day is an int32: days since 1970-01-01. */
#ifndef TANDEM_CALENDAR_H
#define TANDEM_CALENDAR_H

#include "common/text.h"

#include <stdbool.h>
#include <stdint.h>

#define CALENDAR_DAY_MIN 10957 /* 2000-01-01 */
#define CALENDAR_DAY_MAX 47481 /* 2099-12-31 */

int32_t calendar_day(int year, int month, int dom); /* no check */
void calendar_civil(int32_t day, int *year, int *month, int *dom);
bool calendar_valid(int year, int month, int dom); /* years 1..9999 */
int calendar_weekday(int32_t day);                 /* 0 = Monday */
/* The same day of the month `months` later (may be negative), clamped to that month's end. */
int32_t calendar_add_months(int32_t day, int months);

/* "2026-11-23": exactly ten bytes, a real date of the years 0001-9999. False: left alone. */
bool calendar_parse_date(struct text text, int32_t *day);
/* Writes "2026-11-23" and a zero byte (11 bytes). Years 0..9999. Returns out. */
char *calendar_format_date(int32_t day, char out[11]);

/* RFC 3339 with offset, years 2000-2099, fraction of 1-9 digits cut to milliseconds, second 60
 * refused: docs/events.md, "Envelope". *ms gets epoch milliseconds. */
bool calendar_parse_time(struct text text, int64_t *ms);

/* The same, for times of which most lie in the minute of the one before: that is not worked out
 * again. Begin with {0}. */
struct calendar_minute {
    char text[16];
    int64_t local_s;
};
bool calendar_parse_next(struct calendar_minute *minute, struct text text, int64_t *ms);
/* "2026-11-23T12:05:09.123Z" and a zero byte (25 bytes); without ".123" when it is whole. Years
 * 0-9999; a time before or after them is written as their first or last millisecond. */
char *calendar_format_time(int64_t ms, char out[32]);

enum period_kind {
    PERIOD_DAY,
    PERIOD_WEEK,
    PERIOD_MONTH,
    PERIOD_QUARTER,
    PERIOD_YEAR,
    PERIOD_KINDS
};

struct period {
    enum period_kind kind;
    int32_t first, last; /* days, both inclusive */
};

const char *period_kind_name(enum period_kind kind); /* "day", "week", ... */
bool period_kind_parse(struct text text, enum period_kind *kind);
struct period period_of(enum period_kind kind, int32_t day); /* the one that holds `day` */
struct period period_next(struct period p);
struct period period_previous(struct period p);
/* "2026-11-23", "2026-W48" (ISO 8601), "2026-11", "2026-Q4", "2026": the form tells the kind.
 * Years 2000-2099. False when it is none. */
bool period_parse(struct text text, struct period *out);
char *period_format(struct period p, char out[16]); /* returns out */

#endif

/* exposition.h - Prometheus' text format, version 0.0.4. Pure.
 *
 * A family is its two lines, # HELP and # TYPE, then its samples. Labels are pairs of name and
 * value, the list ends with NULL; values are escaped. Numbers are integers: seconds are given in
 * milliseconds and written with a point, so nothing is rounded. */
#ifndef TANDEM_EXPOSITION_H
#define TANDEM_EXPOSITION_H

#include <stdint.h>
#include <stdio.h>

#define EXPOSITION_BOUNDS_MAX 16

void exposition_family(FILE *out, const char *name, const char *type, const char *help);
void exposition_int(FILE *out, const char *name, int64_t value, ...) __attribute__((sentinel));
/* Milliseconds, written as seconds: 1234 is 1.234. */
void exposition_ms(FILE *out, const char *name, int64_t value_ms, ...) __attribute__((sentinel));

/* The bounds of a histogram, ascending; what lies above the last is counted under +Inf. */
struct exposition_bounds {
    int count;
    int64_t list[EXPOSITION_BOUNDS_MAX];
};
struct exposition_histogram {
    int64_t counts[EXPOSITION_BOUNDS_MAX + 1]; /* of each bucket alone */
    int64_t sum, count;
};
void exposition_observe(struct exposition_histogram *histogram,
                        const struct exposition_bounds *bounds, int64_t value);
/* A whole family without labels; of milliseconds when `ms`, else of plain numbers. */
void exposition_histogram(FILE *out, const char *name, const char *help,
                          const struct exposition_bounds *bounds,
                          const struct exposition_histogram *histogram, int ms);

#endif

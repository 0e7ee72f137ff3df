/* truth.h - what the counters must be, worked out the plain way.
 *
 * Knows nothing of tandem's fold: an array of sums for each day, scope and field, added to while
 * the events are made. A plain set is told in full; of a mixed one the fields listed in truth.c. */
#ifndef TANDEM_BENCH_TRUTH_H
#define TANDEM_BENCH_TRUTH_H

#include "bench/generator.h"

#include <stdio.h>

struct truth;

/* NULL when memory is short. Caller owns it until truth_free(). */
struct truth *truth_open(const struct generator *generator);
void truth_free(struct truth *truth);
void truth_add(struct truth *truth, const struct made *made);

/* A line for each sum that is not 0: "sale:day:2026-11-01:region=north<TAB>orders<TAB>17". */
void truth_write(const struct truth *truth, FILE *out);

#endif

/* comparison.h - counters and targets in, the published comparison out.
 *
 * The one place where sale and service meet: every metric, the state of sales, the state of
 * service, the verdict and its reasons. Pure: no I/O, no clock; integers and exact fractions only,
 * rounding is for printing. */
#ifndef TANDEM_COMPARISON_H
#define TANDEM_COMPARISON_H

#include "common/calendar.h"
#include "common/error.h"
#include "common/zone.h"
#include "consumers/comparison/counters.h"
#include "consumers/comparison/fields.h"
#include "consumers/comparison/targets.h"

#include <stddef.h>
#include <stdint.h>

/* The counters of one scope over the days of one period. */
struct comparison_counters {
    const struct counters *sale;     /* NULL: nothing counted */
    const struct counters *service;  /* NULL: nothing counted */
    const struct counters *customer; /* NULL: nobody counts them; their metrics are undefined */
};

struct comparison_input {
    const char *business;
    const char *scope; /* "all", "region=north" */
    struct period period;
    struct comparison_counters now;
    /* The same of period_previous(period). NULL when that one begins before the floor: then what
     * needs it is undefined. (Nothing counted in it is not NULL, but a struct of NULLs.) */
    const struct comparison_counters *previous;
    const struct targets *targets; /* NULL: none, and the usual rules of service */
    const struct zone *zone;
    int64_t as_of_s;               /* the instant at which pace and "closed" are taken */
    const char *const *currencies; /* codes of the business's set of currencies, in any order */
    size_t currency_count;
    int32_t ledger_from; /* first local day the customers are known; INT32_MIN: all */
    const char *store;   /* id of the store */
    int64_t revision;    /* may be set later: fields_setf(fields, "revision", ...) */
};

/* Computes everything. 0, and the caller owns *out until fields_free(): all published fields in
 * their order, each name once. -1 when memory is short. Same input, same answer, byte for byte. */
int comparison_compute(const struct comparison_input *input, struct fields **out,
                       struct error *err);

/* Whether a period is over at `as_of_s`: the local day after its last one has begun. */
bool comparison_closed(struct period period, const struct zone *zone, int64_t as_of_s);

#endif

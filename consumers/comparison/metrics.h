/* metrics.h - every metric: its name, its kind, its labels, and the formula over counters.
 *
 * A formula is a fraction of two short sums of counters, kept exact; printing rounds half away from
 * zero. One table holds them all; docs/redis.md, "Metrics", lists the same. Pure. */
#ifndef TANDEM_METRICS_H
#define TANDEM_METRICS_H

#include "common/calendar.h"
#include "common/error.h"
#include "common/text.h"
#include "consumers/comparison/counters.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum metric_kind {
    METRIC_COUNT,       /* "12" */
    METRIC_PERCENT,     /* "87.50", of 100 */
    METRIC_SCORE,       /* "-3.10", of 100, without a % (NPS) */
    METRIC_RATE,        /* "12.50", so many to a hundred */
    METRIC_MEAN,        /* "4.21" */
    METRIC_MONEY,       /* "249900", minor units */
    METRIC_SECONDS,     /* "5400" */
    METRIC_MEAN_SECONDS /* "812.50" */
};

enum metric_group { METRIC_SALE, METRIC_CURRENCY, METRIC_TARGET, METRIC_SERVICE, METRIC_CUSTOMER };

struct metric {
    const char *name; /* without ":C" or ":M" */
    enum metric_group group;
    enum metric_kind kind;
    const char *num, *den;  /* sums of counters; den NULL: 1 */
    const char *n;          /* what its n counts, for reasons */
    int clamp_lo, clamp_hi; /* numerator held within these many denominators; both 0: free */
    int percent;            /* a quantile (50, 90) of the histogram that num names; else 0 */
    unsigned flags;
    const char *label[2]; /* English, Romanian */
};

#define METRIC_NO_SLO    1u /* a denominator: not for an slo */
#define METRIC_IF_CLOSED 2u /* undefined while the period runs */
#define METRIC_IF_MONTH  4u /* undefined but for months of scope `all` */
#define METRIC_IF_LEDGER 8u /* undefined for periods that begin before the ledger */

/* The table, in the order of publication. */
size_t metrics_count(void);
const struct metric *metrics_at(size_t i);
/* By name; what follows a ':' is not looked at. NULL when there is none. */
const struct metric *metrics_find(struct text name);

/* What formulas draw from. Sides as in struct comparison_counters; NULL is an empty set. */
struct metric_context {
    const struct counters *sale, *service, *customer;
    const struct counters *previous_sale, *previous_service, *previous_customer;
    bool has_customers; /* else every METRIC_CUSTOMER is undefined */
    bool has_previous;  /* else what needs the previous period is undefined */
    bool closed;
    bool month_of_all;
    bool in_ledger;
    bool line; /* scope line=...: every METRIC_SERVICE is undefined */
};

struct metric_value {
    bool defined;
    __int128 num, den; /* the exact value is num / den; den > 0 */
    int64_t lo, hi;    /* of a quantile: edges of the bucket it fell into */
};

/* Value of a metric; `currency` is the code for METRIC_CURRENCY ("EUR"), else NULL. METRIC_TARGET
 * is not computed here. 0, or -1 when memory is short. */
int metric_evaluate(const struct metric *metric, const struct metric_context *context,
                    const char *currency, struct metric_value *out, struct error *err);
/* Its n (the sum that `metric->n` names). */
__int128 metric_n(const struct metric *metric, const struct metric_context *context);

/* Units of the printed number in one: 1, 100 (means) or 10000 (percentages). */
int metric_scale(enum metric_kind kind);
/* As published: rounded half away from zero, "NaN" when undefined or beyond int64. Returns out. */
char *metric_format(enum metric_kind kind, const struct metric_value *value, char out[40]);
/* -310 -> "-3.10". Returns out. */
char *metric_format_hundredths(int64_t number, char out[40]);

#endif

/* targets_data.h - what a targets file becomes; for targets.c and targets_parse.c only. */
#ifndef TANDEM_TARGETS_DATA_H
#define TANDEM_TARGETS_DATA_H

#include "consumers/comparison/targets.h"

#define TARGETS_MAX          10000
#define TARGETS_HOLIDAYS_MAX 1000
#define TARGETS_SLO_MAX      64

struct targets {
    int weights[7];    /* Monday first */
    int32_t *holidays; /* sorted */
    size_t holiday_count;
    struct target *list; /* sorted by targets_compare(); scopes are owned */
    size_t count;
    struct service_rules service; /* points at slo */
    struct slo slo[TARGETS_SLO_MAX];
};

/* No targets, every day weighs 1, the usual rules of service. */
#define TARGETS_WEIGHTS     \
    {                       \
        1, 1, 1, 1, 1, 1, 1 \
    }
#define TARGETS_SERVICE                                          \
    {                                                            \
        .min_ratings = 20, .csat_floor_bp = 8000, .slip_bp = 500 \
    }

/* By scope, kind and begin of the period, measure, currency code. */
int targets_compare(const void *a, const void *b);

#endif

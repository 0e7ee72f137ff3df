/* trend.h - a few metrics over the last periods of a kind, as published. */
#ifndef TANDEM_TREND_H
#define TANDEM_TREND_H

#include "common/calendar.h"
#include "common/error.h"
#include "common/redis.h"
#include "consumers/comparison/fields.h"

#include <stddef.h>

#define TREND_PERIODS 12
#define TREND_LINES   4
#define TREND_VALUE   48

struct trend {
    struct period last; /* the period shown; the others are those before it */
    size_t lines;
    struct trend_line {
        char metric[64];                        /* "gross_profit:RON" */
        char value[TREND_PERIODS][TREND_VALUE]; /* oldest first; "NaN": undefined or unpublished */
    } line[TREND_LINES];
};

/* Chooses what is worth a line of a comparison: money, orders, ratings, tickets. Every value is
 * undefined but the last, which is the comparison's. False when its period cannot be read. Pure. */
bool trend_choose(struct trend *trend, const struct fields *fields);
/* Fills in the periods before. 0, or -1 (Redis). */
int trend_read(struct trend *trend, struct redis *redis, const char *business, const char *scope,
               struct error *err);

#endif

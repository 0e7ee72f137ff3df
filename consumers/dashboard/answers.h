/* answers.h - what the dashboard answers: JSON documents made from what lies in Redis.
 *
 * schemas/dashboard.openapi.json describes each of them. They only read. */
#ifndef TANDEM_ANSWERS_H
#define TANDEM_ANSWERS_H

#include "common/config.h"
#include "common/error.h"
#include "common/redis.h"
#include "common/zone.h"
#include "consumers/dashboard/question.h"

#include <stddef.h>

struct source {
    struct redis *redis;
    const struct config *config;
    const struct zone *zone;
};

/* Each: 0, and *body (of *length bytes, ends with a zero byte) is the caller's to free(). -1:
 * ERROR_INPUT there is no such thing, ERROR_REDIS Redis does not answer, or another. */
typedef int answer(const struct source *source, const struct question *question, char **body,
                   size_t *length, struct error *err);

answer answer_comparison; /* the table, every metric with its words, and the period before */
answer answer_history;    /* metrics of `count` periods up to one */
answer answer_breakdown;  /* metrics of every value of a dimension */
answer answer_ratings;    /* how the ratings of a period are distributed */
answer answer_hours;      /* a day, hour by hour */
answer answer_scopes;     /* dimensions and their values, currencies, published days */
answer answer_targets;    /* the targets file in force */

#endif

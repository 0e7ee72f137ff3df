/* scene.h - a comparison in few words, for the tests of consumers/. */
#ifndef TANDEM_TESTS_SCENE_H
#define TANDEM_TESTS_SCENE_H

#include "consumers/comparison/comparison.h"
#include "consumers/comparison/fields.h"

/* Counters from "orders=3 net:RON=500"; the caller's. Fails the test when they are refused. */
struct counters *scene_counters(const char *words);

/* A targets file that must be good; the caller's. Dimensions region, channel, rep, line. */
struct targets *scene_targets(const char *json);

/* What one comparison is made of; what is not named is the usual: business "main", scope "all",
 * period "2026-11", Europe/Bucharest, currency RON, as of the period's middle. */
struct scene {
    const char *sale, *service, *customer; /* customer NULL: nobody counts them */
    const char *sale_before, *service_before, *customer_before;
    bool no_previous;    /* it begins before the floor */
    const char *targets; /* JSON; NULL: none */
    const char *scope, *period, *zone;
    const char *as_of;             /* "2026-11-16T00:00:00+02:00" */
    const char *const *currencies; /* ends with NULL */
    int32_t ledger_from;           /* 0: INT32_MIN */
};

struct fields *scene_play(const struct scene *scene); /* the caller's */

/* Plays it and compares some of the fields: "orders 3 | csat_pct NaN". */
void scene_expect(const struct scene *scene, const char *pairs);

#endif

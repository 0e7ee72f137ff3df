/* sale_state.h - how sales stand to their targets: what is reached, the pace, the state. Pure. */
#ifndef TANDEM_SALE_STATE_H
#define TANDEM_SALE_STATE_H

#include "consumers/comparison/fields.h"
#include "consumers/comparison/metrics.h"
#include "consumers/comparison/pace.h"
#include "consumers/comparison/reasons.h"
#include "consumers/comparison/targets.h"
#include "consumers/comparison/verdict.h"

struct sale_judgement {
    enum sale_state state;
    char judged[32]; /* "gross_profit:RON", "orders"; "none" */
};

/* Judges the targets of one scope and period (there may be none) and adds the one clause of sales.
 * `targets` as targets_find() gives them. 0, or -1 when memory is short. */
int sale_judge(const struct target *targets, size_t count, const struct pace *pace,
               const struct metric_context *context, struct sale_judgement *out,
               struct reasons *reasons, struct error *err);

/* Sets target:M, attainment_pct:M, gap:M, pace_pct:M, forecast:M, required_rate:M of one target. */
int sale_publish_target(const struct target *target, const struct pace *pace,
                        const struct metric_context *context, struct fields *fields,
                        struct error *err);

#endif

/* service_state.h - whether customers are content: floors, the fall since before, promises.
 *
 * Service has no target while customers are content; below the floor of CSAT one appears: how many
 * further good ratings in a row restore it. Pure. */
#ifndef TANDEM_SERVICE_STATE_H
#define TANDEM_SERVICE_STATE_H

#include "consumers/comparison/metrics.h"
#include "consumers/comparison/reasons.h"
#include "consumers/comparison/targets.h"
#include "consumers/comparison/verdict.h"

struct service_judgement {
    enum service_state state;
    struct metric_value ratings_needed; /* defined only below the floor of CSAT */
};

/* Judges and adds its clauses. 0, or -1 when memory is short. */
int service_judge(const struct service_rules *rules, const struct metric_context *context,
                  struct service_judgement *out, struct reasons *reasons, struct error *err);

#endif

#include "consumers/comparison/comparison.h"

#include "consumers/comparison/pace.h"
#include "consumers/comparison/reasons.h"
#include "consumers/comparison/sale_state.h"
#include "consumers/comparison/service_state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* One comparison in the making. */
struct work {
    const struct comparison_input *in;
    struct metric_context context;
    struct pace pace;
    const struct target *targets; /* of this scope and period */
    size_t target_count;
    struct sale_judgement sale;
    struct service_judgement service;
    struct reasons reasons;
    struct fields *fields;
};

bool comparison_closed(struct period period, const struct zone *zone, int64_t as_of_s)
{
    return as_of_s >= zone_utc(zone, (int64_t)(period.last + 1) * 86400);
}

static struct metric_context context_of(const struct comparison_input *in, bool closed)
{
    static const struct comparison_counters nothing;
    const struct comparison_counters *previous = in->previous ? in->previous : &nothing;
    return (struct metric_context){
        .sale = in->now.sale,
        .service = in->now.service,
        .customer = in->now.customer,
        .previous_sale = previous->sale,
        .previous_service = previous->service,
        .previous_customer = previous->customer,
        .has_customers = in->now.customer != NULL,
        .has_previous = in->previous != NULL,
        .closed = closed,
        .month_of_all = in->period.kind == PERIOD_MONTH && strcmp(in->scope, "all") == 0,
        .in_ledger = in->period.first >= in->ledger_from,
        .line = strncmp(in->scope, "line=", 5) == 0,
    };
}

static int set(struct work *work, const char *name, const char *value, struct error *err)
{
    return fields_set(work->fields, text_of(name), text_of(value), err);
}

static int set_int(struct work *work, const char *name, int64_t value, struct error *err)
{
    return fields_setf(work->fields, name, err, "%" PRId64, value);
}

/* business ... revision */
static int publish_identity(struct work *work, struct error *err)
{
    char period[16];
    const struct comparison_input *in = work->in;
    return set(work, "business", in->business, err) || set(work, "scope", in->scope, err) ||
                   set(work, "period_kind", period_kind_name(in->period.kind), err) ||
                   set(work, "period", period_format(in->period, period), err) ||
                   set_int(work, "as_of", in->as_of_s, err) ||
                   set_int(work, "closed", work->pace.closed, err) ||
                   set(work, "store", in->store, err) ||
                   set_int(work, "revision", in->revision, err)
               ? -1
               : 0;
}

/* sale_state ... ratings_needed */
static int publish_judgement(struct work *work, struct error *err)
{
    char needed[40];
    const struct verdict *verdict = verdict_of(work->sale.state, work->service.state);
    bool provisional = 10 * work->pace.elapsed < work->pace.whole;
    metric_format(METRIC_COUNT, &work->service.ratings_needed, needed);
    return set(work, "sale_state", sale_state_name(work->sale.state), err) ||
                   set(work, "service_state", service_state_name(work->service.state), err) ||
                   set_int(work, "provisional", provisional, err) ||
                   set(work, "judged", work->sale.judged, err) ||
                   set(work, "verdict", verdict->code, err) ||
                   set(work, "severity", verdict->severity, err) ||
                   set(work, "reasons", work->reasons.text, err) ||
                   set(work, "ratings_needed", needed, err)
               ? -1
               : 0;
}

static int publish_metric(struct work *work, const struct metric *metric, const char *currency,
                          struct error *err)
{
    char name[64], text[40];
    struct metric_value value;
    if (metric_evaluate(metric, &work->context, currency, &value, err))
        return -1;
    snprintf(name, sizeof name, "%s%s%s", metric->name, currency ? ":" : "",
             currency ? currency : "");
    return set(work, name, metric_format(metric->kind, &value, text), err);
}

static int publish_group(struct work *work, enum metric_group group, const char *currency,
                         struct error *err)
{
    for (size_t i = 0; i < metrics_count(); i++)
        if (metrics_at(i)->group == group && publish_metric(work, metrics_at(i), currency, err))
            return -1;
    return 0;
}

static int by_code(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int publish_currencies(struct work *work, struct error *err)
{
    size_t count = work->in->currency_count;
    int result = 0;
    if (count == 0)
        return 0;
    const char **codes = malloc(count * sizeof *codes);
    if (!codes)
        return error_memory(err);
    memcpy(codes, work->in->currencies, count * sizeof *codes);
    qsort(codes, count, sizeof *codes, by_code);
    for (size_t i = 0; i < count && result == 0; i++)
        result = publish_group(work, METRIC_CURRENCY, codes[i], err);
    free(codes);
    return result;
}

static int publish_targets(struct work *work, struct error *err)
{
    for (size_t i = 0; i < work->target_count; i++)
        if (sale_publish_target(&work->targets[i], &work->pace, &work->context, work->fields, err))
            return -1;
    return 0;
}

static int judge(struct work *work, struct error *err)
{
    const struct service_rules *rules = targets_service(work->in->targets);
    if (sale_judge(work->targets, work->target_count, &work->pace, &work->context, &work->sale,
                   &work->reasons, err))
        return -1;
    return service_judge(rules, &work->context, &work->service, &work->reasons, err);
}

static int publish_all(struct work *work, struct error *err)
{
    if (publish_identity(work, err) || publish_judgement(work, err) ||
        publish_group(work, METRIC_SALE, NULL, err) || publish_currencies(work, err) ||
        publish_targets(work, err) || publish_group(work, METRIC_SERVICE, NULL, err) ||
        publish_group(work, METRIC_CUSTOMER, NULL, err))
        return -1;
    return 0;
}

int comparison_compute(const struct comparison_input *input, struct fields **out, struct error *err)
{
    struct work work = {.in = input};
    work.pace = pace_of(input->period, input->targets, input->zone, input->as_of_s);
    work.context = context_of(input, work.pace.closed);
    work.target_count = targets_find(input->targets, input->scope, input->period, &work.targets);
    if (fields_open(&work.fields, err))
        return -1;
    if (judge(&work, err) || publish_all(&work, err)) {
        fields_free(work.fields);
        return -1;
    }
    *out = work.fields;
    return 0;
}

#include "consumers/comparison/sale_state.h"

#include "common/currency.h"
#include "consumers/comparison/fraction.h"

#include <inttypes.h>
#include <stdio.h>

static const char *currency_of(const struct target *target)
{
    return target->currency < 0 ? NULL : currency_code(target->currency);
}

/* What the target is compared with: gross profit, revenue or orders; may be negative. */
static int actual_of(const struct target *target, const struct metric_context *context,
                     __int128 *out, struct error *err)
{
    const struct metric *metric = metrics_find(text_of(measure_name(target->measure)));
    struct metric_value value;
    if (metric_evaluate(metric, context, currency_of(target), &value, err))
        return -1;
    *out = value.num;
    return 0;
}

/* The share of the target reached, over the share of the period's weight gone by. */
static struct metric_value pace_value(const struct target *target, const struct pace *pace,
                                      __int128 actual)
{
    if (pace->elapsed == 0)
        return (struct metric_value){.den = 1};
    return (struct metric_value){.defined = true,
                                 .num = actual * pace->whole,
                                 .den = (__int128)target->amount * pace->elapsed};
}

static struct metric_value attainment_value(const struct target *target, __int128 actual)
{
    return (struct metric_value){.defined = true, .num = actual, .den = target->amount};
}

static struct metric_value forecast_value(const struct pace *pace, __int128 actual)
{
    if (pace->elapsed == 0)
        return (struct metric_value){.den = 1};
    return (struct metric_value){
        .defined = true, .num = actual * pace->whole, .den = pace->elapsed};
}

/* What a day of the greatest weight must still bring. */
static struct metric_value required_value(const struct pace *pace, __int128 gap)
{
    int64_t left = pace->whole - pace->elapsed;
    if (left == 0)
        return (struct metric_value){.den = 1};
    return (struct metric_value){.defined = true, .num = gap * pace->full_day, .den = left};
}

static int publish(struct fields *fields, const char *name, const char *measure,
                   enum metric_kind kind, struct metric_value value, struct error *err)
{
    char full[64], text[40];
    snprintf(full, sizeof full, "%s:%s", name, measure);
    return fields_set(fields, text_of(full), text_of(metric_format(kind, &value, text)), err);
}

int sale_publish_target(const struct target *target, const struct pace *pace,
                        const struct metric_context *context, struct fields *fields,
                        struct error *err)
{
    char name[32];
    __int128 actual = 0;
    enum metric_kind rate = target->currency < 0 ? METRIC_MEAN : METRIC_MONEY;
    target_name(target, name);
    if (actual_of(target, context, &actual, err))
        return -1;
    __int128 gap = target->amount > actual ? target->amount - actual : 0;
    struct metric_value amount = {.defined = true, .num = target->amount, .den = 1};
    struct metric_value left = {.defined = true, .num = gap, .den = 1};
    if (publish(fields, "target", name, METRIC_COUNT, amount, err) ||
        publish(fields, "attainment_pct", name, METRIC_PERCENT, attainment_value(target, actual),
                err) ||
        publish(fields, "gap", name, METRIC_COUNT, left, err) ||
        publish(fields, "pace_pct", name, METRIC_PERCENT, pace_value(target, pace, actual), err) ||
        publish(fields, "forecast", name, rate, forecast_value(pace, actual), err) ||
        publish(fields, "required_rate", name, rate, required_value(pace, gap), err))
        return -1;
    return 0;
}

/* Gross profit before revenue before orders, as they are sorted; of several currencies the one
 * that is furthest behind, the smaller code when equal. */
static int choose(const struct target *targets, size_t count, const struct metric_context *context,
                  const struct target **judged, __int128 *actual, struct error *err)
{
    for (size_t i = 0; i < count && targets[i].measure == targets[0].measure; i++) {
        __int128 reached = 0;
        if (actual_of(&targets[i], context, &reached, err))
            return -1;
        if (i == 0 || fraction_compare((struct fraction){reached, targets[i].amount},
                                       (struct fraction){*actual, (*judged)->amount}) < 0) {
            *judged = &targets[i];
            *actual = reached;
        }
    }
    return 0;
}

/* orders:EUR for a measure in euros, orders for a number of orders. */
static __int128 orders_of(const struct target *target, const struct metric_context *context)
{
    char name[32] = "orders";
    if (target->currency >= 0)
        snprintf(name, sizeof name, "orders:%s", currency_of(target));
    return counters_get(context->sale, text_of(name));
}

static void explain(const char *metric, const char *judged, const struct metric_value *value,
                    const char *op, __int128 n, struct reasons *reasons)
{
    char name[64], text[40];
    snprintf(name, sizeof name, "%s:%s", metric, judged);
    reasons_add(reasons, name, metric_format(METRIC_PERCENT, value, text), op, "100.00", n);
}

static enum sale_state judge_one(const struct target *target, const struct pace *pace,
                                 __int128 actual, __int128 n, const char *judged,
                                 struct reasons *reasons)
{
    struct metric_value attained = attainment_value(target, actual);
    struct metric_value paced = pace_value(target, pace, actual);
    if (actual >= target->amount) {
        explain("attainment_pct", judged, &attained, ">=", n, reasons);
        return SALE_GOOD;
    }
    if (pace->closed) {
        explain("attainment_pct", judged, &attained, "<", n, reasons);
        return SALE_WEAK;
    }
    if (pace->elapsed == 0) {
        reasons_add(reasons, "elapsed_weight", "0", "<=", "0", n);
        return SALE_GOOD;
    }
    bool good = paced.num >= paced.den;
    explain("pace_pct", judged, &paced, good ? ">=" : "<", n, reasons);
    return good ? SALE_GOOD : SALE_WEAK;
}

int sale_judge(const struct target *targets, size_t count, const struct pace *pace,
               const struct metric_context *context, struct sale_judgement *out,
               struct reasons *reasons, struct error *err)
{
    const struct target *judged = NULL;
    __int128 actual = 0;
    *out = (struct sale_judgement){.state = SALE_NONE, .judged = "none"};
    if (choose(targets, count, context, &judged, &actual, err))
        return -1;
    if (!judged) {
        __int128 orders = counters_get(context->sale, text_of("orders"));
        reasons_add(reasons, "targets", "0", "<", "1", orders);
        return 0;
    }
    target_name(judged, out->judged);
    out->state = judge_one(judged, pace, actual, orders_of(judged, context), out->judged, reasons);
    return 0;
}

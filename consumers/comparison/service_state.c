#include "consumers/comparison/service_state.h"

#include "consumers/comparison/fraction.h"

#include <inttypes.h>
#include <stdio.h>

/* One side's ratings, now and before. */
struct ratings {
    struct metric_value csat, nps, csat_before;
    __int128 csat_n, nps_n, csat_n_before;
    bool csat_counts, nps_counts; /* enough of them; of NPS also: there is a floor */
    char csat_text[40], nps_text[40];
};

static const struct metric *metric_of(const char *name)
{
    return metrics_find(text_of(name));
}

static int take_before(const struct metric_context *context, struct ratings *ratings,
                       struct error *err)
{
    struct metric_context before = {.service = context->previous_service, .line = context->line};
    ratings->csat_n_before = context->has_previous ? metric_n(metric_of("csat_pct"), &before) : 0;
    return metric_evaluate(metric_of("csat_pct"), &before, NULL, &ratings->csat_before, err);
}

static int take(const struct service_rules *rules, const struct metric_context *context,
                struct ratings *ratings, struct error *err)
{
    if (metric_evaluate(metric_of("csat_pct"), context, NULL, &ratings->csat, err) ||
        metric_evaluate(metric_of("nps"), context, NULL, &ratings->nps, err) ||
        take_before(context, ratings, err))
        return -1;
    ratings->csat_n = metric_n(metric_of("csat_pct"), context);
    ratings->nps_n = metric_n(metric_of("nps"), context);
    ratings->csat_counts = ratings->csat_n >= rules->min_ratings;
    ratings->nps_counts = rules->has_nps_floor && ratings->nps_n >= rules->min_ratings;
    metric_format(METRIC_PERCENT, &ratings->csat, ratings->csat_text);
    metric_format(METRIC_SCORE, &ratings->nps, ratings->nps_text);
    return 0;
}

/* A value against a threshold in the units it is printed in (hundredths of a per cent, seconds),
 * but exactly. */
static int compare_printed(const struct metric_value *value, enum metric_kind kind,
                           int64_t threshold)
{
    struct fraction scaled = {value->num * metric_scale(kind), value->den};
    return fraction_compare(scaled, (struct fraction){threshold, 1});
}

/* unknown */

static void explain_unknown(const struct service_rules *rules, const struct metric_context *context,
                            const struct ratings *ratings, struct reasons *reasons)
{
    char least[24], csat[40], nps[40];
    struct metric_value csat_n = {.defined = !context->line, .num = ratings->csat_n, .den = 1};
    struct metric_value nps_n = {.defined = !context->line, .num = ratings->nps_n, .den = 1};
    snprintf(least, sizeof least, "%" PRId64, rules->min_ratings);
    reasons_add(reasons, "csat_n", metric_format(METRIC_COUNT, &csat_n, csat), "<", least,
                context->line ? 0 : ratings->csat_n);
    if (rules->has_nps_floor)
        reasons_add(reasons, "nps_n", metric_format(METRIC_COUNT, &nps_n, nps), "<", least,
                    context->line ? 0 : ratings->nps_n);
}

/* unhappy, content: the same floors from both sides */

static void explain_floor(const char *metric, const char *value, const char *op, int floor_bp,
                          __int128 n, struct reasons *reasons)
{
    char floor[40];
    reasons_add(reasons, metric, value, op, metric_format_hundredths(floor_bp, floor), n);
}

/* ceil((F n - 10000 sat) / (10000 - F)), at least 0: further ratings of 4 or 5 in a row until the
 * floor F holds again. No number of them reaches a floor of 100 %. */
static struct metric_value ratings_needed(const struct service_rules *rules,
                                          const struct metric_context *context, __int128 n)
{
    __int128 content = counters_get(context->service, text_of("csat_4")) +
                       counters_get(context->service, text_of("csat_5"));
    __int128 missing = rules->csat_floor_bp * n - 10000 * content;
    __int128 each = 10000 - rules->csat_floor_bp;
    if (each == 0)
        return (struct metric_value){.den = 1};
    __int128 needed = missing > 0 ? (missing + each - 1) / each : 0;
    return (struct metric_value){.defined = true, .num = needed, .den = 1};
}

static bool judge_unhappy(const struct service_rules *rules, const struct metric_context *context,
                          const struct ratings *ratings, struct service_judgement *out,
                          struct reasons *reasons)
{
    bool csat = ratings->csat_counts &&
                compare_printed(&ratings->csat, METRIC_PERCENT, rules->csat_floor_bp) < 0;
    bool nps = ratings->nps_counts &&
               compare_printed(&ratings->nps, METRIC_SCORE, rules->nps_floor_bp) < 0;
    if (csat) {
        explain_floor("csat_pct", ratings->csat_text, "<", rules->csat_floor_bp, ratings->csat_n,
                      reasons);
        out->ratings_needed = ratings_needed(rules, context, ratings->csat_n);
    }
    if (nps)
        explain_floor("nps", ratings->nps_text, "<", rules->nps_floor_bp, ratings->nps_n, reasons);
    return csat || nps;
}

static void explain_content(const struct service_rules *rules, const struct ratings *ratings,
                            struct reasons *reasons)
{
    if (ratings->csat_counts)
        explain_floor("csat_pct", ratings->csat_text, ">=", rules->csat_floor_bp, ratings->csat_n,
                      reasons);
    if (ratings->nps_counts)
        explain_floor("nps", ratings->nps_text, ">=", rules->nps_floor_bp, ratings->nps_n, reasons);
}

/* at_risk */

static bool judge_fall(const struct service_rules *rules, const struct ratings *ratings,
                       struct reasons *reasons)
{
    char text[40];
    const struct metric_value *before = &ratings->csat_before;
    if (ratings->csat_n_before < rules->min_ratings || !ratings->csat.defined || !before->defined)
        return false;
    struct metric_value least = {.defined = true,
                                 .num = before->num * 10000 - rules->slip_bp * before->den,
                                 .den = before->den * 10000};
    if (fraction_compare((struct fraction){ratings->csat.num, ratings->csat.den},
                         (struct fraction){least.num, least.den}) > 0)
        return false;
    reasons_add(reasons, "csat_pct", ratings->csat_text,
                "<=", metric_format(METRIC_PERCENT, &least, text), ratings->csat_n);
    return true;
}

/* A quantile is only known to lie in its bucket: it breaks a promise when the whole bucket does. */
static bool is_breached(const struct slo *slo, const struct metric_value *value)
{
    const struct metric *metric = slo->metric;
    int64_t threshold = slo->threshold;
    if (!value->defined)
        return false;
    if (metric->percent)
        return slo->is_max ? value->lo > threshold : value->hi < threshold;
    if (metric->kind == METRIC_MEAN_SECONDS)
        threshold *= 100;
    int order = compare_printed(value, metric->kind, threshold);
    return slo->is_max ? order > 0 : order < 0;
}

static void explain_slo(const struct slo *slo, const struct metric_value *value,
                        const struct metric_context *context, struct reasons *reasons)
{
    char text[40], threshold[40];
    enum metric_kind kind = slo->metric->kind;
    if (metric_scale(kind) == 1 || kind == METRIC_MEAN_SECONDS)
        snprintf(threshold, sizeof threshold, "%" PRId64, slo->threshold);
    else
        metric_format_hundredths(slo->threshold, threshold);
    reasons_add(reasons, slo->metric->name, metric_format(kind, value, text),
                slo->is_max ? ">" : "<", threshold, metric_n(slo->metric, context));
}

static int judge_slos(const struct service_rules *rules, const struct metric_context *context,
                      bool *breached, struct reasons *reasons, struct error *err)
{
    for (size_t i = 0; i < rules->slo_count; i++) {
        const struct slo *slo = &rules->slo[i];
        struct metric_value value;
        if (metric_evaluate(slo->metric, context, NULL, &value, err))
            return -1;
        if (is_breached(slo, &value)) {
            explain_slo(slo, &value, context, reasons);
            *breached = true;
        }
    }
    return 0;
}

int service_judge(const struct service_rules *rules, const struct metric_context *context,
                  struct service_judgement *out, struct reasons *reasons, struct error *err)
{
    struct ratings ratings;
    bool at_risk = false;
    *out = (struct service_judgement){.state = SERVICE_UNKNOWN, .ratings_needed.den = 1};
    if (take(rules, context, &ratings, err))
        return -1;
    if (context->line || (!ratings.csat_counts && !ratings.nps_counts)) {
        explain_unknown(rules, context, &ratings, reasons);
        return 0;
    }
    out->state = SERVICE_UNHAPPY;
    if (judge_unhappy(rules, context, &ratings, out, reasons))
        return 0;
    at_risk = judge_fall(rules, &ratings, reasons);
    if (judge_slos(rules, context, &at_risk, reasons, err))
        return -1;
    out->state = at_risk ? SERVICE_AT_RISK : SERVICE_CONTENT;
    if (!at_risk)
        explain_content(rules, &ratings, reasons);
    return 0;
}

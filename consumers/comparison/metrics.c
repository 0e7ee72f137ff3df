#include "consumers/comparison/metrics.h"

#include "consumers/comparison/fraction.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sums are written as counters with blanks between: "opened -resolved reopened". A '-' subtracts, a
 * '~' takes the previous period, "sale." another side than the metric's own. */
#define REVENUE        "net -refund_net"
#define PROFIT         "net_costed -cost -refund_net_costed refund_cost"
#define REVENUE_BEFORE "~net -~refund_net"
#define ASSISTED       "assisted_net -refund_assisted_net"
#define DETRACTORS     "-nps_0 -nps_1 -nps_2 -nps_3 -nps_4 -nps_5 -nps_6"

/* clang-format off */
#define METRIC(name, group, kind, num, den, n, flags, en, ro) \
    {name, group, kind, num, den, n, 0, 0, 0, flags, {en, ro}}
#define COUNT(name, group, num, n, en, ro) \
    METRIC(name, group, METRIC_COUNT, num, NULL, n, 0, en, ro)
#define DENOMINATOR(name, group, en, ro) \
    METRIC(name, group, METRIC_COUNT, name, NULL, name, METRIC_NO_SLO, en, ro)
#define MONEY(name, num, den, en, ro) \
    METRIC(name, METRIC_CURRENCY, METRIC_MONEY, num, den, "orders", 0, en, ro)
#define SHARE(name, num, den, flags, en, ro) \
    METRIC(name, METRIC_CURRENCY, METRIC_PERCENT, num, den, "orders", flags, en, ro)
#define TARGET(name, kind, en, ro) \
    METRIC(name, METRIC_TARGET, kind, NULL, NULL, NULL, 0, en, ro)
#define PERCENT(name, num, den, en, ro) \
    METRIC(name, METRIC_SERVICE, METRIC_PERCENT, num, den, den, 0, en, ro)
#define RATING(name, kind, num, den, lo, hi, en, ro) \
    {name, METRIC_SERVICE, kind, num, den, den, lo, hi, 0, 0, {en, ro}}
#define QUANTILE(name, percent, of, en, ro) \
    {name, METRIC_SERVICE, METRIC_SECONDS, of, NULL, of "_n", 0, 0, percent, 0, {en, ro}}
#define MEAN(name, of, en, ro) \
    METRIC(name, METRIC_SERVICE, METRIC_MEAN_SECONDS, of "_sum", of "_n", of "_n", 0, en, ro)
#define RETURN(name, num, den, flags, en, ro) \
    METRIC(name, METRIC_CUSTOMER, METRIC_PERCENT, num, den, den, flags, en, ro)

static const struct metric metrics[] = {
    COUNT("orders", METRIC_SALE, "orders", "orders", "orders", "comenzi"),
    COUNT("units", METRIC_SALE, "units", "orders", "units", "bucăți"),
    COUNT("interactions", METRIC_SALE, "interactions", "interactions",
          "interactions", "interacțiuni"),
    COUNT("interactions_prospect", METRIC_SALE, "interactions_prospect", "interactions",
          "prospects met", "contacte cu potențiali"),
    COUNT("referred_by_sale", METRIC_SALE, "referred", "referred", "referred", "recomandați"),
    DENOMINATOR("warranty_units", METRIC_SALE, "units under warranty", "bucăți în garanție"),

    MONEY("revenue", REVENUE, NULL, "revenue", "venit"),
    MONEY("gross_profit", PROFIT, NULL, "gross profit", "profit brut"),
    SHARE("margin_pct", PROFIT, "net_costed -refund_net_costed", 0, "margin", "marjă"),
    SHARE("cost_coverage_pct", "net_costed", "net", 0, "cost known for", "cost cunoscut la"),
    MONEY("average_order", "net", "orders", "average order", "comandă medie"),
    SHARE("refund_pct", "refund_net", "net", 0, "refunded", "rambursat"),
    SHARE("refund_cost_coverage_pct", "refund_net_costed", "refund_net", 0,
          "refund cost known for", "cost rambursat cunoscut la"),
    SHARE("revenue_change_pct", REVENUE " -~net ~refund_net", REVENUE_BEFORE, METRIC_IF_CLOSED,
          "revenue change", "variația venitului"),
    MONEY("assisted_revenue", ASSISTED, NULL, "led by service", "prin service"),
    SHARE("assisted_pct", ASSISTED, REVENUE, 0, "share led by service", "pondere prin service"),

    /* consumers/comparison/sale_state.c computes these */
    TARGET("target", METRIC_MONEY, "target", "țintă"),
    TARGET("attainment_pct", METRIC_PERCENT, "reached", "realizat"),
    TARGET("gap", METRIC_MONEY, "gap", "rest"),
    TARGET("pace_pct", METRIC_PERCENT, "pace", "ritm"),
    TARGET("forecast", METRIC_MONEY, "at this rate", "în acest ritm"),
    TARGET("required_rate", METRIC_MONEY, "needed a full day", "necesar pe zi plină"),

    COUNT("opened", METRIC_SERVICE, "opened", "opened", "tickets", "solicitări"),
    COUNT("opened_before", METRIC_SERVICE, "opened_before", "opened",
          "before the sale", "înainte de vânzare"),
    COUNT("opened_during", METRIC_SERVICE, "opened_during", "opened",
          "during the sale", "în timpul vânzării"),
    COUNT("opened_after", METRIC_SERVICE, "opened_after", "opened",
          "after the sale", "după vânzare"),
    COUNT("category_question", METRIC_SERVICE, "category_question", "opened",
          "questions", "întrebări"),
    COUNT("category_problem", METRIC_SERVICE, "category_problem", "opened",
          "problems", "probleme"),
    COUNT("category_guidance", METRIC_SERVICE, "category_guidance", "opened",
          "guidance", "îndrumare"),
    COUNT("category_prevention", METRIC_SERVICE, "category_prevention", "opened",
          "prevention", "prevenire"),
    COUNT("category_upsell", METRIC_SERVICE, "category_upsell", "opened",
          "upsells", "vânzări adăugate"),
    COUNT("category_bond", METRIC_SERVICE, "category_bond", "opened", "bonds", "legături"),
    COUNT("category_warranty", METRIC_SERVICE, "category_warranty", "opened",
          "warranty", "garanție"),
    COUNT("category_complaint", METRIC_SERVICE, "category_complaint", "opened",
          "complaints", "reclamații"),
    COUNT("category_other", METRIC_SERVICE, "category_other", "opened", "other", "altele"),
    PERCENT("after_pct", "opened_after", "opened", "share of tickets", "din solicitări"),
    METRIC("contact_rate", METRIC_SERVICE, METRIC_RATE, "opened_after", "sale.orders",
           "sale.orders", 0, "tickets to 100 orders", "solicitări la 100 de comenzi"),
    RATING("csat_pct", METRIC_PERCENT, "csat_4 csat_5", "csat_n", 0, 1, "CSAT", "CSAT"),
    RATING("csat_mean", METRIC_MEAN, "csat_sum", "csat_n", 1, 5, "CSAT mean", "media CSAT"),
    RATING("nps", METRIC_SCORE, "nps_9 nps_10 " DETRACTORS, "nps_n", -1, 1, "NPS", "NPS"),
    RATING("ces_mean", METRIC_MEAN, "ces_sum", "ces_n", 1, 7, "CES mean", "media CES"),
    RATING("ces_easy_pct", METRIC_PERCENT, "ces_5 ces_6 ces_7", "ces_n", 0, 1,
           "found it easy", "le-a fost ușor"),
    RATING("first_contact_pct", METRIC_PERCENT, "first_contact -first_contact_undone",
           "contacts_known -reopened_known", 0, 1, "solved at once", "rezolvat din prima"),
    QUANTILE("response_p50", 50, "response", "half answered in", "jumătate, răspuns în"),
    QUANTILE("response_p90", 90, "response", "90 % answered in", "90 %, răspuns în"),
    QUANTILE("resolution_p50", 50, "resolution", "half solved in", "jumătate rezolvate în"),
    QUANTILE("resolution_p90", 90, "resolution", "90 % solved in", "90 % rezolvate în"),
    QUANTILE("turnaround_p50", 50, "turnaround", "half of claims in", "jumătate din garanții în"),
    QUANTILE("turnaround_p90", 90, "turnaround", "90 % of claims in", "90 % din garanții în"),
    MEAN("response_mean", "response", "mean first answer", "primul răspuns, medie"),
    MEAN("resolution_mean", "resolution", "mean solution", "rezolvare, medie"),
    PERCENT("reopen_pct", "reopened", "resolved", "reopened", "redeschise"),
    COUNT("backlog_change", METRIC_SERVICE, "opened -resolved reopened", "opened",
          "open tickets change", "variația celor deschise"),
    PERCENT("claim_rate_pct", "claims", "sale.warranty_units",
            "claims to units sold", "reclamații la bucăți"),
    PERCENT("replaced_pct", "replaced", "settled", "claims replaced", "înlocuite"),
    PERCENT("honoured_pct", "settled_in_warranty -claim_rejected_in_warranty",
            "settled_in_warranty", "warranty honoured", "garanții onorate"),
    COUNT("referred_by_service", METRIC_SERVICE, "referred", "referred",
          "referred", "recomandați"),
    DENOMINATOR("csat_n", METRIC_SERVICE, "CSAT ratings", "evaluări CSAT"),
    DENOMINATOR("nps_n", METRIC_SERVICE, "NPS ratings", "evaluări NPS"),
    DENOMINATOR("ces_n", METRIC_SERVICE, "CES ratings", "evaluări CES"),
    DENOMINATOR("response_n", METRIC_SERVICE, "first answers", "prime răspunsuri"),
    DENOMINATOR("resolution_n", METRIC_SERVICE, "solutions timed", "rezolvări măsurate"),
    DENOMINATOR("contacts_known", METRIC_SERVICE, "contacts known", "contacte cunoscute"),
    DENOMINATOR("settled", METRIC_SERVICE, "claims settled", "garanții soluționate"),
    DENOMINATOR("settled_in_warranty", METRIC_SERVICE,
                "settled in warranty", "soluționate în garanție"),

    COUNT("customers_new", METRIC_CUSTOMER, "customers_new", "customers_new",
          "new customers", "clienți noi"),
    RETURN("interacted_pct", "orders_after_interaction", "orders_identified", METRIC_IF_LEDGER,
           "share of orders", "din comenzi"),
    METRIC("buyers", METRIC_CUSTOMER, METRIC_COUNT, "month_buyers", NULL, "month_buyers",
           METRIC_IF_MONTH, "buyers", "cumpărători"),
    RETURN("repeat_pct", "orders_returning", "orders_identified", 0,
           "bought again", "cumpără din nou"),
    RETURN("after_service_pct", "orders_after_service", "orders_returning", METRIC_IF_LEDGER,
           "of them after service", "dintre ei după service"),
    RETURN("satisfied_return_pct", "satisfied_returned", "satisfied", METRIC_IF_LEDGER,
           "content come back", "mulțumiți care revin"),
    RETURN("dissatisfied_return_pct", "dissatisfied_returned", "dissatisfied", METRIC_IF_LEDGER,
           "unhappy come back", "nemulțumiți care revin"),
    RETURN("retention_pct", "retained", "~month_buyers", METRIC_IF_MONTH,
           "customers kept", "clienți păstrați"),
    COUNT("converted_by_sale", METRIC_CUSTOMER, "customers_new_by_sale", "customers_new",
          "became customers", "au devenit clienți"),
    COUNT("converted_by_service", METRIC_CUSTOMER, "customers_new_by_service", "customers_new",
          "became customers", "au devenit clienți"),
    DENOMINATOR("orders_identified", METRIC_CUSTOMER,
                "orders of known customers", "comenzi cu client cunoscut"),
    DENOMINATOR("orders_returning", METRIC_CUSTOMER,
                "orders of returning customers", "comenzi ale celor reveniți"),
    DENOMINATOR("satisfied", METRIC_CUSTOMER, "content ratings", "evaluări mulțumite"),
    DENOMINATOR("dissatisfied", METRIC_CUSTOMER, "unhappy ratings", "evaluări nemulțumite"),
};
/* clang-format on */

size_t metrics_count(void)
{
    return sizeof metrics / sizeof *metrics;
}

const struct metric *metrics_at(size_t i)
{
    return &metrics[i];
}

const struct metric *metrics_find(struct text name)
{
    const char *colon = name.len ? memchr(name.at, ':', name.len) : NULL;
    if (colon)
        name.len = (size_t)(colon - name.at);
    for (size_t i = 0; i < metrics_count(); i++)
        if (text_is(name, metrics[i].name))
            return &metrics[i];
    return NULL;
}

/* One counter of a sum, as written. */
struct term {
    bool minus, previous;
    enum metric_group side;
    struct text counter;
};

static bool skip(struct text *text, const char *prefix)
{
    size_t len = strlen(prefix);
    if (text->len < len || memcmp(text->at, prefix, len) != 0)
        return false;
    text->at += len;
    text->len -= len;
    return true;
}

/* Takes the next term off *sum; false at its end. */
static bool next_term(const char **sum, enum metric_group side, struct term *term)
{
    *sum += strspn(*sum, " ");
    struct text word = {*sum, strcspn(*sum, " ")};
    *sum += word.len;
    if (word.len == 0)
        return false;
    term->minus = skip(&word, "-");
    term->previous = skip(&word, "~");
    term->side = skip(&word, "sale.") ? METRIC_SALE : side;
    term->counter = word;
    return true;
}

static const struct counters *side_of(const struct metric_context *context, const struct term *term)
{
    switch (term->side) {
    case METRIC_SERVICE:
        return term->previous ? context->previous_service : context->service;
    case METRIC_CUSTOMER:
        return term->previous ? context->previous_customer : context->customer;
    default:
        return term->previous ? context->previous_sale : context->sale;
    }
}

static __int128 sum_of(const char *sum, enum metric_group side, const char *currency,
                       const struct metric_context *context)
{
    struct term term;
    __int128 total = 0;
    while (next_term(&sum, side, &term)) {
        char name[COUNTERS_NAME_MAX];
        struct text counter = term.counter;
        if (currency) {
            int len = snprintf(name, sizeof name, "%.*s:%s", TEXT_ARG(counter), currency);
            counter = (struct text){name, (size_t)len < sizeof name ? (size_t)len : 0};
        }
        __int128 count = counters_get(side_of(context, &term), counter);
        total += term.minus ? -count : count;
    }
    return total;
}

__int128 metric_n(const struct metric *metric, const struct metric_context *context)
{
    return metric->n ? sum_of(metric->n, metric->group, NULL, context) : 0;
}

static bool uses_previous(const struct metric *metric)
{
    return strchr(metric->num, '~') || (metric->den && strchr(metric->den, '~'));
}

/* What the formula needs is there. */
static bool is_applicable(const struct metric *metric, const struct metric_context *context)
{
    if (metric->group == METRIC_TARGET || (metric->group == METRIC_SERVICE && context->line) ||
        (metric->group == METRIC_CUSTOMER && !context->has_customers))
        return false;
    if (((metric->flags & METRIC_IF_CLOSED) && !context->closed) ||
        ((metric->flags & METRIC_IF_MONTH) && !context->month_of_all) ||
        ((metric->flags & METRIC_IF_LEDGER) && !context->in_ledger))
        return false;
    return !uses_previous(metric) || context->has_previous;
}

static int evaluate_quantile(const struct metric *metric, const struct metric_context *context,
                             struct metric_value *out, struct error *err)
{
    char prefix[40];
    struct histogram_count *buckets = NULL;
    size_t count = 0;
    snprintf(prefix, sizeof prefix, "%s_b", metric->num);
    if (metric_n(metric, context) <= 0)
        return 0;
    if (counters_histogram(context->service, prefix, &buckets, &count, err))
        return -1;
    int64_t seconds = histogram_quantile(buckets, count, metric->percent, 100, &out->lo);
    free(buckets);
    out->defined = seconds >= 0;
    out->num = seconds;
    if (out->defined)
        histogram_range(histogram_bucket(out->lo), &out->lo, &out->hi);
    return 0;
}

static __int128 clamp(__int128 value, __int128 lo, __int128 hi)
{
    return value < lo ? lo : value > hi ? hi : value;
}

int metric_evaluate(const struct metric *metric, const struct metric_context *context,
                    const char *currency, struct metric_value *out, struct error *err)
{
    *out = (struct metric_value){.den = 1};
    if (!is_applicable(metric, context))
        return 0;
    if (metric->percent)
        return evaluate_quantile(metric, context, out, err);
    out->num = sum_of(metric->num, metric->group, currency, context);
    if (metric->den)
        out->den = sum_of(metric->den, metric->group, currency, context);
    out->defined = out->den > 0;
    if (!out->defined)
        out->den = 1;
    else if (metric->clamp_lo || metric->clamp_hi)
        out->num = clamp(out->num, metric->clamp_lo * out->den, metric->clamp_hi * out->den);
    return 0;
}

int metric_scale(enum metric_kind kind)
{
    switch (kind) {
    case METRIC_PERCENT:
    case METRIC_SCORE:
    case METRIC_RATE:
        return 10000;
    case METRIC_MEAN:
    case METRIC_MEAN_SECONDS:
        return 100;
    default:
        return 1;
    }
}

char *metric_format(enum metric_kind kind, const struct metric_value *value, char out[40])
{
    int scale = metric_scale(kind);
    int64_t number;
    struct fraction exact = {value->num, value->den};
    if (!value->defined || !fraction_round(exact, scale, &number))
        snprintf(out, 40, "NaN");
    else if (scale == 1)
        snprintf(out, 40, "%" PRId64, number);
    else
        metric_format_hundredths(number, out);
    return out;
}

char *metric_format_hundredths(int64_t number, char out[40])
{
    uint64_t size = number < 0 ? -(uint64_t)number : (uint64_t)number;
    snprintf(out, 40, "%s%" PRIu64 ".%02" PRIu64, number < 0 ? "-" : "", size / 100, size % 100);
    return out;
}

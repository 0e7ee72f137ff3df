#include "consumers/metrics.h"

#include "consumers/fraction.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sums are written as counters with blanks between: "opened -resolved reopened". A '-' subtracts, a
 * '~' takes the previous period, "sale." another side than the metric's own. */
#define REVENUE "net -refund_net"
#define PROFIT "net_costed -cost -refund_net_costed refund_cost"
#define REVENUE_BEFORE "~net -~refund_net"
#define ASSISTED "assisted_net -refund_assisted_net"
#define FIRST_CONTACT "contacts_known -reopened_known"
#define DETRACTORS "-nps_0 -nps_1 -nps_2 -nps_3 -nps_4 -nps_5 -nps_6"

#define COUNT(name, group, counter, n, flags, en, ro) \
    {name, group, METRIC_COUNT, counter, NULL, n, 0, 0, 0, flags, {en, ro}}
#define QUANTILE(name, percent, histogram, en, ro) \
    {name, METRIC_SERVICE, METRIC_SECONDS, histogram, NULL, histogram "_n", 0, 0, percent, 0, \
     {en, ro}}

static const struct metric metrics[] = {
    /* sale */
    COUNT("orders", METRIC_SALE, "orders", "orders", 0, "orders", "comenzi"),
    COUNT("units", METRIC_SALE, "units", "orders", 0, "units", "bucăți"),
    COUNT("interactions", METRIC_SALE, "interactions", "interactions", 0, "interactions",
          "interacțiuni"),
    COUNT("interactions_prospect", METRIC_SALE, "interactions_prospect", "interactions", 0,
          "prospects met", "contacte cu potențiali"),
    COUNT("referred_by_sale", METRIC_SALE, "referred", "referred", 0, "referred", "recomandați"),
    COUNT("warranty_units", METRIC_SALE, "warranty_units", "warranty_units", METRIC_NO_SLO,
          "units under warranty", "bucăți în garanție"),

    /* sale, for each currency */
    {"revenue", METRIC_CURRENCY, METRIC_MONEY, REVENUE, NULL, "orders", 0, 0, 0, 0,
     {"revenue", "venit"}},
    {"gross_profit", METRIC_CURRENCY, METRIC_MONEY, PROFIT, NULL, "orders", 0, 0, 0, 0,
     {"gross profit", "profit brut"}},
    {"margin_pct", METRIC_CURRENCY, METRIC_PERCENT, PROFIT, "net_costed -refund_net_costed",
     "orders", 0, 0, 0, 0, {"margin", "marjă"}},
    {"cost_coverage_pct", METRIC_CURRENCY, METRIC_PERCENT, "net_costed", "net", "orders", 0, 0, 0,
     0, {"cost known for", "cost cunoscut la"}},
    {"average_order", METRIC_CURRENCY, METRIC_MONEY, "net", "orders", "orders", 0, 0, 0, 0,
     {"average order", "comandă medie"}},
    {"refund_pct", METRIC_CURRENCY, METRIC_PERCENT, "refund_net", "net", "orders", 0, 0, 0, 0,
     {"refunded", "rambursat"}},
    {"refund_cost_coverage_pct", METRIC_CURRENCY, METRIC_PERCENT, "refund_net_costed", "refund_net",
     "orders", 0, 0, 0, 0, {"refund cost known for", "cost rambursat cunoscut la"}},
    {"revenue_change_pct", METRIC_CURRENCY, METRIC_PERCENT,
     REVENUE " -~net ~refund_net", REVENUE_BEFORE, "orders", 0, 0, 0, METRIC_IF_CLOSED,
     {"revenue change", "variația venitului"}},
    {"assisted_revenue", METRIC_CURRENCY, METRIC_MONEY, ASSISTED, NULL, "orders", 0, 0, 0, 0,
     {"led by service", "prin service"}},
    {"assisted_pct", METRIC_CURRENCY, METRIC_PERCENT, ASSISTED, REVENUE, "orders", 0, 0, 0, 0,
     {"share led by service", "pondere prin service"}},

    /* for each target: consumers/sale_state.c */
    {"target", METRIC_TARGET, METRIC_MONEY, NULL, NULL, NULL, 0, 0, 0, 0, {"target", "țintă"}},
    {"attainment_pct", METRIC_TARGET, METRIC_PERCENT, NULL, NULL, NULL, 0, 0, 0, 0,
     {"reached", "realizat"}},
    {"gap", METRIC_TARGET, METRIC_MONEY, NULL, NULL, NULL, 0, 0, 0, 0, {"gap", "rest"}},
    {"pace_pct", METRIC_TARGET, METRIC_PERCENT, NULL, NULL, NULL, 0, 0, 0, 0, {"pace", "ritm"}},
    {"forecast", METRIC_TARGET, METRIC_MONEY, NULL, NULL, NULL, 0, 0, 0, 0,
     {"at this rate", "în acest ritm"}},
    {"required_rate", METRIC_TARGET, METRIC_MONEY, NULL, NULL, NULL, 0, 0, 0, 0,
     {"needed a full day", "necesar pe zi plină"}},

    /* service */
    COUNT("opened", METRIC_SERVICE, "opened", "opened", 0, "tickets", "solicitări"),
    COUNT("opened_before", METRIC_SERVICE, "opened_before", "opened", 0, "before the sale",
          "înainte de vânzare"),
    COUNT("opened_during", METRIC_SERVICE, "opened_during", "opened", 0, "during the sale",
          "în timpul vânzării"),
    COUNT("opened_after", METRIC_SERVICE, "opened_after", "opened", 0, "after the sale",
          "după vânzare"),
    COUNT("category_question", METRIC_SERVICE, "category_question", "opened", 0, "questions",
          "întrebări"),
    COUNT("category_problem", METRIC_SERVICE, "category_problem", "opened", 0, "problems",
          "probleme"),
    COUNT("category_guidance", METRIC_SERVICE, "category_guidance", "opened", 0, "guidance",
          "îndrumare"),
    COUNT("category_prevention", METRIC_SERVICE, "category_prevention", "opened", 0, "prevention",
          "prevenire"),
    COUNT("category_upsell", METRIC_SERVICE, "category_upsell", "opened", 0, "upsells",
          "vânzări adăugate"),
    COUNT("category_bond", METRIC_SERVICE, "category_bond", "opened", 0, "bonds", "legături"),
    COUNT("category_warranty", METRIC_SERVICE, "category_warranty", "opened", 0, "warranty",
          "garanție"),
    COUNT("category_complaint", METRIC_SERVICE, "category_complaint", "opened", 0, "complaints",
          "reclamații"),
    COUNT("category_other", METRIC_SERVICE, "category_other", "opened", 0, "other", "altele"),
    {"after_pct", METRIC_SERVICE, METRIC_PERCENT, "opened_after", "opened", "opened", 0, 0, 0, 0,
     {"share of tickets", "din solicitări"}},
    {"contact_rate", METRIC_SERVICE, METRIC_RATE, "opened_after", "sale.orders", "sale.orders", 0,
     0, 0, 0, {"tickets to 100 orders", "solicitări la 100 de comenzi"}},
    {"csat_pct", METRIC_SERVICE, METRIC_PERCENT, "csat_4 csat_5", "csat_n", "csat_n", 0, 1, 0, 0,
     {"CSAT", "CSAT"}},
    {"csat_mean", METRIC_SERVICE, METRIC_MEAN, "csat_sum", "csat_n", "csat_n", 1, 5, 0, 0,
     {"CSAT mean", "media CSAT"}},
    {"nps", METRIC_SERVICE, METRIC_SCORE, "nps_9 nps_10 " DETRACTORS, "nps_n", "nps_n", -1, 1, 0, 0,
     {"NPS", "NPS"}},
    {"ces_mean", METRIC_SERVICE, METRIC_MEAN, "ces_sum", "ces_n", "ces_n", 1, 7, 0, 0,
     {"CES mean", "media CES"}},
    {"ces_easy_pct", METRIC_SERVICE, METRIC_PERCENT, "ces_5 ces_6 ces_7", "ces_n", "ces_n", 0, 1, 0,
     0, {"found it easy", "le-a fost ușor"}},
    {"first_contact_pct", METRIC_SERVICE, METRIC_PERCENT, "first_contact -first_contact_undone",
     FIRST_CONTACT, FIRST_CONTACT, 0, 1, 0, 0, {"solved at once", "rezolvat din prima"}},
    QUANTILE("response_p50", 50, "response", "half answered in", "jumătate, răspuns în"),
    QUANTILE("response_p90", 90, "response", "90 % answered in", "90 %, răspuns în"),
    QUANTILE("resolution_p50", 50, "resolution", "half solved in", "jumătate rezolvate în"),
    QUANTILE("resolution_p90", 90, "resolution", "90 % solved in", "90 % rezolvate în"),
    QUANTILE("turnaround_p50", 50, "turnaround", "half of claims in", "jumătate din garanții în"),
    QUANTILE("turnaround_p90", 90, "turnaround", "90 % of claims in", "90 % din garanții în"),
    {"response_mean", METRIC_SERVICE, METRIC_MEAN_SECONDS, "response_sum", "response_n",
     "response_n", 0, 0, 0, 0, {"mean first answer", "primul răspuns, medie"}},
    {"resolution_mean", METRIC_SERVICE, METRIC_MEAN_SECONDS, "resolution_sum", "resolution_n",
     "resolution_n", 0, 0, 0, 0, {"mean solution", "rezolvare, medie"}},
    {"reopen_pct", METRIC_SERVICE, METRIC_PERCENT, "reopened", "resolved", "resolved", 0, 0, 0, 0,
     {"reopened", "redeschise"}},
    COUNT("backlog_change", METRIC_SERVICE, "opened -resolved reopened", "opened", 0,
          "open tickets change", "variația celor deschise"),
    {"claim_rate_pct", METRIC_SERVICE, METRIC_PERCENT, "claims", "sale.warranty_units",
     "sale.warranty_units", 0, 0, 0, 0, {"claims to units sold", "reclamații la bucăți"}},
    {"replaced_pct", METRIC_SERVICE, METRIC_PERCENT, "replaced", "settled", "settled", 0, 0, 0, 0,
     {"claims replaced", "înlocuite"}},
    {"honoured_pct", METRIC_SERVICE, METRIC_PERCENT,
     "settled_in_warranty -claim_rejected_in_warranty", "settled_in_warranty",
     "settled_in_warranty", 0, 0, 0, 0, {"warranty honoured", "garanții onorate"}},
    COUNT("referred_by_service", METRIC_SERVICE, "referred", "referred", 0, "referred",
          "recomandați"),
    COUNT("csat_n", METRIC_SERVICE, "csat_n", "csat_n", METRIC_NO_SLO, "CSAT ratings",
          "evaluări CSAT"),
    COUNT("nps_n", METRIC_SERVICE, "nps_n", "nps_n", METRIC_NO_SLO, "NPS ratings", "evaluări NPS"),
    COUNT("ces_n", METRIC_SERVICE, "ces_n", "ces_n", METRIC_NO_SLO, "CES ratings", "evaluări CES"),
    COUNT("response_n", METRIC_SERVICE, "response_n", "response_n", METRIC_NO_SLO, "first answers",
          "prime răspunsuri"),
    COUNT("resolution_n", METRIC_SERVICE, "resolution_n", "resolution_n", METRIC_NO_SLO,
          "solutions timed", "rezolvări măsurate"),
    COUNT("contacts_known", METRIC_SERVICE, "contacts_known", "contacts_known", METRIC_NO_SLO,
          "contacts known", "contacte cunoscute"),
    COUNT("settled", METRIC_SERVICE, "settled", "settled", METRIC_NO_SLO, "claims settled",
          "garanții soluționate"),
    COUNT("settled_in_warranty", METRIC_SERVICE, "settled_in_warranty", "settled_in_warranty",
          METRIC_NO_SLO, "settled in warranty", "soluționate în garanție"),

    /* customers */
    COUNT("customers_new", METRIC_CUSTOMER, "customers_new", "customers_new", 0, "new customers",
          "clienți noi"),
    {"interacted_pct", METRIC_CUSTOMER, METRIC_PERCENT, "orders_after_interaction",
     "orders_identified", "orders_identified", 0, 0, 0, METRIC_IF_LEDGER,
     {"share of orders", "din comenzi"}},
    COUNT("buyers", METRIC_CUSTOMER, "month_buyers", "month_buyers", METRIC_IF_MONTH, "buyers",
          "cumpărători"),
    {"repeat_pct", METRIC_CUSTOMER, METRIC_PERCENT, "orders_returning", "orders_identified",
     "orders_identified", 0, 0, 0, 0, {"bought again", "cumpără din nou"}},
    {"after_service_pct", METRIC_CUSTOMER, METRIC_PERCENT, "orders_after_service",
     "orders_returning", "orders_returning", 0, 0, 0, METRIC_IF_LEDGER,
     {"of them after service", "dintre ei după service"}},
    {"satisfied_return_pct", METRIC_CUSTOMER, METRIC_PERCENT, "satisfied_returned", "satisfied",
     "satisfied", 0, 0, 0, METRIC_IF_LEDGER, {"content come back", "mulțumiți care revin"}},
    {"dissatisfied_return_pct", METRIC_CUSTOMER, METRIC_PERCENT, "dissatisfied_returned",
     "dissatisfied", "dissatisfied", 0, 0, 0, METRIC_IF_LEDGER,
     {"unhappy come back", "nemulțumiți care revin"}},
    {"retention_pct", METRIC_CUSTOMER, METRIC_PERCENT, "retained", "~month_buyers", "~month_buyers",
     0, 0, 0, METRIC_IF_MONTH, {"customers kept", "clienți păstrați"}},
    COUNT("converted_by_sale", METRIC_CUSTOMER, "customers_new_by_sale", "customers_new", 0,
          "became customers", "au devenit clienți"),
    COUNT("converted_by_service", METRIC_CUSTOMER, "customers_new_by_service", "customers_new", 0,
          "became customers", "au devenit clienți"),
    COUNT("orders_identified", METRIC_CUSTOMER, "orders_identified", "orders_identified",
          METRIC_NO_SLO, "orders of known customers", "comenzi cu client cunoscut"),
    COUNT("orders_returning", METRIC_CUSTOMER, "orders_returning", "orders_returning",
          METRIC_NO_SLO, "orders of returning customers", "comenzi ale celor reveniți"),
    COUNT("satisfied", METRIC_CUSTOMER, "satisfied", "satisfied", METRIC_NO_SLO, "content ratings",
          "evaluări mulțumite"),
    COUNT("dissatisfied", METRIC_CUSTOMER, "dissatisfied", "dissatisfied", METRIC_NO_SLO,
          "unhappy ratings", "evaluări nemulțumite"),
};

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

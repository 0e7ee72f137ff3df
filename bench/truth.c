#include "bench/truth.h"

#include "common/calendar.h"
#include "common/currency.h"

#include <inttypes.h>
#include <stdlib.h>

enum field {
    ORDERS,
    UNITS,
    WARRANTY_UNITS,
    REFUNDS,
    INTERACTIONS,
    OPENED,
    RESOLVED,
    RESOLUTION_SUM,
    CSAT_N,
    CSAT_SUM,
    C_ORDERS,
    C_REVENUE,
    C_PROFIT,
    C_NET,
    C_NET_COSTED,
    C_COST,
    C_DISCOUNT,
    C_REFUND_NET,
    C_REFUND_COST,
    FIELDS
};

static const char *const field_names[FIELDS] = {
    "orders", "units",    "warranty_units", "refunds",     "interactions",
    "opened", "resolved", "resolution_sum", "csat_n",      "csat_sum",
    "orders", "revenue",  "profit",         "net",         "net_costed",
    "cost",   "discount", "refund_net",     "refund_cost",
};

enum {
    FIRST_REGION = 1,
    FIRST_CHANNEL = FIRST_REGION + GENERATOR_REGIONS,
    FIRST_REP = FIRST_CHANNEL + GENERATOR_CHANNELS,
    FIRST_LINE = FIRST_REP + GENERATOR_REPS,
    SCOPES = FIRST_LINE + GENERATOR_LINES
};

enum { EUR, RON, CURRENCIES };

typedef int64_t scope_sums[FIELDS][CURRENCIES]; /* plain fields use the first place */

struct truth {
    struct generator set;
    scope_sums *sums; /* [day * SCOPES + scope] */
};

struct truth *truth_open(const struct generator *generator)
{
    struct truth *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->set = *generator;
    t->sums = calloc((size_t)generator->days * SCOPES, sizeof *t->sums);
    if (!t->sums) {
        truth_free(t);
        return NULL;
    }
    return t;
}

void truth_free(struct truth *truth)
{
    if (truth)
        free(truth->sums);
    free(truth);
}

static void add_amounts(scope_sums *s, int c, int64_t net, int64_t cost)
{
    (*s)[C_REVENUE][c] += net;
    (*s)[C_NET][c] += net;
    (*s)[C_NET_COSTED][c] += net;
    (*s)[C_COST][c] += cost;
    (*s)[C_PROFIT][c] += net - cost;
}

static void add_order(scope_sums *s, int c, const struct event_sale *sale)
{
    (*s)[ORDERS][0]++;
    (*s)[C_ORDERS][c]++;
    (*s)[UNITS][0] += sale->units;
    (*s)[WARRANTY_UNITS][0] += sale->warranty_units;
    (*s)[C_DISCOUNT][c] += sale->discount;
    add_amounts(s, c, sale->net, sale->cost);
}

static void add_refund(scope_sums *s, int c, const struct event_refund *refund)
{
    (*s)[REFUNDS][0]++;
    (*s)[C_REVENUE][c] -= refund->net;
    (*s)[C_PROFIT][c] += refund->cost - refund->net;
    (*s)[C_REFUND_NET][c] += refund->net;
    (*s)[C_REFUND_COST][c] += refund->cost;
}

static void add_lines(scope_sums *day, int c, const struct made *made)
{
    bool counted[GENERATOR_LINES] = {false};
    for (size_t i = 0; i < made->event.sale.item_count; i++) {
        scope_sums *s = &day[FIRST_LINE + made->lines[i]];
        const struct event_item *item = &made->items[i];
        (*s)[ORDERS][0] += !counted[made->lines[i]];
        (*s)[C_ORDERS][c] += !counted[made->lines[i]];
        counted[made->lines[i]] = true;
        (*s)[UNITS][0] += item->qty;
        add_amounts(s, c, item->net, item->cost);
    }
}

static void add_to_scope(scope_sums *s, int c, const struct event *event)
{
    switch (event->type) {
    case EVENT_SALE_COMPLETED:
        add_order(s, c, &event->sale);
        break;
    case EVENT_SALE_REFUNDED:
        add_refund(s, c, &event->refund);
        break;
    case EVENT_SALE_INTERACTION:
        (*s)[INTERACTIONS][0]++;
        break;
    case EVENT_SERVICE_OPENED:
        (*s)[OPENED][0]++;
        break;
    case EVENT_SERVICE_RESOLVED:
        (*s)[RESOLVED][0]++;
        (*s)[RESOLUTION_SUM][0] += event->resolved.resolution_s;
        break;
    default:
        (*s)[CSAT_N][0]++;
        (*s)[CSAT_SUM][0] += event->rated.score;
    }
}

void truth_add(struct truth *truth, const struct made *made)
{
    const struct event *event = &made->event;
    scope_sums *day = &truth->sums[made->day * SCOPES];
    int c = made->region == 5 ? RON : EUR;
    int scopes[] = {0, FIRST_REGION + made->region, FIRST_CHANNEL + made->channel,
                    FIRST_REP + made->rep};
    for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++)
        add_to_scope(&day[scopes[i]], c, event);
    if (event->type == EVENT_SALE_COMPLETED)
        add_lines(day, c, made);
    if (event->type == EVENT_SALE_REFUNDED)
        add_refund(&day[FIRST_LINE + made->lines[0]], c, &event->refund);
}

static void write_scope(int scope, FILE *out)
{
    if (scope == 0)
        fputs("all", out);
    else if (scope < FIRST_CHANNEL)
        fprintf(out, "region=%s", generator_regions[scope - FIRST_REGION]);
    else if (scope < FIRST_REP)
        fprintf(out, "channel=%s", generator_channels[scope - FIRST_CHANNEL]);
    else if (scope < FIRST_LINE)
        fprintf(out, "rep=%s", generator_reps[scope - FIRST_REP]);
    else
        fprintf(out, "line=%s", generator_lines[scope - FIRST_LINE]);
}

static void write_sum(int32_t day, int scope, int field, int c, int64_t sum, FILE *out)
{
    char date[11];
    fprintf(out, "%s:day:%s:", field >= OPENED && field <= CSAT_SUM ? "service" : "sale",
            calendar_format_date(day, date));
    write_scope(scope, out);
    fprintf(out, "\t%s%s\t%" PRId64 "\n", field_names[field],
            field < C_ORDERS ? ""
            : c == EUR       ? ":EUR"
                             : ":RON",
            sum);
}

void truth_write(const struct truth *truth, FILE *out)
{
    for (int d = 0; d < truth->set.days; d++)
        for (int s = 0; s < SCOPES; s++)
            for (int f = 0; f < FIELDS; f++)
                for (int c = 0; c < CURRENCIES; c++) {
                    int64_t sum = truth->sums[d * SCOPES + s][f][c];
                    if (sum)
                        write_sum(truth->set.first_day + d, s, f, c, sum, out);
                }
}

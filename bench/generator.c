#include "bench/generator.h"

#include "common/currency.h"

#include <inttypes.h>
#include <stdio.h>

const char *const generator_regions[] = {"north", "south", "east", "west", "centre", "islands"};
const char *const generator_channels[] = {"online", "store", "phone", "partner", "till"};
const char *const generator_lines[] = {"phones",      "tablets", "laptops",   "audio",
                                       "accessories", "cameras", "wearables", "repair"};
const char *const generator_reps[] = {
    "ana",   "bogdan", "carmen", "dan",   "elena", "florin", "gina", "horia",
    "ioana", "jean",   "lucian", "maria", "nicu",  "oana",   "paul", "radu",
    "sorin", "tudor",  "vlad",   "xenia", "irina", "mihai",  "dora", "emil",
};

/* splitmix64: the k-th number that belongs to event n. */
static uint64_t number(const struct generator *g, int64_t n, uint64_t k)
{
    uint64_t z = g->seed * UINT64_C(0xd1342543de82ef95) + (uint64_t)n * 64 + k;
    z = (z + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static int below(const struct generator *g, int64_t n, uint64_t k, int limit)
{
    return (int)(number(g, n, k) % (uint64_t)limit);
}

static void make_time(const struct generator *g, int64_t n, struct made *out)
{
    double span_ms = (double)g->days * 86400e3;
    int64_t at_ms = (int64_t)(span_ms / (double)g->count * (double)n);
    out->day = (int)(at_ms / 86400000);
    out->event.time_ms = (int64_t)g->first_day * 86400000 + at_ms;
}

static void make_common(const struct generator *g, int64_t n, struct made *out)
{
    struct event *e = &out->event;
    int customers = g->count / 4 < 1000000 ? (int)(g->count / 4) + 1 : 1000000;
    make_time(g, n, out);
    out->rep = below(g, n, 1, GENERATOR_REPS);
    out->region = out->rep % GENERATOR_REGIONS;
    out->channel = below(g, n, 2, GENERATOR_CHANNELS);
    e->source = text_of("/bench");
    e->region = text_of(generator_regions[out->region]);
    e->rep = text_of(generator_reps[out->rep]);
    e->channel = text_of(generator_channels[out->channel]);
    /* One order of eight is anonymous. */
    if (below(g, n, 3, 8)) {
        snprintf(out->customer, sizeof out->customer, "c-%d", below(g, n, 4, customers));
        e->customer = text_of(out->customer);
    }
}

static void name(struct made *out, const struct generator *g, int64_t n, const char *letter,
                 const char *word, const char *end)
{
    struct event *e = &out->event;
    snprintf(out->subject, sizeof out->subject, "%s-%06x-%" PRId64, letter,
             (unsigned)(g->seed & 0xffffff), n);
    snprintf(out->id, sizeof out->id, "%s:%s%s", word, out->subject, end);
    e->id = text_of(out->id);
    e->subject = e->ref = text_of(out->subject);
    e->partitionkey = event_key(e);
}

static void make_items(const struct generator *g, int64_t n, struct made *out)
{
    struct event_sale *sale = &out->event.sale;
    sale->item_count = (size_t)below(g, n, 10, GENERATOR_ITEMS_MAX) + 1;
    sale->items = out->items;
    sale->net = sale->cost = sale->units = 0;
    for (size_t i = 0; i < sale->item_count; i++) {
        struct event_item *item = &out->items[i];
        uint64_t k = 20 + 4 * i;
        out->lines[i] = below(g, n, k, GENERATOR_LINES);
        snprintf(out->sku[i], sizeof out->sku[i], "sku-%d", below(g, n, k + 1, 5000));
        *item = (struct event_item){
            .sku = text_of(out->sku[i]),
            .line = text_of(generator_lines[out->lines[i]]),
            .qty = 1 + below(g, n, k + 2, 3),
            .net = 500 + below(g, n, k + 3, 90000),
            .has_cost = true,
        };
        item->cost = item->net * 7 / 10;
        sale->net += item->net;
        sale->cost += item->cost;
        sale->units += item->qty;
    }
}

static void make_sale(const struct generator *g, int64_t n, struct made *out)
{
    struct event_sale *s = &out->event.sale;
    out->event.type = EVENT_SALE_COMPLETED;
    name(out, g, n, "o", "order", ":paid");
    *s = (struct event_sale){
        .currency = currency_find(text_of(out->region == 5 ? "RON" : "EUR")),
        .net = 500 + below(g, n, 5, 200000),
        .has_cost = true,
        .units = 1 + below(g, n, 6, 5),
        .has_units = true,
    };
    s->cost = s->net * (55 + below(g, n, 7, 30)) / 100;
    if (g->mixed)
        make_items(g, n, out);
    if (below(g, n, 8, 4) == 0) {
        s->discount = s->net / 10;
        s->has_discount = true;
    }
    if (below(g, n, 9, 2) == 0) {
        s->warranty_units = 1;
        s->has_warranty_units = true;
    }
}

static void make_refund(const struct generator *g, int64_t n, struct made *out)
{
    struct event_refund *f = &out->event.refund;
    out->event.type = EVENT_SALE_REFUNDED;
    name(out, g, n, "r", "refund", "");
    snprintf(out->other, sizeof out->other, "o-%d", below(g, n, 5, 1000000));
    out->lines[0] = below(g, n, 6, GENERATOR_LINES);
    *f = (struct event_refund){
        .order = text_of(out->other),
        .line = text_of(generator_lines[out->lines[0]]),
        .currency = currency_find(text_of(out->region == 5 ? "RON" : "EUR")),
        .net = 500 + below(g, n, 7, 50000),
        .has_cost = true,
        .reason = REFUND_RETURN,
    };
    f->cost = f->net / 2;
}

static void make_interaction(const struct generator *g, int64_t n, struct made *out)
{
    out->event.type = EVENT_SALE_INTERACTION;
    name(out, g, n, "i", "interaction", "");
    out->event.interaction = (struct event_interaction){(enum event_kind)below(g, n, 5, KINDS),
                                                        below(g, n, 6, 2) == 0, true};
}

static void make_opened(const struct generator *g, int64_t n, struct made *out)
{
    out->event.type = EVENT_SERVICE_OPENED;
    name(out, g, n, "t", "ticket", ":opened");
    out->event.opened =
        (struct event_opened){(enum event_phase)below(g, n, 5, PHASES),
                              (enum event_category)below(g, n, 6, CATEGORIES), BY_CUSTOMER};
}

static void make_resolved(const struct generator *g, int64_t n, struct made *out)
{
    out->event.type = EVENT_SERVICE_RESOLVED;
    name(out, g, n, "t", "ticket", ":resolved");
    out->event.resolved = (struct event_resolved){1 + below(g, n, 5, 4),
                                                  60 + below(g, n, 6, 300000),
                                                  10 + below(g, n, 7, 20000),
                                                  true,
                                                  true,
                                                  true};
}

static void make_rated(const struct generator *g, int64_t n, struct made *out)
{
    out->event.type = EVENT_SERVICE_RATED;
    name(out, g, n, "s", "rating", "");
    snprintf(out->other, sizeof out->other, "t-%d", below(g, n, 5, 1000000));
    out->event.rated = (struct event_rated){
        .ticket = text_of(out->other), .scale = SCALE_CSAT, .score = 1 + below(g, n, 6, 5)};
}

void generator_make(const struct generator *generator, int64_t n, struct made *out)
{
    out->event = (struct event){0};
    make_common(generator, n, out);
    int kind = generator->mixed ? below(generator, n, 0, 100) : 0;
    if (kind < 50)
        make_sale(generator, n, out);
    else if (kind < 55)
        make_refund(generator, n, out);
    else if (kind < 65)
        make_interaction(generator, n, out);
    else if (kind < 80)
        make_opened(generator, n, out);
    else if (kind < 92)
        make_resolved(generator, n, out);
    else
        make_rated(generator, n, out);
}

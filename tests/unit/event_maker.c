#include "tests/unit/event_maker.h"

#include "common/currency.h"
#include "common/money.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct record maker_record(struct text value)
{
    static const struct record_header headers[] = {
        {{"content-type", 12}, {"application/cloudevents+json; charset=UTF-8", 43}},
    };
    return (struct record){.leader_epoch = -1,
                           .timestamp_ms = -1,
                           .value = value,
                           .headers = headers,
                           .header_count = 1};
}

static const char *ref_of(const char *type)
{
    for (int t = 0; t < EVENT_TYPES; t++)
        if (strcmp(type, event_type_name((enum event_type)t)) == 0)
            return event_ref_name((enum event_type)t);
    fail_msg("no type %s", type);
    return NULL;
}

char *maker_json(const char *type, const char *time, const char *members)
{
    char *json = NULL;
    int len = asprintf(&json,
                       "{'specversion':'1.0','id':'a','source':'/test','type':'tandem.%s.v1',"
                       "'time':'%s','subject':'1','data':{'%s':'1'%s%s}}",
                       type, time, ref_of(type), *members ? "," : "", members);
    assert_true(len > 0);
    for (char *at = json; (at = strchr(at, '\''));)
        *at = '"';
    return json;
}

struct event maker_event(struct decoder *decoder, const char *type, const char *time,
                         const char *members, char **json)
{
    struct event event;
    struct rejection why = {0};
    *json = maker_json(type, time, members);
    struct record record = maker_record(text_of(*json));
    if (decoder_decode(decoder, &record, SIDES, &event, &why) != VERDICT_VALID)
        fail_msg("%s: %s %s %s", *json, reject_name(why.reason), why.field, why.detail);
    return event;
}

struct decoder *maker_decoder(void)
{
    struct decoder *decoder;
    struct error err;
    assert_int_equal(decoder_open(&decoder, "tandem.", &err), 0);
    return decoder;
}

int64_t maker_below(struct maker_dice *dice, int64_t limit)
{
    uint64_t bits = (uint64_t)rand_r(&dice->seed) << 31 ^ (uint64_t)rand_r(&dice->seed);
    return (int64_t)(bits % (uint64_t)limit);
}

static bool choose(struct maker_dice *dice)
{
    bool chosen = dice->mask & 1;
    dice->mask >>= 1;
    return chosen;
}

static struct text keep(struct maker_dice *dice, const char *bytes, size_t len)
{
    char *at = dice->pool + dice->used;
    assert_true(dice->used + len <= sizeof dice->pool);
    memcpy(at, bytes, len);
    dice->used += len;
    return (struct text){at, len};
}

static struct text slug(struct maker_dice *dice, int64_t variety)
{
    char bytes[65];
    snprintf(bytes, sizeof bytes, "%s%d", maker_below(dice, 20) ? "v" : "_.-",
             (int)maker_below(dice, variety));
    return keep(dice, bytes, strlen(bytes));
}

/* Letters of one to four bytes, and those that JSON escapes. */
static struct text ref(struct maker_dice *dice, size_t max)
{
    static const char *const letters[] = {"a", "Z", "0",      " ", "\"",     "\\", "/", "#",
                                          "ș", "€", "\u00a0", "😀", "\uffff", "'",  "{", "\u2028"};
    char bytes[256];
    size_t len = 0, wanted = 1 + (size_t)maker_below(dice, maker_below(dice, 9) ? 12 : 128);
    while (len < wanted) {
        const char *letter = letters[maker_below(dice, 16)];
        if (len + strlen(letter) > max)
            break;
        memcpy(bytes + len, letter, strlen(letter));
        len += strlen(letter);
    }
    return keep(dice, bytes, len);
}

static struct text maybe_slug(struct maker_dice *dice, int64_t variety)
{
    return choose(dice) ? slug(dice, variety) : (struct text){0};
}

static struct text maybe_ref(struct maker_dice *dice)
{
    return choose(dice) ? ref(dice, 128) : (struct text){0};
}

static int64_t money(struct maker_dice *dice)
{
    return maker_below(dice, maker_below(dice, 10) ? 1000000 : MONEY_MAX + 1);
}

static bool maybe_number(struct maker_dice *dice, int64_t limit, int64_t *out)
{
    *out = 0;
    if (!choose(dice))
        return false;
    *out = maker_below(dice, limit);
    return true;
}

/* Items whose amounts stay below the largest amount of an order. */
static void roll_items(struct maker_dice *dice, struct event_sale *sale)
{
    bool with_line = choose(dice), with_cost = choose(dice);
    int64_t net = 0, cost = 0, qty = 0;
    sale->item_count = 1 + (size_t)maker_below(dice, maker_below(dice, 50) ? 4 : EVENT_ITEMS_MAX);
    for (size_t i = 0; i < sale->item_count; i++) {
        struct event_item *item = &dice->items[i];
        *item = (struct event_item){.sku = ref(dice, 128),
                                    .qty = maker_below(dice, 1000),
                                    .net = maker_below(dice, 1000000),
                                    .has_cost = with_cost};
        if (with_line && maker_below(dice, 4))
            item->line = slug(dice, 3);
        if (with_cost)
            item->cost = maker_below(dice, 1000000);
        net += item->net;
        cost += item->cost;
        qty += item->qty;
    }
    sale->items = dice->items;
    sale->net = net;
    if (with_cost) {
        sale->has_cost = true;
        sale->cost = cost;
    }
    if (!sale->has_units)
        sale->units = qty;
}

static void roll_sale(struct maker_dice *dice, struct event_sale *sale)
{
    sale->currency = (int)maker_below(dice, currency_count());
    sale->net = money(dice);
    sale->has_discount = maybe_number(dice, 1000000, &sale->discount);
    sale->has_cost = maybe_number(dice, 1000000, &sale->cost);
    sale->has_units = maybe_number(dice, 1000001, &sale->units);
    if (!sale->has_units)
        sale->units = 1;
    sale->has_warranty_units = choose(dice);
    sale->assist_ticket = maybe_ref(dice);
    sale->items = dice->items;
    if (choose(dice))
        roll_items(dice, sale);
    if (sale->has_warranty_units)
        sale->warranty_units = maker_below(dice, sale->units + 1);
}

static void roll_refund(struct maker_dice *dice, struct event_refund *refund)
{
    refund->order = ref(dice, 128);
    refund->currency = (int)maker_below(dice, currency_count());
    refund->net = money(dice);
    refund->has_cost = maybe_number(dice, 1000000, &refund->cost);
    refund->has_units = maybe_number(dice, 1000001, &refund->units);
    refund->has_full = choose(dice);
    refund->full = refund->has_full && maker_below(dice, 2);
    refund->reason = (enum event_refund_reason)maker_below(dice, REFUND_REASONS);
    refund->assist_ticket = maybe_ref(dice);
    refund->line = maybe_slug(dice, 3);
    if (refund->reason == REFUND_PRICE || refund->reason == REFUND_CHARGEBACK)
        refund->has_cost = true;
}

static int score(struct maker_dice *dice, enum event_scale scale)
{
    int least = event_scale_min[scale];
    return least + (int)maker_below(dice, event_scale_max[scale] - least + 1);
}

static void roll_rated(struct maker_dice *dice, struct event_rated *rated)
{
    rated->ticket = maybe_ref(dice);
    rated->scale = (enum event_scale)maker_below(dice, SCALES);
    rated->score = score(dice, rated->scale);
    rated->has_previous = choose(dice);
    rated->previous = rated->has_previous ? score(dice, rated->scale) : 0;
}

static void roll_service(struct maker_dice *dice, struct event *event)
{
    if (event->type == EVENT_SERVICE_OPENED) {
        event->opened = (struct event_opened){(enum event_phase)maker_below(dice, PHASES),
                                              (enum event_category)maker_below(dice, CATEGORIES),
                                              (enum event_by)maker_below(dice, BYS)};
    } else if (event->type == EVENT_SERVICE_RESOLVED) {
        struct event_resolved *resolved = &event->resolved;
        resolved->has_contacts = maybe_number(dice, 5, &resolved->contacts);
        resolved->contacts += resolved->has_contacts;
        resolved->has_resolution = maybe_number(dice, 315360001, &resolved->resolution_s);
        resolved->has_first_response = maybe_number(dice, 100, &resolved->first_response_s);
    } else if (event->type == EVENT_SERVICE_REOPENED) {
        event->reopened.has_was_first_contact = choose(dice);
        event->reopened.was_first_contact =
            event->reopened.has_was_first_contact && maker_below(dice, 2);
    } else if (event->type == EVENT_SERVICE_RATED) {
        roll_rated(dice, &event->rated);
    } else if (event->type == EVENT_SERVICE_CLAIMED) {
        event->claimed.product = ref(dice, 128);
        event->claimed.purchased = (int32_t)maker_below(dice, 47000);
        event->claimed.warranty_months = (int)maker_below(dice, 601);
        event->claimed.ticket = maybe_ref(dice);
    } else {
        event->settled.outcome = (enum event_outcome)maker_below(dice, OUTCOMES);
        event->settled.in_warranty = maker_below(dice, 2);
        event->settled.has_turnaround = maybe_number(dice, 315360001, &event->settled.turnaround_s);
    }
}

static void roll_own_fields(struct maker_dice *dice, struct event *event)
{
    switch (event->type) {
    case EVENT_SALE_INTERACTION:
        event->interaction.kind = (enum event_kind)maker_below(dice, KINDS);
        event->interaction.has_prospect = choose(dice);
        event->interaction.prospect = event->interaction.has_prospect && maker_below(dice, 2);
        break;
    case EVENT_SALE_COMPLETED:
        roll_sale(dice, &event->sale);
        break;
    case EVENT_SALE_REFUNDED:
        roll_refund(dice, &event->refund);
        break;
    case EVENT_SALE_REFERRED:
    case EVENT_SERVICE_REFERRED:
        event->customer = slug(dice, 1000);
        event->referral.referrer = maybe_slug(dice, 1000);
        break;
    default:
        roll_service(dice, event);
    }
}

void maker_roll(struct maker_dice *dice, enum event_type type, uint64_t mask)
{
    struct event *event = &dice->event;
    memset(event, 0, sizeof *event);
    dice->mask = mask;
    dice->used = 0;
    event->type = type;
    event->time_ms = INT64_C(946684800000) + maker_below(dice, INT64_C(3155760000000));
    event->id = ref(dice, 128);
    event->source = ref(dice, 256);
    event->subject = event->ref = ref(dice, 128);
    event->customer = maybe_slug(dice, 1000);
    event->region = maybe_slug(dice, 5);
    event->rep = maybe_slug(dice, 5);
    event->channel = maybe_slug(dice, 5);
    if (choose(dice))
        event->label_count = 1 + (size_t)maker_below(dice, EVENT_LABELS_MAX);
    for (size_t i = 0; i < event->label_count; i++) {
        char name[2] = {'l', (char)('0' + i)};
        event->labels[i] = (struct event_label){keep(dice, name, 2), slug(dice, 5)};
    }
    event->partitionkey = maybe_ref(dice);
    roll_own_fields(dice, event);
}

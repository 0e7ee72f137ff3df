#include "producers/simulate/shop.h"

#include "producers/simulate/shop_state.h"

#include <stdlib.h>
#include <string.h>

enum { ASKS_PER_MILLE = 450, EVENTS_PER_100_ORDERS = 285, LIVE_PURCHASE_DAYS = 60 };

int64_t shop_orders_for(int64_t events)
{
    int64_t orders = events / EVENTS_PER_100_ORDERS * 100 +
                     events % EVENTS_PER_100_ORDERS * 100 / EVENTS_PER_100_ORDERS;
    return orders > 0 ? orders : 1;
}

static uint32_t tag_of(const struct shop_options *o)
{
    const int64_t words[] = {o->start_s,   o->end_s, o->orders,      o->events,
                             o->customers, o->live,  o->content_pct, o->discontent_pct};
    struct dice mixed = {o->seed};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        mixed = dice_of(mixed.state, i, (uint64_t)words[i]);
    }
    for (int i = 0; i < o->currency_count; i++) {
        mixed = dice_of(mixed.state, 0, (uint64_t)o->currencies[i]);
    }
    return mixed.state & 0xffffff;
}

static int open_rhythm(struct shop *shop, struct error *err)
{
    const struct shop_options *o = &shop->options;
    if (o->live) {
        int64_t gap_ms = (int64_t)LIVE_PURCHASE_DAYS * SHOP_DAY_MS / o->customers;
        return rhythm_open_steady(&shop->rhythm, shop->start_ms, gap_ms, err);
    }
    return rhythm_open(&shop->rhythm, o->zone, o->start_s, o->end_s, o->orders, err);
}

int shop_open(struct shop **out, const struct shop_options *options, struct error *err)
{
    struct shop *shop = calloc(1, sizeof *shop);
    if (!shop) {
        return error_memory(err);
    }
    shop->options = *options;
    shop->goods = (struct goods){.seed = options->seed, .currency_count = options->currency_count};
    memcpy(shop->goods.currencies, options->currencies, sizeof options->currencies);
    shop->facts =
        (struct facts){.goods = &shop->goods, .source = options->source, .tag = tag_of(options)};
    shop->dice = dice_of(options->seed, 0, 0);
    shop->start_ms = shop->now_ms = options->start_s * 1000;
    shop->end_ms = options->live ? INT64_MAX : options->end_s * 1000;
    shop->share[JUDGED_CONTENT] = shop->share[JUDGED_DISCONTENT] = 50; /* half: rounds fairly */
    shop->crowd = crowd_open((uint32_t)options->customers);
    if (!shop->crowd || open_rhythm(shop, err) != 0) {
        shop_free(shop);
        return error_memory(err);
    }
    shop->sale_ms = rhythm_next(shop->rhythm, &shop->dice);
    *out = shop;
    return 0;
}

void shop_free(struct shop *shop)
{
    if (shop) {
        rhythm_free(shop->rhythm);
        crowd_free(shop->crowd);
        diary_free(&shop->diary);
        diary_free(&shop->returning);
        diary_free(&shop->wishing);
        free(shop);
    }
}

int64_t shop_stamp(const struct shop *shop)
{
    return shop->options.live ? shop->live_ms : shop->now_ms;
}

int64_t shop_stamp_of(const struct shop *shop, int64_t past_ms)
{
    return shop_stamp(shop) - (shop->now_ms - past_ms);
}

int64_t shop_sales_left(const struct shop *shop)
{
    return shop->options.orders - shop->sold;
}

void shop_note(struct shop *shop, struct happening happening)
{
    if (happening.at_ms < shop->end_ms && !diary_note(&shop->diary, &happening)) {
        shop->failed = true;
    }
}

void shop_note_in(struct shop *shop, struct happening happening, int64_t wait_ms)
{
    happening.at_ms = rhythm_awake(shop->rhythm, shop->now_ms + wait_ms, &shop->dice);
    shop_note(shop, happening);
}

void shop_wish(struct shop *shop, uint32_t seat, uint32_t ticket, int64_t wait_ms)
{
    int64_t waiting = (int64_t)(shop->returning.count + 2 * shop->wishing.count);
    struct happening wish = {.kind = HAPPEN_BUY,
                             .at_ms = shop->now_ms + wait_ms,
                             .seat = seat,
                             .customer = crowd_number(shop->crowd, seat),
                             .ticket = ticket};
    if (waiting < shop_sales_left(shop) && !diary_note(&shop->wishing, &wish)) {
        shop->failed = true;
    }
}

/* Somebody new, while the customers are not all there yet: quickly at first, then evenly. */
static uint32_t newcomer(struct shop *shop)
{
    int64_t room = crowd_room(shop->crowd), left = shop_sales_left(shop);
    int64_t per_mille = shop->options.live ? 150
                        : room > shop->options.customers / 3 * 2
                            ? 700
                            : room * 1400 / (left > 0 ? left : 1);
    return dice_chance(&shop->dice, per_mille) ? crowd_new(shop->crowd) : CROWD_NOBODY;
}

/* Somebody who decides to buy right now; nobody in particular at a till. */
static uint32_t passer_by(struct shop *shop)
{
    if (dice_chance(&shop->dice, 80)) {
        return CROWD_NOBODY;
    }
    uint32_t seat = newcomer(shop);
    if (seat == CROWD_NOBODY) {
        seat = crowd_any(shop->crowd, &shop->dice, shop->now_ms);
    }
    return seat == CROWD_NOBODY ? crowd_new(shop->crowd) : seat;
}

/* A planned return is due, or only just fits before the last sale; and it is later than its rating
 * by the whole second that "after" means. */
static bool must_return(const struct shop *shop)
{
    const struct happening *next = diary_next(&shop->returning);
    return next && shop_stamp(shop) / 1000 > next->since_ms / 1000 &&
           (next->at_ms <= shop->now_ms || shop_sales_left(shop) <= (int64_t)shop->returning.count);
}

/* Who buys: seat, and the ticket that led to it. */
static uint32_t buyer(struct shop *shop, uint32_t *ticket)
{
    *ticket = 0;
    if (must_return(shop)) {
        struct happening plan = diary_take(&shop->returning);
        crowd_set(shop->crowd, plan.seat, MOOD_FREE);
        return plan.seat;
    }
    while (diary_next(&shop->wishing) && diary_next(&shop->wishing)->at_ms <= shop->now_ms) {
        struct happening wish = diary_take(&shop->wishing);
        if (crowd_idle(shop->crowd, wish.seat, wish.customer, shop->now_ms)) {
            *ticket = wish.ticket;
            return wish.seat;
        }
    }
    return passer_by(shop);
}

static void fill_sale(struct shop *shop, struct goods_order *order, uint32_t customer,
                      uint32_t ticket)
{
    struct event *event = facts_begin(&shop->facts, EVENT_SALE_COMPLETED, shop_stamp(shop),
                                      customer, 'o', shop->orders);
    struct event_sale *sale = &event->sale;
    facts_identify(&shop->facts, "order", "paid", 0);
    facts_label(&shop->facts, "segment", order->segment);
    facts_label(&shop->facts, "campaign", order->campaign);
    event->region = text_of(goods_region(order->region));
    event->rep = text_of(order->rep);
    event->channel = text_of(order->channel);
    *sale = (struct event_sale){.currency = order->currency,
                                .net = order->net,
                                .discount = order->discount,
                                .has_discount = order->discount > 0,
                                .cost = order->cost,
                                .has_cost = order->has_cost,
                                .units = order->units,
                                .has_units = true,
                                .warranty_units = order->warranty_units,
                                .has_warranty_units = order->warranty_units > 0,
                                .assist_ticket = facts_other(&shop->facts, 't', ticket)};
    if (order->listed) {
        sale->items = order->items;
        sale->item_count = (size_t)order->item_count;
    }
}

static int64_t days(struct shop *shop, int64_t from, int64_t to)
{
    return dice_between(&shop->dice, from * SHOP_DAY_MS, to * SHOP_DAY_MS);
}

static void note_fate(struct shop *shop, const struct goods_order *order, struct happening about)
{
    static const int reasons[REFUND_REASONS] = {55, 20, 5, 12, 0, 8};
    about.since_ms = shop->now_ms;
    if (order->fate == FATE_REFUNDED) {
        about.kind = HAPPEN_REFUND;
        about.reason = (uint8_t)dice_weighted(&shop->dice, reasons, REFUND_REASONS);
        shop_note_in(shop, about, dice_wait(&shop->dice, (int64_t)6 * SHOP_DAY_MS));
    } else if (order->fate == FATE_CLAIMED && about.customer) {
        about.kind = dice_chance(&shop->dice, 700) ? HAPPEN_OPEN : HAPPEN_CLAIM;
        about.phase = PHASE_AFTER;
        about.category = CATEGORY_WARRANTY;
        shop_note_in(shop, about, days(shop, 5, 300));
    }
}

static void note_ticket(struct shop *shop, struct happening about, enum event_phase phase,
                        enum event_by by, const int *categories, int64_t wait_ms)
{
    about.kind = HAPPEN_OPEN;
    about.phase = (uint8_t)phase;
    about.by = (uint8_t)by;
    about.category = (uint8_t)dice_weighted(&shop->dice, categories, CATEGORIES);
    shop_note_in(shop, about, wait_ms);
}

/* What a known customer sets off by buying: help, a survey, a recommendation. */
static void note_care(struct shop *shop, uint32_t seat)
{
    static const int after[CATEGORIES] = {32, 30, 16, 0, 0, 0, 0, 14, 8};
    static const int during[CATEGORIES] = {70, 20, 10, 0, 0, 0, 0, 0, 0};
    static const int company[CATEGORIES] = {0, 0, 30, 25, 25, 20, 0, 0, 0};
    struct dice *dice = &shop->dice;
    struct happening about = {.seat = seat, .customer = crowd_number(shop->crowd, seat)};
    if (dice_chance(dice, 280)) {
        note_ticket(shop, about, PHASE_AFTER, BY_CUSTOMER, after,
                    dice_wait(dice, (int64_t)6 * SHOP_DAY_MS));
    }
    if (dice_chance(dice, 40)) {
        note_ticket(shop, about, PHASE_DURING, BY_CUSTOMER, during,
                    dice_between(dice, SHOP_MINUTE_MS, 40 * SHOP_MINUTE_MS));
    }
    if (dice_chance(dice, 80)) {
        note_ticket(shop, about, PHASE_AFTER, BY_COMPANY, company, days(shop, 3, 25));
    }
    if (dice_chance(dice, 80)) {
        about.kind = HAPPEN_RATE;
        about.scale = SCALE_NPS;
        about.quality = (uint8_t)dice_below(dice, 3);
        shop_note_in(shop, about, days(shop, 7, 20));
    }
    if (dice_chance(dice, 30)) {
        about.kind = HAPPEN_REFER;
        about.by_sale = true;
        shop_note_in(shop, about, days(shop, 1, 20));
    }
}

/* When a number of events is asked for, the offers that are asked for make up for chance. */
static void note_asks(struct shop *shop)
{
    int64_t per_mille = ASKS_PER_MILLE;
    if (shop->options.events && !shop->options.live) {
        int64_t due = (int64_t)((__int128)shop->options.events * shop->sold / shop->options.orders);
        per_mille += (due - shop->made) * 50;
        per_mille = per_mille < 0 ? 0 : per_mille < 5000 ? per_mille : 5000;
    }
    struct happening ask = {.kind = HAPPEN_ASK};
    for (; per_mille > 0; per_mille -= 1000) {
        if (dice_chance(&shop->dice, per_mille)) {
            shop_note_in(shop, ask, dice_wait(&shop->dice, (int64_t)3 * SHOP_HOUR_MS));
        }
    }
}

static void sell(struct shop *shop)
{
    struct goods_order *order = &shop->order;
    uint32_t ticket, seat = buyer(shop, &ticket), customer = crowd_number(shop->crowd, seat);
    shop->orders++;
    shop->sold++;
    goods_order(&shop->goods, shop->orders, customer, order);
    fill_sale(shop, order, customer, ticket);
    note_asks(shop);
    note_fate(shop, order,
              (struct happening){
                  .customer = customer, .seat = seat, .assist = ticket, .order = shop->orders});
    if (customer) {
        crowd_count_order(shop->crowd, seat);
        note_care(shop, seat);
    }
}

/* Before a purchase: somebody known, or somebody who is no customer yet. */
static bool ask(struct shop *shop)
{
    static const int kinds[KINDS] = {30, 28, 12, 14, 12, 4};
    static const int before[CATEGORIES] = {80, 0, 20, 0, 0, 0, 0, 0, 0};
    struct dice *dice = &shop->dice;
    uint32_t seat = dice_chance(dice, 400) ? newcomer(shop) : CROWD_NOBODY;
    if (seat == CROWD_NOBODY) {
        seat = crowd_any(shop->crowd, dice, shop->now_ms);
    }
    uint32_t customer = crowd_number(shop->crowd, seat);
    struct event *event = facts_begin(&shop->facts, EVENT_SALE_INTERACTION, shop_stamp(shop),
                                      customer, 'i', ++shop->asks);
    facts_identify(&shop->facts, "interaction", NULL, 0);
    event->channel = text_of(goods_channel(dice));
    if (customer) {
        event->rep = text_of(goods_seller(goods_person(&shop->goods, customer).region, dice));
    }
    event->interaction =
        (struct event_interaction){.kind = (enum event_kind)dice_weighted(dice, kinds, KINDS),
                                   .has_prospect = true,
                                   .prospect = !customer || crowd_orders(shop->crowd, seat) == 0};
    if (customer && dice_chance(dice, 450)) {
        shop_wish(shop, seat, 0, dice_between(dice, SHOP_HOUR_MS, (int64_t)30 * SHOP_DAY_MS));
    }
    if (customer && dice_chance(dice, 80)) {
        note_ticket(shop, (struct happening){.customer = customer, .seat = seat}, PHASE_BEFORE,
                    BY_CUSTOMER, before, dice_wait(dice, SHOP_DAY_MS));
    }
    return true;
}

/* One piece of the order, or all of it. */
static void fill_refund(struct event_refund *refund, const struct goods_order *order,
                        const struct event_item *item)
{
    if (!item) {
        refund->net = order->net;
        refund->cost = order->cost;
        refund->has_cost = order->has_cost;
        refund->units = order->units;
        refund->full = true;
        return;
    }
    refund->net = item->net / item->qty;
    refund->cost = item->cost / item->qty;
    refund->has_cost = item->has_cost;
    refund->units = 1;
    refund->line = item->line;
}

static const struct event_item *refunded_item(const struct goods_order *order,
                                              enum event_refund_reason reason, struct dice *dice)
{
    if (reason == REFUND_WARRANTY) {
        int i = order->item_count - 1;
        while (i > 0 && !text_is(order->items[i].sku, order->warranty_product)) {
            i--;
        }
        return &order->items[i];
    }
    bool parts = order->units > 1 && (reason == REFUND_RETURN || reason == REFUND_OTHER);
    return parts && dice_chance(dice, 600)
               ? &order->items[dice_below(dice, (uint32_t)order->item_count)]
               : NULL;
}

static bool refund(struct shop *shop, const struct happening *h)
{
    struct goods_order order;
    goods_order(&shop->goods, h->order, h->customer, &order);
    struct event *event = facts_begin(&shop->facts, EVENT_SALE_REFUNDED, shop_stamp(shop),
                                      h->customer, 'r', ++shop->refunds);
    facts_identify(&shop->facts, "refund", NULL, 0);
    facts_label(&shop->facts, "segment", order.segment);
    event->region = text_of(goods_region(order.region));
    event->rep = text_of(order.rep);
    event->channel = text_of(order.channel);
    struct event_refund *refund = &event->refund;
    *refund = (struct event_refund){.order = facts_other(&shop->facts, 'o', h->order),
                                    .currency = order.currency,
                                    .has_units = true,
                                    .has_full = true,
                                    .reason = (enum event_refund_reason)h->reason,
                                    .assist_ticket = facts_other(&shop->facts, 't', h->assist)};
    fill_refund(refund, &order, refunded_item(&order, refund->reason, &shop->dice));
    if (refund->reason == REFUND_PRICE || refund->reason == REFUND_CHARGEBACK) {
        refund->cost = 0; /* no goods come back */
        refund->units = 0;
        refund->has_cost = refund->has_units = false;
    }
    if (refund->reason == REFUND_PRICE) {
        refund->net = refund->net * dice_between(&shop->dice, 5, 15) / 100;
        refund->full = false;
    }
    return true;
}

static bool refer(struct shop *shop, const struct happening *h)
{
    uint32_t seat = crowd_new(shop->crowd);
    if (seat == CROWD_NOBODY) {
        return false;
    }
    struct event *event =
        facts_begin(&shop->facts, h->by_sale ? EVENT_SALE_REFERRED : EVENT_SERVICE_REFERRED,
                    shop_stamp(shop), crowd_number(shop->crowd, seat), 'f', ++shop->referrals);
    facts_identify(&shop->facts, "referral", NULL, 0);
    event->referral.referrer = facts_other(&shop->facts, 'c', h->customer);
    if (dice_chance(&shop->dice, 650)) {
        shop_wish(shop, seat, 0,
                  dice_between(&shop->dice, SHOP_HOUR_MS, (int64_t)40 * SHOP_DAY_MS));
    }
    return true;
}

static bool happen(struct shop *shop, const struct happening *h)
{
    switch ((enum happening_kind)h->kind) {
    case HAPPEN_ASK:
        return ask(shop);
    case HAPPEN_OPEN:
        return care_open(shop, h);
    case HAPPEN_RESOLVE:
        return care_resolve(shop, h);
    case HAPPEN_REOPEN:
        return care_reopen(shop, h);
    case HAPPEN_RATE:
        return care_rate(shop, h);
    case HAPPEN_CHANGE:
        return care_change(shop, h);
    case HAPPEN_CLAIM:
        return care_claim(shop, h);
    case HAPPEN_SETTLE:
        return care_settle(shop, h);
    case HAPPEN_REFUND:
        return refund(shop, h);
    case HAPPEN_REFER:
        return refer(shop, h);
    case HAPPEN_BUY:
        break; /* waits in a diary of its own */
    }
    return false;
}

/* One step of the shop's time: 1 an event, 0 nothing came of it, -1 nothing is left. */
static int step(struct shop *shop)
{
    const struct happening *next = diary_next(&shop->diary);
    if (shop_sales_left(shop) > 0 && (!next || shop->sale_ms <= next->at_ms)) {
        shop->now_ms = shop->sale_ms;
        sell(shop);
        if (shop_sales_left(shop) > 0) {
            shop->sale_ms = rhythm_next(shop->rhythm, &shop->dice);
        }
        return 1;
    }
    if (next) {
        struct happening h = diary_take(&shop->diary);
        shop->now_ms = h.at_ms;
        return happen(shop, &h);
    }
    if (shop->made < shop->options.events) {
        shop->now_ms += shop->now_ms + 1000 < shop->end_ms ? 1000 : 0;
        return ask(shop);
    }
    return -1;
}

int shop_next(struct shop *shop, int64_t live_ms, const struct event **event, struct error *err)
{
    int result = 0;
    shop->live_ms = live_ms;
    if (shop->options.events && shop->made == shop->options.events) {
        return 0;
    }
    while (result == 0 && !shop->failed) {
        result = step(shop);
    }
    if (shop->failed) {
        return error_memory(err);
    }
    shop->made += result == 1;
    *event = &shop->facts.event;
    return result < 0 ? 0 : 1;
}

int64_t shop_orders(const struct shop *shop)
{
    return shop->sold;
}

int64_t shop_progress_ppm(const struct shop *shop)
{
    return shop->options.live
               ? 0
               : (shop->now_ms - shop->start_ms) * 1000 / ((shop->end_ms - shop->start_ms) / 1000);
}

uint32_t shop_tag(const struct shop *shop)
{
    return shop->facts.tag;
}

/* care.c - the service side of the simulated shop: tickets, ratings, claims. */
#include "common/calendar.h"
#include "producers/simulate/shop_state.h"

/* Within 90 days counts: a planned return leaves time to wait for a sale, a quiet customer is quiet
 * a day longer. */
enum { LAST_RETURN_DAYS = 75, QUIET_DAYS = 91 };

static struct event *begin(struct shop *shop, enum event_type type, const struct happening *h,
                           char kind, uint32_t number)
{
    struct event *event =
        facts_begin(&shop->facts, type, shop_stamp(shop), h->customer, kind, number);
    event->rep = text_of(goods_helper(&shop->dice));
    return event;
}

bool care_open(struct shop *shop, const struct happening *h)
{
    struct dice *dice = &shop->dice;
    struct event *event = begin(shop, EVENT_SERVICE_OPENED, h, 't', ++shop->tickets);
    facts_identify(&shop->facts, "ticket", "opened", 0);
    event->channel = text_of(goods_help_channel(dice));
    event->opened = (struct event_opened){(enum event_phase)h->phase,
                                          (enum event_category)h->category, (enum event_by)h->by};
    struct happening then = *h;
    then.ticket = shop->tickets;
    if (h->category == CATEGORY_WARRANTY) {
        then.kind = HAPPEN_CLAIM;
        then.at_ms = shop->now_ms + dice_between(dice, SHOP_MINUTE_MS, 20 * SHOP_MINUTE_MS);
        shop_note(shop, then);
    }
    if (h->category == CATEGORY_UPSELL && crowd_sits(shop->crowd, h->seat, h->customer) &&
        dice_chance(dice, 500)) {
        shop_wish(shop, h->seat, shop->tickets,
                  dice_between(dice, SHOP_HOUR_MS, (int64_t)15 * SHOP_DAY_MS));
    }
    if (dice_chance(dice, 970)) { /* the rest stays open */
        then.kind = HAPPEN_RESOLVE;
        then.since_ms = shop->now_ms;
        then.round = 1;
        shop_note_in(shop, then,
                     dice_wait(dice, h->category == CATEGORY_QUESTION
                                         ? (int64_t)4 * SHOP_HOUR_MS
                                         : (int64_t)20 * SHOP_HOUR_MS));
    }
    return true;
}

static uint8_t quality_of(const struct event_resolved *resolved, int round)
{
    int minus = (resolved->contacts > 2) + (resolved->resolution_s > 36 * 3600) + 2 * (round > 1);
    return (uint8_t)(minus >= 2 ? 0 : 2 - minus);
}

static void note_after_resolution(struct shop *shop, const struct happening *h, bool first_contact)
{
    struct happening then = *h;
    if (h->round == 1 && dice_chance(&shop->dice, 60)) {
        then.kind = HAPPEN_REOPEN;
        then.score = first_contact;
        shop_note_in(
            shop, then,
            dice_between(&shop->dice, (int64_t)3 * SHOP_HOUR_MS, (int64_t)5 * SHOP_DAY_MS));
    } else if (dice_chance(&shop->dice, h->by == BY_CUSTOMER ? 550 : 250)) {
        static const int scales[SCALES] = {60, 25, 15};
        then.kind = HAPPEN_RATE;
        then.scale = (uint8_t)dice_weighted(&shop->dice, scales, SCALES);
        shop_note_in(shop, then,
                     dice_between(&shop->dice, 10 * SHOP_MINUTE_MS, (int64_t)2 * SHOP_DAY_MS));
    }
}

bool care_resolve(struct shop *shop, const struct happening *h)
{
    static const int contacts[] = {62, 22, 10, 4, 2};
    struct dice *dice = &shop->dice;
    struct event *event = begin(shop, EVENT_SERVICE_RESOLVED, h, 't', h->ticket);
    struct event_resolved *resolved = &event->resolved;
    facts_identify(&shop->facts, "ticket", "resolved", h->round);
    event->channel = text_of(goods_help_channel(dice));
    *resolved =
        (struct event_resolved){.contacts = h->round + dice_weighted(dice, contacts, 5),
                                .has_contacts = dice_chance(dice, 930),
                                .resolution_s = (shop->now_ms - h->since_ms) / 1000,
                                .has_resolution = true,
                                .has_first_response = h->round == 1 && h->by == BY_CUSTOMER};
    resolved->first_response_s = resolved->resolution_s * dice_between(dice, 3, 40) / 100;
    struct happening then = *h;
    then.quality = quality_of(resolved, h->round);
    note_after_resolution(shop, &then, resolved->has_contacts && resolved->contacts == 1);
    return true;
}

bool care_reopen(struct shop *shop, const struct happening *h)
{
    struct event *event = begin(shop, EVENT_SERVICE_REOPENED, h, 't', h->ticket);
    facts_identify(&shop->facts, "ticket", "reopened", h->round);
    event->reopened =
        (struct event_reopened){.was_first_contact = h->score, .has_was_first_contact = true};
    struct happening then = *h;
    then.kind = HAPPEN_RESOLVE;
    then.round = (uint8_t)(h->round + 1);
    shop_note_in(shop, then, dice_wait(&shop->dice, (int64_t)15 * SHOP_HOUR_MS));
    return true;
}

static uint8_t draw_score(struct dice *dice, enum event_scale scale, int quality)
{
    static const int csat[3][5] = {{26, 28, 22, 16, 8}, {5, 10, 20, 40, 25}, {2, 3, 8, 37, 50}};
    static const int nps[3][11] = {{6, 6, 8, 10, 12, 12, 12, 14, 10, 6, 4},
                                   {1, 1, 2, 3, 4, 8, 9, 20, 22, 18, 12},
                                   {0, 0, 1, 1, 2, 3, 4, 12, 20, 30, 27}};
    static const int ces[3][7] = {
        {15, 18, 20, 17, 14, 10, 6}, {3, 5, 8, 14, 25, 27, 18}, {1, 2, 3, 6, 16, 34, 38}};
    int place = scale == SCALE_CSAT  ? dice_weighted(dice, csat[quality], 5)
                : scale == SCALE_NPS ? dice_weighted(dice, nps[quality], 11)
                                     : dice_weighted(dice, ces[quality], 7);
    return (uint8_t)(place + event_scale_min[scale]);
}

static enum judgement judge(enum event_scale scale, int score)
{
    if (scale == SCALE_CSAT) {
        return score >= 4 ? JUDGED_CONTENT : JUDGED_DISCONTENT;
    }
    return score >= 9 ? JUDGED_CONTENT : score <= 6 ? JUDGED_DISCONTENT : JUDGED_NEITHER;
}

/* The last moment at which a rating may count: behind it there are sales enough for everyone who
 * is to come back. */
static int64_t last_rating_ms(const struct shop *shop)
{
    return shop->options.live ? INT64_MAX : shop->end_ms - (shop->end_ms - shop->start_ms) / 100;
}

static bool may_rate(struct shop *shop, const struct happening *h)
{
    int64_t left = shop_sales_left(shop);
    return crowd_idle(shop->crowd, h->seat, h->customer, shop->now_ms) &&
           shop->now_ms < last_rating_ms(shop) &&
           left > (int64_t)shop->returning.count + 2 + shop->options.orders / 100;
}

static void plan_return(struct shop *shop, const struct happening *h)
{
    int64_t longest_ms = (int64_t)LAST_RETURN_DAYS * SHOP_DAY_MS;
    int64_t left_ms = (shop->end_ms - shop->now_ms) / 10 * 9;
    if (longest_ms > left_ms) {
        longest_ms = left_ms;
    }
    struct happening plan = {
        .kind = HAPPEN_BUY, .seat = h->seat, .customer = h->customer, .since_ms = shop_stamp(shop)};
    int64_t wait_ms = dice_wait(&shop->dice, longest_ms / 3);
    plan.at_ms = shop->now_ms + (wait_ms < longest_ms ? wait_ms : longest_ms);
    crowd_set(shop->crowd, h->seat, MOOD_PLANNED);
    if (!diary_note(&shop->returning, &plan)) {
        shop->failed = true;
    }
}

/* Of every hundred ratings exactly the wished ones come back. Live, days pass in moments: who does
 * not come back within 90 of the shop's days never does. */
static void decide_return(struct shop *shop, const struct happening *h, enum judgement judgement)
{
    if (judgement == JUDGED_NEITHER) {
        crowd_set(shop->crowd, h->seat, MOOD_FREE);
        return;
    }
    int *share = &shop->share[judgement];
    *share +=
        judgement == JUDGED_CONTENT ? shop->options.content_pct : shop->options.discontent_pct;
    if (*share >= 100) {
        *share -= 100;
        plan_return(shop, h);
    } else if (shop->options.live) {
        crowd_leave(shop->crowd, h->seat);
    } else {
        crowd_hush(shop->crowd, h->seat, shop->now_ms + (int64_t)QUIET_DAYS * SHOP_DAY_MS);
    }
}

/* True when the answer will be changed; the customer waits for that. */
static bool plan_change(struct shop *shop, const struct happening *h, int score)
{
    if (h->scale == SCALE_CES || !dice_chance(&shop->dice, 50)) {
        return false;
    }
    struct happening change = *h;
    change.kind = HAPPEN_CHANGE;
    change.score = (uint8_t)score;
    change.round = 2;
    change.at_ms = shop->now_ms + dice_between(&shop->dice, SHOP_HOUR_MS, (int64_t)5 * SHOP_DAY_MS);
    if (change.at_ms >= last_rating_ms(shop)) {
        return false;
    }
    crowd_set(shop->crowd, h->seat, MOOD_UNDECIDED);
    shop_note(shop, change);
    return true;
}

static void fill_rating(struct shop *shop, const struct happening *h, int score, int round)
{
    struct event *event = begin(shop, EVENT_SERVICE_RATED, h, h->ticket ? 't' : 'n',
                                h->ticket ? h->ticket : h->order);
    facts_identify(&shop->facts, "rating", event_scale_words[h->scale], round);
    event->rated = (struct event_rated){.ticket = facts_other(&shop->facts, 't', h->ticket),
                                        .scale = (enum event_scale)h->scale,
                                        .score = score};
}

bool care_rate(struct shop *shop, const struct happening *h)
{
    struct happening rating = *h;
    if (h->scale != SCALE_CES && !may_rate(shop, h)) {
        return false;
    }
    if (!h->ticket) {
        rating.order = ++shop->surveys; /* a survey has a number of its own */
    }
    int score = draw_score(&shop->dice, (enum event_scale)h->scale, h->quality);
    fill_rating(shop, &rating, score, 1);
    if (h->scale == SCALE_CES || plan_change(shop, &rating, score)) {
        return true;
    }
    enum judgement judgement = judge((enum event_scale)h->scale, score);
    decide_return(shop, h, judgement);
    if (judgement == JUDGED_CONTENT && dice_chance(&shop->dice, 110)) {
        struct happening refer = {.kind = HAPPEN_REFER, .customer = h->customer};
        shop_note_in(shop, refer,
                     dice_between(&shop->dice, SHOP_DAY_MS, (int64_t)12 * SHOP_DAY_MS));
    }
    return true;
}

bool care_change(struct shop *shop, const struct happening *h)
{
    enum event_scale scale = (enum event_scale)h->scale;
    int span = event_scale_max[scale] - event_scale_min[scale] + 1;
    int steps = (int)dice_between(&shop->dice, 1, span - 1);
    int score = (h->score - event_scale_min[scale] + steps) % span + event_scale_min[scale];
    fill_rating(shop, h, score, h->round);
    shop->facts.event.rated.previous = h->score;
    shop->facts.event.rated.has_previous = true;
    decide_return(shop, h, judge(scale, score));
    return true;
}

/* Some claims are for things bought long before the first day; they have no order. */
static const char *claimed_product(struct shop *shop, struct happening *claim, int *months)
{
    struct goods_order order;
    if (claim->order && !dice_chance(&shop->dice, 250)) {
        goods_order(&shop->goods, claim->order, claim->customer, &order);
        *months = order.warranty_months;
        return order.warranty_product;
    }
    claim->order = 0;
    claim->since_ms = shop->now_ms - dice_between(&shop->dice, 180, 1200) * SHOP_DAY_MS;
    return goods_product(&shop->dice, months);
}

bool care_claim(struct shop *shop, const struct happening *h)
{
    int months;
    struct happening claim = *h;
    const char *product = claimed_product(shop, &claim, &months);
    struct event *event = begin(shop, EVENT_SERVICE_CLAIMED, h, 'w', ++shop->claims);
    facts_identify(&shop->facts, "claim", "made", 0);
    const struct zone *zone = shop->options.zone;
    int32_t purchased = zone_day(zone, shop_stamp_of(shop, claim.since_ms) / 1000);
    event->claimed = (struct event_claimed){.product = text_of(product),
                                            .purchased = purchased,
                                            .warranty_months = months,
                                            .ticket = facts_other(&shop->facts, 't', h->ticket)};
    claim.kind = HAPPEN_SETTLE;
    claim.claim = shop->claims;
    claim.in_warranty =
        zone_day(zone, shop_stamp(shop) / 1000) <= calendar_add_months(purchased, months);
    claim.since_ms = shop->now_ms;
    shop_note_in(shop, claim, dice_between(&shop->dice, SHOP_DAY_MS, (int64_t)14 * SHOP_DAY_MS));
    return true;
}

bool care_settle(struct shop *shop, const struct happening *h)
{
    static const int within[OUTCOMES] = {58, 24, 12, 6}, outside[OUTCOMES] = {4, 26, 0, 70};
    struct event *event = begin(shop, EVENT_SERVICE_SETTLED, h, 'w', h->claim);
    facts_identify(&shop->facts, "claim", "settled", 0);
    int outcome = dice_weighted(&shop->dice, h->in_warranty ? within : outside, OUTCOMES);
    if (outcome == OUTCOME_REFUNDED && !h->order) {
        outcome = OUTCOME_REPLACED; /* nobody knows what it had cost */
    }
    event->settled = (struct event_settled){.outcome = (enum event_outcome)outcome,
                                            .in_warranty = h->in_warranty,
                                            .has_turnaround = true,
                                            .turnaround_s = (shop->now_ms - h->since_ms) / 1000};
    if (outcome == OUTCOME_REFUNDED) {
        struct happening refund = {.kind = HAPPEN_REFUND,
                                   .customer = h->customer,
                                   .seat = h->seat,
                                   .order = h->order,
                                   .assist = h->assist,
                                   .reason = REFUND_WARRANTY};
        shop_note_in(shop, refund, dice_between(&shop->dice, SHOP_HOUR_MS, SHOP_DAY_MS));
    }
    return true;
}

/* shop.h - a believable business: which event comes next.
 *
 * Pure and seeded: the same options give the same events. Customers ask, buy, give back, need
 * help, claim and recommend; whether they come back hangs on how they rated. A rating of csat 4-5
 * or nps 9-10 is content, of csat 1-3 or nps 0-6 discontent; of each the wished share is followed
 * by a purchase of that customer within 90 days. For that, every such rating decides at once:
 * either a purchase is planned, or the customer buys nothing for 90 days. */
#ifndef TANDEM_SHOP_H
#define TANDEM_SHOP_H

#include "common/zone.h"
#include "producers/simulate/goods.h"

struct shop;

struct shop_options {
    uint64_t seed;
    int64_t start_s, end_s;          /* epoch seconds, an hour or more; live: end_s 0 */
    int64_t orders;                  /* > 0; INT64_MAX: no end, only live */
    int64_t events;                  /* > 0: exactly so many events, and about `orders` orders */
    int64_t customers;               /* most at a time, > 0 */
    int content_pct, discontent_pct; /* who comes back */
    int currencies[GOODS_CURRENCIES_MAX];
    int currency_count;
    bool live;               /* times are the caller's; days pass as quickly as events are asked */
    const struct zone *zone; /* must outlive the shop */
    const char *source;      /* likewise */
};

/* 0, caller owns *out until shop_free(). */
int shop_open(struct shop **out, const struct shop_options *options, struct error *err);
void shop_free(struct shop *shop);

/* The next event, never earlier than the one before; it is the shop's until the next call.
 * `live_ms` is its time when the shop is live. 1, 0 at the end, -1 no memory. */
int shop_next(struct shop *shop, int64_t live_ms, const struct event **event, struct error *err);

int64_t shop_orders(const struct shop *shop); /* made until now */
/* Moments between the first and the last event, as parts of a million: how far a history is. */
int64_t shop_progress_ppm(const struct shop *shop);
/* 24 bits of everything that shapes the events. */
uint32_t shop_tag(const struct shop *shop);

/* How many orders give about so many events. */
int64_t shop_orders_for(int64_t events);

#endif

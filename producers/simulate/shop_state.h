/* shop_state.h - the inside of a shop, shared by shop.c (sales) and care.c (service). */
#ifndef TANDEM_SHOP_STATE_H
#define TANDEM_SHOP_STATE_H

#include "producers/simulate/crowd.h"
#include "producers/simulate/diary.h"
#include "producers/simulate/facts.h"
#include "producers/simulate/rhythm.h"
#include "producers/simulate/shop.h"

enum { SHOP_MINUTE_MS = 60000, SHOP_HOUR_MS = 3600000, SHOP_DAY_MS = 86400000 };

enum judgement { JUDGED_CONTENT, JUDGED_DISCONTENT, JUDGEMENTS, JUDGED_NEITHER = JUDGEMENTS };

struct shop {
    struct shop_options options;
    struct goods goods;
    struct facts facts;
    struct goods_order order; /* the event's items lie here */
    struct dice dice;
    struct rhythm *rhythm;
    struct crowd *crowd;
    struct diary diary;
    struct diary returning;   /* purchases that have to come, because a rating decided so */
    struct diary wishing;     /* purchases that may come */
    int64_t start_ms, end_ms; /* end: INT64_MAX when live */
    int64_t now_ms;           /* of the shop: passes by itself, also when live */
    int64_t live_ms;
    int64_t sale_ms;       /* of the next sale */
    int64_t sold, made;    /* orders; events */
    int share[JUDGEMENTS]; /* hundredths of a return, carried from rating to rating */
    uint32_t orders, refunds, asks, tickets, claims, referrals, surveys; /* numbers given out */
    bool failed;                                                         /* no memory */
};

/* The time that is written into an event. */
int64_t shop_stamp(const struct shop *shop);
/* The same moment as `past_ms` of the shop's time, in the time that is written. */
int64_t shop_stamp_of(const struct shop *shop, int64_t past_ms);
int64_t shop_sales_left(const struct shop *shop);

/* Notes it, unless it lies after the end. */
void shop_note(struct shop *shop, struct happening happening);
/* The same, `wait_ms` from now, at an hour when people are awake. */
void shop_note_in(struct shop *shop, struct happening happening, int64_t wait_ms);
/* A purchase that may come within `wait_ms`; forgotten when there are too many. */
void shop_wish(struct shop *shop, uint32_t seat, uint32_t ticket, int64_t wait_ms);

/* Makes what happens an event in shop->facts; false when nothing comes of it. */
bool care_open(struct shop *shop, const struct happening *h);
bool care_resolve(struct shop *shop, const struct happening *h);
bool care_reopen(struct shop *shop, const struct happening *h);
bool care_rate(struct shop *shop, const struct happening *h);
bool care_change(struct shop *shop, const struct happening *h);
bool care_claim(struct shop *shop, const struct happening *h);
bool care_settle(struct shop *shop, const struct happening *h);

#endif

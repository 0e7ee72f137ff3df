/* customer.h - what is known of one customer: the set of events its counters depend on.
 *
 * Events are added in any order and the result is the same: nothing here was decided by what came
 * first, and nothing is derived that could drift from the set. What is kept is less than the
 * events, but enough: the contacts and interactions as runs, of the referrals the earliest, of the
 * answers to one rating the latest. What follows from a state for the counters is contribution.h's
 * matter, how it is stored codec.h's. Pure. */
#ifndef TANDEM_CUSTOMER_H
#define TANDEM_CUSTOMER_H

#include "common/event.h"
#include "common/zone.h"
#include "consumers/customers/lists.h"
#include "consumers/customers/runs.h"

/* The windows, in elapsed seconds: part of what a store's counters mean. */
#define CUSTOMER_CONTACT_S     (30 * 86400) /* a sale comes after a contact */
#define CUSTOMER_INTERACTION_S (90 * 86400) /* a sale comes after an interaction */
#define CUSTOMER_REFERRAL_S    (90 * 86400) /* a referral may come after the first sale by this */
#define CUSTOMER_RETURN_S      (90 * 86400) /* a sale is a return after a rating */

/* Event times lie between these, whatever their offset: docs/events.md. */
#define CUSTOMER_TIME_MIN_S INT64_C(946598400)  /* 1999-12-31T00:00:00Z */
#define CUSTOMER_TIME_MAX_S INT64_C(4102617600) /* 2100-01-03T00:00:00Z */

/* Local months are counted from December 1999. */
#define CUSTOMER_MONTHS 1208

struct customer_rules {
    const struct zone *zone;
    int32_t from_day; /* setting ledger.from, a local day; INT32_MIN: none */
    uint32_t limit;   /* setting ledger.limit: sales and ratings of one customer */
};

enum deed_kind {
    DEED_SALE,
    DEED_INTERACTION,
    DEED_CONTACT,
    DEED_REFERRED_BY_SALE,
    DEED_REFERRED_BY_SERVICE,
    DEED_RATING
};

/* An event as far as it matters here. */
struct deed {
    enum deed_kind kind;
    int64_t time_s; /* cut to whole seconds */
    int32_t day;    /* local */
    uint32_t list;  /* its scopes, of a sale or rating */
    uint64_t ref;   /* hash of a rating's reference */
    uint8_t scale, score;
};

struct sale {
    int64_t time_s;
    uint32_t list;
};

struct rating {
    int64_t time_s;
    uint64_t ref;
    uint32_t list;
    uint8_t scale, score; /* csat or nps */
};

enum referral { REFERRAL_NONE, REFERRAL_BY_SALE, REFERRAL_BY_SERVICE };

struct customer {
    bool has_sale;
    struct sale first;                         /* the smallest by time, then list */
    uint8_t months[(CUSTOMER_MONTHS + 7) / 8]; /* a bit for each local month with a sale */
    enum referral referral;                    /* the earliest; of one second that of a sale */
    int64_t referral_s;
    bool overflowed;    /* more than the limit: nothing below is kept */
    struct sale *sales; /* since from_day, by time, then list */
    size_t sale_count, sale_room;
    struct rating *ratings; /* the latest answers, by time, scale, ref */
    size_t rating_count, rating_room;
    uint32_t replaced; /* answers that a later one replaced */
    struct runs contacts, interactions;
};

void customer_init(struct customer *customer);
void customer_clear(struct customer *customer); /* knows nothing again; keeps its memory */
void customer_free(struct customer *customer);  /* what it holds, not *customer itself */
bool customer_empty(const struct customer *customer);

/* False when memory is short; *to is then good only to be cleared or freed. */
bool customer_copy(struct customer *to, const struct customer *from);

/* Puts one more event into the set. False when memory is short: the customer is then good only to
 * be cleared or freed. `lists` orders what has the same second. */
bool customer_add(struct customer *customer, const struct customer_rules *rules,
                  const struct lists *lists, const struct deed *deed);

/* False: a sale, interaction, contact or rating of a day before ledger.from. */
bool customer_takes(const struct customer_rules *rules, const struct deed *deed);

bool customer_has_month(const struct customer *customer, int month);
/* The month, counted from December 1999, of a local day; and the first day of a month. */
int customer_month(int32_t day);
int32_t customer_month_day(int month);

/* Below, equal to or above 0: by time, then list. */
int sale_compare(const struct lists *lists, const struct sale *a, const struct sale *b);
/* By time, then scale and reference: no two answers that are kept are equal. */
int rating_compare(const struct rating *a, const struct rating *b);

#endif

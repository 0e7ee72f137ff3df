#include "consumers/customers/customer.h"

#include "common/calendar.h"

#include <stdlib.h>
#include <string.h>

void customer_init(struct customer *customer)
{
    *customer = (struct customer){0};
}

void customer_clear(struct customer *customer)
{
    struct customer kept = *customer;
    *customer = (struct customer){.sales = kept.sales,
                                  .sale_room = kept.sale_room,
                                  .ratings = kept.ratings,
                                  .rating_room = kept.rating_room,
                                  .contacts = kept.contacts,
                                  .interactions = kept.interactions};
    runs_clear(&customer->contacts);
    runs_clear(&customer->interactions);
}

void customer_free(struct customer *customer)
{
    free(customer->sales);
    free(customer->ratings);
    runs_free(&customer->contacts);
    runs_free(&customer->interactions);
    customer_init(customer);
}

bool customer_empty(const struct customer *customer)
{
    return !customer->has_sale && !customer->referral && !customer->overflowed &&
           !customer->rating_count && !customer->contacts.count && !customer->interactions.count;
}

static bool reserve(void **list, size_t count, size_t *room, size_t size)
{
    size_t more = *room ? *room : 8;
    if (count <= *room)
        return true;
    while (more < count)
        more *= 2;
    void *grown = realloc(*list, more * size);
    if (!grown)
        return false;
    *list = grown;
    *room = more;
    return true;
}

static bool reserve_sales(struct customer *customer, size_t count)
{
    return reserve((void **)&customer->sales, count, &customer->sale_room, sizeof *customer->sales);
}

static bool reserve_ratings(struct customer *customer, size_t count)
{
    return reserve((void **)&customer->ratings, count, &customer->rating_room,
                   sizeof *customer->ratings);
}

bool customer_copy(struct customer *to, const struct customer *from)
{
    if (!reserve_sales(to, from->sale_count) || !reserve_ratings(to, from->rating_count) ||
        !runs_copy(&to->contacts, &from->contacts) ||
        !runs_copy(&to->interactions, &from->interactions))
        return false;
    struct customer copy = *from;
    copy.sales = to->sales;
    copy.sale_room = to->sale_room;
    copy.ratings = to->ratings;
    copy.rating_room = to->rating_room;
    copy.contacts = to->contacts;
    copy.interactions = to->interactions;
    *to = copy;
    if (from->sale_count)
        memcpy(to->sales, from->sales, from->sale_count * sizeof *to->sales);
    if (from->rating_count)
        memcpy(to->ratings, from->ratings, from->rating_count * sizeof *to->ratings);
    return true;
}

int customer_month(int32_t day)
{
    int year, month, dom;
    calendar_civil(day, &year, &month, &dom);
    return (year - 2000) * 12 + month;
}

int32_t customer_month_day(int month)
{
    int months = month + 11; /* since January 1999 */
    return calendar_day(1999 + months / 12, months % 12 + 1, 1);
}

bool customer_has_month(const struct customer *customer, int month)
{
    return month >= 0 && month < CUSTOMER_MONTHS &&
           (customer->months[month / 8] >> (month % 8) & 1);
}

int sale_compare(const struct lists *lists, const struct sale *a, const struct sale *b)
{
    if (a->time_s != b->time_s)
        return a->time_s < b->time_s ? -1 : 1;
    return lists_compare(lists, a->list, b->list);
}

int rating_compare(const struct rating *a, const struct rating *b)
{
    if (a->time_s != b->time_s)
        return a->time_s < b->time_s ? -1 : 1;
    if (a->scale != b->scale)
        return a->scale < b->scale ? -1 : 1;
    return (a->ref > b->ref) - (a->ref < b->ref);
}

bool customer_takes(const struct customer_rules *rules, const struct deed *deed)
{
    return deed->kind == DEED_REFERRED_BY_SALE || deed->kind == DEED_REFERRED_BY_SERVICE ||
           deed->day >= rules->from_day;
}

/* From behind: most sales come in their order. */
static bool keep_sale(struct customer *customer, const struct lists *lists, const struct sale *sale)
{
    size_t at = customer->sale_count;
    if (!reserve_sales(customer, at + 1))
        return false;
    for (; at > 0 && sale_compare(lists, &customer->sales[at - 1], sale) > 0; at--)
        customer->sales[at] = customer->sales[at - 1];
    customer->sales[at] = *sale;
    customer->sale_count++;
    return true;
}

static bool add_sale(struct customer *customer, const struct customer_rules *rules,
                     const struct lists *lists, const struct deed *deed)
{
    struct sale sale = {deed->time_s, deed->list};
    int month = customer_month(deed->day);
    if (!customer->has_sale || sale_compare(lists, &sale, &customer->first) < 0)
        customer->first = sale;
    customer->has_sale = true;
    if (month >= 0 && month < CUSTOMER_MONTHS)
        customer->months[month / 8] |= (uint8_t)(1u << (month % 8));
    return customer->overflowed || !customer_takes(rules, deed) ||
           keep_sale(customer, lists, &sale);
}

static void add_referral(struct customer *customer, const struct deed *deed)
{
    enum referral side =
        deed->kind == DEED_REFERRED_BY_SALE ? REFERRAL_BY_SALE : REFERRAL_BY_SERVICE;
    bool earlier = customer->referral == REFERRAL_NONE || deed->time_s < customer->referral_s ||
                   (deed->time_s == customer->referral_s && side < customer->referral);
    if (!earlier)
        return;
    customer->referral = side;
    customer->referral_s = deed->time_s;
}

/* The later answer; of one second the higher score, then the larger list of scopes. */
static bool replaces(const struct lists *lists, const struct rating *a, const struct rating *b)
{
    if (a->time_s != b->time_s)
        return a->time_s > b->time_s;
    if (a->score != b->score)
        return a->score > b->score;
    return lists_compare(lists, a->list, b->list) > 0;
}

static size_t find_answer(const struct customer *customer, const struct rating *rating)
{
    size_t at = 0;
    while (at < customer->rating_count && (customer->ratings[at].ref != rating->ref ||
                                           customer->ratings[at].scale != rating->scale))
        at++;
    return at;
}

static bool add_rating(struct customer *customer, const struct lists *lists,
                       const struct deed *deed)
{
    struct rating rating = {deed->time_s, deed->ref, deed->list, deed->scale, deed->score};
    size_t at = find_answer(customer, &rating), count = customer->rating_count;
    if (at < count) {
        customer->replaced++;
        if (!replaces(lists, &rating, &customer->ratings[at]))
            return true;
        memmove(customer->ratings + at, customer->ratings + at + 1, (--count - at) * sizeof rating);
    }
    if (!reserve_ratings(customer, count + 1))
        return false;
    for (at = count; at > 0 && rating_compare(&customer->ratings[at - 1], &rating) > 0; at--)
        customer->ratings[at] = customer->ratings[at - 1];
    customer->ratings[at] = rating;
    customer->rating_count = count + 1;
    return true;
}

/* The lists alone are dropped: who bought first, when, and through whom stays known. */
static void check_limit(struct customer *customer, const struct customer_rules *rules)
{
    uint64_t count = (uint64_t)customer->sale_count + customer->rating_count + customer->replaced;
    if (count <= rules->limit)
        return;
    customer->overflowed = true;
    customer->sale_count = customer->rating_count = 0;
    customer->replaced = 0;
    runs_clear(&customer->contacts);
    runs_clear(&customer->interactions);
}

/* What only counts as long as the customer is within the limit. */
static bool add_to_lists(struct customer *customer, const struct lists *lists,
                         const struct deed *deed)
{
    switch (deed->kind) {
    case DEED_INTERACTION:
        return runs_add(&customer->interactions, deed->time_s, CUSTOMER_INTERACTION_S);
    case DEED_CONTACT:
        return runs_add(&customer->contacts, deed->time_s, CUSTOMER_CONTACT_S);
    case DEED_RATING:
        return add_rating(customer, lists, deed);
    default:
        return true;
    }
}

bool customer_add(struct customer *customer, const struct customer_rules *rules,
                  const struct lists *lists, const struct deed *deed)
{
    bool added = true;
    if (deed->kind == DEED_SALE)
        added = add_sale(customer, rules, lists, deed);
    else if (deed->kind == DEED_REFERRED_BY_SALE || deed->kind == DEED_REFERRED_BY_SERVICE)
        add_referral(customer, deed);
    else if (!customer->overflowed && customer_takes(rules, deed))
        added = add_to_lists(customer, lists, deed);
    if (!customer->overflowed)
        check_limit(customer, rules);
    return added;
}

#include "consumers/customers/contribution.h"

#include "common/scope.h"

static const char *const fields[] = {
    "customers_new",
    "customers_new_by_sale",
    "customers_new_by_service",
    "orders_identified",
    "orders_returning",
    "orders_after_interaction",
    "orders_after_service",
    "month_buyers",
    "retained",
    "satisfied",
    "satisfied_returned",
    "dissatisfied",
    "dissatisfied_returned",
    "ledger_too_old",
    "ledger_overflow",
    NULL,
};

const struct tally_layout contribution_layout = {fields, NULL, NULL, NULL};

#define BIT(field) (1u << (field))

/* Fields that count one, as bits, at an event. */
struct mark {
    int64_t time_s;
    uint32_t list;
    unsigned fields;
};

static void add_row(struct tally *tally, int32_t day, uint32_t scope, unsigned marked,
                    int64_t amount)
{
    if (marked == 0)
        return;
    int64_t *row = tally_row(tally, TALLY_DAY, day, scope, TALLY_FIELDS);
    for (int field = 0; marked >> field; field++)
        if (marked >> field & 1)
            tally_add(tally, &row[field], amount);
}

/* On the event's day, in scope `all` and in its own scopes. */
static void add_mark(const struct contribution *to, struct mark mark, int64_t amount)
{
    size_t count;
    if (mark.fields == 0)
        return;
    int32_t day = zone_day(to->rules->zone, mark.time_s);
    const uint32_t *ids = lists_ids(to->lists, mark.list, &count);
    add_row(to->tally, day, SCOPE_ALL, mark.fields, amount);
    for (size_t i = 0; i < count; i++)
        add_row(to->tally, day, ids[i], mark.fields, amount);
}

/* Every sale counts as a return; the first one's is taken back with what makes it the first. */
void contribution_deed(const struct contribution *to, const struct deed *deed)
{
    struct mark mark = {deed->time_s, deed->list, BIT(ORDERS_IDENTIFIED) | BIT(ORDERS_RETURNING)};
    if (deed->kind == DEED_SALE)
        add_mark(to, mark, 1);
    if (!customer_takes(to->rules, deed))
        add_row(to->tally, deed->day, SCOPE_ALL, BIT(LEDGER_TOO_OLD), 1);
}

static unsigned first_fields(const struct customer *customer)
{
    unsigned marked = BIT(CUSTOMERS_NEW);
    if (!customer->has_sale)
        return 0;
    if (customer->referral && customer->referral_s <= customer->first.time_s + CUSTOMER_REFERRAL_S)
        marked |= customer->referral == REFERRAL_BY_SALE ? BIT(CUSTOMERS_NEW_BY_SALE)
                                                         : BIT(CUSTOMERS_NEW_BY_SERVICE);
    return marked;
}

static void add_first(const struct contribution *to, const struct customer *customer,
                      int64_t amount)
{
    struct mark mark = {customer->first.time_s, customer->first.list, first_fields(customer)};
    if (!customer->has_sale)
        return;
    add_mark(to, mark, amount);
    mark.fields = BIT(ORDERS_RETURNING);
    add_mark(to, mark, -amount);
}

static void difference_of_first(const struct contribution *to, const struct customer *before,
                                const struct customer *after)
{
    if (first_fields(before) == first_fields(after) &&
        before->first.time_s == after->first.time_s && before->first.list == after->first.list)
        return;
    add_first(to, before, -1);
    add_first(to, after, 1);
}

static unsigned month_fields(const struct customer *customer, int month)
{
    if (!customer_has_month(customer, month))
        return 0;
    return BIT(MONTH_BUYERS) | (customer_has_month(customer, month - 1) ? BIT(RETAINED) : 0);
}

static void difference_of_month(const struct contribution *to, const struct customer *before,
                                const struct customer *after, int month)
{
    unsigned old = month_fields(before, month), now = month_fields(after, month);
    if (old == now)
        return;
    add_row(to->tally, customer_month_day(month), SCOPE_ALL, old & ~now, -1);
    add_row(to->tally, customer_month_day(month), SCOPE_ALL, now & ~old, 1);
}

/* Byte by byte, for nearly all are equal; the month behind a changed byte depends on it too. */
static void difference_of_months(const struct contribution *to, const struct customer *before,
                                 const struct customer *after)
{
    bool changed = false;
    for (int byte = 0; byte < (int)sizeof after->months; byte++) {
        bool changed_before = changed;
        changed = before->months[byte] != after->months[byte];
        for (int i = 0; i < 8 && (changed || changed_before); i++)
            difference_of_month(to, before, after, 8 * byte + i);
    }
}

/* The next mark of a walk; false at its end. */
typedef bool next_mark(void *walk, struct mark *mark);

/* Goes through the sales and marks what they come after. */
struct sale_walk {
    const struct customer *customer;
    size_t next, contact, interaction;
};

static bool next_sale(void *own, struct mark *mark)
{
    struct sale_walk *walk = own;
    const struct customer *c = walk->customer;
    if (walk->next == c->sale_count)
        return false;
    const struct sale *sale = &c->sales[walk->next];
    bool first = walk->next == 0 && sale->time_s == c->first.time_s && sale->list == c->first.list;
    *mark = (struct mark){sale->time_s, sale->list, 0};
    if (runs_hold(&c->contacts, &walk->contact, sale->time_s, CUSTOMER_CONTACT_S) && !first)
        mark->fields |= BIT(ORDERS_AFTER_SERVICE);
    if (runs_hold(&c->interactions, &walk->interaction, sale->time_s, CUSTOMER_INTERACTION_S))
        mark->fields |= BIT(ORDERS_AFTER_INTERACTION);
    walk->next++;
    return true;
}

/* Goes through the ratings and marks those that a sale followed. */
struct rating_walk {
    const struct customer *customer;
    size_t next, sale;
};

static unsigned score_fields(const struct rating *rating, bool returned)
{
    if (rating->score >= (rating->scale == SCALE_CSAT ? 4 : 9))
        return BIT(SATISFIED) | (returned ? BIT(SATISFIED_RETURNED) : 0);
    if (rating->score <= (rating->scale == SCALE_CSAT ? 3 : 6))
        return BIT(DISSATISFIED) | (returned ? BIT(DISSATISFIED_RETURNED) : 0);
    return 0;
}

static bool next_rating(void *own, struct mark *mark)
{
    struct rating_walk *walk = own;
    const struct customer *c = walk->customer;
    if (walk->next == c->rating_count)
        return false;
    const struct rating *rating = &c->ratings[walk->next++];
    while (walk->sale < c->sale_count && c->sales[walk->sale].time_s <= rating->time_s)
        walk->sale++;
    bool returned = walk->sale < c->sale_count &&
                    c->sales[walk->sale].time_s <= rating->time_s + CUSTOMER_RETURN_S;
    *mark = (struct mark){rating->time_s, rating->list, score_fields(rating, returned)};
    return true;
}

/* The pairing only saves work: two marks that are not paired are taken back and added, which comes
 * to the same. */
static int pair(const struct contribution *to, bool has_old, struct mark old, bool has_now,
                struct mark now)
{
    if (!has_old || !has_now)
        return has_old ? -1 : 1;
    if (old.time_s != now.time_s)
        return old.time_s < now.time_s ? -1 : 1;
    int order = lists_compare(to->lists, old.list, now.list);
    if (order == 0 && old.fields != now.fields) {
        unsigned both = old.fields & now.fields;
        old.fields &= ~both;
        now.fields &= ~both;
        add_mark(to, old, -1);
        add_mark(to, now, 1);
    }
    return order;
}

/* Both walks go by time; what stands in one alone is taken back or added. */
static void difference_of_marks(const struct contribution *to, next_mark *next, void *left,
                                void *right)
{
    struct mark old = {0}, now = {0};
    bool has_old = next(left, &old), has_now = next(right, &now);
    while (has_old || has_now) {
        int order = pair(to, has_old, old, has_now, now);
        if (order < 0)
            add_mark(to, old, -1);
        if (order > 0)
            add_mark(to, now, 1);
        if (order <= 0)
            has_old = next(left, &old);
        if (order >= 0)
            has_now = next(right, &now);
    }
}

static void difference_of_sales(const struct contribution *to, const struct customer *before,
                                const struct customer *after)
{
    struct sale_walk left = {.customer = before}, right = {.customer = after};
    difference_of_marks(to, next_sale, &left, &right);
}

static void difference_of_ratings(const struct contribution *to, const struct customer *before,
                                  const struct customer *after)
{
    struct rating_walk left = {.customer = before}, right = {.customer = after};
    difference_of_marks(to, next_rating, &left, &right);
}

static void difference_of_overflow(const struct contribution *to, const struct customer *before,
                                   const struct customer *after)
{
    if (before->overflowed == after->overflowed)
        return;
    int64_t *row = tally_row(to->tally, TALLY_UNDATED, 0, SCOPE_ALL, TALLY_FIELDS);
    tally_add(to->tally, &row[LEDGER_OVERFLOW], after->overflowed ? 1 : -1);
}

void contribution_difference(const struct contribution *to, const struct customer *before,
                             const struct customer *after)
{
    difference_of_first(to, before, after);
    difference_of_months(to, before, after);
    difference_of_sales(to, before, after);
    difference_of_ratings(to, before, after);
    difference_of_overflow(to, before, after);
}

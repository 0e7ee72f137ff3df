#include "customer_rules.h"

#include "common/calendar.h"

#include <string.h>

#define DAY_S INT64_C(86400)

struct judge {
    const struct rules_event *events;
    int count;
    const struct customer_rules *bounds;
    rules_count *tell;
    void *context;
};

static bool is(const struct judge *j, int i, enum event_type type)
{
    return j->events[i].type == type;
}

/* ces is not used. */
static bool is_rating(const struct judge *j, int i)
{
    return is(j, i, EVENT_SERVICE_RATED) && j->events[i].scale != SCALE_CES;
}

static bool recent(const struct judge *j, int i)
{
    return j->events[i].day >= j->bounds->from_day;
}

static int64_t time_of(const struct judge *j, int i)
{
    return j->events[i].time_s;
}

static int compare_scopes(const struct rules_event *a, const struct rules_event *b)
{
    for (int i = 0;; i++) {
        const char *left = a->scopes[i], *right = b->scopes[i];
        if (!left || !right || strcmp(left, right) != 0)
            return left && right ? strcmp(left, right) : (left != NULL) - (right != NULL);
    }
}

static void count_on(const struct judge *j, int32_t day, enum customer_field field)
{
    j->tell(j->context, field, day, NULL);
}

static void count_at(const struct judge *j, int i, enum customer_field field)
{
    const struct rules_event *event = &j->events[i];
    count_on(j, event->day, field);
    for (int n = 0; event->scopes[n]; n++)
        j->tell(j->context, field, event->day, event->scopes[n]);
}

static int first_sale(const struct judge *j)
{
    int first = -1;
    for (int i = 0; i < j->count; i++) {
        if (!is(j, i, EVENT_SALE_COMPLETED))
            continue;
        if (first < 0 || time_of(j, i) < time_of(j, first) ||
            (time_of(j, i) == time_of(j, first) &&
             compare_scopes(&j->events[i], &j->events[first]) < 0))
            first = i;
    }
    return first;
}

static bool after(const struct judge *j, int sale, enum event_type type, int64_t window_s)
{
    for (int i = 0; i < j->count; i++)
        if (is(j, i, type) && recent(j, i) && time_of(j, sale) >= time_of(j, i) &&
            time_of(j, sale) - time_of(j, i) <= window_s)
            return true;
    return false;
}

static void judge_sales(const struct judge *j, bool overflowed)
{
    int first = first_sale(j);
    for (int i = 0; i < j->count; i++) {
        if (!is(j, i, EVENT_SALE_COMPLETED))
            continue;
        count_at(j, i, ORDERS_IDENTIFIED);
        count_at(j, i, i == first ? CUSTOMERS_NEW : ORDERS_RETURNING);
        if (overflowed || !recent(j, i))
            continue;
        if (i != first && after(j, i, EVENT_SERVICE_OPENED, 30 * DAY_S))
            count_at(j, i, ORDERS_AFTER_SERVICE);
        if (after(j, i, EVENT_SALE_INTERACTION, 90 * DAY_S))
            count_at(j, i, ORDERS_AFTER_INTERACTION);
    }
}

/* Local months, counted on. */
static int month_of(const struct judge *j, int i)
{
    int year, month, day;
    calendar_civil(j->events[i].day, &year, &month, &day);
    return year * 12 + month - 1;
}

/* Of the events before `end`. */
static bool bought_in(const struct judge *j, int month, int end)
{
    for (int i = 0; i < end; i++)
        if (is(j, i, EVENT_SALE_COMPLETED) && month_of(j, i) == month)
            return true;
    return false;
}

static void judge_months(const struct judge *j)
{
    for (int i = 0; i < j->count; i++) {
        int month = month_of(j, i);
        int32_t first_day = calendar_day(month / 12, month % 12 + 1, 1);
        if (!is(j, i, EVENT_SALE_COMPLETED) || bought_in(j, month, i))
            continue;
        count_on(j, first_day, MONTH_BUYERS);
        if (bought_in(j, month - 1, j->count))
            count_on(j, first_day, RETAINED);
    }
}

static void judge_referral(const struct judge *j)
{
    int first = first_sale(j), earliest = -1;
    for (int i = 0; i < j->count; i++) {
        bool by_sale = is(j, i, EVENT_SALE_REFERRED);
        if (!by_sale && !is(j, i, EVENT_SERVICE_REFERRED))
            continue;
        if (earliest < 0 || time_of(j, i) < time_of(j, earliest) ||
            (time_of(j, i) == time_of(j, earliest) && by_sale))
            earliest = i;
    }
    if (first >= 0 && earliest >= 0 && time_of(j, earliest) - time_of(j, first) <= 90 * DAY_S)
        count_at(j, first,
                 is(j, earliest, EVENT_SALE_REFERRED) ? CUSTOMERS_NEW_BY_SALE
                                                      : CUSTOMERS_NEW_BY_SERVICE);
}

/* Whether answer i is replaced by answer k; equal ones by the one that stands further on. */
static bool is_replaced_by(const struct judge *j, int i, int k)
{
    const struct rules_event *a = &j->events[i], *b = &j->events[k];
    if (i == k || !is_rating(j, k) || !recent(j, k) || a->scale != b->scale || a->ref != b->ref)
        return false;
    if (a->time_s != b->time_s)
        return b->time_s > a->time_s;
    if (a->score != b->score)
        return b->score > a->score;
    int order = compare_scopes(a, b);
    return order ? order < 0 : k > i;
}

static bool returned(const struct judge *j, int rating)
{
    for (int i = 0; i < j->count; i++)
        if (is(j, i, EVENT_SALE_COMPLETED) && recent(j, i) && time_of(j, i) > time_of(j, rating) &&
            time_of(j, i) - time_of(j, rating) <= 90 * DAY_S)
            return true;
    return false;
}

static void judge_rating(const struct judge *j, int i)
{
    bool csat = j->events[i].scale == SCALE_CSAT;
    int score = j->events[i].score;
    for (int k = 0; k < j->count; k++)
        if (is_replaced_by(j, i, k))
            return;
    if (csat ? score >= 4 : score >= 9) {
        count_at(j, i, SATISFIED);
        if (returned(j, i))
            count_at(j, i, SATISFIED_RETURNED);
    } else if (csat || score <= 6) {
        count_at(j, i, DISSATISFIED);
        if (returned(j, i))
            count_at(j, i, DISSATISFIED_RETURNED);
    }
}

static bool is_overflowed(const struct judge *j)
{
    uint32_t count = 0;
    for (int i = 0; i < j->count; i++)
        count += (is(j, i, EVENT_SALE_COMPLETED) || is_rating(j, i)) && recent(j, i);
    return count > j->bounds->limit;
}

static bool is_bounded(const struct judge *j, int i)
{
    return is(j, i, EVENT_SALE_COMPLETED) || is(j, i, EVENT_SALE_INTERACTION) ||
           is(j, i, EVENT_SERVICE_OPENED) || is_rating(j, i);
}

void rules_judge(const struct rules_event *events, int count, const struct customer_rules *bounds,
                 rules_count *tell, void *context)
{
    struct judge judge = {events, count, bounds, tell, context}, *j = &judge;
    bool overflowed = is_overflowed(j);
    judge_sales(j, overflowed);
    judge_months(j);
    judge_referral(j);
    for (int i = 0; i < count; i++) {
        if (is_bounded(j, i) && !recent(j, i))
            count_on(j, events[i].day, LEDGER_TOO_OLD);
        if (is_rating(j, i) && recent(j, i) && !overflowed)
            judge_rating(j, i);
    }
    if (overflowed)
        tell(context, LEDGER_OVERFLOW, INT32_MIN, NULL);
}

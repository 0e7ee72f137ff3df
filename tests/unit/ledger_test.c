/* The rules of the customer counters, one by one. Every case is played four ways - in its order,
 * backwards, event by event and with each batch dropped once - and has to come to the same. */
#include "tests/unit/shelf.h"

#include "common/calendar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct zone *bucharest;

static int open_zone(void **state)
{
    (void)state;
    return zone_open(&bucharest, "Europe/Bucharest", NULL);
}

static int close_zone(void **state)
{
    (void)state;
    zone_free(bucharest);
    return 0;
}

enum { EVENTS_MAX = 64 };

enum way { WAY_FORWARD, WAY_BACKWARD, WAY_SINGLY, WAY_DROPPED, WAYS };

static int split(char *events, char **list)
{
    int count = 0;
    char *rest;
    for (char *at = strtok_r(events, ";", &rest); at; at = strtok_r(NULL, ";", &rest)) {
        assert_true(count < EVENTS_MAX);
        list[count++] = at;
    }
    return count;
}

static struct shelf *play(const struct customer_rules *rules, const char *events, enum way way)
{
    char *copy = strdup(events), *list[EVENTS_MAX];
    struct shelf *shelf = shelf_open(rules, "region,rep,line");
    int count = split(copy, list);
    for (int i = 0; i < count; i++) {
        const char *words = list[way == WAY_BACKWARD ? count - 1 - i : i];
        shelf_take(shelf, 0, words);
        if (way == WAY_DROPPED) {
            shelf_drop(shelf);
            shelf_take(shelf, 0, words);
        }
        if (way >= WAY_SINGLY)
            shelf_apply(shelf);
    }
    shelf_apply(shelf);
    free(copy);
    return shelf;
}

static void expect(const struct customer_rules *rules, const char *events, const char *counters,
                   bool scopes)
{
    for (enum way way = WAY_FORWARD; way < WAYS; way++) {
        struct shelf *shelf = play(rules, events, way);
        char *found = shelf_print(shelf, scopes);
        if (strcmp(found, counters) != 0)
            fail_msg("%s\n  way %d\n  expected %s\n  found    %s", events, way, counters, found);
        free(found);
        shelf_free(shelf);
    }
}

struct scene {
    const char *events, *counters;
};

static void expect_all(const struct scene *scenes, size_t count, const char *from, uint32_t limit)
{
    struct customer_rules rules = {bucharest, INT32_MIN, limit};
    if (from)
        assert_true(calendar_parse_date(text_of(from), &rules.from_day));
    for (size_t i = 0; i < count; i++)
        expect(&rules, scenes[i].events, scenes[i].counters, false);
}

#define EXPECT(scenes, from, limit) \
    expect_all(scenes, sizeof(scenes) / sizeof *(scenes), from, limit)

static void the_first_sale_is_new_and_every_other_returns(void **state)
{
    (void)state;
    static const struct scene scenes[] = {
        {"sale 2026-01-05", "2026-01-01 month_buyers | 2026-01-05 customers_new orders_identified"},
        {"sale 2026-01-05;sale 2026-01-07",
         "2026-01-01 month_buyers | 2026-01-05 customers_new orders_identified | "
         "2026-01-07 orders_identified orders_returning"},
        /* Of two in one second one is the first. */
        {"sale 2026-01-05;sale 2026-01-05",
         "2026-01-01 month_buyers | 2026-01-05 customers_new orders_identified=2 orders_returning"},
        /* A day ends at local midnight: 22:00 UTC is the next day there. */
        {"sale 2026-01-05T21:59:59Z;sale 2026-01-05T22:00:00Z",
         "2026-01-01 month_buyers | 2026-01-05 customers_new orders_identified | "
         "2026-01-06 orders_identified orders_returning"},
        {"refund 2026-01-05;sale 2026-01-07 customer=", ""},
        {"sale 2026-01-05 customer=a;sale 2026-01-05 customer=b",
         "2026-01-01 month_buyers=2 | 2026-01-05 customers_new=2 orders_identified=2"},
    };
    EXPECT(scenes, NULL, 2000);
}

static void a_sale_counts_in_its_scopes_and_each_line_once(void **state)
{
    (void)state;
    struct customer_rules rules = {bucharest, INT32_MIN, 2000};
    expect(&rules, "sale 2026-01-05 region=north line=a,b,a;sale 2026-01-06 rep=ana",
           "2026-01-01 all month_buyers | 2026-01-05 all customers_new orders_identified | "
           "2026-01-05 line=a customers_new orders_identified | "
           "2026-01-05 line=b customers_new orders_identified | "
           "2026-01-05 region=north customers_new orders_identified | "
           "2026-01-06 all orders_identified orders_returning | "
           "2026-01-06 rep=ana orders_identified orders_returning",
           true);
    expect(&rules, "sale 2026-01-05 line=__a,__b",
           "2026-01-01 all month_buyers | 2026-01-05 all customers_new orders_identified | "
           "2026-01-05 line=__other__ customers_new orders_identified",
           true);
}

static void of_one_second_the_smaller_list_of_scopes_is_first(void **state)
{
    (void)state;
    struct customer_rules rules = {bucharest, INT32_MIN, 2000};
    expect(&rules, "sale 2026-01-05 region=b;sale 2026-01-05 region=a",
           "2026-01-01 all month_buyers | "
           "2026-01-05 all customers_new orders_identified=2 orders_returning | "
           "2026-01-05 region=a customers_new orders_identified | "
           "2026-01-05 region=b orders_identified orders_returning",
           true);
    /* What another list begins with comes before it; line= before region=. */
    expect(&rules, "sale 2026-01-05 line=a,b;sale 2026-01-05 line=a",
           "2026-01-01 all month_buyers | "
           "2026-01-05 all customers_new orders_identified=2 orders_returning | "
           "2026-01-05 line=a customers_new orders_identified=2 orders_returning | "
           "2026-01-05 line=b orders_identified orders_returning",
           true);
    expect(&rules, "sale 2026-01-05 region=a;sale 2026-01-05 region=a line=z",
           "2026-01-01 all month_buyers | "
           "2026-01-05 all customers_new orders_identified=2 orders_returning | "
           "2026-01-05 line=z customers_new orders_identified | "
           "2026-01-05 region=a customers_new orders_identified=2 orders_returning",
           true);
}

#define TWO(second, more)                                                            \
    "2026-01-01 month_buyers | 2026-01-05 customers_new orders_identified | " second \
    " orders_identified orders_returning" more

static void a_sale_after_service_is_one_within_thirty_days_of_a_contact(void **state)
{
    (void)state;
    static const struct scene scenes[] = {
        {"sale 2026-01-05;contact 2026-01-10;sale 2026-01-20",
         TWO("2026-01-20", " orders_after_service")},
        {"sale 2026-01-05;contact 2026-01-20;sale 2026-01-20",
         TWO("2026-01-20", " orders_after_service")},
        {"sale 2026-01-05;contact 2026-01-20T12:00:01Z;sale 2026-01-20", TWO("2026-01-20", "")},
        {"sale 2026-01-05;contact 2025-12-21;sale 2026-01-20",
         TWO("2026-01-20", " orders_after_service")},
        {"sale 2026-01-05;contact 2025-12-21T11:59:59Z;sale 2026-01-20", TWO("2026-01-20", "")},
        /* Half a second later is the same second. */
        {"sale 2026-01-05;contact 2026-01-20T12:00:00.999Z;sale 2026-01-20",
         TWO("2026-01-20", " orders_after_service")},
        /* Once, however many; and the middle one of a run answers for itself. */
        {"sale 2026-01-05;contact 2026-01-19;contact 2025-12-26;contact 2026-01-10;sale 2026-01-20",
         TWO("2026-01-20", " orders_after_service")},
        /* Never at the first sale. */
        {"contact 2026-01-04;sale 2026-01-05",
         "2026-01-01 month_buyers | 2026-01-05 customers_new orders_identified"},
        /* Two equal ones: one of them is not the first. */
        {"contact 2026-01-04;sale 2026-01-05;sale 2026-01-05",
         "2026-01-01 month_buyers | 2026-01-05 customers_new orders_identified=2 "
         "orders_returning orders_after_service"},
    };
    EXPECT(scenes, NULL, 2000);
}

static void a_sale_after_an_interaction_is_one_within_ninety_days(void **state)
{
    (void)state;
    static const struct scene scenes[] = {
        {"interaction 2026-01-01;sale 2026-01-05",
         "2026-01-01 month_buyers | "
         "2026-01-05 customers_new orders_identified orders_after_interaction"},
        {"interaction 2025-10-07;sale 2026-01-05",
         "2026-01-01 month_buyers | "
         "2026-01-05 customers_new orders_identified orders_after_interaction"},
        {"interaction 2025-10-07T11:59:59Z;sale 2026-01-05",
         "2026-01-01 month_buyers | 2026-01-05 customers_new orders_identified"},
        {"interaction 2026-01-05T12:00:01Z;sale 2026-01-05",
         "2026-01-01 month_buyers | 2026-01-05 customers_new orders_identified"},
        {"interaction 2026-01-05T12:00:01Z;sale 2026-01-05;sale 2026-01-05T12:00:01Z",
         "2026-01-01 month_buyers | 2026-01-05 customers_new orders_identified=2 "
         "orders_returning orders_after_interaction"},
    };
    EXPECT(scenes, NULL, 2000);
}

static void a_month_with_a_sale_is_retained_when_the_month_before_has_one(void **state)
{
    (void)state;
    static const struct scene scenes[] = {
        {"sale 2026-01-31;sale 2026-02-01;sale 2026-02-03",
         "2026-01-01 month_buyers | 2026-01-31 customers_new orders_identified | "
         "2026-02-01 orders_identified orders_returning month_buyers retained | "
         "2026-02-03 orders_identified orders_returning"},
        {"sale 2025-12-15;sale 2026-01-15;sale 2026-03-15",
         "2025-12-01 month_buyers | 2025-12-15 customers_new orders_identified | "
         "2026-01-01 month_buyers retained | 2026-01-15 orders_identified orders_returning | "
         "2026-03-01 month_buyers | 2026-03-15 orders_identified orders_returning"},
        /* The month is the local one. */
        {"sale 2026-01-31T22:00:00Z", "2026-02-01 customers_new orders_identified month_buyers"},
        /* The ends of what a time may be; eight months apart, so over the edge of a byte too. */
        {"sale 2000-01-01T00:00:00+02:00;sale 2000-07-10;sale 2000-08-10",
         "2000-01-01 customers_new orders_identified month_buyers | 2000-07-01 month_buyers | "
         "2000-07-10 orders_identified orders_returning | 2000-08-01 month_buyers retained | "
         "2000-08-10 orders_identified orders_returning"},
        {"sale 2000-01-01T00:00:00+23:59;sale 2099-12-31T23:59:59-23:59",
         "1999-12-01 month_buyers | 1999-12-31 customers_new orders_identified | "
         "2100-01-01 month_buyers | 2100-01-02 orders_identified orders_returning"},
    };
    EXPECT(scenes, NULL, 2000);
}

static void the_earliest_referral_converts_at_the_first_sale(void **state)
{
    (void)state;
    static const struct scene scenes[] = {
        {"sale.referred 2026-01-01;sale 2026-01-05",
         "2026-01-01 month_buyers | "
         "2026-01-05 customers_new customers_new_by_sale orders_identified"},
        {"service.referred 2001-01-01;sale.referred 2026-01-01;sale 2026-01-05",
         "2026-01-01 month_buyers | "
         "2026-01-05 customers_new customers_new_by_service orders_identified"},
        {"service.referred 2026-01-01;sale.referred 2026-01-01;sale 2026-01-05",
         "2026-01-01 month_buyers | "
         "2026-01-05 customers_new customers_new_by_sale orders_identified"},
        {"service.referred 2026-04-05;sale 2026-01-05",
         "2026-01-01 month_buyers | "
         "2026-01-05 customers_new customers_new_by_service orders_identified"},
        {"service.referred 2026-04-05T12:00:01Z;sale 2026-01-05",
         "2026-01-01 month_buyers | 2026-01-05 customers_new orders_identified"},
        {"service.referred 2026-04-05", ""},
        /* An earlier sale takes the referral out of its reach, and the conversion with it. */
        {"service.referred 2026-04-05;sale 2026-01-05;sale 2026-01-04",
         "2026-01-01 month_buyers | 2026-01-04 customers_new orders_identified | "
         "2026-01-05 orders_identified orders_returning"},
    };
    EXPECT(scenes, NULL, 2000);
}

static void a_rating_counts_by_its_latest_answer_and_whether_a_sale_followed(void **state)
{
    (void)state;
    static const struct scene scenes[] = {
        {"csat4 2026-01-01 ref=a;csat5 2026-01-01 ref=b;nps9 2026-01-01 ref=c;nps10 2026-01-01",
         "2026-01-01 satisfied=4"},
        {"csat1 2026-01-01 ref=a;csat3 2026-01-01 ref=b;nps0 2026-01-01 ref=c;nps6 2026-01-01",
         "2026-01-01 dissatisfied=4"},
        {"nps7 2026-01-01 ref=a;nps8 2026-01-01 ref=b;ces1 2026-01-01;ces7 2026-01-01", ""},
        {"csat5 2026-01-01;csat1 2026-01-02", "2026-01-02 dissatisfied"},
        {"csat5 2026-01-01;nps0 2026-01-02", "2026-01-01 satisfied | 2026-01-02 dissatisfied"},
        {"nps10 2026-01-01;nps7 2026-01-02", ""},
        {"csat5 2026-01-01;csat1 2026-01-01;csat2 2026-01-01", "2026-01-01 satisfied"},
        /* 0 < s - r <= 90 days. */
        {"csat5 2026-01-05;sale 2026-01-05",
         "2026-01-01 month_buyers | 2026-01-05 customers_new orders_identified satisfied"},
        {"csat5 2026-01-05;sale 2026-01-05T12:00:01Z;sale 2026-01-05T12:00:02Z",
         "2026-01-01 month_buyers | 2026-01-05 customers_new orders_identified=2 "
         "orders_returning satisfied satisfied_returned"},
        {"nps0 2025-10-07;sale 2026-01-05",
         "2025-10-07 dissatisfied dissatisfied_returned | 2026-01-01 month_buyers | "
         "2026-01-05 customers_new orders_identified"},
        {"nps0 2025-10-07T11:59:59Z;sale 2026-01-05",
         "2025-10-07 dissatisfied | 2026-01-01 month_buyers | "
         "2026-01-05 customers_new orders_identified"},
        /* Answered again, the return belongs to the new answer's day. */
        {"csat5 2025-12-30;sale 2026-01-05;csat4 2025-12-31;csat1 2025-12-29",
         "2025-12-31 satisfied satisfied_returned | 2026-01-01 month_buyers | "
         "2026-01-05 customers_new orders_identified"},
    };
    EXPECT(scenes, NULL, 2000);
}

static void of_one_second_and_score_the_answer_with_the_larger_scopes_counts(void **state)
{
    (void)state;
    struct customer_rules rules = {bucharest, INT32_MIN, 2000};
    expect(&rules,
           "csat5 2026-01-01 region=b;csat5 2026-01-01 region=a;csat5 2026-01-01 rep=a;"
           "csat5 2026-01-01 region=b",
           "2026-01-01 all satisfied | 2026-01-01 rep=a satisfied", true);
    expect(&rules, "csat4 2026-01-01 region=b;csat5 2026-01-01 region=a",
           "2026-01-01 all satisfied | 2026-01-01 region=a satisfied", true);
}

static void before_the_first_day_events_count_as_too_old_and_only_make_new_or_returning(
    void **state)
{
    (void)state;
    static const struct scene scenes[] = {
        {"interaction 2025-12-31;contact 2025-12-31;csat5 2025-12-31;ces1 2025-12-31",
         "2025-12-31 ledger_too_old=3"},
        {"sale.referred 2025-12-31;refund 2025-12-31", ""},
        /* Neither a contact nor a rating of before takes part, nor a sale; that of after does. */
        {"interaction 2025-12-31;contact 2025-12-31;csat5 2025-12-31;sale 2025-12-31;"
         "sale 2026-01-02",
         "2025-12-01 month_buyers | 2025-12-31 customers_new orders_identified ledger_too_old=4 | "
         "2026-01-01 month_buyers retained | 2026-01-02 orders_identified orders_returning"},
        {"sale 2025-12-31;contact 2026-01-01;sale 2026-01-02",
         "2025-12-01 month_buyers | 2025-12-31 customers_new orders_identified ledger_too_old | "
         "2026-01-01 month_buyers retained | "
         "2026-01-02 orders_identified orders_returning orders_after_service"},
        {"sale 2025-12-30;sale 2025-12-31;service.referred 2025-12-31",
         "2025-12-01 month_buyers | "
         "2025-12-30 customers_new customers_new_by_service orders_identified ledger_too_old | "
         "2025-12-31 orders_identified orders_returning ledger_too_old"},
        /* An answer of before replaces nothing, and is not replaced. */
        {"csat5 2025-12-31;csat1 2026-01-01;csat5 2025-12-31T22:00:00Z",
         "2025-12-31 ledger_too_old | 2026-01-01 dissatisfied"},
        /* The day begins at local midnight. */
        {"interaction 2025-12-31T21:59:59Z;interaction 2025-12-31T22:00:00Z",
         "2025-12-31 ledger_too_old"},
    };
    EXPECT(scenes, "2026-01-01", 2000);
}

static void above_the_limit_a_customer_leaves_the_rules_of_service_and_satisfaction(void **state)
{
    (void)state;
    static const struct scene scenes[] = {
        {"contact 2026-01-04;interaction 2026-01-04;sale 2026-01-05;sale 2026-01-06;"
         "csat5 2026-01-04",
         "2026-01-01 month_buyers | 2026-01-04 satisfied satisfied_returned | "
         "2026-01-05 customers_new orders_identified orders_after_interaction | 2026-01-06 "
         "orders_identified orders_returning orders_after_interaction orders_after_service"},
        {"contact 2026-01-04;interaction 2026-01-04;sale 2026-01-05;sale 2026-01-06;"
         "csat5 2026-01-04;csat5 2026-01-04",
         "2026-01-01 month_buyers | 2026-01-05 customers_new orders_identified | "
         "2026-01-06 orders_identified orders_returning | undated ledger_overflow"},
        {"csat5 2026-01-04;nps5 2026-01-04;sale 2026-01-05;sale 2026-02-05;sale 2026-01-04;"
         "csat5 2026-01-04;interaction 2026-01-04;contact 2026-01-04;service.referred 2026-01-04",
         "2026-01-01 month_buyers | 2026-01-04 customers_new customers_new_by_service "
         "orders_identified | 2026-01-05 orders_identified orders_returning | "
         "2026-02-01 month_buyers retained | 2026-02-05 orders_identified orders_returning | "
         "undated ledger_overflow"},
        /* Neither these nor what is too old count towards the limit. */
        {"contact 2026-01-04;contact 2026-05-04;interaction 2026-01-04;interaction 2026-06-04;"
         "sale.referred 2026-01-04;ces1 2026-01-04;refund 2026-01-04;sale 2019-01-04;"
         "csat5 2019-01-04;csat5 2026-01-04",
         "2019-01-01 month_buyers | 2019-01-04 customers_new orders_identified ledger_too_old=2 | "
         "2026-01-04 satisfied"},
        {"csat5 2026-01-04 ref=a;csat5 2026-01-04 ref=b;csat5 2026-01-04 ref=c;"
         "csat5 2026-01-04 ref=d",
         "undated ledger_overflow"},
    };
    EXPECT(scenes, "2020-01-01", 3);
}

static void a_forgotten_customer_is_anonymous_from_there_on(void **state)
{
    (void)state;
    struct customer_rules rules = {bucharest, INT32_MIN, 2000};
    struct shelf *shelf = shelf_open(&rules, "");
    shelf_take(shelf, 0, "sale 2026-01-05");
    shelf_apply(shelf);
    shelf_forget(shelf, 0, "c");
    shelf_take(shelf, 0, "sale 2026-01-06");
    shelf_take(shelf, 0, "csat5 2026-01-06");
    shelf_take(shelf, 1, "sale 2026-01-07");
    shelf_apply(shelf);
    char *found = shelf_print(shelf, false);
    assert_string_equal(found, "2026-01-01 month_buyers=2 | "
                               "2026-01-05 customers_new orders_identified | "
                               "2026-01-07 customers_new orders_identified");
    assert_int_equal(shelf_state(shelf, 0, "c").len, 0);
    free(found);
    shelf_free(shelf);
}

static void one_id_in_two_partitions_is_two_customers(void **state)
{
    (void)state;
    struct customer_rules rules = {bucharest, INT32_MIN, 2000};
    struct shelf *shelf = shelf_open(&rules, "");
    shelf_take(shelf, 0, "sale 2026-01-05");
    shelf_take(shelf, 1, "sale 2026-01-05");
    shelf_apply(shelf);
    char *found = shelf_print(shelf, false);
    assert_string_equal(
        found, "2026-01-01 month_buyers=2 | 2026-01-05 customers_new=2 orders_identified=2");
    free(found);
    shelf_free(shelf);
}

/* What an event adds that changes nothing in the state: there is nothing to write. */
static void a_state_that_stays_is_not_written_again(void **state)
{
    (void)state;
    struct customer_rules rules = {bucharest, INT32_MIN, 2000};
    struct dictionary *names;
    struct ledger *ledger;
    struct tally *tally;
    struct text bytes;
    struct error err;
    struct event event = {
        .type = EVENT_SERVICE_OPENED, .time_ms = INT64_C(1767600000000), .customer = text_of("c")};
    char known[64];
    assert_int_equal(dictionary_open(&names, &err), 0);
    assert_int_equal(ledger_open(&ledger, &rules, "", names, &err), 0);
    assert_int_equal(tally_open(&tally, &contribution_layout, &err), 0);
    ledger_add(ledger, 0, 0, &event);
    assert_int_equal(ledger_apply(ledger, tally, &err), 0);
    assert_true(ledger_state(ledger, 0, &bytes));
    assert_in_range(bytes.len, 1, sizeof known);
    memcpy(known, bytes.at, bytes.len);
    size_t len = bytes.len;
    ledger_reset(ledger);
    ledger_add(ledger, 0, 1, &event);
    ledger_known(ledger, 0, (struct text){known, len});
    assert_int_equal(ledger_apply(ledger, tally, &err), 0);
    assert_false(ledger_state(ledger, 0, &bytes));
    assert_int_equal(tally_cells(tally), 0);
    ledger_free(ledger);
    tally_free(tally);
    dictionary_free(names);
}

static void bytes_that_are_no_state_name_the_customer(void **state)
{
    (void)state;
    struct customer_rules rules = {bucharest, INT32_MIN, 2000};
    struct dictionary *names;
    struct ledger *ledger;
    struct tally *tally;
    struct error err;
    struct event event = {.type = EVENT_SERVICE_OPENED,
                          .time_ms = INT64_C(1767600000000),
                          .customer = text_of("c-8841")};
    assert_int_equal(dictionary_open(&names, &err), 0);
    assert_int_equal(ledger_open(&ledger, &rules, "", names, &err), 0);
    assert_int_equal(tally_open(&tally, &contribution_layout, &err), 0);
    ledger_add(ledger, 3, 0, &event);
    ledger_known(ledger, 0, text_of("nonsense"));
    assert_int_equal(ledger_apply(ledger, tally, &err), -1);
    assert_int_equal(err.code, ERROR_STORE);
    assert_string_equal(err.text,
                        "customer c-8841 of partition 3: 8 bytes that are no customer's state");
    ledger_free(ledger);
    tally_free(tally);
    dictionary_free(names);
}

static void print_group(const struct batch *batch, const struct batch_group *group, FILE *out)
{
    fprintf(out, "%.*s%.*s [%.*s]", TEXT_ARG(group->head), TEXT_ARG(group->value),
            TEXT_ARG(group->dirty));
    for (size_t i = 0; i < group->count; i++)
        fprintf(out, " %.*s=%lld", TEXT_ARG(batch->cells[group->first + i].field),
                (long long)batch->cells[group->first + i].delta);
    fprintf(out, "\n");
}

static void sums_go_to_the_shards_keys_but_not_below_the_floor(void **state)
{
    (void)state;
    struct customer_rules rules = {bucharest, INT32_MIN, 0};
    struct shelf *shelf = shelf_open(&rules, "region");
    struct batch batch;
    int32_t floor;
    char *text = NULL;
    size_t len;
    shelf_take(shelf, 0, "sale 2026-01-05 region=north");
    shelf_apply(shelf);
    batch_init(&batch);
    assert_true(calendar_parse_date(text_of("2026-01-05"), &floor));
    ledger_flush(shelf_names(shelf), shelf_sums(shelf), "tandem:{main.3}:", floor, &batch);
    FILE *out = open_memstream(&text, &len);
    for (size_t i = 0; i < batch.group_count; i++)
        print_group(&batch, &batch.groups[i], out);
    fclose(out);
    assert_string_equal(text, "tandem:{main.3}:customer:day:2026-01-05:all "
                              "[customer:2026-01-05:] customers_new=1 orders_identified=1\n"
                              "tandem:{main.3}:customer:day:2026-01-05:region=north "
                              "[customer:2026-01-05:] customers_new=1 orders_identified=1\n"
                              "tandem:{main.3}:customer:undated [] ledger_overflow=1\n");
    free(text);
    batch_free(&batch);
    shelf_free(shelf);
}

/* A house account within its limit: a thousand sales, one more each batch. */
static void a_customer_with_a_thousand_sales_is_counted_as_any_other(void **state)
{
    (void)state;
    struct customer_rules rules = {bucharest, INT32_MIN, 2000};
    struct shelf *shelf = shelf_open(&rules, "region");
    char words[64], time[32];
    for (int i = 0; i < 1000; i++) {
        int64_t hour = (i * 7919) % 1000; /* each hour once, in no order */
        calendar_format_time((INT64_C(1767261600) + hour * 3600) * 1000, time);
        snprintf(words, sizeof words, "sale %s region=r%d", time, i % 5);
        shelf_take(shelf, 0, words);
        if (i % 10 == 0)
            shelf_take(shelf, 0, "contact 2026-01-01");
        shelf_apply(shelf);
    }
    int64_t sums[CUSTOMER_FIELDS] = {0};
    for (size_t r = 0; r < tally_rows(shelf_sums(shelf)); r++) {
        struct tally_view row = tally_view(shelf_sums(shelf), r);
        for (int f = 0; f < CUSTOMER_FIELDS && row.scope == 0; f++)
            sums[f] += row.sums[f];
    }
    assert_int_equal(sums[CUSTOMERS_NEW], 1);
    assert_int_equal(sums[ORDERS_RETURNING], 999);
    assert_int_equal(sums[MONTH_BUYERS], 2);
    /* From noon of the first on, 30 days, both ends included; hour 0 is 10:00 UTC, and the sale of
     * that hour the first. */
    assert_int_equal(sums[ORDERS_AFTER_SERVICE], 721);
    assert_in_range(shelf_state(shelf, 0, "c").len, 1, 4100);
    shelf_free(shelf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_sale_is_new_and_every_other_returns),
        cmocka_unit_test(a_sale_counts_in_its_scopes_and_each_line_once),
        cmocka_unit_test(of_one_second_the_smaller_list_of_scopes_is_first),
        cmocka_unit_test(a_sale_after_service_is_one_within_thirty_days_of_a_contact),
        cmocka_unit_test(a_sale_after_an_interaction_is_one_within_ninety_days),
        cmocka_unit_test(a_month_with_a_sale_is_retained_when_the_month_before_has_one),
        cmocka_unit_test(the_earliest_referral_converts_at_the_first_sale),
        cmocka_unit_test(a_rating_counts_by_its_latest_answer_and_whether_a_sale_followed),
        cmocka_unit_test(of_one_second_and_score_the_answer_with_the_larger_scopes_counts),
        cmocka_unit_test(
            before_the_first_day_events_count_as_too_old_and_only_make_new_or_returning),
        cmocka_unit_test(above_the_limit_a_customer_leaves_the_rules_of_service_and_satisfaction),
        cmocka_unit_test(a_forgotten_customer_is_anonymous_from_there_on),
        cmocka_unit_test(one_id_in_two_partitions_is_two_customers),
        cmocka_unit_test(a_state_that_stays_is_not_written_again),
        cmocka_unit_test(bytes_that_are_no_state_name_the_customer),
        cmocka_unit_test(sums_go_to_the_shards_keys_but_not_below_the_floor),
        cmocka_unit_test(a_customer_with_a_thousand_sales_is_counted_as_any_other),
    };
    return cmocka_run_group_tests(tests, open_zone, close_zone);
}

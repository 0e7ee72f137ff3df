#include "tests/unit/book.h"
#include "tests/unit/event_maker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define TIME "2026-11-23T12:00:00Z"
#define DAY  "2026-11-23"

static struct book book;

static int set_up(void **state)
{
    (void)state;
    book_open(&book, &sales_kind, "region,channel,rep,line", "UTC");
    return 0;
}

static int take_down(void **state)
{
    (void)state;
    book_close(&book);
    return 0;
}

/* One event and everything it adds to the day, and to the hour. */
struct fold_case {
    const char *type, *members, *cells;
};

static void expect_all(const struct fold_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        book_clear(&book);
        book_add(&book, cases[i].type, TIME, cases[i].members);
        book_expect(&book, DAY, "all", cases[i].cells);
        book_expect(&book, DAY "T12", "all", cases[i].cells);
    }
}

#define EXPECT_ALL(cases) expect_all(cases, sizeof cases / sizeof *cases)

static void an_interaction_counts_its_kind_and_whether_a_prospect(void **state)
{
    (void)state;
    static const struct fold_case cases[] = {
        {"sale.interaction", "'kind':'lead'", "interactions=1 interaction_lead=1"},
        {"sale.interaction", "'kind':'quote','prospect':true",
         "interactions=1 interactions_prospect=1 interaction_quote=1"},
        {"sale.interaction", "'kind':'demo','prospect':false", "interactions=1 interaction_demo=1"},
        {"sale.interaction", "'kind':'visit'", "interactions=1 interaction_visit=1"},
        {"sale.interaction", "'kind':'call'", "interactions=1 interaction_call=1"},
        {"sale.interaction", "'kind':'other'", "interactions=1 interaction_other=1"},
    };
    EXPECT_ALL(cases);
}

static void an_order_counts_its_units_and_amounts(void **state)
{
    (void)state;
    static const struct fold_case cases[] = {
        {"sale.completed", "'currency':'RON','net':100",
         "orders=1 orders:RON=1 units=1 revenue:RON=100 net:RON=100"},
        {"sale.completed", "'currency':'JPY','net':0", "orders=1 orders:JPY=1 units=1"},
        {"sale.completed", "'currency':'RON','net':100,'cost':0",
         "orders=1 orders:RON=1 units=1 revenue:RON=100 net:RON=100 profit:RON=100 "
         "net_costed:RON=100"},
        {"sale.completed",
         "'currency':'RON','net':100,'cost':130,'discount':7,'units':3,'warranty_units':2",
         "orders=1 orders:RON=1 units=3 warranty_units=2 revenue:RON=100 net:RON=100 "
         "profit:RON=-30 net_costed:RON=100 cost:RON=130 discount:RON=7"},
        {"sale.completed", "'currency':'EUR','net':100,'units':0,'assist_ticket':'t'",
         "orders=1 orders:EUR=1 revenue:EUR=100 net:EUR=100 assisted_orders=1 "
         "assisted_net:EUR=100"},
        {"sale.completed",
         "'currency':'RON','net':9,'items':[{'sku':'a','qty':2,'net':4,'cost':1},"
         "{'sku':'b','qty':3,'net':5,'cost':1}]",
         "orders=1 orders:RON=1 units=5 revenue:RON=9 net:RON=9 profit:RON=7 net_costed:RON=9 "
         "cost:RON=2"},
        {"sale.completed",
         "'currency':'RON','net':9,'items':[{'sku':'a','qty':2,'net':4,'cost':1},"
         "{'sku':'b','qty':3,'net':5}]",
         "orders=1 orders:RON=1 units=5 revenue:RON=9 net:RON=9"},
    };
    EXPECT_ALL(cases);
}

#define REFUND "'order':'o','currency':'RON','net':50,"

static void a_refund_counts_its_reason_and_takes_amounts_back(void **state)
{
    (void)state;
    static const struct fold_case cases[] = {
        {"sale.refunded", REFUND "'reason':'return'",
         "refunds=1 refund_return=1 revenue:RON=-50 refund_net:RON=50"},
        {"sale.refunded", REFUND "'reason':'cancelled','full':true,'units':4",
         "refunds=1 refund_cancelled=1 refund_full=1 revenue:RON=-50 refund_net:RON=50"},
        {"sale.refunded", REFUND "'reason':'return','full':false,'cost':20",
         "refunds=1 refund_return=1 revenue:RON=-50 refund_net:RON=50 profit:RON=-30 "
         "refund_net_costed:RON=50 refund_cost:RON=20"},
        {"sale.refunded", REFUND "'reason':'chargeback'",
         "refunds=1 refund_chargeback=1 revenue:RON=-50 refund_net:RON=50 profit:RON=-50 "
         "refund_net_costed:RON=50"},
        {"sale.refunded", REFUND "'reason':'price'",
         "refunds=1 refund_price=1 revenue:RON=-50 refund_net:RON=50 profit:RON=-50 "
         "refund_net_costed:RON=50"},
        {"sale.refunded", REFUND "'reason':'warranty','cost':70",
         "refunds=1 refund_warranty=1 revenue:RON=-50 refund_net:RON=50 profit:RON=20 "
         "refund_net_costed:RON=50 refund_cost:RON=70"},
        {"sale.refunded", REFUND "'reason':'other','assist_ticket':'t'",
         "refunds=1 refund_other=1 revenue:RON=-50 refund_net:RON=50 "
         "refund_assisted_net:RON=50"},
        {"sale.referred", "'customer':'c','referrer':'d'", "referred=1"},
    };
    EXPECT_ALL(cases);
}

#define ITEMS                                                          \
    "'items':[{'sku':'a','line':'phones','qty':1,'net':60,'cost':40}," \
    "{'sku':'b','line':'cases','qty':2,'net':30},"                     \
    "{'sku':'c','line':'phones','qty':3,'net':10,'cost':5},{'sku':'d','qty':4,'net':7}]"

static void a_line_counts_the_order_once_and_the_rest_by_item(void **state)
{
    (void)state;
    book_add(&book, "sale.completed", TIME,
             "'currency':'RON','net':107,'discount':9,'cost':90,'units':10,'warranty_units':3,"
             "'region':'n'," ITEMS);
    book_expect(&book, DAY, "line=phones",
                "orders=1 orders:RON=1 units=4 revenue:RON=70 net:RON=70 profit:RON=25 "
                "net_costed:RON=70 cost:RON=45");
    book_expect(&book, DAY, "line=cases",
                "orders=1 orders:RON=1 units=2 revenue:RON=30 net:RON=30");
    static const char *const whole[] = {"all", "region=n"};
    for (int i = 0; i < 2; i++)
        book_expect(&book, DAY, whole[i],
                    "orders=1 orders:RON=1 units=10 warranty_units=3 revenue:RON=107 net:RON=107 "
                    "profit:RON=17 net_costed:RON=107 cost:RON=90 discount:RON=9");
    assert_int_equal(tally_rows(book.fold.tally), 2 * 5); /* all, n, phones, cases; the hour */
}

static void an_assisted_order_assists_each_of_its_lines_once(void **state)
{
    (void)state;
    book_add(&book, "sale.completed", TIME,
             "'currency':'RON','net':107,'assist_ticket':'t'," ITEMS);
    book_expect(&book, DAY, "line=phones",
                "orders=1 orders:RON=1 units=4 revenue:RON=70 net:RON=70 profit:RON=25 "
                "net_costed:RON=70 cost:RON=45 assisted_orders=1 assisted_net:RON=70");
    book_expect(&book, DAY, "line=cases",
                "orders=1 orders:RON=1 units=2 revenue:RON=30 net:RON=30 assisted_orders=1 "
                "assisted_net:RON=30");
}

static void lines_that_begin_with_two_underscores_are_counted_together(void **state)
{
    (void)state;
    book_add(&book, "sale.completed", TIME,
             "'currency':'RON','net':9,'items':[{'sku':'a','line':'__x','qty':1,'net':4},"
             "{'sku':'a','line':'__x','qty':1,'net':3},{'sku':'b','line':'__y','qty':1,'net':2}]");
    /* The order contains two such lines. */
    book_expect(&book, DAY, "line=__other__",
                "orders=2 orders:RON=2 units=3 revenue:RON=9 net:RON=9");
}

static void a_refund_of_a_line_counts_there_in_full(void **state)
{
    (void)state;
    book_add(&book, "sale.refunded", TIME,
             REFUND "'reason':'return','full':true,'cost':20,'assist_ticket':'t','line':'phones'");
    static const char *const scopes[] = {"all", "line=phones"};
    for (int i = 0; i < 2; i++)
        book_expect(&book, DAY, scopes[i],
                    "refunds=1 refund_return=1 refund_full=1 revenue:RON=-50 refund_net:RON=50 "
                    "profit:RON=-30 refund_net_costed:RON=50 refund_cost:RON=20 "
                    "refund_assisted_net:RON=50");
}

static void without_the_dimension_line_nothing_is_counted_by_line(void **state)
{
    (void)state;
    struct book plain;
    book_open(&plain, &sales_kind, "region", "UTC");
    book_add(&plain, "sale.completed", TIME, "'currency':'RON','net':107," ITEMS);
    book_add(&plain, "sale.refunded", TIME, REFUND "'reason':'return','line':'phones'");
    book_expect(&plain, DAY, "all",
                "orders=1 orders:RON=1 units=10 revenue:RON=57 net:RON=107 refunds=1 "
                "refund_return=1 refund_net:RON=50");
    assert_int_equal(tally_rows(plain.fold.tally), 4);
    book_close(&plain);
}

static void currencies_are_never_added_to_each_other(void **state)
{
    (void)state;
    book_add(&book, "sale.completed", TIME, "'currency':'RON','net':100");
    book_add(&book, "sale.completed", TIME, "'currency':'EUR','net':20");
    book_add(&book, "sale.refunded", TIME,
             "'order':'o','currency':'EUR','net':5,'reason':'return'");
    book_expect(&book, DAY, "all",
                "orders=2 units=2 refunds=1 refund_return=1 orders:RON=1 revenue:RON=100 "
                "net:RON=100 orders:EUR=1 revenue:EUR=15 net:EUR=20 refund_net:EUR=5");
}

/* One scope's cells of one currency, as a row. */
static int64_t money(const int64_t *row, const char *name)
{
    for (int i = 0; sales_kind.layout.currency[i]; i++)
        if (strcmp(sales_kind.layout.currency[i], name) == 0)
            return row[i];
    fail_msg("no field %s", name);
    return 0;
}

static void revenue_and_profit_are_what_the_other_fields_say(void **state)
{
    (void)state;
    static struct maker_dice dice;
    size_t held = 0;
    dice.seed = 11;
    for (int i = 0; i < 10000; i++) {
        enum event_type type = i % 3 ? EVENT_SALE_COMPLETED : EVENT_SALE_REFUNDED;
        maker_roll(&dice, type, (uint64_t)maker_below(&dice, 1 << MAKER_CHOICES));
        dice.event.time_ms = 1795435200000 + maker_below(&dice, 3 * 86400000);
        fold_event(&book.fold, &dice.event);
    }
    for (size_t r = 0; r < tally_rows(book.fold.tally); r++) {
        struct tally_view row = tally_view(book.fold.tally, r);
        if (row.block < TALLY_CURRENCY)
            continue;
        assert_true(money(row.sums, "revenue") ==
                    money(row.sums, "net") - money(row.sums, "refund_net"));
        assert_true(money(row.sums, "profit") ==
                    money(row.sums, "net_costed") - money(row.sums, "cost") -
                        (money(row.sums, "refund_net_costed") - money(row.sums, "refund_cost")));
        held += money(row.sums, "profit") != 0 && money(row.sums, "refund_cost") != 0;
    }
    assert_in_range(held, 100, SIZE_MAX); /* enough of them had something to say */
}

static void hours_sum_up_to_their_days(void **state)
{
    (void)state;
    static struct maker_dice dice;
    int64_t days[2] = {0}, hours[2] = {0};
    dice.seed = 12;
    for (int i = 0; i < 3000; i++) {
        maker_roll(&dice, (enum event_type)(i % 4),
                   (uint64_t)maker_below(&dice, 1 << MAKER_CHOICES));
        dice.event.time_ms = 1795435200000 + maker_below(&dice, 40 * INT64_C(86400000));
        fold_event(&book.fold, &dice.event);
    }
    for (size_t r = 0; r < tally_rows(book.fold.tally); r++) {
        struct tally_view row = tally_view(book.fold.tally, r);
        if (row.scope != SCOPE_ALL)
            continue;
        int64_t *sums = row.time == TALLY_DAY ? days : hours;
        for (int i = 0; i < row.width; i++)
            sums[row.block != TALLY_FIELDS] += row.sums[i] * (i + 1);
    }
    assert_true(days[0] != 0 && days[1] != 0);
    assert_true(days[0] == hours[0] && days[1] == hours[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_interaction_counts_its_kind_and_whether_a_prospect),
        TEST(an_order_counts_its_units_and_amounts),
        TEST(a_refund_counts_its_reason_and_takes_amounts_back),
        TEST(a_line_counts_the_order_once_and_the_rest_by_item),
        TEST(an_assisted_order_assists_each_of_its_lines_once),
        TEST(lines_that_begin_with_two_underscores_are_counted_together),
        TEST(a_refund_of_a_line_counts_there_in_full),
        TEST(without_the_dimension_line_nothing_is_counted_by_line),
        TEST(currencies_are_never_added_to_each_other),
        TEST(revenue_and_profit_are_what_the_other_fields_say),
        TEST(hours_sum_up_to_their_days),
    };
    return cmocka_run_group_tests_name("sales", tests, NULL, NULL);
}

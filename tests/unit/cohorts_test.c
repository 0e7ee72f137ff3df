#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/calendar.h"
#include "consumers/report/cohorts_print.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cohorts *cohorts;

static int setup(void **state)
{
    (void)state;
    return cohorts_open(&cohorts, NULL);
}

static int teardown(void **state)
{
    (void)state;
    cohorts_free(cohorts);
    return 0;
}

static int month(const char *name)
{
    char date[16];
    int32_t day;
    snprintf(date, sizeof date, "%.7s-01", name);
    assert_true(calendar_parse_date(text_of(date), &day));
    return customer_month(day);
}

/* `count` customers who bought in these months: "2026-01 2026-03". */
static void buy(int count, const char *months)
{
    struct customer customer;
    customer_init(&customer);
    for (const char *at = months; *at; at += at[7] ? 8 : 7) {
        int bit = month(at);
        customer.months[bit / 8] |= (uint8_t)(1 << (bit % 8));
    }
    for (int i = 0; i < count; i++) {
        cohorts_add(cohorts, &customer);
    }
    customer_free(&customer);
}

static char *printed(enum render_format format, enum language language)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    cohorts_print(out, format, cohorts, "main", language);
    fclose(out);
    return text;
}

static void is_printed(enum render_format format, enum language language, const char *expected)
{
    char *text = printed(format, language);
    assert_string_equal(text, expected);
    free(text);
}

static void a_customer_counts_in_the_month_of_the_first_purchase_and_each_later_one(void **state)
{
    (void)state;
    buy(3, "2026-01");
    buy(1, "2026-01 2026-03");
    buy(2, "2026-02 2026-03");
    buy(4, "");
    assert_int_equal(cohorts_customers(cohorts), 6);
    assert_int_equal(cohorts_first(cohorts), month("2026-01"));
    assert_int_equal(cohorts_last(cohorts), month("2026-03"));
    assert_int_equal(cohorts_at(cohorts, month("2026-01"), 0), 4);
    assert_int_equal(cohorts_at(cohorts, month("2026-01"), 1), 0);
    assert_int_equal(cohorts_at(cohorts, month("2026-01"), 2), 1);
    assert_int_equal(cohorts_at(cohorts, month("2026-02"), 1), 2);
    assert_int_equal(cohorts_at(cohorts, month("2026-03"), 0), 0);
}

static void the_first_and_the_last_month_there_are_have_a_place(void **state)
{
    (void)state;
    buy(2, "1999-12 2100-01");
    buy(1, "2100-01");
    assert_int_equal(cohorts_at(cohorts, 0, month("2100-01")), 2);
    assert_int_equal(cohorts_at(cohorts, month("2100-01"), 0), 1);
}

static void the_table_tells_shares_in_whole_percent(void **state)
{
    (void)state;
    buy(1999, "2026-01");
    buy(1, "2026-01 2026-02");
    buy(1, "2026-03");
    buy(1, "2026-03 2026-04");
    is_printed(RENDER_TABLE, LANGUAGE_EN,
               "Customers by the month of their first purchase\n"
               "main\n"
               "Share of them, in %, who bought so many months later.\n"
               "\n"
               "First purchase     customers   0   1   2   3\n"
               "2026-01                2,000 100   0   0   0\n"
               "2026-03                    2 100  50\n");
    is_printed(RENDER_MARKDOWN, LANGUAGE_RO,
               "# Clienți după luna primei cumpărări\n\n"
               "main\n\n"
               "Ponderea lor, în %, care au cumpărat după atâtea luni.\n\n"
               "| Prima cumpărare | clienți | 0 | 1 | 2 | 3 |\n"
               "| --- | ---: | ---: | ---: | ---: | ---: |\n"
               "| 2026-01 | 2.000 | 100 | 0 | 0 | 0 |\n"
               "| 2026-03 | 2 | 100 | 50 | | |\n");
}

static void csv_tells_each_cell_with_its_count(void **state)
{
    (void)state;
    buy(2, "2026-01");
    buy(1, "2026-01 2026-02");
    is_printed(RENDER_CSV, LANGUAGE_EN,
               "business,first_month,months_since,month,customers,retained,retained_pct\n"
               "main,2026-01,0,2026-01,3,3,100.00\n"
               "main,2026-01,1,2026-02,3,1,33.33\n");
}

static void json_tells_counts_and_shares_of_each_row(void **state)
{
    (void)state;
    buy(2, "2026-01");
    buy(1, "2026-01 2026-02");
    buy(5, "2026-02");
    char *text = printed(RENDER_JSON, LANGUAGE_RO);
    json_t *root = json_loads(text, 0, NULL);
    assert_non_null(root);
    json_t *rows = json_object_get(root, "cohorts");
    assert_int_equal(json_array_size(rows), 2);
    assert_int_equal(json_integer_value(json_object_get(root, "customers")), 8);
    json_t *retained = json_object_get(json_array_get(rows, 0), "retained");
    assert_int_equal(json_integer_value(json_array_get(retained, 1)), 1);
    json_decref(root);
    free(text);
}

static void a_long_triangle_stays_within_80_columns(void **state)
{
    (void)state;
    buy(1000000, "2020-01 2026-12");
    buy(1, "2025-05");
    for (enum language language = 0; language < LANGUAGES; language++) {
        char *text = printed(RENDER_TABLE, language), *rest = text, *line;
        while ((line = strsep(&rest, "\n"))) {
            assert_true(words_width(line) <= 80);
        }
        free(text);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_customer_counts_in_the_month_of_the_first_purchase_and_each_later_one),
        TEST(the_first_and_the_last_month_there_are_have_a_place),
        TEST(the_table_tells_shares_in_whole_percent),
        TEST(csv_tells_each_cell_with_its_count),
        TEST(json_tells_counts_and_shares_of_each_row),
        TEST(a_long_triangle_stays_within_80_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

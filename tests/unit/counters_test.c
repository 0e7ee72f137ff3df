#include "consumers/comparison/counters.h"

#include "tests/unit/scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int64_t get(const struct counters *counters, const char *name)
{
    return (int64_t)counters_get(counters, text_of(name));
}

static void what_is_absent_is_zero(void **state)
{
    (void)state;
    struct counters *counters = scene_counters("orders=3");
    assert_int_equal(get(counters, "units"), 0);
    assert_int_equal(get(counters, "order"), 0);
    assert_int_equal(get(counters, ""), 0);
    assert_int_equal(get(NULL, "orders"), 0);
    counters_free(counters);
    counters_free(NULL);
}

static void fields_of_the_same_name_add_up(void **state)
{
    (void)state;
    struct counters *counters = scene_counters("orders=3 net:RON=500 orders=-5 net:RON=1");
    assert_int_equal(get(counters, "orders"), -2);
    assert_int_equal(get(counters, "net:RON"), 501);
    counters_free(counters);
}

static void days_add_up_to_longer_periods(void **state)
{
    (void)state;
    struct counters *sum = scene_counters("orders=1"), *day = scene_counters("orders=2 units=7");
    struct error err = {0};
    for (int i = 0; i < 366; i++)
        assert_int_equal(counters_add_all(sum, day, &err), 0);
    assert_int_equal(get(sum, "orders"), 733);
    assert_int_equal(get(sum, "units"), 2562);
    counters_free(sum);
    counters_free(day);
}

static void a_year_of_the_largest_days_is_exact(void **state)
{
    (void)state;
    struct counters *sum = scene_counters(""), *low = scene_counters("");
    struct error err = {0};
    for (int i = 0; i < 366; i++) {
        assert_int_equal(counters_add(sum, text_of("net:RON"), INT64_MAX, &err), 0);
        assert_int_equal(counters_add(low, text_of("net:RON"), INT64_MIN, &err), 0);
    }
    assert_true(counters_get(sum, text_of("net:RON")) == (__int128)INT64_MAX * 366);
    assert_true(counters_get(low, text_of("net:RON")) == (__int128)INT64_MIN * 366);
    counters_free(sum);
    counters_free(low);
}

static void thousands_of_names_are_all_found_again(void **state)
{
    (void)state;
    struct counters *counters = scene_counters("");
    struct error err = {0};
    char name[32];
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "name%d", i);
        assert_int_equal(counters_add(counters, text_of(name), i, &err), 0);
    }
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "name%d", i);
        assert_int_equal(get(counters, name), i);
    }
    counters_clear(counters);
    assert_int_equal(get(counters, "name7"), 0);
    assert_int_equal(counters_add(counters, text_of("name7"), 1, &err), 0);
    assert_int_equal(get(counters, "name7"), 1);
    counters_free(counters);
}

static void only_whole_numbers_of_64_bits_are_taken(void **state)
{
    (void)state;
    static const char *const good[] = {"0", "-0", "9223372036854775807", "-9223372036854775808"};
    static const char *const bad[] = {"",
                                      "-",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1.0",
                                      "1e3",
                                      "NaN",
                                      "0x1",
                                      "9223372036854775808",
                                      "-9223372036854775809"};
    struct counters *counters = scene_counters("");
    struct error err = {0};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(counters_add_field(counters, text_of("n"), text_of(good[i]), &err), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(counters_add_field(counters, text_of("n"), text_of(bad[i]), &err), -1);
        assert_int_equal(err.code, ERROR_INPUT);
        assert_non_null(strstr(err.text, "the counter n "));
    }
    assert_int_equal(get(counters, "n"), -1);
    counters_free(counters);
}

static void names_are_bounded(void **state)
{
    (void)state;
    char name[COUNTERS_NAME_MAX + 1];
    struct counters *counters = scene_counters("");
    struct error err = {0};
    memset(name, 'x', sizeof name);
    assert_int_equal(counters_add(counters, (struct text){name, sizeof name - 1}, 1, &err), 0);
    assert_int_equal(counters_add(counters, (struct text){name, sizeof name}, 1, &err), -1);
    assert_int_equal(counters_add(counters, (struct text){name, 0}, 1, &err), -1);
    counters_free(counters);
}

static void the_number_of_names_is_bounded(void **state)
{
    (void)state;
    struct counters *counters = scene_counters("");
    struct error err = {0};
    char name[32];
    for (int i = 0; i < COUNTERS_MAX; i++) {
        snprintf(name, sizeof name, "%d", i);
        assert_int_equal(counters_add(counters, text_of(name), 1, &err), 0);
    }
    assert_int_equal(counters_add(counters, text_of("more"), 1, &err), -1);
    assert_int_equal(counters_add(counters, text_of("7"), 1, &err), 0);
    counters_free(counters);
}

static void buckets_come_sorted_without_what_only_looks_like_one(void **state)
{
    (void)state;
    struct counters *counters = scene_counters(
        "response_b100=1 response_b9=4 response_n=9 response_b=5 response_b0=2 response_bx=1 "
        "resolution_b1=1 response_b1888=1 response_b00001=1 response_b3=2 response_b3=-2");
    struct histogram_count *buckets = NULL;
    size_t count = 0;
    struct error err = {0};
    assert_int_equal(counters_histogram(counters, "response_b", &buckets, &count, &err), 0);
    assert_int_equal(count, 3);
    assert_int_equal(buckets[0].bucket, 0);
    assert_int_equal(buckets[0].count, 2);
    assert_int_equal(buckets[1].bucket, 9);
    assert_int_equal(buckets[2].bucket, 100);
    free(buckets);
    assert_int_equal(counters_histogram(NULL, "response_b", &buckets, &count, &err), 0);
    assert_int_equal(count, 0);
    free(buckets);
    counters_free(counters);
}

static void names_are_told_in_the_order_they_came(void **state)
{
    (void)state;
    static const char *const names[] = {"orders", "net:RON", "units"};
    struct counters *counters = scene_counters("orders=3 net:RON=-500 orders=1 units=0");
    assert_int_equal(counters_count(counters), 3);
    assert_int_equal(counters_count(NULL), 0);
    for (size_t i = 0; i < 3; i++) {
        __int128 sum;
        assert_true(text_is(counters_at(counters, i, &sum), names[i]));
        assert_true(sum == counters_get(counters, text_of(names[i])));
    }
    counters_free(counters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_absent_is_zero),
        cmocka_unit_test(fields_of_the_same_name_add_up),
        cmocka_unit_test(days_add_up_to_longer_periods),
        cmocka_unit_test(a_year_of_the_largest_days_is_exact),
        cmocka_unit_test(thousands_of_names_are_all_found_again),
        cmocka_unit_test(only_whole_numbers_of_64_bits_are_taken),
        cmocka_unit_test(names_are_bounded),
        cmocka_unit_test(the_number_of_names_is_bounded),
        cmocka_unit_test(buckets_come_sorted_without_what_only_looks_like_one),
        cmocka_unit_test(names_are_told_in_the_order_they_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

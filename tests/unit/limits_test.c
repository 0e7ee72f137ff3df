/* How often one address may ask. */
#include "consumers/dashboard/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_burst_of_two_seconds_is_allowed_and_no_more(void **state)
{
    static struct limits limits = {.rate = 10};
    (void)state;
    for (int i = 0; i < 20; i++) {
        assert_true(limits_take(&limits, 7, 1000));
    }
    assert_false(limits_take(&limits, 7, 1000));
    assert_true(limits_take(&limits, 8, 1000));
}

static void what_was_used_comes_back_with_time(void **state)
{
    static struct limits limits = {.rate = 10};
    (void)state;
    while (limits_take(&limits, 7, 1000)) {
    }
    assert_false(limits_take(&limits, 7, 1099));
    assert_true(limits_take(&limits, 7, 1100));
    assert_false(limits_take(&limits, 7, 1100));
}

static void who_is_refused_is_not_forgotten_for_newcomers(void **state)
{
    static struct limits limits = {.rate = 10};
    (void)state;
    while (limits_take(&limits, 7, 1000)) {
    }
    for (uint64_t other = 1; other < 100; other++) {
        assert_true(limits_take(&limits, 7 + other * LIMITS_ROWS, 1000));
    }
    assert_false(limits_take(&limits, 7, 1000));
}

static void without_a_rate_nobody_is_refused(void **state)
{
    static struct limits limits = {0};
    (void)state;
    for (int i = 0; i < 1000; i++) {
        assert_true(limits_take(&limits, 7, 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_of_two_seconds_is_allowed_and_no_more),
        cmocka_unit_test(what_was_used_comes_back_with_time),
        cmocka_unit_test(who_is_refused_is_not_forgotten_for_newcomers),
        cmocka_unit_test(without_a_rate_nobody_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

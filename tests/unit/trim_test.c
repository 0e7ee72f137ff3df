#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/calendar.h"
#include "consumers/recount/trim.h"

static bool forgets(const char *rest)
{
    return trim_forgets(rest, calendar_day(2026, 3, 10), calendar_day(2026, 3, 20));
}

static void days_and_hours_before_the_floor_go_those_of_the_floor_stay(void **state)
{
    (void)state;
    assert_true(forgets("sale:day:2026-03-09:all"));
    assert_true(forgets("service:day:2020-01-01:region=north"));
    assert_true(forgets("customer:day:2026-03-09:all"));
    assert_true(forgets("sale:hour:2026-03-09T23:all"));
    assert_true(forgets("rebuild:sale:day:2026-03-09:all"));
    assert_false(forgets("sale:day:2026-03-10:all"));
    assert_false(forgets("sale:hour:2026-03-10T00:all"));
    assert_false(forgets("rebuild:sale:day:2026-03-10:all"));
}

static void periods_that_begin_before_the_floor_go(void **state)
{
    (void)state;
    assert_true(forgets("comparison:day:2026-03-09:all"));
    assert_true(forgets("comparison:week:2026-W11:all")); /* begins on the 9th */
    assert_true(forgets("comparison:month:2026-03:region=north"));
    assert_true(forgets("table:year:2026:all:en"));
    assert_false(forgets("comparison:day:2026-03-10:all"));
    assert_false(forgets("comparison:week:2026-W12:all"));
    assert_false(forgets("table:month:2026-04:all:ro"));
}

static void of_the_running_periods_those_go_that_began_before_it(void **state)
{
    (void)state;
    assert_true(forgets("comparison:current:month:all"));
    assert_true(forgets("comparison:current:year:region=north"));
    assert_false(forgets("comparison:current:week:all"));
    assert_false(forgets("comparison:current:day:all"));
}

static void nothing_else_goes(void **state)
{
    static const char *const kept[] = {"sale:undated",
                                       "position:sales",
                                       "floor",
                                       "floors",
                                       "gap",
                                       "dirty",
                                       "scope:region",
                                       "currency",
                                       "targets",
                                       "history:all",
                                       "reporter",
                                       "revision",
                                       "outbox",
                                       "reported",
                                       "",
                                       "sale:day:soon:all",
                                       "comparison:fortnight:2026-03-09:all",
                                       "comparison:current:fortnight:all",
                                       "rebuild:position:sales"};
    (void)state;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        assert_false(forgets(kept[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_and_hours_before_the_floor_go_those_of_the_floor_stay),
        cmocka_unit_test(periods_that_begin_before_the_floor_go),
        cmocka_unit_test(of_the_running_periods_those_go_that_began_before_it),
        cmocka_unit_test(nothing_else_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

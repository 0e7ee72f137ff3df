#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "consumers/reporter/plan.h"

#include <stdio.h>
#include <string.h>

static int32_t day(const char *text)
{
    int32_t out = 0;
    assert_true(calendar_parse_date(text_of(text), &out));
    return out;
}

/* The names of all planned periods, in order. */
static void is_planned(struct plan *plan, const char *expected)
{
    char text[4096] = "", name[16];
    size_t used = 0;
    plan_finish(plan);
    for (size_t i = 0; i < plan_count(plan); i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? " " : "",
                                 period_format(plan_at(plan, i), name));
        assert_true(used < sizeof text);
    }
    assert_string_equal(text, expected);
}

static struct plan *plan_for(const char *today, const char *floor)
{
    struct plan *plan = NULL;
    assert_int_equal(plan_open(&plan, NULL), 0);
    plan_clear(plan, day(today), floor ? day(floor) : INT32_MIN);
    return plan;
}

static void a_day_of_today_plans_the_running_periods_alone(void **state)
{
    (void)state;
    struct plan *plan = plan_for("2026-11-23", NULL);
    assert_int_equal(plan_add_changed(plan, day("2026-11-23"), NULL), 0);
    is_planned(plan, "2026-11-23 2026-W48 2026-11 2026-Q4 2026");
    plan_free(plan);
}

static void a_past_day_plans_what_follows_too(void **state)
{
    (void)state;
    struct plan *plan = plan_for("2026-11-23", NULL);
    assert_int_equal(plan_add_changed(plan, day("2026-09-30"), NULL), 0);
    is_planned(plan,
               "2026-09-30 2026-10-01 2026-W40 2026-W41 2026-09 2026-10 2026-Q3 2026-Q4 2026");
    plan_free(plan);
}

static void a_period_that_begins_today_follows_one_that_ended_yesterday(void **state)
{
    (void)state;
    struct plan *plan = plan_for("2027-01-01", NULL);
    assert_int_equal(plan_add_changed(plan, day("2026-12-31"), NULL), 0);
    is_planned(plan, "2026-12-31 2026-W53 2026-12 2026-Q4 2026 2027-01-01 2027-01 2027-Q1 2027");
    plan_free(plan);
}

static void many_days_plan_a_year_once(void **state)
{
    (void)state;
    struct plan *plan = plan_for("2026-11-23", NULL);
    for (int32_t d = day("2019-01-01"); d <= day("2019-12-31"); d++) {
        assert_int_equal(plan_add_changed(plan, d, NULL), 0);
    }
    plan_finish(plan);
    /* 366 days, 54 weeks, 13 months, 5 quarters, 2 years: with the next one of each */
    assert_int_equal(plan_count(plan), 366 + 54 + 13 + 5 + 2);
    plan_free(plan);
}

static void nothing_begins_before_the_floor(void **state)
{
    (void)state;
    struct plan *plan = plan_for("2026-11-23", "2026-05-20");
    assert_int_equal(plan_add_changed(plan, day("2026-05-20"), NULL), 0);
    is_planned(plan, "2026-05-20 2026-05-21 2026-W22 2026-06 2026-Q3");
    plan_clear(plan, day("2026-11-23"), day("2026-05-20"));
    assert_int_equal(plan_add_around(plan, day("2026-05-19"), NULL), 0);
    is_planned(plan, "");
    plan_free(plan);
}

static void periods_that_have_no_name_are_left_out(void **state)
{
    (void)state;
    struct plan *plan = plan_for("2099-12-31", NULL);
    assert_int_equal(plan_add_changed(plan, day("2099-12-31"), NULL), 0);
    is_planned(plan, "2099-12-31 2099-12 2099-Q4 2099");
    plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_day_of_today_plans_the_running_periods_alone),
        cmocka_unit_test(a_past_day_plans_what_follows_too),
        cmocka_unit_test(a_period_that_begins_today_follows_one_that_ended_yesterday),
        cmocka_unit_test(many_days_plan_a_year_once),
        cmocka_unit_test(nothing_begins_before_the_floor),
        cmocka_unit_test(periods_that_have_no_name_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

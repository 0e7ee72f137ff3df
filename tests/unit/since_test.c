#include "producers/rejected/since.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NOW_MS INT64_C(1795435200123)

static int setup(void **state)
{
    return zone_open((struct zone **)state, "Europe/Bucharest", NULL);
}

static int teardown(void **state)
{
    zone_free(*state);
    return 0;
}

static int64_t since(void **state, const char *text)
{
    int64_t ms = -1;
    return since_parse(text, *state, NOW_MS, &ms, NULL) ? -1 : ms;
}

static void an_age_is_taken_from_now(void **state)
{
    assert_int_equal(since(state, "90m"), NOW_MS - 90 * 60000);
    assert_int_equal(since(state, "24h"), NOW_MS - 86400000);
    assert_int_equal(since(state, "7d"), since(state, "1w"));
    assert_int_equal(since(state, "0s"), NOW_MS);
}

static void a_day_begins_in_the_zone(void **state)
{
    assert_int_equal(since(state, "2026-11-23"), since(state, "2026-11-22T22:00:00Z"));
    assert_int_equal(since(state, "2026-07-01"), since(state, "2026-06-30T21:00:00Z"));
}

static void anything_else_is_refused(void **state)
{
    static const char *const others[] = {"",
                                         "m",
                                         "90",
                                         "1.5h",
                                         "-1h",
                                         "1y",
                                         "9999999h",
                                         "h1",
                                         "2026-02-30",
                                         "yesterday",
                                         "2026-11-23 14:00"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(since(state, others[i]), -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_age_is_taken_from_now, setup, teardown),
        cmocka_unit_test_setup_teardown(a_day_begins_in_the_zone, setup, teardown),
        cmocka_unit_test_setup_teardown(anything_else_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

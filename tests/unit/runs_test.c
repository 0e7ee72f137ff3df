#include "consumers/customers/runs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WINDOW_S = 10, INSTANTS = 12, SPAN_S = 120 };

static void make(struct runs *runs, const int64_t *instants, int count)
{
    runs_clear(runs);
    for (int i = 0; i < count; i++)
        assert_true(runs_add(runs, instants[i], WINDOW_S));
}

static void near_instants_are_one_run_and_far_ones_two(void **state)
{
    (void)state;
    struct runs runs = {0};
    make(&runs, (int64_t[]){100, 111}, 2);
    assert_int_equal(runs.count, 2);
    make(&runs, (int64_t[]){110, 100}, 2);
    assert_int_equal(runs.count, 1);
    assert_int_equal(runs.at[0].first_s, 100);
    assert_int_equal(runs.at[0].last_s, 110);
    runs_free(&runs);
}

static void an_instant_between_two_runs_joins_them(void **state)
{
    (void)state;
    struct runs runs = {0};
    make(&runs, (int64_t[]){100, 120, 110}, 3);
    assert_int_equal(runs.count, 1);
    assert_int_equal(runs.at[0].last_s, 120);
    runs_free(&runs);
}

static bool one_lies_in_the_window(const int64_t *instants, int count, int64_t s)
{
    for (int i = 0; i < count; i++)
        if (s >= instants[i] && s - instants[i] <= WINDOW_S)
            return true;
    return false;
}

/* 20,000 sets, each asked about every second: joined runs answer as the instants would. */
static void the_answer_is_that_of_the_instants_themselves(void **state)
{
    (void)state;
    struct runs runs = {0};
    unsigned seed = 1;
    for (int set = 0; set < 20000; set++) {
        int64_t instants[INSTANTS];
        size_t cursor = 0;
        int count = rand_r(&seed) % (INSTANTS + 1);
        for (int i = 0; i < count; i++)
            instants[i] = rand_r(&seed) % SPAN_S;
        make(&runs, instants, count);
        for (int64_t s = -1; s <= SPAN_S + WINDOW_S; s++)
            if (runs_hold(&runs, &cursor, s, WINDOW_S) !=
                one_lies_in_the_window(instants, count, s))
                fail_msg("set %d, second %d", set, (int)s);
    }
    runs_free(&runs);
}

static void equal_sets_are_equal_runs_in_whatever_order(void **state)
{
    (void)state;
    struct runs one = {0}, other = {0};
    unsigned seed = 7;
    for (int set = 0; set < 20000; set++) {
        int64_t instants[INSTANTS];
        int count = rand_r(&seed) % (INSTANTS + 1);
        for (int i = 0; i < count; i++)
            instants[i] = rand_r(&seed) % SPAN_S;
        make(&one, instants, count);
        for (int i = count - 1; i > 0; i--) {
            int k = rand_r(&seed) % (i + 1);
            int64_t kept = instants[i];
            instants[i] = instants[k];
            instants[k] = kept;
        }
        make(&other, instants, count);
        assert_int_equal(one.count, other.count);
        if (one.count)
            assert_memory_equal(one.at, other.at, one.count * sizeof *one.at);
        for (size_t r = 1; r < one.count; r++)
            assert_true(one.at[r].first_s - one.at[r - 1].last_s > WINDOW_S);
    }
    runs_free(&one);
    runs_free(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(near_instants_are_one_run_and_far_ones_two),
        cmocka_unit_test(an_instant_between_two_runs_joins_them),
        cmocka_unit_test(the_answer_is_that_of_the_instants_themselves),
        cmocka_unit_test(equal_sets_are_equal_runs_in_whatever_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

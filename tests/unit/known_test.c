#include "producers/known.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int setup(void **state)
{
    return known_empty((struct known **)state, NULL);
}

static int teardown(void **state)
{
    known_free(*state);
    return 0;
}

static XXH128_hash_t id_of(uint64_t number)
{
    return XXH3_128bits(&number, sizeof number);
}

static void what_was_put_in_is_found_and_nothing_else(void **state)
{
    struct known *known = *state;
    assert_false(known_has(known, id_of(1)));
    assert_int_equal(known_add(known, id_of(1), NULL), 0);
    assert_true(known_has(known, id_of(1)));
    assert_false(known_has(known, id_of(2)));
}

static void putting_an_id_in_twice_counts_once(void **state)
{
    struct known *known = *state;
    known_add(known, id_of(1), NULL);
    known_add(known, id_of(1), NULL);
    assert_int_equal(known_count(known), 1);
}

static void nothing_is_lost_while_it_grows(void **state)
{
    enum { MANY = 200000 };
    struct known *known = *state;
    for (uint64_t i = 0; i < MANY; i++) {
        assert_int_equal(known_add(known, id_of(i), NULL), 0);
    }
    assert_int_equal(known_count(known), MANY);
    for (uint64_t i = 0; i < MANY; i++) {
        assert_true(known_has(known, id_of(i)));
        assert_false(known_has(known, id_of(i + MANY)));
    }
}

static void the_id_of_zeros_is_an_id_as_any(void **state)
{
    struct known *known = *state;
    XXH128_hash_t zero = {0, 0};
    assert_false(known_has(known, zero));
    known_add(known, zero, NULL);
    assert_true(known_has(known, zero));
    assert_int_equal(known_count(known), 1);
}

static void ids_that_share_a_half_are_kept_apart(void **state)
{
    struct known *known = *state;
    XXH128_hash_t a = {7, 1}, b = {7, 2}, c = {8, 1};
    known_add(known, a, NULL);
    known_add(known, b, NULL);
    assert_true(known_has(known, a) && known_has(known, b));
    assert_false(known_has(known, c));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_put_in_is_found_and_nothing_else),
        TEST(putting_an_id_in_twice_counts_once),
        TEST(nothing_is_lost_while_it_grows),
        TEST(the_id_of_zeros_is_an_id_as_any),
        TEST(ids_that_share_a_half_are_kept_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

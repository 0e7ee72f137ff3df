#include "consumers/comparison/fraction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define BIG ((__int128)1 << 120)

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

static void fractions_compare_exactly(void **state)
{
    (void)state;
    static const struct {
        struct fraction a, b;
        int order;
    } cases[] = {
        {{1, 2}, {1, 2}, 0},
        {{1, 2}, {2, 4}, 0},
        {{1, 3}, {1, 2}, -1},
        {{-1, 3}, {-1, 2}, 1},
        {{-1, 2}, {1, 2}, -1},
        {{0, 5}, {0, 7}, 0},
        {{0, 5}, {1, BIG}, -1},
        {{7, 1}, {13, 2}, 1},
        {{-7, 2}, {-7, 2}, 0},
        {{-7, 3}, {-2, 1}, -1},
        {{BIG, BIG - 1}, {BIG - 1, BIG - 2}, -1},
        {{BIG + 1, BIG}, {BIG + 1, BIG}, 0},
        {{-BIG, 3}, {-BIG - 1, 3}, 1},
        {{355, 113}, {355 * (BIG / 1000) + 1, 113 * (BIG / 1000)}, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(sign(fraction_compare(cases[i].a, cases[i].b)), cases[i].order);
        assert_int_equal(sign(fraction_compare(cases[i].b, cases[i].a)), -cases[i].order);
    }
}

static void comparing_agrees_with_cross_products(void **state)
{
    (void)state;
    for (int a = -9; a <= 9; a++)
        for (int b = 1; b <= 9; b++)
            for (int c = -9; c <= 9; c++)
                for (int d = 1; d <= 9; d++)
                    assert_int_equal(
                        sign(fraction_compare((struct fraction){a, b}, (struct fraction){c, d})),
                        sign(a * d - c * b));
}

static void rounding_is_half_away_from_zero(void **state)
{
    (void)state;
    static const struct {
        struct fraction value;
        int64_t scale, rounded;
    } cases[] = {
        {{1, 2}, 1, 1},
        {{-1, 2}, 1, -1},
        {{1, 3}, 100, 33},
        {{2, 3}, 100, 67},
        {{-2, 3}, 100, -67},
        {{1, 8}, 100, 13},
        {{-1, 8}, 100, -13},
        {{1, 3}, 10000, 3333},
        {{0, 7}, 10000, 0},
        {{4999, 10000}, 1, 0},
        {{-4999, 10000}, 1, 0},
        {{INT64_MAX, 1}, 1, INT64_MAX},
        {{INT64_MIN, 1}, 1, INT64_MIN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t rounded = 99;
        assert_true(fraction_round(cases[i].value, cases[i].scale, &rounded));
        assert_int_equal(rounded, cases[i].rounded);
    }
}

static void what_does_not_fit_64_bits_is_refused(void **state)
{
    (void)state;
    int64_t rounded;
    assert_false(fraction_round((struct fraction){(__int128)INT64_MAX + 1, 1}, 1, &rounded));
    assert_false(fraction_round((struct fraction){(__int128)INT64_MAX * 2 + 1, 2}, 1, &rounded));
    assert_false(fraction_round((struct fraction){INT64_MAX, 1}, 2, &rounded));
    assert_false(fraction_round((struct fraction){(__int128)INT64_MIN - 1, 1}, 1, &rounded));
    assert_false(fraction_round((struct fraction){BIG, 1}, 10000, &rounded));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fractions_compare_exactly),
        cmocka_unit_test(comparing_agrees_with_cross_products),
        cmocka_unit_test(rounding_is_half_away_from_zero),
        cmocka_unit_test(what_does_not_fit_64_bits_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

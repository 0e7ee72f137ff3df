#include "common/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void every_bucket_is_the_one_of_its_two_ends(void **state)
{
    (void)state;
    int64_t next = 0;
    for (int bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
        int64_t lo, hi;
        histogram_range(bucket, &lo, &hi);
        assert_int_equal(lo, next); /* no gap and no overlap between neighbours */
        assert_true(hi >= lo);
        assert_int_equal(histogram_bucket(lo), bucket);
        assert_int_equal(histogram_bucket(hi), bucket);
        next = (int64_t)((uint64_t)hi + 1);
    }
    assert_int_equal(next, INT64_MIN); /* one past INT64_MAX: the last bucket ends there */
}

static void a_bucket_is_at_most_a_32nd_of_its_value_wide(void **state)
{
    (void)state;
    for (int bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
        int64_t lo, hi;
        histogram_range(bucket, &lo, &hi);
        assert_true(hi - lo <= lo / 32);
        assert_true(hi < 64 ? hi == lo : 1);
    }
}

static void known_values_fall_into_known_buckets(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        int bucket;
    } cases[] = {
        {0, 0},      {1, 1},       {31, 31},         {32, 32},          {63, 63},
        {64, 64},    {65, 64},     {66, 65},         {127, 95},         {128, 96},
        {3600, 248}, {86400, 394}, {315360000, 773}, {INT64_MAX, 1887},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(histogram_bucket(cases[i].seconds), cases[i].bucket);
    }
}

static void a_quantile_lies_inside_its_bucket_by_its_rank(void **state)
{
    (void)state;
    /* Bucket 0: {0}; 10: {10}; 64: {64, 65}; 248: 3584-3647; 1887: the last. */
    static const struct {
        struct histogram_count buckets[3];
        size_t n;
        int num, den;
        int64_t value, lo;
    } cases[] = {
        {{{10, 1}}, 1, 50, 100, 10, 10},
        {{{10, 1}}, 1, 0, 100, 10, 10},          /* rank at least 1 */
        {{{0, 1}, {10, 1}}, 2, 50, 100, 0, 0},   /* rank 1 of 2 */
        {{{0, 1}, {10, 1}}, 2, 51, 100, 10, 10}, /* ceil(1.02) = 2 */
        {{{0, 9}, {10, 1}}, 2, 90, 100, 0, 0},   /* rank 9 of 10 exactly */
        {{{0, 9}, {10, 1}}, 2, 91, 100, 10, 10},
        {{{64, 1}}, 1, 50, 100, 65, 64}, /* 64 + 1 * 1 / 1 */
        {{{64, 2}}, 1, 50, 100, 65, 64}, /* 64 + 1 / 2, half up */
        {{{64, 4}}, 1, 25, 100, 64, 64}, /* 64 + 1 / 4 */
        {{{64, 4}}, 1, 50, 100, 65, 64},
        {{{0, 3}, {64, 4}, {248, 3}}, 3, 50, 100, 65, 64},     /* rank 5: second of four */
        {{{0, 3}, {64, 4}, {248, 3}}, 3, 90, 100, 3626, 3584}, /* rank 9: second of three */
        {{{0, -2}, {10, 0}, {64, 1}}, 3, 50, 100, 65, 64},     /* empty ones are passed over */
        {{{1887, 1}}, 1, 90, 100, INT64_MAX, INT64_C(9079256848778919936)},
        {{{1887, INT64_MAX}}, 1, 100, 100, INT64_MAX, INT64_C(9079256848778919936)},
        {{{0, INT64_MAX}, {10, INT64_MAX}}, 2, 99, 100, 10, 10},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t lo = -1;
        int64_t value =
            histogram_quantile(cases[i].buckets, cases[i].n, cases[i].num, cases[i].den, &lo);
        if (value != cases[i].value || lo != cases[i].lo) {
            print_error("case %zu: %lld from %lld\n", i, (long long)value, (long long)lo);
        }
        assert_int_equal(value, cases[i].value);
        assert_int_equal(lo, cases[i].lo);
    }
}

static void without_any_value_there_is_no_quantile(void **state)
{
    (void)state;
    static const struct histogram_count none[] = {{3, 0}, {64, -1}};
    assert_int_equal(histogram_quantile(NULL, 0, 50, 100, NULL), -1);
    assert_int_equal(histogram_quantile(none, 2, 50, 100, NULL), -1);
}

static void the_low_edge_need_not_be_asked_for(void **state)
{
    (void)state;
    static const struct histogram_count one[] = {{12, 5}};
    assert_int_equal(histogram_quantile(one, 1, 90, 100, NULL), 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bucket_is_the_one_of_its_two_ends),
        cmocka_unit_test(a_bucket_is_at_most_a_32nd_of_its_value_wide),
        cmocka_unit_test(known_values_fall_into_known_buckets),
        cmocka_unit_test(a_quantile_lies_inside_its_bucket_by_its_rank),
        cmocka_unit_test(without_any_value_there_is_no_quantile),
        cmocka_unit_test(the_low_edge_need_not_be_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

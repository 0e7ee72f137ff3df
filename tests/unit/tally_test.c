#include "common/tally.h"

#include "common/currency.h"
#include "common/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const fields[] = {"orders", "units", NULL};
static const char *const records[] = {"duplicates", NULL};
static const char *const currency[] = {"net", "cost", "revenue", NULL};
static const char *const histograms[] = {"response", "turnaround", NULL};
static const struct tally_layout layout = {fields, records, currency, histograms};

static struct tally *open_tally(void)
{
    struct tally *tally;
    struct error err;
    assert_int_equal(tally_open(&tally, &layout, &err), 0);
    return tally;
}

static void rows_differ_by_time_slot_scope_and_block(void **state)
{
    (void)state;
    struct tally *tally = open_tally();
    static const struct {
        enum tally_time time;
        int32_t slot;
        uint32_t scope;
        int block;
    } keys[] = {
        {TALLY_DAY, 0, 0, TALLY_FIELDS},         {TALLY_HOUR, 0, 0, TALLY_FIELDS},
        {TALLY_UNDATED, 0, 0, TALLY_FIELDS},     {TALLY_DAY, 1, 0, TALLY_FIELDS},
        {TALLY_DAY, 0, 1, TALLY_FIELDS},         {TALLY_DAY, 0, 0, TALLY_RECORDS},
        {TALLY_DAY, 0, 0, TALLY_CURRENCY},       {TALLY_DAY, 0, 0, TALLY_CURRENCY + 164},
        {TALLY_DAY, 0, 0x3ffffff, TALLY_FIELDS}, {TALLY_HOUR, 1139567, 7, TALLY_HISTOGRAM + 3},
    };
    enum { KEYS = sizeof keys / sizeof *keys };
    int64_t *rows[KEYS];
    for (int i = 0; i < KEYS; i++) {
        rows[i] = tally_row(tally, keys[i].time, keys[i].slot, keys[i].scope, keys[i].block);
        tally_add(tally, rows[i], i + 1);
    }
    assert_int_equal(tally_rows(tally), KEYS);
    for (int i = 0; i < KEYS; i++) {
        struct tally_view view = tally_view(tally, (size_t)i);
        assert_ptr_equal(tally_row(tally, keys[i].time, keys[i].slot, keys[i].scope, keys[i].block),
                         rows[i]);
        assert_int_equal(view.time, keys[i].time);
        assert_int_equal(view.slot, keys[i].slot);
        assert_int_equal(view.scope, keys[i].scope);
        assert_int_equal(view.block, keys[i].block);
        assert_int_equal(view.sums[0], i + 1);
    }
    tally_free(tally);
}

static void a_row_is_as_wide_as_its_list_of_fields(void **state)
{
    (void)state;
    struct tally *tally = open_tally();
    tally_row(tally, TALLY_DAY, 1, 0, TALLY_FIELDS);
    tally_row(tally, TALLY_DAY, 1, 0, TALLY_RECORDS);
    tally_row(tally, TALLY_DAY, 1, 0, TALLY_CURRENCY + 5);
    tally_histogram_row(tally, TALLY_DAY, 1, 0, 1, 100);
    static const int expected[] = {2, 1, 3, 32};
    for (size_t r = 0; r < 4; r++)
        assert_int_equal(tally_view(tally, r).width, expected[r]);
    tally_free(tally);
}

static void cells_that_are_not_zero_are_counted_once(void **state)
{
    (void)state;
    struct tally *tally = open_tally();
    assert_true(tally_empty(tally));
    int64_t *row = tally_row(tally, TALLY_DAY, 1, 0, TALLY_FIELDS);
    assert_false(tally_empty(tally));
    assert_int_equal(tally_cells(tally), 0);
    tally_add(tally, &row[0], 0);
    assert_int_equal(tally_cells(tally), 0);
    tally_add(tally, &row[0], 5);
    tally_add(tally, &row[0], 5);
    assert_int_equal(tally_cells(tally), 1);
    tally_add(tally, &row[1], -1);
    assert_int_equal(tally_cells(tally), 2);
    tally_free(tally);
}

static void a_sum_beyond_two_to_the_62_makes_it_full(void **state)
{
    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) {
        struct tally *tally = open_tally();
        int64_t *row = tally_row(tally, TALLY_DAY, 1, 0, TALLY_FIELDS);
        tally_add(tally, &row[0], sign * (INT64_C(1) << 61));
        tally_add(tally, &row[0], sign * (INT64_C(1) << 61));
        assert_false(tally_full(tally));
        tally_add(tally, &row[0], sign);
        assert_true(tally_full(tally));
        tally_add(tally, &row[0], -sign);
        assert_true(tally_full(tally)); /* until it is emptied */
        tally_reset(tally);
        assert_false(tally_full(tally));
        tally_free(tally);
    }
}

static void a_share_adds_its_values_to_the_row_it_is_for(void **state)
{
    (void)state;
    struct tally *tally = open_tally();
    struct tally_share shares[2];
    tally_share_open(&shares[0], TALLY_FIELDS);
    tally_share_put(&shares[0], 1, 7);
    tally_share_open(&shares[1], TALLY_CURRENCY + 5);
    tally_share_put(&shares[1], 0, -3);
    tally_share_put(&shares[1], 1, 0);
    tally_share_put(&shares[1], 2, 11);
    for (int i = 0; i < 2; i++)
        tally_add_shares(tally, TALLY_DAY, 1, 9, shares, 2);
    int64_t *plain = tally_row(tally, TALLY_DAY, 1, 9, TALLY_FIELDS);
    int64_t *money = tally_row(tally, TALLY_DAY, 1, 9, TALLY_CURRENCY + 5);
    assert_int_equal(tally_rows(tally), 2);
    assert_true(plain[0] == 0 && plain[1] == 14);
    assert_true(money[0] == -6 && money[1] == 0 && money[2] == 22);
    assert_int_equal(tally_cells(tally), 3);
    tally_free(tally);
}

static void an_empty_share_makes_its_row(void **state)
{
    (void)state;
    struct tally *tally = open_tally();
    struct tally_share share;
    tally_share_open(&share, TALLY_CURRENCY + 5);
    tally_share_put(&share, 2, 0);
    tally_add_shares(tally, TALLY_DAY, 1, 0, &share, 1);
    assert_int_equal(tally_rows(tally), 1);
    assert_int_equal(tally_cells(tally), 0);
    tally_free(tally);
}

/* Emptied rows begin anew: their cells are counted again. */
static void cells_of_shares_are_counted_once_a_batch(void **state)
{
    (void)state;
    struct tally *tally = open_tally();
    struct tally_share share;
    tally_share_open(&share, TALLY_HISTOGRAM);
    for (unsigned cell = 0; cell < 32; cell += 3)
        tally_share_put(&share, cell, 1);
    for (int batch = 0; batch < 3; batch++) {
        for (int i = 0; i < 5; i++)
            tally_add_shares(tally, TALLY_DAY, 1, 0, &share, 1);
        assert_int_equal(tally_cells(tally), 11);
        tally_reset(tally);
        assert_int_equal(tally_cells(tally), 0);
    }
    tally_free(tally);
}

static void shares_that_come_to_two_to_the_61_make_it_full(void **state)
{
    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) {
        struct tally *tally = open_tally();
        struct tally_share share;
        tally_share_open(&share, TALLY_FIELDS);
        tally_share_put(&share, 1, sign * (INT64_C(1) << 60));
        tally_add_shares(tally, TALLY_DAY, 1, 0, &share, 1);
        tally_add_shares(tally, TALLY_DAY, 1, 0, &share, 1);
        assert_false(tally_full(tally));
        tally_add_shares(tally, TALLY_DAY, 2, 0, &share, 1);
        assert_true(tally_full(tally));
        tally_reset(tally);
        assert_false(tally_full(tally));
        tally_free(tally);
    }
}

static void the_name_of_a_cell_is_that_of_its_redis_field(void **state)
{
    (void)state;
    static const struct {
        int block, cell;
        const char *name;
    } cases[] = {
        {TALLY_FIELDS, 1, "units"},
        {TALLY_RECORDS, 0, "duplicates"},
        {TALLY_HISTOGRAM, 17, "response_b17"},
        {TALLY_HISTOGRAM + 1, 0, "response_b32"},
        {TALLY_HISTOGRAM + 64 + 24, 31, "turnaround_b799"},
    };
    char name[48];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(tally_name(&layout, cases[i].block, cases[i].cell, name, sizeof name),
                         strlen(cases[i].name));
        assert_string_equal(name, cases[i].name);
    }
    tally_name(&layout, TALLY_CURRENCY + currency_find(text_of("EUR")), 2, name, sizeof name);
    assert_string_equal(name, "revenue:EUR");
    tally_name(&layout, TALLY_CURRENCY + currency_count() - 1, 0, name, sizeof name);
    assert_string_equal(name, "net:ZWG");
}

static void every_bucket_has_a_cell_of_its_own_name(void **state)
{
    (void)state;
    for (int bucket = 0; bucket <= histogram_bucket(315360000); bucket++) {
        struct tally *tally = open_tally();
        char name[48], expected[48];
        int64_t *row = tally_histogram_row(tally, TALLY_DAY, 1, 0, 1, bucket);
        tally_add(tally, &row[bucket % 32], 1);
        struct tally_view view = tally_view(tally, 0);
        tally_name(&layout, view.block, bucket % 32, name, sizeof name);
        snprintf(expected, sizeof expected, "turnaround_b%d", bucket);
        assert_string_equal(name, expected);
        tally_free(tally);
    }
}

static void sums_stay_where_they_are_while_the_tally_grows(void **state)
{
    (void)state;
    enum { ROWS = 50000 };
    struct tally *tally = open_tally();
    int64_t *first = tally_row(tally, TALLY_DAY, 0, 0, TALLY_FIELDS);
    for (int i = 0; i < ROWS; i++)
        tally_add(tally, tally_row(tally, TALLY_DAY, i % 400, (uint32_t)i / 400, TALLY_FIELDS),
                  i + 1);
    assert_ptr_equal(tally_row(tally, TALLY_DAY, 0, 0, TALLY_FIELDS), first);
    assert_int_equal(tally_rows(tally), ROWS);
    assert_int_equal(tally_cells(tally), ROWS);
    for (int i = 0; i < ROWS; i++)
        assert_int_equal(tally_row(tally, TALLY_DAY, i % 400, (uint32_t)i / 400, TALLY_FIELDS)[0],
                         i + 1);
    assert_false(tally_failed(tally));
    tally_free(tally);
}

static void a_reset_leaves_zeroes(void **state)
{
    (void)state;
    struct tally *tally = open_tally();
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 20000; i++) {
            int block = i % 2 ? TALLY_HISTOGRAM + round : TALLY_FIELDS;
            int64_t *row = tally_row(tally, TALLY_DAY, i, (uint32_t)round, block);
            for (int cell = 0; cell < (i % 2 ? 32 : 2); cell++) {
                assert_int_equal(row[cell], 0);
                tally_add(tally, &row[cell], cell + 1);
            }
        }
        tally_reset(tally);
        assert_true(tally_empty(tally));
        assert_int_equal(tally_cells(tally), 0);
        assert_int_equal(tally_rows(tally), 0);
    }
    tally_free(tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_differ_by_time_slot_scope_and_block),
        cmocka_unit_test(a_row_is_as_wide_as_its_list_of_fields),
        cmocka_unit_test(cells_that_are_not_zero_are_counted_once),
        cmocka_unit_test(a_sum_beyond_two_to_the_62_makes_it_full),
        cmocka_unit_test(a_share_adds_its_values_to_the_row_it_is_for),
        cmocka_unit_test(an_empty_share_makes_its_row),
        cmocka_unit_test(cells_of_shares_are_counted_once_a_batch),
        cmocka_unit_test(shares_that_come_to_two_to_the_61_make_it_full),
        cmocka_unit_test(the_name_of_a_cell_is_that_of_its_redis_field),
        cmocka_unit_test(every_bucket_has_a_cell_of_its_own_name),
        cmocka_unit_test(sums_stay_where_they_are_while_the_tally_grows),
        cmocka_unit_test(a_reset_leaves_zeroes),
    };
    return cmocka_run_group_tests_name("tally", tests, NULL, NULL);
}

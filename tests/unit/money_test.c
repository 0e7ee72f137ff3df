#include "common/money.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void ratios_round_half_away_from_zero(void **state)
{
    (void)state;
    static const struct {
        int64_t n, d, quotient;
    } cases[] = {
        {0, 1, 0},
        {0, -7, 0},
        {7, 2, 4},
        {-7, 2, -4},
        {7, -2, -4},
        {-7, -2, 4},
        {5, 2, 3},
        {1, 2, 1},
        {-1, 2, -1},
        {1, 3, 0},
        {2, 3, 1},
        {-2, 3, -1},
        {49, 100, 0},
        {50, 100, 1},
        {51, 100, 1},
        {-49, 100, 0},
        {10, 10, 1},
        {INT64_MAX, 1, INT64_MAX},
        {INT64_MIN, 1, INT64_MIN},
        {INT64_MAX, -1, -INT64_MAX},
        {INT64_MAX, INT64_MAX, 1},
        {INT64_MIN, INT64_MIN, 1},
        {1, INT64_MIN, 0},
        {INT64_MAX, 2, INT64_C(4611686018427387904)},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(money_divide(cases[i].n, cases[i].d), cases[i].quotient);
    }
}

static void a_ratio_may_have_terms_beyond_int64(void **state)
{
    (void)state;
    __int128 big = (__int128)INT64_MAX * 10000;
    assert_int_equal(money_divide(big, 10000), INT64_MAX);
    assert_int_equal(money_divide(-big, 10000), -INT64_MAX);
    assert_int_equal(money_divide(big, INT64_MAX), 10000);
    assert_int_equal(money_divide(big, big * 2), 1);
    __int128 smallest = (__int128)((unsigned __int128)1 << 127);
    assert_int_equal(money_divide(smallest, smallest), 1);
    assert_int_equal(money_divide(1, smallest), 0);
}

struct parse_case {
    const char *text;
    int scale;
    int64_t value;
};

static void assert_parses(const struct parse_case *cases, size_t n, char decimal, char grouping)
{
    for (size_t i = 0; i < n; i++) {
        struct error err = {0};
        int64_t value = 0;
        if (money_parse(text_of(cases[i].text), cases[i].scale, decimal, grouping, &value, &err)) {
            fail_msg("\"%s\": %s", cases[i].text, err.text);
        }
        if (value != cases[i].value) {
            fail_msg("\"%s\" became %lld", cases[i].text, (long long)value);
        }
    }
}

static void ties_round_to_the_even_digit(void **state)
{
    (void)state;
    static const struct parse_case cases[] = {
        {"0.005", 2, 0},      {"0.015", 2, 2},
        {"0.025", 2, 2},      {"0.035", 2, 4},
        {"-0.005", 2, 0},     {"-0.015", 2, -2},
        {"-0.025", 2, -2},    {"-1.005", 2, -100},
        {"41.9136", 2, 4191}, {"2.5", 0, 2},
        {"3.5", 0, 4},        {"-2.5", 0, -2},
        {"0.0050", 2, 0},     {"0.00500000000000000000", 2, 0},
        {"0.5", 0, 0},        {"0.0149999999999999999999", 2, 1},
        {"9.995", 2, 1000},   {"9.985", 2, 998},
    };
    assert_parses(cases, COUNT(cases), '.', 0);
}

static void one_digit_past_a_tie_decides_however_far_it_stands(void **state)
{
    (void)state;
    static const struct parse_case cases[] = {
        {"0.0050000000000000001", 2, 1},
        {"0.00500000000000000000000000000000000001", 2, 1},
        {"0.0050000000000000000000000000000000000000000000000000000000000001", 2, 1},
        {"-0.00500000000000000000000000000000000001", 2, -1},
        {"0.00499999999999999999999999999999999999999999999999", 2, 0},
        {"2.50000000000000000000000000000000000000000000000000001", 0, 3},
        {"0.0000000005", 9, 0},
        {"0.00000000050000000000000000000000000001", 9, 1},
        {"0.0000000015", 9, 2},
    };
    assert_parses(cases, COUNT(cases), '.', 0);
}

static void whole_numbers_and_scales_are_read(void **state)
{
    (void)state;
    static const struct parse_case cases[] = {
        {"0", 2, 0},
        {"-0", 2, 0},
        {"+7", 2, 700},
        {"12", 0, 12},
        {"12.", 2, 1200},
        {".5", 2, 50},
        {"-.5", 2, -50},
        {"0012.30", 2, 1230},
        {"1", 9, 1000000000},
        {"1.234567891", 9, 1234567891},
        {" 3.20 ", 2, 320},
        {"\t3.20\t", 2, 320},
        {"0.000000000000000000000000000000", 2, 0},
        {"000000000000000000000000000000000000000000000000012.5", 2, 1250},
    };
    assert_parses(cases, COUNT(cases), '.', 0);
}

static void exponents_are_read_as_spreadsheets_write_them(void **state)
{
    (void)state;
    static const struct parse_case cases[] = {
        {"1e-05", 2, 0},
        {"1e-05", 5, 1},
        {"1.5E+3", 2, 150000},
        {"1e3", 0, 1000},
        {"5e-3", 2, 0},
        {"1.5e-2", 2, 2},
        {"-2.5e-2", 2, -2},
        {"0e999999999", 2, 0},
        {"1e-999999999", 2, 0},
        {"0e-999999999", 9, 0},
        {"100000000000000000000e-18", 2, 10000},
        {"5.1e-3", 2, 1},
        {"9.223372036854775807e18", 0, INT64_MAX},
        {"1.2345678901234567e-05", 9, 12346},
    };
    assert_parses(cases, COUNT(cases), '.', 0);
}

static void grouping_signs_are_skipped_between_digits(void **state)
{
    (void)state;
    static const struct parse_case english[] = {
        {"1,234.50", 2, 123450},
        {"-1,234,567.891", 2, -123456789},
        {"12,34", 0, 1234},
        {"1234.5", 2, 123450},
    };
    static const struct parse_case romanian[] = {
        {"1.234,50", 2, 123450},
        {"2.297.200,65", 2, 229720065},
        {",5", 1, 5},
    };
    static const struct parse_case spaced[] = {{"1 234,50", 2, 123450}, {" 1 234 ", 0, 1234}};
    assert_parses(english, COUNT(english), '.', ',');
    assert_parses(romanian, COUNT(romanian), ',', '.');
    assert_parses(spaced, COUNT(spaced), ',', ' ');
}

static void the_ends_of_int64_are_reached_and_not_passed(void **state)
{
    (void)state;
    static const struct parse_case cases[] = {
        {"9223372036854775807", 0, INT64_MAX},
        {"-9223372036854775808", 0, INT64_MIN},
        {"92233720368547758.07", 2, INT64_MAX},
        {"-92233720368547758.08", 2, INT64_MIN},
        {"9223372036854775807.4999999999999999999", 0, INT64_MAX},
        {"9223372036.854775807", 9, INT64_MAX},
    };
    assert_parses(cases, COUNT(cases), '.', 0);
    static const struct {
        const char *text;
        int scale;
    } beyond[] = {
        {"9223372036854775808", 0},
        {"-9223372036854775809", 0},
        {"9223372036854775807.5", 0},
        {"92233720368547758.08", 2},
        {"92233720368547758.075", 2},
        {"-92233720368547758.09", 2},
        {"1e19", 0},
        {"1e999999999999", 0},
        {"1e18", 9},
        {"99999999999999999999999999999999999999999999", 0},
        {"1e17", 2},
    };
    for (size_t i = 0; i < COUNT(beyond); i++) {
        struct error err = {0};
        int64_t value = 77;
        assert_int_equal(
            money_parse(text_of(beyond[i].text), beyond[i].scale, '.', 0, &value, &err), -1);
        assert_int_equal(err.code, ERROR_INPUT);
        assert_non_null(strstr(err.text, "too large"));
        assert_int_equal(value, 77);
    }
}

static void what_is_no_number_is_refused(void **state)
{
    (void)state;
    static const char *const words[] = {
        "",      " ",     "-",   "+",  ".",    "-.",    "e5",           "1e",
        "1e+",   "1e-",   "abc", "1a", "1 2",  "--1",   "+-1",          "- 1",
        "1.2.3", "1,,2",  ",1",  "1,", "1,.5", "1.5,0", "0x10",         "NaN",
        "inf",   "1e1.5", "$5",  "5%", "1\n",  "(5)",   "\xef\xbc\x91", "1e5e5",
    };
    for (size_t i = 0; i < COUNT(words); i++) {
        struct error err = {0};
        int64_t value = 77;
        assert_int_equal(money_parse(text_of(words[i]), 2, '.', ',', &value, &err), -1);
        assert_int_equal(err.code, ERROR_INPUT);
        assert_int_equal(value, 77);
    }
    assert_int_equal(money_parse((struct text){NULL, 0}, 2, '.', ',', &(int64_t){0}, NULL), -1);
    assert_int_equal(money_parse((struct text){"1\0002", 3}, 2, '.', ',', &(int64_t){0}, NULL), -1);
}

static void a_text_of_absurd_length_is_refused(void **state)
{
    (void)state;
    char digits[401];
    memset(digits, '0', sizeof digits);
    int64_t value;
    assert_int_equal(money_parse((struct text){digits, 400}, 2, '.', 0, &value, NULL), 0);
    assert_int_equal(money_parse((struct text){digits, 401}, 2, '.', 0, &value, NULL), -1);
}

static void a_decimal_keeps_the_digits_it_was_read_with(void **state)
{
    (void)state;
    struct decimal d;
    assert_int_equal(decimal_parse(text_of("-261.9600"), '.', 0, &d, NULL), 0);
    assert_true(d.units == -2619600 && d.scale == 4);
    assert_int_equal(
        decimal_parse(text_of("9999999999999999999.123456789012345678"), '.', 0, &d, NULL), 0);
    assert_int_equal(d.scale, 18);
    assert_true(d.units / 1000000000 / 1000000000 == (__int128)UINT64_C(9999999999999999999));
    assert_int_equal(
        (int64_t)(d.units % 1000000000 + d.units / 1000000000 % 1000000000 * 1000000000),
        INT64_C(123456789012345678));
    assert_int_equal(decimal_parse(text_of("10000000000000000000"), '.', 0, &d, NULL), -1);
}

static void decimals_added_before_one_rounding_keep_their_fractions(void **state)
{
    (void)state;
    struct decimal a, b;
    int64_t sum, each;
    assert_int_equal(decimal_parse(text_of("0.004"), '.', 0, &a, NULL), 0);
    assert_int_equal(decimal_parse(text_of("0.006"), '.', 0, &b, NULL), 0);
    a.units += b.units;
    assert_int_equal(decimal_round(a, 2, &sum, NULL), 0);
    assert_int_equal(sum, 1);
    assert_int_equal(decimal_round(b, 2, &each, NULL), 0);
    assert_int_equal(each, 1);
}

static void rounding_a_decimal_refuses_what_does_not_fit(void **state)
{
    (void)state;
    struct error err = {0};
    int64_t value = 77;
    struct decimal big = {(__int128)INT64_MAX + 1, 0};
    assert_int_equal(decimal_round(big, 0, &value, &err), -1);
    assert_int_equal(err.code, ERROR_INPUT);
    big.units = -big.units;
    assert_int_equal(decimal_round(big, 0, &value, NULL), 0);
    assert_int_equal(value, INT64_MIN);
    big.units = (__int128)(((unsigned __int128)1 << 127) - 1);
    assert_int_equal(decimal_round(big, 9, &value, NULL), -1);
    big.units = (__int128)((unsigned __int128)1 << 127);
    assert_int_equal(decimal_round(big, 0, &value, NULL), -1);
    assert_int_equal(value, INT64_MIN);
}

static void amounts_are_written_with_their_signs(void **state)
{
    (void)state;
    static const struct {
        int64_t minor;
        int exponent;
        char decimal, grouping;
        const char *text;
    } cases[] = {
        {0, 2, '.', ',', "0.00"},
        {5, 2, '.', ',', "0.05"},
        {-5, 2, '.', ',', "-0.05"},
        {100, 2, '.', ',', "1.00"},
        {99999, 2, '.', ',', "999.99"},
        {100000, 2, '.', ',', "1,000.00"},
        {229720065, 2, '.', ',', "2,297,200.65"},
        {229720065, 2, ',', '.', "2.297.200,65"},
        {-229720065, 2, ',', ' ', "-2 297 200,65"},
        {229720065, 2, '.', 0, "2297200.65"},
        {229720065, 0, '.', ',', "229,720,065"},
        {0, 0, '.', ',', "0"},
        {-999, 0, '.', ',', "-999"},
        {1, 3, '.', ',', "0.001"},
        {1234567, 3, '.', ',', "1,234.567"},
        {12345678, 4, '.', ',', "1,234.5678"},
        {INT64_MAX, 2, '.', ',', "92,233,720,368,547,758.07"},
        {INT64_MIN, 0, '.', ',', "-9,223,372,036,854,775,808"},
        {INT64_MIN, 9, '.', ',', "-9,223,372,036.854775808"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char out[40];
        money_format(cases[i].minor, cases[i].exponent, cases[i].decimal, cases[i].grouping, out,
                     sizeof out);
        assert_string_equal(out, cases[i].text);
    }
}

static void what_was_written_reads_back(void **state)
{
    (void)state;
    static const int64_t amounts[] = {0, 1, -1, 99, 100, -12345678, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < COUNT(amounts); i++) {
        for (int exponent = 0; exponent <= 4; exponent++) {
            char out[40];
            int64_t back;
            money_format(amounts[i], exponent, ',', '.', out, sizeof out);
            assert_int_equal(money_parse(text_of(out), exponent, ',', '.', &back, NULL), 0);
            assert_int_equal(back, amounts[i]);
        }
    }
}

static void a_short_room_cuts_the_amount_and_ends_it(void **state)
{
    (void)state;
    char out[5] = "....";
    assert_string_equal(money_format(229720065, 2, '.', ',', out, sizeof out), "2,29");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ratios_round_half_away_from_zero),
        cmocka_unit_test(a_ratio_may_have_terms_beyond_int64),
        cmocka_unit_test(ties_round_to_the_even_digit),
        cmocka_unit_test(one_digit_past_a_tie_decides_however_far_it_stands),
        cmocka_unit_test(whole_numbers_and_scales_are_read),
        cmocka_unit_test(exponents_are_read_as_spreadsheets_write_them),
        cmocka_unit_test(grouping_signs_are_skipped_between_digits),
        cmocka_unit_test(the_ends_of_int64_are_reached_and_not_passed),
        cmocka_unit_test(what_is_no_number_is_refused),
        cmocka_unit_test(a_text_of_absurd_length_is_refused),
        cmocka_unit_test(a_decimal_keeps_the_digits_it_was_read_with),
        cmocka_unit_test(decimals_added_before_one_rounding_keep_their_fractions),
        cmocka_unit_test(rounding_a_decimal_refuses_what_does_not_fit),
        cmocka_unit_test(amounts_are_written_with_their_signs),
        cmocka_unit_test(what_was_written_reads_back),
        cmocka_unit_test(a_short_room_cuts_the_amount_and_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

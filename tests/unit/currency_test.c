#include "common/currency.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void every_currency_is_found_by_its_code(void **state)
{
    (void)state;
    assert_int_equal(currency_count(), 165);
    for (int i = 0; i < currency_count(); i++) {
        assert_int_equal(currency_find(text_of(currency_code(i))), i);
    }
}

static void the_table_is_sorted_by_code(void **state)
{
    (void)state;
    for (int i = 1; i < currency_count(); i++) {
        assert_true(strcmp(currency_code(i - 1), currency_code(i)) < 0);
    }
}

static void exponents_are_those_of_iso_4217(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        int exponent;
    } cases[] = {
        {"EUR", 2}, {"RON", 2}, {"USD", 2}, {"GBP", 2}, {"JPY", 0}, {"KRW", 0}, {"CLP", 0},
        {"ISK", 0}, {"UGX", 0}, {"VND", 0}, {"XAF", 0}, {"XOF", 0}, {"XPF", 0}, {"UYI", 0},
        {"BHD", 3}, {"IQD", 3}, {"JOD", 3}, {"KWD", 3}, {"LYD", 3}, {"OMR", 3}, {"TND", 3},
        {"CLF", 4}, {"UYW", 4}, {"BOV", 2}, {"CHE", 2}, {"CHW", 2}, {"COU", 2}, {"MXV", 2},
        {"USN", 2}, {"HUF", 2}, {"MGA", 2}, {"MRU", 2}, {"XCD", 2}, {"ZWG", 2}, {"AED", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int currency = currency_find(text_of(cases[i].code));
        assert_true(currency >= 0);
        assert_int_equal(currency_exponent(currency), cases[i].exponent);
    }
}

static void only_exponents_0_2_3_and_4_occur(void **state)
{
    (void)state;
    int seen[5] = {0};
    for (int i = 0; i < currency_count(); i++) {
        assert_in_range(currency_exponent(i), 0, 4);
        seen[currency_exponent(i)]++;
    }
    assert_int_equal(seen[0], 17);
    assert_int_equal(seen[1], 0);
    assert_int_equal(seen[2], 139);
    assert_int_equal(seen[3], 7);
    assert_int_equal(seen[4], 2);
}

static void what_is_no_code_with_minor_units_is_not_found(void **state)
{
    (void)state;
    static const char *const words[] = {
        "XAU",  "XAG",    "XPT", "XPD", "XBA", "XBB", "XBC", "XBD",    "XDR", "XSU",
        "XUA",  "XTS",    "XXX", "AAA", "ZZZ", "eur", "Eur", "EU",     "",    "EURO",
        "EUR ", "EU\xc5", "@@@", "[[[", "HRK", "DEM", "000", "RO\x7f", "E R", "\xff\xff\xff",
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        assert_int_equal(currency_find(text_of(words[i])), -1);
    }
    assert_int_equal(currency_find((struct text){"EUR\0", 4}), -1);
    assert_int_equal(currency_find((struct text){NULL, 0}), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_currency_is_found_by_its_code),
        cmocka_unit_test(the_table_is_sorted_by_code),
        cmocka_unit_test(exponents_are_those_of_iso_4217),
        cmocka_unit_test(only_exponents_0_2_3_and_4_occur),
        cmocka_unit_test(what_is_no_code_with_minor_units_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

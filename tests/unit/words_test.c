#include "consumers/report/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static char out[WORDS_MAX];

static void numbers_are_grouped_in_the_form_of_the_language(void **state)
{
    (void)state;
    static const struct {
        const char *value, *en, *ro;
    } cases[] = {
        {"0", "0", "0"},
        {"999", "999", "999"},
        {"1000", "1,000", "1.000"},
        {"-1234567", "-1,234,567", "-1.234.567"},
        {"87.50", "87.50", "87,50"},
        {"-0.05", "-0.05", "-0,05"},
        {"12345.60", "12,345.60", "12.345,60"},
        {"9223372036854775807", "9,223,372,036,854,775,807", "9.223.372.036.854.775.807"},
        {"-9223372036854775808", "-9,223,372,036,854,775,808", "-9.223.372.036.854.775.808"},
        {"NaN", "–", "–"},
        {"", "", ""},
        {"abc", "abc", "abc"},
        {"1.2.3", "1.2.3", "1.2.3"},
        {"9223372036854775808", "9223372036854775808", "9223372036854775808"},
        {"1-2", "1-2", "1-2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(words_number(LANGUAGE_EN, cases[i].value, out), cases[i].en);
        assert_string_equal(words_number(LANGUAGE_RO, cases[i].value, out), cases[i].ro);
    }
}

static void money_has_the_decimals_of_its_currency(void **state)
{
    (void)state;
    assert_string_equal(words_money(LANGUAGE_EN, "229720065", "USD", out), "2,297,200.65 USD");
    assert_string_equal(words_money(LANGUAGE_RO, "229720065", "USD", out), "2.297.200,65 USD");
    assert_string_equal(words_money(LANGUAGE_EN, "-1", "RON", out), "-0.01 RON");
    assert_string_equal(words_money(LANGUAGE_EN, "1234", "JPY", out), "1,234 JPY");
    assert_string_equal(words_money(LANGUAGE_EN, "1234", "KWD", out), "1.234 KWD");
    assert_string_equal(words_money(LANGUAGE_EN, "NaN", "RON", out), "–");
    assert_string_equal(words_money(LANGUAGE_EN, "7", "???", out), "7");
}

static void durations_take_two_units_at_most(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        const char *en, *ro;
    } cases[] = {
        {0, "0 s", "0 s"},
        {59, "59 s", "59 s"},
        {60, "1 min", "1 min"},
        {61, "1 min 1 s", "1 min 1 s"},
        {3599, "59 min 59 s", "59 min 59 s"},
        {3600, "1 h", "1 h"},
        {5400, "1 h 30 min", "1 h 30 min"},
        {86399, "23 h 59 min", "23 h 59 min"},
        {86400, "1 d", "1 zi"},
        {90000, "1 d 1 h", "1 zi 1 h"},
        {259200, "3 d", "3 zile"},
        {20 * 86400 + 3600, "20 d 1 h", "20 de zile 1 h"},
        {-5, "-5 s", "-5 s"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(words_duration(LANGUAGE_EN, cases[i].seconds, out), cases[i].en);
        assert_string_equal(words_duration(LANGUAGE_RO, cases[i].seconds, out), cases[i].ro);
    }
}

static void romanian_says_de_from_twenty_on_but_not_after_1_to_19(void **state)
{
    (void)state;
    static const struct {
        int64_t count;
        const char *ro;
    } cases[] = {
        {0, "0 comenzi"},        {1, "1 comandă"},           {2, "2 comenzi"},
        {19, "19 comenzi"},      {20, "20 de comenzi"},      {21, "21 de comenzi"},
        {99, "99 de comenzi"},   {100, "100 de comenzi"},    {101, "101 comenzi"},
        {119, "119 comenzi"},    {120, "120 de comenzi"},    {1000, "1.000 de comenzi"},
        {1001, "1.001 comenzi"}, {1020, "1.020 de comenzi"}, {-20, "-20 de comenzi"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(words_count(LANGUAGE_RO, cases[i].count, NOUN_ORDERS, out),
                            cases[i].ro);
    assert_string_equal(words_count(LANGUAGE_EN, 1, NOUN_ORDERS, out), "1 order");
    assert_string_equal(words_count(LANGUAGE_EN, 1020, NOUN_RATINGS, out), "1,020 ratings");
    assert_string_equal(words_count(LANGUAGE_RO, 1, NOUN_RATINGS, out), "1 evaluare");
    assert_string_equal(words_count(LANGUAGE_RO, 42, NOUN_TICKETS, out), "42 de solicitări");
}

static const char *metric(enum language language, const char *name, const char *value)
{
    const char *colon = strchr(name, ':');
    return words_metric(language, metrics_find(text_of(name)), colon ? colon + 1 : "", value, out);
}

static void each_kind_of_metric_has_its_unit(void **state)
{
    (void)state;
    assert_string_equal(metric(LANGUAGE_EN, "csat_pct", "87.50"), "87.50 %");
    assert_string_equal(metric(LANGUAGE_RO, "csat_pct", "87.50"), "87,50 %");
    assert_string_equal(metric(LANGUAGE_EN, "csat_pct", "NaN"), "–");
    assert_string_equal(metric(LANGUAGE_EN, "nps", "-3.10"), "-3.10");
    assert_string_equal(metric(LANGUAGE_EN, "revenue:EUR", "100"), "1.00 EUR");
    assert_string_equal(metric(LANGUAGE_EN, "gap:revenue:EUR", "100"), "1.00 EUR");
    assert_string_equal(metric(LANGUAGE_EN, "gap:orders", "1000"), "1,000");
    assert_string_equal(metric(LANGUAGE_RO, "forecast:orders", "616.52"), "616,52");
    assert_string_equal(metric(LANGUAGE_EN, "resolution_p90", "11519"), "3 h 11 min");
    assert_string_equal(metric(LANGUAGE_EN, "response_mean", "89.50"), "1 min 30 s");
    assert_string_equal(metric(LANGUAGE_EN, "response_mean", "90"), "1 min 30 s");
    assert_string_equal(metric(LANGUAGE_EN, "response_mean", "NaN"), "–");
}

static void periods_have_names(void **state)
{
    (void)state;
    static const struct {
        const char *period, *en, *ro;
    } cases[] = {
        {"2026-11-03", "3 November 2026", "3 noiembrie 2026"},
        {"2026-W53", "week 53 of 2026", "săptămâna 53 din 2026"},
        {"2026-01", "January 2026", "ianuarie 2026"},
        {"2026-Q4", "quarter 4 of 2026", "trimestrul 4 din 2026"},
        {"2026", "2026", "2026"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct period period;
        assert_true(period_parse(text_of(cases[i].period), &period));
        assert_string_equal(words_period(LANGUAGE_EN, period, out), cases[i].en);
        assert_string_equal(words_period(LANGUAGE_RO, period, out), cases[i].ro);
    }
}

static void widths_are_columns_not_bytes(void **state)
{
    (void)state;
    assert_int_equal(words_width(""), 0);
    assert_int_equal(words_width("abc"), 3);
    assert_int_equal(words_width("șțăîâ"), 5);
    assert_int_equal(words_width("–"), 1);
    assert_int_equal(words_width("s\xCC\xA6"
                                 "i"),
                     2);
}

static void languages_and_states_are_known_by_name(void **state)
{
    (void)state;
    enum language language;
    assert_true(language_parse(text_of("ro"), &language));
    assert_int_equal(language, LANGUAGE_RO);
    assert_false(language_parse(text_of("RO"), &language));
    assert_false(language_parse(text_of("de"), &language));
    assert_string_equal(words_sale_state(LANGUAGE_EN, "weak"), "behind target");
    assert_string_equal(words_service_state(LANGUAGE_RO, "unknown"), "prea puține evaluări");
    assert_string_equal(words_sale_state(LANGUAGE_EN, "NaN"), "–");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_grouped_in_the_form_of_the_language),
        cmocka_unit_test(money_has_the_decimals_of_its_currency),
        cmocka_unit_test(durations_take_two_units_at_most),
        cmocka_unit_test(romanian_says_de_from_twenty_on_but_not_after_1_to_19),
        cmocka_unit_test(each_kind_of_metric_has_its_unit),
        cmocka_unit_test(periods_have_names),
        cmocka_unit_test(widths_are_columns_not_bytes),
        cmocka_unit_test(languages_and_states_are_known_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

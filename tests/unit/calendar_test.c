#include "common/calendar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static int32_t day_of(const char *date)
{
    int32_t day = 0;
    if (!calendar_parse_date(text_of(date), &day)) {
        fail_msg("\"%s\" is no date", date);
    }
    return day;
}

static void known_days_have_known_numbers(void **state)
{
    (void)state;
    assert_int_equal(calendar_day(1970, 1, 1), 0);
    assert_int_equal(calendar_day(1969, 12, 31), -1);
    assert_int_equal(calendar_day(2000, 1, 1), CALENDAR_DAY_MIN);
    assert_int_equal(calendar_day(2000, 2, 29), 11016);
    assert_int_equal(calendar_day(2099, 12, 31), CALENDAR_DAY_MAX);
    assert_int_equal(calendar_day(1, 1, 1), -719162);
    assert_int_equal(calendar_day(9999, 12, 31), 2932896);
}

/* Walks over every day of the years 1-9999 with the rule for leap years written out again. */
static void every_day_from_year_1_to_9999_goes_there_and_back(void **state)
{
    (void)state;
    int32_t day = -719162;
    for (int year = 1; year <= 9999; year++) {
        bool leap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
        const int lengths[] = {31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        for (int month = 1; month <= 12; month++) {
            assert_false(calendar_valid(year, month, lengths[month - 1] + 1));
            for (int dom = 1; dom <= lengths[month - 1]; dom++, day++) {
                int y, m, d;
                calendar_civil(day, &y, &m, &d);
                if (calendar_day(year, month, dom) != day || y != year || m != month || d != dom ||
                    !calendar_valid(year, month, dom)) {
                    fail_msg("%d-%d-%d", year, month, dom);
                }
            }
        }
    }
    assert_int_equal(day, 2932897);
}

static void dates_that_do_not_exist_are_not_valid(void **state)
{
    (void)state;
    static const int dates[][3] = {
        {2023, 2, 29}, {2100, 2, 29}, {1900, 2, 29}, {2026, 0, 1},  {2026, 13, 1},
        {2026, 4, 31}, {2026, 1, 0},  {2026, 1, -1}, {2026, -1, 1}, {0, 1, 1},
        {-1, 1, 1},    {10000, 1, 1}, {2026, 1, 32},
    };
    for (size_t i = 0; i < COUNT(dates); i++) {
        assert_false(calendar_valid(dates[i][0], dates[i][1], dates[i][2]));
    }
    assert_true(calendar_valid(2000, 2, 29));
    assert_true(calendar_valid(2024, 2, 29));
}

static void weekdays_count_from_monday(void **state)
{
    (void)state;
    assert_int_equal(calendar_weekday(0), 3); /* Thursday */
    assert_int_equal(calendar_weekday(day_of("2026-11-23")), 0);
    assert_int_equal(calendar_weekday(day_of("2000-01-01")), 5);
    assert_int_equal(calendar_weekday(day_of("1969-12-28")), 6);
    assert_int_equal(calendar_weekday(-4), 6);
    assert_int_equal(calendar_weekday(-3), 0);
}

static void months_added_stop_at_the_end_of_a_shorter_month(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        int months;
        const char *to;
    } cases[] = {
        {"2026-01-31", 1, "2026-02-28"},   {"2024-01-31", 1, "2024-02-29"},
        {"2024-02-29", 12, "2025-02-28"},  {"2024-02-29", 48, "2028-02-29"},
        {"2026-03-31", -1, "2026-02-28"},  {"2026-12-31", 2, "2027-02-28"},
        {"2026-11-23", 0, "2026-11-23"},   {"2026-11-23", 24, "2028-11-23"},
        {"2026-01-15", -1, "2025-12-15"},  {"2026-01-15", -13, "2024-12-15"},
        {"2026-10-31", 600, "2076-10-31"}, {"2000-01-01", -1, "1999-12-01"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char out[11];
        calendar_format_date(calendar_add_months(day_of(cases[i].from), cases[i].months), out);
        assert_string_equal(out, cases[i].to);
    }
}

static void dates_are_read_and_written_alike(void **state)
{
    (void)state;
    static const char *const dates[] = {"0001-01-01", "1970-01-01", "2024-02-29", "9999-12-31"};
    for (size_t i = 0; i < COUNT(dates); i++) {
        char out[11];
        assert_string_equal(calendar_format_date(day_of(dates[i]), out), dates[i]);
    }
}

static void what_is_no_date_leaves_the_day_alone(void **state)
{
    (void)state;
    static const char *const words[] = {
        "",           "2026-11-2",  "2026-11-231", "2026-1-023", "2026/11/23",  "2026-02-29",
        "2026-13-01", "2026-00-01", "2026-01-00",  "0000-01-01", "20261123",    "+026-11-23",
        "2026-11-2x", "x026-11-23", "-001-01-01",  "2026-11- 3", "2026-11-23Z", "2026-W48-1",
    };
    for (size_t i = 0; i < COUNT(words); i++) {
        int32_t day = 77;
        assert_false(calendar_parse_date(text_of(words[i]), &day));
        assert_int_equal(day, 77);
    }
    int32_t day;
    assert_false(calendar_parse_date((struct text){NULL, 0}, &day));
}

static void times_are_read_to_the_millisecond(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"2026-11-23T12:05:09.123Z", INT64_C(1795435509123)},
        {"2026-11-23T12:05:09Z", INT64_C(1795435509000)},
        {"2026-11-23t12:05:09z", INT64_C(1795435509000)},
        {"2026-11-23T14:05:09.123+02:00", INT64_C(1795435509123)},
        {"2026-11-23T02:35:09.123-09:30", INT64_C(1795435509123)},
        {"2026-11-23T12:05:09.123+00:00", INT64_C(1795435509123)},
        {"2026-11-23T12:05:09.123-00:00", INT64_C(1795435509123)},
        {"2026-11-24T12:04:09.123+23:59", INT64_C(1795435509123)},
        {"2026-11-23T12:05:09.1Z", INT64_C(1795435509100)},
        {"2026-11-23T12:05:09.12Z", INT64_C(1795435509120)},
        {"2026-11-23T12:05:09.1239Z", INT64_C(1795435509123)},
        {"2026-11-23T12:05:09.123999999Z", INT64_C(1795435509123)},
        {"2026-11-23T12:05:09.000000001Z", INT64_C(1795435509000)},
        {"2000-01-01T00:00:00Z", INT64_C(946684800000)},
        {"2000-01-01T00:00:00+14:00", INT64_C(946634400000)}, /* an instant of 1999 */
        {"2099-12-31T23:59:59.999Z", INT64_C(4102444799999)},
        {"2099-12-31T23:59:59-12:00", INT64_C(4102487999000)},
        {"2024-02-29T23:59:59Z", INT64_C(1709251199000)},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t ms = -1;
        if (!calendar_parse_time(text_of(cases[i].text), &ms) || ms != cases[i].ms) {
            fail_msg("\"%s\" became %lld", cases[i].text, (long long)ms);
        }
    }
}

static void what_is_no_time_leaves_the_number_alone(void **state)
{
    (void)state;
    static const char *const words[] = {
        "",
        "2026-11-23",
        "2026-11-23T12:05Z",
        "2026-11-23T12:05:09",
        "2026-11-23T12:05:09.123",
        "2026-11-23 12:05:09Z",
        "2026-11-23T12:05:60Z",
        "2026-11-23T12:60:09Z",
        "2026-11-23T24:00:00Z",
        "2026-02-29T12:05:09Z",
        "2026-11-31T12:05:09Z",
        "1999-12-31T23:59:59Z",
        "1999-12-31T23:59:59-14:00",
        "2100-01-01T00:00:00Z",
        "2026-11-23T12:05:09.Z",
        "2026-11-23T12:05:09.1234567890Z",
        "2026-11-23T12:05:09,123Z",
        "2026-11-23T12:05:09+24:00",
        "2026-11-23T12:05:09+02:60",
        "2026-11-23T12:05:09+0200",
        "2026-11-23T12:05:09+02",
        "2026-11-23T12:05:09+2:00",
        "2026-11-23T12:05:09 02:00",
        "2026-11-23T12:05:09Zx",
        "2026-11-23T12:05:09ZZ",
        "2026-11-23T12:05:09.123+02:000",
        "2026-11-23T1a:05:09Z",
        "2026-11-23T12-05-09Z",
        " 2026-11-23T12:05:09Z",
        "2026-11-23T12:05:09Z ",
        "20261-1-23T12:05:09Z",
        "2026-11-23T12:05:-9Z",
        "\xff\xff\xff\xff-11-23T12:05:09Z",
    };
    for (size_t i = 0; i < COUNT(words); i++) {
        int64_t ms = 77;
        if (calendar_parse_time(text_of(words[i]), &ms) || ms != 77) {
            fail_msg("\"%s\" was taken", words[i]);
        }
    }
}

/* Every cut of a good time is no time, and nothing behind its end is looked at. */
static void a_cut_time_is_no_time(void **state)
{
    (void)state;
    static const char whole[] = "2026-11-23T12:05:09.123456789+02:00";
    int64_t ms;
    for (size_t len = 0; len < sizeof whole - 1; len++) {
        assert_false(calendar_parse_time((struct text){whole, len}, &ms));
    }
    assert_true(calendar_parse_time((struct text){whole, sizeof whole - 1}, &ms));
}

/* Only the minute is remembered: seconds, fraction and offset are each text's own. */
static void a_time_after_another_is_read_as_if_alone(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "2026-11-23T14:05:09Z",     "2026-11-23T14:05:09.5Z",    "2026-11-23T14:05:59+02:00",
        "2026-11-23T14:05:60Z",     "2026-11-23T14:05:10-23:59", "2026-11-23T14:06:10Z",
        "2026-11-23T14:61:10Z",     "2026-11-23T14:06:11Z",      "2026-02-29T14:06:11Z",
        "2024-02-29t14:06:11z",     "2026-11-23T14:05",          "1999-11-23T14:05:09Z",
        "2099-12-31T23:59:59.999Z", "2100-01-01T00:00:00Z",      "2000-03-01T00:00:00Z",
    };
    struct calendar_minute minute = {0};
    for (size_t i = 0; i < 4 * sizeof texts / sizeof *texts; i++) {
        int64_t alone = 77, next = 77;
        struct text text = text_of(texts[i * 7 % (sizeof texts / sizeof *texts)]);
        assert_int_equal(calendar_parse_next(&minute, text, &next),
                         calendar_parse_time(text, &alone));
        assert_int_equal(next, alone);
    }
}

static void zero_bytes_are_no_time(void **state)
{
    (void)state;
    int64_t ms;
    struct calendar_minute minute = {0};
    struct text text = {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0:05Z", 20};
    assert_false(calendar_parse_next(&minute, text, &ms));
}

static void times_are_written_in_utc(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {INT64_C(1795435509123), "2026-11-23T12:05:09.123Z"},
        {INT64_C(1795435509000), "2026-11-23T12:05:09Z"},
        {INT64_C(1795435509001), "2026-11-23T12:05:09.001Z"},
        {0, "1970-01-01T00:00:00Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {INT64_C(4102444799999), "2099-12-31T23:59:59.999Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
        {INT64_MIN, "0000-01-01T00:00:00Z"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char out[32];
        assert_string_equal(calendar_format_time(cases[i].ms, out), cases[i].text);
    }
}

static void a_day_belongs_to_one_period_of_each_kind(void **state)
{
    (void)state;
    static const struct {
        const char *day;
        enum period_kind kind;
        const char *first, *last, *name;
    } cases[] = {
        {"2026-11-23", PERIOD_DAY, "2026-11-23", "2026-11-23", "2026-11-23"},
        {"2026-11-23", PERIOD_WEEK, "2026-11-23", "2026-11-29", "2026-W48"},
        {"2026-11-29", PERIOD_WEEK, "2026-11-23", "2026-11-29", "2026-W48"},
        {"2026-11-23", PERIOD_MONTH, "2026-11-01", "2026-11-30", "2026-11"},
        {"2026-11-23", PERIOD_QUARTER, "2026-10-01", "2026-12-31", "2026-Q4"},
        {"2026-11-23", PERIOD_YEAR, "2026-01-01", "2026-12-31", "2026"},
        {"2024-02-29", PERIOD_MONTH, "2024-02-01", "2024-02-29", "2024-02"},
        {"2024-02-29", PERIOD_QUARTER, "2024-01-01", "2024-03-31", "2024-Q1"},
        {"2026-12-31", PERIOD_MONTH, "2026-12-01", "2026-12-31", "2026-12"},
        {"2026-06-30", PERIOD_QUARTER, "2026-04-01", "2026-06-30", "2026-Q2"},
        {"2026-07-01", PERIOD_QUARTER, "2026-07-01", "2026-09-30", "2026-Q3"},
        /* Weeks across the turn of the year, and the years that have a 53rd. */
        {"2027-01-01", PERIOD_WEEK, "2026-12-28", "2027-01-03", "2026-W53"},
        {"2027-01-04", PERIOD_WEEK, "2027-01-04", "2027-01-10", "2027-W01"},
        {"2025-12-29", PERIOD_WEEK, "2025-12-29", "2026-01-04", "2026-W01"},
        {"2024-12-31", PERIOD_WEEK, "2024-12-30", "2025-01-05", "2025-W01"},
        {"2021-01-03", PERIOD_WEEK, "2020-12-28", "2021-01-03", "2020-W53"},
        {"2022-01-02", PERIOD_WEEK, "2021-12-27", "2022-01-02", "2021-W52"},
        {"2000-01-01", PERIOD_WEEK, "1999-12-27", "2000-01-02", "1999-W52"},
        {"2099-12-31", PERIOD_WEEK, "2099-12-28", "2100-01-03", "2099-W53"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char out[16];
        struct period p = period_of(cases[i].kind, day_of(cases[i].day));
        assert_int_equal(p.kind, cases[i].kind);
        assert_int_equal(p.first, day_of(cases[i].first));
        assert_int_equal(p.last, day_of(cases[i].last));
        assert_string_equal(period_format(p, out), cases[i].name);
    }
}

static void periods_follow_one_another_without_gap(void **state)
{
    (void)state;
    for (int kind = 0; kind < PERIOD_KINDS; kind++) {
        struct period p = period_of((enum period_kind)kind, CALENDAR_DAY_MIN);
        while (p.last < CALENDAR_DAY_MAX) {
            struct period next = period_next(p);
            struct period back = period_previous(next);
            assert_int_equal(next.kind, kind);
            assert_int_equal(next.first, p.last + 1);
            assert_int_equal(back.first, p.first);
            assert_int_equal(back.last, p.last);
            p = next;
        }
    }
}

static void every_period_of_the_century_reads_back_from_its_name(void **state)
{
    (void)state;
    for (int kind = 0; kind < PERIOD_KINDS; kind++) {
        /* January 3rd of 2000 began the first week that belongs to the century's own years. */
        struct period p = period_of((enum period_kind)kind, CALENDAR_DAY_MIN + 2);
        for (; p.first <= CALENDAR_DAY_MAX; p = period_next(p)) {
            char name[16];
            struct period back;
            assert_true(period_parse(text_of(period_format(p, name)), &back));
            assert_int_equal(back.kind, kind);
            assert_int_equal(back.first, p.first);
            assert_int_equal(back.last, p.last);
        }
    }
}

static void years_with_a_53rd_week_are_those_of_iso_8601(void **state)
{
    (void)state;
    static const int long_years[] = {2004, 2009, 2015, 2020, 2026, 2032, 2037, 2043, 2048,
                                     2054, 2060, 2065, 2071, 2076, 2082, 2088, 2093, 2099};
    size_t found = 0;
    for (int year = 2000; year <= 2099; year++) {
        char name[16];
        struct period p;
        name[0] = '2';
        name[1] = '0';
        name[2] = (char)('0' + year / 10 % 10);
        name[3] = (char)('0' + year % 10);
        memcpy(name + 4, "-W53", 5);
        if (period_parse(text_of(name), &p)) {
            assert_true(found < COUNT(long_years));
            assert_int_equal(long_years[found++], year);
        }
    }
    assert_int_equal(found, COUNT(long_years));
}

static void what_names_no_period_leaves_it_alone(void **state)
{
    (void)state;
    static const char *const words[] = {
        "",           "202",        "20266",       "1999",
        "2100",       "2026-",      "2026-0",      "2026-00",
        "2026-13",    "2026-1",     "2026-Q0",     "2026-Q5",
        "2026-Q",     "2026-q1",    "2026-W00",    "2026-W54",
        "2025-W53",   "2026-W1",    "2026-w48",    "2026-W481",
        "2026-11-31", "2026/11",    "2026-1x",     "2026-W4x",
        "1999-W52",   "2100-Q1",    "month",       "2026-11-2",
        "20x6",       "2026 ",      "2026-11-23 ", "2026-Q\xb9",
        "1999-12-31", "2100-01-01",
    };
    for (size_t i = 0; i < COUNT(words); i++) {
        struct period p = {PERIOD_YEAR, 77, 78};
        if (period_parse(text_of(words[i]), &p) || p.first != 77) {
            fail_msg("\"%s\" was taken", words[i]);
        }
    }
    struct period p;
    assert_false(period_parse((struct text){NULL, 0}, &p));
}

static void kinds_are_read_by_their_names(void **state)
{
    (void)state;
    static const char *const names[] = {"day", "week", "month", "quarter", "year"};
    for (int i = 0; i < PERIOD_KINDS; i++) {
        enum period_kind kind;
        assert_string_equal(period_kind_name((enum period_kind)i), names[i]);
        assert_true(period_kind_parse(text_of(names[i]), &kind));
        assert_int_equal(kind, i);
    }
    enum period_kind kind = PERIOD_WEEK;
    assert_false(period_kind_parse(text_of("Month"), &kind));
    assert_false(period_kind_parse(text_of("months"), &kind));
    assert_false(period_kind_parse(text_of(""), &kind));
    assert_int_equal(kind, PERIOD_WEEK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_days_have_known_numbers),
        cmocka_unit_test(every_day_from_year_1_to_9999_goes_there_and_back),
        cmocka_unit_test(dates_that_do_not_exist_are_not_valid),
        cmocka_unit_test(weekdays_count_from_monday),
        cmocka_unit_test(months_added_stop_at_the_end_of_a_shorter_month),
        cmocka_unit_test(dates_are_read_and_written_alike),
        cmocka_unit_test(what_is_no_date_leaves_the_day_alone),
        cmocka_unit_test(times_are_read_to_the_millisecond),
        cmocka_unit_test(what_is_no_time_leaves_the_number_alone),
        cmocka_unit_test(a_cut_time_is_no_time),
        cmocka_unit_test(a_time_after_another_is_read_as_if_alone),
        cmocka_unit_test(zero_bytes_are_no_time),
        cmocka_unit_test(times_are_written_in_utc),
        cmocka_unit_test(a_day_belongs_to_one_period_of_each_kind),
        cmocka_unit_test(periods_follow_one_another_without_gap),
        cmocka_unit_test(every_period_of_the_century_reads_back_from_its_name),
        cmocka_unit_test(years_with_a_53rd_week_are_those_of_iso_8601),
        cmocka_unit_test(what_names_no_period_leaves_it_alone),
        cmocka_unit_test(kinds_are_read_by_their_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

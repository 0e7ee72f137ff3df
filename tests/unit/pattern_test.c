#include "producers/import/pattern.h"

#include "common/calendar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct pattern pattern_of(const char *format)
{
    struct pattern pattern;
    struct error err = {0};
    if (pattern_parse(&pattern, text_of(format), &err) != 0) {
        fail_msg("%s: %s", format, err.text);
    }
    return pattern;
}

/* Reads and writes it again in one form: the wall clock, and the offset when there is one. */
static void assert_reads(const char *format, const char *text, const char *stamp)
{
    struct pattern pattern = pattern_of(format);
    struct moment moment = {0};
    char out[64], time[32];
    if (pattern_read(&pattern, text_of(text), &moment) != PATTERN_FITS) {
        fail_msg("%s does not read %s", format, text);
    }
    snprintf(out, sizeof out, "%s", calendar_format_time(moment.local_ms, time));
    if (moment.has_offset) {
        snprintf(out + strlen(out) - 1, 20, "%+d", (int)moment.offset_s);
    }
    assert_string_equal(out, stamp);
}

static void each_form_of_date_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *format, *text, *stamp;
    } cases[] = {
        {"YYYY-MM-DD", "2026-11-23", "2026-11-23T00:00:00Z"},
        {"D-MMM-YYYY", "1-Jan-2019", "2019-01-01T00:00:00Z"},
        {"D-MMM-YYYY", "31-DEC-2019", "2019-12-31T00:00:00Z"},
        {"M/D/YYYY", "11/8/2017", "2017-11-08T00:00:00Z"},
        {"DD.MM.YY", "08.11.17", "2017-11-08T00:00:00Z"},
        {"YYYYMMDD", "20171108", "2017-11-08T00:00:00Z"},
        {"MMMM D, YYYY", "November 8, 2017", "2017-11-08T00:00:00Z"},
        {"YYYY-MM-DD HH:MM:SS", "2024-10-30 15:15:11.744884", "2024-10-30T15:15:11.744Z"},
        {"YYYY-MM-DD HH:MM:SS", "2024-10-30  15:15:11", "2024-10-30T15:15:11Z"},
        {"HH:MM DD/MM/YYYY", "09:05 31/01/2020", "2020-01-31T09:05:00Z"},
        {"M/D/YYYY H:MM AM", "1/2/2020 9:05 pm", "2020-01-02T21:05:00Z"},
        {"M/D/YYYY H:MM AM", "1/2/2020 12:00 AM", "2020-01-02T00:00:00Z"},
        {"M/D/YYYY H:MM AM", "1/2/2020 12:30 PM", "2020-01-02T12:30:00Z"},
        {"YYYY-MM-DDTHH:MM:SSZ", "2020-01-02T03:04:05+0230", "2020-01-02T03:04:05+9000"},
        {"ISO", "2020-01-02T03:04:05.678901+02:00", "2020-01-02T03:04:05.678+7200"},
        {"ISO", "2020-01-02 03:04 -05", "2020-01-02T03:04:00-18000"},
        {"ISO", "2020-01-02T03:04:05Z", "2020-01-02T03:04:05+0"},
        {"ISO", "2020-01-02T03:04:05", "2020-01-02T03:04:05Z"},
        {"UNIX", "1577934245.5", "2020-01-02T03:04:05.500+0"},
        {"YYYY-MM-DD", "2024-02-29", "2024-02-29T00:00:00Z"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_reads(cases[i].format, cases[i].text, cases[i].stamp);
    }
}

static void what_is_no_such_date_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *format, *text;
        enum pattern_fault fault;
    } cases[] = {
        {"YYYY-MM-DD", "2017-02-30", PATTERN_NO_SUCH_DATE},
        {"YYYY-MM-DD", "2023-02-29", PATTERN_NO_SUCH_DATE},
        {"M/D/YYYY", "13/1/2017", PATTERN_NO_SUCH_DATE},
        {"YYYY-MM-DD HH:MM", "2017-01-01 24:00", PATTERN_NO_SUCH_DATE},
        {"YYYY-MM-DD HH:MM:SS", "2017-01-01 23:59:60", PATTERN_NO_SUCH_DATE},
        {"M/D/YYYY H:MM AM", "1/2/2020 0:30 AM", PATTERN_NO_SUCH_DATE},
        {"M/D/YYYY H:MM AM", "1/2/2020 13:30 PM", PATTERN_NO_SUCH_DATE},
        {"YYYY-MM-DD", "1999-12-31", PATTERN_YEAR},
        {"YYYY-MM-DD", "2100-01-01", PATTERN_YEAR},
        {"UNIX", "0", PATTERN_YEAR},
        {"UNIX", "x", PATTERN_DIFFERS},
        {"YYYY-MM-DD", "2017-1-2", PATTERN_DIFFERS},
        {"YYYY-MM-DD", "2017-01-02 ", PATTERN_DIFFERS},
        {"YYYY-MM-DD", "", PATTERN_DIFFERS},
        {"D-MMM-YYYY", "1-Foo-2019", PATTERN_DIFFERS},
        {"M/D/YYYY H:MM AM", "1/2/2020 9:05", PATTERN_DIFFERS},
        {"ISO", "2020-01-02", PATTERN_DIFFERS},
        {"ISO", "2020-01-02T03:04:05+25:00", PATTERN_DIFFERS},
        {"YYYY-MM-DD HH:MM:SS", "2024-10-30 15:15:11.", PATTERN_DIFFERS},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pattern pattern = pattern_of(cases[i].format);
        struct moment moment;
        if (pattern_read(&pattern, text_of(cases[i].text), &moment) != cases[i].fault) {
            fail_msg("%s read by %s", cases[i].text, cases[i].format);
        }
    }
}

static void a_format_must_be_a_whole_one(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "YYYY",
        "YYYY-MM",
        "MM-DD",
        "HH:MM",
        "YYYY-MM-DD HH",
        "YYYY-MM-DD SS",
        "YYYY-MM-DD x",
        "YYYY-MM-DD YYYY",
        "YYYY-MM-DD AM",
        "YYYY-MM-DD Z",
        "ISO 8601",
        "UNIX Z",
        "YYYY-MM-DD HH:MM HH:MM",
        "YYYY-MM-DD ...............................",
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct pattern pattern;
        struct error err = {0};
        if (pattern_parse(&pattern, text_of(wrong[i]), &err) == 0) {
            fail_msg("\"%s\" is taken", wrong[i]);
        }
        assert_true(err.text[0] != '\0');
    }
}

static void a_date_alone_knows_that_it_has_no_hour(void **state)
{
    (void)state;
    assert_false(pattern_of("YYYY-MM-DD").has_hour);
    assert_true(pattern_of("YYYY-MM-DD H:MM").has_hour);
    assert_true(pattern_of("ISO").has_hour);
    assert_true(pattern_of("UNIX").has_hour);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_of_date_is_read),
        cmocka_unit_test(what_is_no_such_date_says_why),
        cmocka_unit_test(a_format_must_be_a_whole_one),
        cmocka_unit_test(a_date_alone_knows_that_it_has_no_hour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

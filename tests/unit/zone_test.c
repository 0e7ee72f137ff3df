#include "common/zone.h"

#include "common/calendar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct zone *open_zone(const char *name)
{
    struct zone *zone = NULL;
    struct error err = {0};
    if (zone_open(&zone, name, &err) != 0) {
        fail_msg("%s: %s", name, err.text);
    }
    return zone;
}

/* For tables that name the same zone many times: making one takes some ten milliseconds. */
static struct zone *change_zone(struct zone *zone, const char *name)
{
    if (zone && strcmp(zone_name(zone), name) == 0) {
        return zone;
    }
    zone_free(zone);
    return open_zone(name);
}

/* Seconds of "2026-03-29T03:30:00", taken as if it were UTC. */
static int64_t seconds(const char *text)
{
    char with_zone[32];
    int64_t ms = 0;
    snprintf(with_zone, sizeof with_zone, "%sZ", text);
    if (!calendar_parse_time(text_of(with_zone), &ms)) {
        fail_msg("\"%s\" is no time", text);
    }
    return ms / 1000;
}

static void a_zone_tells_its_name(void **state)
{
    (void)state;
    struct zone *zone = open_zone("Europe/Bucharest");
    assert_string_equal(zone_name(zone), "Europe/Bucharest");
    zone_free(zone);
    zone_free(NULL);
}

static void offsets_change_at_the_very_second(void **state)
{
    (void)state;
    static const struct {
        const char *name, *utc;
        int32_t before_s, after_s;
    } cases[] = {
        {"Europe/Bucharest", "2026-03-29T01:00:00", 7200, 10800},
        {"Europe/Bucharest", "2026-10-25T01:00:00", 10800, 7200},
        {"Europe/Bucharest", "2000-03-26T01:00:00", 7200, 10800},
        {"Europe/Bucharest", "2099-10-25T01:00:00", 10800, 7200},
        {"Europe/London", "2026-03-29T01:00:00", 0, 3600},
        {"America/New_York", "2006-04-02T07:00:00", -18000, -14400},
        {"America/New_York", "2007-03-11T07:00:00", -18000, -14400},
        {"America/New_York", "2026-11-01T06:00:00", -14400, -18000},
        {"Australia/Lord_Howe", "2026-04-04T15:00:00", 39600, 37800},
        {"Asia/Kathmandu", "2026-03-29T01:00:00", 20700, 20700},
        {"Pacific/Apia", "2011-12-30T10:00:00", -36000, 50400},
        {"America/St_Johns", "2006-10-29T02:31:00", -9000, -12600},
        {"Europe/Istanbul", "2016-03-27T01:00:00", 7200, 10800},
    };
    struct zone *zone = NULL;
    for (size_t i = 0; i < COUNT(cases); i++) {
        zone = change_zone(zone, cases[i].name);
        int64_t at = seconds(cases[i].utc);
        assert_int_equal(zone_offset(zone, at - 1), cases[i].before_s);
        assert_int_equal(zone_offset(zone, at), cases[i].after_s);
        assert_int_equal(zone_local(zone, at), at + cases[i].after_s);
    }
    zone_free(zone);
}

/* All of a century, at steps that fall on every hour of the day. */
static void offsets_are_those_of_libc_from_2000_to_2099(void **state)
{
    (void)state;
    static const char *const names[] = {"Europe/Bucharest", "America/New_York", "Africa/Casablanca",
                                        "America/Santiago", "Asia/Tehran"};
    const int64_t from = (int64_t)CALENDAR_DAY_MIN * 86400;
    const int64_t to = (int64_t)(CALENDAR_DAY_MAX + 1) * 86400;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct zone *zone = open_zone(names[i]);
        setenv("TZ", names[i], 1);
        tzset();
        for (int64_t at = from; at < to; at += 17 * 3600 + 1) {
            time_t instant = (time_t)at;
            struct tm tm;
            localtime_r(&instant, &tm);
            if (zone_offset(zone, at) != tm.tm_gmtoff) {
                fail_msg("%s at %lld", names[i], (long long)at);
            }
        }
        unsetenv("TZ");
        tzset();
        zone_free(zone);
    }
}

static void the_nearest_offset_holds_outside_the_century(void **state)
{
    (void)state;
    struct zone *zone = open_zone("Europe/Bucharest");
    assert_int_equal(zone_offset(zone, INT64_MIN), 7200);
    assert_int_equal(zone_offset(zone, INT64_MAX), 7200);
    assert_int_equal(zone_offset(zone, 0), 7200);
    zone_free(zone);
}

static void a_local_day_is_that_of_the_wall_clock(void **state)
{
    (void)state;
    static const struct {
        const char *name, *utc, *date;
    } cases[] = {
        {"Europe/Bucharest", "2026-11-23T21:59:59", "2026-11-23"},
        {"Europe/Bucharest", "2026-11-23T22:00:00", "2026-11-24"},
        {"Europe/Bucharest", "2026-07-01T20:59:59", "2026-07-01"},
        {"Europe/Bucharest", "2026-07-01T21:00:00", "2026-07-02"},
        {"America/New_York", "2026-01-01T04:59:59", "2025-12-31"},
        {"America/New_York", "2026-01-01T05:00:00", "2026-01-01"},
        {"Pacific/Kiritimati", "2000-01-01T10:00:00", "2000-01-02"},
        {"UTC", "2099-12-31T23:59:59", "2099-12-31"},
    };
    struct zone *zone = NULL;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char out[11];
        zone = change_zone(zone, cases[i].name);
        calendar_format_date(zone_day(zone, seconds(cases[i].utc)), out);
        assert_string_equal(out, cases[i].date);
    }
    zone_free(zone);
}

static void a_day_far_outside_does_not_come_round_again(void **state)
{
    (void)state;
    struct zone *zone = open_zone("Europe/Bucharest");
    assert_int_equal(zone_day(zone, INT64_MAX / 1000), calendar_day(9999, 12, 31));
    assert_int_equal(zone_day(zone, INT64_MIN / 1000), calendar_day(0, 1, 1));
    assert_int_equal(zone_day(zone, INT64_MAX), calendar_day(9999, 12, 31));
    assert_int_equal(zone_day(zone, -7201), -1);
    assert_int_equal(zone_day(zone, -7200), 0);
    zone_free(zone);
}

static void wall_clocks_become_instants(void **state)
{
    (void)state;
    static const struct {
        const char *name, *local, *utc, *late;
    } cases[] = {
        {"Europe/Bucharest", "2026-11-23T14:00:00", "2026-11-23T12:00:00", "2026-11-23T12:00:00"},
        {"Europe/Bucharest", "2026-07-01T00:00:00", "2026-06-30T21:00:00", "2026-06-30T21:00:00"},
        /* Around the gap 03:00-04:00: inside it, what shows the clock an hour on. */
        {"Europe/Bucharest", "2026-03-29T02:59:59", "2026-03-29T00:59:59", "2026-03-29T00:59:59"},
        {"Europe/Bucharest", "2026-03-29T03:00:00", "2026-03-29T01:00:00", "2026-03-29T01:00:00"},
        {"Europe/Bucharest", "2026-03-29T03:30:00", "2026-03-29T01:30:00", "2026-03-29T01:30:00"},
        {"Europe/Bucharest", "2026-03-29T04:00:00", "2026-03-29T01:00:00", "2026-03-29T01:00:00"},
        /* Around the hour 03:00-04:00 that comes twice. */
        {"Europe/Bucharest", "2026-10-25T02:59:59", "2026-10-24T23:59:59", "2026-10-24T23:59:59"},
        {"Europe/Bucharest", "2026-10-25T03:00:00", "2026-10-25T00:00:00", "2026-10-25T01:00:00"},
        {"Europe/Bucharest", "2026-10-25T03:59:59", "2026-10-25T00:59:59", "2026-10-25T01:59:59"},
        {"Europe/Bucharest", "2026-10-25T04:00:00", "2026-10-25T02:00:00", "2026-10-25T02:00:00"},
        {"America/New_York", "2026-03-08T02:30:00", "2026-03-08T07:30:00", "2026-03-08T07:30:00"},
        {"America/New_York", "2026-11-01T01:30:00", "2026-11-01T05:30:00", "2026-11-01T06:30:00"},
        /* Half an hour only, and a whole day. */
        {"Australia/Lord_Howe", "2026-10-04T02:15:00", "2026-10-03T15:45:00",
         "2026-10-03T15:45:00"},
        {"Pacific/Apia", "2011-12-30T12:00:00", "2011-12-30T22:00:00", "2011-12-30T22:00:00"},
        /* The clock goes back over midnight, and forward at midnight. */
        {"America/Santiago", "2026-04-04T23:30:00", "2026-04-05T02:30:00", "2026-04-05T03:30:00"},
        {"America/Santiago", "2026-09-06T00:00:00", "2026-09-06T04:00:00", "2026-09-06T04:00:00"},
        {"America/Santiago", "2026-09-06T00:30:00", "2026-09-06T04:30:00", "2026-09-06T04:30:00"},
        {"Europe/Bucharest", "2000-01-01T00:00:00", "1999-12-31T22:00:00", "1999-12-31T22:00:00"},
        {"Europe/Bucharest", "2099-12-31T23:59:59", "2099-12-31T21:59:59", "2099-12-31T21:59:59"},
    };
    struct zone *zone = NULL;
    for (size_t i = 0; i < COUNT(cases); i++) {
        zone = change_zone(zone, cases[i].name);
        int64_t local = seconds(cases[i].local);
        char got[32], late[32], wanted[32], wanted_late[32];
        calendar_format_time(zone_utc(zone, local) * 1000, got);
        calendar_format_time(zone_utc_late(zone, local) * 1000, late);
        snprintf(wanted, sizeof wanted, "%sZ", cases[i].utc);
        snprintf(wanted_late, sizeof wanted_late, "%sZ", cases[i].late);
        assert_string_equal(got, wanted);
        assert_string_equal(late, wanted_late);
    }
    zone_free(zone);
}

/* Each instant is one of the candidates of what its wall clock shows: the only one, or one of two. */
static void every_instant_comes_back_from_its_wall_clock(void **state)
{
    (void)state;
    static const char *const names[] = {"Europe/Bucharest", "Africa/Casablanca",
                                        "Australia/Lord_Howe", "Pacific/Apia"};
    const int64_t from = (int64_t)CALENDAR_DAY_MIN * 86400;
    const int64_t to = (int64_t)(CALENDAR_DAY_MAX + 1) * 86400;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct zone *zone = open_zone(names[i]);
        for (int64_t at = from; at < to; at += 1800) {
            int64_t local = zone_local(zone, at);
            int64_t early = zone_utc(zone, local), late = zone_utc_late(zone, local);
            if (early > late || (early != at && late != at) || zone_local(zone, early) != local ||
                zone_local(zone, late) != local) {
                fail_msg("%s at %lld", names[i], (long long)at);
            }
        }
        zone_free(zone);
    }
}

static void days_around_a_change_are_shorter_or_longer(void **state)
{
    (void)state;
    static const struct {
        const char *name, *date;
        int64_t length_s;
    } cases[] = {
        {"Europe/Bucharest", "2026-11-23T00:00:00", 86400},
        {"Europe/Bucharest", "2026-03-29T00:00:00", 82800},
        {"Europe/Bucharest", "2026-03-28T00:00:00", 86400},
        {"Europe/Bucharest", "2026-10-25T00:00:00", 90000},
        {"Europe/Bucharest", "2026-10-26T00:00:00", 86400},
        {"Australia/Lord_Howe", "2026-10-04T00:00:00", 84600},
        {"America/Santiago", "2026-09-05T00:00:00", 86400},
        {"America/Santiago", "2026-09-06T00:00:00", 82800},
        {"America/Santiago", "2026-04-04T00:00:00", 90000},
        {"Pacific/Apia", "2011-12-29T00:00:00", 86400},
        {"Pacific/Apia", "2011-12-30T00:00:00", 0},
        {"Pacific/Apia", "2011-12-31T00:00:00", 86400},
        {"UTC", "2026-03-29T00:00:00", 86400},
    };
    struct zone *zone = NULL;
    for (size_t i = 0; i < COUNT(cases); i++) {
        zone = change_zone(zone, cases[i].name);
        int32_t day = (int32_t)(seconds(cases[i].date) / 86400);
        assert_int_equal(zone_day_length(zone, day), cases[i].length_s);
    }
    zone_free(zone);
}

static void the_days_of_a_century_add_up_to_it(void **state)
{
    (void)state;
    struct zone *zone = open_zone("Europe/Bucharest");
    int64_t sum = 0;
    for (int32_t day = CALENDAR_DAY_MIN; day <= CALENDAR_DAY_MAX; day++) {
        sum += zone_day_length(zone, day);
    }
    assert_int_equal(sum, (int64_t)(CALENDAR_DAY_MAX - CALENDAR_DAY_MIN + 1) * 86400);
    zone_free(zone);
}

static void hashes_tell_offset_changes_apart_and_not_names(void **state)
{
    (void)state;
    struct zone *bucharest = open_zone("Europe/Bucharest");
    struct zone *again = open_zone("Europe/Bucharest");
    struct zone *athens = open_zone("Europe/Athens"); /* the same rules since 1999 */
    struct zone *berlin = open_zone("Europe/Berlin");
    struct zone *utc = open_zone("UTC");
    struct zone *reykjavik = open_zone("Atlantic/Reykjavik");
    struct zone *algiers = open_zone("Africa/Algiers"); /* no changes, another offset */
    assert_true(zone_hash(bucharest) == zone_hash(again));
    assert_true(zone_hash(bucharest) == zone_hash(athens));
    assert_true(zone_hash(bucharest) != zone_hash(berlin));
    assert_true(zone_hash(utc) == zone_hash(reykjavik));
    assert_true(zone_hash(utc) != zone_hash(algiers));
    assert_true(zone_hash(utc) != zone_hash(bucharest));
    zone_free(bucharest);
    zone_free(again);
    zone_free(athens);
    zone_free(berlin);
    zone_free(utc);
    zone_free(reykjavik);
    zone_free(algiers);
}

static void a_name_the_system_does_not_know_is_an_error(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",
        "Europe/Bukarest",
        "europe/bucharest ",
        "Europe",
        "../zoneinfo/UTC",
        "Europe/../UTC",
        "/usr/share/zoneinfo/UTC",
        "EET-2EEST",
        ":UTC",
        "UTC0",
        "tzdata.zi",
        "zone.tab",
        "Europe/Bucharest\n",
        "Europe//",
        "\xff",
        "Europe/BucharestBucharestBucharestBucharestBucharestBucharestBucharest",
    };
    for (size_t i = 0; i < COUNT(names); i++) {
        struct zone *zone = (struct zone *)&zone;
        struct error err = {0};
        assert_int_equal(zone_open(&zone, names[i], &err), -1);
        assert_null(zone);
        assert_int_equal(err.code, ERROR_INPUT);
        assert_non_null(strstr(err.text, "unknown time zone"));
    }
}

static void the_process_keeps_its_own_time_zone(void **state)
{
    (void)state;
    setenv("TZ", "America/New_York", 1);
    tzset();
    zone_free(open_zone("Europe/Bucharest"));
    assert_string_equal(getenv("TZ"), "America/New_York");
    assert_int_equal(timezone, 18000);

    unsetenv("TZ");
    tzset();
    zone_free(open_zone("Europe/Bucharest"));
    assert_null(getenv("TZ"));
}

/* A folder of its own with one file, named in TZDIR. */
static void with_folder(char *folder, const char *name, const void *content, size_t size)
{
    char path[128];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(content, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    setenv("TZDIR", folder, 1);
}

static void without_folder(const char *folder, const char *name)
{
    char path[128];
    unsetenv("TZDIR");
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
    rmdir(folder);
}

static void a_file_that_is_no_zone_is_not_taken_for_utc(void **state)
{
    (void)state;
    char folder[] = "/tmp/zone-test-XXXXXX";
    struct zone *zone;
    with_folder(folder, "Notes", "TZi", 3);
    int result = zone_open(&zone, "Notes", NULL);
    int elsewhere = zone_open(&zone, "Europe/Bucharest", NULL);
    without_folder(folder, "Notes");
    assert_int_equal(result, -1);
    assert_int_equal(elsewhere, -1);
}

static void utc_needs_no_file(void **state)
{
    (void)state;
    char folder[] = "/tmp/zone-test-XXXXXX";
    struct zone *zone;
    with_folder(folder, "Nothing", "", 0);
    int result = zone_open(&zone, "UTC", NULL);
    without_folder(folder, "Nothing");
    assert_int_equal(result, 0);
    assert_int_equal(zone_offset(zone, seconds("2026-07-01T00:00:00")), 0);
    zone_free(zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zone_tells_its_name),
        cmocka_unit_test(offsets_change_at_the_very_second),
        cmocka_unit_test(offsets_are_those_of_libc_from_2000_to_2099),
        cmocka_unit_test(the_nearest_offset_holds_outside_the_century),
        cmocka_unit_test(a_local_day_is_that_of_the_wall_clock),
        cmocka_unit_test(a_day_far_outside_does_not_come_round_again),
        cmocka_unit_test(wall_clocks_become_instants),
        cmocka_unit_test(every_instant_comes_back_from_its_wall_clock),
        cmocka_unit_test(days_around_a_change_are_shorter_or_longer),
        cmocka_unit_test(the_days_of_a_century_add_up_to_it),
        cmocka_unit_test(hashes_tell_offset_changes_apart_and_not_names),
        cmocka_unit_test(a_name_the_system_does_not_know_is_an_error),
        cmocka_unit_test(the_process_keeps_its_own_time_zone),
        cmocka_unit_test(a_file_that_is_no_zone_is_not_taken_for_utc),
        cmocka_unit_test(utc_needs_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

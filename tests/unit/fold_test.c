#include "consumers/worker/fold.h"

#include "common/calendar.h"
#include "tests/unit/book.h"
#include "tests/unit/event_maker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define DAY_S 86400

static int64_t instant_s(const char *time)
{
    int64_t ms = 0;
    assert_true(calendar_parse_time(text_of(time), &ms));
    return ms / 1000;
}

static void open_sales(struct book *book, const char *zone)
{
    book_open(book, &sales_kind, "region,channel,rep,line", zone);
}

static void add_interaction(struct book *book, const char *time)
{
    book_add(book, "sale.interaction", time, "'kind':'call'");
}

#define ONE "interactions=1 interaction_call=1"
#define TWO "interactions=2 interaction_call=2"

static void an_event_is_counted_on_its_local_day_and_hour(void **state)
{
    (void)state;
    struct book book;
    open_sales(&book, "Europe/Bucharest");
    add_interaction(&book, "2026-11-22T21:59:59.999Z");
    add_interaction(&book, "2026-11-22T22:00:00Z");
    book_expect(&book, "2026-11-22", "all", ONE);
    book_expect(&book, "2026-11-22T23", "all", ONE);
    book_expect(&book, "2026-11-23", "all", ONE);
    book_expect(&book, "2026-11-23T00", "all", ONE);
    assert_int_equal(tally_rows(book.fold.tally), 4);
    book_close(&book);
}

static void the_offset_an_event_is_written_with_does_not_matter(void **state)
{
    (void)state;
    struct book book;
    open_sales(&book, "America/New_York");
    add_interaction(&book, "2026-07-01T03:59:59Z");
    add_interaction(&book, "2026-07-01T12:59:59+09:00");
    book_expect(&book, "2026-06-30", "all", TWO);
    book_expect(&book, "2026-06-30T23", "all", TWO);
    book_close(&book);
}

static void a_day_is_23_hours_long_in_spring_and_25_in_autumn(void **state)
{
    (void)state;
    struct book book;
    open_sales(&book, "Europe/Bucharest");
    /* 2026-03-29 03:00 becomes 04:00, 2026-10-25 04:00 becomes 03:00. */
    add_interaction(&book, "2026-03-29T00:59:59Z");
    add_interaction(&book, "2026-03-29T01:00:00Z");
    book_expect(&book, "2026-03-29T02", "all", ONE);
    book_expect(&book, "2026-03-29T03", "all", "");
    book_expect(&book, "2026-03-29T04", "all", ONE);
    book_expect(&book, "2026-03-29", "all", TWO);
    add_interaction(&book, "2026-10-25T00:30:00Z"); /* 03:30, summer */
    add_interaction(&book, "2026-10-25T01:30:00Z"); /* 03:30 again */
    book_expect(&book, "2026-10-25T03", "all", TWO);
    add_interaction(&book, "2026-10-25T21:59:59Z");
    book_expect(&book, "2026-10-25", "all", "interactions=3 interaction_call=3");
    book_close(&book);
}

static void hours_are_counted_in_all_and_days_in_every_scope(void **state)
{
    (void)state;
    struct book book;
    open_sales(&book, "UTC");
    book_add(&book, "sale.interaction", "2026-11-23T12:00:00Z",
             "'kind':'call','region':'n','channel':'web','rep':'ana','customer':'c'");
    book_expect(&book, "2026-11-23", "all", ONE);
    book_expect(&book, "2026-11-23", "region=n", ONE);
    book_expect(&book, "2026-11-23", "channel=web", ONE);
    book_expect(&book, "2026-11-23", "rep=ana", ONE);
    book_expect(&book, "2026-11-23T12", "all", ONE);
    assert_int_equal(tally_rows(book.fold.tally), 5);
    book_close(&book);
}

static void an_event_before_the_floor_does_not_count(void **state)
{
    (void)state;
    struct book book;
    char *json;
    open_sales(&book, "Europe/Bucharest");
    assert_true(calendar_parse_date(text_of("2026-11-23"), &book.fold.floor));
    struct event event = maker_event(book.decoder, "sale.interaction", "2026-11-22T21:59:59Z",
                                     "'kind':'call'", &json);
    assert_false(fold_counts(&book.fold, &event));
    event.time_ms += 999;
    assert_false(fold_counts(&book.fold, &event));
    event.time_ms += 1;
    assert_true(fold_counts(&book.fold, &event));
    book.fold.floor = INT32_MIN;
    event.time_ms = 946684800000 - 50400000; /* as early as an event can be */
    assert_true(fold_counts(&book.fold, &event));
    free(json);
    book_close(&book);
}

static void an_hour_expires_14_days_after_its_end(void **state)
{
    (void)state;
    static const struct {
        const char *zone, *hour_utc; /* the hour as if its wall clock were UTC */
        const char *end;
    } cases[] = {
        {"UTC", "2026-11-23T14:00:00Z", "2026-11-23T15:00:00Z"},
        {"Europe/Bucharest", "2026-11-23T14:00:00Z", "2026-11-23T15:00:00+02:00"},
        {"Europe/Bucharest", "2026-10-25T02:00:00Z", "2026-10-25T03:00:00+02:00"},
        {"Europe/Bucharest", "2026-10-25T03:00:00Z", "2026-10-25T04:00:00+02:00"},
        {"Europe/Bucharest", "2026-03-29T02:00:00Z", "2026-03-29T04:00:00+03:00"},
        {"Asia/Kolkata", "2026-11-23T14:00:00Z", "2026-11-23T15:00:00+05:30"},
        {"Antarctica/Troll", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00+00:00"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct zone *zone;
        struct error err;
        assert_int_equal(zone_open(&zone, cases[i].zone, &err), 0);
        int32_t hour = (int32_t)(instant_s(cases[i].hour_utc) / 3600);
        assert_true(fold_hour_expiry(zone, hour) == instant_s(cases[i].end) + 14 * DAY_S);
        zone_free(zone);
    }
}

static void an_hour_that_has_expired_is_not_counted_but_its_day_is(void **state)
{
    (void)state;
    struct book book;
    open_sales(&book, "Europe/Bucharest");
    int64_t expiry_s = instant_s("2026-11-23T15:00:00+02:00") + 14 * DAY_S;
    for (int late = 0; late < 2; late++) {
        book.fold.hours_from_s = expiry_s - 1 + late;
        add_interaction(&book, "2026-11-23T14:05:09+02:00");
        book_expect(&book, "2026-11-23", "all", ONE);
        book_expect(&book, "2026-11-23T14", "all", late ? "" : ONE);
        book_clear(&book);
    }
    book.fold.hours_from_s = expiry_s + 1000 * DAY_S;
    add_interaction(&book, "2026-11-23T14:05:09+02:00");
    book_expect(&book, "2026-11-23", "all", ONE);
    assert_int_equal(tally_rows(book.fold.tally), 1);
    book_close(&book);
}

/* Troll's clock goes back by two hours: its hour 1 lasts until three hours after it began. */
static void an_hour_that_a_wide_change_makes_long_is_counted_to_its_end(void **state)
{
    (void)state;
    struct book book;
    open_sales(&book, "Antarctica/Troll");
    int64_t expiry_s = instant_s("2026-10-25T02:00:00Z") + 14 * DAY_S;
    for (int late = 0; late < 2; late++) {
        book.fold.hours_from_s = expiry_s - 1 + late;
        add_interaction(&book, "2026-10-25T01:00:00+02:00");
        book_expect(&book, "2026-10-25T01", "all", late ? "" : ONE);
        book_clear(&book);
    }
    book_close(&book);
}

static void a_record_is_counted_on_the_local_day_of_its_time_stamp(void **state)
{
    (void)state;
    struct book book;
    open_sales(&book, "Europe/Bucharest");
    fold_record(&book.fold, RECORD_DUPLICATES, instant_s("2026-11-22T21:59:59Z") * 1000 + 999);
    fold_record(&book.fold, RECORD_MISPLACED, instant_s("2026-11-22T22:00:00Z") * 1000);
    fold_record(&book.fold, RECORD_MISPLACED, instant_s("2026-11-22T22:00:00Z") * 1000);
    book_expect(&book, "2026-11-22", "all", "duplicates=1");
    book_expect(&book, "2026-11-23", "all", "misplaced=2");
    assert_int_equal(tally_rows(book.fold.tally), 2); /* and in no hour */
    book_close(&book);
}

static void a_record_without_a_usable_time_stamp_is_undated(void **state)
{
    (void)state;
    struct book book;
    open_sales(&book, "UTC");
    static const int64_t stamps[] = {-1, INT64_MIN, INT64_MAX, 0, 946684799999, 4102444800000};
    for (size_t i = 0; i < sizeof stamps / sizeof *stamps; i++)
        fold_record(&book.fold, RECORD_TOMBSTONES, stamps[i]);
    book_expect(&book, "undated", "all", "tombstones=6");
    fold_record(&book.fold, RECORD_TOMBSTONES, 946684800000);
    fold_record(&book.fold, RECORD_TOMBSTONES, 4102444799999);
    book_expect(&book, "2000-01-01", "all", "tombstones=1");
    book_expect(&book, "2099-12-31", "all", "tombstones=1");
    book_close(&book);
}

static void a_record_before_the_floor_is_undated(void **state)
{
    (void)state;
    struct book book;
    open_sales(&book, "UTC");
    assert_true(calendar_parse_date(text_of("2026-11-23"), &book.fold.floor));
    fold_record(&book.fold, RECORD_IGNORED, instant_s("2026-11-22T23:59:59Z") * 1000);
    fold_record(&book.fold, RECORD_IGNORED, instant_s("2026-11-23T00:00:00Z") * 1000);
    book_expect(&book, "undated", "all", "ignored=1");
    book_expect(&book, "2026-11-23", "all", "ignored=1");
    book_close(&book);
}

static void each_reason_has_its_record_field_on_both_sides(void **state)
{
    (void)state;
    for (int r = 0; r < REJECTS; r++) {
        char expected[64];
        snprintf(expected, sizeof expected, "rejected_%s", reject_name((enum reject)r));
        assert_string_equal(fold_record_fields[r], expected);
    }
    assert_string_equal(fold_record_fields[RECORD_DUPLICATES], "duplicates");
    assert_string_equal(fold_record_fields[RECORD_IGNORED], "ignored");
    assert_string_equal(fold_record_fields[RECORD_TOMBSTONES], "tombstones");
    assert_string_equal(fold_record_fields[RECORD_MISPLACED], "misplaced");
    assert_string_equal(fold_record_fields[RECORD_BEFORE_FLOOR], "before_floor");
    assert_null(fold_record_fields[RECORD_FIELDS]);
    assert_ptr_equal(sales_kind.layout.records, fold_record_fields);
    assert_ptr_equal(service_kind.layout.records, fold_record_fields);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_counted_on_its_local_day_and_hour),
        cmocka_unit_test(the_offset_an_event_is_written_with_does_not_matter),
        cmocka_unit_test(a_day_is_23_hours_long_in_spring_and_25_in_autumn),
        cmocka_unit_test(hours_are_counted_in_all_and_days_in_every_scope),
        cmocka_unit_test(an_event_before_the_floor_does_not_count),
        cmocka_unit_test(an_hour_expires_14_days_after_its_end),
        cmocka_unit_test(an_hour_that_has_expired_is_not_counted_but_its_day_is),
        cmocka_unit_test(an_hour_that_a_wide_change_makes_long_is_counted_to_its_end),
        cmocka_unit_test(a_record_is_counted_on_the_local_day_of_its_time_stamp),
        cmocka_unit_test(a_record_without_a_usable_time_stamp_is_undated),
        cmocka_unit_test(a_record_before_the_floor_is_undated),
        cmocka_unit_test(each_reason_has_its_record_field_on_both_sides),
    };
    return cmocka_run_group_tests_name("fold", tests, NULL, NULL);
}

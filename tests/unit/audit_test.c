#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/calendar.h"
#include "common/store.h"
#include "consumers/recount/audit.h"
#include "consumers/recount/audit_floor.h"
#include "consumers/recount/audit_gap.h"
#include "consumers/recount/audit_scopes.h"
#include "consumers/recount/keylist.h"

#include <stdio.h>

/* ---- words ---- */

static void days_are_two_dates_either_of_which_may_be_left_out(void **state)
{
    int32_t from, until;
    (void)state;
    assert_true(audit_parse_days(text_of("2026-01-01..2026-01-31"), &from, &until));
    assert_int_equal(from, calendar_day(2026, 1, 1));
    assert_int_equal(until, calendar_day(2026, 1, 31));
    assert_true(audit_parse_days(text_of("2026-01-01.."), &from, &until));
    assert_int_equal(until, INT32_MAX);
    assert_true(audit_parse_days(text_of("..2026-01-31"), &from, &until));
    assert_int_equal(from, INT32_MIN);
}

static void anything_else_is_no_days(void **state)
{
    static const char *const bad[] = {"",
                                      "..",
                                      "2026-01-01",
                                      "2026-01-32..",
                                      "2026-02-01..2026-01-01",
                                      "2026-01-01...2026-01-02",
                                      "2026-01-01..x",
                                      "2026-1-1.."};
    int32_t from, until;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(audit_parse_days(text_of(bad[i]), &from, &until));
}

static void only_a_gap_before_the_beginning_leaves_the_counters_provable(void **state)
{
    (void)state;
    assert_true(audit_gap_harmless("0-12"));
    assert_false(audit_gap_harmless("skipped:5-9"));
    assert_false(audit_gap_harmless("0-12 skipped:15-19"));
    assert_false(audit_gap_harmless("made-anew:abc@12"));
    assert_false(audit_gap_harmless("rewritten:7"));
    assert_false(audit_gap_harmless("unbacked:3-9"));
    assert_false(audit_gap_harmless("5-9"));
    assert_false(audit_gap_harmless("0-"));
}

/* ---- floors ---- */

static struct floors three_partitions(int32_t now)
{
    return (struct floors){.partitions = 3, .now = now};
}

static void without_a_floor_every_day_counts(void **state)
{
    struct floors floors = three_partitions(STORE_NO_FLOOR);
    (void)state;
    assert_int_equal(floors_at(&floors, 0, 0), STORE_NO_FLOOR);
}

static void a_floor_holds_from_the_positions_at_which_it_moved(void **state)
{
    int32_t first = calendar_day(2026, 1, 1), second = calendar_day(2026, 3, 1);
    struct floors floors = three_partitions(second);
    (void)state;
    assert_int_equal(
        floors_add(&floors, "2026-01-01", "sales:0=10 sales:1=20 service:0=7", "sales", NULL), 0);
    assert_int_equal(
        floors_add(&floors, "2026-03-01", "sales:0=30 sales:1=20 sales:2=5", "sales", NULL), 0);
    assert_int_equal(floors_at(&floors, 0, 9), STORE_NO_FLOOR);
    assert_int_equal(floors_at(&floors, 0, 10), first);
    assert_int_equal(floors_at(&floors, 0, 29), first);
    assert_int_equal(floors_at(&floors, 0, 30), second);
    assert_int_equal(floors_at(&floors, 1, 20), second);
    assert_int_equal(floors_at(&floors, 2, 4), first); /* not named: from the beginning */
    floors_clear(&floors);
}

static void a_floor_of_which_nothing_is_written_always_held(void **state)
{
    int32_t day = calendar_day(2026, 3, 1);
    struct floors floors = three_partitions(day);
    (void)state;
    assert_int_equal(floors_at(&floors, 2, 0), day);
}

static void foreign_words_among_the_floors_are_an_error(void **state)
{
    static const char *const bad[] = {
        "sales", "sales:0", "sales:0=x ", "sales:0=1,sales:1=2", "sales:-1=5", "sales:0=-5"};
    struct error err;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct floors floors = three_partitions(STORE_NO_FLOOR);
        assert_int_equal(floors_add(&floors, "2026-01-01", bad[i], "sales", &err), -1);
        floors_clear(&floors);
    }
    struct floors floors = three_partitions(STORE_NO_FLOOR);
    assert_int_equal(floors_add(&floors, "yesterday", "sales:0=1", "sales", &err), -1);
    assert_int_equal(err.code, ERROR_STORE);
    floors_clear(&floors);
}

/* ---- scopes ---- */

static uint32_t region(struct scopes *scopes, const char *value)
{
    struct event event = {.type = EVENT_SALE_COMPLETED, .region = text_of(value)};
    uint32_t ids[1 + SCOPE_DIMENSIONS_MAX];
    assert_int_equal(scopes_of(scopes, &event, ids), 2);
    return ids[1];
}

static void a_value_counts_under_its_own_name_exactly_if_it_is_in_the_set(void **state)
{
    struct admissions sets;
    struct scopes *scopes;
    (void)state;
    assert_int_equal(scopes_open(&scopes, "region", NULL), 0);
    assert_int_equal(admissions_open(&sets, "region, channel", 2, NULL), 0);
    assert_int_equal(sets.count, 2);
    assert_int_equal(admissions_add(&sets, 0, text_of("north"), NULL), 0);
    assert_true(text_is(admissions_name(&sets, scopes, region(scopes, "north")), "north"));
    /* While there is room a value has a right to its name. */
    assert_true(text_is(admissions_name(&sets, scopes, region(scopes, "west")), "west"));
    assert_int_equal(admissions_add(&sets, 0, text_of("south"), NULL), 0);
    assert_int_equal(admissions_add(&sets, 0, text_of(SCOPE_OTHER), NULL), 0);
    assert_true(text_is(admissions_name(&sets, scopes, region(scopes, "south")), "south"));
    assert_true(text_is(admissions_name(&sets, scopes, region(scopes, "west")), SCOPE_OTHER));
    assert_true(text_is(admissions_name(&sets, scopes, region(scopes, "__odd")), SCOPE_OTHER));
    assert_int_equal(admissions_size(&sets, 0), 3);
    admissions_clear(&sets);
    scopes_free(scopes);
}

static void a_set_grows_and_empties(void **state)
{
    struct admissions sets;
    char name[16];
    (void)state;
    assert_int_equal(admissions_open(&sets, "rep", 100000, NULL), 0);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 5000; i++) {
            snprintf(name, sizeof name, "rep-%d", i);
            assert_int_equal(admissions_add(&sets, 0, text_of(name), NULL), 0);
            assert_int_equal(admissions_add(&sets, 0, text_of(name), NULL), 0);
        }
        assert_int_equal(admissions_size(&sets, 0), 5000);
        assert_true(admissions_has(&sets, 0, text_of("rep-4999")));
        assert_false(admissions_has(&sets, 0, text_of("rep-5000")));
        admissions_empty(&sets, 0);
        assert_false(admissions_has(&sets, 0, text_of("rep-1")));
    }
    admissions_clear(&sets);
}

/* ---- keys ---- */

static void names_of_counters_are_read(void **state)
{
    struct counter_key key;
    (void)state;
    assert_true(counter_key_parse("sale:day:2026-11-23:all", &key));
    assert_int_equal(key.side, SIDE_SALE);
    assert_int_equal(key.time, TALLY_DAY);
    assert_int_equal(key.slot, calendar_day(2026, 11, 23));
    assert_true(text_is(key.scope, "all"));
    assert_true(counter_key_parse("service:hour:2026-11-23T14:all", &key));
    assert_int_equal(key.slot, 24 * calendar_day(2026, 11, 23) + 14);
    assert_true(counter_key_parse("customer:day:2026-11-23:region=a:b", &key));
    assert_int_equal(key.side, SIDES);
    assert_true(text_is(key.scope, "region=a:b"));
    assert_true(counter_key_parse("sale:undated", &key));
    assert_int_equal(key.time, TALLY_UNDATED);
}

static void other_keys_are_no_counters(void **state)
{
    static const char *const others[] = {"",
                                         "sale",
                                         "sale:",
                                         "sales:day:2026-11-23:all",
                                         "sale:day:2026-11-23",
                                         "sale:day:2026-11-31:a",
                                         "sale:hour:2026-11-23T24:all",
                                         "sale:hour:2026-11-23:all",
                                         "sale:hour:2026-11-23T3a:all",
                                         "rebuild:sale:day:2026-11-23:all",
                                         "position:sales",
                                         "sale:undated:",
                                         "sale:week:2026-W12:all"};
    struct counter_key key;
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(counter_key_parse(others[i], &key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_are_two_dates_either_of_which_may_be_left_out),
        cmocka_unit_test(anything_else_is_no_days),
        cmocka_unit_test(only_a_gap_before_the_beginning_leaves_the_counters_provable),
        cmocka_unit_test(without_a_floor_every_day_counts),
        cmocka_unit_test(a_floor_holds_from_the_positions_at_which_it_moved),
        cmocka_unit_test(a_floor_of_which_nothing_is_written_always_held),
        cmocka_unit_test(foreign_words_among_the_floors_are_an_error),
        cmocka_unit_test(a_value_counts_under_its_own_name_exactly_if_it_is_in_the_set),
        cmocka_unit_test(a_set_grows_and_empties),
        cmocka_unit_test(names_of_counters_are_read),
        cmocka_unit_test(other_keys_are_no_counters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

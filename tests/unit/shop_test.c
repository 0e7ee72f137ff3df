#include "common/currency.h"
#include "common/event.h"
#include "producers/simulate/diary.h"
#include "producers/simulate/dice.h"
#include "producers/simulate/shop.h"
#include "producers/simulate/spoilt.h"
#include "producers/simulate/traffic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { START_S = 1735689600, YEAR_S = 365 * 86400 }; /* 2025-01-01 */

/* A shop with all that is made of it. */
struct stall {
    struct zone *zone;
    struct shop *shop;
    struct traffic *traffic;
    struct decoder *decoder;
};

static struct shop_options a_year(int64_t orders)
{
    struct shop_options options = {.seed = 7,
                                   .start_s = START_S,
                                   .end_s = START_S + YEAR_S,
                                   .orders = orders,
                                   .customers = orders / 4,
                                   .content_pct = 60,
                                   .discontent_pct = 20,
                                   .currency_count = 2,
                                   .source = "/shop"};
    options.currencies[0] = currency_find(text_of("EUR"));
    options.currencies[1] = currency_find(text_of("RON"));
    return options;
}

static void open_stall(struct stall *stall, struct shop_options options,
                       struct traffic_options traffic)
{
    *stall = (struct stall){0};
    traffic.type_prefix = "tandem.";
    assert_int_equal(zone_open(&stall->zone, "Europe/Bucharest", NULL), 0);
    options.zone = stall->zone;
    assert_int_equal(shop_open(&stall->shop, &options, NULL), 0);
    assert_int_equal(traffic_open(&stall->traffic, stall->shop, &options, &traffic, NULL), 0);
    assert_int_equal(decoder_open(&stall->decoder, "tandem.", NULL), 0);
}

static void close_stall(struct stall *stall)
{
    decoder_free(stall->decoder);
    traffic_free(stall->traffic);
    shop_free(stall->shop);
    zone_free(stall->zone);
}

static enum verdict decode(struct stall *stall, const struct parcel *parcel, struct event *event,
                           struct rejection *why)
{
    struct record record = {.timestamp_ms = (int64_t)(START_S + YEAR_S) * 1000,
                            .key = parcel->key,
                            .value = parcel->value,
                            .headers = parcel->headers,
                            .header_count = parcel->header_count};
    return decoder_decode(stall->decoder, &record, parcel->side, event, why);
}

static void every_event_decodes_and_has_its_key(void **state)
{
    (void)state;
    struct stall stall;
    struct parcel parcel;
    struct event event;
    struct rejection why = {0};
    int64_t last_ms = 0, count = 0, seen[EVENT_TYPES] = {0};
    open_stall(&stall, a_year(20000), (struct traffic_options){.binary_pct = 10});
    for (; traffic_next(stall.traffic, 0, &parcel, NULL) == 1; count++) {
        if (decode(&stall, &parcel, &event, &why) != VERDICT_VALID) {
            fail_msg("%s %s %s: %.*s", reject_name(why.reason), why.field, why.detail,
                     TEXT_ARG(parcel.value));
        }
        assert_true(event.time_ms >= last_ms);
        assert_true(text_equal(event_key(&event), parcel.key));
        assert_true(text_equal(event.partitionkey, parcel.key));
        last_ms = event.time_ms;
        seen[event.type]++;
    }
    assert_true(count > 50000);
    assert_true(last_ms < (int64_t)(START_S + YEAR_S) * 1000);
    assert_int_equal(seen[EVENT_SALE_COMPLETED], 20000);
    for (int type = 0; type < EVENT_TYPES; type++) {
        assert_true(seen[type] > 20);
    }
    close_stall(&stall);
}

static void the_same_options_give_the_same_bytes(void **state)
{
    (void)state;
    struct stall one, two;
    struct parcel a, b;
    struct traffic_options mixed = {.binary_pct = 20, .duplicates_pct = 5, .bad_pct = 3};
    int found;
    open_stall(&one, a_year(2000), mixed);
    open_stall(&two, a_year(2000), mixed);
    do {
        found = traffic_next(one.traffic, 0, &a, NULL);
        assert_int_equal(traffic_next(two.traffic, 0, &b, NULL), found);
        if (found) {
            assert_true(a.side == b.side && a.header_count == b.header_count);
            assert_true(text_equal(a.key, b.key) && text_equal(a.value, b.value));
        }
    } while (found);
    close_stall(&one);
    close_stall(&two);
}

static void another_seed_is_another_business(void **state)
{
    (void)state;
    struct stall one, two;
    const struct event *a = NULL, *b = NULL;
    struct shop_options other = a_year(100);
    other.seed++;
    open_stall(&one, a_year(100), (struct traffic_options){0});
    open_stall(&two, other, (struct traffic_options){0});
    assert_int_equal(shop_next(one.shop, 0, &a, NULL), 1);
    assert_int_equal(shop_next(two.shop, 0, &b, NULL), 1);
    assert_int_not_equal(a->time_ms, b->time_ms);
    assert_int_not_equal(shop_tag(one.shop), shop_tag(two.shop));
    close_stall(&one);
    close_stall(&two);
}

static void so_many_records_are_exactly_so_many(void **state)
{
    (void)state;
    static const int64_t sizes[] = {1, 2, 17, 1000, 20001};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct stall stall;
        struct parcel parcel;
        struct traffic_options traffic = {.records = sizes[i], .duplicates_pct = 5, .bad_pct = 1};
        int64_t events = traffic_events(&traffic), count = 0;
        struct shop_options options = a_year(shop_orders_for(events));
        options.events = events;
        options.customers = 1000;
        open_stall(&stall, options, traffic);
        for (; traffic_next(stall.traffic, 0, &parcel, NULL) == 1; count++) {
        }
        assert_int_equal(count, sizes[i]);
        assert_in_range(traffic_count(stall.traffic, PARCEL_BAD), sizes[i] / 100, sizes[i] / 100);
        assert_in_range(traffic_count(stall.traffic, PARCEL_AGAIN), sizes[i] / 20 - (sizes[i] > 19),
                        sizes[i] / 20);
        close_stall(&stall);
    }
}

static void bad_records_are_bad_in_every_way_by_turns(void **state)
{
    (void)state;
    struct stall stall;
    struct parcel parcel;
    uint64_t bad = 0;
    open_stall(&stall, a_year(2000), (struct traffic_options){.bad_pct = 10});
    while (traffic_next(stall.traffic, 0, &parcel, NULL) == 1) {
        struct event event;
        struct rejection why = {0};
        if (parcel.kind != PARCEL_BAD) {
            continue;
        }
        int kind = (int)(bad++ % SPOILT_KINDS);
        enum verdict verdict = decode(&stall, &parcel, &event, &why);
        if (kind < REJECTS) {
            assert_int_equal(verdict, VERDICT_REJECTED);
            assert_string_equal(reject_name(why.reason), reject_name((enum reject)kind));
        } else {
            assert_int_equal(verdict,
                             kind == SPOILT_TOMBSTONE ? VERDICT_TOMBSTONE : VERDICT_IGNORED);
        }
    }
    assert_true(bad > 4 * SPOILT_KINDS);
    close_stall(&stall);
}

/* What a repetition repeats, found by its id among the last events. */
struct sent {
    char id[128], value[2048];
};

static void remember(struct sent *sent, const struct parcel *parcel, const struct event *event)
{
    snprintf(sent->id, sizeof sent->id, "%.*s", TEXT_ARG(event->id));
    snprintf(sent->value, sizeof sent->value, "%.*s", TEXT_ARG(parcel->value));
}

static void a_repetition_has_the_bytes_of_a_recent_event(void **state)
{
    (void)state;
    struct stall stall;
    struct parcel parcel;
    struct event event;
    struct rejection why;
    struct sent now, *ring = calloc(TRAFFIC_AGAIN_WITHIN, sizeof *ring);
    int64_t good = 0, again = 0;
    assert_non_null(ring);
    open_stall(&stall, a_year(3000), (struct traffic_options){.duplicates_pct = 5});
    while (traffic_next(stall.traffic, 0, &parcel, NULL) == 1) {
        assert_int_equal(decode(&stall, &parcel, &event, &why), VERDICT_VALID);
        if (parcel.kind == PARCEL_GOOD) {
            remember(&ring[good++ % TRAFFIC_AGAIN_WITHIN], &parcel, &event);
            continue;
        }
        int64_t i = 0;
        remember(&now, &parcel, &event);
        while (i < TRAFFIC_AGAIN_WITHIN && strcmp(ring[i].id, now.id) != 0) {
            i++;
        }
        assert_in_range(i, 0, TRAFFIC_AGAIN_WITHIN - 1);
        assert_string_equal(ring[i].value, now.value);
        again++;
    }
    assert_in_range(again, (good + again) / 20 - 1, (good + again) / 20);
    free(ring);
    close_stall(&stall);
}

static void a_live_shop_never_ends_and_takes_the_callers_time(void **state)
{
    (void)state;
    struct stall stall;
    const struct event *event = NULL;
    struct shop_options options = a_year(1);
    options.live = true;
    options.end_s = 0;
    options.orders = INT64_MAX;
    options.customers = 50;
    open_stall(&stall, options, (struct traffic_options){0});
    for (int64_t i = 0; i < 100000; i++) {
        assert_int_equal(shop_next(stall.shop, 5000 + i, &event, NULL), 1);
        assert_int_equal(event->time_ms, 5000 + i);
    }
    close_stall(&stall);
}

static void a_diary_gives_the_soonest_and_keeps_the_order_of_notes(void **state)
{
    (void)state;
    struct diary diary = {0};
    struct dice dice = dice_of(1, 2, 3);
    struct happening last = {.at_ms = -1};
    for (uint32_t i = 0; i < 5000; i++) {
        struct happening note = {.at_ms = dice_below(&dice, 100), .order = i};
        assert_true(diary_note(&diary, &note));
    }
    for (int i = 0; i < 5000; i++) {
        struct happening next = diary_take(&diary);
        assert_true(next.at_ms > last.at_ms ||
                    (next.at_ms == last.at_ms && next.order > last.order));
        last = next;
    }
    assert_null(diary_next(&diary));
    diary_free(&diary);
}

static void dice_are_fair_and_the_same_everywhere(void **state)
{
    (void)state;
    struct dice dice = dice_of(1, 0, 0);
    int64_t faces[6] = {0}, waited = 0;
    for (int i = 0; i < 60000; i++) {
        faces[dice_below(&dice, 6)]++;
        int64_t wait = dice_wait(&dice, 1000);
        assert_in_range(wait, 1, 8000);
        waited += wait;
        assert_in_range(dice_between(&dice, 5, 7), 5, 7);
    }
    for (int i = 0; i < 6; i++) {
        assert_in_range(faces[i], 9500, 10500);
    }
    assert_in_range(waited / 60000, 950, 1050);
    struct dice known = {0}; /* the published sequence of SplitMix64 from 0 */
    assert_true(dice_next(&known) == UINT64_C(0xe220a8397b1dcdaf));
    assert_true(dice_next(&known) == UINT64_C(0x6e789e6aa1b965f4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_decodes_and_has_its_key),
        cmocka_unit_test(the_same_options_give_the_same_bytes),
        cmocka_unit_test(another_seed_is_another_business),
        cmocka_unit_test(so_many_records_are_exactly_so_many),
        cmocka_unit_test(bad_records_are_bad_in_every_way_by_turns),
        cmocka_unit_test(a_repetition_has_the_bytes_of_a_recent_event),
        cmocka_unit_test(a_live_shop_never_ends_and_takes_the_callers_time),
        cmocka_unit_test(a_diary_gives_the_soonest_and_keeps_the_order_of_notes),
        cmocka_unit_test(dice_are_fair_and_the_same_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "common/event.h"

#include "tests/unit/event_maker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ROOM (4 * EVENT_BYTES_MAX)

static bool same_text(struct text a, struct text b)
{
    return a.at && b.at ? text_equal(a, b) : a.at == b.at;
}

static bool same_items(const struct event_sale *a, const struct event_sale *b)
{
    if (a->item_count != b->item_count)
        return false;
    for (size_t i = 0; i < a->item_count; i++) {
        const struct event_item *x = &a->items[i], *y = &b->items[i];
        if (!same_text(x->sku, y->sku) || !same_text(x->line, y->line) || x->qty != y->qty ||
            x->net != y->net || x->has_cost != y->has_cost || x->cost != y->cost)
            return false;
    }
    return true;
}

static bool same_sale(const struct event_sale *a, const struct event_sale *b)
{
    return a->currency == b->currency && a->net == b->net && a->discount == b->discount &&
           a->cost == b->cost && a->units == b->units && a->warranty_units == b->warranty_units &&
           a->has_discount == b->has_discount && a->has_cost == b->has_cost &&
           a->has_units == b->has_units && a->has_warranty_units == b->has_warranty_units &&
           same_text(a->assist_ticket, b->assist_ticket) && same_items(a, b);
}

static bool same_refund(const struct event_refund *a, const struct event_refund *b)
{
    return same_text(a->order, b->order) && same_text(a->assist_ticket, b->assist_ticket) &&
           same_text(a->line, b->line) && a->currency == b->currency && a->net == b->net &&
           a->cost == b->cost && a->units == b->units && a->has_cost == b->has_cost &&
           a->has_units == b->has_units && a->full == b->full && a->has_full == b->has_full &&
           a->reason == b->reason;
}

static bool same_resolved(const struct event_resolved *a, const struct event_resolved *b)
{
    return a->contacts == b->contacts && a->resolution_s == b->resolution_s &&
           a->first_response_s == b->first_response_s && a->has_contacts == b->has_contacts &&
           a->has_resolution == b->has_resolution && a->has_first_response == b->has_first_response;
}

static bool same_rated(const struct event_rated *a, const struct event_rated *b)
{
    return same_text(a->ticket, b->ticket) && a->scale == b->scale && a->score == b->score &&
           a->previous == b->previous && a->has_previous == b->has_previous;
}

static bool same_claimed(const struct event_claimed *a, const struct event_claimed *b)
{
    return same_text(a->product, b->product) && same_text(a->ticket, b->ticket) &&
           a->purchased == b->purchased && a->warranty_months == b->warranty_months;
}

static bool same_settled(const struct event_settled *a, const struct event_settled *b)
{
    return a->outcome == b->outcome && a->in_warranty == b->in_warranty &&
           a->turnaround_s == b->turnaround_s && a->has_turnaround == b->has_turnaround;
}

static bool same_own_fields(const struct event *a, const struct event *b)
{
    switch (a->type) {
    case EVENT_SALE_INTERACTION:
        return a->interaction.kind == b->interaction.kind &&
               a->interaction.prospect == b->interaction.prospect &&
               a->interaction.has_prospect == b->interaction.has_prospect;
    case EVENT_SALE_COMPLETED:
        return same_sale(&a->sale, &b->sale);
    case EVENT_SALE_REFUNDED:
        return same_refund(&a->refund, &b->refund);
    case EVENT_SALE_REFERRED:
    case EVENT_SERVICE_REFERRED:
        return same_text(a->referral.referrer, b->referral.referrer);
    case EVENT_SERVICE_OPENED:
        return a->opened.phase == b->opened.phase && a->opened.category == b->opened.category &&
               a->opened.by == b->opened.by;
    case EVENT_SERVICE_RESOLVED:
        return same_resolved(&a->resolved, &b->resolved);
    case EVENT_SERVICE_REOPENED:
        return a->reopened.was_first_contact == b->reopened.was_first_contact &&
               a->reopened.has_was_first_contact == b->reopened.has_was_first_contact;
    case EVENT_SERVICE_RATED:
        return same_rated(&a->rated, &b->rated);
    case EVENT_SERVICE_CLAIMED:
        return same_claimed(&a->claimed, &b->claimed);
    case EVENT_SERVICE_SETTLED:
        return same_settled(&a->settled, &b->settled);
    case EVENT_TYPES:
        break;
    }
    return false;
}

static bool same_labels(const struct event *a, const struct event *b)
{
    if (a->label_count != b->label_count)
        return false;
    for (size_t i = 0; i < a->label_count; i++)
        if (!same_text(a->labels[i].name, b->labels[i].name) ||
            !same_text(a->labels[i].value, b->labels[i].value))
            return false;
    return true;
}

static bool same_event(const struct event *a, const struct event *b)
{
    return a->type == b->type && a->time_ms == b->time_ms && same_text(a->id, b->id) &&
           same_text(a->source, b->source) && same_text(a->subject, b->subject) &&
           same_text(a->partitionkey, b->partitionkey) && same_text(a->customer, b->customer) &&
           same_text(a->region, b->region) && same_text(a->rep, b->rep) &&
           same_text(a->channel, b->channel) && same_labels(a, b) && same_text(a->ref, b->ref) &&
           same_own_fields(a, b);
}

/* A decoder, dice and room for a line, for each test. */
struct scene {
    struct decoder *decoder;
    struct maker_dice dice;
    char line[ROOM];
};

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    scene->decoder = maker_decoder();
    scene->dice.seed = 1;
    *state = scene;
    return 0;
}

static int take_down(void **state)
{
    struct scene *scene = *state;
    decoder_free(scene->decoder);
    free(scene);
    return 0;
}

static void expect_comes_back(struct scene *scene, const struct event *event)
{
    struct event back;
    struct rejection why = {0};
    size_t len = event_encode(event, "tandem.", scene->line, ROOM);
    assert_true(len > 0);
    struct record record = maker_record((struct text){scene->line, len});
    if (len > EVENT_BYTES_MAX - 100)
        return; /* two hundred items of long names may be too much for a record */
    if (decoder_decode(scene->decoder, &record, event_side(event->type), &back, &why) !=
        VERDICT_VALID)
        fail_msg("%.*s: %s %s", (int)len, scene->line, reject_name(why.reason), why.field);
    if (!same_event(event, &back))
        fail_msg("came back as another: %.*s", (int)len, scene->line);
}

static void every_type_with_every_choice_of_members_comes_back_equal(void **state)
{
    struct scene *scene = *state;
    for (int type = 0; type < EVENT_TYPES; type++) {
        /* Six common choices; a sale has eight of its own, a refund five, the others three. */
        int bits = type == EVENT_SALE_COMPLETED ? 14 : type == EVENT_SALE_REFUNDED ? 11 : 9;
        for (uint64_t mask = 0; mask < UINT64_C(1) << bits; mask++) {
            maker_roll(&scene->dice, (enum event_type)type, mask);
            expect_comes_back(scene, &scene->dice.event);
        }
    }
}

static void the_least_event_is_written_as_it_always_was(void **state)
{
    struct scene *scene = *state;
    struct event event = {.type = EVENT_SALE_REFERRED,
                          .time_ms = 1795435509000,
                          .id = text_of("x"),
                          .source = text_of("/s"),
                          .subject = text_of("f-5"),
                          .ref = text_of("f-5"),
                          .customer = text_of("c")};
    size_t len = event_encode(&event, "ro.acme.", scene->line, ROOM);
    scene->line[len] = '\0';
    assert_string_equal(scene->line,
                        "{\"specversion\":\"1.0\",\"id\":\"x\",\"source\":\"/s\","
                        "\"type\":\"ro.acme.sale.referred.v1\",\"time\":\"2026-11-23T12:05:09Z\","
                        "\"subject\":\"f-5\",\"datacontenttype\":\"application/json\","
                        "\"data\":{\"customer\":\"c\",\"referral\":\"f-5\"}}");
}

static void quotes_backslashes_and_control_characters_are_escaped(void **state)
{
    struct scene *scene = *state;
    maker_roll(&scene->dice, EVENT_SERVICE_OPENED, 0);
    scene->dice.event.subject = scene->dice.event.ref = text_of("a\"b\\c/d");
    scene->dice.event.partitionkey = (struct text){"\0\x1f\n\x7f", 4};
    expect_comes_back(scene, &scene->dice.event);
    size_t len = event_encode(&scene->dice.event, "tandem.", scene->line, ROOM - 1);
    scene->line[len] = '\0';
    assert_non_null(strstr(scene->line, "\"subject\":\"a\\\"b\\\\c/d\""));
    assert_non_null(strstr(scene->line, "\"partitionkey\":\"\\u0000\\u001f\\u000a\x7f\""));
    assert_null(strchr(scene->line, '\n'));
}

static void a_time_that_only_its_offset_keeps_in_range_comes_back_equal(void **state)
{
    struct scene *scene = *state;
    static const int64_t day_ms = 86400000;
    const int64_t first = 10957 * day_ms, last = 47482 * day_ms - 1, reach = day_ms - 60000;
    const int64_t times[] = {first - reach, first - 1, first, last, last + 1, last + reach};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        maker_roll(&scene->dice, EVENT_SERVICE_OPENED, 0);
        scene->dice.event.time_ms = times[i];
        expect_comes_back(scene, &scene->dice.event);
    }
}

static void what_does_not_fit_gives_0_and_stays_in_its_room(void **state)
{
    struct scene *scene = *state;
    maker_roll(&scene->dice, EVENT_SALE_COMPLETED, 0x3fff);
    size_t len = event_encode(&scene->dice.event, "tandem.", scene->line, ROOM);
    assert_true(len > 0);
    for (size_t room = 0; room < len; room += 1 + len / 400) {
        char *out = malloc(room + 1); /* exactly the room, so that a sanitizer sees a step beyond */
        assert_int_equal(event_encode(&scene->dice.event, "tandem.", out, room), 0);
        free(out);
    }
    assert_int_equal(event_encode(&scene->dice.event, "tandem.", scene->line, len - 1), 0);
    assert_int_equal(event_encode(&scene->dice.event, "tandem.", scene->line, len), len);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_type_with_every_choice_of_members_comes_back_equal),
        TEST(the_least_event_is_written_as_it_always_was),
        TEST(quotes_backslashes_and_control_characters_are_escaped),
        TEST(a_time_that_only_its_offset_keeps_in_range_comes_back_equal),
        TEST(what_does_not_fit_gives_0_and_stays_in_its_room),
    };
    return cmocka_run_group_tests_name("event_encode", tests, NULL, NULL);
}

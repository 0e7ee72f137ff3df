#include "common/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void the_key_is_the_customer_and_without_one_the_subject(void **state)
{
    (void)state;
    struct event event = {.customer = text_of("c-1"), .subject = text_of("4750")};
    assert_true(text_is(event_key(&event), "c-1"));
    event.customer = (struct text){0};
    assert_true(text_is(event_key(&event), "4750"));
}

static XXH128_hash_t hash(const char *source, const char *id)
{
    struct event event = {.source = text_of(source), .id = text_of(id)};
    return event_hash(&event);
}

static void the_hash_is_over_source_a_zero_byte_and_id(void **state)
{
    (void)state;
    XXH128_hash_t expected = XXH3_128bits("/shop\0order:1", 13), got = hash("/shop", "order:1");
    assert_true(XXH128_isEqual(got, expected));
}

static void moving_a_byte_from_source_to_id_gives_another_hash(void **state)
{
    (void)state;
    assert_false(XXH128_isEqual(hash("/shop1", "2"), hash("/shop", "12")));
    assert_false(XXH128_isEqual(hash("/shop", "1"), hash("1", "/shop")));
    assert_true(XXH128_isEqual(hash("/shop", "1"), hash("/shop", "1")));
}

static void source_and_id_of_full_length_are_hashed(void **state)
{
    (void)state;
    char source[257] = {0}, id[129] = {0}, joined[256 + 1 + 128];
    memset(source, 's', 256);
    memset(id, 'i', 128);
    memcpy(joined, source, 257);
    memcpy(joined + 257, id, 128);
    assert_true(XXH128_isEqual(hash(source, id), XXH3_128bits(joined, sizeof joined)));
}

static void each_type_has_its_name_side_and_object(void **state)
{
    (void)state;
    static const struct {
        const char *name, *ref;
        enum side side;
    } expected[] = {
        {"sale.interaction", "interaction", SIDE_SALE},
        {"sale.completed", "order", SIDE_SALE},
        {"sale.refunded", "refund", SIDE_SALE},
        {"sale.referred", "referral", SIDE_SALE},
        {"service.opened", "ticket", SIDE_SERVICE},
        {"service.resolved", "ticket", SIDE_SERVICE},
        {"service.reopened", "ticket", SIDE_SERVICE},
        {"service.rated", "rating", SIDE_SERVICE},
        {"service.claimed", "claim", SIDE_SERVICE},
        {"service.settled", "claim", SIDE_SERVICE},
        {"service.referred", "referral", SIDE_SERVICE},
    };
    assert_int_equal(EVENT_TYPES, sizeof expected / sizeof *expected);
    for (int t = 0; t < EVENT_TYPES; t++) {
        assert_string_equal(event_type_name((enum event_type)t), expected[t].name);
        assert_string_equal(event_ref_name((enum event_type)t), expected[t].ref);
        assert_int_equal(event_side((enum event_type)t), expected[t].side);
    }
}

static void the_reasons_are_the_closed_list(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "not_cloudevent",   "format_unsupported",  "too_large",        "bad_json",
        "duplicate_key",    "missing_field",       "bad_field",        "data_missing",
        "amount_range",     "amount_mismatch",     "currency_unknown", "time_future",
        "subject_mismatch", "version_unsupported", "wrong_topic",
    };
    assert_int_equal(REJECTS, sizeof expected / sizeof *expected);
    for (int r = 0; r < REJECTS; r++)
        assert_string_equal(reject_name((enum reject)r), expected[r]);
}

static int words_in(const char *const *words)
{
    int count = 0;
    while (words[count])
        count++;
    return count;
}

static void each_vocabulary_has_as_many_words_as_its_enum(void **state)
{
    (void)state;
    assert_int_equal(words_in(event_kind_words), KINDS);
    assert_int_equal(words_in(event_refund_reason_words), REFUND_REASONS);
    assert_int_equal(words_in(event_phase_words), PHASES);
    assert_int_equal(words_in(event_category_words), CATEGORIES);
    assert_int_equal(words_in(event_by_words), BYS);
    assert_int_equal(words_in(event_scale_words), SCALES);
    assert_int_equal(words_in(event_outcome_words), OUTCOMES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_is_the_customer_and_without_one_the_subject),
        cmocka_unit_test(the_hash_is_over_source_a_zero_byte_and_id),
        cmocka_unit_test(moving_a_byte_from_source_to_id_gives_another_hash),
        cmocka_unit_test(source_and_id_of_full_length_are_hashed),
        cmocka_unit_test(each_type_has_its_name_side_and_object),
        cmocka_unit_test(the_reasons_are_the_closed_list),
        cmocka_unit_test(each_vocabulary_has_as_many_words_as_its_enum),
    };
    return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}

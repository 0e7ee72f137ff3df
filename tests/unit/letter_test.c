#include "producers/rejected/letter.h"

#include "common/event.h"
#include "tests/unit/event_maker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* clang-format off */
#define HEADER(name, value) {{(name), sizeof(name) - 1}, {(value), sizeof(value) - 1}}
#define LAST_HEADERS                                                    \
    HEADER("tandem_reason", "bad_field"), HEADER("tandem_topic", "t"),  \
    HEADER("tandem_partition", "3"), HEADER("tandem_offset", "17"),     \
    HEADER("tandem_detail", "data.net: wrong")
/* clang-format on */

static struct record record_of(const char *key, const struct record_header *headers, size_t count)
{
    return (struct record){.timestamp_ms = 5,
                           .key = text_of(key),
                           .value = text_of("v"),
                           .headers = headers,
                           .header_count = count};
}

static bool is_key(const char *key)
{
    struct text topic;
    int32_t partition;
    int64_t offset;
    return letter_key(text_of(key), &topic, &partition, &offset);
}

static void a_key_is_topic_partition_and_offset(void **state)
{
    (void)state;
    struct text topic;
    int32_t partition;
    int64_t offset;
    assert_true(
        letter_key(text_of("tandem.sales/2/9223372036854775807"), &topic, &partition, &offset));
    assert_true(text_is(topic, "tandem.sales"));
    assert_int_equal(partition, 2);
    assert_true(offset == INT64_MAX);
}

static void anything_else_is_no_key(void **state)
{
    (void)state;
    static const char *const others[] = {"",
                                         "t",
                                         "t/1",
                                         "t/1/",
                                         "/1/2",
                                         "t/1/2/3",
                                         "t/-1/2",
                                         "t/1/-2",
                                         "t/01/2",
                                         "t/1/02",
                                         "t/+1/2",
                                         "t/2147483648/1",
                                         "t/1/9223372036854775808",
                                         "t/1/99999999999999999999",
                                         "./1/2",
                                         "../1/2",
                                         "t u/1/2",
                                         "t/1/2 ",
                                         "data/2026/x.json",
                                         "t/1x/2"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (is_key(others[i])) {
            fail_msg("taken for a key: %s", others[i]);
        }
    }
}

static void a_letter_gives_the_record_back_as_it_was(void **state)
{
    (void)state;
    static const struct record_header headers[] = {HEADER("a", "1"), HEADER("tandem_key", "k"),
                                                   HEADER("tandem_truncated", "sizes"),
                                                   LAST_HEADERS};
    struct record record = record_of("t/3/17", headers, 8);
    struct letter letter;
    assert_true(letter_read(&record, &letter));
    assert_true(text_is(letter.reason, "bad_field"));
    assert_true(text_is(letter.detail, "data.net: wrong"));
    assert_true(text_is(letter.truncated, "sizes"));
    assert_true(text_is(letter.record.key, "k"));
    assert_true(text_is(letter.record.value, "v"));
    assert_int_equal(letter.record.header_count, 1);
    assert_int_equal(letter.rejected_ms, 5);
    assert_int_equal(letter.record.timestamp_ms, -1);
}

static void a_record_without_key_has_none_in_its_letter(void **state)
{
    (void)state;
    static const struct record_header headers[] = {LAST_HEADERS};
    struct record record = record_of("t/3/17", headers, 5);
    struct letter letter;
    assert_true(letter_read(&record, &letter));
    assert_null(letter.record.key.at);
    assert_null(letter.truncated.at);
}

/* Somebody sent a dead letter to be counted, and it was rejected again. */
static void only_the_last_headers_are_the_workers(void **state)
{
    (void)state;
    static const struct record_header headers[] = {HEADER("tandem_reason", "bad_json"),
                                                   HEADER("tandem_detail", "old"), LAST_HEADERS};
    struct record record = record_of("t/3/17", headers, 7);
    struct letter letter;
    assert_true(letter_read(&record, &letter));
    assert_true(text_is(letter.reason, "bad_field"));
    assert_int_equal(letter.record.header_count, 2);
}

static void a_record_without_key_or_headers_is_no_letter(void **state)
{
    (void)state;
    static const struct record_header headers[] = {LAST_HEADERS, HEADER("more", "")};
    static const struct record_header strange[] = {
        HEADER("tandem_reason", "\x1b[2J"), HEADER("tandem_topic", "t"),
        HEADER("tandem_partition", "3"), HEADER("tandem_offset", "17"),
        HEADER("tandem_detail", "")};
    struct letter letter;
    struct record none = record_of(NULL, headers, 5), few = record_of("t/3/17", headers, 4),
                  more = record_of("t/3/17", headers, 6), bad = record_of("t/3/17", strange, 5);
    assert_false(letter_read(&none, &letter));
    assert_false(letter_read(&few, &letter));
    assert_false(letter_read(&more, &letter));
    assert_false(letter_read(&bad, &letter));
}

static void a_bad_event_states_the_same_identity_as_a_good_one(void **state)
{
    (void)state;
    struct decoder *decoder = maker_decoder();
    char *good, *bad = maker_json("sale.completed", "never", "'currency':'EUR','net':'x'");
    struct event event = maker_event(decoder, "sale.completed", "2026-11-23T12:00:00Z",
                                     "'currency':'EUR','net':1", &good);
    struct record record = maker_record(text_of(bad));
    XXH128_hash_t stated;
    assert_true(letter_event_hash(&record, &stated));
    assert_true(XXH128_isEqual(stated, event_hash(&event)));
    decoder_free(decoder);
    free(good);
    free(bad);
}

static void in_binary_mode_the_headers_state_it(void **state)
{
    (void)state;
    static const struct record_header headers[] = {HEADER("ce_id", "i"), HEADER("ce_source", "s")};
    struct record binary = record_of(NULL, headers, 2), structured = record_of(NULL, NULL, 0);
    XXH128_hash_t a, b;
    structured.value = text_of("{\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"s\"}");
    binary.value = text_of("{\"id\":\"x\",\"source\":\"y\"}");
    assert_true(letter_event_hash(&binary, &a));
    assert_true(letter_event_hash(&structured, &b));
    assert_true(XXH128_isEqual(a, b));
}

static void what_has_no_id_or_one_that_no_event_may_have_states_none(void **state)
{
    (void)state;
    static const char *const values[] = {"",
                                         "{",
                                         "[]",
                                         "{\"id\":1,\"source\":\"s\"}",
                                         "{\"id\":\"\",\"source\":\"s\"}",
                                         "{\"id\":\"i\"}"};
    char long_id[200] = "{\"source\":\"s\",\"id\":\"";
    XXH128_hash_t hash;
    struct record record = record_of(NULL, NULL, 0);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        record.value = text_of(values[i]);
        assert_false(letter_event_hash(&record, &hash));
    }
    size_t len = strlen(long_id);
    memset(long_id + len, 'x', 129);
    memcpy(long_id + len + 129, "\"}", 3);
    record.value = text_of(long_id);
    assert_false(letter_event_hash(&record, &hash));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_topic_partition_and_offset),
        cmocka_unit_test(anything_else_is_no_key),
        cmocka_unit_test(a_letter_gives_the_record_back_as_it_was),
        cmocka_unit_test(a_record_without_key_has_none_in_its_letter),
        cmocka_unit_test(only_the_last_headers_are_the_workers),
        cmocka_unit_test(a_record_without_key_or_headers_is_no_letter),
        cmocka_unit_test(a_bad_event_states_the_same_identity_as_a_good_one),
        cmocka_unit_test(in_binary_mode_the_headers_state_it),
        cmocka_unit_test(what_has_no_id_or_one_that_no_event_may_have_states_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

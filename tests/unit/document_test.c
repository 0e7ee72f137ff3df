#include "common/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { BYTES = 200000 };

static const char *const list[] = {"id", "net", "gone", "was_first_contact"};

static struct document *open_document(int depth)
{
    struct document *document;
    assert_int_equal(document_open(&document, list, 4, BYTES, depth, NULL), 0);
    return document;
}

static struct document_faults check(const char *json, int depth)
{
    struct document_faults faults;
    struct document *document = open_document(depth);
    document_read(document, text_of(json), &faults);
    faults.repeated_name = (struct text){0}; /* it lies in the document */
    document_free(document);
    return faults;
}

static void depth_counts_containers_of_both_kinds(void **state)
{
    (void)state;
    assert_false(check("1", 0).too_deep);
    assert_true(check("[]", 0).too_deep);
    assert_false(check("{}", 1).too_deep);
    assert_false(check("[1,{\"a\":[2]}]", 3).too_deep);
    assert_true(check("[1,{\"a\":[2]}]", 2).too_deep);
    assert_true(check("{\"a\":1,\"b\":{\"c\":{}}}", 2).too_deep);
}

static void a_repeated_name_is_found_in_any_object(void **state)
{
    (void)state;
    static const char *const repeated[] = {
        "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"b\":2,\"a\":3}",
        "{\"\":1,\"\":2}",
        "{\"x\":{\"a\":1,\"a\":1}}",
        "[0,{\"a\":[{\"b\":1,\"b\":2}]}]",
        "{\"a\":1,\"\\u0061\":2}",
        "{\"\\u0000\":1,\"\\u0000\":2}",
    };
    for (size_t i = 0; i < sizeof repeated / sizeof *repeated; i++)
        if (!check(repeated[i], 8).repeated)
            fail_msg("not found: %s", repeated[i]);
}

static void equal_names_in_different_objects_are_fine(void **state)
{
    (void)state;
    static const char *const fine[] = {
        "{}",
        "{\"a\":{\"a\":{\"a\":1}}}",
        "[{\"a\":1},{\"a\":1}]",
        "{\"a\":1,\"A\":2,\"\":3,\"aa\":4}",
        "{\"\\u0000\":1,\"\\u0000\\u0000\":2,\"\":3}",
    };
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        if (check(fine[i], 8).repeated)
            fail_msg("found: %s", fine[i]);
}

/* Small objects are compared pair by pair, larger ones sorted: both, and the edge between. */
static void a_repeated_name_is_found_in_objects_of_any_size(void **state)
{
    (void)state;
    for (int count = 2; count < 120; count++) {
        for (int twin = -1; twin < count - 1; twin += 1 + count / 7) {
            char json[4096] = "{";
            size_t len = 1;
            for (int i = 0; i < count; i++)
                len += (size_t)snprintf(json + len, sizeof json - len, "%s\"m%d\":%d", i ? "," : "",
                                        i == count - 1 && twin >= 0 ? twin : i, i);
            snprintf(json + len, sizeof json - len, "}");
            assert_int_equal(check(json, 8).repeated, twin >= 0);
        }
    }
}

static void a_repeated_name_is_found_among_ten_thousand(void **state)
{
    (void)state;
    for (int twin = -1; twin < 9999; twin += 1111) {
        char *json = malloc(200000);
        size_t len = (size_t)sprintf(json, "{");
        for (int i = 0; i < 10000; i++)
            len += (size_t)sprintf(json + len, "%s\"m%d\":%d", i ? "," : "",
                                   i == 9999 && twin >= 0 ? twin : i, i);
        sprintf(json + len, "}");
        assert_int_equal(check(json, 8).repeated, twin >= 0);
        free(json);
    }
}

static void the_repeated_name_is_told(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"a\":1,\"net\":2,\"b\":3,\"net\":4}",
        "{\"a\":1,\"ne\\u0074\":2,\"b\":3,\"net\":4}",
    };
    for (int i = 0; i < 2; i++) {
        struct document_faults faults;
        struct document *document = open_document(8);
        document_read(document, text_of(texts[i]), &faults);
        assert_true(text_is(faults.repeated_name, "net"));
        document_free(document);
    }
}

static void integers_are_those_of_int64_written_as_such(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        bool is;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"-1", true, -1},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"18446744073709551615", false, 0},
        {"-9223372036854775809", false, 0},
        {"1000000000000000000000000000000", false, 0},
        {"1.0", false, 0},
        {"1e2", false, 0},
        {"1E2", false, 0},
        {"1e999", false, 0},
        {"-0.0", false, 0},
        {"true", false, 0},
        {"\"1\"", false, 0},
        {"null", false, 0},
        {"[1]", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct document_faults faults;
        struct document *document = open_document(8);
        const struct document_value *value =
            document_read(document, text_of(cases[i].json), &faults);
        if (!value || document_is(value, DOCUMENT_INT) != cases[i].is ||
            (cases[i].is && value->integer != cases[i].value))
            fail_msg("%s: %s", cases[i].json, value ? "another value" : faults.problem);
        document_free(document);
    }
}

static void members_are_put_at_the_places_of_their_names(void **state)
{
    (void)state;
    struct document_faults faults;
    const struct document_value *values[4];
    struct document *document = open_document(8);
    const char *json =
        "{\"net\":5,\"nets\":{\"gone\":[1,{}]},\"was_first_contact\":[],\"id\":\"x\"}";
    const struct document_value *root = document_read(document, text_of(json), &faults);
    assert_non_null(root);
    assert_int_equal(root->integer, 4);
    document_members(root, 0, 4, values);
    assert_true(text_is(document_text(values[0]), "x"));
    assert_int_equal(values[1]->integer, 5);
    assert_null(values[2]);
    assert_null(document_text(values[2]).at);
    assert_true(document_is(values[3], DOCUMENT_ARRAY));
    document_members(root, 2, 2, values); /* a part of the list */
    assert_null(values[0]);
    assert_true(document_is(values[1], DOCUMENT_ARRAY));
    document_free(document);
}

/* Every text a parser has to refuse, and the place where it sees why. */
static void what_is_not_json_is_told_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        size_t at;
    } bad[] = {
        {"", 0},
        {" ", 1},
        {"{", 1},
        {"[", 1},
        {"]", 0},
        {"{\"a\"}", 4},
        {"{\"a\":}", 5},
        {"{\"a\":1,}", 7},
        {"{,}", 1},
        {"[1,]", 3},
        {"[1 2]", 3},
        {"{\"a\":1]", 6},
        {"[1}", 2},
        {"{1:2}", 1},
        {"1 1", 2},
        {"01", 0},
        {"-", 1},
        {"-01", 1},
        {"+1", 0},
        {"1.", 2},
        {".5", 0},
        {"1e", 2},
        {"1e+", 3},
        {"1.e1", 2},
        {"tru", 0},
        {"True", 0},
        {"nul", 0},
        {"NaN", 0},
        {"Infinity", 0},
        {"'a'", 0},
        {"\"a", 2},
        {"\"\\", 1},
        {"\"\t\"", 1},
        {"\"\\q\"", 1},
        {"\"\\u00g0\"", 1},
        {"\"\xff\"", 1},
        {"\xef\xbb\xbf{}", 0},
        {"[1]//", 3},
        {"{}x", 2},
        {"[\x0b]", 1},
        {"[[[[[[[[[[1,]]]]]]]]]]", 12},
        {"[[[[[[[[[{\"a\"}]]]]]]]]]", 13},
        {"[[[[[[[[[[]]]]]]]]]}", 19},
        {"[[[[[[[[[[", 10},
        {"[[[[[[[[[{,}]]]]]]]]]", 10},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct document_faults faults = check(bad[i].json, 8);
        if (!faults.problem || faults.at != bad[i].at)
            fail_msg("%s: %s at %zu", bad[i].json, faults.problem, faults.at);
    }
}

static void a_text_may_hold_anything_that_rfc_8259_allows(void **state)
{
    (void)state;
    static const char *const good[] = {
        " \t\r\n{ \"a\" : [ 1 , -2.5E+3 , 0e-1 , -0 ] , \"b\" : { } } \r\n",
        "null",
        "true",
        "[false]",
        "\"\"",
        "[[],[[]],{}]",
        "1e999",
        "123456789012345678901234567890.5",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00\"",
        "[[[[[[[[[[{\"a\":[],\"b\":{\"c\":[1,2]}},2]]]]]]]]]]",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct document_faults faults = check(good[i], 8);
        if (faults.problem)
            fail_msg("%s: %s at %zu", good[i], faults.problem, faults.at);
    }
}

static void expect_text(struct document *document, const char *json, struct text text, bool plain)
{
    struct document_faults faults;
    const struct document_value *value = document_read(document, text_of(json), &faults);
    if (!document_is(value, DOCUMENT_STRING) || !text_equal(document_text(value), text) ||
        value->plain != plain)
        fail_msg("%s", json);
}

static void strings_are_what_their_escapes_say(void **state)
{
    (void)state;
    struct document *document = open_document(8);
    expect_text(document, "\"\"", text_of(""), true);
    expect_text(document, "\"a b~\"", text_of("a b~"), true);
    expect_text(document, "\"0123456789abcdef0123456789abcdef!\"",
                text_of("0123456789abcdef0123456789abcdef!"), true);
    expect_text(document, "\"a\\u0000b\"", (struct text){"a\0b", 3}, false);
    expect_text(document, "\"\x7f\"", text_of("\x7f"), false);
    expect_text(document, "\"\xc4\x83x\"", text_of("\xc4\x83x"), false);
    expect_text(document, "\"\\u00e9\\u20ac\\ud83d\\ude00.\"",
                text_of("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80."), false);
    expect_text(document, "\"0123456789abcdef\\n0123456789abcdef\\/\"",
                text_of("0123456789abcdef\n0123456789abcdef/"), false);
    document_free(document);
}

/* Names are compared eight bytes at a time: what lies behind one must not matter. */
static void a_name_is_known_by_all_of_its_bytes(void **state)
{
    (void)state;
    static const char *const others[] = {"i",
                                         "idx",
                                         "ne",
                                         "nett",
                                         "Net",
                                         "was_first_contacT",
                                         "was_first_contact_",
                                         "Was_first_contact"};
    struct document *document = open_document(8);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char json[64];
        struct document_faults faults;
        snprintf(json, sizeof json, "{\"%s\":1}", others[i]);
        const struct document_value *root = document_read(document, text_of(json), &faults);
        assert_int_equal(root[1].name, DOCUMENT_UNKNOWN);
    }
    document_free(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(depth_counts_containers_of_both_kinds),
        cmocka_unit_test(a_repeated_name_is_found_in_any_object),
        cmocka_unit_test(equal_names_in_different_objects_are_fine),
        cmocka_unit_test(a_repeated_name_is_found_in_objects_of_any_size),
        cmocka_unit_test(a_repeated_name_is_found_among_ten_thousand),
        cmocka_unit_test(the_repeated_name_is_told),
        cmocka_unit_test(integers_are_those_of_int64_written_as_such),
        cmocka_unit_test(what_is_not_json_is_told_with_its_place),
        cmocka_unit_test(a_text_may_hold_anything_that_rfc_8259_allows),
        cmocka_unit_test(strings_are_what_their_escapes_say),
        cmocka_unit_test(a_name_is_known_by_all_of_its_bytes),
        cmocka_unit_test(members_are_put_at_the_places_of_their_names),
    };
    return cmocka_run_group_tests_name("document", tests, NULL, NULL);
}

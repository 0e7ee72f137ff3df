#include "common/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static yyjson_doc *read_json(const char *json)
{
    yyjson_doc *doc = yyjson_read(json, strlen(json), YYJSON_READ_BIGNUM_AS_RAW);
    if (!doc)
        fail_msg("not JSON: %s", json);
    return doc;
}

static struct json_check check(const char *json, int depth)
{
    struct json_check out = {0};
    yyjson_doc *doc = read_json(json);
    json_check(yyjson_doc_get_root(doc), depth, &out);
    out.repeated_name = (struct text){0}; /* it lies in the document */
    yyjson_doc_free(doc);
    return out;
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
    struct json_check out = {0};
    yyjson_doc *doc = read_json("{\"a\":1,\"net\":2,\"b\":3,\"net\":4}");
    json_check(yyjson_doc_get_root(doc), 8, &out);
    assert_true(text_is(out.repeated_name, "net"));
    yyjson_doc_free(doc);
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
        int64_t value = 0;
        yyjson_doc *doc = read_json(cases[i].json);
        bool is = json_int(yyjson_doc_get_root(doc), &value);
        if (is != cases[i].is || (is && value != cases[i].value))
            fail_msg("%s: %d %lld", cases[i].json, is, (long long)value);
        yyjson_doc_free(doc);
    }
}

static void members_are_put_at_the_places_of_their_names(void **state)
{
    (void)state;
    static const char *const list[] = {"id", "net", "gone"};
    struct names names;
    yyjson_val *values[3];
    yyjson_doc *doc = read_json("{\"net\":5,\"other\":6,\"id\":\"x\",\"net\":7}");
    names_open(&names, list, 3);
    json_members(yyjson_doc_get_root(doc), &names, values, 3);
    assert_true(text_is(json_text(values[0]), "x"));
    assert_int_equal(yyjson_get_int(values[1]), 5); /* of a repeated name the first */
    assert_null(values[2]);
    assert_null(json_text(values[2]).at);
    yyjson_doc_free(doc);
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
        cmocka_unit_test(members_are_put_at_the_places_of_their_names),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}

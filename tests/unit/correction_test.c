#include "producers/rejected/correction.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static int parse(struct corrections *corrections, const char *line)
{
    return corrections_parse(corrections, text_of(line), NULL);
}

static void keys_are_found_in_any_order(void **state)
{
    (void)state;
    struct corrections corrections = {0};
    const struct text none = {NULL, 0};
    for (int i = 0; i < 100; i++) {
        char key[32];
        snprintf(key, sizeof key, "t/%d/%d", i * 37 % 100, i);
        assert_int_equal(corrections_add(&corrections, text_of(key), none, NULL), 0);
    }
    assert_int_equal(corrections_finish(&corrections, NULL), 0);
    for (int i = 0; i < 100; i++) {
        char key[32];
        snprintf(key, sizeof key, "t/%d/%d", i * 37 % 100, i);
        assert_non_null(corrections_find(&corrections, text_of(key)));
        assert_null(corrections_find(&corrections, (struct text){key, strlen(key) - 1}));
    }
    corrections_clear(&corrections);
}

static void a_value_may_be_a_text_an_object_or_left_out(void **state)
{
    (void)state;
    struct corrections corrections = {0};
    assert_int_equal(parse(&corrections, "{\"key\":\"t/0/1\",\"value\":\"{\\\"a\\\":1}\\n\"}"), 0);
    assert_int_equal(parse(&corrections, "{\"key\":\"t/0/2\",\"value\":{\"a\": 1.50}}"), 0);
    assert_int_equal(parse(&corrections, "{\"key\":\"t/0/3\",\"reason\":\"bad_field\"}"), 0);
    assert_string_equal(corrections.list[0].value, "{\"a\":1}");
    assert_int_equal(corrections.list[0].value_len, 7);
    assert_string_equal(corrections.list[1].value, "{\"a\":1.50}");
    assert_null(corrections.list[2].value);
    corrections_clear(&corrections);
}

static void other_lines_are_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {"",
                                        "{",
                                        "[]",
                                        "{}",
                                        "\"t/0/1\"",
                                        "{\"key\":1}",
                                        "{\"key\":\"t\"}",
                                        "{\"key\":\"t/0/1\",\"value\":1}",
                                        "{\"key\":\"t/0/1\",\"value\":null}"};
    struct corrections corrections = {0};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_int_equal(parse(&corrections, lines[i]), -1);
    }
    assert_int_equal(corrections.count, 0);
    corrections_clear(&corrections);
}

static void a_key_that_stands_twice_is_refused(void **state)
{
    (void)state;
    struct corrections corrections = {0};
    struct error err;
    parse(&corrections, "{\"key\":\"t/0/1\"}");
    parse(&corrections, "{\"key\":\"t/0/2\"}");
    parse(&corrections, "{\"key\":\"t/0/1\"}");
    assert_int_equal(corrections_finish(&corrections, &err), -1);
    assert_string_equal(err.text, "t/0/1 stands twice");
    corrections_clear(&corrections);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_found_in_any_order),
        cmocka_unit_test(a_value_may_be_a_text_an_object_or_left_out),
        cmocka_unit_test(other_lines_are_refused),
        cmocka_unit_test(a_key_that_stands_twice_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

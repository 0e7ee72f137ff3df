#include "common/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void an_error_says_what_failed(void **state)
{
    (void)state;
    struct error err = {.retry = true};
    assert_int_equal(error_set(&err, ERROR_KAFKA, "topic %s has %d partitions", "t", 4), -1);
    assert_int_equal(err.code, ERROR_KAFKA);
    assert_false(err.retry);
    assert_string_equal(err.text, "topic t has 4 partitions");
}

static void an_error_that_may_pass_says_so(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(error_retry(&err, ERROR_REDIS, "no answer"), -1);
    assert_int_equal(err.code, ERROR_REDIS);
    assert_true(err.retry);
    assert_string_equal(err.text, "no answer");
}

static void a_prefix_keeps_code_and_retry(void **state)
{
    (void)state;
    struct error err = {0};
    error_retry(&err, ERROR_REDIS, "no answer");
    assert_int_equal(error_prefix(&err, "store %s", "main"), -1);
    assert_int_equal(err.code, ERROR_REDIS);
    assert_true(err.retry);
    assert_string_equal(err.text, "store main: no answer");

    error_set(&err, ERROR_INPUT, "100 %% wrong: %s", "%s%n");
    error_prefix(&err, "line %d", 7);
    assert_false(err.retry);
    assert_string_equal(err.text, "line 7: 100 % wrong: %s%n");
}

static void an_error_may_speak_of_itself(void **state)
{
    (void)state;
    struct error err = {0};
    error_set(&err, ERROR_INPUT, "first");
    error_set(&err, ERROR_SYSTEM, "second after %s", err.text);
    assert_string_equal(err.text, "second after first");
    error_prefix(&err, "<%s>", err.text);
    assert_string_equal(err.text, "<second after first>: second after first");
}

static void a_long_text_is_cut_and_ended(void **state)
{
    (void)state;
    struct error err = {0};
    char text[3000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    error_set(&err, ERROR_INPUT, "%s", text);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    error_prefix(&err, "%s", text);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

/* U+20AC takes three bytes: at each of three places the cut falls differently. */
static void a_cut_leaves_no_half_character(void **state)
{
    (void)state;
    char text[3000];
    for (size_t i = 0; i + 3 < sizeof text; i += 3) {
        memcpy(text + i, "\xe2\x82\xac", 4);
    }
    for (int shift = 0; shift < 3; shift++) {
        struct error err = {0};
        error_set(&err, ERROR_INPUT, "%.*s%s", shift, "ab", text);
        size_t lead = (size_t)shift;
        size_t len = strlen(err.text);
        assert_int_equal((len - lead) % 3, 0);
        assert_true(len > sizeof err.text - 4);
    }
}

static void nobody_need_listen(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, ERROR_INPUT, "x"), -1);
    assert_int_equal(error_retry(NULL, ERROR_INPUT, "x"), -1);
    assert_int_equal(error_prefix(NULL, "x"), -1);
    assert_int_equal(error_memory(NULL), -1);
}

static void memory_has_its_own_word(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(error_memory(&err), -1);
    assert_int_equal(err.code, ERROR_MEMORY);
    assert_string_equal(err.text, "out of memory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_says_what_failed),
        cmocka_unit_test(an_error_that_may_pass_says_so),
        cmocka_unit_test(a_prefix_keeps_code_and_retry),
        cmocka_unit_test(an_error_may_speak_of_itself),
        cmocka_unit_test(a_long_text_is_cut_and_ended),
        cmocka_unit_test(a_cut_leaves_no_half_character),
        cmocka_unit_test(nobody_need_listen),
        cmocka_unit_test(memory_has_its_own_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

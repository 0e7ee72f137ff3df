#include "consumers/customers/dictionary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct dictionary *open_dictionary(void)
{
    struct dictionary *names;
    assert_int_equal(dictionary_open(&names, NULL), 0);
    return names;
}

static uint32_t id_of(struct dictionary *names, const char *name)
{
    uint32_t id = dictionary_id(names, text_of(name));
    assert_int_not_equal(id, 0);
    return id;
}

static void a_name_keeps_its_id(void **state)
{
    (void)state;
    struct dictionary *names = open_dictionary();
    uint32_t north = id_of(names, "region=north"), south = id_of(names, "region=south");
    assert_int_not_equal(north, south);
    assert_int_equal(id_of(names, "region=north"), north);
    assert_true(text_is(dictionary_name(names, south), "region=south"));
    assert_int_equal(dictionary_count(names), 2);
    dictionary_free(names);
}

static void names_are_ordered_by_their_bytes_shorter_ones_first(void **state)
{
    (void)state;
    struct dictionary *names = open_dictionary();
    uint32_t b = id_of(names, "rep=b"), ab = id_of(names, "rep=ab"), a = id_of(names, "rep=a");
    uint32_t upper = id_of(names, "rep=Z");
    assert_true(dictionary_compare(names, a, ab) < 0);
    assert_true(dictionary_compare(names, ab, b) < 0);
    assert_true(dictionary_compare(names, b, ab) > 0);
    assert_true(dictionary_compare(names, upper, a) < 0);
    assert_int_equal(dictionary_compare(names, b, b), 0);
    dictionary_free(names);
}

static void a_number_is_learnt_once_and_found_both_ways(void **state)
{
    (void)state;
    struct dictionary *names = open_dictionary();
    uint32_t north = id_of(names, "region=north");
    assert_int_equal(dictionary_number(names, north), 0);
    assert_int_equal(dictionary_numbered(names, 700), 0);
    assert_int_equal(dictionary_learn(names, text_of("region=north"), 700, NULL), 0);
    assert_int_equal(dictionary_learn(names, text_of("region=north"), 700, NULL), 0);
    assert_int_equal(dictionary_number(names, north), 700);
    assert_int_equal(dictionary_numbered(names, 700), north);
    assert_int_equal(dictionary_numbered(names, 701), 0);
    assert_int_equal(dictionary_numbered(names, UINT32_MAX), 0);
    dictionary_free(names);
}

static void a_contradiction_is_refused(void **state)
{
    (void)state;
    struct dictionary *names = open_dictionary();
    struct error err;
    assert_int_equal(dictionary_learn(names, text_of("a=1"), 1, NULL), 0);
    assert_int_equal(dictionary_learn(names, text_of("a=1"), 2, &err), -1);
    assert_int_equal(err.code, ERROR_STORE);
    assert_int_equal(dictionary_learn(names, text_of("a=2"), 1, &err), -1);
    assert_non_null(strstr(err.text, "a=2"));
    assert_int_equal(dictionary_learn(names, text_of("a=3"), 0, &err), -1);
    assert_int_equal(dictionary_learn(names, text_of("a=3"), DICTIONARY_NUMBER_MAX + 1, &err), -1);
    assert_int_equal(err.code, ERROR_STORE);
    dictionary_free(names);
}

static void what_has_no_number_yet_is_listed(void **state)
{
    (void)state;
    struct dictionary *names = open_dictionary();
    assert_int_equal(dictionary_unnumbered(names, 0), 0);
    uint32_t a = id_of(names, "a=1"), b = id_of(names, "b=1"), c = id_of(names, "c=1");
    assert_int_equal(dictionary_learn(names, text_of("b=1"), 1, NULL), 0);
    assert_int_equal(dictionary_unnumbered(names, 0), a);
    assert_int_equal(dictionary_unnumbered(names, a), c);
    assert_int_equal(dictionary_unnumbered(names, c), 0);
    assert_int_equal(dictionary_number(names, b), 1);
    dictionary_free(names);
}

static void a_hundred_thousand_names_stay_apart(void **state)
{
    (void)state;
    struct dictionary *names = open_dictionary();
    char name[32];
    for (uint32_t i = 0; i < 100000; i++) {
        snprintf(name, sizeof name, "rep=%u", i);
        assert_int_equal(dictionary_learn(names, text_of(name), i + 1, NULL), 0);
    }
    for (uint32_t i = 0; i < 100000; i += 7) {
        snprintf(name, sizeof name, "rep=%u", i);
        assert_true(text_is(dictionary_name(names, dictionary_numbered(names, i + 1)), name));
        assert_int_equal(id_of(names, name), dictionary_numbered(names, i + 1));
    }
    assert_int_equal(dictionary_count(names), 100000);
    dictionary_free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_keeps_its_id),
        cmocka_unit_test(names_are_ordered_by_their_bytes_shorter_ones_first),
        cmocka_unit_test(a_number_is_learnt_once_and_found_both_ways),
        cmocka_unit_test(a_contradiction_is_refused),
        cmocka_unit_test(what_has_no_number_yet_is_listed),
        cmocka_unit_test(a_hundred_thousand_names_stay_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

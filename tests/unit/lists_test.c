#include "consumers/customers/lists.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct dictionary *names;
static struct lists *lists;

static int set_up(void **state)
{
    (void)state;
    return dictionary_open(&names, NULL) || lists_open(&lists, names, NULL) ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    lists_free(lists);
    dictionary_free(names);
    return 0;
}

/* The list of one-letter names. */
static uint32_t list(const char *letters)
{
    uint32_t ids[64];
    size_t count = 0;
    for (; *letters; letters++)
        ids[count++] = dictionary_id(names, (struct text){letters, 1});
    return lists_add(lists, ids, count);
}

static void expect_names(uint32_t number, const char *letters)
{
    size_t count;
    const uint32_t *ids = lists_ids(lists, number, &count);
    assert_int_equal(count, strlen(letters));
    for (size_t i = 0; i < count; i++)
        assert_true(text_equal(dictionary_name(names, ids[i]), (struct text){letters + i, 1}));
}

static void names_stand_in_order_each_once(void **state)
{
    (void)state;
    expect_names(list("cabac"), "abc");
    expect_names(list("zyx"), "xyz");
    expect_names(list("aaaa"), "a");
    expect_names(list(""), "");
}

static void equal_lists_are_one_number(void **state)
{
    (void)state;
    uint32_t number = list("ab");
    assert_int_equal(list("ba"), number);
    assert_int_equal(list("abba"), number);
    assert_int_not_equal(list("abc"), number);
    assert_int_equal(list(""), LISTS_EMPTY);
}

static void lists_are_ordered_name_by_name(void **state)
{
    (void)state;
    static const char *const ordered[] = {"", "a", "ab", "abc", "abz", "ac", "b", "bc", "z"};
    int count = sizeof ordered / sizeof *ordered;
    list("zcba"); /* so that ids do not come in the order of names */
    for (int i = 0; i < count; i++)
        for (int k = 0; k < count; k++) {
            int order = lists_compare(lists, list(ordered[i]), list(ordered[k]));
            assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
        }
}

static void many_lists_stay_apart_until_the_reset(void **state)
{
    (void)state;
    uint32_t numbers[4096];
    char letters[16];
    for (unsigned set = 0; set < 4096; set++) {
        size_t count = 0;
        for (unsigned i = 0; i < 12; i++)
            if (set >> i & 1)
                letters[count++] = (char)('a' + i);
        letters[count] = 0;
        numbers[set] = list(letters);
        expect_names(numbers[set], letters);
    }
    for (unsigned set = 1; set < 4096; set++)
        assert_int_not_equal(numbers[set], numbers[set - 1]);
    assert_int_equal(lists_count(lists), 4096);
    lists_reset(lists);
    assert_int_equal(lists_count(lists), 1);
    expect_names(list("ba"), "ab");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_stand_in_order_each_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(equal_lists_are_one_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lists_are_ordered_name_by_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_lists_stay_apart_until_the_reset, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "common/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *const words[] = {"id", "net", "cost", "line", "qty", "sku", "i", "source"};
#define WORDS (int)(sizeof words / sizeof *words)

static void every_name_is_found_at_its_place(void **state)
{
    (void)state;
    struct names names;
    names_open(&names, words, WORDS);
    for (int i = 0; i < WORDS; i++)
        assert_int_equal(names_find(&names, text_of(words[i])), i);
}

static void what_is_not_in_the_list_is_not_found(void **state)
{
    (void)state;
    static const char *const others[] = {"", "I", "ID", "ne", "nets", "ten", "sourcE", "x"};
    struct names names;
    names_open(&names, words, WORDS);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(names_find(&names, text_of(others[i])), -1);
    assert_int_equal(names_find(&names, (struct text){0}), -1);
    assert_int_equal(names_find(&names, (struct text){"id\0", 3}), -1);
}

static void a_name_need_not_end_with_a_zero_byte(void **state)
{
    (void)state;
    struct names names;
    names_open(&names, words, WORDS);
    assert_int_equal(names_find(&names, (struct text){"netto", 3}), 1);
}

static void an_empty_list_holds_nothing(void **state)
{
    (void)state;
    struct names names;
    names_open(&names, words, 0);
    assert_int_equal(names_find(&names, text_of("id")), -1);
}

/* All of one length, first, middle and last byte: they meet in one slot and must go on from it. */
static void sixty_four_names_that_collide_are_all_found(void **state)
{
    (void)state;
    char bytes[64][8];
    const char *list[64];
    struct names names;
    for (int i = 0; i < 64; i++) {
        snprintf(bytes[i], sizeof bytes[i], "a%c%cxbcz", 'A' + i / 8, 'A' + i % 8);
        list[i] = bytes[i];
    }
    names_open(&names, list, 64);
    for (int i = 0; i < 64; i++)
        assert_int_equal(names_find(&names, text_of(list[i])), i);
    assert_int_equal(names_find(&names, text_of("aZZxbcz")), -1);
}

static void random_bytes_are_found_only_where_they_are_a_name(void **state)
{
    (void)state;
    struct names names;
    unsigned seed = 1;
    names_open(&names, words, WORDS);
    for (int round = 0; round < 100000; round++) {
        char bytes[4];
        size_t len = (size_t)rand_r(&seed) % 4;
        int expected = -1;
        for (size_t i = 0; i < len; i++)
            bytes[i] = "idnetcoslqyku"[rand_r(&seed) % 13];
        for (int i = 0; i < WORDS; i++)
            if (text_is((struct text){bytes, len}, words[i]))
                expected = i;
        assert_int_equal(names_find(&names, (struct text){bytes, len}), expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_is_found_at_its_place),
        cmocka_unit_test(what_is_not_in_the_list_is_not_found),
        cmocka_unit_test(a_name_need_not_end_with_a_zero_byte),
        cmocka_unit_test(an_empty_list_holds_nothing),
        cmocka_unit_test(sixty_four_names_that_collide_are_all_found),
        cmocka_unit_test(random_bytes_are_found_only_where_they_are_a_name),
    };
    return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}

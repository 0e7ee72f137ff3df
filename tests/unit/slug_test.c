#include "producers/import/slug.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void any_text_becomes_a_slug(void **state)
{
    (void)state;
    static const struct {
        const char *text, *slug;
    } cases[] = {
        {"Office Supplies", "office-supplies"},
        {"CG-12520", "cg-12520"},
        {"  -- A & B -- ", "a-b"},
        {"v1.2_final", "v1.2_final"},
        {"Caf\xc3\xa9 Noir", "caf-noir"},
        {"\xc8\x99i\xc8\x9b"
         "a",
         "i-a"},
        {"***", ""},
        {"", ""},
        {"0123456789012345678901234567890123456789012345678901234567890123456789",
         "0123456789012345678901234567890123456789012345678901234567890123"},
        {"01234567890123456789012345678901234567890123456789012345678901  later",
         "01234567890123456789012345678901234567890123456789012345678901-l"},
        {"012345678901234567890123456789012345678901234567890123456789012  later",
         "012345678901234567890123456789012345678901234567890123456789012"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char out[SLUG_MAX];
        size_t len = slug_make(text_of(cases[i].text), out);
        assert_int_equal(len, strlen(cases[i].slug));
        assert_memory_equal(out, cases[i].slug, len);
        assert_true(len == 0 || slug_valid((struct text){out, len}));
    }
}

static void a_slug_has_64_safe_bytes_at_most(void **state)
{
    (void)state;
    assert_true(slug_valid(text_of("A-z.0_9")));
    assert_false(slug_valid(text_of("")));
    assert_false(slug_valid(text_of("a b")));
    assert_false(slug_valid(text_of("a:b")));
    assert_false(slug_valid(text_of("\xc3\xa9")));
    assert_true(
        slug_valid(text_of("aaaaaaaabbbbbbbbccccccccddddddddaaaaaaaabbbbbbbbccccccccdddddddd")));
    assert_false(
        slug_valid(text_of("aaaaaaaabbbbbbbbccccccccddddddddaaaaaaaabbbbbbbbccccccccddddddddx")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_text_becomes_a_slug),
        cmocka_unit_test(a_slug_has_64_safe_bytes_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

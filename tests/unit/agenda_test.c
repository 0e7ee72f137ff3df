#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "consumers/reporter/agenda.h"
#include "consumers/reporter/key.h"

static void the_whole_comes_first_and_errands_stay_until_done(void **state)
{
    (void)state;
    struct agenda *agenda = NULL;
    assert_int_equal(agenda_open(&agenda, NULL), 0);
    assert_null(agenda_first(agenda));
    assert_int_equal(agenda_add(agenda, "Region=a", ERRAND_RUNNING, NULL), 0);
    assert_int_equal(agenda_add(agenda, "all", ERRAND_RUNNING | ERRAND_EVERYTHING, NULL), 0);
    assert_string_equal(agenda_first(agenda), "all");
    agenda_done(agenda, "all", ERRAND_RUNNING);
    assert_int_equal(agenda_of(agenda, "all"), ERRAND_EVERYTHING);
    agenda_done(agenda, "all", ERRAND_EVERYTHING);
    assert_string_equal(agenda_first(agenda), "Region=a");
    assert_true(agenda_left(agenda, ERRAND_RUNNING));
    assert_false(agenda_left(agenda, ERRAND_EVERYTHING | ERRAND_ENDED));
    agenda_done(agenda, "Region=a", ERRAND_RUNNING);
    assert_null(agenda_first(agenda));
    agenda_free(agenda);
}

static void misses_are_counted_until_one_is_met(void **state)
{
    (void)state;
    struct agenda *agenda = NULL;
    assert_int_equal(agenda_open(&agenda, NULL), 0);
    assert_int_equal(agenda_misses(agenda, "all"), 0);
    assert_int_equal(agenda_missed(agenda, "all", NULL), 0);
    assert_int_equal(agenda_missed(agenda, "all", NULL), 0);
    assert_int_equal(agenda_misses(agenda, "all"), 2);
    assert_null(agenda_first(agenda));
    agenda_met(agenda, "all");
    assert_int_equal(agenda_misses(agenda, "all"), 0);
    agenda_free(agenda);
}

static void a_scope_is_all_or_one_value_of_a_dimension(void **state)
{
    (void)state;
    static const char *const good[] = {"all", "region=west", "labels.segment=b2b", "rep=__other__"};
    static const char *const bad[] = {
        "", "west", "=west", "region=", "region=a b", "region=a:b", "region=a=b", "reg\xc8\x99=x"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(key_scope_valid(text_of(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(key_scope_valid(text_of(bad[i])));
    }
    char key[KEY_MAX];
    assert_string_equal(key_format(key, "main", "history:%s", "all"), "tandem:{main}:history:all");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_comes_first_and_errands_stay_until_done),
        cmocka_unit_test(misses_are_counted_until_one_is_met),
        cmocka_unit_test(a_scope_is_all_or_one_value_of_a_dimension),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

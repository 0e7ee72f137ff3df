#include "consumers/comparison/verdict.h"

#include "consumers/comparison/reasons.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void every_pair_of_states_has_one_verdict_of_its_own(void **state)
{
    (void)state;
    const struct verdict *seen[SALE_STATES * SERVICE_STATES];
    size_t count = 0;
    for (int sale = 0; sale < SALE_STATES; sale++) {
        for (int service = 0; service < SERVICE_STATES; service++) {
            const struct verdict *verdict = verdict_of(sale, service);
            for (size_t i = 0; i < count; i++) {
                assert_string_not_equal(seen[i]->code, verdict->code);
                assert_string_not_equal(seen[i]->sentence[0], verdict->sentence[0]);
                assert_string_not_equal(seen[i]->sentence[1], verdict->sentence[1]);
            }
            seen[count++] = verdict;
            assert_ptr_equal(verdict_find(text_of(verdict->code)), verdict);
        }
    }
    assert_int_equal(count, 12);
    assert_null(verdict_find(text_of("fine")));
}

static void romanian_is_written_with_comma_below(void **state)
{
    (void)state;
    for (int sale = 0; sale < SALE_STATES; sale++) {
        for (int service = 0; service < SERVICE_STATES; service++) {
            const char *sentence = verdict_of(sale, service)->sentence[1];
            assert_null(strstr(sentence, "ş"));
            assert_null(strstr(sentence, "ţ"));
            assert_non_null(strstr(sentence, "ț"));
        }
    }
}

static void clauses_are_joined_and_taken_apart_again(void **state)
{
    (void)state;
    struct reasons reasons = {.length = 0};
    struct reason reason;
    reasons_add(&reasons, "pace_pct:gross_profit:RON", "87.50", "<", "100.00", 120);
    reasons_add(&reasons, "csat_pct", "NaN", ">=", "80.00", -3);
    assert_string_equal(reasons.text, "pace_pct:gross_profit:RON 87.50 < 100.00 (n=120); "
                                      "csat_pct NaN >= 80.00 (n=-3)");
    const char *text = reasons.text;
    assert_true(reasons_next(&text, &reason));
    assert_string_equal(reason.metric, "pace_pct:gross_profit:RON");
    assert_string_equal(reason.value, "87.50");
    assert_string_equal(reason.op, "<");
    assert_string_equal(reason.threshold, "100.00");
    assert_string_equal(reason.n, "120");
    assert_true(reasons_next(&text, &reason));
    assert_string_equal(reason.op, ">=");
    assert_string_equal(reason.n, "-3");
    assert_false(reasons_next(&text, &reason));
}

static void what_is_no_clause_ends_the_list(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "NaN", "a", "a 1 < 2", "a 1 < 2 (n=", "a 1 ? 2 (n=3)", "a 1 < 2 (n=3"};
    struct reason reason;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *text = bad[i];
        assert_false(reasons_next(&text, &reason));
    }
}

static void a_clause_that_does_not_fit_is_left_out_whole(void **state)
{
    (void)state;
    struct reasons reasons = {.length = 0};
    for (int i = 0; i < 2000; i++)
        reasons_add(&reasons, "opened", "4", ">", "3", 4);
    assert_true(reasons.length < REASONS_MAX);
    assert_string_equal(reasons.text + reasons.length - 16, "opened 4 > 3 (n=4)" + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_states_has_one_verdict_of_its_own),
        cmocka_unit_test(romanian_is_written_with_comma_below),
        cmocka_unit_test(clauses_are_joined_and_taken_apart_again),
        cmocka_unit_test(what_is_no_clause_ends_the_list),
        cmocka_unit_test(a_clause_that_does_not_fit_is_left_out_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

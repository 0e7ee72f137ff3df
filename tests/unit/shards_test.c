#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/calendar.h"
#include "consumers/reporter/shards.h"
#include "consumers/reporter/sweep.h"

static void a_definition_says_how_many_shards_and_from_which_day(void **state)
{
    (void)state;
    int count;
    int32_t from, day;
    const char *text = "fold=3\nledger.from=2026-03-01\nledger.limit=2000\nledger.shards=64\n";
    assert_true(calendar_parse_date(text_of("2026-03-01"), &day));
    assert_int_equal(shards_parse(text_of(text), &count, &from, NULL), 0);
    assert_int_equal(count, 64);
    assert_int_equal(from, day);
    assert_int_equal(shards_parse(text_of("ledger.shards=1\nledger.from="), &count, &from, NULL),
                     0);
    assert_int_equal(count, 1);
    assert_int_equal(from, INT32_MIN);
}

static void a_definition_without_a_number_of_shards_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "fold=3\n",
                                        "ledger.shards=",
                                        "ledger.shards=0",
                                        "ledger.shards=65\n",
                                        "ledger.shards=x\n",
                                        "xledger.shards=3",
                                        "ledger.shards=123456789012\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int count;
        int32_t from;
        struct error err;
        assert_int_equal(shards_parse(text_of(texts[i]), &count, &from, &err), -1);
        assert_int_equal(err.code, ERROR_STORE);
    }
}

static void a_key_tells_its_shard_day_and_scope(void **state)
{
    (void)state;
    int shard;
    int32_t day, wanted;
    struct text scope;
    assert_true(calendar_parse_date(text_of("2026-03-01"), &wanted));
    assert_true(sweep_parse(text_of("tandem:{main.12}:customer:day:2026-03-01:region=a"), "main",
                            &shard, &day, &scope));
    assert_int_equal(shard, 12);
    assert_int_equal(day, wanted);
    assert_true(text_is(scope, "region=a"));
    assert_true(sweep_parse(text_of("tandem:{main}:customer:day:2026-03-01:all"), "main", &shard,
                            &day, &scope));
    assert_int_equal(shard, -1);
}

static void keys_of_others_are_not_taken_for_ones_own(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "tandem:{main-2}:customer:day:2026-03-01:all",
        "tandem:{main2.1}:customer:day:2026-03-01:all",
        "tandem:{main.}:customer:day:2026-03-01:all",
        "tandem:{main.1x}:customer:day:2026-03-01:all",
        "tandem:{main.1234}:customer:day:2026-03-01:all",
        "tandem:{main}:sale:day:2026-03-01:all",
        "tandem:{main}:customer:day:2026-02-30:all",
        "tandem:{main}:customer:day:2026-03-01",
        "tandem:{main}:customer:day:2026-03-01:",
        "tandem:{main}:customer:day:2026-03-01:a:b",
        "tandem:{main}:rebuild:customer:day:2026-03-01:all",
        "",
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        int shard;
        int32_t day;
        struct text scope;
        assert_false(sweep_parse(text_of(keys[i]), "main", &shard, &day, &scope));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_definition_says_how_many_shards_and_from_which_day),
        cmocka_unit_test(a_definition_without_a_number_of_shards_is_refused),
        cmocka_unit_test(a_key_tells_its_shard_day_and_scope),
        cmocka_unit_test(keys_of_others_are_not_taken_for_ones_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

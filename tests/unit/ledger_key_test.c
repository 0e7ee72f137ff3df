#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "consumers/customers/ledger_key.h"

#include <stdio.h>

static void every_key_of_a_shard_has_its_tag(void **state)
{
    (void)state;
    char prefix[LEDGER_PREFIX_MAX], key[LEDGER_KEY_MAX];
    assert_string_equal(ledger_prefix(prefix, "main", 3), "tandem:{main.3}:");
    assert_string_equal(ledger_state_key(key, prefix, 7, text_of("c-1")),
                        "tandem:{main.3}:c:7:c-1");
}

static void partitions_go_to_the_shards_in_turn(void **state)
{
    (void)state;
    static const int expected[] = {0, 1, 2, 0, 1};
    for (int32_t partition = 0; partition < 5; partition++) {
        assert_int_equal(ledger_shard_of(partition, 3), expected[partition]);
        assert_int_equal(ledger_shard_of(partition, 1), 0);
    }
}

static void a_store_tells_how_many_shards_it_has(void **state)
{
    (void)state;
    assert_int_equal(ledger_shards_in("fold=1\nledger.shards=4\nledger.limit=2000\n"), 4);
    assert_int_equal(ledger_shards_in("ledger.shards=64"), 64);
    static const char *const silent[] = {NULL,
                                         "",
                                         "fold=1\n",
                                         "fold=1\n\n",
                                         "ledger.shards=0\n",
                                         "ledger.shards=65\n",
                                         "ledger.shards=4x\n",
                                         "ledger.shards=\n",
                                         "ledger.shards=\n4",
                                         "my.ledger.shards=4\n"};
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++)
        assert_int_equal(ledger_shards_in(silent[i]), 0);
}

/* The first hash stands in the sanity tests of xxHash: XXH3 of 128 bits, of no bytes, seed 0. */
static void who_was_forgotten_stands_there_as_a_hash(void **state)
{
    (void)state;
    char field[LEDGER_KEY_MAX];
    assert_string_equal(ledger_forgotten_field(field, 12, text_of("")),
                        "12:99aa06d3014798d86001c324468d497f");
    assert_int_equal(strlen(ledger_forgotten_field(field, 0, text_of("c-1"))), 34);
}

static void the_longest_names_fit(void **state)
{
    (void)state;
    char prefix[LEDGER_PREFIX_MAX], key[LEDGER_KEY_MAX], business[33], customer[65];
    snprintf(business, sizeof business, "%032d", 0);
    snprintf(customer, sizeof customer, "%064d", 0);
    ledger_prefix(prefix, business, 63);
    assert_int_equal(strlen(prefix), 8 + 32 + 3 + 2);
    ledger_state_key(key, prefix, INT32_MAX, text_of(customer));
    assert_int_equal(strlen(key), 45 + 2 + 10 + 1 + 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_of_a_shard_has_its_tag),
        cmocka_unit_test(partitions_go_to_the_shards_in_turn),
        cmocka_unit_test(a_store_tells_how_many_shards_it_has),
        cmocka_unit_test(who_was_forgotten_stands_there_as_a_hash),
        cmocka_unit_test(the_longest_names_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

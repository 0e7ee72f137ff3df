#include "common/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void cells_belong_to_the_group_begun_last(void **state)
{
    (void)state;
    struct batch batch;
    batch_init(&batch);
    batch_add_group(&batch, (struct batch_group){.head = text_of("a:"), .value = text_of("all")});
    batch_add_cell(&batch, text_of("orders"), 1);
    batch_add_cell(&batch, text_of("units"), -2);
    batch_add_group(&batch, (struct batch_group){.head = text_of("b:"), .expire_s = 99});
    batch_add_group(&batch, (struct batch_group){.head = text_of("c:")});
    batch_add_cell(&batch, text_of("refunds"), 3);
    assert_int_equal(batch.group_count, 3);
    assert_int_equal(batch.groups[0].first, 0);
    assert_int_equal(batch.groups[0].count, 2);
    assert_int_equal(batch.groups[1].count, 0);
    assert_int_equal(batch.groups[1].expire_s, 99);
    assert_int_equal(batch.groups[2].first, 2);
    assert_int_equal(batch.groups[2].count, 1);
    assert_true(text_is(batch.cells[1].field, "units"));
    assert_int_equal(batch.cells[1].delta, -2);
    assert_false(batch.failed);
    batch_free(&batch);
}

static void text_is_copied(void **state)
{
    (void)state;
    struct batch batch;
    char bytes[] = "tandem:{main}:sale:day:2026-11-23:";
    batch_init(&batch);
    batch_add_group(&batch, (struct batch_group){.head = text_of(bytes),
                                                 .dimension = text_of(bytes),
                                                 .value = text_of(bytes),
                                                 .dirty = text_of(bytes)});
    batch_add_cell(&batch, text_of(bytes), 1);
    memset(bytes, 'x', sizeof bytes - 1);
    assert_true(text_is(batch.groups[0].head, "tandem:{main}:sale:day:2026-11-23:"));
    assert_true(text_is(batch.groups[0].dimension, "tandem:{main}:sale:day:2026-11-23:"));
    assert_true(text_is(batch.groups[0].value, "tandem:{main}:sale:day:2026-11-23:"));
    assert_true(text_is(batch.groups[0].dirty, "tandem:{main}:sale:day:2026-11-23:"));
    assert_true(text_is(batch.cells[0].field, "tandem:{main}:sale:day:2026-11-23:"));
    batch_free(&batch);
}

static void a_currency_stands_there_once(void **state)
{
    (void)state;
    struct batch batch;
    batch_init(&batch);
    batch_add_currency(&batch, "RON");
    batch_add_currency(&batch, "EUR");
    batch_add_currency(&batch, "RON");
    assert_int_equal(batch.currency_count, 2);
    assert_string_equal(batch.currencies[0], "RON");
    assert_string_equal(batch.currencies[1], "EUR");
    batch_free(&batch);
}

static void moves_are_kept_in_order(void **state)
{
    (void)state;
    struct batch batch;
    batch_init(&batch);
    for (int32_t p = 0; p < 1000; p++)
        batch_add_move(&batch, (struct batch_move){1, p, {p, 3}, {p + 10, 4}});
    assert_int_equal(batch.move_count, 1000);
    assert_int_equal(batch.moves[999].partition, 999);
    assert_int_equal(batch.moves[999].from.offset, 999);
    assert_int_equal(batch.moves[999].to.epoch, 4);
    batch_free(&batch);
}

/* Text pages must not move: the cells point into them. */
static void a_large_batch_is_whole_and_a_cleared_one_is_empty(void **state)
{
    (void)state;
    struct batch batch;
    char name[64];
    batch_init(&batch);
    for (int round = 0; round < 3; round++) {
        batch_add_group(&batch, (struct batch_group){.head = text_of("h")});
        for (int i = 0; i < 20000; i++) {
            snprintf(name, sizeof name, "a-field-with-a-name-of-some-length-%d", i);
            batch_add_cell(&batch, text_of(name), i);
        }
        assert_int_equal(batch.cell_count, 20000);
        for (int i = 0; i < 20000; i++) {
            snprintf(name, sizeof name, "a-field-with-a-name-of-some-length-%d", i);
            assert_true(text_is(batch.cells[i].field, name));
        }
        batch_clear(&batch);
        assert_int_equal(batch.cell_count + batch.group_count + batch.move_count, 0);
        assert_int_equal(batch.mark, 0);
    }
    batch_free(&batch);
    assert_null(batch.pages);
    batch_free(&batch);
}

static void a_text_above_a_page_is_kept_whole(void **state)
{
    (void)state;
    struct batch batch;
    char *bytes = calloc(1, 200000);
    memset(bytes, 'x', 200000);
    batch_init(&batch);
    batch_add_group(&batch, (struct batch_group){.head = {bytes, 65536}});
    batch_add_cell(&batch, (struct text){bytes, 200000}, 1);
    batch_add_cell(&batch, text_of("small"), 2);
    assert_false(batch.failed);
    assert_int_equal(batch.cells[0].field.len, 200000);
    assert_memory_equal(batch.cells[0].field.at, bytes, 200000);
    assert_true(text_is(batch.cells[1].field, "small"));
    batch_free(&batch);
    free(bytes);
}

static void names_and_states_are_copied_and_cleared(void **state)
{
    (void)state;
    struct batch batch;
    char name[] = "region=north", id[] = "c-1", bytes[] = {0, 1, 0};
    batch_init(&batch);
    batch.ledger = 7;
    batch_add_name(&batch, text_of(name), 3);
    batch_add_state(&batch, 5, text_of(id), (struct text){bytes, 3});
    batch_add_state(&batch, 5, text_of("c-2"), text_of(""));
    name[0] = id[0] = bytes[1] = 'X';
    assert_true(text_is(batch.names[0].name, "region=north"));
    assert_int_equal(batch.names[0].number, 3);
    assert_true(text_is(batch.states[0].customer, "c-1"));
    assert_memory_equal(batch.states[0].state.at, "\0\1\0", 3);
    assert_int_equal(batch.states[1].state.len, 0);
    batch_clear(&batch);
    assert_int_equal(batch.ledger + batch.name_count + batch.state_count, 0);
    batch_free(&batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_belong_to_the_group_begun_last),
        cmocka_unit_test(text_is_copied),
        cmocka_unit_test(a_currency_stands_there_once),
        cmocka_unit_test(moves_are_kept_in_order),
        cmocka_unit_test(a_large_batch_is_whole_and_a_cleared_one_is_empty),
        cmocka_unit_test(a_text_above_a_page_is_kept_whole),
        cmocka_unit_test(names_and_states_are_copied_and_cleared),
    };
    return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}

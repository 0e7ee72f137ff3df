#include "consumers/worker/parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define WINDOW 100

static XXH128_hash_t id(uint64_t n)
{
    return XXH3_128bits(&n, sizeof n);
}

static void take(struct parts *parts, const int32_t *partitions, int count)
{
    struct broker_place places[8] = {{0}};
    struct error err;
    for (int i = 0; i < count; i++)
        places[i].partition = partitions[i];
    assert_int_equal(parts_take(parts, places, count, &err), 0);
}

/* Partition 0 alone, placed at `offset` in a log that begins at 0. Returns where to read from. */
static int64_t place_at(struct parts *parts, int64_t offset)
{
    struct store_position position = {.at = {offset, 5}};
    struct error err;
    bool cut;
    return part_place(parts_find(parts, 0, 0), &position, WINDOW, 0, &cut, &err);
}

/* One partition whose window is whole up to `offset`. */
static struct part *open_filled(struct parts *parts, int64_t offset)
{
    static const int32_t zero = 0;
    *parts = (struct parts){.window = WINDOW};
    take(parts, &zero, 1);
    place_at(parts, offset);
    struct part *part = parts_find(parts, 0, 0);
    for (; part->next < offset; part->next++)
        seen_fill(part->seen, id((uint64_t)part->next), part->next);
    return part;
}

/* Reads and folds up to `offset`, as the worker does. */
static void fold_to(struct part *part, int64_t offset)
{
    for (; part->next < offset; part->next++)
        seen_stage(part->seen, id((uint64_t)part->next), part->next);
    part->folded = (struct place){offset, 6};
}

static void a_partition_is_found_by_topic_and_number(void **state)
{
    (void)state;
    struct parts parts = {.window = WINDOW};
    struct broker_place places[] = {{.topic = 0, .partition = 1}, {.topic = 1, .partition = 1}};
    struct error err;
    assert_int_equal(parts_take(&parts, places, 2, &err), 0);
    assert_int_equal(parts_find(&parts, 1, 1)->topic, 1);
    assert_ptr_equal(parts_find(&parts, 0, 1), &parts.list[0]);
    assert_null(parts_find(&parts, 0, 0));
    assert_false(parts.list[0].reading);
    assert_int_equal(parts.list[0].target, -1);
    parts_free(&parts);
    assert_null(parts_find(&parts, 0, 1));
}

static void a_new_partition_is_read_from_a_window_before_its_position(void **state)
{
    (void)state;
    static const struct {
        int64_t position, begin, log_start;
        int64_t from;
        bool cut;
    } cases
        [] =
            {
                {1000, 0, 0, 900, false},
                {1000, 950, 0, 950, false}, /* nothing before begin counts as earlier */
                {1000, 950, 940, 950, false},
                {1000, 0, 950, 950, true}, /* the log no longer holds all of the window */
                {1000, 0, 1000, 1000, true},
                {1000, 0, 1500, 1000, true}, /* it must be asked for the position, and refuse it */
                {50, 0, 0, 0, false},
                {0, 0, 0, 0, false},
                {1000, 1000, 0, 1000, false},
            };
    static const int32_t zero = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct parts parts = {.window = WINDOW};
        struct error err;
        bool cut;
        take(&parts, &zero, 1);
        struct store_position position = {.begin = cases[i].begin, .at = {cases[i].position, 3}};
        assert_int_equal(
            part_place(&parts.list[0], &position, WINDOW, cases[i].log_start, &cut, &err),
            cases[i].from);
        assert_int_equal(cut, cases[i].cut);
        assert_true(parts.list[0].reading);
        assert_int_equal(parts.list[0].stored.offset, cases[i].position);
        assert_int_equal(parts.list[0].folded.epoch, 3);
        assert_int_equal(part_filling(&parts.list[0]), cases[i].from < cases[i].position);
        parts_free(&parts);
    }
}

static void a_partition_that_stays_keeps_its_window(void **state)
{
    (void)state;
    static const int32_t both[] = {1, 0};
    struct parts parts;
    open_filled(&parts, 1000);
    parts_drop(&parts);
    take(&parts, both, 2);
    assert_int_equal(place_at(&parts, 1000), 1000);
    struct part *part = parts_find(&parts, 0, 0);
    assert_true(seen_stage(part->seen, id(900), 1000));
    assert_false(part_filling(part));
    parts_free(&parts);
}

static void a_window_of_another_position_is_filled_again(void **state)
{
    (void)state;
    static const int64_t elsewhere[] = {999, 1001, 1050, 500};
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++) {
        struct parts parts;
        struct part *part = open_filled(&parts, 1000);
        parts_drop(&parts);
        assert_int_equal(place_at(&parts, elsewhere[i]), elsewhere[i] - WINDOW);
        assert_true(part_filling(part));
        assert_false(seen_stage(part->seen, id(950), elsewhere[i])); /* emptied */
        parts_free(&parts);
    }
}

static void a_window_that_was_being_filled_is_filled_from_its_start(void **state)
{
    (void)state;
    static const int32_t zero = 0;
    struct parts parts = {.window = WINDOW};
    take(&parts, &zero, 1);
    assert_int_equal(place_at(&parts, 1000), 900);
    struct part *part = parts_find(&parts, 0, 0);
    for (; part->next < 950; part->next++)
        seen_fill(part->seen, id((uint64_t)part->next), part->next);
    parts_drop(&parts);
    assert_int_equal(place_at(&parts, 1000), 900);
    take(&parts, &zero, 1);
    assert_int_equal(place_at(&parts, 1000), 900);
    parts_free(&parts);
}

static void what_is_folded_and_not_applied_is_forgotten_by_a_drop(void **state)
{
    (void)state;
    struct parts parts;
    struct part *part = open_filled(&parts, 1000);
    fold_to(part, 1010);
    assert_true(parts_dirty(&parts));
    parts_drop(&parts);
    assert_false(parts_dirty(&parts));
    assert_false(part->reading);
    assert_int_equal(place_at(&parts, 1000), 1000); /* the window stands at the position */
    assert_false(seen_stage(part->seen, id(1005), 1005));
    assert_true(seen_stage(part->seen, id(950), 1006));
    parts_free(&parts);
}

static void a_batch_moves_each_partition_that_advanced(void **state)
{
    (void)state;
    static const int32_t three[] = {0, 1, 2};
    struct parts parts = {.window = WINDOW};
    struct batch batch;
    struct error err;
    bool cut;
    batch_init(&batch);
    take(&parts, three, 3);
    for (int32_t p = 0; p < 2; p++) { /* the third has no position yet */
        struct store_position position = {.partition = p, .at = {10 * p, 4}};
        part_place(parts_find(&parts, 0, p), &position, WINDOW, 0, &cut, &err);
    }
    parts_find(&parts, 0, 2)->folded.offset = 99;
    assert_false(parts_dirty(&parts));
    parts_find(&parts, 0, 1)->folded = (struct place){17, 5};
    assert_true(parts_dirty(&parts));
    parts_moves(&parts, &batch);
    assert_int_equal(batch.move_count, 1);
    assert_int_equal(batch.moves[0].partition, 1);
    assert_int_equal(batch.moves[0].from.offset, 10);
    assert_int_equal(batch.moves[0].from.epoch, 4);
    assert_int_equal(batch.moves[0].to.offset, 17);
    assert_int_equal(batch.moves[0].to.epoch, 5);
    batch_free(&batch);
    parts_free(&parts);
}

/* What was folded while the batch was in flight stays droppable. */
static void an_applied_batch_moves_the_window_to_its_end(void **state)
{
    (void)state;
    struct parts parts;
    struct batch batch;
    struct part *part = open_filled(&parts, 1000);
    batch_init(&batch);
    part->moved = 2;
    fold_to(part, 1010);
    parts_moves(&parts, &batch);
    fold_to(part, 1020);
    parts_applied(&parts, &batch.moves[0]);
    assert_int_equal(part->stored.offset, 1010);
    assert_int_equal(part->stored.epoch, 6);
    assert_int_equal(part->moved, 0);
    assert_true(parts_dirty(&parts));
    parts_drop(&parts);
    assert_int_equal(place_at(&parts, 1010), 1010);
    assert_true(seen_stage(part->seen, id(1009), 1010));
    assert_false(seen_stage(part->seen, id(1010), 1011));
    batch_free(&batch);
    parts_free(&parts);
}

static void an_applied_move_of_a_partition_that_left_is_nothing(void **state)
{
    (void)state;
    static const int32_t other = 1;
    struct parts parts;
    struct batch_move move = {.partition = 0, .from = {1000, 5}, .to = {1010, 6}};
    open_filled(&parts, 1000);
    parts_drop(&parts);
    parts_applied(&parts, &move); /* dropped: not reading */
    assert_int_equal(parts_find(&parts, 0, 0)->stored.offset, 1000);
    take(&parts, &other, 1);
    parts_applied(&parts, &move);
    assert_null(parts_find(&parts, 0, 0));
    parts_free(&parts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_partition_is_found_by_topic_and_number),
        cmocka_unit_test(a_new_partition_is_read_from_a_window_before_its_position),
        cmocka_unit_test(a_partition_that_stays_keeps_its_window),
        cmocka_unit_test(a_window_of_another_position_is_filled_again),
        cmocka_unit_test(a_window_that_was_being_filled_is_filled_from_its_start),
        cmocka_unit_test(what_is_folded_and_not_applied_is_forgotten_by_a_drop),
        cmocka_unit_test(a_batch_moves_each_partition_that_advanced),
        cmocka_unit_test(an_applied_batch_moves_the_window_to_its_end),
        cmocka_unit_test(an_applied_move_of_a_partition_that_left_is_nothing),
    };
    return cmocka_run_group_tests_name("parts", tests, NULL, NULL);
}

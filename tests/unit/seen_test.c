#include "common/seen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static XXH128_hash_t id(uint64_t n)
{
    return XXH3_128bits(&n, sizeof n);
}

static struct seen *open_at(int64_t window, int64_t position)
{
    struct seen *seen;
    struct error err;
    assert_int_equal(seen_open(&seen, window, position, &err), 0);
    return seen;
}

static void an_event_is_a_duplicate_within_the_window_and_not_beyond(void **state)
{
    (void)state;
    struct seen *seen = open_at(10, 0);
    assert_false(seen_stage(seen, id(1), 0));
    assert_true(seen_stage(seen, id(1), 10));  /* [0, 10) holds offset 0 */
    assert_false(seen_stage(seen, id(2), 11));
    assert_false(seen_stage(seen, id(2), 22)); /* [12, 22) does not hold offset 11 */
    seen_free(seen);
}

static void a_duplicate_refreshes_the_window(void **state)
{
    (void)state;
    struct seen *seen = open_at(10, 0);
    assert_false(seen_stage(seen, id(1), 0));
    assert_true(seen_stage(seen, id(1), 8));
    assert_true(seen_stage(seen, id(1), 16)); /* offset 8, itself a duplicate, still counts */
    seen_free(seen);
}

static void what_is_dropped_leaves_no_trace(void **state)
{
    (void)state;
    struct seen *seen = open_at(100, 5);
    seen_stage(seen, id(1), 5);
    seen_commit(seen, 6);
    seen_stage(seen, id(2), 6);
    seen_stage(seen, id(1), 7);
    seen_drop(seen);
    assert_int_equal(seen_position(seen), 6);
    assert_false(seen_stage(seen, id(2), 6)); /* read again, it is not its own duplicate */
    assert_true(seen_stage(seen, id(1), 7));  /* what was applied is still known */
    seen_free(seen);
}

static void what_is_staged_evicts_nothing_that_is_applied(void **state)
{
    (void)state;
    struct seen *seen = open_at(4, 0);
    seen_stage(seen, id(1), 0);
    seen_commit(seen, 1);
    for (int64_t offset = 1; offset < 50; offset++)
        seen_stage(seen, id(1000 + (uint64_t)offset), offset);
    seen_drop(seen);
    assert_true(seen_stage(seen, id(1), 3)); /* the batch was dropped: 0 is in [-1, 3) again */
    seen_free(seen);
}

static void a_window_is_filled_up_to_the_position(void **state)
{
    (void)state;
    struct seen *seen = open_at(10, 0);
    seen_clear(seen, 100);
    seen_fill(seen, id(1), 89); /* before the window: not kept */
    seen_fill(seen, id(2), 90);
    seen_fill(seen, id(3), 99);
    assert_int_equal(seen_position(seen), 100);
    assert_false(seen_stage(seen, id(1), 100));
    assert_true(seen_stage(seen, id(3), 101));
    assert_false(seen_stage(seen, id(2), 102)); /* 90 is not in [92, 102) */
    seen_free(seen);
}

static void room_ends_where_the_ring_would_bite_its_tail(void **state)
{
    (void)state;
    struct seen *seen = open_at(10, 0);
    int64_t offset = 0;
    for (; seen_room(seen, offset); offset++)
        seen_stage(seen, id((uint64_t)offset), offset);
    assert_true(offset > 4096);
    seen_commit(seen, offset);
    assert_true(seen_room(seen, offset));
    assert_true(seen_stage(seen, id((uint64_t)offset - 1), offset));
    seen_free(seen);
}

static void a_wide_gap_of_offsets_empties_the_window(void **state)
{
    (void)state;
    struct seen *seen = open_at(10, 0);
    seen_stage(seen, id(1), 0);
    seen_commit(seen, 1);
    seen_commit(seen, 1000000000);
    assert_true(seen_room(seen, 1000000000));
    assert_false(seen_stage(seen, id(1), 1000000000));
    seen_free(seen);
}

/* The same said naively: every valid record of the log so far, and where it stands. */
struct log {
    uint64_t ids[4000];
    int64_t offsets[4000];
    int count;
};

static bool stands(const struct log *log, uint64_t n, int64_t offset, int64_t window)
{
    for (int i = log->count - 1; i >= 0 && log->offsets[i] >= offset - window; i--)
        if (log->ids[i] == n)
            return true;
    return false;
}

/* As id(), but crowded: they meet at a few homes and spread far from them, and their pieces are
 * often the same. */
static XXH128_hash_t crowded_id(uint64_t n)
{
    return (XXH128_hash_t){.low64 = n % 3, .high64 = (n + 1) << 30};
}

static void expect_a_plain_list(XXH128_hash_t (*make)(uint64_t n))
{
    for (unsigned seed = 1; seed <= 60; seed++) {
        struct log log = {.count = 0};
        int64_t window = 1 + rand_r(&seed) % 300, next = 0, position = 0;
        int applied = 0;
        struct seen *seen = open_at(window, 0);
        while (log.count < 3000) {
            int dice = rand_r(&seed) % 100;
            if (dice < 3) { /* the batch is dropped: the log reads on from the position */
                seen_drop(seen);
                next = position;
                log.count = applied;
            } else if (dice < 8) {
                position = next;
                applied = log.count;
                seen_commit(seen, position);
            } else {
                uint64_t n = (uint64_t)(rand_r(&seed) % 200);
                next += rand_r(&seed) % 20 ? 0 : rand_r(&seed) % 30; /* gaps of the log */
                assert_int_equal(seen_stage(seen, make(n), next), stands(&log, n, next, window));
                log.ids[log.count] = n;
                log.offsets[log.count++] = next++;
            }
        }
        seen_free(seen);
    }
}

static void random_stages_commits_and_drops_agree_with_a_plain_list(void **state)
{
    (void)state;
    expect_a_plain_list(id);
}

static void ids_that_crowd_one_place_of_the_index_agree_with_it_too(void **state)
{
    (void)state;
    expect_a_plain_list(crowded_id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_a_duplicate_within_the_window_and_not_beyond),
        cmocka_unit_test(a_duplicate_refreshes_the_window),
        cmocka_unit_test(what_is_dropped_leaves_no_trace),
        cmocka_unit_test(what_is_staged_evicts_nothing_that_is_applied),
        cmocka_unit_test(a_window_is_filled_up_to_the_position),
        cmocka_unit_test(room_ends_where_the_ring_would_bite_its_tail),
        cmocka_unit_test(a_wide_gap_of_offsets_empties_the_window),
        cmocka_unit_test(random_stages_commits_and_drops_agree_with_a_plain_list),
        cmocka_unit_test(ids_that_crowd_one_place_of_the_index_agree_with_it_too),
    };
    return cmocka_run_group_tests_name("seen", tests, NULL, NULL);
}

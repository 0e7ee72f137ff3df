#include "consumers/worker/lane.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/random.h"

#include <stdlib.h>

enum {
    LATER_MS = 1000,             /* a batch is sent again for so long before it is dropped */
    LATER_PAUSE_MS = 10,
    MOVED_PAUSE_MS = 1000,       /* pause of a partition that moved twice running, doubled to ... */
    MOVED_PAUSE_MAX_MS = 30000,
    LETTER_WAIT_MS = 2000        /* wait for dead letters before polling goes on without reading */
};

static void count_spans(const struct lane *lane)
{
    struct worker_spans *spans = &lane->worker->spans;
    exposition_observe(&spans->flush, &watch_ms_bounds, lane->heard_ms - lane->flush_ms);
    exposition_observe(&spans->script, &watch_ms_bounds, lane->heard_ms - lane->sent_ms);
    exposition_observe(&spans->cells, &watch_cell_bounds, (int64_t)lane->batch.cell_count);
}

static void count_batch(struct lane *lane)
{
    lane->heard_ms = clock_mono_ms();
    count_spans(lane);
    lane->worker->totals.batches++;
    lane->worker->totals.cells += (int64_t)lane->batch.cell_count;
    lane->back_off_ms = LANE_BACK_OFF_MIN_MS;
    lane->said[0] = 0;
}

static void commit_places(struct lane *lane)
{
    struct broker_place *places = calloc(lane->batch.move_count + 1, sizeof *places);
    int count = 0;
    for (size_t i = 0; places && i < lane->batch.move_count; i++) {
        const struct batch_move *move = &lane->batch.moves[i];
        if (move->to.offset != move->from.offset)
            places[count++] = (struct broker_place){move->topic, move->partition, move->to};
    }
    if (count)
        broker_commit(lane->worker->broker, places, count);
    free(places);
}

static void applied(struct lane *lane)
{
    for (size_t i = 0; i < lane->batch.move_count; i++)
        parts_applied(&lane->parts, &lane->batch.moves[i]);
    lane->in_flight = false;
    count_batch(lane);
    commit_places(lane);
}

/* Somebody else has moved a partition of the batch. One that moves again and again is left alone
 * for a while, so that it does not stop the others. */
static void count_moves(struct lane *lane)
{
    for (size_t i = 0; i < lane->batch.move_count; i++) {
        const struct batch_move *move = &lane->batch.moves[i];
        struct part *part = parts_find(&lane->parts, move->topic, move->partition);
        const struct store_position *position =
            part ? lane_position(lane, part->topic, part->partition) : NULL;
        if (!position || position->at.offset == move->from.offset)
            continue;
        if (++part->moved < 2)
            continue;
        int64_t pause_ms = (int64_t)MOVED_PAUSE_MS << (part->moved < 7 ? part->moved - 2 : 5);
        part->paused_until_ms = clock_mono_ms() + (pause_ms < MOVED_PAUSE_MAX_MS
                                                       ? pause_ms : MOVED_PAUSE_MAX_MS);
        log_warning("position moves elsewhere; pausing the partition",
                    log_s("topic", lane->worker->topics[part->topic]), log_i("partition", part->partition),
                    log_i("expected", move->from.offset), log_i("stored", position->at.offset));
    }
}

static int fenced(struct lane *lane, struct error *err)
{
    struct error ignored;
    lane->worker->totals.fenced++;
    lane_say_trouble(lane, "batch not applied; reading again", err);
    lane_drop(lane);
    lane_hold(lane);
    if (store_look(lane->store, &lane->opening.state, &ignored) == STORE_DONE && lane->opening.state.exists)
        count_moves(lane);
    return 0;
}

/* The answer of the batch in flight. 0: it was dealt with, or is still to come. */
static int take_answer(struct lane *lane, enum store_answer answer, struct error *err)
{
    switch (answer) {
    case STORE_PENDING:
        return 0;
    case STORE_DONE:
        applied(lane);
        return 0;
    case STORE_MOVED:
    case STORE_FOREIGN:
        return fenced(lane, err);
    case STORE_LATER:
    case STORE_UNKNOWN:
        lane->worker->totals.redis_errors++;
        lane_say_trouble(lane, "waiting for redis", err);
        lane_drop_for_later(lane);
        return 0;
    case STORE_BROKEN:
        break;
    }
    return -1;
}

/* Redis puts the batch off: the same one goes again, for a second in all. */
static bool goes_again(struct lane *lane, enum store_answer answer)
{
    int64_t now_ms = clock_mono_ms();
    if (answer == STORE_PENDING)
        return false;
    lane->worker->totals.redis_errors += answer == STORE_LATER;
    if (answer == STORE_LATER && !lane->later_ms)
        lane->later_ms = now_ms;
    if (answer == STORE_LATER && now_ms - lane->later_ms <= LATER_MS)
        return true;
    lane->later_ms = 0;
    return false;
}

static enum store_answer send_batch(struct lane *lane, struct error *err)
{
    for (int64_t pause_ms = LATER_PAUSE_MS;; pause_ms *= 2) {
        enum store_answer answer = store_send(lane->store, &lane->batch, lane->opening.state.token,
                                              lane->opening.state.floor, err);
        if (!goes_again(lane, answer))
            return answer;
        clock_sleep_ms(pause_ms);
    }
}

int lane_settle(struct lane *lane, int64_t wait_ms, struct error *err)
{
    if (!lane->in_flight)
        return 0;
    for (int64_t pause_ms = LATER_PAUSE_MS;; pause_ms *= 2) {
        enum store_answer answer = store_receive(lane->store, wait_ms, err);
        if (!goes_again(lane, answer))
            return take_answer(lane, answer, err);
        clock_sleep_ms(pause_ms);
        answer = send_batch(lane, err);
        if (answer != STORE_PENDING)
            return take_answer(lane, answer, err);
    }
}

/* Dead letters are acknowledged before the position moves past their records. */
static bool letters_settled(struct lane *lane, int64_t wait_ms, struct error *err)
{
    if (!lane->worker->letters)
        return true;
    if (!deadletters_settled(lane->worker->letters, wait_ms)) {
        error_retry(err, ERROR_KAFKA, "%s does not acknowledge", lane->worker->config->topics_rejected);
        return false;
    }
    return deadletters_failed(lane->worker->letters, err) == 0;
}

static bool moves(const struct batch *batch, int topic, int32_t partition)
{
    for (size_t i = 0; i < batch->move_count; i++)
        if (batch->moves[i].topic == topic && batch->moves[i].partition == partition)
            return true;
    return false;
}

/* What a kind of two topics keeps belongs to a partition of both: so the batch must meet both
 * positions as they were known, also that of a topic whose partition is somebody else's just now. */
static void add_other_topics(struct lane *lane)
{
    struct batch *batch = &lane->batch;
    for (size_t i = 0, count = batch->move_count; i < count; i++) {
        int32_t partition = batch->moves[i].partition;
        for (int t = 0; t < lane->worker->kind->topic_count; t++) {
            const struct part *part = parts_find(&lane->parts, t, partition);
            const struct store_position *position = lane_position(lane, t, partition);
            if (moves(batch, t, partition) || !position)
                continue;
            struct place at = part && part->reading ? part->stored : position->at;
            batch_add_move(batch, (struct batch_move){t, partition, at, at});
        }
    }
}

static enum store_answer build_batch(struct lane *lane, struct error *err)
{
    batch_clear(&lane->batch);
    lane->batch.mark = random_u64();
    lane->due_ms = 0;
    parts_moves(&lane->parts, &lane->batch);
    add_other_topics(lane);
    return lane->worker->kind->fill(lane->own, &lane->batch, err);
}

/* Brings what is folded into the store: sends it, and does not wait for the answer. `wait_ms`
 * bounds the waits for what must come first. */
int lane_flush(struct lane *lane, int64_t wait_ms, struct error *err)
{
    if (lane_settle(lane, wait_ms, err) != 0)
        return -1;
    if (lane->in_flight || lane->look || !parts_dirty(&lane->parts))
        return 0;
    if (!letters_settled(lane, wait_ms < LETTER_WAIT_MS ? wait_ms : LETTER_WAIT_MS, err)) {
        lane_say_trouble(lane, "waiting for the topic of rejected records", err);
        lane_drop_for_later(lane);
        return 0;
    }
    lane->flush_ms = clock_mono_ms();
    enum store_answer answer = build_batch(lane, err);
    if (answer != STORE_DONE)
        return take_answer(lane, answer, err);
    lane->in_flight = true;
    lane->sent_ms = clock_mono_ms();
    answer = send_batch(lane, err);
    return answer == STORE_PENDING ? 0 : take_answer(lane, answer, err);
}

int lane_apply_all(struct lane *lane, int64_t wait_ms, struct error *err)
{
    int64_t end_ms = clock_mono_ms() + wait_ms;
    while (!lane->look && (lane->in_flight || parts_dirty(&lane->parts))) {
        int64_t left_ms = end_ms - clock_mono_ms();
        if (left_ms <= 0)
            return 0;
        if (lane_flush(lane, left_ms, err) != 0)
            return -1;
    }
    return 0;
}

#include "consumers/worker/worker_inside.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/random.h"
#include "consumers/worker/flush.h"

#include <stdlib.h>

enum {
    LATER_MS = 1000,             /* a batch is sent again for so long before it is dropped */
    LATER_PAUSE_MS = 10,
    MOVED_PAUSE_MS = 1000,       /* pause of a partition that moved twice running, doubled to ... */
    MOVED_PAUSE_MAX_MS = 30000,
    LETTER_WAIT_MS = 2000,       /* wait for dead letters before polling goes on without reading */
    SCOPES_MAX = 500000          /* names kept for scopes before they are forgotten together */
};

static void count_batch(struct worker *w)
{
    w->heard_ms = clock_mono_ms();
    w->totals.batches++;
    w->totals.cells += (int64_t)w->batch.cell_count;
    w->back_off_ms = WORKER_BACK_OFF_MIN_MS;
    w->said[0] = 0;
}

static void commit_places(struct worker *w)
{
    struct broker_place *places = calloc(w->batch.move_count + 1, sizeof *places);
    for (size_t i = 0; places && i < w->batch.move_count; i++)
        places[i] = (struct broker_place){w->batch.moves[i].topic, w->batch.moves[i].partition,
                                          w->batch.moves[i].to};
    if (places)
        broker_commit(w->broker, places, (int)w->batch.move_count);
    free(places);
}

static void applied(struct worker *w)
{
    for (size_t i = 0; i < w->batch.move_count; i++)
        parts_applied(&w->parts, &w->batch.moves[i]);
    w->in_flight = false;
    count_batch(w);
    commit_places(w);
}

/* Somebody else has moved a partition of the batch. One that moves again and again is left alone
 * for a while, so that it does not stop the others. */
static void count_moves(struct worker *w)
{
    for (size_t i = 0; i < w->batch.move_count; i++) {
        const struct batch_move *move = &w->batch.moves[i];
        struct part *part = parts_find(&w->parts, move->topic, move->partition);
        const struct store_position *position =
            part ? worker_position_of(&w->opening.state, part) : NULL;
        if (!position || position->at.offset == move->from.offset)
            continue;
        if (++part->moved < 2)
            continue;
        int64_t pause_ms = (int64_t)MOVED_PAUSE_MS << (part->moved < 7 ? part->moved - 2 : 5);
        part->paused_until_ms = clock_mono_ms() + (pause_ms < MOVED_PAUSE_MAX_MS
                                                       ? pause_ms : MOVED_PAUSE_MAX_MS);
        log_warning("position moves elsewhere; pausing the partition",
                    log_s("topic", w->topics[part->topic]), log_i("partition", part->partition),
                    log_i("expected", move->from.offset), log_i("stored", position->at.offset));
    }
}

static int fenced(struct worker *w, struct error *err)
{
    struct error ignored;
    worker_say_trouble(w, "batch not applied; reading again", err);
    worker_drop(w);
    broker_pause(w->broker);
    if (store_look(w->store, &w->opening.state, &ignored) == STORE_DONE && w->opening.state.exists)
        count_moves(w);
    return 0;
}

/* The answer of the batch in flight. 0: it was dealt with, or is still to come. */
static int take_answer(struct worker *w, enum store_answer answer, struct error *err)
{
    switch (answer) {
    case STORE_PENDING:
        return 0;
    case STORE_DONE:
        applied(w);
        return 0;
    case STORE_MOVED:
    case STORE_FOREIGN:
        return fenced(w, err);
    case STORE_LATER:
    case STORE_UNKNOWN:
        worker_say_trouble(w, "waiting for redis", err);
        worker_drop_for_later(w);
        return 0;
    case STORE_BROKEN:
        break;
    }
    return -1;
}

/* Redis puts the batch off: the same one goes again, for a second in all. */
static bool goes_again(struct worker *w, enum store_answer answer)
{
    int64_t now_ms = clock_mono_ms();
    if (answer == STORE_PENDING)
        return false;
    if (answer == STORE_LATER && !w->later_ms)
        w->later_ms = now_ms;
    if (answer == STORE_LATER && now_ms - w->later_ms <= LATER_MS)
        return true;
    w->later_ms = 0;
    return false;
}

static enum store_answer send_batch(struct worker *w, struct error *err)
{
    for (int64_t pause_ms = LATER_PAUSE_MS;; pause_ms *= 2) {
        enum store_answer answer = store_send(w->store, &w->batch, w->opening.state.token,
                                              w->fold.floor, err);
        if (!goes_again(w, answer))
            return answer;
        clock_sleep_ms(pause_ms);
    }
}

int worker_settle(struct worker *w, int64_t wait_ms, struct error *err)
{
    if (!w->in_flight)
        return 0;
    for (int64_t pause_ms = LATER_PAUSE_MS;; pause_ms *= 2) {
        enum store_answer answer = store_receive(w->store, wait_ms, err);
        if (!goes_again(w, answer))
            return take_answer(w, answer, err);
        clock_sleep_ms(pause_ms);
        answer = send_batch(w, err);
        if (answer != STORE_PENDING)
            return take_answer(w, answer, err);
    }
}

/* Dead letters are acknowledged before the position moves past their records. */
static bool letters_settled(struct worker *w, int64_t wait_ms, struct error *err)
{
    if (!deadletters_settled(w->letters, wait_ms)) {
        error_retry(err, ERROR_KAFKA, "%s does not acknowledge", w->config->topics_rejected);
        return false;
    }
    return deadletters_failed(w->letters, err) == 0;
}

static void build_batch(struct worker *w)
{
    batch_clear(&w->batch);
    w->batch.mark = random_u64();
    parts_moves(&w->parts, &w->batch);
    flush_tally(&w->fold, w->prefix, clock_wall_ms() / 1000, &w->batch);
    tally_reset(w->tally);
    w->due_ms = 0;
    if (scopes_count(w->scopes) > SCOPES_MAX)
        scopes_reset(w->scopes);
}

/* Brings what is folded into the store: sends it, and does not wait for the answer. `wait_ms`
 * bounds the waits for what must come first. */
int worker_flush(struct worker *w, int64_t wait_ms, struct error *err)
{
    if (worker_settle(w, wait_ms, err) != 0)
        return -1;
    if (w->in_flight || w->look || !parts_dirty(&w->parts))
        return 0;
    if (!letters_settled(w, wait_ms < LETTER_WAIT_MS ? wait_ms : LETTER_WAIT_MS, err)) {
        worker_say_trouble(w, "waiting for the topic of rejected records", err);
        worker_drop_for_later(w);
        return 0;
    }
    if (tally_failed(w->tally) || scopes_failed(w->scopes))
        return error_memory(err);
    build_batch(w);
    w->in_flight = true;
    enum store_answer answer = send_batch(w, err);
    return answer == STORE_PENDING ? 0 : take_answer(w, answer, err);
}

int worker_apply_all(struct worker *w, int64_t wait_ms, struct error *err)
{
    int64_t end_ms = clock_mono_ms() + wait_ms;
    while (!w->look && (w->in_flight || parts_dirty(&w->parts))) {
        int64_t left_ms = end_ms - clock_mono_ms();
        if (left_ms <= 0)
            return 0;
        if (worker_flush(w, left_ms, err) != 0)
            return -1;
    }
    return 0;
}

#include "consumers/worker/lane.h"

#include "common/clock.h"
#include "common/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    BACK_OFF_MAX_MS = 5000,
    QUIET_MS = 2000              /* with no batch for so long, the store is asked where it stands */
};

void lane_say_trouble(struct lane *lane, const char *event, const struct error *err)
{
    if (strncmp(lane->said, err->text, sizeof lane->said - 1) == 0)
        return;
    snprintf(lane->said, sizeof lane->said, "%.*s", (int)sizeof lane->said - 1, err->text);
    if (lane->worker->lane_count > 1)
        log_warning(event, log_i("shard", lane->number), log_s("why", err->text));
    else
        log_warning(event, log_s("why", err->text));
}

/* A partition's part cannot be taken out of the sums of all: what is not applied goes as a whole,
 * and every partition is read again from where the store says it stands. */
void lane_drop(struct lane *lane)
{
    lane->worker->totals.dropped += lane->in_flight || !lane->worker->kind->empty(lane->own);
    lane->worker->kind->drop(lane->own);
    parts_drop(&lane->parts);
    lane->in_flight = false;
    lane->due_ms = 0;
    lane->look = true;
}

static void look_later(struct lane *lane)
{
    lane->look = true;
    if (!lane->stalled_ms)
        lane->stalled_ms = clock_mono_ms();
    lane->look_ms = clock_mono_ms() + lane->back_off_ms;
    lane->back_off_ms = lane->back_off_ms * 2 < BACK_OFF_MAX_MS ? lane->back_off_ms * 2 : BACK_OFF_MAX_MS;
}

void lane_drop_for_later(struct lane *lane)
{
    lane_drop(lane);
    lane_hold(lane);
    look_later(lane);
}

void lane_hold(struct lane *lane)
{
    if (lane->worker->lane_count == 1)
        broker_pause(lane->worker->broker);
    else
        lane->worker->assign = true;
}

static const struct store_position *position_in(const struct store_state *state, int topic,
                                                int32_t partition)
{
    for (size_t i = 0; i < state->position_count; i++)
        if (state->positions[i].topic == topic && state->positions[i].partition == partition)
            return &state->positions[i];
    return NULL;
}

const struct store_position *lane_position(const struct lane *lane, int topic, int32_t partition)
{
    return position_in(&lane->opening.state, topic, partition);
}

static void note_short_window(struct lane *lane, const struct part *part, int64_t from)
{
    char field[300], text[64];
    struct error err;
    snprintf(field, sizeof field, "window:%s:%" PRId32, lane->worker->topics[part->topic], part->partition);
    snprintf(text, sizeof text, "%" PRId64 "-%" PRId64, from, part->stored.offset);
    log_warning("the log no longer holds all of the duplicate window",
                log_s("topic", lane->worker->topics[part->topic]), log_i("partition", part->partition),
                log_i("from", from), log_i("position", part->stored.offset));
    store_note_gap(lane->store, field, text, &err);
}

static int place_part(struct lane *lane, struct part *part, struct error *err)
{
    bool cut;
    const struct store_position *position = lane_position(lane, part->topic, part->partition);
    const char *topic = lane->worker->topics[part->topic];
    if (!position)
        return error_set(err, ERROR_STORE, "the store has no position for %s partition %" PRId32,
                         topic, part->partition);
    int64_t from = part_place(part, position, lane->parts.window,
                              lane->opening.logs[part->topic].starts[part->partition], &cut, err);
    if (from < 0)
        return -1;
    if (cut)
        note_short_window(lane, part, from);
    if (lane->worker->targets[part->topic])
        part->target = lane->worker->targets[part->topic][part->partition];
    log_info("reading", log_s("topic", topic), log_i("partition", part->partition),
             log_i("position", part->stored.offset), log_i("from", from));
    return 0;
}

static void end_stall(struct lane *lane)
{
    if (lane->stalled_ms)
        log_info("the store is there again", log_i("shard", lane->number),
                 log_i("waited_ms", clock_mono_ms() - lane->stalled_ms));
    lane->stalled_ms = 0;
}

/* Asks the store where everything stands, and reads on from there. Not now is fine: the loop goes
 * on polling, and tries again. -1: somebody must mend something. */
int lane_look(struct lane *lane, struct error *err)
{
    enum store_answer answer = STORE_DONE;
    if (clock_mono_ms() < lane->look_ms)
        return 0;
    lane->worker->totals.lookups++;
    if (!store_connected(lane->store))
        answer = store_connect(lane->store, err);
    if (answer == STORE_DONE)
        answer = opening_check(&lane->opening, err);
    if (answer == STORE_DONE) {
        lane->place.partitions = lane->opening.logs[0].partitions;
        answer = lane->worker->kind->place(lane->own, &lane->opening.state, err);
    }
    if (answer == STORE_BROKEN)
        return -1;
    if (answer != STORE_DONE) {
        lane->worker->totals.redis_errors++;
        lane_say_trouble(lane, "waiting for the store", err);
        look_later(lane);
        return 0;
    }
    for (int i = 0; i < lane->parts.count; i++)
        if (place_part(lane, &lane->parts.list[i], err) != 0)
            return -1;
    end_stall(lane);
    lane->look = false;
    lane->worker->assign = true;
    lane->heard_ms = clock_mono_ms();
    return 0;
}

static bool stands_where_we_do(const struct lane *lane, const struct store_state *state)
{
    if (!state->exists || strcmp(state->token, lane->opening.state.token) != 0 ||
        state->floor != lane->opening.state.floor)
        return false;
    for (int i = 0; i < lane->parts.count; i++) {
        const struct part *part = &lane->parts.list[i];
        const struct store_position *position = position_in(state, part->topic, part->partition);
        if (part->reading && (!position || position->at.offset != part->stored.offset))
            return false;
    }
    return true;
}

/* Without traffic no compare would ever fail: a Redis that was emptied, set back or replaced while
 * the log is quiet is noticed by asking. */
void lane_ask_quiet_store(struct lane *lane)
{
    struct error err = {0};
    struct store_state state = {.floor = STORE_NO_FLOOR};
    int64_t now_ms = clock_mono_ms();
    if (lane->in_flight || lane->look || !lane->worker->ours || lane->parts.count == 0 || now_ms - lane->heard_ms < QUIET_MS)
        return;
    lane->heard_ms = now_ms;
    enum store_answer answer = store_look(lane->store, &state, &err);
    if (answer != STORE_DONE || !stands_where_we_do(lane, &state)) {
        if (answer == STORE_DONE)
            error_set(&err, ERROR_STORE, "the store stands elsewhere than it did");
        lane_say_trouble(lane, "reading again from the store's positions", &err);
        lane_drop(lane);
        lane_hold(lane);
        lane->look_ms = 0;
    }
    store_state_clear(&state);
}

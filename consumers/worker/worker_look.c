#include "consumers/worker/worker_inside.h"

#include "common/clock.h"
#include "common/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    BACK_OFF_MAX_MS = 5000,
    QUIET_MS = 2000              /* with no batch for so long, the store is asked where it stands */
};

void worker_say_trouble(struct worker *w, const char *event, const struct error *err)
{
    if (strncmp(w->said, err->text, sizeof w->said - 1) == 0)
        return;
    snprintf(w->said, sizeof w->said, "%.*s", (int)sizeof w->said - 1, err->text);
    log_warning(event, log_s("why", err->text));
}

/* A partition's part cannot be taken out of the sums of all: what is not applied goes as a whole,
 * and every partition is read again from where the store says it stands. */
void worker_drop(struct worker *w)
{
    w->totals.dropped += w->in_flight || !tally_empty(w->tally);
    tally_reset(w->tally);
    parts_drop(&w->parts);
    w->in_flight = false;
    w->due_ms = 0;
    w->look = true;
}

static void look_later(struct worker *w)
{
    w->look = true;
    w->look_ms = clock_mono_ms() + w->back_off_ms;
    w->back_off_ms = w->back_off_ms * 2 < BACK_OFF_MAX_MS ? w->back_off_ms * 2 : BACK_OFF_MAX_MS;
}

void worker_drop_for_later(struct worker *w)
{
    worker_drop(w);
    broker_pause(w->broker);
    look_later(w);
}

const struct store_position *worker_position_of(const struct store_state *state,
                                                const struct part *part)
{
    for (size_t i = 0; i < state->position_count; i++)
        if (state->positions[i].topic == part->topic &&
            state->positions[i].partition == part->partition)
            return &state->positions[i];
    return NULL;
}

static void note_short_window(struct worker *w, const struct part *part, int64_t from)
{
    char field[300], text[64];
    struct error err;
    snprintf(field, sizeof field, "window:%s:%" PRId32, w->topics[part->topic], part->partition);
    snprintf(text, sizeof text, "%" PRId64 "-%" PRId64, from, part->stored.offset);
    log_warning("the log no longer holds all of the duplicate window",
                log_s("topic", w->topics[part->topic]), log_i("partition", part->partition),
                log_i("from", from), log_i("position", part->stored.offset));
    store_note_gap(w->store, field, text, &err);
}

static int place_part(struct worker *w, struct part *part, struct broker_place *place, bool *paused,
                      struct error *err)
{
    bool cut;
    const struct store_position *position = worker_position_of(&w->opening.state, part);
    if (!position)
        return error_set(err, ERROR_STORE, "the store has no position for %s partition %" PRId32,
                         w->topics[part->topic], part->partition);
    int64_t from = part_place(part, position, w->parts.window,
                              w->opening.log.starts[part->partition], &cut, err);
    if (from < 0)
        return -1;
    if (cut)
        note_short_window(w, part, from);
    if (w->targets)
        part->target = w->targets[part->partition];
    *paused = part->paused_until_ms > clock_mono_ms();
    /* The epoch belongs to the position: only there may the broker check the log against it. */
    *place = (struct broker_place){part->topic, part->partition,
                                   {from, from == position->at.offset ? position->at.epoch : -1}};
    return 0;
}

/* Reads every partition from its position in the store. */
static int place_parts(struct worker *w, struct error *err)
{
    int count = w->parts.count, rc = 0;
    struct broker_place *places = calloc((size_t)count + 1, sizeof *places);
    bool *paused = calloc((size_t)count + 1, sizeof *paused);
    if (!places || !paused)
        rc = error_memory(err);
    for (int i = 0; i < count && rc == 0; i++)
        rc = place_part(w, &w->parts.list[i], &places[i], &paused[i], err);
    if (rc == 0)
        rc = broker_assign(w->broker, places, paused, count, err);
    for (int i = 0; i < count && rc == 0; i++)
        log_info("reading", log_s("topic", w->topics[w->parts.list[i].topic]),
                 log_i("partition", w->parts.list[i].partition),
                 log_i("position", w->parts.list[i].stored.offset),
                 log_i("from", places[i].at.offset));
    free(places);
    free(paused);
    return rc;
}

/* Asks the store where everything stands, and reads on from there. Not now is fine: the loop goes
 * on polling, and tries again. -1: somebody must mend something. */
int worker_look(struct worker *w, struct error *err)
{
    enum store_answer answer = STORE_DONE;
    if (clock_mono_ms() < w->look_ms)
        return 0;
    w->totals.lookups++;
    if (!store_connected(w->store))
        answer = store_connect(w->store, err);
    if (answer == STORE_DONE)
        answer = opening_check(&w->opening, err);
    if (answer == STORE_BROKEN)
        return -1;
    if (answer != STORE_DONE) {
        worker_say_trouble(w, "waiting for the store", err);
        look_later(w);
        return 0;
    }
    w->fold.floor = w->opening.state.floor;
    if (place_parts(w, err) != 0) {
        if (!err->retry)
            return -1;
        worker_say_trouble(w, "waiting for kafka", err);
        parts_drop(&w->parts);
        look_later(w);
        return 0;
    }
    w->look = false;
    w->heard_ms = clock_mono_ms();
    return 0;
}

static bool stands_where_we_do(const struct worker *w, const struct store_state *state)
{
    if (!state->exists || strcmp(state->token, w->opening.state.token) != 0 ||
        state->floor != w->fold.floor)
        return false;
    for (int i = 0; i < w->parts.count; i++) {
        const struct part *part = &w->parts.list[i];
        const struct store_position *position = worker_position_of(state, part);
        if (part->reading && (!position || position->at.offset != part->stored.offset))
            return false;
    }
    return true;
}

/* Without traffic no compare would ever fail: a Redis that was emptied, set back or replaced while
 * the log is quiet is noticed by asking. */
void worker_ask_quiet_store(struct worker *w)
{
    struct error err = {0};
    struct store_state state = {.floor = STORE_NO_FLOOR};
    int64_t now_ms = clock_mono_ms();
    if (w->in_flight || w->look || !w->ours || w->parts.count == 0 || now_ms - w->heard_ms < QUIET_MS)
        return;
    w->heard_ms = now_ms;
    enum store_answer answer = store_look(w->store, &state, &err);
    if (answer != STORE_DONE || !stands_where_we_do(w, &state)) {
        if (answer == STORE_DONE)
            error_set(&err, ERROR_STORE, "the store stands elsewhere than it did");
        worker_say_trouble(w, "reading again from the store's positions", &err);
        worker_drop(w);
        broker_pause(w->broker);
        w->look_ms = 0;
    }
    store_state_clear(&state);
}

#include "consumers/worker.h"

#include "common/broker.h"
#include "common/clock.h"
#include "common/command.h"
#include "common/log.h"
#include "common/partitioner.h"
#include "common/random.h"
#include "common/store.h"
#include "consumers/deadletter.h"
#include "consumers/flush.h"
#include "consumers/gap.h"
#include "consumers/opening.h"
#include "consumers/parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    IMPOSSIBLE_MS = 30000,       /* an offset is refused for so long before it counts as gone: a
                                    new leader may trail for a while */
    IMPOSSIBLE_RETRY_MS = 1000,
    LATER_MS = 1000,             /* a batch is sent again for so long before it is dropped */
    BACK_OFF_MIN_MS = 100,
    BACK_OFF_MAX_MS = 5000,
    MOVED_PAUSE_MS = 1000,       /* pause of a partition that moved twice running, doubled to ... */
    MOVED_PAUSE_MAX_MS = 30000,
    HANDOVER_MS = 5000,          /* half of tandem's default session timeout */
    LETTER_WAIT_MS = 2000,       /* wait for dead letters before polling goes on without reading */
    ANSWER_WAIT_MS = 2,          /* a poll waits no longer while Redis is to answer */
    END_LOOK_MS = 500,           /* --exit-at-end: how often others' positions are read */
    QUIET_MS = 2000,             /* with no batch for so long, the store is asked where it stands */
    SCOPES_MAX = 500000          /* names kept for scopes before they are forgotten together */
};

struct worker {
    const struct config *config;
    const struct fold_kind *kind;
    struct worker_options options;
    const char *topics[1], *words[1];
    struct zone *zone;
    struct scopes *scopes;
    struct tally *tally;
    struct decoder *decoder;
    struct broker *broker;
    struct store *store;
    struct deadletters *letters;
    struct opening opening;
    struct fold fold;
    struct parts parts;

    struct batch batch;
    bool in_flight;              /* the batch is with Redis */
    int64_t heard_ms;            /* when the store last agreed with us */
    int64_t due_ms;              /* when what is folded should be applied; 0: nothing is folded */

    /* Not reading: partitions wait for a look at the store. */
    bool look;
    int64_t look_ms;             /* not before this */
    int64_t back_off_ms;
    char said[256];              /* the trouble already logged */

    int64_t *targets;            /* --exit-at-end: ends of all partitions at the start */
    int32_t target_count;
    int64_t end_look_ms;
    struct worker_totals totals;
};

/* ---- opening ---- */

/* Retries until the store can be used, as Kafka's and Redis' own waits do. */
static int wait_for_store(struct worker *w, struct error *err)
{
    int64_t begin_ms = clock_mono_ms(), pause_ms = BACK_OFF_MIN_MS;
    for (bool said = false;; said = true) {
        enum store_answer answer = STORE_DONE;
        if (!store_connected(w->store))
            answer = store_connect(w->store, err);
        if (answer == STORE_DONE)
            answer = opening_check(&w->opening, err);
        if (answer == STORE_DONE || answer == STORE_BROKEN)
            return answer == STORE_DONE ? 0 : -1;
        if (!said)
            log_warning("waiting for the store", log_s("redis", store_address(w->store)),
                        log_s("why", err->text));
        if (command_stopping())
            return error_set(err, ERROR_STOPPED, "stopped while waiting for the store at %s",
                             store_address(w->store));
        if (w->config->connect_timeout_ms &&
            clock_mono_ms() - begin_ms > w->config->connect_timeout_ms)
            return error_prefix(err, "gave up after %" PRId64 " ms",
                                w->config->connect_timeout_ms);
        clock_sleep_ms(pause_ms);
        pause_ms = pause_ms * 2 < BACK_OFF_MAX_MS ? pause_ms * 2 : BACK_OFF_MAX_MS;
    }
}

static int take_targets(struct worker *w, struct error *err)
{
    const struct broker_topic *log = &w->opening.log;
    w->targets = calloc((size_t)log->partitions, sizeof *w->targets);
    if (!w->targets)
        return error_memory(err);
    w->target_count = log->partitions;
    for (int32_t p = 0; p < log->partitions; p++)
        w->targets[p] = log->ends[p];
    return 0;
}

static int open_parts(struct worker *w, struct error *err)
{
    const struct config *c = w->config;
    w->topics[0] = w->kind->side == SIDE_SALE ? c->topics_sales : c->topics_service;
    w->words[0] = w->kind->name;
    if (zone_open(&w->zone, c->timezone, err) != 0 || scopes_open(&w->scopes, c->scopes, err) != 0 ||
        tally_open(&w->tally, &w->kind->layout, err) != 0 ||
        decoder_open(&w->decoder, c->type_prefix, err) != 0 ||
        store_open(&w->store, c, w->kind->name, w->words, 1, err) != 0 ||
        deadletters_open(&w->letters, c, err) != 0 ||
        broker_open(&w->broker, c, w->kind->name, w->topics, 1, err) != 0)
        return -1;
    w->parts.window = c->dedup_window;
    w->fold = (struct fold){w->kind, w->tally, w->scopes, w->zone, STORE_NO_FLOOR, 0};
    opening_init(&w->opening, c, w->broker, w->store, w->kind, w->zone);
    w->opening.accept_gap = w->options.accept_gap;
    return 0;
}

int worker_open(struct worker **out, const struct config *config, const struct fold_kind *kind,
                struct worker_options options, struct error *err)
{
    struct worker *w = calloc(1, sizeof *w);
    *out = NULL;
    if (!w)
        return error_memory(err);
    w->config = config;
    w->kind = kind;
    w->options = options;
    w->back_off_ms = BACK_OFF_MIN_MS;
    batch_init(&w->batch);
    if (open_parts(w, err) != 0 || broker_wait(w->broker, err) != 0 ||
        deadletters_wait(w->letters, err) != 0 || wait_for_store(w, err) != 0 ||
        (options.exit_at_end && take_targets(w, err) != 0)) {
        worker_free(w);
        return -1;
    }
    *out = w;
    return 0;
}

void worker_free(struct worker *worker)
{
    if (!worker)
        return;
    broker_free(worker->broker);
    parts_free(&worker->parts);
    batch_free(&worker->batch);
    opening_clear(&worker->opening);
    deadletters_free(worker->letters);
    store_free(worker->store);
    decoder_free(worker->decoder);
    tally_free(worker->tally);
    scopes_free(worker->scopes);
    zone_free(worker->zone);
    free(worker->targets);
    free(worker);
}

struct worker_totals worker_totals(const struct worker *worker)
{
    return worker->totals;
}

/* ---- dropping and looking ---- */

static void say_trouble(struct worker *w, const char *event, const struct error *err)
{
    if (strncmp(w->said, err->text, sizeof w->said - 1) == 0)
        return;
    snprintf(w->said, sizeof w->said, "%.*s", (int)sizeof w->said - 1, err->text);
    log_warning(event, log_s("why", err->text));
}

/* A partition's part cannot be taken out of the sums of all: what is not applied goes as a whole,
 * and every partition is read again from where the store says it stands. */
static void drop(struct worker *w)
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

static const struct store_position *position_of(const struct store_state *state,
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
    const struct store_position *position = position_of(&w->opening.state, part);
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
static int look(struct worker *w, struct error *err)
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
        say_trouble(w, "waiting for the store", err);
        look_later(w);
        return 0;
    }
    w->fold.floor = w->opening.state.floor;
    if (place_parts(w, err) != 0) {
        if (!err->retry)
            return -1;
        say_trouble(w, "waiting for kafka", err);
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
        const struct store_position *position = position_of(state, part);
        if (part->reading && (!position || position->at.offset != part->stored.offset))
            return false;
    }
    return true;
}

/* Without traffic no compare would ever fail: a Redis that was emptied, set back or replaced while
 * the log is quiet is noticed by asking. */
static void ask_quiet_store(struct worker *w)
{
    struct error err = {0};
    struct store_state state = {.floor = STORE_NO_FLOOR};
    int64_t now_ms = clock_mono_ms();
    if (w->in_flight || w->look || w->parts.count == 0 || now_ms - w->heard_ms < QUIET_MS)
        return;
    w->heard_ms = now_ms;
    enum store_answer answer = store_look(w->store, &state, &err);
    if (answer != STORE_DONE || !stands_where_we_do(w, &state)) {
        if (answer == STORE_DONE)
            error_set(&err, ERROR_STORE, "the store stands elsewhere than it did");
        say_trouble(w, "reading again from the store's positions", &err);
        drop(w);
        broker_pause(w->broker);
        w->look_ms = 0;
    }
    store_state_clear(&state);
}

/* ---- applying ---- */

static void count_batch(struct worker *w)
{
    w->heard_ms = clock_mono_ms();
    w->totals.batches++;
    w->totals.cells += (int64_t)w->batch.cell_count;
    w->back_off_ms = BACK_OFF_MIN_MS;
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
            part ? position_of(&w->opening.state, part) : NULL;
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
    say_trouble(w, "batch not applied; reading again", err);
    drop(w);
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
        say_trouble(w, "waiting for redis", err);
        drop(w);
        broker_pause(w->broker);
        look_later(w);
        return 0;
    case STORE_BROKEN:
        break;
    }
    return -1;
}

/* Sends the batch; as long as Redis says "later" the same batch goes again, for a second. */
static enum store_answer send_batch(struct worker *w, struct error *err)
{
    int64_t begin_ms = clock_mono_ms(), pause_ms = 10;
    for (;;) {
        enum store_answer answer = store_send(w->store, &w->batch, w->opening.state.token,
                                              w->fold.floor, err);
        if (answer != STORE_LATER || clock_mono_ms() - begin_ms > LATER_MS)
            return answer;
        clock_sleep_ms(pause_ms);
        pause_ms *= 2;
    }
}

/* Waits for the answer of the batch in flight; "later" sends it again, as send_batch() does. */
static int settle(struct worker *w, int64_t wait_ms, struct error *err)
{
    int64_t begin_ms = clock_mono_ms(), pause_ms = 10;
    if (!w->in_flight)
        return 0;
    for (;;) {
        enum store_answer answer = store_receive(w->store, wait_ms, err);
        if (answer != STORE_LATER || clock_mono_ms() - begin_ms > LATER_MS)
            return take_answer(w, answer, err);
        clock_sleep_ms(pause_ms);
        pause_ms *= 2;
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
    flush_tally(&w->fold, w->config->business, clock_wall_ms() / 1000, &w->batch);
    tally_reset(w->tally);
    w->due_ms = 0;
    if (scopes_count(w->scopes) > SCOPES_MAX)
        scopes_reset(w->scopes);
}

/* Brings what is folded into the store: sends it, and does not wait for the answer. `wait_ms`
 * bounds the waits for what must come first. */
static int flush(struct worker *w, int64_t wait_ms, struct error *err)
{
    if (settle(w, wait_ms, err) != 0)
        return -1;
    if (w->in_flight || w->look || !parts_dirty(&w->parts))
        return 0;
    if (!letters_settled(w, wait_ms < LETTER_WAIT_MS ? wait_ms : LETTER_WAIT_MS, err)) {
        say_trouble(w, "waiting for the topic of rejected records", err);
        drop(w);
        broker_pause(w->broker);
        look_later(w);
        return 0;
    }
    if (tally_failed(w->tally) || scopes_failed(w->scopes))
        return error_memory(err);
    build_batch(w);
    w->in_flight = true;
    enum store_answer answer = send_batch(w, err);
    return answer == STORE_PENDING ? 0 : take_answer(w, answer, err);
}

/* ---- folding ---- */

static bool misplaced(const struct worker *w, const struct record *record,
                      const struct event *event)
{
    struct text key = event_key(event);
    if (!record->key.at || !text_equal(record->key, key))
        return true;
    if (event->partitionkey.at && !text_equal(event->partitionkey, key))
        return true;
    return partition_of(record->key, w->opening.log.partitions) != record->partition;
}

static void fold_valid(struct worker *w, struct part *part, const struct record *record,
                       const struct event *event)
{
    if (seen_stage(part->seen, event_hash(event), record->offset)) {
        w->totals.duplicates++;
        fold_record(&w->fold, RECORD_DUPLICATES, record->timestamp_ms);
        return;
    }
    if (!fold_counts(&w->fold, event)) {
        fold_record(&w->fold, RECORD_BEFORE_FLOOR, record->timestamp_ms);
        return;
    }
    w->totals.counted++;
    fold_event(&w->fold, event);
    if (misplaced(w, record, event))
        fold_record(&w->fold, RECORD_MISPLACED, record->timestamp_ms);
}

static int reject(struct worker *w, const struct part *part, const struct record *record,
                  const struct rejection *why, struct error *err)
{
    w->totals.rejected++;
    fold_record(&w->fold, (enum record_field)why->reason, record->timestamp_ms);
    return deadletters_add(w->letters, w->topics[part->topic], record, why, err);
}

static int count_record(struct worker *w, struct part *part, const struct record *record,
                        struct error *err)
{
    struct event event;
    struct rejection why;
    w->totals.records++;
    switch (decoder_decode(w->decoder, record, w->kind->side, &event, &why)) {
    case VERDICT_VALID:
        fold_valid(w, part, record, &event);
        return 0;
    case VERDICT_IGNORED:
        w->totals.ignored++;
        fold_record(&w->fold, RECORD_IGNORED, record->timestamp_ms);
        return 0;
    case VERDICT_TOMBSTONE:
        w->totals.tombstones++;
        fold_record(&w->fold, RECORD_TOMBSTONES, record->timestamp_ms);
        return 0;
    case VERDICT_REJECTED:
        break;
    }
    return reject(w, part, record, &why, err);
}

/* Below the position a record only tells the window what was there. */
static void fill_window(struct worker *w, struct part *part, const struct record *record)
{
    struct event event;
    struct rejection why;
    if (record->offset >= part->begin &&
        decoder_decode(w->decoder, record, w->kind->side, &event, &why) == VERDICT_VALID)
        seen_fill(part->seen, event_hash(&event), record->offset);
    part->next = record->offset + 1;
}

static bool full(const struct worker *w)
{
    return tally_cells(w->tally) >= (size_t)w->config->flush_cells || tally_full(w->tally) ||
           deadletters_full(w->letters);
}

static int fold_one(struct worker *w, struct part *part, const struct record *record,
                    struct error *err)
{
    if (count_record(w, part, record, err) != 0) {
        if (!err->retry)
            return -1;
        say_trouble(w, "waiting for the topic of rejected records", err);
        drop(w);
        broker_pause(w->broker);
        look_later(w);
        return 0;
    }
    part->folded = (struct place){record->offset + 1, record->leader_epoch};
    part->next = record->offset + 1;
    part->impossible_ms = 0;
    if (!w->due_ms)
        w->due_ms = clock_mono_ms() + w->config->flush_ms;
    return full(w) ? flush(w, w->config->redis_timeout_ms, err) : 0;
}

static int take_record(struct worker *w, struct part *part, const struct record *record,
                       struct error *err)
{
    if (record->offset < part->next)
        return 0;
    if (record->offset < part->stored.offset) {
        fill_window(w, part, record);
        return 0;
    }
    while (part->reading && !seen_room(part->seen, record->offset)) {
        if (!parts_dirty(&w->parts) && !w->in_flight) {
            /* A gap of the log wider than the ring: there is nothing to apply before it. */
            seen_commit(part->seen, record->offset);
            break;
        }
        if (flush(w, w->config->redis_timeout_ms, err) != 0 ||
            settle(w, w->config->redis_timeout_ms, err) != 0)
            return -1;
    }
    return part->reading ? fold_one(w, part, record, err) : 0;
}

/* The log has refused the position for long enough. */
static int gone(struct worker *w, struct part *part, const char *text, struct error *err)
{
    const char *topic = w->topics[part->topic];
    if (broker_describe(w->broker, topic, &w->opening.log, err) != 0)
        return err->retry ? 0 : -1;
    if (w->options.accept_gap) {
        enum store_answer answer = gap_step_over(&w->opening, part->partition, err);
        part->impossible_ms = 0;
        return answer == STORE_BROKEN ? -1 : 0;
    }
    return error_set(err, ERROR_LOG,
                     "%s partition %" PRId32 ": the store stands at offset %" PRId64 ", the log "
                     "holds %" PRId64 " to %" PRId64 ": %s; what lies between is lost (retention, "
                     "or an unclean election); --accept-gap goes on without it and says so in "
                     "every report",
                     topic, part->partition, part->stored.offset,
                     w->opening.log.starts[part->partition], w->opening.log.ends[part->partition],
                     text);
}

static int impossible(struct worker *w, struct part *part, const char *text, struct error *err)
{
    int64_t now_ms = clock_mono_ms();
    struct error why;
    if (!part->impossible_ms)
        part->impossible_ms = now_ms;
    error_set(&why, ERROR_LOG, "%s partition %" PRId32 ": offset %" PRId64 ": %s",
              w->topics[part->topic], part->partition, part->stored.offset, text);
    say_trouble(w, "the log does not give what the store expects", &why);
    if (now_ms - part->impossible_ms >= IMPOSSIBLE_MS && gone(w, part, text, err) != 0)
        return -1;
    drop(w);
    broker_pause(w->broker);
    w->look_ms = now_ms + IMPOSSIBLE_RETRY_MS;
    return 0;
}

static int take_end(struct worker *w, struct part *part, int64_t offset, struct error *err)
{
    if (offset < part->stored.offset)
        return impossible(w, part, "the log ends before it", err);
    part->impossible_ms = 0;
    if (offset > part->next)
        part->next = offset;
    /* Behind the last record there may be control records: the position passes them too. */
    if (offset > part->folded.offset) {
        part->folded.offset = offset;
        if (!w->due_ms)
            w->due_ms = clock_mono_ms() + w->config->flush_ms;
    }
    return 0;
}

static int take_item(struct worker *w, const struct broker_item *item, struct error *err)
{
    struct part *part = parts_find(&w->parts, item->topic, item->partition);
    if (!part || !part->reading)
        return 0;
    switch (item->what) {
    case BROKER_RECORD:
        return take_record(w, part, &item->record, err);
    case BROKER_END:
        return take_end(w, part, item->offset, err);
    case BROKER_IMPOSSIBLE:
        return impossible(w, part, item->text, err);
    case BROKER_TRUNCATED:
        part->impossible_ms = clock_mono_ms() - IMPOSSIBLE_MS; /* the broker is sure of it */
        return impossible(w, part, item->text, err);
    }
    return 0;
}

/* ---- rebalances ---- */

static int take_assigned(struct worker *w, const struct broker_place *places, int count,
                         struct error *err)
{
    log_info("partitions assigned", log_i("count", count));
    if (parts_take(&w->parts, places, count, err) != 0)
        return -1;
    drop(w);
    w->look_ms = 0;
    if (look(w, err) != 0)
        return -1;
    /* Redis is away: the group gets its answer now, reading begins when the store was seen. */
    if (w->look) {
        struct broker_place *waiting = calloc((size_t)count + 1, sizeof *waiting);
        bool *paused = calloc((size_t)count + 1, sizeof *paused);
        int rc = waiting && paused ? 0 : error_memory(err);
        for (int i = 0; i < count && rc == 0; i++) {
            waiting[i] = (struct broker_place){places[i].topic, places[i].partition, {0, -1}};
            paused[i] = true;
        }
        if (rc == 0)
            rc = broker_assign(w->broker, waiting, paused, count, err);
        free(waiting);
        free(paused);
        return rc;
    }
    return 0;
}

/* Half the session timeout: longer, and the group gives the partitions away meanwhile. */
static int64_t handover_ms(const struct worker *w)
{
    for (size_t i = 0; i < w->config->kafka_count; i++)
        if (strcmp(w->config->kafka[i].name, "session.timeout.ms") == 0)
            return strtoll(w->config->kafka[i].value, NULL, 10) / 2;
    return HANDOVER_MS;
}

static int apply_all(struct worker *w, int64_t wait_ms, struct error *err)
{
    int64_t end_ms = clock_mono_ms() + wait_ms;
    while (!w->look && (w->in_flight || parts_dirty(&w->parts))) {
        int64_t left_ms = end_ms - clock_mono_ms();
        if (left_ms <= 0)
            return 0;
        if (flush(w, left_ms, err) != 0)
            return -1;
    }
    return 0;
}

static int take_change(struct worker *w, struct error *err)
{
    const struct broker_place *places;
    int count, rc = 0;
    enum broker_change change = broker_change(w->broker, &places, &count);
    if (change == BROKER_STAYS)
        return 0;
    w->totals.rebalances++;
    if (change == BROKER_ASSIGNED)
        return take_assigned(w, places, count, err);
    log_info(change == BROKER_LOST ? "partitions lost" : "partitions revoked",
             log_i("count", count));
    if (change == BROKER_REVOKED)
        rc = apply_all(w, handover_ms(w), err);
    drop(w);
    w->look = false;
    return rc == 0 ? broker_unassign(w->broker, err) : rc;
}

/* ---- the loop ---- */

static bool own_at_end(const struct worker *w)
{
    for (int i = 0; i < w->parts.count; i++) {
        const struct part *part = &w->parts.list[i];
        if (!part->reading || part->stored.offset < part->target)
            return false;
    }
    return true;
}

/* --exit-at-end: everything is counted when every partition's position in the store has reached
 * its target, also of those that others read. */
static bool all_at_end(struct worker *w)
{
    struct error ignored;
    struct store_state state = {0};
    int64_t now_ms = clock_mono_ms();
    bool done = true;
    if (w->in_flight || w->look || !own_at_end(w) || now_ms < w->end_look_ms)
        return false;
    w->end_look_ms = now_ms + END_LOOK_MS;
    if (store_look(w->store, &state, &ignored) != STORE_DONE || !state.exists)
        done = false;
    for (size_t i = 0; i < state.position_count && done; i++)
        done = state.positions[i].partition < w->target_count &&
               state.positions[i].at.offset >= w->targets[state.positions[i].partition];
    store_state_clear(&state);
    return done;
}

static bool pause_over(const struct worker *w)
{
    for (int i = 0; i < w->parts.count; i++)
        if (w->parts.list[i].paused_until_ms &&
            w->parts.list[i].paused_until_ms <= clock_mono_ms())
            return true;
    return false;
}

static int64_t poll_wait(const struct worker *w, int64_t wait_ms)
{
    int64_t wait = wait_ms;
    if (w->in_flight)
        return wait < ANSWER_WAIT_MS ? wait : ANSWER_WAIT_MS;
    if (w->due_ms) {
        int64_t left_ms = w->due_ms - clock_mono_ms();
        if (left_ms < wait)
            wait = left_ms > 0 ? left_ms : 0;
    }
    return wait;
}

static int step(struct worker *w, int64_t wait_ms, struct error *err)
{
    struct broker_item item;
    if (settle(w, 0, err) != 0)
        return -1;
    if (w->look && w->parts.count && look(w, err) != 0)
        return -1;
    if (!w->look && pause_over(w)) {
        for (int i = 0; i < w->parts.count; i++)
            w->parts.list[i].paused_until_ms = 0;
        if (apply_all(w, w->config->redis_timeout_ms, err) != 0)
            return -1;
        drop(w);
    }
    ask_quiet_store(w);
    w->fold.hours_from_s = clock_wall_ms() / 1000;
    broker_poll(w->broker, poll_wait(w, wait_ms));
    while (broker_next(w->broker, &item))
        if (take_item(w, &item, err) != 0)
            return -1;
    if (take_change(w, err) != 0)
        return -1;
    if (w->due_ms && clock_mono_ms() >= w->due_ms && !w->in_flight)
        return flush(w, w->config->redis_timeout_ms, err);
    return 0;
}

enum worker_turn worker_step(struct worker *worker, int64_t wait_ms, struct error *err)
{
    if (step(worker, wait_ms, err) != 0)
        return WORKER_FAILED;
    return worker->targets && all_at_end(worker) ? WORKER_DONE : WORKER_GOES_ON;
}

void worker_stop(struct worker *worker, int64_t wait_ms)
{
    struct error err;
    if (apply_all(worker, wait_ms, &err) != 0)
        log_warning("the last sums were not applied; the next worker counts them",
                    log_s("why", err.text));
    drop(worker);
}

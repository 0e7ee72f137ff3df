#include "consumers/worker/lane.h"

#include "common/clock.h"
#include "common/command.h"
#include "common/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    BACK_OFF_MAX_MS = 5000,
    HANDOVER_MS = 5000,          /* half of tandem's default session timeout */
    ANSWER_WAIT_MS = 2,          /* a poll waits no longer while Redis is to answer */
    END_LOOK_MS = 500            /* --exit-at-end: how often others' positions are read */
};

static struct lane *next_lane(const struct worker *w, struct lane *lane)
{
    return lane + 1 < w->lanes + w->lane_count ? lane + 1 : NULL;
}

#define EACH_LANE(w, lane) struct lane *lane = (w)->lanes; lane; lane = next_lane(w, lane)

/* ---- opening ---- */

static enum store_answer try_store(struct lane *lane, struct error *err)
{
    enum store_answer answer = STORE_DONE;
    if (!store_connected(lane->store))
        answer = store_connect(lane->store, err);
    return answer == STORE_DONE ? opening_check(&lane->opening, err) : answer;
}

/* One store that can be used is enough to begin. STORE_BROKEN: one of them never can. */
static enum store_answer try_stores(struct worker *w, struct error *err)
{
    enum store_answer best = STORE_LATER;
    struct error trouble = {0};
    for (EACH_LANE(w, lane)) {
        enum store_answer answer = try_store(lane, &trouble);
        if (answer == STORE_DONE)
            best = STORE_DONE;
        else
            *err = trouble;
        if (answer == STORE_BROKEN)
            return STORE_BROKEN;
    }
    return best;
}

struct patience {
    int64_t begin_ms, pause_ms;
};

static struct patience patience_begin(void)
{
    return (struct patience){clock_mono_ms(), LANE_BACK_OFF_MIN_MS};
}

/* Waits before another try. -1: it has been long enough, or a signal asked to stop; err, which said
 * what the wait is for, says so. */
static int wait_a_little(const struct worker *w, struct patience *patience, const char *what,
                         struct error *err)
{
    if (command_stopping())
        return error_set(err, ERROR_STOPPED, "stopped while waiting for %s", what);
    if (w->config->connect_timeout_ms &&
        clock_mono_ms() - patience->begin_ms > w->config->connect_timeout_ms)
        return error_prefix(err, "gave up after %" PRId64 " ms", w->config->connect_timeout_ms);
    clock_sleep_ms(patience->pause_ms);
    patience->pause_ms =
        patience->pause_ms * 2 < BACK_OFF_MAX_MS ? patience->pause_ms * 2 : BACK_OFF_MAX_MS;
    return 0;
}

/* Retries until a store can be used, as Kafka's and Redis' own waits do. */
static int wait_for_store(struct worker *w, struct error *err)
{
    struct patience patience = patience_begin();
    const char *address = store_address(w->lanes->store);
    char what[300];
    snprintf(what, sizeof what, "the store at %s", address);
    for (bool said = false;; said = true) {
        enum store_answer answer = try_stores(w, err);
        if (answer == STORE_DONE || answer == STORE_BROKEN)
            return answer == STORE_DONE ? 0 : -1;
        if (!said)
            log_warning("waiting for the store", log_s("redis", address), log_s("why", err->text));
        if (wait_a_little(w, &patience, what, err) != 0)
            return -1;
    }
}

static int take_targets(struct worker *w, struct error *err)
{
    for (int t = 0; t < w->kind->topic_count; t++) {
        struct broker_topic log = {0};
        if (broker_describe(w->broker, w->topics[t], &log, err) != 0)
            return -1;
        free(w->targets[t]);
        w->targets[t] = calloc((size_t)log.partitions, sizeof *w->targets[t]);
        w->target_count = log.partitions;
        for (int32_t p = 0; p < log.partitions && w->targets[t]; p++)
            w->targets[t][p] = log.ends[p];
        broker_topic_clear(&log);
        if (!w->targets[t])
            return error_memory(err);
    }
    return 0;
}

/* Kafka may go away between its first answer and this one. */
static int wait_for_targets(struct worker *w, struct error *err)
{
    struct patience patience = patience_begin();
    for (bool said = false;; said = true) {
        if (take_targets(w, err) == 0)
            return 0;
        if (!err->retry)
            return -1;
        if (!said)
            log_warning("waiting for the log", log_s("why", err->text));
        if (wait_a_little(w, &patience, "the log", err) != 0)
            return -1;
    }
}

static int open_lane(struct worker *w, struct lane *lane, int number, struct error *err)
{
    const struct config *c = w->config;
    const char *generation = w->options.rebuild ? STORE_REBUILD : "";
    struct store_kind store = {.name = w->kind->name,
                               .words = w->words,
                               .word_count = w->kind->topic_count,
                               .generation = generation,
                               .shard = number,
                               .shards = w->kind->sharded ? w->lane_count : 0};
    lane->worker = w;
    lane->number = number;
    lane->back_off_ms = LANE_BACK_OFF_MIN_MS;
    lane->parts.window = c->dedup_window;
    if (store_open(&lane->store, c, &store, err) != 0)
        return -1;
    lane->place = (struct kind_lane){.config = c, .zone = w->zone, .decoder = w->decoder,
                                     .store = lane->store};
    kind_prefix(w->kind, c, generation, number, lane->place.prefix, sizeof lane->place.prefix);
    opening_init(&lane->opening, c, w->broker, lane->store, w->kind, w->zone);
    lane->opening.shard = store.shard;
    lane->opening.shards = store.shards;
    lane->opening.accept_gap = w->options.accept_gap;
    return w->kind->open(&lane->own, &lane->place, err);
}

static int open_lanes(struct worker *w, struct error *err)
{
    int count = w->kind->sharded ? (int)w->config->ledger_shards : 1;
    w->lanes = calloc((size_t)count, sizeof *w->lanes);
    if (!w->lanes)
        return error_memory(err);
    w->lane_count = count;
    for (EACH_LANE(w, lane))
        batch_init(&lane->batch);
    for (int i = 0; i < count; i++)
        if (open_lane(w, &w->lanes[i], i, err) != 0)
            return -1;
    return 0;
}

static int open_parts(struct worker *w, struct error *err)
{
    const struct config *c = w->config;
    char group[64];
    for (int t = 0; t < w->kind->topic_count; t++) {
        w->topics[t] = kind_topic(c, w->kind->sides[t]);
        w->words[t] = kind_word(w->kind->sides[t]);
    }
    snprintf(group, sizeof group, "%s%s", w->kind->name, w->options.rebuild ? ".rebuild" : "");
    if (zone_open(&w->zone, c->timezone, err) != 0 ||
        decoder_open(&w->decoder, c->type_prefix, err) != 0 ||
        (w->kind->letters && deadletters_open(&w->letters, c, err) != 0) ||
        broker_open(&w->broker, c, group, w->topics, w->kind->topic_count, err) != 0)
        return -1;
    return open_lanes(w, err);
}

int worker_open(struct worker **out, const struct config *config, const struct kind *kind,
                struct worker_options options, struct error *err)
{
    struct worker *w = calloc(1, sizeof *w);
    *out = NULL;
    if (!w)
        return error_memory(err);
    w->config = config;
    w->kind = kind;
    w->options = options;
    if (open_parts(w, err) != 0 || broker_wait(w->broker, err) != 0 ||
        (w->letters && deadletters_wait(w->letters, err) != 0) || wait_for_store(w, err) != 0 ||
        (options.exit_at_end && wait_for_targets(w, err) != 0)) {
        worker_free(w);
        return -1;
    }
    *out = w;
    return 0;
}

static void free_lane(const struct worker *w, struct lane *lane)
{
    parts_free(&lane->parts);
    batch_free(&lane->batch);
    opening_clear(&lane->opening);
    w->kind->free(lane->own);
    store_free(lane->store);
}

void worker_free(struct worker *worker)
{
    if (!worker)
        return;
    broker_free(worker->broker);
    for (EACH_LANE(worker, lane))
        free_lane(worker, lane);
    free(worker->lanes);
    deadletters_free(worker->letters);
    decoder_free(worker->decoder);
    zone_free(worker->zone);
    for (int t = 0; t < STORE_TOPICS_MAX; t++)
        free(worker->targets[t]);
    free(worker);
}

struct worker_totals worker_totals(const struct worker *worker)
{
    return worker->totals;
}

/* ---- what is read ---- */

static int32_t count_parts(const struct worker *w)
{
    int32_t count = 0;
    for (EACH_LANE(w, lane))
        count += lane->parts.count;
    return count;
}

/* The epoch belongs to the last record folded: only there may the broker check the log against it. */
static struct broker_place place_of(const struct lane *lane, const struct part *part, bool *paused)
{
    *paused = lane->look || part->paused_until_ms > clock_mono_ms();
    if (lane->look)
        return (struct broker_place){part->topic, part->partition, {0, -1}};
    return (struct broker_place){
        part->topic, part->partition,
        {part->next, part->next == part->folded.offset ? part->folded.epoch : -1}};
}

int worker_assign(struct worker *w, struct error *err)
{
    size_t room = (size_t)count_parts(w) + 1;
    struct broker_place *places = calloc(room, sizeof *places);
    bool *paused = calloc(room, sizeof *paused);
    int count = 0, rc = places && paused ? 0 : error_memory(err);
    for (EACH_LANE(w, lane))
        for (int i = 0; i < lane->parts.count && rc == 0; i++, count++)
            places[count] = place_of(lane, &lane->parts.list[i], &paused[count]);
    if (rc == 0)
        rc = broker_assign(w->broker, places, paused, count, err);
    if (rc == 0)
        w->assign = false;
    free(places);
    free(paused);
    return rc;
}

/* Kafka cannot just now: everything waits for another look. */
static int assign_or_wait(struct worker *w, struct error *err)
{
    if (!w->assign || worker_assign(w, err) == 0)
        return 0;
    if (!err->retry)
        return -1;
    for (EACH_LANE(w, lane)) {
        lane_say_trouble(lane, "waiting for kafka", err);
        lane_drop_for_later(lane);
    }
    return 0;
}

static int look_all(struct worker *w, struct error *err)
{
    for (EACH_LANE(w, lane)) {
        watch_beat(w->options.watch); /* each may wait as long as redis.timeout */
        if (lane->look && lane->parts.count && lane_look(lane, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- rebalances ---- */

/* The partitions of one lane, of those that the group gave. */
static int take_places(struct lane *lane, const struct broker_place *places, int count,
                       struct error *err)
{
    struct broker_place *own = calloc((size_t)count + 1, sizeof *own);
    int own_count = 0, rc = own ? 0 : error_memory(err);
    for (int i = 0; i < count && rc == 0; i++)
        if (places[i].partition % lane->worker->lane_count == lane->number)
            own[own_count++] = places[i];
    if (rc == 0)
        rc = parts_take(&lane->parts, own, own_count, err);
    free(own);
    return rc;
}

static int take_assigned(struct worker *w, const struct broker_place *places, int count,
                         struct error *err)
{
    log_info("partitions assigned", log_i("count", count));
    for (EACH_LANE(w, lane)) {
        if (take_places(lane, places, count, err) != 0)
            return -1;
        lane_drop(lane);
        lane->look_ms = 0;
    }
    w->ours = true;
    if (look_all(w, err) != 0)
        return -1;
    /* Also when Redis or Kafka is away: the group gets its answer now, reading begins when the store
     * was seen. */
    w->assign = true;
    if (assign_or_wait(w, err) != 0)
        return -1;
    return w->assign ? worker_assign(w, err) : 0;
}

/* Half the session timeout: longer, and the group gives the partitions away meanwhile. */
static int64_t handover_ms(const struct worker *w)
{
    for (size_t i = 0; i < w->config->kafka_count; i++)
        if (strcmp(w->config->kafka[i].name, "session.timeout.ms") == 0)
            return strtoll(w->config->kafka[i].value, NULL, 10) / 2;
    return HANDOVER_MS;
}

/* Applies what every lane has folded, within `wait_ms` in all. */
static int apply_all(struct worker *w, int64_t wait_ms, struct error *err)
{
    int64_t end_ms = clock_mono_ms() + wait_ms;
    for (EACH_LANE(w, lane)) {
        int64_t left_ms = end_ms - clock_mono_ms();
        if (left_ms > 0 && lane_apply_all(lane, left_ms, err) != 0)
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
    for (EACH_LANE(w, lane)) {
        lane_drop(lane);
        lane->look = false;
        lane->stalled_ms = 0;
    }
    w->ours = w->assign = false;
    return rc == 0 ? broker_unassign(w->broker, err) : rc;
}

/* ---- the loop ---- */

/* A position beyond the end that the log has would be an end, too: so the log is heard first. */
static bool own_at_end(const struct lane *lane)
{
    for (int i = 0; i < lane->parts.count; i++) {
        const struct part *part = &lane->parts.list[i];
        if (!part->reading || !part->confirmed || part->stored.offset < part->target)
            return false;
    }
    return !lane->in_flight && !(lane->look && lane->parts.count);
}

static bool store_at_end(struct lane *lane)
{
    struct worker *w = lane->worker;
    struct error ignored;
    struct store_state state = {0};
    bool done = store_connected(lane->store) || store_connect(lane->store, &ignored) == STORE_DONE;
    done = done && store_look(lane->store, &state, &ignored) == STORE_DONE && state.exists;
    for (size_t i = 0; i < state.position_count && done; i++) {
        const struct store_position *position = &state.positions[i];
        done = position->partition < w->target_count &&
               position->at.offset >= w->targets[position->topic][position->partition];
    }
    store_state_clear(&state);
    return done;
}

/* --exit-at-end: everything is counted when every partition's position in the store has reached
 * its target, also of those that others read. */
static bool all_at_end(struct worker *w)
{
    int64_t now_ms = clock_mono_ms();
    bool done = true;
    for (EACH_LANE(w, lane))
        if (!own_at_end(lane))
            return false;
    if (now_ms < w->end_look_ms)
        return false;
    w->end_look_ms = now_ms + END_LOOK_MS;
    for (EACH_LANE(w, lane))
        done = done && store_at_end(lane);
    return done;
}

static bool pause_over(const struct lane *lane)
{
    for (int i = 0; i < lane->parts.count && lane->worker->ours; i++)
        if (lane->parts.list[i].paused_until_ms &&
            lane->parts.list[i].paused_until_ms <= clock_mono_ms())
            return true;
    return false;
}

/* Partitions that were left alone for a while are read again, with the lane's others. */
static int end_pauses(struct lane *lane, struct error *err)
{
    if (lane->look || !pause_over(lane))
        return 0;
    for (int i = 0; i < lane->parts.count; i++)
        lane->parts.list[i].paused_until_ms = 0;
    if (lane_apply_all(lane, lane->worker->config->redis_timeout_ms, err) != 0)
        return -1;
    lane_drop(lane);
    return 0;
}

static int64_t poll_wait(const struct worker *w, int64_t wait_ms)
{
    int64_t wait = wait_ms;
    for (EACH_LANE(w, lane)) {
        int64_t left_ms = lane->in_flight ? ANSWER_WAIT_MS
                          : lane->due_ms  ? lane->due_ms - clock_mono_ms() : wait;
        if (left_ms < wait)
            wait = left_ms > 0 ? left_ms : 0;
    }
    return wait;
}

static int take_polled(struct worker *w, struct error *err)
{
    struct broker_item item;
    while (broker_next(w->broker, &item))
        if (item.what == BROKER_REFUSED)
            return error_set(err, ERROR_KAFKA, "%s", item.text);
        else if (lane_take_item(&w->lanes[item.partition % w->lane_count], &item, err) != 0)
            return -1;
    return 0;
}

/* Before the poll: answers of the store, and where to read from. */
static int look_around(struct worker *w, struct error *err)
{
    for (EACH_LANE(w, lane))
        if (lane_settle(lane, 0, err) != 0)
            return -1;
    if (w->ours && look_all(w, err) != 0)
        return -1;
    for (EACH_LANE(w, lane))
        if (end_pauses(lane, err) != 0)
            return -1;
    if (w->ours && assign_or_wait(w, err) != 0)
        return -1;
    for (EACH_LANE(w, lane)) {
        lane_ask_quiet_store(lane);
        lane->place.now_s = clock_wall_ms() / 1000;
    }
    return 0;
}

static int step(struct worker *w, int64_t wait_ms, struct error *err)
{
    if (look_around(w, err) != 0)
        return -1;
    broker_poll(w->broker, poll_wait(w, wait_ms));
    if (take_polled(w, err) != 0 || take_change(w, err) != 0)
        return -1;
    for (EACH_LANE(w, lane))
        if (lane->due_ms && clock_mono_ms() >= lane->due_ms && !lane->in_flight &&
            lane_flush(lane, w->config->redis_timeout_ms, err) != 0)
            return -1;
    return 0;
}

enum worker_turn worker_step(struct worker *worker, int64_t wait_ms, struct error *err)
{
    watch_beat(worker->options.watch);
    if (step(worker, wait_ms, err) != 0)
        return WORKER_FAILED;
    watch_turn(worker->options.watch, worker);
    return worker->targets[0] && all_at_end(worker) ? WORKER_DONE : WORKER_GOES_ON;
}

void worker_stop(struct worker *worker, int64_t wait_ms)
{
    struct error err;
    if (apply_all(worker, wait_ms, &err) != 0)
        log_warning("the last sums were not applied; the next worker counts them",
                    log_s("why", err.text));
    for (EACH_LANE(worker, lane))
        lane_drop(lane);
}

#include "consumers/worker/worker_inside.h"

#include "common/clock.h"
#include "common/command.h"
#include "common/log.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    BACK_OFF_MAX_MS = 5000,
    HANDOVER_MS = 5000,          /* half of tandem's default session timeout */
    ANSWER_WAIT_MS = 2,          /* a poll waits no longer while Redis is to answer */
    END_LOOK_MS = 500            /* --exit-at-end: how often others' positions are read */
};
/* ---- opening ---- */

/* Retries until the store can be used, as Kafka's and Redis' own waits do. */
static int wait_for_store(struct worker *w, struct error *err)
{
    int64_t begin_ms = clock_mono_ms(), pause_ms = WORKER_BACK_OFF_MIN_MS;
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
    const char *generation = w->options.rebuild ? STORE_REBUILD : "";
    char group[64];
    w->topics[0] = w->kind->side == SIDE_SALE ? c->topics_sales : c->topics_service;
    w->words[0] = w->kind->name;
    snprintf(w->prefix, sizeof w->prefix, "tandem:{%s}:%s", c->business, generation);
    snprintf(group, sizeof group, "%s%s", w->kind->name, w->options.rebuild ? ".rebuild" : "");
    if (zone_open(&w->zone, c->timezone, err) != 0 || scopes_open(&w->scopes, c->scopes, err) != 0 ||
        tally_open(&w->tally, &w->kind->layout, err) != 0 ||
        decoder_open(&w->decoder, c->type_prefix, err) != 0 ||
        store_open(&w->store, c, generation, w->kind->name, w->words, 1, err) != 0 ||
        deadletters_open(&w->letters, c, err) != 0 ||
        broker_open(&w->broker, c, group, w->topics, 1, err) != 0)
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
    w->back_off_ms = WORKER_BACK_OFF_MIN_MS;
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

/* ---- rebalances ---- */

static int take_assigned(struct worker *w, const struct broker_place *places, int count,
                         struct error *err)
{
    log_info("partitions assigned", log_i("count", count));
    if (parts_take(&w->parts, places, count, err) != 0)
        return -1;
    worker_drop(w);
    w->ours = true;
    w->look_ms = 0;
    if (worker_look(w, err) != 0)
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
        rc = worker_apply_all(w, handover_ms(w), err);
    worker_drop(w);
    w->look = w->ours = false;
    return rc == 0 ? broker_unassign(w->broker, err) : rc;
}

/* ---- the loop ---- */

/* A position beyond the end that the log has would be an end, too: so the log is heard first. */
static bool own_at_end(const struct worker *w)
{
    for (int i = 0; i < w->parts.count; i++) {
        const struct part *part = &w->parts.list[i];
        if (!part->reading || !part->confirmed || part->stored.offset < part->target)
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
    for (int i = 0; i < w->parts.count && w->ours; i++)
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
    if (worker_settle(w, 0, err) != 0)
        return -1;
    if (w->look && w->ours && w->parts.count && worker_look(w, err) != 0)
        return -1;
    if (!w->look && pause_over(w)) {
        for (int i = 0; i < w->parts.count; i++)
            w->parts.list[i].paused_until_ms = 0;
        if (worker_apply_all(w, w->config->redis_timeout_ms, err) != 0)
            return -1;
        worker_drop(w);
    }
    worker_ask_quiet_store(w);
    w->fold.hours_from_s = clock_wall_ms() / 1000;
    broker_poll(w->broker, poll_wait(w, wait_ms));
    while (broker_next(w->broker, &item))
        if (worker_take_item(w, &item, err) != 0)
            return -1;
    if (take_change(w, err) != 0)
        return -1;
    if (w->due_ms && clock_mono_ms() >= w->due_ms && !w->in_flight)
        return worker_flush(w, w->config->redis_timeout_ms, err);
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
    if (worker_apply_all(worker, wait_ms, &err) != 0)
        log_warning("the last sums were not applied; the next worker counts them",
                    log_s("why", err.text));
    worker_drop(worker);
}

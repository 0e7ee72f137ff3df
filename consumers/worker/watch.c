#include "consumers/worker/watch.h"

#include "common/clock.h"
#include "common/kafka.h"
#include "common/process.h"
#include "consumers/worker/lag.h"
#include "consumers/worker/lane.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    COPY_EVERY_MS = 100,
    TURN_MAX_MS = 30000,        /* and twice redis.timeout: a loop without a turn for longer hangs */
    PATIENCE_MS = 15000         /* a partition behind that does not move for longer is not ready */
};

const struct exposition_bounds watch_ms_bounds = {
    13, {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000}};
const struct exposition_bounds watch_cell_bounds = {
    10, {1, 10, 50, 100, 250, 500, 1000, 2000, 4000, 5000}};

struct watch_part {
    int topic;
    int32_t partition;
    bool refused;
    int64_t position;
    struct lag lag;
};

struct watch_shard {
    int64_t stalled_ms; /* since when; 0: it counts */
};

struct watch {
    const struct config *config;
    const struct kind *kind;
    _Atomic int64_t beat_ms;
    int64_t copied_ms;          /* the worker's thread only */
    pthread_mutex_t lock;       /* what follows */
    bool opened, ours;
    struct worker_totals totals;
    struct worker_spans spans;
    struct watch_part *parts;
    int part_count;
    struct watch_shard shards[64];
    int shard_count;
};

int watch_open(struct watch **out, const struct config *config, const struct kind *kind,
               struct error *err)
{
    struct watch *w = calloc(1, sizeof *w);
    *out = w;
    if (!w)
        return error_memory(err);
    w->config = config;
    w->kind = kind;
    w->beat_ms = clock_mono_ms();
    pthread_mutex_init(&w->lock, NULL);
    return 0;
}

void watch_free(struct watch *watch)
{
    if (!watch)
        return;
    pthread_mutex_destroy(&watch->lock);
    free(watch->parts);
    free(watch);
}

/* ---- the worker's thread ---- */

void watch_beat(struct watch *watch)
{
    if (watch)
        atomic_store_explicit(&watch->beat_ms, clock_mono_ms(), memory_order_relaxed);
}

static int count_parts(const struct worker *worker)
{
    int count = 0;
    for (int i = 0; i < worker->lane_count; i++)
        count += worker->lanes[i].parts.count;
    return count;
}

static struct lag lag_before(const struct watch *w, int topic, int32_t partition)
{
    for (int i = 0; i < w->part_count; i++)
        if (w->parts[i].topic == topic && w->parts[i].partition == partition)
            return w->parts[i].lag;
    return (struct lag){0};
}

static struct watch_part look_at(const struct watch *w, const struct lane *lane,
                                 const struct part *part, int64_t now_ms)
{
    struct watch_part copy = {part->topic, part->partition, part->impossible_ms != 0,
                              part->stored.offset, lag_before(w, part->topic, part->partition)};
    bool held = lane->look || !part->reading || part->paused_until_ms > now_ms ||
                part->impossible_ms;
    int64_t end = broker_end(lane->worker->broker, part->topic, part->partition);
    lag_take(&copy.lag, part->stored.offset, part->next, end, held, now_ms);
    return copy;
}

/* Under the lock. Without memory the partitions stay as they were. */
static void copy_parts(struct watch *w, const struct worker *worker, int64_t now_ms)
{
    int count = worker->ours ? count_parts(worker) : 0, n = 0;
    struct watch_part *parts = calloc((size_t)count + 1, sizeof *parts);
    if (!parts)
        return;
    for (int l = 0; l < worker->lane_count && count; l++) {
        const struct lane *lane = &worker->lanes[l];
        for (int i = 0; i < lane->parts.count; i++)
            parts[n++] = look_at(w, lane, &lane->parts.list[i], now_ms);
    }
    free(w->parts);
    w->parts = parts;
    w->part_count = n;
}

void watch_turn(struct watch *watch, const struct worker *worker)
{
    int64_t now_ms = clock_mono_ms();
    if (!watch || now_ms - watch->copied_ms < COPY_EVERY_MS)
        return;
    watch->copied_ms = now_ms;
    pthread_mutex_lock(&watch->lock);
    watch->opened = true;
    watch->ours = worker->ours;
    watch->totals = worker->totals;
    watch->spans = worker->spans;
    watch->shard_count = worker->lane_count;
    for (int l = 0; l < worker->lane_count; l++)
        watch->shards[l].stalled_ms = worker->lanes[l].stalled_ms;
    copy_parts(watch, worker, now_ms);
    pthread_mutex_unlock(&watch->lock);
}

/* ---- metrics ---- */

static void counter(FILE *out, const char *name, const char *help, int64_t value)
{
    exposition_family(out, name, "counter", help);
    exposition_int(out, name, value, NULL);
}

static void events_metrics(const struct worker_totals *t, FILE *out)
{
    const char *name = "tandem_events_total";
    const struct {
        const char *outcome;
        int64_t count;
    } list[] = {{"counted", t->counted},   {"duplicate", t->duplicates},
                {"rejected", t->rejected}, {"ignored", t->ignored},
                {"tombstone", t->tombstones}, {"before_floor", t->before_floor}};
    exposition_family(out, name, "counter",
                      "Records judged, by what became of them; those read again count again.");
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        exposition_int(out, name, list[i].count, "outcome", list[i].outcome, NULL);
    name = "tandem_rejects_total";
    exposition_family(out, name, "counter", "Records rejected, by reason.");
    for (int r = 0; r < REJECTS; r++)
        exposition_int(out, name, t->rejects[r], "reason", reject_name((enum reject)r), NULL);
}

static void batch_metrics(const struct watch *w, FILE *out)
{
    const struct worker_totals *t = &w->totals;
    counter(out, "tandem_batches_total", "Batches applied to Redis.", t->batches);
    counter(out, "tandem_cells_total", "Sums added to Redis.", t->cells);
    counter(out, "tandem_fenced_batches_total",
            "Batches that Redis refused because somebody else had moved the position.", t->fenced);
    counter(out, "tandem_replays_total",
            "Times that what was not applied yet was dropped, to be read again.", t->dropped);
    counter(out, "tandem_rebalances_total", "Partitions assigned, revoked or lost.", t->rebalances);
    counter(out, "tandem_redis_errors_total", "Calls that Redis failed, refused or put off.",
            t->redis_errors);
    counter(out, "tandem_kafka_errors_total", "Errors that the Kafka client told of.",
            kafka_errors());
    exposition_histogram(out, "tandem_flush_seconds",
                         "Of one batch: from making it until Redis had applied it.",
                         &watch_ms_bounds, &w->spans.flush, 1);
    exposition_histogram(out, "tandem_script_seconds",
                         "Of one batch: from sending it until its answer was taken.",
                         &watch_ms_bounds, &w->spans.script, 1);
    exposition_histogram(out, "tandem_flush_cells", "Sums of one batch.", &watch_cell_bounds,
                         &w->spans.cells, 0);
}

enum part_number { PART_POSITION, PART_RECORDS, PART_SECONDS, PART_GAP };

static void part_sample(const struct watch *w, const struct watch_part *part, const char *name,
                        enum part_number which, FILE *out)
{
    char number[16];
    const char *topic = kind_topic(w->config, w->kind->sides[part->topic]);
    snprintf(number, sizeof number, "%" PRId32, part->partition);
    if (which == PART_SECONDS)
        exposition_ms(out, name, part->lag.ms, "topic", topic, "partition", number, NULL);
    else if (which != PART_RECORDS || part->lag.records >= 0)
        exposition_int(out, name, which == PART_POSITION ? part->position
                                  : which == PART_GAP    ? part->refused : part->lag.records,
                       "topic", topic, "partition", number, NULL);
}

static void part_metrics(const struct watch *w, FILE *out)
{
    static const struct {
        const char *name, *help;
    } list[] = {
        [PART_POSITION] = {"tandem_position", "Next offset to count, as Redis holds it."},
        [PART_RECORDS] = {"tandem_lag_records",
                          "Records between the position in Redis and the last known end of the log."},
        [PART_SECONDS] = {"tandem_lag_seconds",
                          "How long the position has been behind; it grows while nobody reads."},
        [PART_GAP] = {"tandem_position_gap",
                      "1 while the log does not hold the position that Redis has."},
    };
    for (enum part_number which = PART_POSITION; which <= PART_GAP; which++) {
        exposition_family(out, list[which].name, "gauge", list[which].help);
        for (int i = 0; i < w->part_count; i++)
            part_sample(w, &w->parts[i], list[which].name, which, out);
    }
}

static void shard_metrics(const struct watch *w, int64_t now_ms, FILE *out)
{
    char number[16];
    exposition_family(out, "tandem_shard_up", "gauge",
                      "1 while the partitions of a ledger shard are counted, 0 while they wait.");
    for (int i = 0; i < w->shard_count; i++) {
        snprintf(number, sizeof number, "%d", i);
        exposition_int(out, "tandem_shard_up", w->shards[i].stalled_ms == 0, "shard", number, NULL);
    }
    exposition_family(out, "tandem_shard_stalled_seconds", "gauge",
                      "How long the partitions of a ledger shard have waited.");
    for (int i = 0; i < w->shard_count; i++) {
        int64_t since_ms = w->shards[i].stalled_ms;
        snprintf(number, sizeof number, "%d", i);
        exposition_ms(out, "tandem_shard_stalled_seconds", since_ms ? now_ms - since_ms : 0,
                      "shard", number, NULL);
    }
}

void watch_metrics(void *own, struct listen_reply *reply)
{
    struct watch *w = own;
    char role[32];
    snprintf(role, sizeof role, "%s-worker", w->kind->name);
    reply->type = "text/plain; version=0.0.4; charset=utf-8";
    process_metrics(role, reply->body);
    pthread_mutex_lock(&w->lock);
    events_metrics(&w->totals, reply->body);
    batch_metrics(w, reply->body);
    part_metrics(w, reply->body);
    shard_metrics(w, clock_mono_ms(), reply->body);
    exposition_family(reply->body, "tandem_partitions", "gauge", "Partitions assigned.");
    exposition_int(reply->body, "tandem_partitions", w->part_count, NULL);
    pthread_mutex_unlock(&w->lock);
}

/* ---- health ---- */

void watch_health(void *own, struct listen_reply *reply)
{
    struct watch *w = own;
    int64_t quiet_ms = clock_mono_ms() - atomic_load(&w->beat_ms);
    pthread_mutex_lock(&w->lock);
    bool opened = w->opened;
    pthread_mutex_unlock(&w->lock);
    if (opened && quiet_ms > TURN_MAX_MS + 2 * w->config->redis_timeout_ms) {
        reply->status = 503;
        fprintf(reply->body, "the loop has not turned for %" PRId64 " s\n", quiet_ms / 1000);
        return;
    }
    fputs(opened ? "ok\n" : "ok, starting\n", reply->body);
}

static bool shards_ready(const struct watch *w, int64_t now_ms, FILE *out)
{
    for (int i = 0; i < w->shard_count; i++) {
        if (!w->shards[i].stalled_ms)
            continue;
        fprintf(out, "shard %d waits for its store for %" PRId64 " s\n", i,
                (now_ms - w->shards[i].stalled_ms) / 1000);
        return false;
    }
    return true;
}

static bool parts_ready(const struct watch *w, int64_t now_ms, FILE *out)
{
    int64_t patience_ms = PATIENCE_MS + w->config->flush_ms;
    for (int i = 0; i < w->part_count; i++) {
        const struct watch_part *part = &w->parts[i];
        const char *topic = kind_topic(w->config, w->kind->sides[part->topic]);
        if (part->refused)
            fprintf(out, "%s partition %" PRId32 ": the log does not hold the position\n", topic,
                    part->partition);
        else if (!lag_well(&part->lag, patience_ms, now_ms))
            fprintf(out, "%s partition %" PRId32 " is behind and does not move\n", topic,
                    part->partition);
        else
            continue;
        return false;
    }
    return true;
}

static bool ready(const struct watch *w, FILE *out)
{
    int64_t now_ms = clock_mono_ms();
    if (!w->opened || !w->ours) {
        fputs(w->opened ? "waiting for the group to assign partitions\n"
                        : "starting: waiting for kafka, redis and the topics\n", out);
        return false;
    }
    if (!shards_ready(w, now_ms, out) || !parts_ready(w, now_ms, out))
        return false;
    fprintf(out, "ready, %d partitions\n", w->part_count);
    return true;
}

void watch_ready(void *own, struct listen_reply *reply)
{
    struct watch *w = own;
    pthread_mutex_lock(&w->lock);
    if (!ready(w, reply->body))
        reply->status = 503;
    pthread_mutex_unlock(&w->lock);
}

#include "consumers/reporter/gather.h"

#include "common/clock.h"
#include "common/log.h"
#include "consumers/reporter/dirty.h"
#include "consumers/reporter/key.h"
#include "consumers/reporter/scopemap.h"
#include "consumers/reporter/settle.h"
#include "consumers/reporter/shards.h"
#include "consumers/reporter/sweep.h"
#include "consumers/reporter/totals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    AWAY = 1, /* beside 0 and -1: a shard is away, which was noted */
    PAUSE_MIN_MS = 1000,
    PAUSE_MAX_MS = 15000,
    SWEEP_EVERY_MS = 3600000,
    SWEEP_REST = 10, /* a sweep is followed by so many times its length without one, */
    SWEEP_REST_MAX_MS = 60000,
    REST = 4, /* the same of summing what is marked, */
    REST_MAX_MS = 2000,
    READS_MAX = 20000 /* hashes read for one script: well within the lease's time */
};

/* What was last summed of a shard. */
struct seen {
    char token[160], overflow[24];
    int connected;
};

/* A day to sum, and the mark that asks for it. */
struct task {
    int32_t day;
    const char *scope;
    int shard;
    const struct mark *mark; /* NULL: none */
};

struct gather {
    const struct config *config;
    struct redis *redis;
    const struct lease *lease;
    struct shards *shards;
    struct dirty *dirty[SHARDS_MAX];
    struct seen seen[SHARDS_MAX];
    int seen_count;
    struct scopemap *map;
    int64_t members; /* in all sets that matter, when they were last read */
    struct sweep *sweep;
    bool sweep_wanted, undated_wanted;
    int64_t sweep_begun_ms, sweep_from_ms, swept_ms;
    int64_t rest_ms; /* until then marks wait */
    char store[128];
    int64_t away_ms, retry_ms, pause_ms, failures;
    struct task *tasks;
    size_t task_count, task_room;
};

int gather_open(struct gather **out, const struct config *config, struct redis *redis,
                const struct lease *lease, struct error *err)
{
    struct gather *g = calloc(1, sizeof *g);
    if (!g) {
        return error_memory(err);
    }
    g->config = config;
    g->redis = redis;
    g->lease = lease;
    if (shards_open(&g->shards, config, err) != 0 || scopemap_open(&g->map, err) != 0 ||
        sweep_open(&g->sweep, config->business, err) != 0) {
        gather_free(g);
        return -1;
    }
    gather_begin(g);
    *out = g;
    return 0;
}

void gather_free(struct gather *g)
{
    if (!g) {
        return;
    }
    for (int k = 0; k < SHARDS_MAX; k++) {
        dirty_free(g->dirty[k]);
    }
    shards_free(g->shards);
    scopemap_free(g->map);
    sweep_free(g->sweep);
    free(g->tasks);
    free(g);
}

static void want_sweep(struct gather *g, bool now)
{
    g->sweep_wanted = true;
    if (now) {
        g->sweep_from_ms = 0;
    }
}

void gather_begin(struct gather *g)
{
    sweep_end(g->sweep);
    want_sweep(g, true);
    g->undated_wanted = true;
    g->rest_ms = 0;
}

bool gather_ledger(const struct gather *g)
{
    return shards_count(g->shards) > 0;
}

int32_t gather_from(const struct gather *g)
{
    return shards_from(g->shards);
}

bool gather_pending(const struct gather *g)
{
    return g->away_ms != 0 ||
           (gather_ledger(g) && (g->sweep_wanted || sweep_runs(g->sweep) || g->undated_wanted));
}

int64_t gather_away_ms(const struct gather *g)
{
    return g->away_ms;
}

int64_t gather_failures(const struct gather *g)
{
    return g->failures;
}

/* Looking */

/* Others go on; a sum without one shard would be a wrong one. */
static int note_away(struct gather *g, const struct error *err)
{
    if (!err->retry) {
        return -1;
    }
    g->failures++;
    if (g->away_ms == 0) {
        log_warning("a shard of the ledger is away, customer counters wait",
                    log_s("why", err->text));
        g->away_ms = clock_mono_ms();
        g->pause_ms = PAUSE_MIN_MS / 2;
    }
    g->pause_ms = g->pause_ms * 2 < PAUSE_MAX_MS ? g->pause_ms * 2 : PAUSE_MAX_MS;
    g->retry_ms = clock_mono_ms() + g->pause_ms;
    return AWAY;
}

static void note_back(struct gather *g)
{
    if (g->away_ms != 0) {
        log_info("all shards of the ledger are there",
                 log_i("waited_ms", clock_mono_ms() - g->away_ms));
        g->away_ms = 0;
    }
}

/* A shard that is another one than was summed: whatever it held may be gone. */
static void compare_shard(struct gather *g, int k)
{
    struct seen *seen = &g->seen[k];
    struct shard *shard = shards_at(g->shards, k);
    if (strcmp(seen->token, shard->token) != 0 || seen->connected != shard->connected) {
        snprintf(seen->token, sizeof seen->token, "%s", shard->token);
        seen->connected = shard->connected;
        shard->names_known = 0;
        sweep_end(g->sweep);
        want_sweep(g, true);
        g->undated_wanted = true;
    }
    if (strcmp(seen->overflow, shard->overflow) != 0) {
        snprintf(seen->overflow, sizeof seen->overflow, "%s", shard->overflow);
        g->undated_wanted = true;
    }
}

static int look(struct gather *g, struct error *err)
{
    if (g->away_ms != 0 && clock_mono_ms() < g->retry_ms) {
        return AWAY;
    }
    if (shards_look(g->shards, err) != 0) {
        return note_away(g, err);
    }
    note_back(g);
    if (shards_count(g->shards) != g->seen_count) {
        g->seen_count = shards_count(g->shards);
        sweep_end(g->sweep);
        want_sweep(g, true);
    }
    for (int k = 0; k < g->seen_count; k++) {
        compare_shard(g, k);
    }
    if (!sweep_runs(g->sweep) && clock_mono_ms() - g->swept_ms > SWEEP_EVERY_MS) {
        want_sweep(g, false);
    }
    return 0;
}

static bool is_marked(const struct gather *g)
{
    for (int k = 0; k < g->seen_count; k++) {
        if (shards_at(g->shards, k)->marks > 0) {
            return true;
        }
    }
    return false;
}

int gather_marked(struct gather *g, bool *marked, struct error *err)
{
    int rc = look(g, err);
    *marked = rc == 0 && is_marked(g);
    return rc < 0 ? -1 : 0;
}

/* The sets of the business */

static char *set_key(const struct gather *g, const char *dimension, char out[KEY_MAX])
{
    return key_format(out, g->config->business, "scope:%s", dimension);
}

/* Members of all sets that scopes of the ledger are of. */
static int count_members(struct gather *g, int64_t *sum, struct error *err)
{
    *sum = 0;
    const char *dimension = NULL;
    while ((dimension = scopemap_dimension(g->map, dimension))) {
        char key[KEY_MAX];
        redisReply *reply = NULL;
        if (redis_callf(g->redis, &reply, err, "SCARD %s", set_key(g, dimension, key)) !=
            REDIS_OK) {
            return -1;
        }
        *sum += reply->integer;
        freeReplyObject(reply);
    }
    return 0;
}

static int read_set(struct gather *g, const char *dimension, struct error *err)
{
    char key[KEY_MAX];
    redisReply *reply = NULL;
    if (redis_callf(g->redis, &reply, err, "SMEMBERS %s", set_key(g, dimension, key)) != REDIS_OK) {
        return -1;
    }
    for (size_t i = 0; i < reply->elements; i++) {
        struct text value = {reply->element[i]->str, reply->element[i]->len};
        scopemap_member(g->map, dimension, value);
    }
    g->members += (int64_t)reply->elements;
    freeReplyObject(reply);
    return 0;
}

static int read_sets(struct gather *g, struct error *err)
{
    g->members = 0;
    const char *dimension = NULL;
    while ((dimension = scopemap_dimension(g->map, dimension))) {
        if (read_set(g, dimension, err) != 0) {
            return -1;
        }
    }
    if (scopemap_admit(g->map)) {
        want_sweep(g, false);
    }
    return 0;
}

static bool sweep_is_due(const struct gather *g)
{
    return sweep_runs(g->sweep) || (g->sweep_wanted && clock_mono_ms() >= g->sweep_from_ms);
}

/* A crowded __other__ is made of many hashes: a day of it that is counted in all the time must not
 * take all of Redis' time. */
static bool is_resting(const struct gather *g)
{
    return clock_mono_ms() < g->rest_ms && !g->undated_wanted && !sweep_is_due(g);
}

static void rest(struct gather *g, int64_t begun_ms)
{
    int64_t now_ms = clock_mono_ms(), pause_ms = REST * (now_ms - begun_ms);
    g->rest_ms = now_ms + (pause_ms < REST_MAX_MS ? pause_ms : REST_MAX_MS);
}

int gather_due(struct gather *g, bool *due, struct error *err)
{
    int rc = look(g, err);
    *due = false;
    if (rc != 0 || g->seen_count == 0) {
        return rc < 0 ? -1 : 0;
    }
    if (is_resting(g)) {
        return 0;
    }
    *due = is_marked(g) || g->undated_wanted || sweep_is_due(g);
    if (!*due && scopemap_hopes(g->map)) {
        int64_t members;
        if (count_members(g, &members, err) != 0) {
            return -1;
        }
        *due = members != g->members;
    }
    return 0;
}

/* What the shards know */

static int read_marks(struct gather *g, int k, struct error *err)
{
    struct shard *shard = shards_at(g->shards, k);
    if (!g->dirty[k] && dirty_open(&g->dirty[k], shard->name, err) != 0) {
        return -1;
    }
    if (dirty_read(g->dirty[k], shard->redis, err) != 0) {
        return note_away(g, err);
    }
    for (size_t i = 0; i < dirty_count(g->dirty[k]); i++) {
        if (scopemap_add(g->map, text_of(dirty_at(g->dirty[k], i)->scope), k, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int take_names(struct gather *g, int k, const redisReply *reply, char cursor[32],
                      struct error *err)
{
    if (reply->elements != 2 || reply->element[0]->len >= 32) {
        return error_set(err, ERROR_REDIS, "HSCAN: an answer of another form");
    }
    memcpy(cursor, reply->element[0]->str, reply->element[0]->len + 1);
    const redisReply *pairs = reply->element[1];
    for (size_t i = 0; i + 1 < pairs->elements; i += 2) {
        struct text name = {pairs->element[i]->str, pairs->element[i]->len};
        if (scopemap_add(g->map, name, k, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int read_names(struct gather *g, int k, struct error *err)
{
    char cursor[32] = "0", key[KEY_MAX];
    struct shard *shard = shards_at(g->shards, k);
    if (shard->names == shard->names_known) {
        return 0;
    }
    do {
        redisReply *reply = NULL;
        if (redis_callf(shard->redis, &reply, err, "HSCAN %s %s COUNT 1000",
                        key_format(key, shard->name, "names"), cursor) != REDIS_OK) {
            return note_away(g, err);
        }
        int rc = take_names(g, k, reply, cursor, err);
        freeReplyObject(reply);
        if (rc != 0) {
            return -1;
        }
    } while (strcmp(cursor, "0") != 0);
    shard->names_known = shard->names;
    return 0;
}

/* Marks first: whatever was counted before they were made is known by then. */
static int learn(struct gather *g, struct error *err)
{
    int rc = 0;
    for (int k = 0; k < g->seen_count && rc == 0; k++) {
        rc = read_marks(g, k, err);
    }
    for (int k = 0; k < g->seen_count && rc == 0; k++) {
        rc = read_names(g, k, err);
    }
    scopemap_sort(g->map);
    return rc ? rc : read_sets(g, err);
}

/* Working off */

static int settle_tasks(struct gather *g, const struct task *tasks, size_t count, int k,
                        struct error *err)
{
    char key[KEY_MAX];
    struct shard *shard = shards_at(g->shards, k);
    struct settled *list = calloc(count, sizeof *list);
    size_t settled = 0;
    if (!list) {
        return error_memory(err);
    }
    for (size_t i = 0; i < count; i++) {
        if (tasks[i].mark && tasks[i].shard == k) {
            list[settled++] = (struct settled){tasks[i].mark->field, tasks[i].mark->value};
        }
    }
    int rc = settle_shard(shard->redis, key_format(key, shard->name, "dirty"), list, settled, err);
    free(list);
    return rc == 0 ? 0 : note_away(g, err);
}

/* Hashes that a total is read from. */
static int64_t reads_of(const struct gather *g, const char *scope)
{
    int64_t reads = 0;
    uint64_t shards;
    size_t cursor = 0;
    while (scopemap_source(g->map, scope, &cursor, &shards)) {
        reads += g->seen_count;
    }
    return reads;
}

/* Tasks from `from` on that make one script: their totals go to `list`. Returns their end. */
static size_t take_tasks(const struct gather *g, size_t from, int32_t floor,
                         struct total list[TOTALS_MAX], size_t *count)
{
    size_t i = from;
    int64_t reads = 0;
    *count = 0;
    for (; i < g->task_count; i++) {
        const struct task *task = &g->tasks[i], *last = i > from ? task - 1 : NULL;
        if (task->day < floor ||
            (last && last->day == task->day && strcmp(last->scope, task->scope) == 0)) {
            continue;
        }
        reads += reads_of(g, task->scope);
        if (*count == TOTALS_MAX || (*count > 0 && reads > READS_MAX)) {
            break;
        }
        list[(*count)++] = (struct total){task->day, task->scope, NULL};
    }
    return i;
}

static int sum_up(struct gather *g, struct total *list, size_t count, bool *held, struct error *err)
{
    int rc = 0;
    if (totals_read(list, count, g->shards, g->map, err) != 0) {
        rc = note_away(g, err);
    } else {
        rc = totals_write(list, count, g->redis, g->config->business, g->lease, held, err);
    }
    totals_clear(list, count);
    return rc;
}

/* Sums the listed tasks, which are in order, and settles their marks: one script's worth at least,
 * however late it is. *done: how many tasks. */
static int work_off(struct gather *g, int32_t floor, int64_t end_ms, size_t *done,
                    struct gather_result *result, struct error *err)
{
    struct total list[TOTALS_MAX];
    size_t count, end;
    for (*done = 0; *done < g->task_count && (*done == 0 || clock_mono_ms() < end_ms);
         *done = end) {
        bool held = true;
        end = take_tasks(g, *done, floor, list, &count);
        int rc = sum_up(g, list, count, &held, err);
        result->lost = !held;
        for (int k = 0; k < g->seen_count && rc == 0 && held; k++) {
            rc = settle_tasks(g, g->tasks + *done, end - *done, k, err);
        }
        if (rc != 0 || !held) {
            return rc;
        }
    }
    return 0;
}

static int add_task(struct gather *g, struct task task, struct error *err)
{
    if (g->task_count == g->task_room) {
        size_t room = g->task_room ? g->task_room * 2 : 1024;
        struct task *list = realloc(g->tasks, room * sizeof *list);
        if (!list) {
            return error_memory(err);
        }
        g->tasks = list;
        g->task_room = room;
    }
    g->tasks[g->task_count++] = task;
    return 0;
}

static int compare_tasks(const void *left, const void *right)
{
    const struct task *a = left, *b = right;
    int scopes = dirty_compare_scopes(a->scope, b->scope);
    return scopes ? scopes : (a->day > b->day) - (a->day < b->day);
}

static int list_marks(struct gather *g, struct error *err)
{
    g->task_count = 0;
    for (int k = 0; k < g->seen_count; k++) {
        for (size_t i = 0; i < dirty_count(g->dirty[k]); i++) {
            const struct mark *mark = dirty_at(g->dirty[k], i);
            const char *scope = scopemap_target(g->map, text_of(mark->scope));
            if (scope && add_task(g, (struct task){mark->day, scope, k, mark}, err) != 0) {
                return -1;
            }
        }
    }
    if (g->task_count > 0) {
        qsort(g->tasks, g->task_count, sizeof *g->tasks, compare_tasks);
    }
    return 0;
}

static int sum_undated(struct gather *g, struct gather_result *result, struct error *err)
{
    struct total total = {.day = TOTALS_NO_DAY, .scope = ""};
    bool held = true;
    if (!g->undated_wanted) {
        return 0;
    }
    int rc = sum_up(g, &total, 1, &held, err);
    result->lost = !held;
    g->undated_wanted = rc != 0 || !held;
    return rc;
}

static int sum_marks(struct gather *g, int32_t floor, int64_t end_ms, struct gather_result *result,
                     struct error *err)
{
    size_t done = 0;
    if (list_marks(g, err) != 0) {
        return -1;
    }
    int rc = work_off(g, floor, end_ms, &done, result, err);
    result->complete = result->complete && done == g->task_count;
    return rc;
}

/* Sweeping */

static int begin_sweep(struct gather *g, struct error *err)
{
    if (sweep_begin(g->sweep, g->redis, g->shards, err) != 0) {
        return redis_connected(g->redis) ? note_away(g, err) : -1;
    }
    g->sweep_wanted = false;
    g->sweep_begun_ms = clock_mono_ms();
    return 0;
}

static void finish_sweep(struct gather *g)
{
    int64_t now_ms = clock_mono_ms(), took_ms = now_ms - g->sweep_begun_ms;
    int64_t rest_ms = SWEEP_REST * took_ms;
    g->swept_ms = now_ms;
    g->sweep_from_ms = now_ms + (rest_ms < SWEEP_REST_MAX_MS ? rest_ms : SWEEP_REST_MAX_MS);
    log_debug("summed all days of customers again", log_i("ms", took_ms));
}

static int sum_swept(struct gather *g, int32_t floor, int64_t end_ms, struct gather_result *result,
                     struct error *err)
{
    size_t done = 0;
    g->task_count = 0;
    for (size_t i = 0; i < sweep_count(g->sweep); i++) {
        const struct swept *swept = sweep_at(g->sweep, i);
        if (add_task(g, (struct task){swept->day, swept->scope, 0, NULL}, err) != 0) {
            return -1;
        }
    }
    int rc = work_off(g, floor, end_ms, &done, result, err);
    sweep_done(g->sweep, done);
    return rc;
}

static int sweep_on(struct gather *g, int32_t floor, int64_t end_ms, struct gather_result *result,
                    struct error *err)
{
    int rc = 0;
    if (!sweep_runs(g->sweep) && (!sweep_is_due(g) || (rc = begin_sweep(g, err)) != 0)) {
        return rc;
    }
    for (bool first = true;
         sweep_runs(g->sweep) && rc == 0 && !result->lost && (first || clock_mono_ms() < end_ms);
         first = false) {
        bool ready;
        int shard = -1;
        if (sweep_read(g->sweep, g->redis, g->shards, g->map, &ready, &shard, err) != 0) {
            rc = shard < 0 ? -1 : note_away(g, err);
        } else if (ready) {
            rc = sum_swept(g, floor, end_ms, result, err);
        }
    }
    if (rc == 0 && !result->lost && !sweep_runs(g->sweep)) {
        finish_sweep(g);
    }
    result->complete = result->complete && !sweep_runs(g->sweep);
    return rc;
}

/* The business has another store than the one whose sums were written. */
static void compare_store(struct gather *g, const char *store)
{
    if (strcmp(g->store, store) != 0) {
        snprintf(g->store, sizeof g->store, "%s", store);
        gather_begin(g);
    }
}

int gather_run(struct gather *g, const char *store, int32_t floor, int64_t end_ms,
               struct gather_result *result, struct error *err)
{
    *result = (struct gather_result){.complete = true};
    compare_store(g, store);
    int64_t begun_ms = clock_mono_ms();
    int rc = look(g, err);
    if (rc != 0 || g->seen_count == 0 || is_resting(g)) {
        return rc < 0 ? -1 : 0;
    }
    if ((rc = learn(g, err)) == 0 && (rc = sum_undated(g, result, err)) == 0 && !result->lost &&
        (rc = sum_marks(g, floor, end_ms, result, err)) == 0 && !result->lost) {
        rc = sweep_on(g, floor, end_ms, result, err);
    }
    if (rc == AWAY) {
        sweep_end(g->sweep);
        want_sweep(g, true);
    } else if (result->complete) {
        rest(g, begun_ms);
    }
    return rc < 0 ? -1 : 0;
}

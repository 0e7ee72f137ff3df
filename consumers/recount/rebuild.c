#include "consumers/recount/rebuild.h"

#include "common/clock.h"
#include "common/describe.h"
#include "common/kafka.h"
#include "common/log.h"
#include "common/redis.h"
#include "common/zone.h"
#include "consumers/recount/rebuild_switch.h"
#include "consumers/reporter/key.h"
#include "consumers/worker/definition.h"
#include "consumers/worker/opening.h"
#include "consumers/worker/worker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    TURN_MS = 100,
    STOP_MS = 3000,
    TELL_MS = 250,
    AGAIN_MS = 10000, /* when service took longer, sales is brought to the end once more */
    SWITCH_NS = 3000  /* about what one key costs Redis in the switch */
};

struct rebuild_options {
    bool restart, accept_gap;
};

struct rebuild {
    const struct config *config;
    const struct rebuild_options *options;
    struct redis *redis;
    char definition[DEFINITION_BYTES];
    /* Dead letters up to the live positions were sent by the workers. */
    int64_t *letters_from[OPENING_KINDS];
    int32_t partitions[OPENING_KINDS];
    int64_t records, told_ms;
    bool terminal;
};

static const struct kind *const kinds[OPENING_KINDS] = {&sales_worker_kind, &service_worker_kind};

/* ---- what was told of rejected records already ---- */

static const char *field_of(const redisReply *hash, const char *format, const char *word)
{
    char name[64];
    snprintf(name, sizeof name, format, word);
    for (size_t i = 0; i + 1 < hash->elements; i += 2)
        if (strcmp(hash->element[i]->str, name) == 0)
            return hash->element[i + 1]->str;
    return NULL;
}

static bool is(const char *stored, const char *now)
{
    return stored && (!now[0] || strcmp(stored, now) == 0);
}

/* The line `name=...` of a definition is the same in both. */
static bool same_line(const char *name, const char *here, const char *there)
{
    const char *a = strstr(here, name), *b = there ? strstr(there, name) : NULL;
    return a && b && strcspn(a, "\n") == strcspn(b, "\n") && strncmp(a, b, strcspn(a, "\n")) == 0;
}

/* Only of the same log, judged by the same rules, it is known what was rejected. */
static bool knows_rejects(const struct rebuild *r, int k, const struct broker_topic *log,
                          const redisReply *hash)
{
    const char *topic = k == 0 ? r->config->topics_sales : r->config->topics_service;
    const char *word = kinds[k]->name, *definition = field_of(hash, "%s", "definition");
    return is(field_of(hash, "topic:%s", word), topic) &&
           is(field_of(hash, "cluster:%s", word), log->cluster) &&
           is(field_of(hash, "id:%s", word), log->id) &&
           same_line("fold=", r->definition, definition) &&
           same_line("type.prefix=", r->definition, definition);
}

static void take_positions(struct rebuild *r, int k, const redisReply *hash)
{
    for (int32_t p = 0; p < r->partitions[k]; p++) {
        char format[32];
        snprintf(format, sizeof format, "%%s:%" PRId32, p);
        const char *position = field_of(hash, format, kinds[k]->name);
        r->letters_from[k][p] = position ? strtoll(position, NULL, 10) : 0;
    }
}

static int read_rejects(struct rebuild *r, int k, const struct broker_topic *log, struct error *err)
{
    char key[KEY_MAX];
    redisReply *reply;
    r->partitions[k] = log->partitions;
    r->letters_from[k] = calloc((size_t)log->partitions, sizeof *r->letters_from[k]);
    if (!r->letters_from[k])
        return error_memory(err);
    key_format(key, r->config->business, "position:%s", kinds[k]->name);
    enum redis_answer answer = redis_callf(r->redis, &reply, err, "HGETALL %s", key);
    if (answer == REDIS_PERMANENT) { /* damaged: nothing is known */
        *err = (struct error){0};
        return 0;
    }
    if (answer != REDIS_OK)
        return -1;
    if (reply->type == REDIS_REPLY_ARRAY && knows_rejects(r, k, log, reply))
        take_positions(r, k, reply);
    freeReplyObject(reply);
    return 0;
}

static int read_all_rejects(struct rebuild *r, struct error *err)
{
    rd_kafka_t *client = kafka_open(r->config, KAFKA_ADMIN, NULL, NULL, NULL, err);
    int rc = client ? kafka_wait(client, r->config, err) : -1;
    for (int k = 0; k < OPENING_KINDS && rc == 0; k++) {
        const char *topic = k == 0 ? r->config->topics_sales : r->config->topics_service;
        struct broker_topic log = {.retention_ms = -1};
        rc = describe_topic(client, r->config, topic, &log, err);
        if (rc == 0)
            rc = read_rejects(r, k, &log, err);
        broker_topic_clear(&log);
    }
    if (client)
        rd_kafka_destroy(client);
    return rc;
}

/* ---- beginning, or going on ---- */

static int check_live_size(struct rebuild *r, struct error *err)
{
    size_t count;
    if (rebuild_live_keys(r->redis, r->config->business, &count, err) != 0)
        return -1;
    if (count > REBUILD_KEYS_MAX)
        return error_set(err, ERROR_STORE,
                         "the counters are %zu keys: above %d Redis would stand still for too long "
                         "when they are switched; count under a second business name instead "
                         "(--business), and then point dashboards there",
                         count, REBUILD_KEYS_MAX);
    printf("The log is counted beside the live counters (%zu keys), which stay as they are.\n",
           count);
    return 0;
}

/* What an interrupted rebuild has counted can be gone on with only by the same settings. */
static int check_begun(struct rebuild *r, struct error *err)
{
    const char *words[] = {kinds[0]->name};
    struct store_state state = {.floor = STORE_NO_FLOOR};
    struct store *store;
    struct store_kind which = {
        .name = kinds[0]->name, .words = words, .word_count = 1, .generation = STORE_REBUILD};
    if (store_open(&store, r->config, &which, err) != 0)
        return -1;
    enum store_answer answer = store_connect(store, err);
    if (answer == STORE_DONE)
        answer = store_look(store, &state, err);
    int rc = answer == STORE_DONE ? opening_definition(r->definition, &state, err) : -1;
    store_state_clear(&state);
    store_free(store);
    if (rc != 0 && !err->retry)
        return error_prefix(err, "an earlier rebuild was interrupted and cannot go on "
                                 "(--restart begins anew)");
    return rc;
}

static int begin(struct rebuild *r, struct error *err)
{
    bool begun;
    const char *business = r->config->business;
    if (rebuild_open_fence(r->redis, business, err) != 0 || check_live_size(r, err) != 0 ||
        rebuild_begun(r->redis, business, &begun, err) != 0)
        return -1;
    if (begun && !r->options->restart) {
        if (check_begun(r, err) != 0)
            return -1;
        printf("An earlier rebuild was interrupted; this one goes on where it stood.\n");
    } else if (rebuild_begin(r->redis, r->config, err) != 0) {
        return -1;
    }
    fflush(stdout);
    return read_all_rejects(r, err);
}

/* ---- counting ---- */

static void tell(struct rebuild *r, const struct kind *kind, const struct worker *worker)
{
    int64_t now_ms = clock_mono_ms();
    if (!r->terminal || now_ms - r->told_ms < TELL_MS)
        return;
    r->told_ms = now_ms;
    fprintf(stderr, "\r%s: %" PRId64 " records counted ", kind->name,
            worker_totals(worker).records);
}

static int count_kind(struct rebuild *r, int k, struct error *err)
{
    struct worker_options options = {.exit_at_end = true,
                                     .accept_gap = r->options->accept_gap,
                                     .rebuild = true,
                                     .letters_from = r->letters_from[k],
                                     .letters_count = r->partitions[k]};
    struct worker *worker;
    enum worker_turn turn = WORKER_GOES_ON;
    if (worker_open(&worker, r->config, kinds[k], options, err) != 0)
        return -1;
    while (turn == WORKER_GOES_ON && !command_stopping()) {
        turn = worker_step(worker, TURN_MS, err);
        tell(r, kinds[k], worker);
    }
    worker_stop(worker, STOP_MS);
    r->records += worker_totals(worker).records;
    worker_free(worker);
    if (r->terminal)
        fputs("\r\033[K", stderr);
    if (turn == WORKER_GOES_ON)
        return error_set(err, ERROR_STOPPED,
                         "stopped; the live counters are as they were; the same command goes on, "
                         "with --restart it begins anew");
    return turn == WORKER_DONE ? 0 : -1;
}

/* One after the other; when the second took long, what came for the first meanwhile is small. */
static int count(struct rebuild *r, struct error *err)
{
    if (count_kind(r, 0, err) != 0)
        return -1;
    int64_t begin_ms = clock_mono_ms();
    if (count_kind(r, 1, err) != 0)
        return -1;
    return clock_mono_ms() - begin_ms > AGAIN_MS ? count_kind(r, 0, err) : 0;
}

/* ---- the whole ---- */

static int take_place(struct rebuild *r, struct error *err)
{
    size_t before, after;
    if (rebuild_live_keys(r->redis, r->config->business, &before, err) != 0)
        return -1;
    printf("%" PRId64 " records counted. Now the live counters are replaced in one step; Redis "
           "stands still for\nabout %zu ms, and workers wait meanwhile.\n",
           r->records, 1 + 2 * before * SWITCH_NS / 1000000);
    fflush(stdout);
    if (rebuild_switch(r->redis, r->config, &before, &after, err) != 0)
        return -1;
    printf("Done: %zu keys took the place of %zu. Workers with these settings go on from here; "
           "those with\nothers stop and say which. The reporter publishes every day anew.\n",
           after, before);
    return 0;
}

static int rebuild(struct rebuild *r, struct error *err)
{
    struct zone *zone;
    /* Before there are threads. */
    if (zone_open(&zone, r->config->timezone, err) != 0)
        return -1;
    definition_write(r->config, zone, r->definition);
    zone_free(zone);
    if (redis_open(&r->redis, r->config, err) != 0 || redis_wait(r->redis, r->config, err) != 0 ||
        begin(r, err) != 0 || count(r, err) != 0)
        return -1;
    /* Counting took its time: the connection may have been closed for idleness. */
    if (redis_wait(r->redis, r->config, err) != 0 || take_place(r, err) != 0)
        return -1;
    return fflush(stdout) == 0 ? 0
                               : error_set(err, ERROR_SYSTEM, "cannot write to standard output");
}

static int run(const struct config *config, const void *options, int argc, char **argv,
               struct error *err)
{
    struct rebuild r = {.config = config, .options = options, .terminal = isatty(STDERR_FILENO)};
    (void)argc;
    (void)argv;
    command_catch_signals();
    int rc = rebuild(&r, err);
    for (int k = 0; k < OPENING_KINDS; k++)
        free(r.letters_from[k]);
    redis_free(r.redis);
    return rc == 0 ? 0 : 1;
}

static const struct command_option words[] = {
    {"restart", 0, OPTION_FLAG, NULL, offsetof(struct rebuild_options, restart), 0, 0,
     "throw away what an interrupted rebuild has counted, and begin anew"},
    {"accept-gap", 0, OPTION_FLAG, NULL, offsetof(struct rebuild_options, accept_gap), 0, 0,
     "count a log that has lost its beginning; every report says from where"},
    {0},
};

static const char *const settings[] = {
    "brokers",
    "redis",
    "redis.password.file",
    "redis.ca.file",
    "redis.timeout",
    "business",
    "timezone",
    "topics.sales",
    "topics.service",
    "topics.rejected",
    "type.prefix",
    "group",
    "scopes",
    "scope.limit",
    "flush.ms",
    "flush.cells",
    "dedup.window",
    "connect.timeout",
    "topic.id.check",
    "log.level",
    "log.format",
    NULL,
};

const struct command rebuild_command = {
    .name = "rebuild",
    .args = "",
    .summary = "Count the log anew and replace the counters",
    .about =
        "For new settings - time zone, scopes, window of duplicates - and for damaged counters.\n"
        "Counts both topics from their beginning into a second set of keys, while workers and\n"
        "dashboards go on with the live one; then the second takes the place of the first in\n"
        "one step. Workers with the new settings go on from there; those with the old ones\n"
        "stop and say which differ. Redis needs room for both sets meanwhile.\n"
        "\n"
        "  tandem rebuild\n"
        "  tandem rebuild --timezone Europe/Bucharest\n"
        "  tandem rebuild --restart\n"
        "\n"
        "Interrupted, it leaves the live counters as they were, and goes on when it is started\n"
        "again with the same settings. Ends with 0 when the counters were replaced, else 1.\n",
    .options = words,
    .settings = settings,
    .options_size = sizeof(struct rebuild_options),
    .run = run,
};

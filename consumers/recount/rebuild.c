#include "consumers/recount/rebuild.h"

#include "common/clock.h"
#include "common/describe.h"
#include "common/kafka.h"
#include "common/log.h"
#include "common/redis.h"
#include "common/redis_layout.h"
#include "common/zone.h"
#include "consumers/customers/customers.h"
#include "consumers/recount/glance.h"
#include "consumers/recount/rebuild_switch.h"
#include "consumers/recount/shape.h"
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
    AGAIN_MS = 10000, /* when the others took longer, the first are brought to the end once more */
    SWITCH_NS = 3000  /* about what one key costs Redis in the switch */
};

struct rebuild_options {
    bool restart, accept_gap;
};

struct rebuild {
    const struct config *config;
    const struct rebuild_options *options;
    struct redis *redis;
    struct zone *zone;
    char definition[DEFINITION_BYTES];
    int shards;                /* of the ledger, which is counted too; 0: there is none */
    size_t live_keys, largest; /* of all stores, and of the one that has most */
    size_t replaced, placed;
    /* Dead letters up to the live positions were sent by the workers. */
    int64_t *letters_from[OPENING_KINDS];
    int32_t partitions[OPENING_KINDS];
    int64_t records, told_ms;
    bool goes_on; /* an earlier one had begun */
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

static int check_live_size(struct rebuild *r, const struct rebuild_store *store, struct error *err)
{
    size_t count;
    if (rebuild_live_keys(r->redis, store, &count, err) != 0)
        return -1;
    r->live_keys += count;
    r->largest = count > r->largest ? count : r->largest;
    if (count <= REBUILD_KEYS_MAX)
        return 0;
    return error_set(err, ERROR_STORE,
                     "the counters%s are %zu keys: above %d Redis would stand still for too long "
                     "when they are switched; count under a second business name instead "
                     "(--business), and then point dashboards there",
                     store->shard == REBUILD_MAIN ? "" : " and states", count, REBUILD_KEYS_MAX);
}

/* What an interrupted rebuild has counted can be gone on with only by the same settings. */
static int check_begun(struct rebuild *r, const struct rebuild_store *store, struct error *err)
{
    static const char *const words[] = {"sales", "service"};
    struct store_state state = {.floor = STORE_NO_FLOOR};
    char definition[DEFINITION_BYTES];
    bool ledger = store->shard != REBUILD_MAIN;
    const struct kind *kind = ledger ? &customers_worker_kind : kinds[0];
    struct store_kind which = {.name = kind->name,
                               .words = words,
                               .word_count = kind->topic_count,
                               .generation = STORE_REBUILD,
                               .shard = ledger ? store->shard : 0,
                               .shards = ledger ? r->shards : 0};
    opening_define(kind, r->config, r->zone, definition);
    int rc = glance(r->config, &which, &state, err);
    if (rc == 0)
        rc = opening_definition(definition, &state, err);
    store_state_clear(&state);
    if (rc != 0 && !err->retry)
        return error_prefix(err, "an earlier rebuild was interrupted and cannot go on "
                                 "(--restart begins anew)");
    return rc;
}

/* How many shards there are to count. The ledger of somebody who counts no customers is left alone;
 * one whose shard does not tell is damaged, and made as the settings say. */
static int find_ledger(struct rebuild *r, struct error *err)
{
    int shards, wanted = (int)r->config->ledger_shards;
    if (shape_shards(r->redis, r->config, "", &shards, err) != 0) {
        if (err->code != ERROR_STORE)
            return -1;
        *err = (struct error){0};
        shards = wanted;
    }
    if (shards && shards != wanted)
        return error_set(err, ERROR_STORE,
                         "ledger.shards is %d here, %d in the store: a rebuild keeps the number of "
                         "shards; for another one count under a second business name (--business), "
                         "and then point dashboards there",
                         wanted, shards);
    r->shards = shards;
    return 0;
}

/* Does one thing to the business's own store, then to each shard of the ledger, each at its node. */
typedef int at_store(struct rebuild *r, const struct rebuild_store *store, struct error *err);

static int at_every_store(struct rebuild *r, at_store *act, struct error *err)
{
    for (int shard = REBUILD_MAIN; shard < r->shards; shard++) {
        struct rebuild_store store = rebuild_store_of(r->config, shard);
        if (rebuild_store_go(&store, r->config, r->redis, err) != 0 || act(r, &store, err) != 0)
            return rebuild_store_blame(&store, err);
    }
    return 0;
}

static int look_at(struct rebuild *r, const struct rebuild_store *store, struct error *err)
{
    if (rebuild_open_fence(r->redis, store, err) != 0)
        return -1;
    return check_live_size(r, store, err);
}

static int begin_store(struct rebuild *r, const struct rebuild_store *store, struct error *err)
{
    bool begun;
    if (rebuild_begun(r->redis, store, &begun, err) != 0)
        return -1;
    if (!begun || r->options->restart)
        return rebuild_begin(r->redis, r->config, store, err);
    r->goes_on = true;
    return check_begun(r, store, err);
}

static int begin(struct rebuild *r, struct error *err)
{
    struct rebuild_store main_store = rebuild_store_of(r->config, REBUILD_MAIN);
    if (redis_layout(r->redis, r->config, true, err) != 0 || find_ledger(r, err) != 0 ||
        at_every_store(r, look_at, err) != 0)
        return -1;
    printf("The log is counted beside the live counters (%zu keys), which stay as they are.\n",
           r->live_keys);
    if (at_every_store(r, begin_store, err) != 0)
        return -1;
    if (r->goes_on)
        printf("An earlier rebuild was interrupted; this one goes on where it stood.\n");
    fflush(stdout);
    if (rebuild_store_go(&main_store, r->config, r->redis, err) != 0)
        return -1;
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

static int count_with(struct rebuild *r, const struct kind *kind, struct worker_options options,
                      struct error *err)
{
    struct worker *worker;
    enum worker_turn turn = WORKER_GOES_ON;
    if (worker_open(&worker, r->config, kind, options, err) != 0)
        return -1;
    while (turn == WORKER_GOES_ON && !command_stopping()) {
        turn = worker_step(worker, TURN_MS, err);
        tell(r, kind, worker);
    }
    worker_stop(worker, STOP_MS);
    if (!kind->sharded) /* which reads what the others read */
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

static int count_kind(struct rebuild *r, int k, struct error *err)
{
    struct worker_options options = {.exit_at_end = true,
                                     .accept_gap = r->options->accept_gap,
                                     .rebuild = true,
                                     .letters_from = r->letters_from[k],
                                     .letters_count = r->partitions[k]};
    return count_with(r, kinds[k], options, err);
}

static int count_customers(struct rebuild *r, struct error *err)
{
    struct worker_options options = {
        .exit_at_end = true, .accept_gap = r->options->accept_gap, .rebuild = true};
    return r->shards ? count_with(r, &customers_worker_kind, options, err) : 0;
}

/* One after the other; when the later ones took long, what came for the first meanwhile is small. */
static int count(struct rebuild *r, struct error *err)
{
    if (count_kind(r, 0, err) != 0)
        return -1;
    int64_t begin_ms = clock_mono_ms();
    if (count_kind(r, 1, err) != 0 || count_customers(r, err) != 0)
        return -1;
    if (clock_mono_ms() - begin_ms <= AGAIN_MS)
        return 0;
    if (count_kind(r, 0, err) != 0)
        return -1;
    return r->shards ? count_kind(r, 1, err) : 0;
}

/* ---- the whole ---- */

/* Live keys again: they have grown meanwhile. */
static int switch_store(struct rebuild *r, const struct rebuild_store *store, struct error *err)
{
    size_t before, after;
    if (rebuild_switch(r->redis, r->config, store, &before, &after, err) != 0)
        return -1;
    r->replaced += before;
    r->placed += after;
    return 0;
}

/* The business's own first: each store is exact by itself, whatever happens between two of them. */
static int take_place(struct rebuild *r, struct error *err)
{
    r->live_keys = r->largest = 0;
    if (at_every_store(r, check_live_size, err) != 0)
        return -1;
    printf("%" PRId64 " records counted. Now the live counters are replaced in one step%s; Redis "
           "stands still for\nabout %zu ms%s, and workers wait meanwhile.\n",
           r->records, r->shards ? " for each store" : "", 1 + 2 * r->largest * SWITCH_NS / 1000000,
           r->shards ? " at most each time" : "");
    fflush(stdout);
    if (at_every_store(r, switch_store, err) != 0)
        return -1;
    printf("Done: %zu keys took the place of %zu. Workers with these settings go on from here; "
           "those with\nothers stop and say which. The reporter publishes every day anew.\n",
           r->placed, r->replaced);
    return 0;
}

static int rebuild(struct rebuild *r, struct error *err)
{
    /* Before there are threads. */
    if (zone_open(&r->zone, r->config->timezone, err) != 0)
        return -1;
    definition_write(r->config, r->zone, r->definition);
    if (redis_open(&r->redis, r->config, err) != 0 || begin(r, err) != 0 || count(r, err) != 0 ||
        take_place(r, err) != 0)
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
    zone_free(r.zone);
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
    "brokers",       "redis",           "redis.password.file",
    "redis.ca.file", "redis.cert.file", "redis.key.file",
    "redis.timeout", "business",        "timezone",
    "topics.sales",  "topics.service",  "topics.rejected",
    "type.prefix",   "group",           "scopes",
    "scope.limit",   "ledger.shards",   "ledger.from",
    "ledger.limit",  "flush.ms",        "flush.cells",
    "dedup.window",  "connect.timeout", "topic.id.check",
    "log.level",     "log.format",      NULL,
};

const struct command rebuild_command = {
    .name = "rebuild",
    .args = "",
    .summary = "Count the log anew and replace the counters",
    .about =
        "For new settings - time zone, scopes, window of duplicates - and for damaged counters.\n"
        "Counts both topics from their beginning into a second set of keys, while workers and\n"
        "dashboards go on with the live one; then the second takes the place of the first in\n"
        "one step. So does each shard of the ledger, where customers are counted. Workers with\n"
        "the new settings go on from there; those with the old ones stop and say which differ.\n"
        "Redis needs room for both sets meanwhile.\n"
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

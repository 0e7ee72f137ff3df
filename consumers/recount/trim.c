#include "consumers/recount/trim.h"

#include "trim_lua.h"

#include "common/calendar.h"
#include "common/clock.h"
#include "common/redis.h"
#include "common/redis_layout.h"
#include "common/redis_url.h"
#include "common/zone.h"
#include "consumers/customers/ledger_key.h"
#include "consumers/recount/keylist.h"
#include "consumers/reporter/key.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    STEP_KEYS = 500, /* keys of one UNLINK: well under a millisecond */
    PASSES_MAX = 10  /* a reporter in the middle of a round may write a period once more */
};

struct trim_options {
    const char *before;
    bool dry_run;
};

struct trim {
    const struct config *config;
    struct redis *redis;
    int32_t floor, today;
    bool dry_run;
    int shards; /* of the ledger, 0: there is none */
};

/* Where the business's own keys are, among the shards of its ledger. */
enum { MAIN = -1 };

/* ---- which keys ---- */

/* The word up to the next ':'; *rest stands behind it. */
static struct text take_part(const char **rest)
{
    struct text part = {*rest, strcspn(*rest, ":")};
    *rest += part.len + ((*rest)[part.len] == ':');
    return part;
}

/* "month:2026-11:all" or "current:month:all". */
static bool begins_before(const char *rest, int32_t floor, int32_t today)
{
    struct period period;
    enum period_kind kind;
    struct text word = take_part(&rest), name = take_part(&rest);
    if (text_is(word, "current"))
        return period_kind_parse(name, &kind) && period_of(kind, today).first < floor;
    return period_kind_parse(word, &kind) && period_parse(name, &period) && period.first < floor;
}

bool trim_forgets(const char *rest, int32_t floor, int32_t today)
{
    struct counter_key counter;
    if (strncmp(rest, "rebuild:", 8) == 0)
        rest += 8;
    if (strncmp(rest, "comparison:", 11) == 0)
        return begins_before(rest + 11, floor, today);
    if (strncmp(rest, "table:", 6) == 0)
        return begins_before(rest + 6, floor, today);
    if (!counter_key_parse(rest, &counter) || counter.time == TALLY_UNDATED)
        return false;
    return (counter.time == TALLY_HOUR ? counter.slot / 24 : counter.slot) < floor;
}

static bool wanted(const void *context, const char *rest)
{
    const struct trim *t = context;
    return trim_forgets(rest, t->floor, t->today);
}

/* "3}:customer:day:2026-01-10:all": of any shard, behind "tandem:{main." */
static bool wanted_of_shard(const void *context, const char *rest)
{
    size_t digits = strspn(rest, "0123456789");
    return digits > 0 && strncmp(rest + digits, "}:", 2) == 0 && wanted(context, rest + digits + 2);
}

/* ---- where they are ---- */

static char *key_of(const struct trim *t, int shard, const char *rest, char out[KEY_MAX])
{
    char prefix[LEDGER_PREFIX_MAX];
    if (shard == MAIN)
        return key_format(out, t->config->business, "%s", rest);
    snprintf(out, KEY_MAX, "%s%s", ledger_prefix(prefix, t->config->business, shard), rest);
    return out;
}

/* In a cluster the business and each shard may be on nodes of their own. */
static int go_to(const struct trim *t, int shard, struct error *err)
{
    char key[KEY_MAX];
    return redis_wait_for(t->redis, t->config, key_of(t, shard, "floor", key), err);
}

/* Every ledger has a shard 0. One that is being rebuilt may come to have more of them. */
static int find_shards(struct trim *t, struct error *err)
{
    static const char *const rests[] = {"position:customers", "rebuild:position:customers"};
    char key[KEY_MAX];
    if (go_to(t, 0, err) != 0)
        return -1;
    for (size_t i = 0; i < sizeof rests / sizeof *rests; i++) {
        redisReply *reply;
        if (redis_callf(t->redis, &reply, err, "HGET %s definition", key_of(t, 0, rests[i], key)) !=
            REDIS_OK)
            return -1;
        bool there = reply->str != NULL;
        int shards = ledger_shards_in(reply->str);
        freeReplyObject(reply);
        if (there && shards == 0)
            return error_set(err, ERROR_STORE, "%s: its definition does not tell ledger.shards",
                             key);
        t->shards = shards > t->shards ? shards : t->shards;
    }
    return 0;
}

/* ---- moving the floor ---- */

static int above(const struct trim *t, const char *before, struct error *err)
{
    char date[11];
    return error_set(err, ERROR_INPUT,
                     "everything before %s is forgotten already: the floor cannot move back to %s",
                     before, calendar_format_date(t->floor, date));
}

static int read_floor(const struct trim *t, char before[11], struct error *err)
{
    char date[11], key[KEY_MAX];
    redisReply *reply;
    if (go_to(t, MAIN, err) != 0 ||
        redis_callf(t->redis, &reply, err, "GET %s", key_of(t, MAIN, "floor", key)) != REDIS_OK)
        return -1;
    snprintf(before, 11, "%s", reply->str ? reply->str : "");
    freeReplyObject(reply);
    if (strcmp(before, calendar_format_date(t->floor, date)) > 0)
        return above(t, before, err);
    return 0;
}

/* What the script answered; of the shards only when something is wrong. */
static int take_moved(const struct trim *t, int shard, const redisReply *reply, struct error *err)
{
    char date[11];
    calendar_format_date(t->floor, date);
    if (reply->elements != 2 || !reply->element[0]->str || !reply->element[1]->str)
        return error_set(err, ERROR_REDIS, "an answer of an unexpected form");
    if (strcmp(reply->element[0]->str, "above") == 0)
        return above(t, reply->element[1]->str, err);
    if (shard != MAIN)
        return 0;
    if (strcmp(reply->element[0]->str, "moved") == 0)
        printf("The floor is %s now; late events before it count only as before_floor.\n", date);
    else
        printf("The floor was %s already.\n", date);
    return 0;
}

/* A shard has the positions of both topics in one hash. */
static int move_floor_of(const struct trim *t, int shard, struct error *err)
{
    static const char *const main_rests[] = {"floor",
                                             "floors",
                                             "position:sales",
                                             "position:service",
                                             "rebuild:floors",
                                             "rebuild:position:sales",
                                             "rebuild:position:service"};
    static const char *const shard_rests[] = {"floor",
                                              "floors",
                                              "position:customers",
                                              "position:customers",
                                              "rebuild:floors",
                                              "rebuild:position:customers",
                                              "rebuild:position:customers"};
    enum { KEYS = sizeof main_rests / sizeof *main_rests };
    char keys[KEYS][KEY_MAX], date[11];
    const char *argv[KEYS + 1];
    struct redis_script script;
    redisReply *reply;
    for (int i = 0; i < KEYS; i++)
        argv[i] = key_of(t, shard, shard == MAIN ? main_rests[i] : shard_rests[i], keys[i]);
    argv[KEYS] = calendar_format_date(t->floor, date);
    redis_script_init(&script, trim_lua);
    if (go_to(t, shard, err) != 0 ||
        redis_eval(t->redis, &script, KEYS, &reply, err, KEYS + 1, argv, NULL) != REDIS_OK)
        return -1;
    int rc = take_moved(t, shard, reply, err);
    freeReplyObject(reply);
    return rc;
}

/* The business's first: that one decides what may be forgotten, and none of the shards is ahead of
 * it. All of them before anything is deleted. */
static int move_floors(const struct trim *t, struct error *err)
{
    for (int shard = MAIN; shard < t->shards; shard++)
        if (move_floor_of(t, shard, err) != 0)
            return shard == MAIN ? -1 : error_prefix(err, "shard %d of the ledger", shard);
    return 0;
}

/* ---- deleting ---- */

static int unlink_step(const struct trim *t, char *const *keys, size_t count, struct error *err)
{
    const char *argv[STEP_KEYS + 1] = {"UNLINK"};
    redisReply *reply;
    if (command_stopping())
        return error_set(err, ERROR_STOPPED,
                         "stopped: the floor stands, not all keys are deleted yet; the same "
                         "command goes on");
    for (size_t i = 0; i < count; i++)
        argv[i + 1] = keys[i];
    if (redis_call(t->redis, &reply, err, (int)count + 1, argv, NULL) != REDIS_OK)
        return -1;
    freeReplyObject(reply);
    return 0;
}

/* The length up to and with the hash tag: only keys of one slot may be named in one command. */
static size_t tag_of(const char *key)
{
    return strcspn(key, "}");
}

static int unlink_all(const struct trim *t, const struct keylist *keys, struct error *err)
{
    for (size_t at = 0, next = 0; at < keys->count; at = next) {
        size_t tag = tag_of(keys->list[at]);
        while (next < keys->count && next - at < STEP_KEYS &&
               strncmp(keys->list[at], keys->list[next], tag + 1) == 0)
            next++;
        if (unlink_step(t, keys->list + at, next - at, err) != 0)
            return -1;
    }
    return 0;
}

/* The keys of the node one is at: of the business, or of all its shards that are there. */
static int list_keys(const struct trim *t, int shard, struct keylist *keys, struct error *err)
{
    char prefix[KEY_MAX];
    snprintf(prefix, sizeof prefix, shard == MAIN ? "tandem:{%s}:" : "tandem:{%s.",
             t->config->business);
    return keylist_scan(keys, t->redis, prefix, shard == MAIN ? wanted : wanted_of_shard, t, err);
}

/* Until a pass finds nothing more. */
static int forget(const struct trim *t, int shard, size_t *deleted, struct error *err)
{
    struct keylist keys = {0};
    int rc = 0;
    for (int pass = 0; pass < PASSES_MAX && rc == 0; pass++) {
        rc = list_keys(t, shard, &keys, err);
        size_t found = keys.count;
        if (rc == 0)
            rc = unlink_all(t, &keys, err);
        keylist_clear(&keys);
        if (found == 0)
            break;
        *deleted += rc == 0 ? found : 0;
    }
    return rc;
}

static int count_keys(const struct trim *t, int shard, size_t *count, struct error *err)
{
    struct keylist keys = {0};
    int rc = list_keys(t, shard, &keys, err);
    *count += keys.count;
    keylist_clear(&keys);
    return rc;
}

typedef int at_node(const struct trim *t, int shard, size_t *count, struct error *err);

/* Each node that has shards once, however many: going through its keys takes its time. The shards
 * before the business, whose customer counters the reporter makes of theirs. */
static int at_every_node(const struct trim *t, at_node *act, size_t *count, struct error *err)
{
    char been[LEDGER_SHARDS_MAX][sizeof((struct redis_url *)NULL)->address];
    int nodes = 0;
    *count = 0;
    for (int shard = 0; shard < t->shards; shard++) {
        int node = 0;
        if (go_to(t, shard, err) != 0)
            return -1;
        while (node < nodes && strcmp(been[node], redis_address(t->redis)) != 0)
            node++;
        if (node < nodes)
            continue;
        snprintf(been[nodes++], sizeof *been, "%s", redis_address(t->redis));
        if (act(t, shard, count, err) != 0)
            return -1;
    }
    return go_to(t, MAIN, err) == 0 ? act(t, MAIN, count, err) : -1;
}

/* ---- the command ---- */

static int trim(struct trim *t, struct error *err)
{
    char date[11], before[11];
    size_t count;
    calendar_format_date(t->floor, date);
    if (find_shards(t, err) != 0 || read_floor(t, before, err) != 0 ||
        at_every_node(t, count_keys, &count, err) != 0)
        return -1;
    printf("%zu keys lie before %s: counters of its days and hours, comparisons and tables of "
           "periods that begin there.\n",
           count, date);
    if (t->dry_run) {
        printf("Nothing was changed; the floor is %s.\n", before[0] ? before : "not set");
        return 0;
    }
    fflush(stdout);
    if (move_floors(t, err) != 0 || at_every_node(t, forget, &count, err) != 0)
        return -1;
    printf("%zu keys deleted.\n", count);
    return 0;
}

static int take_options(struct trim *t, const struct trim_options *own, const struct zone *zone,
                        struct error *err)
{
    char date[11];
    if (!own->before)
        return error_set(err, ERROR_USAGE, "before which day? --before 2024-01-01");
    if (!calendar_parse_date(text_of(own->before), &t->floor) || t->floor < CALENDAR_DAY_MIN)
        return error_set(err, ERROR_USAGE, "--before %.40s: must be a day such as 2024-01-01",
                         own->before);
    t->today = zone_day(zone, clock_wall_ms() / 1000);
    if (t->floor > t->today)
        return error_set(err, ERROR_USAGE, "--before %s: must not be after today, %s", own->before,
                         calendar_format_date(t->today, date));
    t->dry_run = own->dry_run;
    return 0;
}

static int run(const struct config *config, const void *options, int argc, char **argv,
               struct error *err)
{
    struct trim t = {.config = config};
    struct zone *zone;
    (void)argc;
    (void)argv;
    if (zone_open(&zone, config->timezone, err) != 0)
        return 2;
    int rc = take_options(&t, options, zone, err);
    zone_free(zone);
    if (rc != 0)
        return 2;
    command_catch_signals();
    rc = redis_open(&t.redis, config, err);
    if (rc == 0)
        rc = redis_layout(t.redis, config, false, err);
    if (rc == 0)
        rc = trim(&t, err);
    if (rc == 0 && fflush(stdout) != 0)
        rc = error_set(err, ERROR_SYSTEM, "cannot write to standard output");
    redis_free(t.redis);
    return rc == 0 ? 0 : 1;
}

static const struct command_option words[] = {
    {"before", 0, OPTION_STRING, "DATE", offsetof(struct trim_options, before), 0, 0,
     "the first day that is kept, such as 2024-01-01; at most today"},
    {"dry-run", 0, OPTION_FLAG, NULL, offsetof(struct trim_options, dry_run), 0, 0,
     "only say how many keys lie before it"},
    {0},
};

static const char *const settings[] = {
    "redis",           "redis.password.file",
    "redis.ca.file",   "redis.cert.file",
    "redis.key.file",  "redis.timeout",
    "business",        "timezone",
    "connect.timeout", NULL,
};

const struct command trim_command = {
    .name = "trim",
    .args = "",
    .summary = "Forget the counters before a day",
    .about =
        "Moves the floor, the first day that is kept, up to DATE, says how many keys lie before\n"
        "it and deletes them: counters of days and hours, and comparisons and tables of\n"
        "periods that begin before it. In the ledger of customers too, where what is known of\n"
        "a customer stays. Workers and reporters may go on. From then on an event of an earlier\n"
        "day adds only to before_floor, so that it cannot bring back a day with a part of its\n"
        "counters. The floor never moves back; the log in Kafka is not touched. Run again, it\n"
        "deletes what is left.\n"
        "\n"
        "  tandem trim --before 2024-01-01 --dry-run\n"
        "  tandem trim --before 2024-01-01\n",
    .options = words,
    .settings = settings,
    .options_size = sizeof(struct trim_options),
    .run = run,
};

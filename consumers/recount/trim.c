#include "consumers/recount/trim.h"

#include "trim_lua.h"

#include "common/calendar.h"
#include "common/clock.h"
#include "common/redis.h"
#include "common/zone.h"
#include "consumers/reporter/key.h"
#include "consumers/recount/keylist.h"

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
    char prefix[64];
};

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
    char date[11];
    redisReply *reply;
    if (redis_callf(t->redis, &reply, err, "GET %sfloor", t->prefix) != REDIS_OK)
        return -1;
    snprintf(before, 11, "%s", reply->str ? reply->str : "");
    freeReplyObject(reply);
    if (strcmp(before, calendar_format_date(t->floor, date)) > 0)
        return above(t, before, err);
    return 0;
}

static int move_floor(const struct trim *t, struct error *err)
{
    static const char *const rests[] = {"floor",
                                        "floors",
                                        "position:sales",
                                        "position:service",
                                        "rebuild:floors",
                                        "rebuild:position:sales",
                                        "rebuild:position:service"};
    enum { KEYS = sizeof rests / sizeof *rests };
    char keys[KEYS][KEY_MAX], date[11];
    const char *argv[KEYS + 1];
    struct redis_script script;
    redisReply *reply;
    int rc = 0;
    for (int i = 0; i < KEYS; i++)
        argv[i] = key_format(keys[i], t->config->business, "%s", rests[i]);
    argv[KEYS] = calendar_format_date(t->floor, date);
    redis_script_init(&script, trim_lua);
    if (redis_eval(t->redis, &script, KEYS, &reply, err, KEYS + 1, argv, NULL) != REDIS_OK)
        return -1;
    if (reply->elements != 2 || !reply->element[0]->str || !reply->element[1]->str)
        rc = error_set(err, ERROR_REDIS, "an answer of an unexpected form");
    else if (strcmp(reply->element[0]->str, "above") == 0)
        rc = above(t, reply->element[1]->str, err);
    else if (strcmp(reply->element[0]->str, "moved") == 0)
        printf("The floor is %s now; late events before it count only as before_floor.\n", date);
    else
        printf("The floor was %s already.\n", date);
    freeReplyObject(reply);
    return rc;
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

static int unlink_all(const struct trim *t, const struct keylist *keys, struct error *err)
{
    for (size_t at = 0; at < keys->count; at += STEP_KEYS) {
        size_t left = keys->count - at;
        if (unlink_step(t, keys->list + at, left < STEP_KEYS ? left : STEP_KEYS, err) != 0)
            return -1;
    }
    return 0;
}

/* Until a pass finds nothing more. */
static int forget(const struct trim *t, size_t *deleted, struct error *err)
{
    struct keylist keys = {0};
    int rc = 0;
    *deleted = 0;
    for (int pass = 0; pass < PASSES_MAX && rc == 0; pass++) {
        rc = keylist_scan(&keys, t->redis, t->prefix, wanted, t, err);
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

static int count_keys(const struct trim *t, size_t *count, struct error *err)
{
    struct keylist keys = {0};
    int rc = keylist_scan(&keys, t->redis, t->prefix, wanted, t, err);
    *count = keys.count;
    keylist_clear(&keys);
    return rc;
}

/* ---- the command ---- */

static int trim(const struct trim *t, struct error *err)
{
    char date[11], before[11];
    size_t count;
    calendar_format_date(t->floor, date);
    if (read_floor(t, before, err) != 0 || count_keys(t, &count, err) != 0)
        return -1;
    printf("%zu keys lie before %s: counters of its days and hours, comparisons and tables of "
           "periods that begin there.\n",
           count, date);
    if (t->dry_run) {
        printf("Nothing was changed; the floor is %s.\n", before[0] ? before : "not set");
        return 0;
    }
    fflush(stdout);
    if (move_floor(t, err) != 0 || forget(t, &count, err) != 0)
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
    snprintf(t.prefix, sizeof t.prefix, "tandem:{%s}:", config->business);
    rc = redis_open(&t.redis, config, err);
    if (rc == 0)
        rc = redis_wait(t.redis, config, err);
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
    "redis.ca.file",   "redis.timeout",
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
        "periods that begin before it. Workers and reporters may go on. From then on an event\n"
        "of an earlier day adds only to before_floor, so that it cannot bring back a day with\n"
        "a part of its counters. The floor never moves back; the log in Kafka is not touched.\n"
        "Run again, it deletes what is left.\n"
        "\n"
        "  tandem trim --before 2024-01-01 --dry-run\n"
        "  tandem trim --before 2024-01-01\n",
    .options = words,
    .settings = settings,
    .options_size = sizeof(struct trim_options),
    .run = run,
};

#include "consumers/reporter/totals.h"

#include "common/calendar.h"
#include "common/random.h"
#include "consumers/reporter/key.h"
#include "totals_lua.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IN_FLIGHT = 500, FIELDS_MAX = 1000 };

/* Hashes asked for of one shard, by the total they belong to. */
struct reading {
    struct total *list;
    struct shard *shard;
    size_t asked[IN_FLIGHT], count;
};

void totals_clear(struct total *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        counters_free(list[i].sums);
        list[i].sums = NULL;
    }
}

static int add_reply(struct counters *sums, const redisReply *reply, struct error *err)
{
    for (size_t i = 0; i + 1 < reply->elements; i += 2) {
        const redisReply *name = reply->element[i], *value = reply->element[i + 1];
        if (counters_add_field(sums, (struct text){name->str, name->len},
                               (struct text){value->str, value->len}, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int receive_all(struct reading *reading, struct error *err)
{
    for (size_t i = 0; i < reading->count; i++) {
        redisReply *reply = NULL;
        if (redis_receive(reading->shard->redis, &reply, err) != REDIS_OK) {
            return -1;
        }
        int rc = add_reply(reading->list[reading->asked[i]].sums, reply, err);
        freeReplyObject(reply);
        if (rc != 0) {
            return -1;
        }
    }
    reading->count = 0;
    return 0;
}

static char *day_key(char out[KEY_MAX], const char *name, int32_t day, const char *scope)
{
    char date[11];
    if (day == TOTALS_NO_DAY) {
        return key_format(out, name, "customer:undated");
    }
    return key_format(out, name, "customer:day:%s:%s", calendar_format_date(day, date), scope);
}

static int ask(struct reading *reading, size_t i, const char *scope, struct error *err)
{
    char key[KEY_MAX];
    const char *argv[] = {"HGETALL",
                          day_key(key, reading->shard->name, reading->list[i].day, scope)};
    if (reading->count == IN_FLIGHT && receive_all(reading, err) != 0) {
        return -1;
    }
    reading->asked[reading->count++] = i;
    return redis_send(reading->shard->redis, err, 2, argv, NULL) == REDIS_OK ? 0 : -1;
}

static int ask_sources(struct reading *reading, size_t i, int k, const struct scopemap *map,
                       struct error *err)
{
    const struct total *total = &reading->list[i];
    uint64_t shards;
    size_t cursor = 0;
    const char *scope;
    if (total->day == TOTALS_NO_DAY) {
        return ask(reading, i, "", err);
    }
    while ((scope = scopemap_source(map, total->scope, &cursor, &shards))) {
        if ((shards >> k & 1) && ask(reading, i, scope, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int read_shard(struct total *list, size_t count, struct shards *shards, int k,
                      const struct scopemap *map, struct error *err)
{
    struct reading reading = {.list = list, .shard = shards_at(shards, k)};
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = ask_sources(&reading, i, k, map, err);
    }
    if (rc != 0 || receive_all(&reading, err) != 0) {
        redis_disconnect(reading.shard->redis);
        return error_prefix(err, "shard %d of the ledger", k);
    }
    return 0;
}

int totals_read(struct total *list, size_t count, struct shards *shards, const struct scopemap *map,
                struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (!list[i].sums && counters_open(&list[i].sums, err) != 0) {
            return -1;
        }
        counters_clear(list[i].sums);
    }
    for (int k = 0; k < shards_count(shards); k++) {
        if (read_shard(list, count, shards, k, map, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* The words of one call, and the texts made for it. */
struct call {
    const char **argv;
    size_t *lengths;
    char (*keys)[KEY_MAX];
    char (*numbers)[24];
    size_t argc, number_count;
    char dirty[KEY_MAX], mark[17], marks[TOTALS_MAX][KEY_SCOPE_MAX + 24];
};

static void push(struct call *call, struct text word)
{
    call->argv[call->argc] = word.at;
    call->lengths[call->argc++] = word.len;
}

static void push_number(struct call *call, int64_t number)
{
    char *text = call->numbers[call->number_count++];
    int len = snprintf(text, sizeof *call->numbers, "%" PRId64, number);
    push(call, (struct text){text, (size_t)len});
}

static void push_mark(struct call *call, const struct total *total, size_t i)
{
    char date[11], *mark = call->marks[i];
    mark[0] = '\0';
    if (total->day != TOTALS_NO_DAY) {
        snprintf(mark, sizeof *call->marks, "customer:%s:%s",
                 calendar_format_date(total->day, date), total->scope);
    }
    push(call, text_of(mark));
}

static int64_t fields_of(const struct total *total)
{
    int64_t fields = 0;
    for (size_t i = 0; i < counters_count(total->sums); i++) {
        __int128 sum;
        counters_at(total->sums, i, &sum);
        fields += sum != 0;
    }
    return fields;
}

/* A sum that is 0 is left out: absent and 0 are the same. */
static int push_total(struct call *call, const struct total *total, size_t place, struct error *err)
{
    push_mark(call, total, place);
    push_number(call, fields_of(total));
    for (size_t i = 0; i < counters_count(total->sums); i++) {
        __int128 sum;
        struct text name = counters_at(total->sums, i, &sum);
        if (sum > INT64_MAX || sum < INT64_MIN) {
            return error_set(err, ERROR_STORE, "the customer counter %.*s is beyond 64 bits",
                             TEXT_ARG(name));
        }
        if (sum != 0) {
            push(call, name);
            push_number(call, (int64_t)sum);
        }
    }
    return 0;
}

static int make_room(struct call *call, const struct total *list, size_t count, struct error *err)
{
    size_t fields = 0;
    for (size_t i = 0; i < count; i++) {
        size_t own = counters_count(list[i].sums);
        if (own > FIELDS_MAX) {
            return error_set(err, ERROR_STORE, "%zu customer counters on one day", own);
        }
        fields += own;
    }
    call->argv = calloc(4 + 3 * count + 2 * fields, sizeof *call->argv);
    call->lengths = calloc(4 + 3 * count + 2 * fields, sizeof *call->lengths);
    call->keys = calloc(count + 1, sizeof *call->keys);
    call->numbers = calloc(count + fields + 1, sizeof *call->numbers);
    return call->argv && call->lengths && call->keys && call->numbers ? 0 : error_memory(err);
}

static int fill(struct call *call, const struct total *list, size_t count, const char *business,
                const struct lease *lease, struct error *err)
{
    snprintf(call->mark, sizeof call->mark, "%016" PRIx64, random_u64());
    push(call, text_of(lease_key(lease)));
    push(call, text_of(key_format(call->dirty, business, "dirty")));
    for (size_t i = 0; i < count; i++) {
        push(call, text_of(day_key(call->keys[i], business, list[i].day, list[i].scope)));
    }
    push(call, text_of(lease_token(lease)));
    push(call, text_of(call->mark));
    for (size_t i = 0; i < count; i++) {
        if (push_total(call, &list[i], i, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int run(struct call *call, size_t count, struct redis *redis, bool *held, struct error *err)
{
    struct redis_script script;
    redisReply *reply = NULL;
    redis_script_init(&script, totals_lua);
    if (redis_eval(redis, &script, (int)count + 2, &reply, err, (int)call->argc, call->argv,
                   call->lengths) != REDIS_OK) {
        return -1;
    }
    *held = reply->type == REDIS_REPLY_INTEGER && reply->integer >= 0;
    freeReplyObject(reply);
    return 0;
}

int totals_write(const struct total *list, size_t count, struct redis *redis, const char *business,
                 const struct lease *lease, bool *held, struct error *err)
{
    *held = true;
    if (count == 0) {
        return 0;
    }
    struct call *call = calloc(1, sizeof *call);
    if (!call) {
        return error_memory(err);
    }
    int rc = make_room(call, list, count, err);
    if (rc == 0 && (rc = fill(call, list, count, business, lease, err)) == 0) {
        rc = run(call, count, redis, held, err);
    }
    free(call->argv);
    free(call->lengths);
    free(call->keys);
    free(call->numbers);
    free(call);
    return rc;
}

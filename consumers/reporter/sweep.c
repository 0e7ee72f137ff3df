#include "consumers/reporter/sweep.h"

#include "common/calendar.h"
#include "consumers/reporter/key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUSINESS = -1 };

struct sweep {
    char business[64], pattern[128];
    int nodes[SHARDS_MAX + 1]; /* one connection to each Redis: BUSINESS or a shard */
    int node_count, node;
    char cursor[32];
    bool runs, ready;
    struct swept *list;
    size_t first, count, room;
};

int sweep_open(struct sweep **out, const char *business, struct error *err)
{
    struct sweep *sweep = calloc(1, sizeof *sweep);
    if (!sweep) {
        return error_memory(err);
    }
    snprintf(sweep->business, sizeof sweep->business, "%s", business);
    snprintf(sweep->pattern, sizeof sweep->pattern, "tandem:{%s*}:customer:day:*", business);
    *out = sweep;
    return 0;
}

static void empty(struct sweep *sweep)
{
    for (size_t i = 0; i < sweep->count; i++) {
        free(sweep->list[i].scope);
    }
    sweep->first = sweep->count = 0;
    sweep->ready = false;
}

void sweep_end(struct sweep *sweep)
{
    empty(sweep);
    sweep->runs = false;
}

void sweep_free(struct sweep *sweep)
{
    if (sweep) {
        empty(sweep);
        free(sweep->list);
        free(sweep);
    }
}

bool sweep_runs(const struct sweep *sweep)
{
    return sweep->runs;
}

/* Which server this is: shards of one Redis are walked over together. */
static int ask_server(struct redis *redis, char out[64], struct error *err)
{
    redisReply *reply = NULL;
    if (redis_callf(redis, &reply, err, "INFO server") != REDIS_OK) {
        return -1;
    }
    const char *at = reply->str ? strstr(reply->str, "run_id:") : NULL;
    snprintf(out, 64, "%.*s", at ? (int)strcspn(at, "\r\n") : 0, at ? at : "");
    freeReplyObject(reply);
    return 0;
}

static struct redis *redis_of(int node, struct redis *redis, struct shards *shards)
{
    return node == BUSINESS ? redis : shards_at(shards, node)->redis;
}

int sweep_begin(struct sweep *sweep, struct redis *redis, struct shards *shards, struct error *err)
{
    char servers[SHARDS_MAX + 1][64];
    sweep_end(sweep);
    sweep->node_count = sweep->node = 0;
    for (int node = BUSINESS; node < shards_count(shards); node++) {
        char *server = servers[sweep->node_count];
        if (ask_server(redis_of(node, redis, shards), server, err) != 0) {
            return -1;
        }
        bool known = false;
        for (int i = 0; i < sweep->node_count && server[0]; i++) {
            known = known || strcmp(servers[i], server) == 0;
        }
        if (!known) {
            sweep->nodes[sweep->node_count++] = node;
        }
    }
    strcpy(sweep->cursor, "0");
    sweep->runs = true;
    return 0;
}

static bool skip(struct text *text, const char *prefix)
{
    size_t len = strlen(prefix);
    if (text->len < len || memcmp(text->at, prefix, len) != 0) {
        return false;
    }
    text->at += len;
    text->len -= len;
    return true;
}

static bool take_number(struct text *text, int *out)
{
    size_t digits = 0;
    *out = 0;
    while (digits < text->len && digits < 3 && text->at[digits] >= '0' && text->at[digits] <= '9') {
        *out = *out * 10 + (text->at[digits++] - '0');
    }
    text->at += digits;
    text->len -= digits;
    return digits > 0;
}

bool sweep_parse(struct text key, const char *business, int *shard, int32_t *day,
                 struct text *scope)
{
    *shard = BUSINESS;
    if (!skip(&key, "tandem:{") || !skip(&key, business) ||
        (skip(&key, ".") && !take_number(&key, shard)) || !skip(&key, "}:customer:day:") ||
        key.len < 12 || key.at[10] != ':' || !calendar_parse_date((struct text){key.at, 10}, day)) {
        return false;
    }
    *scope = (struct text){key.at + 11, key.len - 11};
    return key_scope_valid(*scope);
}

static int add(struct sweep *sweep, int32_t day, struct text scope, struct error *err)
{
    if (sweep->count == sweep->room) {
        size_t room = sweep->room ? sweep->room * 2 : 1024;
        struct swept *list = realloc(sweep->list, room * sizeof *list);
        if (!list) {
            return error_memory(err);
        }
        sweep->list = list;
        sweep->room = room;
    }
    char *copy = strndup(scope.at, scope.len);
    if (!copy) {
        return error_memory(err);
    }
    sweep->list[sweep->count++] = (struct swept){day, copy};
    return 0;
}

/* A scope that the map does not know was counted for the first time since names were read: its mark
 * tells of it. */
static int add_key(struct sweep *sweep, struct text key, int shards, const struct scopemap *map,
                   struct error *err)
{
    int shard;
    int32_t day;
    struct text scope;
    if (!sweep_parse(key, sweep->business, &shard, &day, &scope) || shard >= shards) {
        return 0;
    }
    if (shard != BUSINESS) {
        scope = text_of(scopemap_target(map, scope));
    }
    return scope.at ? add(sweep, day, scope, err) : 0;
}

static int compare(const void *left, const void *right)
{
    const struct swept *a = left, *b = right;
    int scopes = strcmp(a->scope, b->scope);
    return scopes ? scopes : (a->day > b->day) - (a->day < b->day);
}

static void sort(struct sweep *sweep)
{
    if (sweep->count == 0) {
        return;
    }
    qsort(sweep->list, sweep->count, sizeof *sweep->list, compare);
    size_t kept = 1;
    for (size_t i = 1; i < sweep->count; i++) {
        if (compare(&sweep->list[kept - 1], &sweep->list[i]) == 0) {
            free(sweep->list[i].scope);
        } else {
            sweep->list[kept++] = sweep->list[i];
        }
    }
    sweep->count = kept;
}

static int take_page(struct sweep *sweep, const redisReply *reply, int shards,
                     const struct scopemap *map, struct error *err)
{
    if (reply->elements != 2 || reply->element[0]->len >= sizeof sweep->cursor) {
        return error_set(err, ERROR_REDIS, "SCAN: an answer of another form");
    }
    memcpy(sweep->cursor, reply->element[0]->str, reply->element[0]->len + 1);
    const redisReply *keys = reply->element[1];
    for (size_t i = 0; i < keys->elements; i++) {
        struct text key = {keys->element[i]->str, keys->element[i]->len};
        if (add_key(sweep, key, shards, map, err) != 0) {
            return -1;
        }
    }
    return 0;
}

int sweep_read(struct sweep *sweep, struct redis *redis, struct shards *shards,
               const struct scopemap *map, bool *ready, int *shard, struct error *err)
{
    *ready = sweep->ready;
    if (sweep->ready) {
        return 0;
    }
    redisReply *reply = NULL;
    *shard = sweep->nodes[sweep->node];
    if (redis_callf(redis_of(*shard, redis, shards), &reply, err, "SCAN %s MATCH %s COUNT 1000",
                    sweep->cursor, sweep->pattern) != REDIS_OK) {
        return -1;
    }
    int rc = take_page(sweep, reply, shards_count(shards), map, err);
    freeReplyObject(reply);
    sweep->node += strcmp(sweep->cursor, "0") == 0;
    if (sweep->count >= SWEEP_MAX || sweep->node == sweep->node_count) {
        sort(sweep);
        *ready = sweep->ready = true;
    }
    return rc;
}

size_t sweep_count(const struct sweep *sweep)
{
    return sweep->count - sweep->first;
}

const struct swept *sweep_at(const struct sweep *sweep, size_t i)
{
    return &sweep->list[sweep->first + i];
}

void sweep_done(struct sweep *sweep, size_t count)
{
    sweep->first += count;
    if (sweep->first == sweep->count) {
        empty(sweep);
        sweep->runs = sweep->node < sweep->node_count;
    }
}

#include "consumers/reporter/dirty.h"

#include "common/calendar.h"
#include "consumers/reporter/key.h"
#include "consumers/reporter/settle.h"

#include <stdlib.h>
#include <string.h>

enum { REFRESH_STEP = 1000 };

struct dirty {
    char key[KEY_MAX];
    struct mark *list;
    size_t count, room;
};

int dirty_open(struct dirty **out, const char *business, struct error *err)
{
    struct dirty *dirty = calloc(1, sizeof *dirty);
    if (!dirty) {
        return error_memory(err);
    }
    key_format(dirty->key, business, "dirty");
    *out = dirty;
    return 0;
}

static void empty(struct dirty *dirty)
{
    for (size_t i = 0; i < dirty->count; i++) {
        free(dirty->list[i].field);
    }
    dirty->count = 0;
}

void dirty_free(struct dirty *dirty)
{
    if (dirty) {
        empty(dirty);
        free(dirty->list);
        free(dirty);
    }
}

const char *dirty_key(const struct dirty *dirty)
{
    return dirty->key;
}

int64_t dirty_waiting(const struct dirty *dirty, struct redis *redis, struct error *err)
{
    redisReply *reply = NULL;
    if (redis_callf(redis, &reply, err, "HLEN %s", dirty->key) != REDIS_OK) {
        return -1;
    }
    int64_t count = reply->integer;
    freeReplyObject(reply);
    return count;
}

/* "sale:2026-11-23:region=north". */
static bool parse(struct text field, int32_t *day, size_t *scope_at)
{
    const char *colon = field.len ? memchr(field.at, ':', field.len) : NULL;
    size_t side = colon ? (size_t)(colon - field.at) : 0;
    struct text name = {field.at, side};
    if (!text_is(name, "sale") && !text_is(name, "service") && !text_is(name, "customer")) {
        return false;
    }
    *scope_at = side + 12;
    return field.len > *scope_at && field.at[side + 11] == ':' &&
           calendar_parse_date((struct text){field.at + side + 1, 10}, day) &&
           key_scope_valid((struct text){field.at + *scope_at, field.len - *scope_at});
}

static int add(struct dirty *dirty, const redisReply *field, const redisReply *value,
               struct error *err)
{
    struct mark mark = {0};
    size_t scope_at = 0;
    if (!parse((struct text){field->str, field->len}, &mark.day, &scope_at) || value->len == 0 ||
        value->len >= sizeof mark.value || memchr(value->str, '\0', value->len)) {
        return 0;
    }
    if (dirty->count == dirty->room) {
        size_t room = dirty->room ? dirty->room * 2 : 256;
        struct mark *list = realloc(dirty->list, room * sizeof *list);
        if (!list) {
            return error_memory(err);
        }
        dirty->list = list;
        dirty->room = room;
    }
    mark.field = strndup(field->str, field->len);
    if (!mark.field) {
        return error_memory(err);
    }
    mark.scope = mark.field + scope_at;
    memcpy(mark.value, value->str, value->len);
    dirty->list[dirty->count++] = mark;
    return 0;
}

int dirty_compare_scopes(const char *a, const char *b)
{
    int all = (strcmp(b, "all") == 0) - (strcmp(a, "all") == 0);
    return all ? all : strcmp(a, b);
}

static int compare(const void *left, const void *right)
{
    const struct mark *a = left, *b = right;
    int scopes = dirty_compare_scopes(a->scope, b->scope);
    if (scopes != 0) {
        return scopes;
    }
    if (a->day != b->day) {
        return a->day < b->day ? -1 : 1;
    }
    return strcmp(a->field, b->field);
}

/* A hash that grows while it is walked may tell a field twice. */
static void sort(struct dirty *dirty)
{
    if (dirty->count == 0) {
        return;
    }
    qsort(dirty->list, dirty->count, sizeof *dirty->list, compare);
    size_t kept = 1;
    for (size_t i = 1; i < dirty->count; i++) {
        if (strcmp(dirty->list[kept - 1].field, dirty->list[i].field) == 0) {
            free(dirty->list[i].field);
        } else {
            dirty->list[kept++] = dirty->list[i];
        }
    }
    dirty->count = kept;
}

/* One page of the hash. *cursor becomes "0" with the last. */
static int read_page(struct dirty *dirty, struct redis *redis, char cursor[32], struct error *err)
{
    redisReply *reply = NULL;
    if (redis_callf(redis, &reply, err, "HSCAN %s %s COUNT 1000", dirty->key, cursor) != REDIS_OK) {
        return -1;
    }
    int rc = 0;
    const redisReply *pairs = reply->elements == 2 ? reply->element[1] : NULL;
    if (!pairs || reply->element[0]->len >= 32) {
        rc = error_set(err, ERROR_REDIS, "HSCAN %s: an answer of another form", dirty->key);
    } else {
        memcpy(cursor, reply->element[0]->str, reply->element[0]->len + 1);
        for (size_t i = 0; rc == 0 && i + 1 < pairs->elements; i += 2) {
            rc = add(dirty, pairs->element[i], pairs->element[i + 1], err);
        }
    }
    freeReplyObject(reply);
    return rc;
}

int dirty_read(struct dirty *dirty, struct redis *redis, struct error *err)
{
    char cursor[32] = "0";
    empty(dirty);
    do {
        if (read_page(dirty, redis, cursor, err) != 0) {
            return -1;
        }
    } while (strcmp(cursor, "0") != 0 && dirty->count < DIRTY_MAX);
    sort(dirty);
    return 0;
}

size_t dirty_count(const struct dirty *dirty)
{
    return dirty->count;
}

const struct mark *dirty_at(const struct dirty *dirty, size_t i)
{
    return &dirty->list[i];
}

static void take_value(struct mark *mark, const redisReply *value)
{
    mark->value[0] = '\0';
    if (value->type == REDIS_REPLY_STRING && value->len < sizeof mark->value) {
        memcpy(mark->value, value->str, value->len + 1);
    }
}

static int refresh_step(struct dirty *dirty, struct redis *redis, struct mark *marks, size_t count,
                        struct error *err)
{
    const char *argv[2 + REFRESH_STEP] = {"HMGET", dirty->key};
    for (size_t i = 0; i < count; i++) {
        argv[2 + i] = marks[i].field;
    }
    redisReply *reply = NULL;
    if (redis_call(redis, &reply, err, (int)count + 2, argv, NULL) != REDIS_OK) {
        return -1;
    }
    for (size_t i = 0; i < count && i < reply->elements; i++) {
        take_value(&marks[i], reply->element[i]);
    }
    freeReplyObject(reply);
    return 0;
}

int dirty_refresh(struct dirty *dirty, struct redis *redis, size_t from, size_t count,
                  struct error *err)
{
    for (size_t i = 0; i < count; i += REFRESH_STEP) {
        size_t step = count - i < REFRESH_STEP ? count - i : REFRESH_STEP;
        if (refresh_step(dirty, redis, dirty->list + from + i, step, err) != 0) {
            return -1;
        }
    }
    return 0;
}

int dirty_settle(struct dirty *dirty, struct redis *redis, const struct lease *lease, size_t from,
                 size_t count, bool *held, struct error *err)
{
    struct settled *list = calloc(count + 1, sizeof *list);
    if (!list) {
        return error_memory(err);
    }
    for (size_t i = 0; i < count; i++) {
        list[i] = (struct settled){dirty->list[from + i].field, dirty->list[from + i].value};
    }
    int rc = settle(redis, lease, dirty->key, list, count, held, err);
    free(list);
    return rc;
}

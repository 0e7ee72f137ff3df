#include "consumers/reporter/published.h"

#include "consumers/reporter/key.h"
#include "consumers/comparison/metrics.h"

#include <stdlib.h>
#include <string.h>

static const char *const HEAD[] = {
    "business", "scope",    "period_kind", "period",         "as_of",       "closed",
    "store",    "revision", "sale_state",  "service_state",  "provisional", "judged",
    "verdict",  "severity", "reasons",     "ratings_needed",
};

enum { HEAD_COUNT = sizeof HEAD / sizeof *HEAD };

struct placed {
    struct text name, value, suffix;
    int group;    /* head, then the groups of metrics in their order, then what is unknown */
    size_t index; /* within the group */
};

static void place(struct placed *field)
{
    for (size_t i = 0; i < HEAD_COUNT; i++) {
        if (text_is(field->name, HEAD[i])) {
            field->index = i;
            return;
        }
    }
    const char *colon = field->name.len ? memchr(field->name.at, ':', field->name.len) : NULL;
    if (colon) {
        field->suffix = (struct text){colon, field->name.len - (size_t)(colon - field->name.at)};
    }
    const struct metric *metric = metrics_find(field->name);
    field->group = metric ? 1 + (int)metric->group : 100;
    field->index = metric ? (size_t)(metric - metrics_at(0)) : 0;
}

static int compare_texts(struct text a, struct text b)
{
    size_t shared = a.len < b.len ? a.len : b.len;
    int order = shared ? memcmp(a.at, b.at, shared) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare(const void *left, const void *right)
{
    const struct placed *a = left, *b = right;
    if (a->group != b->group) {
        return a->group < b->group ? -1 : 1;
    }
    int suffixes = compare_texts(a->suffix, b->suffix);
    if (suffixes) {
        return suffixes;
    }
    if (a->index != b->index) {
        return a->index < b->index ? -1 : 1;
    }
    return compare_texts(a->name, b->name);
}

static int fill(struct fields *fields, const redisReply *reply, struct error *err)
{
    size_t count = reply->elements / 2;
    struct placed *list = calloc(count, sizeof *list);
    if (!list) {
        return error_memory(err);
    }
    for (size_t i = 0; i < count; i++) {
        const redisReply *name = reply->element[2 * i], *value = reply->element[2 * i + 1];
        list[i].name = (struct text){name->str, name->len};
        list[i].value = (struct text){value->str, value->len};
        place(&list[i]);
    }
    qsort(list, count, sizeof *list, compare);
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = fields_set(fields, list[i].name, list[i].value, err);
    }
    free(list);
    return rc;
}

int published_read(struct redis *redis, const char *key, struct fields **out, struct error *err)
{
    redisReply *reply = NULL;
    *out = NULL;
    if (redis_callf(redis, &reply, err, "HGETALL %s", key) != REDIS_OK) {
        return -1;
    }
    int rc = 0;
    if (reply->elements > 0) {
        rc = fields_open(out, err);
        if (rc == 0 && fill(*out, reply, err) != 0) {
            fields_free(*out);
            *out = NULL;
            rc = -1;
        }
    }
    freeReplyObject(reply);
    return rc;
}

enum { IN_FLIGHT = 500 };

static int ask_exists(struct redis *redis, const char *business, const char *scope,
                      struct period period, struct error *err)
{
    char key[KEY_MAX], name[16];
    const char *argv[] = {"EXISTS", key_format(key, business, "comparison:%s:%s:%s",
                                               period_kind_name(period.kind),
                                               period_format(period, name), scope)};
    return redis_send(redis, err, 2, argv, NULL) == REDIS_OK ? 0 : -1;
}

/* Of list[0..count) those that exist move to its front; *kept is their number. */
static int keep_existing(struct redis *redis, const char *business, const char *scope,
                         struct period *list, size_t count, size_t *kept, struct error *err)
{
    *kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (ask_exists(redis, business, scope, list[i], err) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < count; i++) {
        redisReply *reply = NULL;
        if (redis_receive(redis, &reply, err) != REDIS_OK) {
            redis_disconnect(redis); /* answers may be under way */
            return -1;
        }
        if (reply->integer == 1) {
            list[(*kept)++] = list[i];
        }
        freeReplyObject(reply);
    }
    return 0;
}

int published_periods(struct redis *redis, const char *business, const char *scope,
                      enum period_kind kind, int32_t from, int32_t until, struct period **out,
                      size_t *count, struct error *err)
{
    size_t room = until >= from ? (size_t)(until - from) + 2 : 1, step = 0, kept = 0;
    struct period *list = calloc(room + IN_FLIGHT, sizeof *list);
    if (!list) {
        return error_memory(err);
    }
    *count = 0;
    struct period period = period_of(kind, from);
    while (period.first <= until) {
        for (step = 0; step < IN_FLIGHT && period.first <= until; step++) {
            list[*count + step] = period;
            period = period_next(period);
        }
        if (keep_existing(redis, business, scope, list + *count, step, &kept, err) != 0) {
            free(list);
            return -1;
        }
        *count += kept;
    }
    *out = list;
    return 0;
}

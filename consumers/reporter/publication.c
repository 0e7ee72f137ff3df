#include "consumers/reporter/publication.h"

#include "common/log.h"
#include "consumers/report/render.h"
#include "consumers/reporter/key.h"
#include "publish_lua.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS = 12, FIXED_ARGUMENTS = 11 };

static struct redis_script script(void)
{
    struct redis_script s;
    redis_script_init(&s, publish_lua);
    return s;
}

int publication_load(struct redis *redis, struct error *err)
{
    redisReply *reply = NULL;
    if (redis_callf(redis, &reply, err, "SCRIPT LOAD %s", publish_lua) != REDIS_OK) {
        return -1;
    }
    freeReplyObject(reply);
    return 0;
}

char *publication_name(const char *scope, struct period period, char out[PUBLICATION_NAME_MAX])
{
    char name[16];
    snprintf(out, PUBLICATION_NAME_MAX, "%s/%s/%s", period_kind_name(period.kind),
             period_format(period, name), scope);
    return out;
}

/* The words of one call. Texts made for it are its own. */
struct call {
    char keys[KEYS][KEY_MAX];
    char sha[41], channel[KEY_MAX], message[512], name[PUBLICATION_NAME_MAX];
    char first[11], last[11], lease_ms[16], history[24], verdicts[24], mark_count[24], key_count[8];
    char *documents[LANGUAGES];
    const char **argv;
    int argc;
};

static void call_clear(struct call *call)
{
    for (int i = 0; i < LANGUAGES; i++) {
        free(call->documents[i]);
    }
    free(call->argv);
}

static void name_keys(struct call *call, const struct publication *p, const struct config *config)
{
    const char *business = config->business, *kind = period_kind_name(p->period.kind);
    char period[16];
    period_format(p->period, period);
    key_format(call->keys[0], business, "reporter");
    key_format(call->keys[1], business, "dirty");
    key_format(call->keys[2], business, "revision");
    key_format(call->keys[3], business, "outbox");
    key_format(call->keys[4], business, "reported");
    key_format(call->keys[5], business, "comparison:%s:%s:%s", kind, period, p->scope);
    key_format(call->keys[6], business, "table:%s:%s:%s:en", kind, period, p->scope);
    key_format(call->keys[7], business, "table:%s:%s:%s:ro", kind, period, p->scope);
    key_format(call->keys[8], business, "comparison:current:%s:%s", kind, p->scope);
    key_format(call->keys[9], business, "history:%s", p->scope);
    key_format(call->keys[10], business, "verdicts");
    key_format(call->keys[11], business, "announced");
    key_format(call->channel, business, "published");
    snprintf(call->message, sizeof call->message,
             "{\"store\":\"%s\",\"revision\":0,\"period_kind\":\"%s\",\"period\":\"%s\","
             "\"scope\":\"%s\"}",
             fields_value(p->fields, "store"), kind, period, p->scope);
}

static void name_rest(struct call *call, const struct publication *p, const struct config *config)
{
    bool entry = p->running && p->period.kind == PERIOD_DAY;
    publication_name(p->scope, p->period, call->name);
    calendar_format_date(p->period.first, call->first);
    calendar_format_date(p->period.last, call->last);
    snprintf(call->lease_ms, sizeof call->lease_ms, "%d", LEASE_MS);
    snprintf(call->history, sizeof call->history, "%lld",
             entry ? (long long)config->history_length : 0LL);
    snprintf(call->verdicts, sizeof call->verdicts, "%lld",
             p->announce ? (long long)config->history_length : 0LL);
    snprintf(call->mark_count, sizeof call->mark_count, "%zu", p->mark_count);
    snprintf(call->key_count, sizeof call->key_count, "%d", KEYS);
    memcpy(call->sha, script().sha, sizeof call->sha);
}

static void push(struct call *call, const char *word)
{
    call->argv[call->argc++] = word;
}

/* A mark that is gone since it was first seen is not waited for: marks with "" are left out, and
 * counted out. */
static size_t push_marks(struct call *call, const struct publication *p)
{
    size_t count = 0;
    for (size_t i = 0; i < p->mark_count; i++) {
        const struct mark *mark = dirty_at(p->dirty, p->mark_from + i);
        if (mark->value[0]) {
            push(call, mark->field);
            push(call, mark->value);
            count++;
        }
    }
    return count;
}

static void push_all(struct call *call, const struct publication *p, const struct lease *lease)
{
    push(call, "EVALSHA");
    push(call, call->sha);
    push(call, call->key_count);
    for (int i = 0; i < KEYS; i++) {
        push(call, call->keys[i]);
    }
    push(call, lease_token(lease));
    push(call, call->lease_ms);
    push(call, call->channel);
    push(call, call->message);
    push(call, call->name);
    push(call, call->first);
    push(call, call->last);
    push(call, p->running ? "1" : "0");
    push(call, call->history);
    push(call, call->verdicts);
    push(call, call->mark_count);
    size_t marks = push_marks(call, p);
    snprintf(call->mark_count, sizeof call->mark_count, "%zu", marks);
    for (int i = 0; i < LANGUAGES; i++) {
        push(call, call->documents[i]);
    }
    for (size_t i = 0; i < fields_count(p->fields); i++) {
        struct field field = fields_at(p->fields, i);
        push(call, field.name);
        push(call, field.value);
    }
}

static int prepare(struct call *call, const struct publication *p, const struct config *config,
                   const struct lease *lease, struct error *err)
{
    for (int i = 0; i < LANGUAGES; i++) {
        size_t length;
        if (render_table_document(&call->documents[i], &length, p->fields, (enum language)i, err) !=
            0) {
            return -1;
        }
    }
    size_t words =
        3 + KEYS + FIXED_ARGUMENTS + 2 * p->mark_count + LANGUAGES + 2 * fields_count(p->fields);
    call->argv = calloc(words, sizeof *call->argv);
    if (!call->argv) {
        return error_memory(err);
    }
    name_keys(call, p, config);
    name_rest(call, p, config);
    push_all(call, p, lease);
    return 0;
}

int publication_send(const struct publication *publication, struct redis *redis,
                     const struct config *config, const struct lease *lease, struct error *err)
{
    struct call *call = calloc(1, sizeof *call);
    if (!call) {
        return error_memory(err);
    }
    int rc = prepare(call, publication, config, lease, err);
    if (rc == 0 && redis_send(redis, err, call->argc, call->argv, NULL) != REDIS_OK) {
        rc = -1;
    }
    call_clear(call);
    free(call);
    return rc;
}

int publication_receive(struct publication *publication, struct redis *redis,
                        enum publication_result *result, struct error *err)
{
    redisReply *reply = NULL;
    if (redis_receive(redis, &reply, err) != REDIS_OK) {
        return -1;
    }
    struct text answer = {reply->str, reply->len};
    int rc = 0;
    if (text_is(answer, "lease")) {
        *result = PUBLICATION_NOT_MINE;
    } else if (text_is(answer, "mark")) {
        *result = PUBLICATION_STALE;
    } else {
        *result = PUBLICATION_MADE;
        publication->revision = reply->str ? strtoll(reply->str, NULL, 10) : 0;
        rc = fields_setf(publication->fields, "revision", err, "%lld",
                         (long long)publication->revision);
    }
    freeReplyObject(reply);
    return rc;
}

void publication_clear(struct publication *publication)
{
    fields_free(publication->fields);
    publication->fields = NULL;
}

#include "consumers/reporter/dispatch.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/publisher.h"
#include "consumers/reporter/key.h"
#include "consumers/reporter/published.h"
#include "consumers/reporter/settle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SETTLE_AT = 500,
    SETTLE_EVERY_MS = 500,
    RETRY_EVERY_MS = 5000,
    QUEUE_WAIT_MS = 100,
    PENDING_MAX = 5000 /* records under way, about 6 KB each */
};

/* A record under way: its note in Redis. */
struct note {
    char name[PUBLICATION_NAME_MAX];
    char revision[24];
};

struct dispatch {
    const struct config *config;
    struct publisher *publisher;
    char key[KEY_MAX];
    struct note **done; /* delivered, still noted in Redis */
    size_t done_count, done_room;
    int64_t settled_ms, retry_ms;
    bool failed; /* something noted is not under way */
};

static void keep_done(struct dispatch *dispatch, struct note *note)
{
    if (dispatch->done_count == dispatch->done_room) {
        size_t room = dispatch->done_room ? dispatch->done_room * 2 : 256;
        struct note **list = realloc(dispatch->done, room * sizeof *list);
        if (!list) {
            free(note); /* stays noted: it will be sent once more */
            return;
        }
        dispatch->done = list;
        dispatch->done_room = room;
    }
    dispatch->done[dispatch->done_count++] = note;
}

static void on_report(void *context, void *cookie, const char *failure)
{
    struct dispatch *dispatch = context;
    if (!failure) {
        keep_done(dispatch, cookie);
        return;
    }
    if (!dispatch->failed) {
        log_warning("comparison not delivered, will be sent again",
                    log_s("topic", dispatch->config->topics_comparison), log_s("why", failure));
        dispatch->retry_ms = clock_mono_ms() + RETRY_EVERY_MS;
    }
    dispatch->failed = true;
    free(cookie);
}

int dispatch_open(struct dispatch **out, const struct config *config, struct error *err)
{
    struct dispatch *dispatch = calloc(1, sizeof *dispatch);
    if (!dispatch) {
        return error_memory(err);
    }
    dispatch->config = config;
    key_format(dispatch->key, config->business, "outbox");
    if (publisher_open(&dispatch->publisher, config, on_report, dispatch, err) != 0) {
        free(dispatch);
        return -1;
    }
    *out = dispatch;
    return 0;
}

static void drop_done(struct dispatch *dispatch)
{
    for (size_t i = 0; i < dispatch->done_count; i++) {
        free(dispatch->done[i]);
    }
    dispatch->done_count = 0;
}

void dispatch_free(struct dispatch *dispatch)
{
    if (!dispatch) {
        return;
    }
    publisher_free(dispatch->publisher);
    drop_done(dispatch);
    free(dispatch->done);
    free(dispatch);
}

int dispatch_wait(struct dispatch *dispatch, struct error *err)
{
    return publisher_await(dispatch->publisher, dispatch->config->topics_comparison, err);
}

static int write_value(const struct fields *fields, char **out, size_t *length, struct error *err)
{
    FILE *stream = open_memstream(out, length);
    if (!stream) {
        return error_memory(err);
    }
    fields_write_json(fields, stream);
    if (fclose(stream) != 0) {
        free(*out);
        error_memory(err);
        return -1;
    }
    return 0;
}

/* A record that the queue does not take stays noted. */
static int send_record(struct dispatch *dispatch, const char *name, const char *revision,
                       const struct fields *fields, struct error *err)
{
    struct note *note = calloc(1, sizeof *note);
    char *value = NULL;
    size_t length = 0;
    if (!note) {
        return error_memory(err);
    }
    if (write_value(fields, &value, &length, err) != 0) {
        free(note);
        return -1;
    }
    char key[64 + PUBLICATION_NAME_MAX];
    snprintf(note->name, sizeof note->name, "%s", name);
    snprintf(note->revision, sizeof note->revision, "%s", revision);
    snprintf(key, sizeof key, "%s/%s", dispatch->config->business, name);
    struct error why = {.text = "too many records under way"};
    if (publisher_pending(dispatch->publisher) >= PENDING_MAX) {
        publisher_poll(dispatch->publisher, QUEUE_WAIT_MS);
    }
    if (publisher_pending(dispatch->publisher) >= PENDING_MAX ||
        publisher_send(dispatch->publisher, dispatch->config->topics_comparison, text_of(key),
                       (struct text){value, length}, NULL, 0, note, QUEUE_WAIT_MS, &why) != 0) {
        on_report(dispatch, note, why.text);
    }
    free(value);
    return 0;
}

int dispatch_send(struct dispatch *dispatch, const struct publication *publication,
                  struct error *err)
{
    /* While Kafka takes nothing, publishing in Redis goes on at its full pace. */
    if (dispatch->failed) {
        return 0;
    }
    char name[PUBLICATION_NAME_MAX];
    publication_name(publication->scope, publication->period, name);
    return send_record(dispatch, name, fields_value(publication->fields, "revision"),
                       publication->fields, err);
}

/* "month/2026-11/all" -> its comparison. */
static int resend_one(struct dispatch *dispatch, struct redis *redis, const char *name,
                      const char *revision, struct error *err)
{
    char rest[PUBLICATION_NAME_MAX], key[KEY_MAX];
    snprintf(rest, sizeof rest, "%s", name);
    for (int i = 0; i < 2; i++) {
        char *slash = strchr(rest, '/');
        if (slash) {
            *slash = ':';
        }
    }
    struct fields *fields = NULL;
    key_format(key, dispatch->config->business, "comparison:%s", rest);
    if (published_read(redis, key, &fields, err) != 0) {
        return -1;
    }
    if (!fields) {
        struct note *note = calloc(1, sizeof *note);
        if (!note) {
            return error_memory(err);
        }
        snprintf(note->name, sizeof note->name, "%s", name);
        snprintf(note->revision, sizeof note->revision, "%s", revision);
        keep_done(dispatch, note); /* forgotten since: nothing to send */
        return 0;
    }
    int rc = send_record(dispatch, name, revision, fields, err);
    fields_free(fields);
    return rc;
}

static int resend_page(struct dispatch *dispatch, struct redis *redis, char cursor[32],
                       struct error *err)
{
    redisReply *reply = NULL;
    if (redis_callf(redis, &reply, err, "HSCAN %s %s COUNT 500", dispatch->key, cursor) !=
        REDIS_OK) {
        return -1;
    }
    int rc = 0;
    const redisReply *pairs = reply->elements == 2 ? reply->element[1] : NULL;
    snprintf(cursor, 32, "%s", pairs ? reply->element[0]->str : "0");
    for (size_t i = 0; rc == 0 && pairs && !dispatch->failed && i + 1 < pairs->elements; i += 2) {
        rc = resend_one(dispatch, redis, pairs->element[i]->str, pairs->element[i + 1]->str, err);
    }
    freeReplyObject(reply);
    return rc;
}

int dispatch_resend(struct dispatch *dispatch, struct redis *redis, struct error *err)
{
    char cursor[32] = "0";
    dispatch->failed = false;
    do {
        if (resend_page(dispatch, redis, cursor, err) != 0) {
            dispatch->failed = true;
            return -1;
        }
    } while (strcmp(cursor, "0") != 0 && !dispatch->failed);
    return 0;
}

/* Removes the notes of what was delivered. Without the lease another one settles them. */
static int settle_done(struct dispatch *dispatch, struct redis *redis, const struct lease *lease,
                       struct error *err)
{
    dispatch->settled_ms = clock_mono_ms();
    if (dispatch->done_count == 0) {
        return 0;
    }
    struct settled *list = calloc(dispatch->done_count, sizeof *list);
    if (!list) {
        return error_memory(err);
    }
    for (size_t i = 0; i < dispatch->done_count; i++) {
        list[i] = (struct settled){dispatch->done[i]->name, dispatch->done[i]->revision};
    }
    bool held;
    int rc = settle(redis, lease, dispatch->key, list, dispatch->done_count, &held, err);
    free(list);
    if (rc == 0) {
        drop_done(dispatch);
    }
    return rc;
}

int dispatch_serve(struct dispatch *dispatch, struct redis *redis, const struct lease *lease,
                   struct error *err)
{
    publisher_poll(dispatch->publisher, 0);
    int64_t now_ms = clock_mono_ms();
    if ((dispatch->done_count >= SETTLE_AT || now_ms - dispatch->settled_ms >= SETTLE_EVERY_MS) &&
        settle_done(dispatch, redis, lease, err) != 0) {
        return -1;
    }
    if (dispatch->failed && publisher_pending(dispatch->publisher) == 0 &&
        now_ms >= dispatch->retry_ms) {
        dispatch->retry_ms = now_ms + RETRY_EVERY_MS;
        return dispatch_resend(dispatch, redis, err);
    }
    return 0;
}

int dispatch_flush(struct dispatch *dispatch, struct redis *redis, const struct lease *lease,
                   int64_t wait_ms, struct error *err)
{
    int rc = publisher_flush(dispatch->publisher, wait_ms, err);
    if (rc == 0 && dispatch->failed) {
        rc = error_retry(err, ERROR_KAFKA, "topic %s: not everything was delivered",
                         dispatch->config->topics_comparison);
    }
    return settle_done(dispatch, redis, lease, rc == 0 ? err : NULL) == 0 ? rc : -1;
}

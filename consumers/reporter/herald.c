#include "consumers/reporter/herald.h"

#include "announce_lua.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/publisher.h"
#include "consumers/reporter/change.h"
#include "consumers/reporter/key.h"
#include "consumers/reporter/webhook.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOOK_MS = 200, /* between two looks into the stream */
    BACK_OFF_MS = 1000,
    BACK_OFF_MAX_MS = 60000,
    AFTER_MAX_S = 3600, /* the longest wait a receiver may ask for */
    READ = 50,          /* entries at once */
    SEND_WAIT_MS = 100
};

enum { TOPIC, WEBHOOK, WAYS };
static const char *const names[WAYS] = {"topic", "webhook"};

/* How far one way has got. */
struct way {
    uint64_t at, sub; /* id of the last entry announced: at-sub */
    int64_t sequence;
    int64_t next_ms, pause_ms; /* not before; the last back-off */
    bool idle;                 /* nothing was left at the last look */
};

struct herald {
    const struct config *config;
    struct publisher *publisher;
    struct webhook *webhook; /* NULL: not set */
    char stream[KEY_MAX], announced[KEY_MAX];
    struct way way[WAYS];
    struct way sent[WAYS]; /* where the way stands once what is under way was taken */
    int under_way;         /* records of the topic */
    bool failed;
};

static void on_report(void *context, void *cookie, const char *failure)
{
    struct herald *herald = context;
    (void)cookie;
    if (failure && !herald->failed) {
        log_warning("change of a verdict not delivered, will be sent again",
                    log_s("topic", herald->config->topics_verdicts), log_s("why", failure));
    }
    herald->failed = herald->failed || failure;
    herald->under_way--;
}

int herald_open(struct herald **out, const struct config *config, struct error *err)
{
    struct herald *herald = calloc(1, sizeof *herald);
    if (!herald) {
        return error_memory(err);
    }
    herald->config = config;
    key_format(herald->stream, config->business, "verdicts");
    key_format(herald->announced, config->business, "announced");
    if ((config->webhook_url[0] && webhook_open(&herald->webhook, config, err) != 0) ||
        publisher_open(&herald->publisher, config, on_report, herald, err) != 0) {
        herald_free(herald);
        return -1;
    }
    *out = herald;
    return 0;
}

void herald_free(struct herald *herald)
{
    if (!herald) {
        return;
    }
    if (herald->publisher) {
        publisher_free(herald->publisher);
    }
    webhook_free(herald->webhook);
    free(herald);
}

int herald_wait(struct herald *herald, struct error *err)
{
    return publisher_wait(herald->publisher, herald->config->topics_verdicts, err);
}

static void take_place(struct way *way, const char *place)
{
    uint64_t at = 0, sub = 0;
    int64_t sequence = 0;
    if (place && sscanf(place, "%" SCNu64 "-%" SCNu64 " %" SCNd64, &at, &sub, &sequence) == 3) {
        *way = (struct way){.at = at, .sub = sub, .sequence = sequence};
    }
}

/* Tells Redis; `place` as announce.lua takes it. NULL: where the way stands. */
static int note(struct herald *herald, int i, const char *place, struct redis *redis,
                const struct lease *lease, struct error *err)
{
    char text[80];
    struct redis_script script;
    redisReply *reply = NULL;
    const struct way *way = &herald->way[i];
    snprintf(text, sizeof text, "%" PRIu64 "-%" PRIu64 " %" PRId64, way->at, way->sub,
             way->sequence);
    const char *argv[] = {lease_key(lease),   herald->announced, herald->stream,
                          lease_token(lease), names[i],          place ? place : text};
    redis_script_init(&script, announce_lua);
    if (redis_eval(redis, &script, 3, &reply, err, 6, argv, NULL) != REDIS_OK) {
        return -1;
    }
    if (place) {
        herald->way[i] = (struct way){0};
        take_place(&herald->way[i], reply->str);
    }
    freeReplyObject(reply);
    return 0;
}

/* Of the topic, what a reporter finds without a place is all of the stream. */
int herald_begin(struct herald *herald, struct redis *redis, const struct lease *lease,
                 struct error *err)
{
    redisReply *reply = NULL;
    if (redis_callf(redis, &reply, err, "HGET %s %s", herald->announced, names[TOPIC]) !=
        REDIS_OK) {
        return -1;
    }
    herald->way[TOPIC] = (struct way){0};
    take_place(&herald->way[TOPIC], reply->str);
    freeReplyObject(reply);
    if (note(herald, WEBHOOK, herald->webhook ? "now" : "", redis, lease, err) != 0) {
        return -1;
    }
    /* What is still under way was sent before: where it leads to counts no more. */
    if (herald->webhook) {
        webhook_drop(herald->webhook);
    }
    memcpy(herald->sent, herald->way, sizeof herald->sent);
    return 0;
}

static void back_off(struct way *way, int64_t after_s)
{
    way->pause_ms = way->pause_ms ? way->pause_ms * 2 : BACK_OFF_MS;
    if (way->pause_ms > BACK_OFF_MAX_MS) {
        way->pause_ms = BACK_OFF_MAX_MS;
    }
    int64_t after_ms = (after_s > AFTER_MAX_S ? AFTER_MAX_S : after_s) * 1000;
    way->next_ms = clock_mono_ms() + (after_ms > way->pause_ms ? after_ms : way->pause_ms);
}

/* What was sent was taken. */
static int move_on(struct herald *herald, int i, struct redis *redis, const struct lease *lease,
                   struct error *err)
{
    herald->way[i] = herald->sent[i];
    return note(herald, i, NULL, redis, lease, err);
}

/* The entries after the last one announced; the reply is the caller's. */
static int read_entries(const struct herald *herald, int i, struct redis *redis, redisReply **reply,
                        struct error *err)
{
    char from[64];
    const struct way *way = &herald->way[i];
    snprintf(from, sizeof from, "%" PRIu64 "-%" PRIu64, way->at, way->sub + 1);
    return redis_callf(redis, reply, err, "XRANGE %s %s + COUNT %d", herald->stream, from, READ) ==
                   REDIS_OK
               ? 0
               : -1;
}

static int read_entry(const redisReply *entry, struct fields **out, struct error *err)
{
    const redisReply *pairs = entry->element[1];
    if (fields_open(out, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i + 1 < pairs->elements; i += 2) {
        struct text name = {pairs->element[i]->str, pairs->element[i]->len};
        struct text value = {pairs->element[i + 1]->str, pairs->element[i + 1]->len};
        if (fields_set(*out, name, value, err) != 0) {
            fields_free(*out);
            return -1;
        }
    }
    return 0;
}

/* The stream is bounded: a way that was shut for too long has lost the oldest changes. */
static void pass(struct herald *herald, int i, const redisReply *entry, const struct fields *fields)
{
    struct way *sent = &herald->sent[i];
    int64_t sequence = strtoll(fields_value(fields, "sequence"), NULL, 10);
    if (sequence > sent->sequence + 1) {
        log_error("changes of verdicts were dropped before they could be announced",
                  log_s("way", names[i]), log_i("changes", sequence - sent->sequence - 1));
    }
    sent->sequence = sequence;
    sscanf(entry->element[0]->str, "%" SCNu64 "-%" SCNu64, &sent->at, &sent->sub);
}

/* Topic */

static int send_record(struct herald *herald, const struct fields *fields, bool *sent,
                       struct error *err)
{
    static const struct record_header type = {
        .name = {"content-type", 12},
        .value = {"application/cloudevents+json; charset=UTF-8", 43},
    };
    char key[512], *body = NULL;
    size_t length = 0;
    struct error why;
    snprintf(key, sizeof key, "%s/%s", herald->config->business, fields_value(fields, "subject"));
    if (change_write(&body, &length, herald->config->business, fields, err) != 0) {
        return -1;
    }
    herald->under_way++;
    *sent = publisher_send(herald->publisher, herald->config->topics_verdicts, text_of(key),
                           (struct text){body, length}, &type, 1, NULL, SEND_WAIT_MS, &why) == 0;
    if (!*sent) {
        on_report(herald, NULL, why.text);
    }
    free(body);
    return 0;
}

static int send_records(struct herald *herald, const redisReply *entries, struct error *err)
{
    bool sent = true;
    herald->failed = false;
    herald->sent[TOPIC] = herald->way[TOPIC];
    herald->sent[TOPIC].pause_ms = 0;
    for (size_t i = 0; sent && i < entries->elements; i++) {
        struct fields *fields = NULL;
        if (read_entry(entries->element[i], &fields, err) != 0) {
            return -1;
        }
        int rc = send_record(herald, fields, &sent, err);
        if (rc == 0 && sent) {
            pass(herald, TOPIC, entries->element[i], fields);
        }
        fields_free(fields);
        if (rc != 0) {
            return -1;
        }
    }
    return 0;
}

static int look(struct herald *herald, int i, struct redis *redis,
                int (*send)(struct herald *, const redisReply *, struct error *), struct error *err)
{
    redisReply *reply = NULL;
    struct way *way = &herald->way[i];
    if (clock_mono_ms() < way->next_ms) {
        return 0;
    }
    if (read_entries(herald, i, redis, &reply, err) != 0) {
        return -1;
    }
    way->next_ms = clock_mono_ms() + LOOK_MS;
    way->idle = reply->elements == 0;
    int rc = way->idle ? 0 : send(herald, reply, err);
    freeReplyObject(reply);
    return rc;
}

static int serve_topic(struct herald *herald, struct redis *redis, const struct lease *lease,
                       struct error *err)
{
    publisher_poll(herald->publisher, 0);
    if (herald->under_way > 0) {
        return 0;
    }
    if (herald->failed) {
        herald->failed = false;
        back_off(&herald->way[TOPIC], 0);
        herald->sent[TOPIC] = herald->way[TOPIC];
    } else if (herald->sent[TOPIC].sequence > herald->way[TOPIC].sequence &&
               move_on(herald, TOPIC, redis, lease, err) != 0) {
        return -1;
    }
    return look(herald, TOPIC, redis, send_records, err);
}

/* Webhook */

/* An empty list lets everything through. */
static bool stands_in(const char *list, const char *word)
{
    size_t length = strlen(word);
    if (!*list) {
        return true;
    }
    for (;; list++) {
        size_t part = strcspn(list, ",");
        if (part == length && memcmp(list, word, part) == 0) {
            return true;
        }
        list += part;
        if (!*list) {
            return false;
        }
    }
}

static bool wanted(const struct herald *herald, const struct fields *fields)
{
    return stands_in(herald->config->webhook_periods, fields_value(fields, "period_kind")) &&
           stands_in(herald->config->webhook_scopes, fields_value(fields, "scope"));
}

static int post(struct herald *herald, const struct fields *fields, struct error *err)
{
    char *body = NULL;
    size_t length = 0;
    if (change_write(&body, &length, herald->config->business, fields, err) != 0) {
        return -1;
    }
    int rc = webhook_send(herald->webhook, fields_value(fields, "id"), clock_wall_ms() / 1000, body,
                          length, err);
    free(body);
    return rc;
}

/* Passes what is not wanted and posts the first that is. */
static int post_next(struct herald *herald, const redisReply *entries, struct error *err)
{
    int rc = 0;
    herald->sent[WEBHOOK] = herald->way[WEBHOOK];
    for (size_t i = 0; rc == 0 && i < entries->elements && !webhook_busy(herald->webhook); i++) {
        struct fields *fields = NULL;
        if (read_entry(entries->element[i], &fields, err) != 0) {
            return -1;
        }
        pass(herald, WEBHOOK, entries->element[i], fields);
        rc = wanted(herald, fields) ? post(herald, fields, err) : 0;
        fields_free(fields);
    }
    return rc;
}

static void hear_refusal(struct herald *herald, int64_t after_s, const struct error *why)
{
    struct way *way = &herald->way[WEBHOOK];
    if (way->pause_ms == 0) {
        log_warning("webhook does not take a change of a verdict, trying again",
                    log_s("why", why->text));
    }
    back_off(way, after_s);
    herald->sent[WEBHOOK] = *way;
}

static int serve_webhook(struct herald *herald, struct redis *redis, const struct lease *lease,
                         struct error *err)
{
    struct error why;
    int64_t after_s;
    if (webhook_busy(herald->webhook)) {
        enum webhook_answer answer = webhook_poll(herald->webhook, &after_s, &why);
        if (answer == WEBHOOK_PENDING) {
            return 0;
        }
        if (answer == WEBHOOK_REFUSED) {
            hear_refusal(herald, after_s, &why);
            return 0;
        }
        if (herald->way[WEBHOOK].pause_ms) {
            log_info("webhook takes changes of verdicts again");
        }
        herald->sent[WEBHOOK].pause_ms = herald->sent[WEBHOOK].next_ms = 0;
    }
    if (herald->sent[WEBHOOK].sequence > herald->way[WEBHOOK].sequence &&
        move_on(herald, WEBHOOK, redis, lease, err) != 0) {
        return -1;
    }
    return look(herald, WEBHOOK, redis, post_next, err);
}

int herald_serve(struct herald *herald, struct redis *redis, const struct lease *lease,
                 struct error *err)
{
    if (serve_topic(herald, redis, lease, err) != 0) {
        return -1;
    }
    return herald->webhook ? serve_webhook(herald, redis, lease, err) : 0;
}

static bool all_announced(const struct herald *herald)
{
    bool posted = !herald->webhook || (herald->way[WEBHOOK].idle && !webhook_busy(herald->webhook));
    return herald->under_way == 0 && herald->way[TOPIC].idle && posted;
}

int herald_flush(struct herald *herald, struct redis *redis, const struct lease *lease,
                 int64_t wait_ms, struct error *err)
{
    int64_t end_ms = clock_mono_ms() + wait_ms;
    for (int i = 0; i < WAYS; i++) {
        herald->way[i].idle = false; /* look once more */
    }
    while (!all_announced(herald)) {
        if (herald_serve(herald, redis, lease, err) != 0) {
            return -1;
        }
        if (clock_mono_ms() >= end_ms) {
            return error_retry(err, ERROR_KAFKA,
                               "changes of verdicts are left that nobody has taken; the next "
                               "reporter announces them");
        }
        clock_sleep_ms(10);
    }
    return 0;
}

#include "consumers/dashboard/feed.h"

#include "common/clock.h"
#include "common/log.h"
#include "consumers/reporter/key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

enum {
    RETRY_MS = 1000, /* between two tries to connect */
    PING_MS = 5000,  /* a subscription that is silent that long is asked for a sign of life */
    LEASE_MS = 2000, /* between two looks for a reporter */
    BEAT_MS = 5000,  /* a listener hears something that often */
    BATCH = 1000     /* publications taken in one turn, so that requests get theirs */
};

struct feed {
    const struct config *config;
    struct redis *questions, *channel;
    struct streams *streams;
    bool hears, reporter, pinged, said_away;
    int64_t tried_ms, asked_ms, heard_ms, looked_ms, beat_ms;
};

int feed_open(struct feed **out, const struct config *config, struct redis *redis,
              struct streams *streams, struct error *err)
{
    struct feed *feed = calloc(1, sizeof *feed);
    if (!feed) {
        return error_memory(err);
    }
    feed->config = config;
    feed->questions = redis;
    feed->streams = streams;
    feed->tried_ms = feed->asked_ms = feed->looked_ms = INT64_MIN / 2;
    if (redis_open(&feed->channel, config, err) != 0) {
        free(feed);
        return -1;
    }
    *out = feed;
    return 0;
}

void feed_free(struct feed *feed)
{
    if (feed) {
        redis_free(feed->channel);
        free(feed);
    }
}

int feed_fd(const struct feed *feed)
{
    return redis_fd(feed->channel);
}

bool feed_hears(const struct feed *feed)
{
    return feed->hears && redis_connected(feed->questions);
}

char *feed_state(const struct feed *feed, char out[160])
{
    snprintf(out, 160, "{\"time\":%lld,\"redis\":%s,\"reporter\":%s}",
             (long long)(clock_wall_ms() / 1000), feed_hears(feed) ? "true" : "false",
             feed->reporter ? "true" : "false");
    return out;
}

static void beat(struct feed *feed, int64_t now_ms)
{
    char state[160];
    feed->beat_ms = now_ms;
    streams_say(feed->streams, NULL, "beat", feed_state(feed, state));
}

static void lose(struct feed *feed, int64_t now_ms, const struct error *err)
{
    redis_disconnect(feed->channel);
    if (!feed->said_away) {
        log_warning("redis is away, trying again", log_s("why", err->text));
        feed->said_away = true;
    }
    if (feed->hears) {
        feed->hears = false;
        beat(feed, now_ms);
    }
}

static int subscribe(struct feed *feed, struct error *err)
{
    char key[KEY_MAX];
    const char *argv[] = {"SUBSCRIBE", key_format(key, feed->config->business, "published")};
    redisReply *reply = NULL;
    if (redis_connect(feed->channel, err) != 0 ||
        redis_call(feed->channel, &reply, err, 2, argv, NULL) != REDIS_OK) {
        return -1;
    }
    freeReplyObject(reply);
    return 0;
}

static void connect_channel(struct feed *feed, int64_t now_ms)
{
    struct error err = {0};
    if (now_ms - feed->tried_ms < RETRY_MS) {
        return;
    }
    feed->tried_ms = now_ms;
    if (subscribe(feed, &err) != 0) {
        lose(feed, now_ms, &err);
        return;
    }
    if (feed->said_away) {
        log_info("redis is there");
    }
    feed->said_away = feed->pinged = false;
    feed->hears = true;
    feed->heard_ms = now_ms;
    streams_say(feed->streams, NULL, "reset", "{}"); /* what was published meanwhile is unheard */
    beat(feed, now_ms);
}

/* The scope that a publication names goes into who is told; the rest is passed on made anew, since
 * anybody may publish on a channel. */
static void pass_on(struct feed *feed, const redisReply *message)
{
    yyjson_doc *doc = yyjson_read(message->str, message->len, 0);
    yyjson_val *root = yyjson_doc_get_root(doc);
    const char *scope = yyjson_get_str(yyjson_obj_get(root, "scope"));
    if (scope && key_scope_valid(text_of(scope))) {
        char *text = yyjson_write(doc, 0, NULL);
        if (text && strlen(text) < 560) {
            streams_say(feed->streams, scope, "published", text);
        }
        free(text);
    }
    yyjson_doc_free(doc);
}

static void hear(struct feed *feed, const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 &&
        reply->element[0]->type == REDIS_REPLY_STRING &&
        strcmp(reply->element[0]->str, "message") == 0 &&
        reply->element[2]->type == REDIS_REPLY_STRING) {
        pass_on(feed, reply->element[2]);
    }
}

static void listen_on(struct feed *feed, int64_t now_ms)
{
    struct error err = {0};
    for (int i = 0; i < BATCH && redis_connected(feed->channel) && redis_received(feed->channel, 0);
         i++) {
        redisReply *reply = NULL;
        if (redis_receive(feed->channel, &reply, &err) != REDIS_OK) {
            lose(feed, now_ms, &err);
            return;
        }
        hear(feed, reply);
        freeReplyObject(reply);
        feed->heard_ms = now_ms;
        feed->pinged = false;
    }
}

/* A peer that went away without a word would be waited for in vain. */
static void ask_for_life(struct feed *feed, int64_t now_ms)
{
    struct error err = {0};
    int64_t silent_ms = now_ms - feed->heard_ms;
    if (silent_ms > PING_MS && !feed->pinged) {
        feed->pinged = true;
        if (redis_send(feed->channel, &err, 1, (const char *[]){"PING"}, NULL) != REDIS_OK) {
            lose(feed, now_ms, &err);
        }
    } else if (silent_ms > 2 * PING_MS) {
        error_set(&err, ERROR_REDIS, "the subscription is silent");
        lose(feed, now_ms, &err);
    }
}

bool feed_ready(struct feed *feed, int64_t now_ms)
{
    if (!redis_connected(feed->questions) && now_ms - feed->asked_ms >= RETRY_MS) {
        struct error err;
        char key[KEY_MAX];
        redisReply *reply = NULL;
        feed->asked_ms = now_ms;
        key_format(key, feed->config->business, "reported");
        /* The second try follows a node of a cluster that said where the keys are. */
        for (int hop = 0;
             hop < 2 && redis_connect(feed->questions, &err) == 0 &&
             redis_callf(feed->questions, &reply, &err, "EXISTS %s", key) == REDIS_UNKNOWN;
             hop++) {
        }
        freeReplyObject(reply);
    }
    return redis_connected(feed->questions);
}

static void look_for_reporter(struct feed *feed, int64_t now_ms)
{
    char key[KEY_MAX];
    redisReply *reply = NULL;
    bool before = feed->reporter;
    if (now_ms - feed->looked_ms < LEASE_MS) {
        return;
    }
    feed->looked_ms = now_ms;
    key_format(key, feed->config->business, "reporter");
    feed->reporter = feed_ready(feed, now_ms) &&
                     redis_callf(feed->questions, &reply, NULL, "EXISTS %s", key) == REDIS_OK &&
                     reply->integer == 1;
    freeReplyObject(reply);
    if (feed->reporter != before) {
        beat(feed, now_ms);
    }
}

void feed_turn(struct feed *feed, int64_t now_ms)
{
    if (!redis_connected(feed->channel)) {
        connect_channel(feed, now_ms);
    } else {
        listen_on(feed, now_ms);
    }
    if (redis_connected(feed->channel)) {
        ask_for_life(feed, now_ms);
    }
    look_for_reporter(feed, now_ms);
    if (now_ms - feed->beat_ms >= BEAT_MS) {
        beat(feed, now_ms);
    }
}

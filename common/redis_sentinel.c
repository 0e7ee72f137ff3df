/* The first Sentinel that answers is believed, as Redis' guide for clients says. It may lag behind
 * a fail-over: the caller asks the Redis it was sent to for its role. */
#include "common/redis_sentinel.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 1000 };

static int unreachable(const struct redis_sentinel *sentinel, const redisContext *context,
                       struct error *err)
{
    const char *why = context && context->errstr[0] ? context->errstr : "no answer";
    return error_retry(err, ERROR_REDIS, "sentinel %s:%d: %s", sentinel->host, sentinel->port, why);
}

static redisReply *ask(redisContext *context, const struct redis_url *url)
{
    return redisCommand(context, "SENTINEL get-master-addr-by-name %s", url->master);
}

static redisReply *ask_with_password(redisContext *context, const struct redis_url *url)
{
    redisReply *reply = url->user ? redisCommand(context, "AUTH %s %s", url->user, url->password)
                                  : redisCommand(context, "AUTH %s", url->password);
    if (!reply || reply->type == REDIS_REPLY_ERROR) {
        return reply;
    }
    freeReplyObject(reply);
    return ask(context, url);
}

static bool is_place(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 && reply->element[0]->str &&
           reply->element[1]->str;
}

static int take_place(struct redis_url *url, const struct redis_sentinel *sentinel,
                      const redisReply *reply, struct error *err)
{
    if (reply->type == REDIS_REPLY_ERROR) {
        return error_set(err, ERROR_REDIS, "sentinel %s:%d: %s", sentinel->host, sentinel->port,
                         reply->str);
    }
    if (reply->type == REDIS_REPLY_NIL) {
        return error_set(err, ERROR_REDIS, "sentinel %s:%d knows no master named %s",
                         sentinel->host, sentinel->port, url->master);
    }
    char *end = NULL;
    long port = is_place(reply) ? strtol(reply->element[1]->str, &end, 10) : 0;
    if (port < 1 || port > 65535 || *end || reply->element[0]->len >= sizeof url->host) {
        return error_retry(err, ERROR_REDIS, "sentinel %s:%d answered no address", sentinel->host,
                           sentinel->port);
    }
    redis_url_place(url, text_of(reply->element[0]->str), (int)port);
    return 0;
}

static int ask_one(struct redis_url *url, const struct redis_sentinel *sentinel, int64_t wait_ms,
                   struct error *err)
{
    struct timeval limit = {.tv_sec = wait_ms / 1000, .tv_usec = (wait_ms % 1000) * 1000};
    redisContext *context = redisConnectWithTimeout(sentinel->host, sentinel->port, limit);
    redisReply *reply = NULL;
    if (context && !context->err && redisSetTimeout(context, limit) == REDIS_OK) {
        reply = ask(context, url);
    }
    if (reply && reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOAUTH", 6) == 0 &&
        url->password) {
        freeReplyObject(reply);
        reply = ask_with_password(context, url);
    }
    int rc = reply ? take_place(url, sentinel, reply, err) : unreachable(sentinel, context, err);
    freeReplyObject(reply);
    redisFree(context);
    return rc;
}

int redis_sentinel_find(struct redis_url *url, int64_t timeout_ms, struct error *err)
{
    struct error own = {0};
    int64_t wait_ms = timeout_ms < PATIENCE_MS ? timeout_ms : PATIENCE_MS;
    bool may_pass = false;
    for (int i = 0; i < url->sentinel_count; i++) {
        if (ask_one(url, &url->sentinels[i], wait_ms, &own) == 0) {
            return 0;
        }
        may_pass = may_pass || own.retry;
    }
    own.retry = may_pass;
    if (err) {
        *err = own;
    }
    return -1;
}

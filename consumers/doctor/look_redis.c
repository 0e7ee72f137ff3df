#include "consumers/doctor/look.h"

#include "common/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HOPS_MAX = 5, PINGS = 15 };

int look_reach(struct redis *redis, const char *key, struct error *err)
{
    for (int hop = 0; hop < HOPS_MAX; hop++) {
        redisReply *reply;
        if (redis_connect(redis, err) != 0)
            return -1;
        enum redis_answer answer = redis_callf(redis, &reply, err, "EXISTS %s", key);
        freeReplyObject(reply);
        if (answer != REDIS_UNKNOWN)
            return answer == REDIS_OK ? 0 : -1;
    }
    return -1;
}

/* The value of "name:value\r\n" in an INFO answer, cut to the room; "" when there is none. */
static char *info(const char *text, const char *name, char *out, size_t room)
{
    size_t len = strlen(name);
    out[0] = 0;
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, len) == 0 && line[len] == ':') {
            snprintf(out, room, "%.*s", (int)strcspn(line + len + 1, "\r\n"), line + len + 1);
            break;
        }
    }
    return out;
}

static bool says(const char *text, const char *name, const char *value)
{
    char out[32];
    return strcmp(info(text, name, out, sizeof out), value) == 0;
}

static void take_info(struct facts_redis *node, const char *text)
{
    static const char *const writes[] = {"rdb_last_bgsave_status", "aof_last_write_status",
                                         "aof_last_bgrewrite_status"};
    char number[32];
    info(text, "redis_version", node->version, sizeof node->version);
    info(text, "role", node->role, sizeof node->role);
    info(text, "maxmemory_policy", node->policy, sizeof node->policy);
    node->aof = says(text, "aof_enabled", "1");
    node->used_bytes = atoll(info(text, "used_memory", number, sizeof number));
    node->max_bytes = atoll(info(text, "maxmemory", number, sizeof number));
    node->evicted = atoll(info(text, "evicted_keys", number, sizeof number));
    for (int i = 0; i < 3; i++)
        if (says(text, writes[i], "err"))
            snprintf(node->write_failed, sizeof node->write_failed, "%s", writes[i]);
}

/* INFO does not tell whether snapshots are made. Managed services refuse CONFIG. */
static void ask_config(struct facts_redis *node, struct redis *redis)
{
    redisReply *reply;
    struct error ignored;
    node->snapshots = node->torn_loads = FACTS_UNKNOWN;
    if (redis_callf(redis, &reply, &ignored, "CONFIG GET save") == REDIS_OK) {
        if (reply->elements == 2)
            node->snapshots = reply->element[1]->len > 0;
        freeReplyObject(reply);
    }
    if (redis_connected(redis) &&
        redis_callf(redis, &reply, &ignored, "CONFIG GET aof-load-truncated") == REDIS_OK) {
        if (reply->elements == 2)
            node->torn_loads = strcmp(reply->element[1]->str, "yes") == 0;
        freeReplyObject(reply);
    }
}

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int by_size(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

static void ask_latency(struct facts_redis *node, struct redis *redis)
{
    int64_t took_us[PINGS];
    struct error ignored;
    int count = 0;
    for (; count < PINGS; count++) {
        redisReply *reply;
        int64_t begin_us = now_us();
        if (redis_callf(redis, &reply, &ignored, "PING") != REDIS_OK)
            break;
        took_us[count] = now_us() - begin_us;
        freeReplyObject(reply);
    }
    qsort(took_us, (size_t)count, sizeof took_us[0], by_size);
    node->latency_us = count ? took_us[count / 2] : 0;
}

/* Its time is taken to be that of the middle between question and answer. */
static void ask_time(struct facts_redis *node, struct redis *redis)
{
    redisReply *reply;
    struct error ignored;
    int64_t before_ms = clock_wall_ms();
    if (redis_callf(redis, &reply, &ignored, "TIME") != REDIS_OK)
        return;
    int64_t here_ms = (before_ms + clock_wall_ms()) / 2;
    if (reply->elements == 2)
        node->ahead_ms =
            atoll(reply->element[0]->str) * 1000 + atoll(reply->element[1]->str) / 1000 - here_ms;
    freeReplyObject(reply);
}

static void ask_cluster(struct facts_redis *node, struct redis *redis)
{
    redisReply *reply;
    struct error ignored;
    if (redis_callf(redis, &reply, &ignored, "CLUSTER INFO") != REDIS_OK)
        return;
    node->cluster_broken = reply->str && !strstr(reply->str, "cluster_state:ok");
    freeReplyObject(reply);
}

void look_node(struct facts_redis *node, struct redis *redis)
{
    redisReply *reply;
    struct error err = {0};
    snprintf(node->address, sizeof node->address, "%s", redis_address(redis));
    if (redis_callf(redis, &reply, &err, "INFO") != REDIS_OK) {
        snprintf(node->why, sizeof node->why, "%.290s", err.text);
        return;
    }
    node->answers = true;
    bool cluster = false;
    if (reply->str) {
        take_info(node, reply->str);
        cluster = says(reply->str, "cluster_enabled", "1");
    }
    freeReplyObject(reply);
    ask_config(node, redis);
    ask_latency(node, redis);
    ask_time(node, redis);
    if (cluster)
        ask_cluster(node, redis);
}

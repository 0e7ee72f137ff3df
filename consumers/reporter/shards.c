#include "consumers/reporter/shards.h"

#include "common/calendar.h"
#include "consumers/reporter/key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shards {
    const struct config *config;
    struct shard list[SHARDS_MAX];
    int count;
    int32_t from;
    char made[160]; /* token of shard 0 when its definition was read */
};

int shards_open(struct shards **out, const struct config *config, struct error *err)
{
    struct shards *shards = calloc(1, sizeof *shards);
    if (!shards) {
        return error_memory(err);
    }
    shards->config = config;
    shards->from = INT32_MIN;
    *out = shards;
    return 0;
}

void shards_free(struct shards *shards)
{
    if (shards) {
        for (int k = 0; k < SHARDS_MAX; k++) {
            redis_free(shards->list[k].redis);
        }
        free(shards);
    }
}

int shards_count(const struct shards *shards)
{
    return shards->count;
}

struct shard *shards_at(struct shards *shards, int k)
{
    return &shards->list[k];
}

int32_t shards_from(const struct shards *shards)
{
    return shards->from;
}

/* The value of a line "<name>=<value>"; absent when there is none. */
static struct text line_of(struct text definition, const char *name)
{
    size_t len = strlen(name);
    const char *at = definition.at, *end = at + definition.len;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        if ((size_t)(stop - at) > len && memcmp(at, name, len) == 0 && at[len] == '=') {
            return (struct text){at + len + 1, (size_t)(stop - at) - len - 1};
        }
        at = stop + 1;
    }
    return (struct text){0};
}

int shards_parse(struct text definition, int *count, int32_t *from, struct error *err)
{
    struct text shards = line_of(definition, "ledger.shards");
    struct text day = line_of(definition, "ledger.from");
    char digits[8] = "";
    if (shards.at && shards.len < sizeof digits) {
        memcpy(digits, shards.at, shards.len);
    }
    *count = atoi(digits);
    if (*count < 1 || *count > SHARDS_MAX) {
        return error_set(err, ERROR_STORE,
                         "the ledger's definition does not say its number of shards: \"%.*s\"",
                         TEXT_ARG(shards));
    }
    if (!day.at || !calendar_parse_date(day, from)) {
        *from = INT32_MIN;
    }
    return 0;
}

static int open_shard(struct shards *shards, int k, struct error *err)
{
    struct shard *shard = &shards->list[k];
    snprintf(shard->name, sizeof shard->name, "%s.%d", shards->config->business, k);
    return shard->redis ? 0 : redis_open(&shard->redis, shards->config, err);
}

/* What shard 0 says of the whole. */
static int take_definition(struct shards *shards, const redisReply *reply, struct error *err)
{
    const redisReply *token = reply->elements == 2 ? reply->element[0] : NULL;
    const redisReply *definition = reply->elements == 2 ? reply->element[1] : NULL;
    if (!token || !token->str) {
        shards->count = 0;
        shards->made[0] = '\0';
        return 0;
    }
    if (shards->count > 0 && strcmp(shards->made, token->str) == 0) {
        return 0;
    }
    struct text text = {definition->str ? definition->str : "", definition->len};
    if (shards_parse(text, &shards->count, &shards->from, err) != 0) {
        shards->count = 0;
        return -1;
    }
    snprintf(shards->made, sizeof shards->made, "%s", token->str);
    return 0;
}

static int ask_definition(struct shards *shards, struct error *err)
{
    char key[KEY_MAX];
    struct shard *shard = &shards->list[0];
    redisReply *reply = NULL;
    if (redis_callf(shard->redis, &reply, err, "HMGET %s token definition",
                    key_format(key, shard->name, "position:customers")) != REDIS_OK) {
        return -1;
    }
    int rc = take_definition(shards, reply, err);
    freeReplyObject(reply);
    return rc;
}

enum { QUESTIONS = 4 };

static int ask(struct shard *shard, struct error *err)
{
    static const char *const words[QUESTIONS][3] = {
        {"HGET", "position:customers", "token"},
        {"HGET", "customer:undated", "ledger_overflow"},
        {"HLEN", "dirty", NULL},
        {"HLEN", "names", NULL},
    };
    for (int i = 0; i < QUESTIONS; i++) {
        char key[KEY_MAX];
        const char *argv[] = {words[i][0], key_format(key, shard->name, "%s", words[i][1]),
                              words[i][2]};
        if (redis_send(shard->redis, err, words[i][2] ? 3 : 2, argv, NULL) != REDIS_OK) {
            return -1;
        }
    }
    return 0;
}

static int receive(struct shard *shard, struct error *err)
{
    for (int i = 0; i < QUESTIONS; i++) {
        redisReply *reply = NULL;
        if (redis_receive(shard->redis, &reply, err) != REDIS_OK) {
            return -1;
        }
        if (i == 0) {
            snprintf(shard->token, sizeof shard->token, "%s", reply->str ? reply->str : "");
        } else if (i == 1) {
            snprintf(shard->overflow, sizeof shard->overflow, "%s", reply->str ? reply->str : "");
        } else {
            *(i == 2 ? &shard->marks : &shard->names) = reply->integer;
        }
        freeReplyObject(reply);
    }
    return 0;
}

static int look_once(struct shards *shards, int k, struct error *err)
{
    struct shard *shard = &shards->list[k];
    if (!redis_connected(shard->redis)) {
        if (redis_connect(shard->redis, err) != 0) {
            return -1;
        }
        shard->connected++;
    }
    if (k == 0 && ask_definition(shards, err) != 0) {
        return -1;
    }
    return k < shards->count && (ask(shard, err) != 0 || receive(shard, err) != 0) ? -1 : 0;
}

/* A connection may have been cut, or answer that another node has the shard: once more. */
static int look_at(struct shards *shards, int k, struct error *err)
{
    if (open_shard(shards, k, err) != 0) {
        return -1;
    }
    if (look_once(shards, k, err) == 0) {
        return 0;
    }
    redis_disconnect(shards->list[k].redis); /* answers may be under way */
    if (err->retry && look_once(shards, k, err) == 0) {
        return 0;
    }
    redis_disconnect(shards->list[k].redis);
    return error_prefix(err, "shard %d of the ledger", k);
}

int shards_look(struct shards *shards, struct error *err)
{
    if (look_at(shards, 0, err) != 0) {
        return -1;
    }
    for (int k = 1; k < shards->count; k++) {
        if (look_at(shards, k, err) != 0) {
            return -1;
        }
    }
    return 0;
}

#include "consumers/reporter/settle.h"

#include "settle_lua.h"
#include "unmark_lua.h"

#include <stdlib.h>

enum { STEP = 1000 }; /* about a millisecond of Redis */

static int settle_step(struct redis *redis, const struct redis_script *script,
                       const struct lease *lease, const char *key, const struct settled *list,
                       size_t count, bool *held, struct error *err)
{
    const char **argv = calloc(3 + 2 * count, sizeof *argv);
    if (!argv) {
        return error_memory(err);
    }
    int argc = 0;
    argv[argc++] = lease_key(lease);
    argv[argc++] = key;
    argv[argc++] = lease_token(lease);
    for (size_t i = 0; i < count; i++) {
        argv[argc++] = list[i].field;
        argv[argc++] = list[i].value;
    }
    redisReply *reply = NULL;
    enum redis_answer answer = redis_eval(redis, script, 2, &reply, err, argc, argv, NULL);
    free(argv);
    if (answer != REDIS_OK) {
        return -1;
    }
    *held = reply->type == REDIS_REPLY_INTEGER && reply->integer >= 0;
    freeReplyObject(reply);
    return 0;
}

int settle(struct redis *redis, const struct lease *lease, const char *key,
           const struct settled *list, size_t count, bool *held, struct error *err)
{
    struct redis_script script;
    redis_script_init(&script, settle_lua);
    *held = true;
    for (size_t i = 0; i < count && *held; i += STEP) {
        size_t step = count - i < STEP ? count - i : STEP;
        if (settle_step(redis, &script, lease, key, list + i, step, held, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int unmark(struct redis *redis, const char *key, const struct settled *list, size_t count,
                  struct error *err)
{
    const char *argv[1 + 2 * STEP] = {key};
    int argc = 1;
    for (size_t i = 0; i < count; i++) {
        argv[argc++] = list[i].field;
        argv[argc++] = list[i].value;
    }
    struct redis_script script;
    redisReply *reply = NULL;
    redis_script_init(&script, unmark_lua);
    if (redis_eval(redis, &script, 1, &reply, err, argc, argv, NULL) != REDIS_OK) {
        return -1;
    }
    freeReplyObject(reply);
    return 0;
}

int settle_shard(struct redis *redis, const char *key, const struct settled *list, size_t count,
                 struct error *err)
{
    for (size_t i = 0; i < count; i += STEP) {
        size_t step = count - i < STEP ? count - i : STEP;
        if (unmark(redis, key, list + i, step, err) != 0) {
            return -1;
        }
    }
    return 0;
}

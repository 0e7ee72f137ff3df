/* Is Redis one that keeps what it is given? */
#include "common/store_inside.h"

#include "common/clock.h"
#include "common/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The value of "name:value\r\n" in an INFO answer, cut to the room. */
static bool info_value(const char *info, const char *name, char *out, size_t room)
{
    size_t len = strlen(name);
    for (const char *line = info; line && *line; line = strchr(line, '\n')) {
        if (*line == '\n')
            line++;
        if (strncmp(line, name, len) == 0 && line[len] == ':') {
            snprintf(out, room, "%.*s", (int)strcspn(line + len + 1, "\r\n"), line + len + 1);
            return true;
        }
    }
    return false;
}

/* INFO rather than CONFIG: managed services refuse CONFIG. */
enum store_answer store_guard(struct store *s, struct error *err)
{
    redisReply *reply;
    char policy[64] = "", evicted[32] = "0", run_id[48] = "";
    enum redis_answer answer = redis_callf(s->redis, &reply, err, "INFO");
    if (answer != REDIS_OK)
        return store_answer_of(answer);
    if (reply->str) {
        info_value(reply->str, "maxmemory_policy", policy, sizeof policy);
        info_value(reply->str, "evicted_keys", evicted, sizeof evicted);
        info_value(reply->str, "run_id", run_id, sizeof run_id);
    }
    freeReplyObject(reply);
    s->guarded_ms = clock_mono_ms();
    if (policy[0] && strcmp(policy, "noeviction") != 0) {
        error_set(err, ERROR_STORE,
                  "Redis at %s may evict keys (maxmemory-policy %s): counters would vanish; "
                  "set maxmemory-policy noeviction",
                  store_address(s), policy);
        return STORE_BROKEN;
    }
    long long count = atoll(evicted);
    if (s->evicted >= 0 && strcmp(run_id, s->run_id) == 0 && count > s->evicted)
        log_error("redis evicted keys: counters no longer equal the log",
                  log_s("redis", store_address(s)), log_i("evicted", count - s->evicted));
    s->evicted = count;
    snprintf(s->run_id, sizeof s->run_id, "%s", run_id);
    return STORE_DONE;
}

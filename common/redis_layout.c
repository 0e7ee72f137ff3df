#include "common/redis_layout.h"

#include "common/layout.h"

#include <stdio.h>

/* Damaged keys are told by whoever stumbles over them: 0 for a key that is no hash. */
static int ask(struct redis *redis, const char *key, bool older_fine, struct error *err)
{
    redisReply *reply;
    enum redis_answer answer = redis_callf(redis, &reply, err, "HMGET %s layout token", key);
    if (answer == REDIS_PERMANENT) {
        *err = (struct error){0};
        return 0;
    }
    if (answer != REDIS_OK)
        return -1;
    int rc = 0;
    if (reply->elements == 2 && reply->element[1]->str)
        rc = older_fine ? layout_check_newer(reply->element[0]->str, err)
                        : layout_check(reply->element[0]->str, err);
    freeReplyObject(reply);
    return rc;
}

int redis_layout(struct redis *redis, const struct config *config, bool older_fine,
                 struct error *err)
{
    static const char *const kinds[] = {"sales", "service"};
    char key[112];
    snprintf(key, sizeof key, "tandem:{%s}:position:%s", config->business, kinds[0]);
    if (redis_wait_for(redis, config, key, err) != 0)
        return -1;
    for (int i = 0; i < 2; i++) {
        snprintf(key, sizeof key, "tandem:{%s}:position:%s", config->business, kinds[i]);
        if (ask(redis, key, older_fine, err) != 0)
            return -1;
    }
    return 0;
}

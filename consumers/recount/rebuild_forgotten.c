#include "consumers/recount/rebuild_forgotten.h"

#include "common/store.h"
#include "consumers/recount/audit_tombs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int read_tombs(struct redis *redis, const struct rebuild_store *store, struct tombs *tombs,
                      struct error *err)
{
    char key[KEY_MAX];
    redisReply *reply;
    int rc = 0;
    rebuild_store_key(store, "", "forgotten", key);
    if (redis_callf(redis, &reply, err, "HGETALL %s", key) != REDIS_OK)
        return -1;
    for (size_t i = 0; i + 1 < reply->elements && rc == 0; i += 2)
        rc = tombs_add(tombs, (struct text){reply->element[i]->str, reply->element[i]->len},
                       reply->element[i + 1]->str, err);
    freeReplyObject(reply);
    tombs_sort(tombs);
    return rc;
}

/* How far a partition of one side was counted; -1: the hash does not say. */
static int64_t position_in(const redisReply *hash, const char *word, int32_t partition)
{
    char field[64];
    snprintf(field, sizeof field, "%s:%" PRId32, word, partition);
    for (size_t i = 0; i + 1 < hash->elements; i += 2)
        if (strcmp(hash->element[i]->str, field) == 0)
            return strtoll(hash->element[i + 1]->str, NULL, 10);
    return -1;
}

/* "c:3:c-8841": the mark of a customer all of whose events were counted. */
static bool is_done(const struct tombs *tombs, const redisReply *positions, const char *rest)
{
    char *end;
    if (strncmp(rest, "c:", 2) != 0)
        return false;
    int32_t partition = (int32_t)strtol(rest + 2, &end, 10);
    const struct tomb *tomb = *end == ':' ? tombs_find(tombs, partition, text_of(end + 1)) : NULL;
    return tomb && position_in(positions, "sales", partition) >= tomb->from[SIDE_SALE] &&
           position_in(positions, "service", partition) >= tomb->from[SIDE_SERVICE];
}

static int part(const struct tombs *tombs, const redisReply *positions, size_t prefix,
                struct keylist *made, struct keylist *gone, struct error *err)
{
    size_t kept = 0;
    int rc = 0;
    for (size_t i = 0; i < made->count; i++) {
        char *key = made->list[i];
        if (rc != 0 || !is_done(tombs, positions, key + prefix)) {
            made->list[kept++] = key;
            continue;
        }
        rc = keylist_add(gone, text_of(key), err);
        free(key);
    }
    made->count = kept;
    return rc;
}

int rebuild_forgotten(struct redis *redis, const struct rebuild_store *store, struct keylist *made,
                      struct keylist *gone, struct error *err)
{
    struct tombs tombs = {0};
    char key[KEY_MAX];
    redisReply *positions = NULL;
    int rc = read_tombs(redis, store, &tombs, err);
    rebuild_store_key(store, STORE_REBUILD, store->positions[0], key);
    if (rc == 0 && tombs.count &&
        redis_callf(redis, &positions, err, "HGETALL %s", key) != REDIS_OK)
        rc = -1;
    if (rc == 0 && tombs.count)
        rc = part(&tombs, positions, strlen(rebuild_store_key(store, STORE_REBUILD, "", key)), made,
                  gone, err);
    freeReplyObject(positions);
    tombs_clear(&tombs);
    return rc;
}

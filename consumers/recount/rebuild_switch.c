#include "consumers/recount/rebuild_switch.h"

#include "rebuild_fence_lua.h"
#include "rebuild_lua.h"
#include "rebuild_scopes_lua.h"

#include "common/args.h"
#include "common/log.h"
#include "common/random.h"
#include "common/scope.h"
#include "common/store.h"
#include "consumers/recount/rebuild_forgotten.h"
#include "consumers/reporter/key.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    STEP_KEYS = 500,
    TOKEN_BYTES = 160,
    WORDS = 5 /* of rebuild.lua, behind its keys */
};

/* ---- which keys ---- */

static bool is_any(const void *context, const char *rest)
{
    (void)context;
    (void)rest;
    return true;
}

static int scan(struct keylist *keys, struct redis *redis, const struct rebuild_store *store,
                const char *generation, keylist_wants *wants, struct error *err)
{
    char prefix[KEY_MAX];
    return keylist_scan(keys, redis, rebuild_store_key(store, generation, "", prefix), wants, NULL,
                        err);
}

int rebuild_live_keys(struct redis *redis, const struct rebuild_store *store, size_t *count,
                      struct error *err)
{
    struct keylist keys = {0};
    int rc = scan(&keys, redis, store, "", store->wants, err);
    *count = keys.count;
    keylist_clear(&keys);
    return rc;
}

/* ---- beginning ---- */

int rebuild_begun(struct redis *redis, const struct rebuild_store *store, bool *there,
                  struct error *err)
{
    char keys[2][KEY_MAX];
    redisReply *reply;
    for (int i = 0; i < 2; i++)
        rebuild_store_key(store, STORE_REBUILD, store->positions[i], keys[i]);
    if (redis_callf(redis, &reply, err, "EXISTS %s %s", keys[0], keys[1]) != REDIS_OK)
        return -1;
    *there = reply->integer == 2;
    freeReplyObject(reply);
    return 0;
}

static int unlink_keys(struct redis *redis, char *const *keys, size_t count, struct error *err)
{
    const char *argv[STEP_KEYS + 1] = {"UNLINK"};
    redisReply *reply;
    for (size_t at = 0, step; at < count; at += step) {
        step = count - at < STEP_KEYS ? count - at : STEP_KEYS;
        for (size_t i = 0; i < step; i++)
            argv[i + 1] = keys[at + i];
        if (redis_call(redis, &reply, err, (int)step + 1, argv, NULL) != REDIS_OK)
            return -1;
        freeReplyObject(reply);
    }
    return 0;
}

/* The positions go first: without them the rest is known to be nobody's. */
static int clear(struct redis *redis, const struct rebuild_store *store, struct error *err)
{
    char positions[2][KEY_MAX];
    char *first[2];
    struct keylist keys = {0};
    for (int i = 0; i < 2; i++)
        first[i] = rebuild_store_key(store, STORE_REBUILD, store->positions[i], positions[i]);
    if (unlink_keys(redis, first, 2, err) != 0)
        return -1;
    int rc = scan(&keys, redis, store, STORE_REBUILD, is_any, err);
    if (rc == 0)
        rc = unlink_keys(redis, keys.list, keys.count, err);
    keylist_clear(&keys);
    return rc;
}

static int copy_scopes(struct redis *redis, const struct config *config, struct error *err)
{
    char keys[2 * SCOPE_DIMENSIONS_MAX][KEY_MAX], limit[24];
    const char *argv[2 * SCOPE_DIMENSIONS_MAX + 1];
    struct redis_script script;
    redisReply *reply;
    int count = 0;
    for (const char *at = config->scopes; *at && count < 2 * SCOPE_DIMENSIONS_MAX;) {
        int len = (int)strcspn(at, ", ");
        if (len > 0) {
            key_format(keys[count], config->business, "scope:%.*s", len, at);
            key_format(keys[count + 1], config->business, STORE_REBUILD "scope:%.*s", len, at);
            argv[count] = keys[count];
            argv[count + 1] = keys[count + 1];
            count += 2;
        }
        at += len + (at[len] != 0);
    }
    snprintf(limit, sizeof limit, "%" PRId64, config->scope_limit);
    argv[count] = limit;
    redis_script_init(&script, rebuild_scopes_lua);
    if (redis_eval(redis, &script, count, &reply, err, count + 1, argv, NULL) != REDIS_OK)
        return -1;
    freeReplyObject(reply);
    return 0;
}

int rebuild_begin(struct redis *redis, const struct config *config,
                  const struct rebuild_store *store, struct error *err)
{
    if (clear(redis, store, err) != 0)
        return -1;
    return store->shard == REBUILD_MAIN ? copy_scopes(redis, config, err) : 0;
}

/* ---- the fence ---- */

static int fence(struct redis *redis, const struct rebuild_store *store, const char *word,
                 struct error *err)
{
    char keys[2][KEY_MAX];
    const char *argv[] = {rebuild_store_key(store, "", store->positions[0], keys[0]),
                          rebuild_store_key(store, "", store->positions[1], keys[1]), word};
    struct redis_script script;
    redisReply *reply;
    redis_script_init(&script, rebuild_fence_lua);
    if (redis_eval(redis, &script, 2, &reply, err, 3, argv, NULL) != REDIS_OK)
        return -1;
    freeReplyObject(reply);
    return 0;
}

int rebuild_open_fence(struct redis *redis, const struct rebuild_store *store, struct error *err)
{
    return fence(redis, store, "open", err);
}

/* ---- switching ---- */

/* Of the live store (""), or of the recounted one. */
static int read_token(struct redis *redis, const struct rebuild_store *store,
                      const char *generation, char out[TOKEN_BYTES], struct error *err)
{
    char key[KEY_MAX];
    redisReply *reply;
    rebuild_store_key(store, generation, store->positions[0], key);
    if (redis_callf(redis, &reply, err, "HGET %s token", key) != REDIS_OK)
        return -1;
    snprintf(out, TOKEN_BYTES, "%s", reply->str ? reply->str : "");
    freeReplyObject(reply);
    return 0;
}

struct plan {
    const struct rebuild_store *store;
    char token[TOKEN_BYTES];
    struct keylist old, new; /* keys that go, keys that come */
    size_t live;             /* of those that go; the others are of the second set */
    char fixed[6][KEY_MAX];
    struct args args;
};

static void plan_clear(struct plan *plan)
{
    keylist_clear(&plan->old);
    keylist_clear(&plan->new);
    args_free(&plan->args);
}

/* "tandem:{main}:rebuild:sale:day:..." comes to stand at "tandem:{main}:sale:day:...". */
static int add_names(struct plan *plan, struct keylist *names, struct error *err)
{
    char prefix[KEY_MAX], key[KEY_MAX];
    size_t len = strlen(rebuild_store_key(plan->store, STORE_REBUILD, "", prefix));
    for (size_t i = 0; i < plan->new.count; i++) {
        rebuild_store_key(plan->store, "", plan->new.list[i] + len, key);
        if (keylist_add(names, text_of(key), err) != 0)
            return -1;
    }
    return 0;
}

static int build(struct plan *plan, const struct keylist *names, struct error *err)
{
    const struct rebuild_store *store = plan->store;
    const char *const rests[3] = {store->positions[0], store->positions[1], "dirty"};
    struct args *args = &plan->args;
    if (!args_begin(args, 6 + WORDS + plan->old.count + 2 * names->count, WORDS))
        return error_memory(err);
    /* The hashes of positions, live and recounted, then the marks. */
    for (int i = 0; i < 6; i++)
        args_string(args, rebuild_store_key(store, i == 2 || i == 3 || i == 5 ? STORE_REBUILD : "",
                                            rests[i < 4 ? i % 2 : 2], plan->fixed[i]));
    for (size_t i = 0; i < plan->old.count; i++)
        args_string(args, plan->old.list[i]);
    for (size_t i = 0; i < names->count; i++) {
        args_string(args, plan->new.list[i]);
        args_string(args, names->list[i]);
    }
    args_string(args, plan->token);
    args_format(args, "%016" PRIx64, random_u64());
    args_number(args, (int64_t)plan->old.count);
    args_number(args, (int64_t)strlen(store->prefix));
    if (store->shard == REBUILD_MAIN)
        args_string(args, "");
    else
        args_format(args, "%016" PRIx64, random_u64());
    return 0;
}

/* The answer was lost: the token of the live store tells whether the script ran. */
static int find_out(struct redis *redis, const struct config *config, const struct plan *plan,
                    struct error *err)
{
    char token[TOKEN_BYTES];
    struct error why = *err;
    if (rebuild_store_go(plan->store, config, redis, err) != 0 ||
        read_token(redis, plan->store, "", token, err) != 0)
        return -1;
    if (strcmp(token, plan->token) == 0)
        return 0;
    *err = why;
    return -1;
}

static int carry_out(struct redis *redis, const struct config *config, struct plan *plan,
                     struct error *err)
{
    struct redis_script script;
    redisReply *reply;
    int rc = 0, keys = (int)plan->args.count - WORDS;
    redis_script_init(&script, rebuild_lua);
    enum redis_answer answer = redis_eval(redis, &script, keys, &reply, err, (int)plan->args.count,
                                          plan->args.list, plan->args.lengths);
    if (answer == REDIS_UNKNOWN)
        return find_out(redis, config, plan, err);
    if (answer != REDIS_OK)
        return -1;
    if (!reply->str || strcmp(reply->str, "switched") != 0)
        rc = error_set(err, ERROR_STORE,
                       "nothing was switched (%s): another rebuild runs beside this one",
                       reply->str ? reply->str : "an answer of an unexpected form");
    freeReplyObject(reply);
    return rc;
}

static int check_size(const struct plan *plan, struct error *err)
{
    if (plan->old.count <= REBUILD_KEYS_MAX && plan->new.count <= REBUILD_KEYS_MAX)
        return 0;
    return error_set(err, ERROR_STORE,
                     "%zu keys would take the place of %zu: above %d Redis would stand still for "
                     "too long; count under a second business name instead (--business), and then "
                     "point dashboards there",
                     plan->new.count, plan->old.count, REBUILD_KEYS_MAX);
}

/* Between the closing of the fence and the script nobody counts: the lists are whole. */
static int switch_fenced(struct redis *redis, const struct config *config, struct plan *plan,
                         struct error *err)
{
    struct keylist names = {0};
    int rc = scan(&plan->old, redis, plan->store, "", plan->store->wants, err);
    if (rc == 0)
        rc = scan(&plan->new, redis, plan->store, STORE_REBUILD, plan->store->wants, err);
    if (rc == 0)
        rc = check_size(plan, err);
    plan->live = plan->old.count;
    if (rc == 0 && plan->store->shard != REBUILD_MAIN)
        rc = rebuild_forgotten(redis, plan->store, &plan->new, &plan->old, err);
    if (rc == 0)
        rc = add_names(plan, &names, err);
    if (rc == 0)
        rc = build(plan, &names, err);
    if (rc == 0)
        rc = carry_out(redis, config, plan, err);
    keylist_clear(&names);
    return rc;
}

int rebuild_switch(struct redis *redis, const struct config *config,
                   const struct rebuild_store *store, size_t *before, size_t *after,
                   struct error *err)
{
    struct plan plan = {.store = store};
    struct error ignored;
    if (read_token(redis, store, STORE_REBUILD, plan.token, err) != 0 ||
        fence(redis, store, "close", err) != 0)
        return -1;
    int rc = switch_fenced(redis, config, &plan, err);
    if (rc != 0 && rebuild_open_fence(redis, store, &ignored) != 0)
        log_error("workers wait for a switch that failed; run tandem rebuild again",
                  log_s("why", ignored.text));
    *before = plan.live;
    *after = plan.new.count;
    plan_clear(&plan);
    return rc;
}

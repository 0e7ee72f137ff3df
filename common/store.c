#include "common/store_inside.h"

#include "accept_lua.h"
#include "look_lua.h"
#include "make_lua.h"

#include "common/clock.h"
#include "common/layout.h"
#include "common/random.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* Every business has these; a store is made for all of them at once. */
static const char *const main_kinds[] = {"sales", "service", NULL};

static void name_keys(struct store *s, const struct store_kind *kind)
{
    char tag[64];
    snprintf(tag, sizeof tag, kind->shards ? "%s.%d" : "%s", s->business, kind->shard);
    snprintf(s->prefix, sizeof s->prefix, "tandem:{%s}:%s", tag, kind->generation);
    snprintf(s->position_key, sizeof s->position_key, "%sposition:%s", s->prefix, kind->name);
    snprintf(s->floor_key, sizeof s->floor_key, "tandem:{%s}:floor", tag);
    snprintf(s->dirty_key, sizeof s->dirty_key, "%sdirty", s->prefix);
    snprintf(s->currency_key, sizeof s->currency_key, "%scurrency", s->prefix);
    snprintf(s->gap_key, sizeof s->gap_key, "%sgap", s->prefix);
    snprintf(s->names_key, sizeof s->names_key, "%snames", s->prefix);
    /* Who was forgotten stays so in every generation. */
    snprintf(s->forgotten_key, sizeof s->forgotten_key, "tandem:{%s}:forgotten", tag);
}

int store_open(struct store **out, const struct config *config, const struct store_kind *kind,
               struct error *err)
{
    struct store *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return error_memory(err);
    s->words = kind->words;
    s->word_count = kind->word_count;
    s->shard = kind->shard;
    s->shards = kind->shards;
    s->scope_limit = config->scope_limit;
    s->evicted = -1;
    s->timeout_ms = config->redis_timeout_ms;
    s->business = strdup(config->business);
    s->kind = strdup(kind->name);
    if (!s->business || !s->kind) {
        store_free(s);
        return error_memory(err);
    }
    if (redis_open(&s->redis, config, err) != 0) {
        store_free(s);
        return -1;
    }
    name_keys(s, kind);
    redis_script_init(&s->accept, accept_lua);
    redis_script_init(&s->look, look_lua);
    redis_script_init(&s->make, make_lua);
    store_apply_init(s);
    store_ledger_init(s);
    *out = s;
    return 0;
}

void store_free(struct store *store)
{
    if (!store)
        return;
    redis_free(store->redis);
    free(store->business);
    free(store->kind);
    args_free(&store->args);
    store_ledger_free(store);
    free(store);
}

const char *store_address(const struct store *store)
{
    return redis_address(store->redis);
}

bool store_connected(const struct store *store)
{
    return redis_connected(store->redis);
}

enum store_answer store_answer_of(enum redis_answer answer)
{
    switch (answer) {
    case REDIS_OK:
        return STORE_DONE;
    case REDIS_NOSCRIPT:
    case REDIS_BUSY:
        return STORE_LATER;
    case REDIS_UNKNOWN:
        return STORE_UNKNOWN;
    case REDIS_PERMANENT:
        break;
    }
    return STORE_BROKEN;
}

/* A batch whose sums were dropped may still be on its way, and its answer would be taken for that
 * of the next call: it is waited for and thrown away. What it did, a look at the positions tells. */
enum store_answer store_clear_line(struct store *s, struct error *err)
{
    redisReply *reply;
    if (!s->flying)
        return STORE_DONE;
    s->flying = false;
    enum redis_answer answer = redis_receive(s->redis, &reply, err);
    if (answer == REDIS_UNKNOWN)
        return STORE_UNKNOWN;
    if (answer == REDIS_OK)
        freeReplyObject(reply);
    return STORE_DONE;
}

enum store_answer store_connect(struct store *store, struct error *err)
{
    store->flying = false;
    if (redis_connect(store->redis, err) != 0)
        return err && !err->retry ? STORE_BROKEN : STORE_UNKNOWN;
    return store_guard(store, err);
}

enum store_answer store_look(struct store *store, struct store_state *state, struct error *err)
{
    char other[4][112];
    const char *argv[8] = {store->position_key, store->floor_key};
    int count = 2;
    redisReply *reply;
    store_state_clear(state);
    enum store_answer clear = store_clear_line(store, err);
    if (clear != STORE_DONE)
        return clear;
    for (int i = 0; main_kinds[i] && !store->shards; i++) {
        if (strcmp(main_kinds[i], store->kind) == 0)
            continue;
        snprintf(other[i], sizeof other[i], "%sposition:%s", store->prefix, main_kinds[i]);
        argv[count++] = other[i];
    }
    enum redis_answer answer =
        redis_eval(store->redis, &store->look, count, &reply, err, count, argv, NULL);
    if (answer != REDIS_OK)
        return store_answer_of(answer);
    int rc = store_parse_look(store, reply, state, err);
    freeReplyObject(reply);
    if (rc != 0)
        return err && err->retry ? STORE_LATER : STORE_BROKEN;
    return STORE_DONE;
}

enum store_answer store_orphans(struct store *store, bool *found, struct error *err)
{
    char cursor[32] = "0", pattern[144];
    *found = false;
    enum store_answer clear = store_clear_line(store, err);
    if (clear != STORE_DONE)
        return clear;
    /* Of sales and service, or counters and states of customers; those of a rebuild are another
     * generation's. */
    snprintf(pattern, sizeof pattern, store->shards ? "%sc*:*" : "%ss*:day:*", store->prefix);
    do {
        redisReply *reply;
        enum redis_answer answer = redis_callf(store->redis, &reply, err,
                                               "SCAN %s MATCH %s COUNT 1000", cursor, pattern);
        if (answer != REDIS_OK)
            return store_answer_of(answer);
        if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2) {
            snprintf(cursor, sizeof cursor, "%s", reply->element[0]->str);
            *found = reply->element[1]->elements > 0;
        } else {
            snprintf(cursor, sizeof cursor, "0");
        }
        freeReplyObject(reply);
    } while (!*found && strcmp(cursor, "0") != 0);
    return STORE_DONE;
}

/* ---- arguments ---- */

void store_arg_place(struct args *args, struct place place)
{
    args_format(args, "%" PRId64 ":%" PRId32, place.offset, place.epoch);
}

void store_arg_position(struct args *args, const char *word, int32_t partition)
{
    args_format(args, "%s:%" PRId32, word, partition);
}

static void arg_begin(struct args *args, const char *word, int32_t partition)
{
    args_format(args, "begin:%s:%" PRId32, word, partition);
}

/* ---- making ---- */

void store_definition_hash(const char *definition, char out[17])
{
    snprintf(out, 17, "%016" PRIx64, (uint64_t)XXH3_64bits(definition, strlen(definition)));
}

static void arg_pair(struct args *args, const char *name, const char *value)
{
    args_string(args, name);
    args_string(args, value);
}

static void args_of_topic(struct args *args, const struct store_topic *topic)
{
    args_format(args, "topic:%s", topic->word);
    args_string(args, topic->name);
    args_format(args, "cluster:%s", topic->word);
    args_string(args, topic->cluster);
    args_format(args, "id:%s", topic->word);
    args_string(args, topic->id);
    args_format(args, "partitions:%s", topic->word);
    args_number(args, topic->partitions);
}

static void args_of_plan(struct args *args, const struct store_plan *plan, const char *token,
                         const char *definition)
{
    args_number(args, 3 + 4 * plan->topic_count + 2 * (int64_t)plan->position_count);
    arg_pair(args, "token", token);
    arg_pair(args, "definition", definition);
    args_string(args, "layout");
    args_number(args, STORE_LAYOUT);
    for (int t = 0; t < plan->topic_count; t++)
        args_of_topic(args, &plan->topics[t]);
    for (size_t i = 0; i < plan->position_count; i++) {
        const struct store_position *p = &plan->positions[i];
        const char *word = plan->topics[p->topic].word;
        arg_begin(args, word, p->partition);
        args_number(args, p->begin);
        store_arg_position(args, word, p->partition);
        store_arg_place(args, p->at);
    }
}

enum store_answer store_make(struct store *store, const struct store_plan *plans, int plan_count,
                             const char *definition, struct error *err)
{
    char token[160], hash[17], keys[4][112];
    size_t positions = 0;
    redisReply *reply;
    for (int i = 0; i < plan_count; i++)
        positions += plans[i].position_count;
    struct args *args = &store->args;
    enum store_answer clear = store_clear_line(store, err);
    if (clear != STORE_DONE)
        return clear;
    if (!args_begin(args, 64 * (size_t)plan_count + 8 * positions,
                    64 * (size_t)plan_count + 8 * positions)) {
        error_memory(err);
        return STORE_BROKEN;
    }
    store_definition_hash(definition, hash);
    snprintf(token, sizeof token, "%013" PRId64 "-%016" PRIx64 ":%s", clock_wall_ms(),
             random_u64(), hash);
    for (int i = 0; i < plan_count; i++) {
        snprintf(keys[i], sizeof keys[i], "%sposition:%s", store->prefix, plans[i].kind);
        args_string(args, keys[i]);
    }
    for (int i = 0; i < plan_count; i++)
        args_of_plan(args, &plans[i], token, definition);
    enum redis_answer answer = redis_eval(store->redis, &store->make, plan_count, &reply, err,
                                          (int)store->args.count, store->args.list,
                                          store->args.lengths);
    if (answer != REDIS_OK)
        return store_answer_of(answer);
    bool made = reply->str && strcmp(reply->str, "made") == 0;
    freeReplyObject(reply);
    return made ? STORE_DONE : STORE_MOVED;
}

enum store_answer store_note_gap(struct store *store, const char *field, const char *text,
                                 struct error *err)
{
    redisReply *reply;
    enum store_answer clear = store_clear_line(store, err);
    if (clear != STORE_DONE)
        return clear;
    enum redis_answer answer =
        redis_callf(store->redis, &reply, err, "HSET %s %s %s", store->gap_key, field, text);
    if (answer != REDIS_OK)
        return store_answer_of(answer);
    freeReplyObject(reply);
    return STORE_DONE;
}

/* ---- accepting a gap ---- */

static const struct store_position *position_in(const struct store_state *state, int topic,
                                                int32_t partition)
{
    for (size_t i = 0; i < state->position_count; i++)
        if (state->positions[i].topic == topic && state->positions[i].partition == partition)
            return &state->positions[i];
    return NULL;
}

static void args_of_ids(struct args *args, const struct store_topic *known,
                        const struct store_topic *now)
{
    args_format(args, "cluster:%s", known->word);
    arg_pair(args, known->cluster, now->cluster);
    args_format(args, "id:%s", known->word);
    arg_pair(args, known->id, now->id);
}

static void args_of_step(struct args *args, const char *word, const struct store_position *from,
                         const struct store_position *to)
{
    arg_begin(args, word, to->partition);
    args_number(args, from->begin);
    args_number(args, to->begin);
    store_arg_position(args, word, to->partition);
    store_arg_place(args, from->at);
    store_arg_place(args, to->at);
}

enum store_answer store_accept(struct store *store, const struct store_state *state, int topic,
                               const struct store_topic *now,
                               const struct store_position *positions, size_t count,
                               const char *const *notes, struct error *err)
{
    const struct store_topic *known = &state->topics[topic];
    struct args *args = &store->args;
    redisReply *reply;
    enum store_answer clear = store_clear_line(store, err);
    if (clear != STORE_DONE)
        return clear;
    if (!args_begin(args, 16 + 8 * count, 16 + 8 * count)) {
        error_memory(err);
        return STORE_BROKEN;
    }
    args_string(args, store->position_key);
    args_string(args, store->gap_key);
    args_string(args, state->token);
    args_number(args, (int64_t)(2 * count) + (now ? 2 : 0));
    if (now)
        args_of_ids(args, known, now);
    for (size_t i = 0; i < count; i++)
        args_of_step(args, known->word, position_in(state, topic, positions[i].partition),
                     &positions[i]);
    args_string(args, known->name);
    args_number(args, (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        args_number(args, positions[i].partition);
        args_string(args, notes[i]);
    }
    enum redis_answer answer = redis_eval(store->redis, &store->accept, 2, &reply, err,
                                          (int)args->count, args->list, args->lengths);
    if (answer != REDIS_OK)
        return store_answer_of(answer);
    bool accepted = reply->str && strcmp(reply->str, "accepted") == 0;
    freeReplyObject(reply);
    return accepted ? STORE_DONE : STORE_MOVED;
}


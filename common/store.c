#include "common/store.h"

#include "accept_lua.h"
#include "apply_lua.h"
#include "look_lua.h"
#include "make_lua.h"

#include "common/args.h"
#include "common/calendar.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/random.h"
#include "common/redis.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

/* How often a live connection is asked whether Redis has begun to evict. */
#define GUARD_EVERY_MS 10000

/* Every business has these; a store is made for all of them at once. */
static const char *const main_kinds[] = {"sales", "service", NULL};

struct store {
    struct redis *redis;
    char *business, *kind;
    const char *const *words;
    int word_count;
    int64_t scope_limit;
    char prefix[64], position_key[96], floor_key[96], dirty_key[96], currency_key[96], gap_key[96];
    struct redis_script accept, apply, look, make;
    int64_t guarded_ms, sent_ms, timeout_ms;
    long long evicted;            /* baseline of this connection; -1: none yet */
    char run_id[48];
    struct args args;             /* of the batch in flight: it may have to be sent again */
    bool flying;                  /* an answer is still to come */
};

int store_open(struct store **out, const struct config *config, const char *generation,
               const char *kind, const char *const *words, int word_count, struct error *err)
{
    struct store *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return error_memory(err);
    s->words = words;
    s->word_count = word_count;
    s->scope_limit = config->scope_limit;
    s->evicted = -1;
    s->timeout_ms = config->redis_timeout_ms;
    s->business = strdup(config->business);
    s->kind = strdup(kind);
    if (!s->business || !s->kind) {
        store_free(s);
        return error_memory(err);
    }
    if (redis_open(&s->redis, config, err) != 0) {
        store_free(s);
        return -1;
    }
    snprintf(s->prefix, sizeof s->prefix, "tandem:{%s}:%s", config->business, generation);
    snprintf(s->position_key, sizeof s->position_key, "%sposition:%s", s->prefix, kind);
    snprintf(s->floor_key, sizeof s->floor_key, "tandem:{%s}:floor", config->business);
    snprintf(s->dirty_key, sizeof s->dirty_key, "%sdirty", s->prefix);
    snprintf(s->currency_key, sizeof s->currency_key, "%scurrency", s->prefix);
    snprintf(s->gap_key, sizeof s->gap_key, "%sgap", s->prefix);
    redis_script_init(&s->accept, accept_lua);
    redis_script_init(&s->apply, apply_lua);
    redis_script_init(&s->look, look_lua);
    redis_script_init(&s->make, make_lua);
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

static enum store_answer answer_of(enum redis_answer answer)
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
static enum store_answer clear_line(struct store *s, struct error *err)
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

/* ---- is Redis one that keeps what it is given? ---- */

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
static enum store_answer guard(struct store *s, struct error *err)
{
    redisReply *reply;
    char policy[64] = "", evicted[32] = "0", run_id[48] = "";
    enum redis_answer answer = redis_callf(s->redis, &reply, err, "INFO");
    if (answer != REDIS_OK)
        return answer_of(answer);
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

enum store_answer store_connect(struct store *store, struct error *err)
{
    store->flying = false;
    if (redis_connect(store->redis, err) != 0)
        return err && !err->retry ? STORE_BROKEN : STORE_UNKNOWN;
    return guard(store, err);
}

/* ---- looking ---- */

void store_state_clear(struct store_state *state)
{
    free(state->definition);
    free(state->positions);
    *state = (struct store_state){.floor = STORE_NO_FLOOR};
}

static const char *field_of(const redisReply *hash, const char *name)
{
    for (size_t i = 0; i + 1 < hash->elements; i += 2)
        if (strcmp(hash->element[i]->str, name) == 0)
            return hash->element[i + 1]->str;
    return NULL;
}

static bool parse_place(const char *text, struct place *out)
{
    char *end;
    if (!text)
        return false;
    out->offset = strtoll(text, &end, 10);
    if (end == text || *end != ':')
        return false;
    out->epoch = (int32_t)strtol(end + 1, &end, 10);
    return *end == 0 && out->offset >= 0 && out->offset < INT64_MAX; /* that one did not fit */
}

/* A position is never absent: one that is missing is damage, and never the log's beginning. */
static int read_position(const redisReply *hash, const struct store_topic *topic, int place,
                         int32_t partition, struct store_position *out, struct error *err)
{
    char field[64];
    snprintf(field, sizeof field, "begin:%s:%d", topic->word, partition);
    const char *begin = field_of(hash, field);
    snprintf(field, sizeof field, "%s:%d", topic->word, partition);
    *out = (struct store_position){.topic = place, .partition = partition};
    if (!begin || !parse_place(field_of(hash, field), &out->at))
        return error_set(err, ERROR_STORE,
                         "the store has no position for %s partition %d of its %d: it is damaged, "
                         "or partitions were added; more partitions need a new topic and an import",
                         topic->name, partition, topic->partitions);
    out->begin = strtoll(begin, NULL, 10);
    return 0;
}

static int read_topic(const redisReply *hash, struct store_topic *topic, struct error *err)
{
    char field[64];
    const char *const parts[] = {"topic", "cluster", "id", "partitions"};
    const char *values[4];
    for (int i = 0; i < 4; i++) {
        snprintf(field, sizeof field, "%s:%s", parts[i], topic->word);
        values[i] = field_of(hash, field);
        if (!values[i])
            return error_set(err, ERROR_STORE, "the store's position hash lacks the field %s",
                             field);
    }
    snprintf(topic->name, sizeof topic->name, "%s", values[0]);
    snprintf(topic->cluster, sizeof topic->cluster, "%s", values[1]);
    snprintf(topic->id, sizeof topic->id, "%s", values[2]);
    topic->partitions = (int32_t)strtol(values[3], NULL, 10);
    if (topic->partitions < 1 || topic->partitions > 100000)
        return error_set(err, ERROR_STORE, "the store says %s has %s partitions", topic->name,
                         values[3]);
    return 0;
}

static int torn(const struct store *s, const char *begun, const char *done, struct error *err)
{
    return error_set(err, ERROR_STORE,
                     "Redis at %s replayed a part of a batch (%s batches begun, %s done; an "
                     "append-only file was cut within one): the counters hold more than the log; "
                     "recount with `tandem rebuild`", store_address(s), begun, done);
}

/* Every batch that was begun is done: see apply.lua. */
static int check_whole(const struct store *s, const redisReply *hash, struct error *err)
{
    const char *begun = field_of(hash, "begun"), *done = field_of(hash, "done");
    begun = begun ? begun : "0";
    done = done ? done : "0";
    return strcmp(begun, done) == 0 ? 0 : torn(s, begun, done, err);
}

static int read_state(const struct store *s, const redisReply *hash, struct store_state *state,
                      struct error *err)
{
    const char *token = field_of(hash, "token"), *definition = field_of(hash, "definition");
    if (!token || !definition)
        return error_set(err, ERROR_STORE, "%s has no token: it is not a store of this version",
                         s->position_key);
    snprintf(state->token, sizeof state->token, "%s", token);
    size_t token_len = strlen(token), mark_len = strlen(STORE_SWITCHING);
    if (token_len > mark_len && strcmp(token + token_len - mark_len, STORE_SWITCHING) == 0)
        return error_retry(err, ERROR_STORE,
                           "a rebuild is about to replace the counters; should it have been "
                           "interrupted, run `tandem rebuild` again");
    if (check_whole(s, hash, err) != 0)
        return -1;
    state->definition = strdup(definition);
    if (!state->definition)
        return error_memory(err);
    for (int t = 0; t < s->word_count; t++) {
        struct store_topic *topic = &state->topics[t];
        topic->word = s->words[t];
        if (read_topic(hash, topic, err) != 0)
            return -1;
        size_t room = state->position_count + (size_t)topic->partitions;
        struct store_position *grown = realloc(state->positions, room * sizeof *grown);
        if (!grown)
            return error_memory(err);
        state->positions = grown;
        for (int32_t p = 0; p < topic->partitions; p++)
            if (read_position(hash, topic, t, p, &state->positions[state->position_count++],
                              err) != 0)
                return -1;
    }
    state->topic_count = s->word_count;
    state->exists = true;
    return 0;
}

static int parse_look(const struct store *s, const redisReply *reply, struct store_state *state,
                      struct error *err)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3 ||
        reply->element[0]->type != REDIS_REPLY_ARRAY || !reply->element[1]->str)
        return error_set(err, ERROR_REDIS, "an answer of an unexpected form");
    const char *floor = reply->element[1]->str;
    state->others = reply->element[2]->integer != 0;
    if (*floor && !calendar_parse_date(text_of(floor), &state->floor))
        return error_set(err, ERROR_STORE, "%s is no date: %.40s", s->floor_key, floor);
    return reply->element[0]->elements ? read_state(s, reply->element[0], state, err) : 0;
}

enum store_answer store_look(struct store *store, struct store_state *state, struct error *err)
{
    char other[4][96];
    const char *argv[8] = {store->position_key, store->floor_key};
    int count = 2;
    redisReply *reply;
    store_state_clear(state);
    enum store_answer clear = clear_line(store, err);
    if (clear != STORE_DONE)
        return clear;
    for (int i = 0; main_kinds[i]; i++) {
        if (strcmp(main_kinds[i], store->kind) == 0)
            continue;
        snprintf(other[i], sizeof other[i], "%sposition:%s", store->prefix, main_kinds[i]);
        argv[count++] = other[i];
    }
    enum redis_answer answer =
        redis_eval(store->redis, &store->look, count, &reply, err, count, argv, NULL);
    if (answer != REDIS_OK)
        return answer_of(answer);
    int rc = parse_look(store, reply, state, err);
    freeReplyObject(reply);
    if (rc != 0)
        return err && err->retry ? STORE_LATER : STORE_BROKEN;
    return STORE_DONE;
}

enum store_answer store_orphans(struct store *store, bool *found, struct error *err)
{
    char cursor[32] = "0", pattern[128];
    *found = false;
    enum store_answer clear = clear_line(store, err);
    if (clear != STORE_DONE)
        return clear;
    /* Of sales and service; those of a rebuild are another generation's. */
    snprintf(pattern, sizeof pattern, "%ss*:day:*", store->prefix);
    do {
        redisReply *reply;
        enum redis_answer answer = redis_callf(store->redis, &reply, err,
                                               "SCAN %s MATCH %s COUNT 1000", cursor, pattern);
        if (answer != REDIS_OK)
            return answer_of(answer);
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

static void arg_place(struct args *args, struct place place)
{
    args_format(args, "%" PRId64 ":%" PRId32, place.offset, place.epoch);
}

/* "sales:3", and with "begin:" before it. */
static void arg_position(struct args *args, const char *word, int32_t partition)
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
    args_number(args, 2 + 4 * plan->topic_count + 2 * (int64_t)plan->position_count);
    arg_pair(args, "token", token);
    arg_pair(args, "definition", definition);
    for (int t = 0; t < plan->topic_count; t++)
        args_of_topic(args, &plan->topics[t]);
    for (size_t i = 0; i < plan->position_count; i++) {
        const struct store_position *p = &plan->positions[i];
        const char *word = plan->topics[p->topic].word;
        arg_begin(args, word, p->partition);
        args_number(args, p->begin);
        arg_position(args, word, p->partition);
        arg_place(args, p->at);
    }
}

enum store_answer store_make(struct store *store, const struct store_plan *plans, int plan_count,
                             const char *definition, struct error *err)
{
    char token[160], hash[17], keys[4][96];
    size_t positions = 0;
    redisReply *reply;
    for (int i = 0; i < plan_count; i++)
        positions += plans[i].position_count;
    struct args *args = &store->args;
    enum store_answer clear = clear_line(store, err);
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
        return answer_of(answer);
    bool made = reply->str && strcmp(reply->str, "made") == 0;
    freeReplyObject(reply);
    return made ? STORE_DONE : STORE_MOVED;
}

enum store_answer store_note_gap(struct store *store, const char *field, const char *text,
                                 struct error *err)
{
    redisReply *reply;
    enum store_answer clear = clear_line(store, err);
    if (clear != STORE_DONE)
        return clear;
    enum redis_answer answer =
        redis_callf(store->redis, &reply, err, "HSET %s %s %s", store->gap_key, field, text);
    if (answer != REDIS_OK)
        return answer_of(answer);
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
    arg_position(args, word, to->partition);
    arg_place(args, from->at);
    arg_place(args, to->at);
}

enum store_answer store_accept(struct store *store, const struct store_state *state, int topic,
                               const struct store_topic *now,
                               const struct store_position *positions, size_t count,
                               const char *const *notes, struct error *err)
{
    const struct store_topic *known = &state->topics[topic];
    struct args *args = &store->args;
    redisReply *reply;
    enum store_answer clear = clear_line(store, err);
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
        return answer_of(answer);
    bool accepted = reply->str && strcmp(reply->str, "accepted") == 0;
    freeReplyObject(reply);
    return accepted ? STORE_DONE : STORE_MOVED;
}

/* ---- applying ---- */

static void args_of_moves(const struct store *s, struct args *args, const struct batch *batch)
{
    args_number(args, (int64_t)batch->move_count);
    for (size_t i = 0; i < batch->move_count; i++) {
        const struct batch_move *move = &batch->moves[i];
        arg_position(args, s->words[move->topic], move->partition);
        arg_place(args, move->from);
        arg_place(args, move->to);
    }
}

static void args_of_group(struct args *args, const struct batch *batch,
                          const struct batch_group *group)
{
    args_text(args, group->head);
    args_text(args, group->dimension);
    args_text(args, group->value);
    args_text(args, group->dirty);
    if (group->expire_s)
        args_number(args, group->expire_s);
    else
        args_string(args, "");
    args_number(args, (int64_t)group->count);
    for (size_t i = group->first; i < group->first + group->count; i++) {
        args_text(args, batch->cells[i].field);
        args_number(args, batch->cells[i].delta);
    }
}

static void args_of_head(const struct store *s, struct args *args, const struct batch *batch,
                         const char *token, int32_t floor)
{
    char date[11];
    args_string(args, "EVALSHA");
    args_string(args, s->apply.sha);
    args_string(args, "4");
    args_string(args, s->position_key);
    args_string(args, s->floor_key);
    args_string(args, s->dirty_key);
    args_string(args, s->currency_key);
    args_string(args, s->prefix);
    args_string(args, token);
    args_format(args, "%s", floor == STORE_NO_FLOOR ? "" : calendar_format_date(floor, date));
    args_number(args, s->scope_limit);
    args_format(args, "%016" PRIx64, batch->mark);
}

static bool args_of_batch(struct store *s, const struct batch *batch, const char *token,
                          int32_t floor)
{
    struct args *args = &s->args;
    size_t numbers = 8 + 3 * batch->move_count + 2 * batch->group_count + batch->cell_count;
    size_t count = 20 + 3 * batch->move_count + batch->currency_count + 6 * batch->group_count +
                   2 * batch->cell_count;
    if (!args_begin(args, count, numbers))
        return false;
    args_of_head(s, args, batch, token, floor);
    args_of_moves(s, args, batch);
    args_number(args, (int64_t)batch->currency_count);
    for (size_t i = 0; i < batch->currency_count; i++)
        args_string(args, batch->currencies[i]);
    args_number(args, (int64_t)batch->group_count);
    for (size_t i = 0; i < batch->group_count; i++)
        args_of_group(args, batch, &batch->groups[i]);
    return true;
}

enum store_answer store_send(struct store *store, const struct batch *batch, const char *token,
                             int32_t floor, struct error *err)
{
    enum store_answer clear = clear_line(store, err);
    if (clear == STORE_DONE && clock_mono_ms() - store->guarded_ms > GUARD_EVERY_MS)
        clear = guard(store, err);
    if (clear != STORE_DONE)
        return clear;
    if (batch->failed || !args_of_batch(store, batch, token, floor)) {
        error_memory(err);
        return STORE_BROKEN;
    }
    store->sent_ms = clock_mono_ms();
    enum redis_answer answer = redis_send(store->redis, err, (int)store->args.count,
                                          store->args.list, store->args.lengths);
    store->flying = answer == REDIS_OK;
    return answer == REDIS_OK ? STORE_PENDING : answer_of(answer);
}

/* The script's own answer: a list that begins with a word. */
static enum store_answer answer_of_script(const struct store *s, const redisReply *reply,
                                           struct error *err)
{
    const char *word = reply->type == REDIS_REPLY_ARRAY && reply->elements
                           ? reply->element[0]->str : NULL;
    if (!word) {
        error_set(err, ERROR_REDIS, "an answer of an unexpected form");
        return STORE_BROKEN;
    }
    if (strcmp(word, "applied") == 0)
        return STORE_DONE;
    if (strcmp(word, "torn") == 0 && reply->elements == 3) {
        torn(s, reply->element[1]->str, reply->element[2]->str, err);
        return STORE_BROKEN;
    }
    if (strcmp(word, "failed") == 0 && reply->elements == 4) {
        const char *message = reply->element[3]->str ? reply->element[3]->str : "";
        enum store_answer answer = answer_of(redis_sort(message));
        error_set(err, ERROR_STORE, "cannot add to field %s of %s: %s",
                  reply->element[2]->str, reply->element[1]->str, message);
        if (err)
            err->retry = answer != STORE_BROKEN;
        return answer;
    }
    error_retry(err, ERROR_STORE, "the store is at another %s than the batch expects",
                strcmp(word, "moved") == 0 ? "position" : word);
    return strcmp(word, "token") == 0 ? STORE_FOREIGN : STORE_MOVED;
}

/* Redis forgot the script (SCRIPT FLUSH, restart, fail-over): load it and send the batch again. */
static enum store_answer send_again(struct store *s, struct error *err)
{
    redisReply *reply;
    enum redis_answer answer =
        redis_callf(s->redis, &reply, err, "SCRIPT LOAD %s", s->apply.source);
    if (answer != REDIS_OK)
        return answer_of(answer);
    freeReplyObject(reply);
    answer = redis_send(s->redis, err, (int)s->args.count, s->args.list, s->args.lengths);
    s->flying = answer == REDIS_OK;
    return answer == REDIS_OK ? STORE_PENDING : answer_of(answer);
}

enum store_answer store_receive(struct store *store, int64_t wait_ms, struct error *err)
{
    redisReply *reply;
    if (!redis_received(store->redis, wait_ms)) {
        if (clock_mono_ms() - store->sent_ms < store->timeout_ms)
            return STORE_PENDING;
        redis_disconnect(store->redis);
        store->flying = false;
        error_retry(err, ERROR_REDIS, "redis %s: no answer to a batch within %" PRId64 " ms",
                    store_address(store), store->timeout_ms);
        return STORE_UNKNOWN;
    }
    store->flying = false;
    enum redis_answer answer = redis_receive(store->redis, &reply, err);
    if (answer == REDIS_NOSCRIPT)
        return send_again(store, err);
    if (answer != REDIS_OK)
        return answer_of(answer);
    enum store_answer result = answer_of_script(store, reply, err);
    freeReplyObject(reply);
    return result;
}

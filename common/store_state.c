#include "common/store_inside.h"

#include "common/calendar.h"
#include "common/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int store_torn(const struct store *s, const char *begun, const char *done, struct error *err)
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
    return strcmp(begun, done) == 0 ? 0 : store_torn(s, begun, done, err);
}

static int read_state(const struct store *s, const redisReply *hash, struct store_state *state,
                      struct error *err)
{
    const char *token = field_of(hash, "token"), *definition = field_of(hash, "definition");
    if (!token || !definition)
        return error_set(err, ERROR_STORE, "%s has no token: it is not a store of this version",
                         s->position_key);
    /* Before anything else is read: a newer tandem may mean something else by it. */
    if (layout_check(field_of(hash, "layout"), err) != 0)
        return -1;
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
        int32_t step = s->shards ? s->shards : 1;
        struct store_position *grown = realloc(state->positions, room * sizeof *grown);
        if (!grown)
            return error_memory(err);
        state->positions = grown;
        for (int32_t p = s->shard; p < topic->partitions; p += step)
            if (read_position(hash, topic, t, p, &state->positions[state->position_count++],
                              err) != 0)
                return -1;
    }
    state->topic_count = s->word_count;
    state->exists = true;
    return 0;
}

int store_parse_look(const struct store *s, const redisReply *reply, struct store_state *state,
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

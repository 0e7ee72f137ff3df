#include "consumers/recount/audit_shard.h"

#include "audit_shard_lua.h"

#include "common/args.h"
#include "common/calendar.h"
#include "consumers/worker/kind.h"

#include <stdio.h>
#include <stdlib.h>

enum { FIXED_KEYS = 4, TOPICS = 2 };

/* Is no version: names and tombstones are read at first. */
#define UNKNOWN "unknown"

int shard_slice_open(struct shard_slice *slice, const char *prefix, int shard, int shards,
                     const struct store_state *state, struct error *err)
{
    *slice = (struct shard_slice){.partitions = state->topics[0].partitions,
                                  .shard = shard,
                                  .shards = shards,
                                  .version = UNKNOWN,
                                  .floor = STORE_NO_FLOOR};
    snprintf(slice->prefix, sizeof slice->prefix, "%s", prefix);
    snprintf(slice->made, sizeof slice->made, "%s", state->token);
    for (int t = 0; t < TOPICS; t++) {
        slice->positions[t] = calloc((size_t)slice->partitions, sizeof *slice->positions[t]);
        if (!slice->positions[t])
            return error_memory(err);
    }
    return dictionary_open(&slice->names, err);
}

void shard_slice_clear(struct shard_slice *slice)
{
    freeReplyObject(slice->reply);
    tombs_clear(&slice->tombs);
    dictionary_free(slice->names);
    for (int t = 0; t < TOPICS; t++)
        free(slice->positions[t]);
    *slice = (struct shard_slice){0};
}

const redisReply *shard_slice_value(const struct shard_slice *slice, size_t i)
{
    return slice->reply->element[4]->element[i];
}

/* ---- what the script answers ---- */

/* "sales:3" of one of our partitions: its place in positions[]. */
static int64_t *place_of(const struct shard_slice *slice, const char *field)
{
    for (int t = 0; t < TOPICS; t++) {
        const char *word = kind_word(t == 0 ? SIDE_SALE : SIDE_SERVICE);
        size_t len = strlen(word);
        char *end;
        if (strncmp(field, word, len) != 0 || field[len] != ':')
            continue;
        long partition = strtol(field + len + 1, &end, 10);
        if (!*end && partition >= 0 && partition < slice->partitions &&
            partition % slice->shards == slice->shard)
            return &slice->positions[t][partition];
    }
    return NULL;
}

static int read_positions(struct shard_slice *slice, const redisReply *hash, struct error *err)
{
    int32_t found = 0, wanted = 0;
    for (int32_t p = slice->shard; p < slice->partitions; p += slice->shards)
        wanted += TOPICS;
    for (size_t i = 0; i + 1 < hash->elements; i += 2) {
        const char *field = hash->element[i]->str, *value = hash->element[i + 1]->str;
        int64_t *place = place_of(slice, field);
        if (strcmp(field, "ledger") == 0)
            snprintf(slice->version, sizeof slice->version, "%s", value);
        if (place)
            *place = strtoll(value, NULL, 10);
        found += place != NULL;
    }
    if (found < wanted)
        return error_set(err, ERROR_STORE, "%s lacks positions: the store is damaged",
                         slice->prefix);
    return 0;
}

static bool made_anew(const struct shard_slice *slice, const redisReply *hash)
{
    for (size_t i = 0; i + 1 < hash->elements; i += 2)
        if (strcmp(hash->element[i]->str, "token") == 0)
            return strcmp(hash->element[i + 1]->str, slice->made) != 0;
    return true;
}

/* Numbers are only ever added. */
static int read_names(struct shard_slice *slice, const redisReply *hash, struct error *err)
{
    for (size_t i = 0; i + 1 < hash->elements; i += 2) {
        char *end;
        const redisReply *name = hash->element[i];
        unsigned long number = strtoul(hash->element[i + 1]->str, &end, 10);
        if (*end || number > DICTIONARY_NUMBER_MAX)
            number = 0;
        if (dictionary_learn(slice->names, (struct text){name->str, name->len}, (uint32_t)number,
                             err) != 0)
            return error_prefix(err, "%snames", slice->prefix);
    }
    return 0;
}

static int read_tombs(struct shard_slice *slice, const redisReply *hash, struct error *err)
{
    tombs_clear(&slice->tombs);
    for (size_t i = 0; i + 1 < hash->elements; i += 2)
        if (tombs_add(&slice->tombs, (struct text){hash->element[i]->str, hash->element[i]->len},
                      hash->element[i + 1]->str, err) != 0)
            return -1;
    tombs_sort(&slice->tombs);
    return 0;
}

static int read_floor(struct shard_slice *slice, const redisReply *floor, struct error *err)
{
    slice->floor = STORE_NO_FLOOR;
    if (floor->len && !calendar_parse_date((struct text){floor->str, floor->len}, &slice->floor))
        return error_set(err, ERROR_STORE, "%sfloor is not a day: %.40s", slice->prefix,
                         floor->str);
    return 0;
}

static int take_reply(struct shard_slice *slice, struct error *err)
{
    const redisReply *r = slice->reply;
    if (r->type != REDIS_REPLY_ARRAY || r->elements != 5 ||
        r->element[0]->type != REDIS_REPLY_ARRAY || !r->element[1]->str ||
        r->element[4]->type != REDIS_REPLY_ARRAY || r->element[4]->elements != slice->key_count)
        return error_set(err, ERROR_REDIS, "an answer of an unexpected form");
    /* Nothing of another store is mixed with what is known of this one. */
    slice->anew = made_anew(slice, r->element[0]);
    if (slice->anew)
        return 0;
    if (read_positions(slice, r->element[0], err) != 0 ||
        read_floor(slice, r->element[1], err) != 0)
        return -1;
    if (r->element[2]->type != REDIS_REPLY_ARRAY)
        return 0; /* as they were */
    if (strcmp(slice->version, UNKNOWN) == 0)
        slice->version[0] = 0; /* the first read, and the hash has none yet */
    return read_names(slice, r->element[2], err) == 0 ? read_tombs(slice, r->element[3], err) : -1;
}

/* ---- asking ---- */

static bool build(const struct shard_slice *slice, enum shard_part part,
                  char names[][LEDGER_KEY_MAX], struct args *args)
{
    static const char *const rests[FIXED_KEYS] = {"position:customers", "floor", "names",
                                                  "forgotten"};
    if (!args_begin(args, FIXED_KEYS + slice->key_count + 2, 0))
        return false;
    for (int i = 0; i < FIXED_KEYS; i++) {
        snprintf(names[i], LEDGER_KEY_MAX, "%s%s", slice->prefix, rests[i]);
        args_string(args, names[i]);
    }
    for (size_t i = 0; i < slice->key_count; i++)
        args_string(args, slice->keys[i]);
    args_string(args, slice->version);
    args_string(args, part == SHARD_STATES ? "GET" : "HGETALL");
    return true;
}

int shard_slice_read(struct shard_slice *slice, struct redis *redis, enum shard_part part,
                     char *const *keys, size_t count, struct error *err)
{
    char names[FIXED_KEYS][LEDGER_KEY_MAX];
    struct args args = {0};
    struct redis_script script;
    freeReplyObject(slice->reply);
    slice->reply = NULL;
    slice->keys = keys;
    slice->key_count = count;
    if (!build(slice, part, names, &args)) {
        args_free(&args);
        return error_memory(err);
    }
    redis_script_init(&script, audit_shard_lua);
    enum redis_answer answer = redis_eval(redis, &script, FIXED_KEYS + (int)count, &slice->reply,
                                          err, (int)args.count, args.list, args.lengths);
    args_free(&args);
    return answer == REDIS_OK ? take_reply(slice, err) : -1;
}

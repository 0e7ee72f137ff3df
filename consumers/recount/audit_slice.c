#include "consumers/recount/audit_slice.h"

#include "audit_lua.h"

#include "common/args.h"
#include "common/calendar.h"
#include "consumers/reporter/key.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    FIXED_KEYS = 3,
    SETS_MAX = SCOPE_DIMENSIONS_MAX + 1,
    ASK_KEYS = 500 /* HLENs sent before their answers are read */
};

int slice_open(struct slice *slice, const char *business, const char *word, int32_t partitions,
               struct admissions *scopes, struct admissions *currencies, struct error *err)
{
    *slice = (struct slice){.business = business,
                            .word = word,
                            .partitions = partitions,
                            .scopes = scopes,
                            .currencies = currencies};
    slice->floors = (struct floors){.partitions = partitions, .now = STORE_NO_FLOOR};
    slice->positions = calloc((size_t)partitions, sizeof *slice->positions);
    return slice->positions ? 0 : error_memory(err);
}

void slice_clear(struct slice *slice)
{
    freeReplyObject(slice->reply);
    slice->reply = NULL;
    floors_clear(&slice->floors);
    free(slice->positions);
    slice->positions = NULL;
}

const redisReply *slice_value(const struct slice *slice, size_t i)
{
    return slice->reply->element[5]->element[i];
}

/* ---- how much at once ---- */

/* How many cells each of the keys has. */
static int ask_sizes(struct redis *redis, char *const *keys, size_t count, size_t *sizes,
                     struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        const char *argv[] = {"HLEN", keys[i]};
        if (redis_send(redis, err, 2, argv, NULL) != REDIS_OK)
            return -1;
    }
    for (size_t i = 0; i < count; i++) {
        redisReply *reply;
        enum redis_answer answer = redis_receive(redis, &reply, err);
        if (answer != REDIS_OK && answer != REDIS_PERMANENT)
            return -1;
        sizes[i] = answer == REDIS_OK && reply->integer > 0 ? (size_t)reply->integer : 1;
        freeReplyObject(reply);
    }
    return 0;
}

static size_t end_of(const size_t *sizes, size_t count)
{
    size_t end = 0, cells = 0;
    while (end < count && end < SLICE_KEYS && (end == 0 || cells + sizes[end] <= SLICE_CELLS))
        cells += sizes[end++];
    return end;
}

int slice_fit(struct redis *redis, char *const *keys, size_t count, size_t *fit, struct error *err)
{
    size_t sizes[ASK_KEYS];
    if (count > ASK_KEYS)
        count = ASK_KEYS;
    if (ask_sizes(redis, keys, count, sizes, err) != 0)
        return -1;
    *fit = end_of(sizes, count);
    return 0;
}

/* ---- what the script answers ---- */

static int unexpected(struct error *err)
{
    return error_set(err, ERROR_REDIS, "an answer of an unexpected form");
}

static int read_positions(struct slice *slice, const redisReply *hash, struct error *err)
{
    size_t len = strlen(slice->word);
    int32_t found = 0;
    slice->token[0] = 0;
    for (size_t i = 0; i + 1 < hash->elements; i += 2) {
        const char *field = hash->element[i]->str, *value = hash->element[i + 1]->str;
        char *end;
        if (strcmp(field, "token") == 0)
            snprintf(slice->token, sizeof slice->token, "%s", value);
        if (strncmp(field, slice->word, len) != 0 || field[len] != ':')
            continue;
        long partition = strtol(field + len + 1, &end, 10);
        if (*end || partition < 0 || partition >= slice->partitions)
            continue;
        slice->positions[partition] = strtoll(value, NULL, 10);
        found++;
    }
    if (found < slice->partitions)
        return error_set(err, ERROR_STORE, "the store lacks positions of %s: it is damaged",
                         slice->word);
    return 0;
}

static int read_floors(struct slice *slice, const redisReply *floor, const redisReply *hash,
                       struct error *err)
{
    floors_clear(&slice->floors);
    if (floor->len &&
        !calendar_parse_date((struct text){floor->str, floor->len}, &slice->floors.now))
        return error_set(err, ERROR_STORE, "the floor in Redis is not a day: %.40s", floor->str);
    for (size_t i = 0; i + 1 < hash->elements; i += 2)
        if (floors_add(&slice->floors, hash->element[i]->str, hash->element[i + 1]->str,
                       slice->word, err) != 0)
            return -1;
    return 0;
}

static int read_set(struct admissions *sets, int dimension, const redisReply *members,
                    struct error *err)
{
    if (members->type != REDIS_REPLY_ARRAY)
        return 0; /* as it was */
    admissions_empty(sets, dimension);
    for (size_t i = 0; i < members->elements; i++)
        if (admissions_add(sets, dimension,
                           (struct text){members->element[i]->str, members->element[i]->len},
                           err) != 0)
            return -1;
    return 0;
}

static int read_sets(struct slice *slice, const redisReply *sets, struct error *err)
{
    for (int d = 0; d < slice->scopes->count; d++)
        if (read_set(slice->scopes, d, sets->element[d], err) != 0)
            return -1;
    return read_set(slice->currencies, 0, sets->element[slice->scopes->count], err);
}

static int take_reply(struct slice *slice, struct error *err)
{
    const redisReply *r = slice->reply;
    if (r->type != REDIS_REPLY_ARRAY || r->elements != 6)
        return unexpected(err);
    redisReply *const *e = r->element;
    if (!e[0]->str || e[1]->type != REDIS_REPLY_ARRAY || !e[2]->str ||
        e[3]->type != REDIS_REPLY_ARRAY || e[4]->type != REDIS_REPLY_ARRAY ||
        e[4]->elements != (size_t)slice->scopes->count + 1 || e[5]->type != REDIS_REPLY_ARRAY ||
        e[5]->elements != slice->key_count)
        return unexpected(err);
    slice->now_s = strtoll(e[0]->str, NULL, 10);
    if (read_positions(slice, e[1], err) != 0 || read_floors(slice, e[2], e[3], err) != 0)
        return -1;
    return read_sets(slice, e[4], err);
}

/* ---- asking ---- */

static void name_keys(const struct slice *slice, char names[][KEY_MAX])
{
    int n = 0;
    key_format(names[n++], slice->business, "position:%s", slice->word);
    key_format(names[n++], slice->business, "floor");
    key_format(names[n++], slice->business, "floors");
    for (int d = 0; d < slice->scopes->count; d++)
        key_format(names[n++], slice->business, "scope:%s", slice->scopes->names[d]);
    key_format(names[n], slice->business, "currency");
}

static bool build(const struct slice *slice, char names[][KEY_MAX], struct args *args)
{
    size_t sets = (size_t)slice->scopes->count + 1, count = slice->key_count;
    if (!args_begin(args, FIXED_KEYS + 2 * sets + 1 + count, sets + 1))
        return false;
    for (size_t i = 0; i < FIXED_KEYS + sets; i++)
        args_string(args, names[i]);
    for (size_t i = 0; i < count; i++)
        args_string(args, slice->keys[i]);
    args_number(args, (int64_t)sets);
    for (int d = 0; d < slice->scopes->count; d++)
        args_number(args, (int64_t)admissions_size(slice->scopes, d));
    args_number(args, (int64_t)admissions_size(slice->currencies, 0));
    return true;
}

int slice_read(struct slice *slice, struct redis *redis, char *const *keys, size_t count,
               struct error *err)
{
    char names[FIXED_KEYS + SETS_MAX][KEY_MAX];
    struct args args = {0};
    struct redis_script script;
    freeReplyObject(slice->reply);
    slice->reply = NULL;
    slice->keys = keys;
    slice->key_count = count;
    name_keys(slice, names);
    if (!build(slice, names, &args)) {
        args_free(&args);
        return error_memory(err);
    }
    redis_script_init(&script, audit_lua);
    int key_args = FIXED_KEYS + slice->scopes->count + 1 + (int)count;
    enum redis_answer answer = redis_eval(redis, &script, key_args, &slice->reply, err,
                                          (int)args.count, args.list, args.lengths);
    args_free(&args);
    return answer == REDIS_OK ? take_reply(slice, err) : -1;
}

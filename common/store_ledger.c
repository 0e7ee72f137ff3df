#include "common/store_inside.h"

#include "names_lua.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* A partition, a colon and a slug of 64 bytes; before it, in a key of its own, the prefix. */
#define KEY_BYTES 160

void store_ledger_init(struct store *store)
{
    redis_script_init(&store->names, names_lua);
}

static void forget_fetched(struct store *s)
{
    if (s->fetched)
        freeReplyObject(s->fetched);
    if (s->tombs)
        freeReplyObject(s->tombs);
    s->fetched = s->tombs = NULL;
}

void store_ledger_free(struct store *store)
{
    forget_fetched(store);
    free(store->keys);
}

bool store_customer_keys(struct store *store, size_t count)
{
    if (count <= store->keys_room)
        return true;
    free(store->keys);
    store->keys = malloc(count * KEY_BYTES);
    store->keys_room = store->keys ? count : 0;
    return store->keys != NULL;
}

struct text store_customer_key(struct store *store, size_t i, int32_t partition, struct text id)
{
    char *out = store->keys + i * KEY_BYTES;
    int len = snprintf(out, KEY_BYTES, "%" PRId32 ":%.*s", partition, TEXT_ARG(id));
    return (struct text){out, (size_t)len};
}

/* ---- names ---- */

void store_names_clear(struct store_names *names)
{
    free(names->list);
    if (names->memory)
        freeReplyObject(names->memory);
    *names = (struct store_names){0};
}

static int parse_names(redisReply *reply, struct store_names *names, struct error *err)
{
    const redisReply *list = reply->elements == 3 ? reply->element[1] : NULL;
    if (!list || list->type != REDIS_REPLY_ARRAY || !reply->element[0]->str)
        return error_set(err, ERROR_REDIS, "an answer of an unexpected form");
    names->version = strtoull(reply->element[0]->str, NULL, 16);
    names->forgotten = reply->element[2]->integer > 0;
    names->list = calloc(list->elements / 2 + 1, sizeof *names->list);
    if (!names->list)
        return error_memory(err);
    for (size_t i = 0; i + 1 < list->elements; i += 2)
        names->list[names->count++] = (struct batch_name){
            {list->element[i]->str, list->element[i]->len},
            (uint32_t)strtoul(list->element[i + 1]->str, NULL, 10)};
    return 0;
}

enum store_answer store_names(struct store *store, struct store_names *names, struct error *err)
{
    const char *const keys[] = {store->position_key, store->names_key, store->forgotten_key};
    redisReply *reply;
    *names = (struct store_names){0};
    enum store_answer clear = store_clear_line(store, err);
    if (clear != STORE_DONE)
        return clear;
    enum redis_answer answer =
        redis_eval(store->redis, &store->names, 3, &reply, err, 3, keys, NULL);
    if (answer != REDIS_OK)
        return store_answer_of(answer);
    names->memory = reply;
    return parse_names(reply, names, err) == 0 ? STORE_DONE : STORE_BROKEN;
}

/* ---- customers ---- */

/* One command over all customers; the answer has an element for each. */
static enum store_answer ask(struct store *s, size_t count, redisReply **reply, struct error *err)
{
    enum redis_answer answer = redis_call(s->redis, reply, err, (int)s->args.count, s->args.list,
                                          s->args.lengths);
    if (answer != REDIS_OK)
        return store_answer_of(answer);
    if ((*reply)->type == REDIS_REPLY_ARRAY && (*reply)->elements == count)
        return STORE_DONE;
    error_set(err, ERROR_REDIS, "an answer of an unexpected form");
    return STORE_BROKEN;
}

static enum store_answer fetch_states(struct store *s, struct store_customer *customers,
                                      size_t count, struct error *err)
{
    args_string(&s->args, "MGET");
    for (size_t i = 0; i < count; i++) {
        char *out = s->keys + i * KEY_BYTES;
        int len = snprintf(out, KEY_BYTES, "%sc:%" PRId32 ":%.*s", s->prefix,
                           customers[i].partition, TEXT_ARG(customers[i].id));
        args_text(&s->args, (struct text){out, (size_t)len});
    }
    enum store_answer answer = ask(s, count, &s->fetched, err);
    for (size_t i = 0; i < count && answer == STORE_DONE; i++) {
        const redisReply *state = s->fetched->element[i];
        customers[i].state = state->type == REDIS_REPLY_STRING
                                 ? (struct text){state->str, state->len} : text_of("");
    }
    return answer;
}

static int parse_tomb(const char *text, int64_t *forgotten)
{
    char *end;
    forgotten[SIDE_SALE] = strtoll(text, &end, 10);
    if (end == text || *end != ':')
        return -1;
    text = end + 1;
    forgotten[SIDE_SERVICE] = strtoll(text, &end, 10);
    return end == text || *end ? -1 : 0;
}

/* The hash says nothing about who it was: docs/privacy.md. */
static void arg_tomb(struct args *args, const struct store_customer *customer)
{
    XXH128_hash_t hash = XXH3_128bits(customer->id.at, customer->id.len);
    args_format(args, "%" PRId32 ":%016" PRIx64 "%016" PRIx64, customer->partition, hash.high64,
                hash.low64);
}

static enum store_answer fetch_tombs(struct store *s, struct store_customer *customers,
                                     size_t count, struct error *err)
{
    if (!args_begin(&s->args, count + 2, count)) {
        error_memory(err);
        return STORE_BROKEN;
    }
    args_string(&s->args, "HMGET");
    args_string(&s->args, s->forgotten_key);
    for (size_t i = 0; i < count; i++)
        arg_tomb(&s->args, &customers[i]);
    enum store_answer answer = ask(s, count, &s->tombs, err);
    for (size_t i = 0; i < count && answer == STORE_DONE; i++) {
        const redisReply *tomb = s->tombs->element[i];
        if (tomb->type != REDIS_REPLY_STRING || parse_tomb(tomb->str, customers[i].forgotten) == 0)
            continue;
        error_set(err, ERROR_STORE, "%s holds a tombstone of an unexpected form: %.60s",
                  s->forgotten_key, tomb->str);
        answer = STORE_BROKEN;
    }
    return answer;
}

enum store_answer store_fetch(struct store *store, struct store_customer *customers, size_t count,
                              bool forgotten, struct error *err)
{
    forget_fetched(store);
    for (size_t i = 0; i < count; i++) {
        customers[i].state = text_of("");
        customers[i].forgotten[SIDE_SALE] = customers[i].forgotten[SIDE_SERVICE] = INT64_MAX;
    }
    enum store_answer answer = store_clear_line(store, err);
    if (answer != STORE_DONE || count == 0)
        return answer;
    if (!args_begin(&store->args, count + 1, 0) || !store_customer_keys(store, count)) {
        error_memory(err);
        return STORE_BROKEN;
    }
    answer = fetch_states(store, customers, count, err);
    return answer == STORE_DONE && forgotten ? fetch_tombs(store, customers, count, err) : answer;
}

#include "consumers/report/cohorts_read.h"

#include "common/clock.h"
#include "common/command.h"
#include "consumers/customers/codec.h"
#include "consumers/reporter/key.h"
#include "consumers/reporter/shards.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TELL_MS = 250, CURSOR = 32 };

struct reading {
    const struct config *config;
    struct cohorts *cohorts;
    struct shards *shards;
    struct shard *shard;
    struct dictionary *names;
    struct lists *lists;
    struct codec *codec;
    struct customer customer;
    int64_t read, next_ms;
    bool terminal;
};

static void tell(struct reading *r)
{
    if (r->terminal && clock_mono_ms() >= r->next_ms) {
        r->next_ms = clock_mono_ms() + TELL_MS;
        fprintf(stderr, "\r\033[K%" PRId64 " customers read", r->read);
        fflush(stderr);
    }
}

static void hush(const struct reading *r)
{
    if (r->terminal) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
}

static void close_shard(struct reading *r)
{
    codec_free(r->codec);
    lists_free(r->lists);
    dictionary_free(r->names);
    r->codec = NULL;
    r->lists = NULL;
    r->names = NULL;
}

static int open_shard(struct reading *r, int k, struct error *err)
{
    close_shard(r);
    r->shard = shards_at(r->shards, k);
    if (dictionary_open(&r->names, err) != 0 || lists_open(&r->lists, r->names, err) != 0) {
        return -1;
    }
    return codec_open(&r->codec, r->names, r->lists, err);
}

/* A page of SCAN or HSCAN: what it holds, and where to go on. */
static int take_cursor(const redisReply *page, char cursor[CURSOR], struct error *err)
{
    if (page->elements != 2 || page->element[0]->len >= CURSOR) {
        return error_set(err, ERROR_REDIS, "SCAN: an answer of another form");
    }
    memcpy(cursor, page->element[0]->str, page->element[0]->len + 1);
    return 0;
}

static int learn_page(struct reading *r, const redisReply *pairs, struct error *err)
{
    for (size_t i = 0; i + 1 < pairs->elements; i += 2) {
        const redisReply *name = pairs->element[i], *number = pairs->element[i + 1];
        if (dictionary_learn(r->names, (struct text){name->str, name->len},
                             (uint32_t)strtoul(number->str, NULL, 10), err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int learn(struct reading *r, struct error *err)
{
    char cursor[CURSOR] = "0", key[KEY_MAX];
    int rc = 0;
    do {
        redisReply *page = NULL;
        if (redis_callf(r->shard->redis, &page, err, "HSCAN %s %s COUNT 1000",
                        key_format(key, r->shard->name, "names"), cursor) != REDIS_OK) {
            return -1;
        }
        if ((rc = take_cursor(page, cursor, err)) == 0) {
            rc = learn_page(r, page->element[1], err);
        }
        freeReplyObject(page);
    } while (rc == 0 && strcmp(cursor, "0") != 0);
    return rc;
}

/* A state may name a scope that was first met after the names were read. */
static int take_state(struct reading *r, struct text bytes, struct error *err)
{
    struct error why;
    int rc = codec_decode(r->codec, bytes, &r->customer, &why);
    if (rc != 0 && why.retry) {
        if (learn(r, err) != 0) {
            return -1;
        }
        rc = codec_decode(r->codec, bytes, &r->customer, &why);
    }
    if (rc != 0) {
        return error_set(err, why.code, "a customer of %s: %s", r->shard->name, why.text);
    }
    cohorts_add(r->cohorts, &r->customer);
    r->read++;
    return 0;
}

static int take_states(struct reading *r, const redisReply *states, struct error *err)
{
    for (size_t i = 0; i < states->elements; i++) {
        const redisReply *state = states->element[i];
        if (state->type == REDIS_REPLY_STRING &&
            take_state(r, (struct text){state->str, state->len}, err) != 0) {
            return -1;
        }
    }
    lists_reset(r->lists);
    return 0;
}

static int compare_keys(const void *left, const void *right)
{
    return strcmp((*(redisReply *const *)left)->str, (*(redisReply *const *)right)->str);
}

/* The states of a page of keys, each key once. */
static int read_states(struct reading *r, redisReply *keys, struct error *err)
{
    if (keys->elements == 0) {
        return 0;
    }
    const char **argv = calloc(keys->elements + 1, sizeof *argv);
    if (!argv) {
        return error_memory(err);
    }
    int argc = 0;
    argv[argc++] = "MGET";
    qsort(keys->element, keys->elements, sizeof *keys->element, compare_keys);
    for (size_t i = 0; i < keys->elements; i++) {
        if (i == 0 || compare_keys(&keys->element[i - 1], &keys->element[i]) != 0) {
            argv[argc++] = keys->element[i]->str;
        }
    }
    redisReply *states = NULL;
    int rc = redis_call(r->shard->redis, &states, err, argc, argv, NULL) == REDIS_OK ? 0 : -1;
    if (rc == 0) {
        rc = take_states(r, states, err);
        freeReplyObject(states);
    }
    free(argv);
    return rc;
}

static int read_shard(struct reading *r, struct error *err)
{
    char cursor[CURSOR] = "0", pattern[KEY_MAX];
    int rc = learn(r, err);
    key_format(pattern, r->shard->name, "c:*");
    while (rc == 0) {
        redisReply *page = NULL;
        if (command_stopping()) {
            return error_set(err, ERROR_STOPPED, "stopped");
        }
        if (redis_callf(r->shard->redis, &page, err, "SCAN %s MATCH %s COUNT 1000", cursor,
                        pattern) != REDIS_OK) {
            return -1;
        }
        if ((rc = take_cursor(page, cursor, err)) == 0) {
            rc = read_states(r, page->element[1], err);
        }
        freeReplyObject(page);
        tell(r);
        if (strcmp(cursor, "0") == 0) {
            break;
        }
    }
    return rc;
}

static int read_all(struct reading *r, struct error *err)
{
    if (shards_look(r->shards, err) != 0) {
        return -1;
    }
    if (shards_count(r->shards) == 0) {
        return error_set(err, ERROR_STORE,
                         "business %s: no customers are counted (no customers-worker has made a "
                         "ledger)",
                         r->config->business);
    }
    for (int k = 0; k < shards_count(r->shards); k++) {
        if (open_shard(r, k, err) != 0 || read_shard(r, err) != 0) {
            return -1;
        }
    }
    return 0;
}

int cohorts_read(struct cohorts *cohorts, const struct config *config, struct error *err)
{
    struct reading r = {
        .config = config, .cohorts = cohorts, .terminal = isatty(STDERR_FILENO) == 1};
    customer_init(&r.customer);
    int rc = shards_open(&r.shards, config, err);
    if (rc == 0) {
        rc = read_all(&r, err);
        hush(&r);
    }
    close_shard(&r);
    customer_free(&r.customer);
    shards_free(r.shards);
    return rc;
}

/* States are read before the dictionary: names get a number once and keep it, so what a state says
 * can be read with any later dictionary. */
#include "consumers/privacy/dossier.h"

#include "common/partitioner.h"
#include "common/store.h"
#include "consumers/customers/codec.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { STEP = 500, PARTITIONS_MAX = 1000000 };

/* One shard while it is read. */
struct reading {
    struct dossier *dossier;
    struct redis *redis;
    int shard;
    char prefix[LEDGER_PREFIX_MAX], position_key[LEDGER_KEY_MAX], forgotten_key[LEDGER_KEY_MAX];
    char token[160];
};

static struct text text_in(const redisReply *reply)
{
    return reply && reply->str ? (struct text){reply->str, reply->len} : (struct text){NULL, 0};
}

/* ---- the store ---- */

static bool whole_number(const char *text, long max, long *out)
{
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    *out = strtol(text, &end, 10);
    return *end == '\0' && *out <= max;
}

static int take_shape(struct dossier *d, const redisReply *reply, const char *key,
                      struct error *err)
{
    long partitions;
    if (reply->elements != 2 || (!reply->element[0]->str && !reply->element[1]->str))
        return error_set(err, ERROR_STORE,
                         "there is no ledger of customers of business %s: no customers-worker has "
                         "counted yet (no key %s)",
                         d->business, key);
    d->shards = ledger_shards_in(reply->element[0]->str);
    if (d->shards == 0)
        return error_set(err, ERROR_STORE, "%s: its definition does not tell ledger.shards", key);
    if (!reply->element[1]->str ||
        !whole_number(reply->element[1]->str, PARTITIONS_MAX, &partitions) || partitions < 1)
        return error_set(err, ERROR_STORE, "%s: it does not tell partitions:sales", key);
    d->partitions = (int32_t)partitions;
    d->home = partition_of(text_of(d->id), d->partitions);
    return 0;
}

static int read_rebuilt(struct dossier *d, struct redis *redis, const char *prefix,
                        struct error *err)
{
    redisReply *reply;
    if (redis_callf(redis, &reply, err, "HGET %s" STORE_REBUILD "position:customers definition",
                    prefix) != REDIS_OK)
        return -1;
    bool there = reply->str != NULL;
    d->rebuilt_shards = ledger_shards_in(reply->str);
    freeReplyObject(reply);
    if (there && d->rebuilt_shards == 0)
        return error_set(err, ERROR_STORE, "the rebuild under way does not tell ledger.shards");
    return 0;
}

/* Every store has a shard 0, which tells how many there are. */
static int read_shape(struct dossier *d, const struct config *config, struct redis *redis,
                      struct error *err)
{
    char prefix[LEDGER_PREFIX_MAX], key[LEDGER_KEY_MAX];
    redisReply *reply;
    snprintf(key, sizeof key, "%sposition:customers", ledger_prefix(prefix, d->business, 0));
    if (redis_wait_for(redis, config, key, err) != 0 ||
        redis_callf(redis, &reply, err, "HMGET %s definition partitions:sales", key) != REDIS_OK)
        return -1;
    int rc = take_shape(d, reply, key, err);
    freeReplyObject(reply);
    return rc == 0 ? read_rebuilt(d, redis, prefix, err) : -1;
}

static int read_token(struct reading *r, struct error *err)
{
    redisReply *reply;
    if (redis_callf(r->redis, &reply, err, "HGET %s token", r->position_key) != REDIS_OK)
        return -1;
    snprintf(r->token, sizeof r->token, "%s", reply->str ? reply->str : "");
    freeReplyObject(reply);
    if (!r->token[0])
        return error_set(err, ERROR_STORE,
                         "shard %d of %d of the ledger has no positions: it is damaged", r->shard,
                         r->dossier->shards);
    return 0;
}

/* ---- a page ---- */

static struct dossier_page *page_of(struct reading *r, int32_t partition, struct error *err)
{
    struct dossier *d = r->dossier;
    for (size_t i = 0; i < d->page_count; i++)
        if (d->pages[i].partition == partition)
            return &d->pages[i];
    struct dossier_page *grown = realloc(d->pages, (d->page_count + 1) * sizeof *grown);
    if (!grown) {
        error_memory(err);
        return NULL;
    }
    d->pages = grown;
    struct dossier_page *page = &grown[d->page_count++];
    *page = (struct dossier_page){.partition = partition, .shard = r->shard};
    customer_init(&page->customer);
    snprintf(page->token, sizeof page->token, "%s", r->token);
    return page;
}

static int learn(struct dossier_page *page, const redisReply *names, struct error *err)
{
    if (dictionary_open(&page->names, err) != 0 || lists_open(&page->lists, page->names, err) != 0)
        return -1;
    for (size_t i = 0; i + 1 < names->elements; i += 2) {
        long number;
        if (!whole_number(names->element[i + 1]->str, DICTIONARY_NUMBER_MAX, &number))
            return error_set(err, ERROR_STORE, "the scope %.80s has no number but %.20s",
                             names->element[i]->str, names->element[i + 1]->str);
        if (dictionary_learn(page->names, text_in(names->element[i]), (uint32_t)number, err) != 0)
            return -1;
    }
    return 0;
}

static int decode(struct dossier_page *page, struct text state, struct error *err)
{
    struct codec *codec;
    if (codec_open(&codec, page->names, page->lists, err) != 0)
        return -1;
    int rc = codec_decode(codec, state, &page->customer, err);
    codec_free(codec);
    return rc;
}

static int take_state(struct reading *r, int32_t partition, struct text state, struct error *err)
{
    redisReply *names;
    struct dossier_page *page = page_of(r, partition, err);
    if (!page || redis_callf(r->redis, &names, err, "HGETALL %snames", r->prefix) != REDIS_OK)
        return -1;
    page->known = true;
    page->bytes = state.len;
    int rc = learn(page, names, err);
    if (rc == 0)
        rc = decode(page, state, err);
    freeReplyObject(names);
    return rc == 0 ? 0 : error_prefix(err, "shard %d, partition %d", r->shard, (int)partition);
}

static int take_mark(struct reading *r, int32_t partition, const char *mark, struct error *err)
{
    int read = 0;
    struct dossier_page *page = page_of(r, partition, err);
    if (!page)
        return -1;
    page->forgotten = true;
    if (sscanf(mark, "%" SCNd64 ":%" SCNd64 "%n", &page->from[SIDE_SALE], &page->from[SIDE_SERVICE],
               &read) != 2 ||
        mark[read])
        return error_set(err, ERROR_STORE, "%s says of partition %d: %.60s", r->forgotten_key,
                         (int)partition, mark);
    return 0;
}

/* ---- a shard ---- */

/* One answer for each of the partitions first, first + shards ..., at most STEP of them; *next is
 * the partition behind the last. */
static enum redis_answer ask(struct reading *r, bool marks, int32_t first, int32_t *next,
                             redisReply **reply, struct error *err)
{
    const struct dossier *d = r->dossier;
    const char *argv[STEP + 2] = {marks ? "HMGET" : "MGET", r->forgotten_key};
    char(*words)[LEDGER_KEY_MAX] = malloc(STEP * sizeof *words);
    int argc = marks ? 2 : 1, count = 0;
    *reply = NULL;
    if (!words) {
        error_memory(err);
        return REDIS_PERMANENT;
    }
    for (*next = first; *next < d->partitions && count < STEP; *next += d->shards, count++)
        argv[argc++] = marks ? ledger_forgotten_field(words[count], *next, text_of(d->id))
                             : ledger_state_key(words[count], r->prefix, *next, text_of(d->id));
    enum redis_answer answer = redis_call(r->redis, reply, err, argc, argv, NULL);
    free(words);
    return answer;
}

static int take_answers(struct reading *r, bool marks, int32_t first, const redisReply *reply,
                        struct error *err)
{
    int rc = 0;
    for (size_t i = 0; i < reply->elements && rc == 0; i++) {
        int32_t partition = first + (int32_t)i * r->dossier->shards;
        struct text found = text_in(reply->element[i]);
        if (found.at)
            rc = marks ? take_mark(r, partition, found.at, err)
                       : take_state(r, partition, found, err);
    }
    return rc;
}

static int read_all(struct reading *r, bool marks, struct error *err)
{
    int32_t next;
    for (int32_t first = r->shard; first < r->dossier->partitions; first = next) {
        redisReply *reply;
        if (ask(r, marks, first, &next, &reply, err) != REDIS_OK)
            return -1;
        int rc = take_answers(r, marks, first, reply, err);
        freeReplyObject(reply);
        if (rc != 0)
            return -1;
    }
    return 0;
}

static int read_shard(struct dossier *d, const struct config *config, struct redis *redis,
                      int shard, struct error *err)
{
    struct reading r = {.dossier = d, .redis = redis, .shard = shard};
    ledger_prefix(r.prefix, d->business, shard);
    snprintf(r.position_key, sizeof r.position_key, "%sposition:customers", r.prefix);
    snprintf(r.forgotten_key, sizeof r.forgotten_key, "%sforgotten", r.prefix);
    if (shard >= d->partitions) /* more shards than partitions: nothing lies there */
        return 0;
    if (redis_wait_for(redis, config, r.position_key, err) != 0 || read_token(&r, err) != 0)
        return -1;
    if (shard == ledger_shard_of(d->home, d->shards) && !page_of(&r, d->home, err))
        return -1;
    return read_all(&r, false, err) == 0 ? read_all(&r, true, err) : -1;
}

int dossier_read(struct dossier *out, const struct config *config, struct redis *redis,
                 const char *id, struct error *err)
{
    *out = (struct dossier){.business = config->business, .id = id};
    if (read_shape(out, config, redis, err) != 0)
        return -1;
    /* Home's shard is the first, and its page so too. */
    int home = ledger_shard_of(out->home, out->shards), rc = 0;
    for (int i = 0; i < out->shards && rc == 0; i++)
        rc = read_shard(out, config, redis, (home + i) % out->shards, err);
    return rc;
}

void dossier_clear(struct dossier *dossier)
{
    for (size_t i = 0; i < dossier->page_count; i++) {
        customer_free(&dossier->pages[i].customer);
        lists_free(dossier->pages[i].lists);
        dictionary_free(dossier->pages[i].names);
    }
    free(dossier->pages);
    *dossier = (struct dossier){0};
}

bool dossier_empty(const struct dossier *dossier)
{
    for (size_t i = 0; i < dossier->page_count; i++)
        if (dossier->pages[i].known || dossier->pages[i].forgotten)
            return false;
    return true;
}

#include "consumers/doctor/look.h"

#include "common/clock.h"
#include "common/store.h"
#include "consumers/customers/ledger_key.h"
#include "consumers/reporter/key.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const words[] = {"sales", "service"};

static void store_key(const struct config *config, const struct facts_store *s, char out[KEY_MAX])
{
    char prefix[LEDGER_PREFIX_MAX];
    if (s->kind == KIND_CUSTOMERS)
        snprintf(out, KEY_MAX, "%sposition:customers",
                 ledger_prefix(prefix, config->business, s->shard));
    else
        key_format(out, config->business, "position:%s", words[s->kind]);
}

/* ---- one position hash ---- */

static const char *field(const redisReply *hash, const char *format, const char *word,
                         int32_t number)
{
    char name[64];
    snprintf(name, sizeof name, format, word, number);
    for (size_t i = 0; i + 1 < hash->elements; i += 2)
        if (strcmp(hash->element[i]->str, name) == 0)
            return hash->element[i + 1]->str;
    return NULL;
}

static int64_t offset_of(const char *text)
{
    char *end;
    if (!text || *text < '0' || *text > '9')
        return FACTS_UNKNOWN;
    errno = 0;
    int64_t offset = strtoll(text, &end, 10);
    return errno || (*end && *end != ':') ? FACTS_UNKNOWN : offset;
}

static void copy(char *out, size_t room, const char *text)
{
    snprintf(out, room, "%s", text ? text : "");
}

static int take_positions(struct facts_store *s, const redisReply *hash, int topic, int shards,
                          struct error *err)
{
    int32_t partitions = s->topics[topic].partitions;
    int32_t first = s->kind == KIND_CUSTOMERS ? s->shard : 0;
    int32_t step = s->kind == KIND_CUSTOMERS && shards > 0 ? shards : 1;
    struct facts_position *grown =
        realloc(s->positions, (s->position_count + (size_t)partitions + 1) * sizeof *grown);
    if (!grown)
        return error_memory(err);
    s->positions = grown;
    for (int32_t p = first; p < partitions; p += step)
        s->positions[s->position_count++] = (struct facts_position){
            topic, p, offset_of(field(hash, "begin:%s:%" PRId32, words[topic], p)),
            offset_of(field(hash, "%s:%" PRId32, words[topic], p))};
    return 0;
}

static int take_topic(struct facts_store *s, const redisReply *hash, int topic, int shards,
                      struct error *err)
{
    struct facts_store_topic *t = &s->topics[topic];
    copy(t->name, sizeof t->name, field(hash, "topic:%s", words[topic], 0));
    copy(t->cluster, sizeof t->cluster, field(hash, "cluster:%s", words[topic], 0));
    copy(t->id, sizeof t->id, field(hash, "id:%s", words[topic], 0));
    int64_t partitions = offset_of(field(hash, "partitions:%s", words[topic], 0));
    t->partitions = partitions > 0 && partitions <= 100000 ? (int32_t)partitions : 0;
    return take_positions(s, hash, topic, shards, err);
}

static int take_hash(struct facts_store *s, const redisReply *hash, int *shards, struct error *err)
{
    const char *definition = field(hash, "definition", "", 0);
    s->exists = hash->elements > 0;
    copy(s->token, sizeof s->token, field(hash, "token", "", 0));
    copy(s->begun, sizeof s->begun, field(hash, "begun", "", 0));
    copy(s->done, sizeof s->done, field(hash, "done", "", 0));
    copy(s->layout, sizeof s->layout, field(hash, "layout", "", 0));
    s->definition = definition ? strdup(definition) : NULL;
    if (definition && !s->definition)
        return error_memory(err);
    if (s->kind == KIND_CUSTOMERS && *shards == 0)
        *shards = ledger_shards_in(definition);
    for (int topic = 0; s->exists && topic < 2; topic++)
        if ((s->kind == KIND_CUSTOMERS || s->kind == topic) &&
            take_topic(s, hash, topic, *shards, err) != 0)
            return -1;
    return 0;
}

/* -1 only when memory is short. */
static int look_store(struct facts_store *s, const struct config *config, struct redis *redis,
                      int *shards, struct error *err)
{
    char key[KEY_MAX];
    struct error why = {0};
    redisReply *reply;
    store_key(config, s, key);
    if (look_reach(redis, key, &why) != 0 ||
        redis_callf(redis, &reply, &why, "HGETALL %s", key) != REDIS_OK) {
        snprintf(s->why, sizeof s->why, "%.290s", why.text);
        return 0;
    }
    int rc = take_hash(s, reply, shards, err);
    freeReplyObject(reply);
    return rc;
}

/* ---- nodes ---- */

static void look_at_node(struct facts *facts, struct redis *redis)
{
    for (int i = 0; i < facts->node_count; i++)
        if (strcmp(facts->nodes[i].address, redis_address(redis)) == 0)
            return;
    if (facts->node_count < FACTS_NODES_MAX)
        look_node(&facts->nodes[facts->node_count++], redis);
}

/* ---- what was published ---- */

static int64_t ask_number(struct redis *redis, const struct config *config, const char *command,
                          const char *rest, const char *name)
{
    char key[KEY_MAX];
    struct error ignored;
    redisReply *reply;
    const char *argv[] = {command, key_format(key, config->business, "%s", rest), name};
    if (redis_call(redis, &reply, &ignored, name ? 3 : 2, argv, NULL) != REDIS_OK)
        return FACTS_UNKNOWN;
    int64_t number = reply->type == REDIS_REPLY_INTEGER ? reply->integer : offset_of(reply->str);
    freeReplyObject(reply);
    return number;
}

static void look_report(struct facts *facts, const struct config *config, struct redis *redis)
{
    struct facts_report *r = &facts->report;
    r->known = true;
    r->lease = ask_number(redis, config, "EXISTS", "reporter", NULL) == 1;
    r->dirty = ask_number(redis, config, "HLEN", "dirty", NULL);
    r->outbox = ask_number(redis, config, "HLEN", "outbox", NULL);
    r->gaps = ask_number(redis, config, "HLEN", "gap", NULL);
    r->rebuild = ask_number(redis, config, "EXISTS", STORE_REBUILD "position:sales", NULL) == 1;
    r->as_of_s = ask_number(redis, config, "HGET", "comparison:current:day:all", "as_of");
}

/* ---- the whole ---- */

static struct facts_store *add_store(struct facts *facts, int kind, int shard)
{
    struct facts_store *s = &facts->stores[facts->store_count++];
    *s = (struct facts_store){.kind = kind, .shard = shard};
    if (kind == KIND_CUSTOMERS)
        snprintf(s->name, sizeof s->name, "customers, shard %d", shard);
    else
        snprintf(s->name, sizeof s->name, "%s", words[kind]);
    return s;
}

static int look_home(struct facts *facts, const struct config *config, struct redis *redis,
                     struct error *err)
{
    char key[KEY_MAX];
    struct error why = {0};
    if (look_reach(redis, key_format(key, config->business, "floor"), &why) != 0) {
        struct facts_redis *node = &facts->nodes[facts->node_count++];
        snprintf(node->why, sizeof node->why, "%.290s", why.text);
        return 1;
    }
    look_at_node(facts, redis);
    look_report(facts, config, redis);
    for (int kind = KIND_SALES; kind <= KIND_SERVICE; kind++)
        if (look_store(add_store(facts, kind, 0), config, redis, &facts->shards, err) != 0)
            return -1;
    return 0;
}

/* As many as the settings say, until a shard tells how many there are. Nodes that say nothing take
 * LOOK_WAIT_MS each: after some of them the others are not asked. */
static int look_ledger(struct facts *facts, const struct config *config, struct redis *redis,
                       struct error *err)
{
    int wanted = (int)config->ledger_shards;
    int64_t end_ms = clock_mono_ms() + LOOK_SHARDS_MS;
    for (int shard = 0; shard < (facts->shards ? facts->shards : wanted); shard++) {
        struct facts_store *s = add_store(facts, KIND_CUSTOMERS, shard);
        if (clock_mono_ms() > end_ms) {
            snprintf(s->why, sizeof s->why, "not asked: others took too long");
            continue;
        }
        if (look_store(s, config, redis, &facts->shards, err) != 0)
            return -1;
        if (!s->why[0])
            look_at_node(facts, redis);
    }
    return 0;
}

int look_stores(struct facts *facts, const struct config *config, struct error *err)
{
    struct redis *redis = NULL;
    if (redis_open(&redis, config, err) != 0)
        return -1;
    int rc = look_home(facts, config, redis, err);
    if (rc == 0)
        rc = look_ledger(facts, config, redis, err);
    redis_free(redis);
    return rc < 0 ? -1 : 0;
}

static int64_t sum_of(const struct facts_store *s)
{
    int64_t sum = 0;
    for (size_t i = 0; i < s->position_count; i++)
        sum += s->positions[i].at > 0 ? s->positions[i].at : 0;
    return sum;
}

void look_again(struct facts *facts, const struct config *config)
{
    struct redis *redis = NULL;
    struct error ignored;
    if (redis_open(&redis, config, &ignored) != 0)
        return;
    facts->looked_again = true;
    for (int i = 0; i < facts->store_count; i++) {
        const struct facts_store *s = &facts->stores[i];
        struct facts_store now = {.kind = s->kind, .shard = s->shard};
        int shards = facts->shards;
        if (!s->exists || look_store(&now, config, redis, &shards, &ignored) != 0 || !now.exists)
            continue;
        facts->moved[s->kind] += sum_of(&now) - sum_of(s);
        free(now.definition);
        free(now.positions);
    }
    redis_free(redis);
}

/* double_test - the store's double and a real Redis, on the same random calls.
 *
 * usage: double_test REDIS-URL [CALLS [SEED]]
 *
 * What the simulator shows holds only as far as memory.c does what the scripts do. Both get the
 * same calls: batches that follow and that do not, wrong tokens, floors, scopes beyond the limit,
 * keys of a wrong type and sums that overflow half-way, forgotten scripts, accepted gaps, stores
 * emptied and made again. Every answer and, again and again, the complete states must be the same.
 * Two workers of different groups take turns: a position is one, whoever moves it. The first half of
 * the calls is for a store of sales, the second for a shard of the ledger: names with versions,
 * customers' states, and customers who are forgotten. */
#include "blob.h"
#include "common/calendar.h"
#include "double.h"

#include "rebuild_fence_lua.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct double_test test;

static void forget_keys(void);

_Noreturn void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("call %d: ", test.call);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
    fflush(stdout);
    if (test.redis && redis_connected(test.redis))
        forget_keys();
    exit(1);
}

int dice(int n)
{
    test.dice ^= test.dice << 13;
    test.dice ^= test.dice >> 7;
    test.dice ^= test.dice << 17;
    return n > 1 ? (int)(test.dice % (unsigned)n) : 0;
}

bool chance(int per_mille)
{
    return dice(1000) < per_mille;
}

static redisReply *call(const char *format, const char *a, const char *b, const char *c)
{
    struct error err = {0};
    redisReply *reply;
    if (redis_callf(test.redis, &reply, &err, format, a, b, c) != REDIS_OK)
        exit((printf("%s\n", err.text), 1));
    return reply;
}

static void run(const char *format, const char *a, const char *b, const char *c)
{
    freeReplyObject(call(format, a, b, c));
}

/* All keys of the business; the list is the caller's. */
static redisReply *all_keys(void)
{
    char pattern[80];
    snprintf(pattern, sizeof pattern, "%s*", test.prefix);
    return call("KEYS %s", pattern, "", "");
}

static void forget_keys(void)
{
    redisReply *keys = all_keys();
    for (size_t i = 0; i < keys->elements; i++)
        run("DEL %s", keys->element[i]->str, "", "");
    freeReplyObject(keys);
}

/* ---- opening ---- */

static void set(struct config *config, const char *key, const char *value)
{
    struct error err = {0};
    if (config_set(config, key, value, CONFIG_OPTION, "test", &err) != 0)
        die("%s", err.text);
}

static void open_worker(int i, const char *url)
{
    static const char *const words[] = {"sales", "service"};
    static const struct store_kind sales = {
        .name = "sales", .words = words, .word_count = 1, .generation = ""};
    static const struct store_kind shard = {.name = "customers",
                                            .words = words,
                                            .word_count = 2,
                                            .generation = "",
                                            .shard = 1,
                                            .shards = 2};
    const struct store_kind *kind = test.shard ? &shard : &sales;
    struct error err = {0};
    char group[24], limit[12];
    if (config_open(&test.configs[i], &err) != 0)
        die("%s", err.text);
    snprintf(group, sizeof group, "group-%d", i);
    snprintf(limit, sizeof limit, "%d", LIMIT);
    set(test.configs[i], "redis", url);
    set(test.configs[i], "business", test.business);
    set(test.configs[i], "group", group);
    set(test.configs[i], "scope.limit", limit);
    if (config_check(test.configs[i], &err) != 0 ||
        store_open(&test.stores[i], test.configs[i], kind, &err) != 0 ||
        store_connect(test.stores[i], &err) != STORE_DONE)
        die("%s", err.text);
}

static void open_all(const char *url, uint64_t seed)
{
    struct error err = {0};
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    test.dice = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    snprintf(test.business, sizeof test.business, "double-%d-%ld", (int)getpid(),
             now.tv_nsec / 1000);
    snprintf(test.prefix, sizeof test.prefix, test.shard ? "tandem:{%s.1}:" : "tandem:{%s}:",
             test.business);
    test.floor = STORE_NO_FLOOR;
    test.state.floor = STORE_NO_FLOOR;
    test.memory = memory_new(test.prefix, test.shard);
    batch_init(&test.batch);
    for (int i = 0; i < WORKERS; i++)
        open_worker(i, url);
    if (redis_open(&test.redis, test.configs[0], &err) != 0 || redis_connect(test.redis, &err) != 0)
        die("%s", err.text);
}

static void close_all(void)
{
    forget_keys();
    store_state_clear(&test.state);
    batch_free(&test.batch);
    for (int i = 0; i < WORKERS; i++) {
        store_free(test.stores[i]);
        config_free(test.configs[i]);
    }
    redis_free(test.redis);
    memory_free(test.memory);
    memory_forget_names();
}

struct store *any_store(void)
{
    return test.stores[dice(WORKERS)];
}

static void agree(const char *what, enum store_answer real, enum store_answer of_double,
                  const struct error *err)
{
    if (real != of_double)
        die("%s: Redis answers %d (%s), the double %d", what, (int)real, err->text, (int)of_double);
}

/* ---- the complete states ---- */

struct held {
    size_t cells, members, marks, notes, numbers, states, tombs;
};

void compare_value(enum memory_kind kind, const char *key, const char *field, int64_t real)
{
    int64_t known = memory_get(test.memory, kind, key, field);
    if (known != real)
        die("%s %s is %" PRId64 " in Redis, %" PRId64 " in the double", key, field, real, known);
}

static void compare_field(const char *key, const char *field, const redisReply *value,
                          struct held *held)
{
    const char *rest = key + strlen(test.prefix);
    if (strcmp(rest, "dirty") == 0) {
        compare_value(MEMORY_MARK, key, field, (int64_t)strtoull(value->str, NULL, 16));
        held->marks++;
    } else if (strcmp(rest, "names") == 0) {
        compare_value(MEMORY_NUMBER, key, field, strtoll(value->str, NULL, 10));
        held->numbers++;
    } else if (strcmp(rest, "forgotten") == 0) {
        compare_value(MEMORY_TOMB, key, field, blob_of(text_of(value->str)));
        held->tombs++;
    } else if (strcmp(rest, "gap") == 0) {
        held->notes += memory_get(test.memory, MEMORY_NOTE, key, field) > 0;
    } else {
        compare_value(MEMORY_CELL, key, field, strtoll(value->str, NULL, 10));
        held->cells += strcmp(value->str, "0") != 0;
    }
}

static void compare_hash(const char *key, struct held *held)
{
    const char *rest = key + strlen(test.prefix);
    redisReply *hash = call("HGETALL %s", key, "", "");
    for (size_t i = 0; i + 1 < hash->elements && strncmp(rest, "position:", 9) != 0; i += 2)
        compare_field(key, hash->element[i]->str, hash->element[i + 1], held);
    freeReplyObject(hash);
    redisReply *expiry = call("EXPIRETIME %s", key, "", "");
    compare_value(MEMORY_EXPIRY, key, "", expiry->integer < 0 ? 0 : expiry->integer);
    freeReplyObject(expiry);
}

static void compare_state(const char *key, struct held *held)
{
    redisReply *state = call("GET %s", key, "", "");
    compare_value(MEMORY_STATE, key, "", blob_of((struct text){state->str, state->len}));
    held->states++;
    freeReplyObject(state);
}

static void compare_set(const char *key, struct held *held)
{
    redisReply *set_members = call("SMEMBERS %s", key, "", "");
    for (size_t i = 0; i < set_members->elements; i++)
        compare_value(MEMORY_MEMBER, key, set_members->element[i]->str, 1);
    compare_value(MEMORY_SIZE, key, "", (int64_t)set_members->elements);
    held->members += set_members->elements;
    freeReplyObject(set_members);
}

static struct held held_by_double(void)
{
    struct held held = {0};
    for (size_t i = 0; i < memory_names(); i++) {
        bool there = memory_value(test.memory, i) != 0;
        held.cells += there && memory_name(i)->kind == MEMORY_CELL;
        held.members += there && memory_name(i)->kind == MEMORY_MEMBER;
        held.marks += there && memory_name(i)->kind == MEMORY_MARK;
        held.notes += there && memory_name(i)->kind == MEMORY_NOTE;
        held.numbers += there && memory_name(i)->kind == MEMORY_NUMBER;
        held.states += there && memory_name(i)->kind == MEMORY_STATE;
        held.tombs += there && memory_name(i)->kind == MEMORY_TOMB;
    }
    return held;
}

static void compare_keys(void)
{
    struct held real = {0}, known = held_by_double();
    redisReply *keys = all_keys();
    for (size_t i = 0; i < keys->elements; i++) {
        const char *key = keys->element[i]->str;
        redisReply *type = call("TYPE %s", key, "", "");
        if (strcmp(type->str, "hash") == 0)
            compare_hash(key, &real);
        else if (strcmp(type->str, "set") == 0)
            compare_set(key, &real);
        else if (strncmp(key + strlen(test.prefix), "c:", 2) == 0)
            compare_state(key, &real);
        else if (strcmp(key + strlen(test.prefix), "floor") != 0)
            die("%s is a %s", key, type->str);
        freeReplyObject(type);
    }
    freeReplyObject(keys);
    if (real.cells != known.cells || real.members != known.members || real.marks != known.marks ||
        real.notes != known.notes)
        die("Redis holds %zu cells, %zu members, %zu marks, %zu notes; the double %zu, %zu, %zu, "
            "%zu",
            real.cells, real.members, real.marks, real.notes, known.cells, known.members,
            known.marks, known.notes);
    if (real.numbers != known.numbers || real.states != known.states || real.tombs != known.tombs)
        die("Redis holds %zu names, %zu states, %zu forgotten; the double %zu, %zu, %zu",
            real.numbers, real.states, real.tombs, known.numbers, known.states, known.tombs);
}

static void look(void)
{
    struct error err = {0};
    const struct memory *m = test.memory;
    if (store_look(any_store(), &test.state, &err) != STORE_DONE)
        die("look: %s", err.text);
    if (test.state.exists != m->exists || test.state.others != m->others ||
        test.state.floor != test.floor)
        die("the look finds another store or floor than the double has");
    if (!m->exists)
        return;
    if (strcmp(test.state.token, m->token) != 0 ||
        strcmp(test.state.definition, m->definition) != 0 ||
        test.state.topic_count != m->topic_count ||
        test.state.position_count != m->position_count)
        die("the look finds another token, definition or topic than the double has");
    for (int t = 0; t < m->topic_count; t++)
        if (strcmp(test.state.topics[t].id, m->topics[t].id) != 0 ||
            strcmp(test.state.topics[t].cluster, m->topics[t].cluster) != 0)
            die("the look finds another topic than the double has");
    for (size_t i = 0; i < m->position_count; i++) {
        const struct store_position *a = &test.state.positions[i], *b = &m->positions[i];
        if (a->begin != b->begin || a->at.offset != b->at.offset || a->at.epoch != b->at.epoch)
            die("partition %" PRId32 " stands at %" PRId64 " in Redis, at %" PRId64
                " in the double",
                b->partition, a->at.offset, b->at.offset);
    }
}

/* ---- making, emptying ---- */

static void plan_topic(struct store_topic *topic, const char *word)
{
    *topic = (struct store_topic){.word = word, .partitions = PARTITIONS};
    snprintf(topic->name, sizeof topic->name, "tandem.%s", word);
    snprintf(topic->cluster, sizeof topic->cluster, "cluster");
    snprintf(topic->id, sizeof topic->id, "id-%d", dice(1000));
}

static void plan_kind(struct store_plan *plan, struct store_position *positions, const char *kind)
{
    for (int p = 0; p < PARTITIONS; p++)
        positions[p] = (struct store_position){0, p, p * 10, {p * 10, -1}};
    *plan = (struct store_plan){
        .kind = kind, .topic_count = 1, .positions = positions, .position_count = PARTITIONS};
    plan_topic(&plan->topics[0], kind);
}

static void plan_shard(struct store_plan *plan, struct store_position *positions)
{
    *plan = (struct store_plan){.kind = "customers", .topic_count = 2, .positions = positions};
    plan_topic(&plan->topics[0], "sales");
    plan_topic(&plan->topics[1], "service");
    for (int t = 0; t < 2; t++)
        for (int p = 1; p < PARTITIONS; p += 2)
            positions[plan->position_count++] =
                (struct store_position){t, p, p * 10, {p * 10 + t, -1}};
}

static void make(void)
{
    struct store_plan plans[2];
    struct store_position positions[2][PARTITIONS];
    struct error err = {0};
    static const char definition[] = "fold=1\ntimezone=UTC\n";
    if (test.shard) {
        plan_shard(&plans[0], positions[0]);
    } else {
        plan_kind(&plans[0], positions[0], "sales");
        plan_kind(&plans[1], positions[1], "service");
    }
    enum store_answer real =
        store_make(any_store(), plans, test.shard ? 1 : 2, definition, &err);
    bool made = !test.memory->exists && !test.memory->others;
    agree("make", real, made ? STORE_DONE : STORE_MOVED, &err);
    if (!made)
        return;
    /* The token is random: the double takes that of the real one. */
    if (store_look(any_store(), &test.state, &err) != STORE_DONE || !test.state.exists)
        die("made, and not there: %s", err.text);
    memory_make(test.memory, test.state.token, definition, &plans[0]);
}

static void forget_positions(void)
{
    char key[96];
    static const char *const kinds[] = {"sales", "service", "customers"};
    for (int i = 0; i < 3; i++) {
        snprintf(key, sizeof key, "%sposition:%s", test.prefix, kinds[i]);
        run("DEL %s", key, "", "");
    }
    test.memory->exists = test.memory->others = false;
}

static void check_orphans(void)
{
    struct error err = {0};
    bool found;
    if (store_orphans(any_store(), &found, &err) != STORE_DONE)
        die("orphans: %s", err.text);
    if (found != memory_orphans(test.memory))
        die("orphans are %sfound in Redis, not so in the double", found ? "" : "not ");
}

/* Without its positions the store is no place to write to; emptied, it is made again. */
static void empty(void)
{
    forget_positions();
    check_orphans();
    forget_keys();
    memory_clear(test.memory);
    test.floor = STORE_NO_FLOOR;
}

/* A position that is gone is damage, and never an offset. */
static void lose_position(void)
{
    char key[96], field[32];
    struct error err = {0};
    struct store_state state = {.floor = STORE_NO_FLOOR};
    if (!test.memory->exists)
        return;
    const struct store_position *at = &test.memory->positions[dice(PARTITIONS)];
    snprintf(key, sizeof key, "%sposition:%s", test.prefix, test.shard ? "customers" : "sales");
    snprintf(field, sizeof field, "%s:%" PRId32, at->topic ? "service" : "sales", at->partition);
    run("HDEL %s %s", key, field, "");
    enum store_answer answer = store_look(any_store(), &state, &err);
    if (answer != STORE_BROKEN)
        die("a position is gone, and the look answers %d", (int)answer);
    store_state_clear(&state);
    char place[40];
    snprintf(place, sizeof place, "%" PRId64 ":%" PRId32, at->at.offset, at->at.epoch);
    run("HSET %s %s %s", key, field, place);
}

static void move_floor(void)
{
    char key[96], date[11];
    test.floor = DAY + dice(5);
    calendar_format_date(test.floor, date);
    snprintf(key, sizeof key, "%sfloor", test.prefix);
    run("SET %s %s", key, date, "");
    snprintf(test.memory->floor, sizeof test.memory->floor, "%s", date);
}

static void accept_gap(void)
{
    struct error err = {0};
    struct store_position to[2];
    const char *const notes[] = {"skipped:1-2", "skipped:3-4"};
    struct store_topic now;
    size_t count = 1 + (size_t)dice(2);
    int t = test.shard ? dice(2) : 0; /* a shard has two positions of each topic */
    if (!test.state.exists) /* nothing was seen yet that could be accepted */
        return;
    now = test.state.topics[t];
    snprintf(now.id, sizeof now.id, "id-%d", dice(1000));
    for (size_t i = 0; i < count; i++) {
        to[i] = test.state.positions[(size_t)(2 * t) + i];
        to[i].at = (struct place){to[i].at.offset + dice(50), -1};
    }
    const struct store_topic *topic = chance(300) ? &now : NULL;
    enum store_answer real =
        store_accept(any_store(), &test.state, t, topic, to, count, notes, &err);
    enum store_answer known = memory_accept(test.memory, &test.state, t, topic, to, count);
    agree("accept", real, known, &err);
    for (size_t i = 0; i < count && known == STORE_DONE; i++) {
        char field[300];
        snprintf(field, sizeof field, "%s:%" PRId32, test.state.topics[t].name, to[i].partition);
        memory_note(test.memory, field);
    }
}

/* ---- batches ---- */

static void add_cells(void)
{
    for (int n = 1 + dice(5); n > 0; n--) {
        char field[16];
        int64_t delta = dice(2000) - 1000;
        if (chance(30))
            delta = (INT64_C(1) << 62) - dice(3);
        if (chance(30))
            delta = -(INT64_C(1) << 62) + dice(3);
        snprintf(field, sizeof field, "field-%d", dice(6));
        batch_add_cell(&test.batch, text_of(field), delta ? delta : 1);
    }
}

static void add_group(void)
{
    const char *side = test.shard ? "customer" : "sale";
    static const char *const values[] = {"north", "south", "east", "west", "up", "__other__"};
    static const char *const dimensions[] = {"region", "channel"};
    char head[160], date[11], dirty[40] = "";
    struct batch_group group = {.value = text_of("all")};
    int form = dice(10);
    calendar_format_date(DAY + dice(5), date);
    if (form == 0) {
        snprintf(head, sizeof head, "%s%s:undated", test.prefix, side);
        group.value = text_of("");
    } else if (form < 3) {
        int hour = dice(24);
        snprintf(head, sizeof head, "%s%s:hour:%sT%02d:", test.prefix, side, date, hour);
        group.expire_s = 4000000000 + hour;
    } else {
        snprintf(head, sizeof head, "%s%s:day:%s:", test.prefix, side, date);
        snprintf(dirty, sizeof dirty, "%s:%s:", side, date);
        if (form > 5) {
            group.dimension = text_of(dimensions[dice(2)]);
            group.value = text_of(values[dice(6)]);
        }
    }
    group.head = text_of(head);
    group.dirty = text_of(dirty);
    batch_add_group(&test.batch, group);
    add_cells();
}

static void build_batch(void)
{
    static const char *const currencies[] = {"EUR", "USD", "RON"};
    bool taken[PARTITIONS] = {false}; /* a shard has as many: two of each topic */
    batch_clear(&test.batch);
    test.batch.ledger = 0;
    test.batch.mark = (uint64_t)dice(1 << 30) << 32 | (uint64_t)(dice(1 << 30) + 1);
    for (int n = 1 + dice(3); n > 0 && test.memory->exists; n--) {
        int which = dice(PARTITIONS);
        const struct store_position *at = &test.memory->positions[which];
        struct batch_move move = {at->topic, at->partition, at->at, at->at};
        if (taken[which])
            continue;
        taken[which] = true;
        if (chance(60)) {
            move.from.offset += chance(500) ? 1 : -1;
        } else if (chance(30)) {
            move.from.epoch++;
        }
        move.to = (struct place){move.from.offset + 1 + dice(100), dice(3) - 1};
        batch_add_move(&test.batch, move);
    }
    for (int n = dice(8); n > 0; n--)
        add_group();
    for (int i = 0; i < 3; i++)
        if (chance(300))
            batch_add_currency(&test.batch, currencies[i]);
    if (test.shard)
        ledger_add_to_batch();
}

static void apply(const char *token)
{
    char failed[128] = "";
    struct error err = {0};
    struct store *store = any_store();
    int32_t floor = chance(50) ? DAY + dice(5) : test.floor;
    build_batch();
    enum store_answer real = store_send(store, &test.batch, token, floor, &err);
    while (real == STORE_PENDING)
        real = store_receive(store, ANSWER_MS, &err);
    enum store_answer known = memory_apply(test.memory, &test.batch, token, floor, LIMIT, failed);
    agree("apply", real, known, &err);
    if (real == STORE_BROKEN && strncmp(err.text, "cannot add", 10) == 0 &&
        !strstr(err.text, failed))
        die("apply: Redis says %s, the double fails at %s", err.text, failed);
}

static void apply_any(void)
{
    const char *token = test.memory->exists ? test.memory->token : "none";
    apply(chance(40) ? "0-0:0000000000000000" : token);
}

/* ---- a rebuild beside ---- */

static void fence(bool close)
{
    char sales[96], service[96];
    snprintf(sales, sizeof sales, "%sposition:%s", test.prefix,
             test.shard ? "customers" : "sales");
    snprintf(service, sizeof service, "%sposition:service", test.prefix);
    run(close ? "EVAL %s 2 %s %s close" : "EVAL %s 2 %s %s open", rebuild_fence_lua, sales,
        service);
    memory_fence(test.memory, close);
}

/* While a rebuild switches, a worker neither adds nor takes the store for another. */
static void close_for_a_while(void)
{
    struct error err = {0};
    char token[sizeof test.memory->token];
    struct store_state state = {.floor = STORE_NO_FLOOR};
    snprintf(token, sizeof token, "%s", test.memory->token);
    for (int n = 1 + dice(2); n > 0; n--)
        fence(true);
    enum store_answer answer = store_look(any_store(), &state, &err);
    if (answer != STORE_LATER)
        die("a rebuild is switching, and the look answers %d (%s)", (int)answer, err.text);
    store_state_clear(&state);
    apply(token);
    for (int n = 1 + dice(2); n > 0; n--)
        fence(false);
    look();
}

/* ---- what breaks ---- */

/* A key becomes one of another type for some calls. */
static void break_a_key(void)
{
    char saved[300];
    redisReply *keys = all_keys();
    const char *key = keys->elements ? keys->element[dice((int)keys->elements)]->str : "";
    bool usable = *key && !strstr(key, ":position:") && !strstr(key, ":gap") &&
                  strncmp(key + strlen(test.prefix), "c:", 2) != 0 &&
                  strcmp(key + strlen(test.prefix), "floor") != 0;
    if (usable) {
        snprintf(test.memory->broken_key, sizeof test.memory->broken_key, "%s", key);
        snprintf(saved, sizeof saved, "saved:%s", key);
        run("RENAME %s %s", key, saved, "");
        run("SET %s %s", key, "x", "");
        for (int n = 1 + dice(8); n > 0; n--)
            apply_any();
        run("RENAME %s %s", saved, key, "");
        test.memory->broken_key[0] = 0;
    }
    freeReplyObject(keys);
}

static void step(void)
{
    int what = dice(1000);
    if (what < 4)
        empty();
    else if (what < 20 || !test.memory->exists)
        make();
    else if (what < 30)
        move_floor();
    else if (what < 40)
        accept_gap();
    else if (what < 60)
        break_a_key();
    else if (what < 65)
        run("SCRIPT FLUSH", "", "", "");
    else if (what < 75)
        lose_position();
    else if (what < 90)
        look();
    else if (what < 95)
        close_for_a_while();
    else if (what < 125)
        test.shard ? ledger_call() : apply_any();
    else
        apply_any();
}

/* Calls `from` to `to`, of one form of store. */
static void play(const char *url, uint64_t seed, bool shard, int from, int to)
{
    test.shard = shard;
    open_all(url, seed);
    for (test.call = from; test.call < to; test.call++) {
        step();
        if (test.call % COMPARE_EVERY == 0) {
            look();
            compare_keys();
        }
    }
    look();
    compare_keys();
    close_all();
}

int main(int argc, char **argv)
{
    int calls = argc > 2 ? atoi(argv[2]) : 10000;
    uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    if (argc < 2 || calls < 1) {
        fprintf(stderr, "usage: double_test REDIS-URL [CALLS [SEED]]\n");
        return 2;
    }
    play(argv[1], seed, false, 0, calls / 2);
    play(argv[1], seed, true, calls / 2, calls);
    printf("%d calls, the same answers and states\n", calls);
    return 0;
}

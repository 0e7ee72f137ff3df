#include "memory.h"

#include "blob.h"
#include "common/calendar.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

/* ---- names ---- */

enum { INDEX_MIN = 1 << 12 };

static struct memory_name *names;
static size_t name_count, name_room;
static uint32_t *name_index; /* place + 1 by hash; 0: free */
static size_t index_room;

size_t memory_names(void)
{
    return name_count;
}

const struct memory_name *memory_name(size_t i)
{
    return &names[i];
}

void memory_forget_names(void)
{
    for (size_t i = 0; i < name_count; i++) {
        free(names[i].key);
        free(names[i].field);
    }
    name_count = 0;
    blob_forget_all();
    if (name_index)
        memset(name_index, 0, index_room * sizeof *name_index);
}

static uint64_t hash_of(enum memory_kind kind, const char *key, const char *field)
{
    uint64_t seed = XXH3_64bits_withSeed(key, strlen(key), (uint64_t)kind);
    return XXH3_64bits_withSeed(field, strlen(field), seed);
}

static size_t place_of(uint64_t hash)
{
    size_t i = hash & (index_room - 1);
    while (name_index[i] && names[name_index[i] - 1].hash != hash)
        i = (i + 1) & (index_room - 1);
    return i;
}

static void grow_index(void)
{
    index_room = index_room ? index_room * 2 : INDEX_MIN;
    free(name_index);
    name_index = must(calloc(index_room, sizeof *name_index));
    for (size_t i = 0; i < name_count; i++)
        name_index[place_of(names[i].hash)] = (uint32_t)i + 1;
}

/* The place of a name, made when it is new. */
static size_t name_of(enum memory_kind kind, const char *key, const char *field)
{
    uint64_t hash = hash_of(kind, key, field);
    if (name_count * 2 >= index_room)
        grow_index();
    size_t i = place_of(hash);
    if (name_index[i])
        return name_index[i] - 1;
    if (name_count == name_room) {
        name_room = name_room ? name_room * 2 : 1024;
        names = must(realloc(names, name_room * sizeof *names));
    }
    names[name_count] = (struct memory_name){hash, kind, must(strdup(key)), must(strdup(field))};
    name_index[i] = (uint32_t)++name_count;
    return name_count - 1;
}

/* ---- values ---- */

int64_t memory_value(const struct memory *m, size_t i)
{
    return i < m->room ? m->values[i] : 0;
}

int64_t memory_get(const struct memory *m, enum memory_kind kind, const char *key,
                   const char *field)
{
    if (!index_room)
        return 0;
    size_t i = place_of(hash_of(kind, key, field));
    return name_index[i] ? memory_value(m, name_index[i] - 1) : 0;
}

bool memory_has(const struct memory *m, const char *set, const char *member)
{
    return memory_get(m, MEMORY_MEMBER, set, member) != 0;
}

static int64_t *slot(struct memory *m, size_t i)
{
    if (i >= m->room) {
        size_t room = i + 64;
        m->values = must(realloc(m->values, room * sizeof *m->values));
        memset(m->values + m->room, 0, (room - m->room) * sizeof *m->values);
        m->room = room;
    }
    return &m->values[i];
}

static void set(struct memory *m, enum memory_kind kind, const char *key, const char *field,
                int64_t value)
{
    *slot(m, name_of(kind, key, field)) = value;
}

static void join(struct memory *m, const char *key, const char *member)
{
    if (memory_has(m, key, member))
        return;
    set(m, MEMORY_MEMBER, key, member, 1);
    ++*slot(m, name_of(MEMORY_SIZE, key, ""));
}

/* ---- the whole ---- */

struct memory *memory_new(const char *prefix, bool shard)
{
    struct memory *m = must(calloc(1, sizeof *m));
    m->shard = shard;
    snprintf(m->prefix, sizeof m->prefix, "%s", prefix);
    return m;
}

void memory_clear(struct memory *m)
{
    struct memory empty = {.shard = m->shard};
    free(m->values);
    free(m->positions);
    memcpy(empty.prefix, m->prefix, sizeof empty.prefix);
    *m = empty;
}

void memory_free(struct memory *m)
{
    if (!m)
        return;
    free(m->values);
    free(m->positions);
    free(m);
}

static void *copy_of(const void *list, size_t bytes)
{
    void *copy = must(malloc(bytes + 1));
    if (bytes)
        memcpy(copy, list, bytes);
    return copy;
}

struct memory *memory_copy(const struct memory *from)
{
    struct memory *m = must(malloc(sizeof *m));
    *m = *from;
    m->values = copy_of(from->values, from->room * sizeof *from->values);
    m->positions = copy_of(from->positions, from->position_count * sizeof *from->positions);
    return m;
}

static bool places_equal(const struct memory *a, const struct memory *b, char *why, size_t room)
{
    for (size_t i = 0; i < a->position_count && i < b->position_count; i++) {
        const struct store_position *x = &a->positions[i], *y = &b->positions[i];
        if (x->at.offset == y->at.offset && x->at.epoch == y->at.epoch && x->begin == y->begin)
            continue;
        snprintf(why, room, "partition %" PRId32 " stands at %" PRId64 " and at %" PRId64,
                 x->partition, x->at.offset, y->at.offset);
        return false;
    }
    return true;
}

bool memory_equal(const struct memory *a, const struct memory *b, char *why, size_t room)
{
    snprintf(why, room, "existence, token, version, floor or number of positions");
    if (a->exists != b->exists || a->ledger != b->ledger || strcmp(a->token, b->token) != 0 ||
        strcmp(a->floor, b->floor) != 0 || a->position_count != b->position_count)
        return false;
    if (!places_equal(a, b, why, room))
        return false;
    for (size_t i = 0; i < name_count; i++) {
        if (memory_value(a, i) == memory_value(b, i) || names[i].kind == MEMORY_NOTE)
            continue;
        snprintf(why, room, "%s %s is %" PRId64 " and %" PRId64, names[i].key, names[i].field,
                 memory_value(a, i), memory_value(b, i));
        return false;
    }
    return true;
}

struct store_position *memory_position(const struct memory *m, int topic, int32_t partition)
{
    for (size_t i = 0; i < m->position_count; i++)
        if (m->positions[i].topic == topic && m->positions[i].partition == partition)
            return &m->positions[i];
    return NULL;
}

/* ---- the script ---- */

static bool expected(const struct memory *m, const struct batch *batch)
{
    for (size_t i = 0; i < batch->move_count; i++) {
        const struct batch_move *move = &batch->moves[i];
        const struct store_position *at = memory_position(m, move->topic, move->partition);
        if (!at || at->at.offset != move->from.offset || at->at.epoch != move->from.epoch)
            return false;
    }
    return true;
}

/* What one call decides before it adds. */
struct decision {
    char set[128], value[80];
    char name[160];     /* the scope it counts under */
    const char *member; /* that scope's value */
    bool admitted;
};

struct call {
    struct decision *decisions;
    size_t count;
    const char **scopes; /* of each group */
    char (*texts)[160];  /* scopes of groups without a dimension */
    size_t *cells;       /* the name of each cell, as far as added */
    size_t done;
};

static const struct decision *decide(struct memory *m, struct call *call,
                                     const struct batch_group *group, int64_t limit)
{
    struct decision *d = &call->decisions[call->count];
    snprintf(d->set, sizeof d->set, "%sscope:%.*s", m->prefix, TEXT_ARG(group->dimension));
    snprintf(d->value, sizeof d->value, "%.*s", TEXT_ARG(group->value));
    int64_t size = memory_get(m, MEMORY_SIZE, d->set, "") - memory_has(m, d->set, "__other__");
    for (size_t i = 0; i < call->count; i++) {
        if (strcmp(call->decisions[i].set, d->set) != 0)
            continue;
        if (strcmp(call->decisions[i].value, d->value) == 0)
            return &call->decisions[i];
        size += call->decisions[i].admitted;
    }
    bool known = memory_has(m, d->set, d->value), other = strcmp(d->value, "__other__") == 0;
    d->admitted = !known && !other && size < limit;
    d->member = known || other || d->admitted ? d->value : "__other__";
    snprintf(d->name, sizeof d->name, "%.*s=%s", TEXT_ARG(group->dimension), d->member);
    call->count++;
    return d;
}

static bool key_broken(const struct memory *m, const char *name)
{
    size_t len = strlen(m->prefix);
    return m->broken_key[0] && strncmp(m->broken_key, m->prefix, len) == 0 &&
           strcmp(m->broken_key + len, name) == 0;
}

/* False when something that is read before the first addition is of a wrong type. */
static bool decide_all(struct memory *m, struct call *call, const struct batch *batch,
                       int64_t limit, char *failed)
{
    bool broken =
        key_broken(m, "currency") || key_broken(m, "dirty") || key_broken(m, "names");
    for (size_t g = 0; g < batch->group_count; g++) {
        const struct batch_group *group = &batch->groups[g];
        if (!group->dimension.len) {
            snprintf(call->texts[g], sizeof call->texts[g], "%.*s", TEXT_ARG(group->value));
            call->scopes[g] = call->texts[g];
            continue;
        }
        const struct decision *d = decide(m, call, group, limit);
        call->scopes[g] = d->name;
        broken = broken || (m->broken_key[0] && strcmp(d->set, m->broken_key) == 0);
    }
    if (broken)
        snprintf(failed, 128, "%.127s", m->broken_key);
    return !broken;
}

/* False when an addition fails; call->done were made then. */
static bool add_all(struct memory *m, struct call *call, const struct batch *batch, char *failed)
{
    char key[300], field[128];
    for (size_t g = 0; g < batch->group_count; g++) {
        const struct batch_group *group = &batch->groups[g];
        snprintf(key, sizeof key, "%.*s%s", TEXT_ARG(group->head), call->scopes[g]);
        bool broken = m->broken_key[0] && strcmp(key, m->broken_key) == 0;
        for (size_t i = group->first; i < group->first + group->count; i++) {
            snprintf(field, sizeof field, "%.*s", TEXT_ARG(batch->cells[i].field));
            size_t name = name_of(MEMORY_CELL, key, field);
            int64_t *value = slot(m, name), sum;
            if (broken || __builtin_add_overflow(*value, batch->cells[i].delta, &sum)) {
                snprintf(failed, 128, "%.127s", key);
                return false;
            }
            *value = sum;
            call->cells[call->done++] = name;
        }
    }
    return true;
}

static void take_back(struct memory *m, const struct call *call, const struct batch *batch)
{
    for (size_t i = call->done; i > 0; i--)
        m->values[call->cells[i - 1]] -= batch->cells[i - 1].delta;
}

/* What only a shard of the ledger is given. */
static void finish_ledger(struct memory *m, const struct batch *batch)
{
    for (size_t i = 0; i < batch->name_count; i++)
        memory_put_number(m, batch->names[i].name, batch->names[i].number);
    if (batch->name_count)
        m->ledger = batch->mark;
    for (size_t i = 0; i < batch->state_count; i++)
        memory_put_state(m, batch->states[i].partition, batch->states[i].customer,
                         batch->states[i].state);
}

static void finish(struct memory *m, const struct call *call, const struct batch *batch)
{
    char key[300], field[300];
    for (size_t i = 0; i < call->count; i++)
        join(m, call->decisions[i].set, call->decisions[i].member);
    snprintf(key, sizeof key, "%scurrency", m->prefix);
    for (size_t i = 0; i < batch->currency_count; i++)
        join(m, key, batch->currencies[i]);
    for (size_t g = 0; g < batch->group_count; g++) {
        const struct batch_group *group = &batch->groups[g];
        snprintf(field, sizeof field, "%.*s%s", TEXT_ARG(group->dirty), call->scopes[g]);
        snprintf(key, sizeof key, "%sdirty", m->prefix);
        if (group->dirty.len)
            set(m, MEMORY_MARK, key, field, (int64_t)batch->mark);
        snprintf(key, sizeof key, "%.*s%s", TEXT_ARG(group->head), call->scopes[g]);
        if (group->expire_s)
            set(m, MEMORY_EXPIRY, key, "", group->expire_s);
        m->counted = m->counted || m->shard || strstr(key, ":day:");
    }
    finish_ledger(m, batch);
    for (size_t i = 0; i < batch->move_count; i++)
        memory_position(m, batch->moves[i].topic, batch->moves[i].partition)->at =
            batch->moves[i].to;
}

enum store_answer memory_apply(struct memory *m, const struct batch *batch, const char *token,
                               int32_t floor, int64_t scope_limit, char *failed)
{
    char date[11] = "";
    struct call call = {0};
    if (!m->exists || strcmp(m->token, token) != 0)
        return STORE_FOREIGN;
    if (floor != STORE_NO_FLOOR)
        calendar_format_date(floor, date);
    if (strcmp(date, m->floor) != 0 || !expected(m, batch) || m->ledger != batch->ledger)
        return STORE_MOVED;
    call.decisions = must(calloc(batch->group_count + 1, sizeof *call.decisions));
    call.scopes = must(calloc(batch->group_count + 1, sizeof *call.scopes));
    call.texts = must(calloc(batch->group_count + 1, sizeof *call.texts));
    call.cells = must(calloc(batch->cell_count + 1, sizeof *call.cells));
    enum store_answer answer = STORE_BROKEN;
    if (decide_all(m, &call, batch, scope_limit, failed)) {
        if (add_all(m, &call, batch, failed)) {
            finish(m, &call, batch);
            answer = STORE_DONE;
        } else {
            take_back(m, &call, batch);
        }
    }
    free(call.decisions);
    free(call.scopes);
    free(call.texts);
    free(call.cells);
    return answer;
}

enum store_answer memory_make(struct memory *m, const char *token, const char *definition,
                              const struct store_plan *plan)
{
    if (m->exists)
        return STORE_MOVED;
    m->exists = true;
    m->others = !m->shard;
    snprintf(m->token, sizeof m->token, "%s", token);
    snprintf(m->definition, sizeof m->definition, "%s", definition);
    memcpy(m->topics, plan->topics, sizeof m->topics);
    m->topic_count = plan->topic_count;
    free(m->positions);
    m->positions = copy_of(plan->positions, plan->position_count * sizeof *m->positions);
    m->position_count = plan->position_count;
    return STORE_DONE;
}

/* ---- what operators do ---- */

static const struct store_position *position_in(const struct store_state *state, int topic,
                                                int32_t partition)
{
    for (size_t i = 0; i < state->position_count; i++)
        if (state->positions[i].topic == topic && state->positions[i].partition == partition)
            return &state->positions[i];
    return NULL;
}

static bool ids_are(const struct store_topic *topic, const struct store_topic *known)
{
    return strcmp(topic->id, known->id) == 0 && strcmp(topic->cluster, known->cluster) == 0;
}

enum store_answer memory_accept(struct memory *m, const struct store_state *state, int topic,
                                const struct store_topic *now,
                                const struct store_position *positions, size_t count)
{
    if (!m->exists || strcmp(m->token, state->token) != 0 ||
        (now && !ids_are(&m->topics[topic], &state->topics[topic])))
        return STORE_MOVED;
    for (size_t i = 0; i < count; i++) {
        const struct store_position *is = memory_position(m, topic, positions[i].partition);
        const struct store_position *was = position_in(state, topic, positions[i].partition);
        if (!is || !was || is->at.offset != was->at.offset || is->at.epoch != was->at.epoch ||
            is->begin != was->begin)
            return STORE_MOVED;
    }
    for (size_t i = 0; i < count; i++)
        *memory_position(m, topic, positions[i].partition) = positions[i];
    if (now) {
        struct store_topic *known = &m->topics[topic];
        snprintf(known->id, sizeof known->id, "%s", now->id);
        snprintf(known->cluster, sizeof known->cluster, "%s", now->cluster);
    }
    return STORE_DONE;
}

void memory_fence(struct memory *m, bool close)
{
    size_t len = strlen(m->token), mark = strlen(STORE_SWITCHING);
    if (!m->exists || close == memory_fenced(m))
        return;
    if (close)
        snprintf(m->token + len, sizeof m->token - len, "%s", STORE_SWITCHING);
    else
        m->token[len - mark] = 0;
}

bool memory_fenced(const struct memory *m)
{
    size_t len = strlen(m->token), mark = strlen(STORE_SWITCHING);
    return m->exists && len > mark && strcmp(m->token + len - mark, STORE_SWITCHING) == 0;
}

/* What a recount writes: it begins with nothing but the values that were admitted. */
void memory_forget_counters(struct memory *m, const char *kept_set)
{
    for (size_t i = 0; i < name_count && i < m->room; i++) {
        bool kept = names[i].kind == MEMORY_NOTE || names[i].kind == MEMORY_MARK ||
                    names[i].kind == MEMORY_TOMB;
        if (names[i].kind == MEMORY_MEMBER || names[i].kind == MEMORY_SIZE)
            kept = strcmp(names[i].key, kept_set) == 0;
        if (!kept)
            m->values[i] = 0;
    }
}

void memory_put(struct memory *m, const char *key, const char *field, int64_t value)
{
    set(m, MEMORY_CELL, key, field, value);
    m->counted = m->counted || m->shard || strstr(key, ":day:");
}

void memory_mark(struct memory *m, const char *field, int64_t mark)
{
    char key[80];
    snprintf(key, sizeof key, "%sdirty", m->prefix);
    set(m, MEMORY_MARK, key, field, mark);
}

void memory_join(struct memory *m, const char *key, const char *member)
{
    join(m, key, member);
}

/* "...:day:2026-11-23:all", "...:hour:2026-11-23T11:all": is it before the date? */
static bool before(const char *key, const char *date)
{
    const char *at = strstr(key, ":day:");
    if (!at)
        at = strstr(key, ":hour:");
    return at && strncmp(strchr(at + 1, ':') + 1, date, 10) < 0;
}

void memory_trim(struct memory *m, int32_t floor)
{
    char date[11];
    calendar_format_date(floor, date);
    if (m->trim_count == MEMORY_TRIMS || strcmp(date, m->floor) <= 0)
        return;
    snprintf(m->floor, sizeof m->floor, "%s", date);
    struct memory_trim *trim = &m->trims[m->trim_count++];
    *trim = (struct memory_trim){.floor = floor};
    for (size_t i = 0; i < m->position_count; i++)
        trim->at[m->positions[i].partition] = m->positions[i].at.offset;
    for (size_t i = 0; i < name_count && i < m->room; i++)
        if (names[i].kind == MEMORY_CELL && before(names[i].key, date))
            m->values[i] = 0;
}

void memory_note(struct memory *m, const char *field)
{
    char key[80];
    snprintf(key, sizeof key, "%sgap", m->prefix);
    ++*slot(m, name_of(MEMORY_NOTE, key, field));
}

/* ---- the ledger ---- */

enum { KEY_ROOM = 200 };

static const char *state_key(const struct memory *m, int32_t partition, struct text customer,
                             char out[KEY_ROOM])
{
    snprintf(out, KEY_ROOM, "%sc:%" PRId32 ":%.*s", m->prefix, partition, TEXT_ARG(customer));
    return out;
}

struct text memory_state(const struct memory *m, int32_t partition, struct text customer)
{
    char key[KEY_ROOM];
    return blob_text(memory_get(m, MEMORY_STATE, state_key(m, partition, customer, key), ""));
}

void memory_put_state(struct memory *m, int32_t partition, struct text customer, struct text state)
{
    char key[KEY_ROOM];
    set(m, MEMORY_STATE, state_key(m, partition, customer, key), "", blob_of(state));
}

void memory_put_number(struct memory *m, struct text name, uint32_t number)
{
    char key[80], field[160];
    snprintf(key, sizeof key, "%snames", m->prefix);
    snprintf(field, sizeof field, "%.*s", TEXT_ARG(name));
    set(m, MEMORY_NUMBER, key, field, number);
}

static bool holds(const struct memory *m, enum memory_kind kind)
{
    for (size_t i = 0; i < name_count && i < m->room; i++)
        if (names[i].kind == kind && m->values[i])
            return true;
    return false;
}

bool memory_orphans(const struct memory *m)
{
    return m->counted || (m->shard && holds(m, MEMORY_STATE));
}

bool memory_forgot_somebody(const struct memory *m)
{
    return holds(m, MEMORY_TOMB);
}

/* The name of a customer's mark. */
static size_t tomb_of(const struct memory *m, int32_t partition, struct text customer)
{
    char key[80], field[64];
    XXH128_hash_t hash = XXH3_128bits(customer.at, customer.len);
    snprintf(key, sizeof key, "%sforgotten", m->prefix);
    snprintf(field, sizeof field, "%" PRId32 ":%016" PRIx64 "%016" PRIx64, partition, hash.high64,
             hash.low64);
    return name_of(MEMORY_TOMB, key, field);
}

bool memory_tomb(const struct memory *m, int32_t partition, struct text customer,
                 int64_t offsets[SIDES])
{
    char text[64];
    struct text mark = blob_text(memory_value(m, tomb_of(m, partition, customer)));
    snprintf(text, sizeof text, "%.*s", TEXT_ARG(mark));
    return sscanf(text, "%" SCNd64 ":%" SCNd64, &offsets[SIDE_SALE], &offsets[SIDE_SERVICE]) == 2;
}

const char *memory_forget(struct memory *m, const char *token, int32_t partition,
                          struct text customer, uint64_t fresh)
{
    char mark[64];
    const struct store_position *sales = memory_position(m, SIDE_SALE, partition);
    const struct store_position *service = memory_position(m, SIDE_SERVICE, partition);
    if (!m->exists || strcmp(m->token, token) != 0)
        return "foreign";
    if (!sales || !service)
        return "damaged";
    int64_t *tomb = slot(m, tomb_of(m, partition, customer));
    bool again = *tomb != 0, held = memory_state(m, partition, customer).len > 0;
    snprintf(mark, sizeof mark, "%" PRId64 ":%" PRId64, sales->at.offset, service->at.offset);
    if (!again)
        *tomb = blob_of(text_of(mark));
    memory_put_state(m, partition, customer, text_of(""));
    if (!again || held)
        m->ledger = fresh;
    return again ? "again" : "done";
}

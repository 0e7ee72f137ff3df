#include "memory.h"

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

struct memory *memory_new(void)
{
    return must(calloc(1, sizeof(struct memory)));
}

static void clear_members(struct memory_member *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(list[i].set);
        free(list[i].member);
    }
}

void memory_clear(struct memory *m)
{
    for (size_t i = 0; i < m->cell_count; i++) {
        free(m->cells[i].key);
        free(m->cells[i].field);
    }
    clear_members(m->members, m->member_count);
    clear_members(m->marks, m->mark_count);
    free(m->cells);
    free(m->members);
    free(m->marks);
    free(m->positions);
    *m = (struct memory){0};
}

void memory_free(struct memory *m)
{
    if (!m)
        return;
    memory_clear(m);
    free(m);
}

static void add_member(struct memory_member **list, size_t *count, size_t *room, const char *set,
                       const char *member)
{
    if (*count == *room) {
        *room = *room ? *room * 2 : 16;
        *list = must(realloc(*list, *room * sizeof **list));
    }
    (*list)[(*count)++] = (struct memory_member){must(strdup(set)), must(strdup(member))};
}

static uint64_t hash_of(const char *key, const char *field)
{
    return XXH3_64bits_withSeed(key, strlen(key), XXH3_64bits(field, strlen(field)));
}

static struct memory_cell *cell(struct memory *m, const char *key, const char *field)
{
    uint64_t hash = hash_of(key, field);
    for (size_t i = 0; i < m->cell_count; i++)
        if (m->cells[i].hash == hash)
            return &m->cells[i];
    if (m->cell_count == m->cell_room) {
        m->cell_room = m->cell_room ? m->cell_room * 2 : 64;
        m->cells = must(realloc(m->cells, m->cell_room * sizeof *m->cells));
    }
    m->cells[m->cell_count] = (struct memory_cell){hash, must(strdup(key)), must(strdup(field)), 0};
    return &m->cells[m->cell_count++];
}

struct memory *memory_copy(const struct memory *from)
{
    struct memory *m = memory_new();
    *m = *from;
    m->cells = NULL;
    m->members = m->marks = NULL;
    m->cell_count = m->cell_room = m->member_count = m->member_room = m->mark_count =
        m->mark_room = 0;
    for (size_t i = 0; i < from->cell_count; i++)
        cell(m, from->cells[i].key, from->cells[i].field)->value = from->cells[i].value;
    for (size_t i = 0; i < from->member_count; i++)
        add_member(&m->members, &m->member_count, &m->member_room, from->members[i].set,
                   from->members[i].member);
    for (size_t i = 0; i < from->mark_count; i++)
        add_member(&m->marks, &m->mark_count, &m->mark_room, from->marks[i].set,
                   from->marks[i].member);
    m->positions = must(malloc((from->position_count + 1) * sizeof *m->positions));
    if (from->position_count)
        memcpy(m->positions, from->positions, from->position_count * sizeof *m->positions);
    return m;
}

int64_t memory_get(const struct memory *m, const char *key, const char *field)
{
    uint64_t hash = hash_of(key, field);
    for (size_t i = 0; i < m->cell_count; i++)
        if (m->cells[i].hash == hash)
            return m->cells[i].value;
    return 0;
}

bool memory_has(const struct memory *m, const char *set, const char *member)
{
    for (size_t i = 0; i < m->member_count; i++)
        if (strcmp(m->members[i].set, set) == 0 && strcmp(m->members[i].member, member) == 0)
            return true;
    return false;
}

int memory_size(const struct memory *m, const char *set)
{
    int size = 0;
    for (size_t i = 0; i < m->member_count; i++)
        size += strcmp(m->members[i].set, set) == 0;
    return size;
}

struct store_position *memory_position(const struct memory *m, int topic, int32_t partition)
{
    for (size_t i = 0; i < m->position_count; i++)
        if (m->positions[i].topic == topic && m->positions[i].partition == partition)
            return &m->positions[i];
    return NULL;
}

static void join(struct memory *m, const char *set, const char *member)
{
    if (!memory_has(m, set, member))
        add_member(&m->members, &m->member_count, &m->member_room, set, member);
}

static void mark(struct memory *m, const char *field, const char *value)
{
    for (size_t i = 0; i < m->mark_count; i++) {
        if (strcmp(m->marks[i].set, field) == 0) {
            free(m->marks[i].member);
            m->marks[i].member = must(strdup(value));
            return;
        }
    }
    add_member(&m->marks, &m->mark_count, &m->mark_room, field, value);
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

struct decided {
    char set[96], value[80], scope[200];
    bool admitted;
};

/* The prefix of the business: a head without what follows its closing brace and colon. */
static void prefix_of(const struct batch_group *group, char *out, size_t room)
{
    const char *end = memchr(group->head.at, '}', group->head.len);
    snprintf(out, room, "%.*s:", end ? (int)(end + 1 - group->head.at) : 0, group->head.at);
}

static int other_count(const struct memory *m, const char *set)
{
    return memory_has(m, set, "__other__") ? 1 : 0;
}

static const char *decide(struct memory *m, const struct batch_group *group, int64_t limit,
                          struct decided *list, size_t *count)
{
    char prefix[80], set[96], value[80];
    prefix_of(group, prefix, sizeof prefix);
    snprintf(set, sizeof set, "%sscope:%.*s", prefix, TEXT_ARG(group->dimension));
    snprintf(value, sizeof value, "%.*s", TEXT_ARG(group->value));
    int size = memory_size(m, set) - other_count(m, set);
    for (size_t i = 0; i < *count; i++) {
        if (strcmp(list[i].set, set) != 0)
            continue;
        if (strcmp(list[i].value, value) == 0)
            return list[i].scope;
        size += list[i].admitted;
    }
    struct decided *d = &list[(*count)++];
    bool known = memory_has(m, set, value), other = strcmp(value, "__other__") == 0;
    *d = (struct decided){0};
    snprintf(d->set, sizeof d->set, "%s", set);
    snprintf(d->value, sizeof d->value, "%s", value);
    d->admitted = !known && !other && size < limit;
    snprintf(d->scope, sizeof d->scope, "%.*s=%s", TEXT_ARG(group->dimension),
             known || other || d->admitted ? value : "__other__");
    return d->scope;
}

static void finish(struct memory *m, const struct batch *batch, const struct decided *list,
                   size_t count, char (*scopes)[200])
{
    char set[96], field[300], text[20], prefix[80];
    for (size_t i = 0; i < count; i++) {
        const char *name = strchr(list[i].scope, '=') + 1;
        join(m, list[i].set, name);
    }
    if (batch->group_count)
        prefix_of(&batch->groups[0], prefix, sizeof prefix);
    for (size_t i = 0; i < batch->currency_count; i++) {
        snprintf(set, sizeof set, "%scurrency", prefix);
        join(m, set, batch->currencies[i]);
    }
    snprintf(text, sizeof text, "%016" PRIx64, batch->mark);
    for (size_t g = 0; g < batch->group_count; g++) {
        if (!batch->groups[g].dirty.len)
            continue;
        snprintf(field, sizeof field, "%.*s%s", TEXT_ARG(batch->groups[g].dirty), scopes[g]);
        mark(m, field, text);
    }
    for (size_t i = 0; i < batch->move_count; i++)
        memory_position(m, batch->moves[i].topic, batch->moves[i].partition)->at =
            batch->moves[i].to;
}

enum store_answer memory_apply(struct memory *m, const struct batch *batch, const char *token,
                               int32_t floor, int64_t scope_limit, char *failed)
{
    char date[11] = "", key[300], field[64];
    if (!m->exists || strcmp(m->token, token) != 0)
        return STORE_FOREIGN;
    if (floor != STORE_NO_FLOOR)
        calendar_format_date(floor, date);
    if (strcmp(date, m->floor) != 0 || !expected(m, batch))
        return STORE_MOVED;
    char(*scopes)[200] = must(calloc(batch->group_count + 1, sizeof *scopes));
    struct decided *list = must(calloc(batch->group_count + 1, sizeof *list));
    size_t decided = 0, done = 0;
    enum store_answer answer = STORE_DONE;
    for (size_t g = 0; g < batch->group_count; g++)
        snprintf(scopes[g], sizeof scopes[g], "%s",
                 batch->groups[g].dimension.len
                     ? decide(m, &batch->groups[g], scope_limit, list, &decided)
                     : (char[]){0});
    for (size_t g = 0; g < batch->group_count; g++)
        if (!batch->groups[g].dimension.len)
            snprintf(scopes[g], sizeof scopes[g], "%.*s", TEXT_ARG(batch->groups[g].value));
    struct memory_cell **added = must(calloc(batch->cell_count + 1, sizeof *added));
    for (size_t g = 0; g < batch->group_count && answer == STORE_DONE; g++) {
        const struct batch_group *group = &batch->groups[g];
        snprintf(key, sizeof key, "%.*s%s", TEXT_ARG(group->head), scopes[g]);
        for (size_t i = group->first; i < group->first + group->count; i++) {
            int64_t sum;
            snprintf(field, sizeof field, "%.*s", TEXT_ARG(batch->cells[i].field));
            if (strcmp(key, m->broken_key) == 0 ||
                __builtin_add_overflow(cell(m, key, field)->value, batch->cells[i].delta, &sum)) {
                answer = STORE_BROKEN;
                snprintf(failed, 128, "%.127s", key);
                break;
            }
            cell(m, key, field)->value = sum;
            done++;
        }
    }
    /* Take back: the additions are walked again in their order. */
    for (size_t g = 0, n = 0; g < batch->group_count && answer != STORE_DONE; g++) {
        const struct batch_group *group = &batch->groups[g];
        snprintf(key, sizeof key, "%.*s%s", TEXT_ARG(group->head), scopes[g]);
        for (size_t i = group->first; i < group->first + group->count && n < done; i++, n++) {
            snprintf(field, sizeof field, "%.*s", TEXT_ARG(batch->cells[i].field));
            cell(m, key, field)->value -= batch->cells[i].delta;
        }
    }
    if (answer == STORE_DONE)
        finish(m, batch, list, decided, scopes);
    free(added);
    free(scopes);
    free(list);
    return answer;
}

enum store_answer memory_make(struct memory *m, const char *token, const char *definition,
                              const struct store_plan *plan)
{
    if (m->exists)
        return STORE_MOVED;
    m->exists = true;
    snprintf(m->token, sizeof m->token, "%s", token);
    snprintf(m->definition, sizeof m->definition, "%s", definition);
    m->topic = plan->topics[0];
    m->positions = must(realloc(m->positions, (plan->position_count + 1) * sizeof *m->positions));
    memcpy(m->positions, plan->positions, plan->position_count * sizeof *m->positions);
    m->position_count = plan->position_count;
    return STORE_DONE;
}

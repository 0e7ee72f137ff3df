#include "consumers/reporter/agenda.h"

#include "consumers/reporter/dirty.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    char *scope;
    unsigned errands;
    int misses;
};

struct agenda {
    struct entry *list; /* sorted, `all` first */
    size_t count, room;
};

int agenda_open(struct agenda **out, struct error *err)
{
    *out = calloc(1, sizeof **out);
    return *out ? 0 : error_memory(err);
}

void agenda_free(struct agenda *agenda)
{
    if (!agenda) {
        return;
    }
    for (size_t i = 0; i < agenda->count; i++) {
        free(agenda->list[i].scope);
    }
    free(agenda->list);
    free(agenda);
}

static size_t place(const struct agenda *agenda, const char *scope)
{
    size_t low = 0, high = agenda->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (dirty_compare_scopes(agenda->list[middle].scope, scope) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct entry *find(const struct agenda *agenda, const char *scope)
{
    size_t at = place(agenda, scope);
    bool there = at < agenda->count && strcmp(agenda->list[at].scope, scope) == 0;
    return there ? &agenda->list[at] : NULL;
}

static struct entry *find_or_add(struct agenda *agenda, const char *scope)
{
    struct entry *there = find(agenda, scope);
    if (there) {
        return there;
    }
    if (agenda->count == agenda->room) {
        size_t room = agenda->room ? agenda->room * 2 : 64;
        struct entry *list = realloc(agenda->list, room * sizeof *list);
        if (!list) {
            return NULL;
        }
        agenda->list = list;
        agenda->room = room;
    }
    char *copy = strdup(scope);
    if (!copy) {
        return NULL;
    }
    size_t at = place(agenda, scope);
    memmove(agenda->list + at + 1, agenda->list + at, (agenda->count - at) * sizeof *agenda->list);
    agenda->list[at] = (struct entry){.scope = copy};
    agenda->count++;
    return &agenda->list[at];
}

int agenda_add(struct agenda *agenda, const char *scope, unsigned errands, struct error *err)
{
    struct entry *entry = find_or_add(agenda, scope);
    if (!entry) {
        return error_memory(err);
    }
    entry->errands |= errands;
    return 0;
}

void agenda_done(struct agenda *agenda, const char *scope, unsigned errands)
{
    struct entry *entry = find(agenda, scope);
    if (entry) {
        entry->errands &= ~errands;
    }
}

unsigned agenda_of(const struct agenda *agenda, const char *scope)
{
    const struct entry *entry = find(agenda, scope);
    return entry ? entry->errands : 0;
}

bool agenda_left(const struct agenda *agenda, unsigned errands)
{
    for (size_t i = 0; i < agenda->count; i++) {
        if (agenda->list[i].errands & errands) {
            return true;
        }
    }
    return false;
}

const char *agenda_first(const struct agenda *agenda)
{
    for (size_t i = 0; i < agenda->count; i++) {
        if (agenda->list[i].errands) {
            return agenda->list[i].scope;
        }
    }
    return NULL;
}

int agenda_missed(struct agenda *agenda, const char *scope, struct error *err)
{
    struct entry *entry = find_or_add(agenda, scope);
    if (!entry) {
        return error_memory(err);
    }
    entry->misses++;
    return 0;
}

int agenda_misses(const struct agenda *agenda, const char *scope)
{
    const struct entry *entry = find(agenda, scope);
    return entry ? entry->misses : 0;
}

void agenda_met(struct agenda *agenda, const char *scope)
{
    struct entry *entry = find(agenda, scope);
    if (entry) {
        entry->misses = 0;
    }
}

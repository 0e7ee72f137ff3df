#include "consumers/recount/audit_scopes.h"

#include <stdlib.h>
#include <xxhash.h>

/* A set of texts: open addressing, at most half full. */
struct admitted {
    struct text *slots;
    size_t room, count;
    bool other; /* __other__ is a member; it takes no place of the limit */
};

static struct text *slot_of(const struct admitted *set, struct text value)
{
    size_t i = (size_t)XXH3_64bits(value.at, value.len) & (set->room - 1);
    while (set->slots[i].at && !text_equal(set->slots[i], value))
        i = (i + 1) & (set->room - 1);
    return &set->slots[i];
}

static int reserve(struct admitted *set)
{
    struct admitted bigger = {
        .room = set->room ? set->room * 2 : 64, .count = set->count, .other = set->other};
    if (set->room && 2 * (set->count + 1) <= set->room)
        return 0;
    bigger.slots = calloc(bigger.room, sizeof *bigger.slots);
    if (!bigger.slots)
        return -1;
    for (size_t i = 0; i < set->room; i++)
        if (set->slots[i].at)
            *slot_of(&bigger, set->slots[i]) = set->slots[i];
    free(set->slots);
    *set = bigger;
    return 0;
}

int admissions_open(struct admissions *out, const char *scopes, int64_t limit, struct error *err)
{
    *out = (struct admissions){.limit = limit};
    while (*scopes && out->count < SCOPE_DIMENSIONS_MAX) {
        size_t len = strcspn(scopes, ", ");
        if (len == 0) {
            scopes++;
            continue;
        }
        struct admitted *set = calloc(1, sizeof *set);
        char *name = strndup(scopes, len);
        out->list[out->count] = set;
        out->names[out->count++] = name;
        if (!set || !name || reserve(set) != 0) {
            admissions_clear(out);
            return error_memory(err);
        }
        scopes += len;
    }
    return 0;
}

void admissions_clear(struct admissions *admissions)
{
    for (int d = 0; d < admissions->count; d++) {
        if (admissions->list[d]) {
            admissions_empty(admissions, d);
            free(admissions->list[d]->slots);
        }
        free(admissions->list[d]);
        free(admissions->names[d]);
    }
    *admissions = (struct admissions){0};
}

void admissions_empty(struct admissions *admissions, int dimension)
{
    struct admitted *set = admissions->list[dimension];
    for (size_t i = 0; i < set->room; i++) {
        free((char *)(uintptr_t)set->slots[i].at);
        set->slots[i].at = NULL;
    }
    set->count = 0;
    set->other = false;
}

int admissions_add(struct admissions *admissions, int dimension, struct text value,
                   struct error *err)
{
    struct admitted *set = admissions->list[dimension];
    if (text_is(value, SCOPE_OTHER)) {
        set->other = true;
        return 0;
    }
    if (reserve(set) != 0)
        return error_memory(err);
    struct text *slot = slot_of(set, value);
    if (slot->at)
        return 0;
    char *copy = strndup(value.at, value.len);
    if (!copy)
        return error_memory(err);
    *slot = (struct text){copy, value.len};
    set->count++;
    return 0;
}

size_t admissions_size(const struct admissions *admissions, int dimension)
{
    const struct admitted *set = admissions->list[dimension];
    return set->count + set->other;
}

bool admissions_has(const struct admissions *admissions, int dimension, struct text value)
{
    const struct admitted *set = admissions->list[dimension];
    return text_is(value, SCOPE_OTHER) ? set->other : slot_of(set, value)->at != NULL;
}

int admissions_dimension(const struct admissions *admissions, const char *name)
{
    for (int d = 0; d < admissions->count; d++)
        if (strcmp(admissions->names[d], name) == 0)
            return d;
    return -1;
}

struct text admissions_name(const struct admissions *admissions, const struct scopes *scopes,
                            uint32_t scope)
{
    struct text value = scope_value(scopes, scope);
    int d = admissions_dimension(admissions, scope_dimension(scopes, scope));
    if (d < 0 || admissions_has(admissions, d, value))
        return value;
    bool room = (int64_t)admissions->list[d]->count < admissions->limit;
    return room && !text_is(value, SCOPE_OTHER) ? value : text_of(SCOPE_OTHER);
}

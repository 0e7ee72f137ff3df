#include "consumers/reporter/scopemap.h"

#include "common/scope.h"
#include "consumers/reporter/key.h"

#include <stdio.h>
#include <stdlib.h>

struct entry {
    char *name;  /* "region=north" */
    char *other; /* "region=__other__" */
    uint64_t shards;
    bool is_new, member, admitted; /* of the last scopemap_admit(), of the sets being read */
};

struct dimension {
    char name[KEY_SCOPE_MAX];
};

struct scopemap {
    struct entry *list; /* the first `sorted` by name, then what was added since */
    size_t count, room, sorted;
    struct dimension *dimensions;
    size_t dimension_count;
};

int scopemap_open(struct scopemap **out, struct error *err)
{
    *out = calloc(1, sizeof **out);
    return *out ? 0 : error_memory(err);
}

void scopemap_clear(struct scopemap *map)
{
    for (size_t i = 0; i < map->count; i++) {
        free(map->list[i].name);
        free(map->list[i].other);
    }
    map->count = map->sorted = 0;
    map->dimension_count = 0;
}

void scopemap_free(struct scopemap *map)
{
    if (map) {
        scopemap_clear(map);
        free(map->list);
        free(map->dimensions);
        free(map);
    }
}

static int compare(const char *name, struct text text)
{
    size_t len = strlen(name), shared = len < text.len ? len : text.len;
    int order = memcmp(name, text.at, shared);
    return order ? order : (len > text.len) - (len < text.len);
}

/* Where a scope stands, or where it would. */
static size_t place(const struct scopemap *map, struct text scope, bool *found)
{
    size_t low = 0, high = map->sorted;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare(map->list[middle].name, scope) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *found = low < map->sorted && compare(map->list[low].name, scope) == 0;
    return low;
}

static int add_dimension(struct scopemap *map, struct text name, struct error *err)
{
    for (size_t i = 0; i < map->dimension_count; i++) {
        if (text_is(name, map->dimensions[i].name)) {
            return 0;
        }
    }
    struct dimension *list =
        realloc(map->dimensions, (map->dimension_count + 1) * sizeof *map->dimensions);
    if (!list) {
        return error_memory(err);
    }
    map->dimensions = list;
    snprintf(list[map->dimension_count++].name, sizeof list->name, "%.*s", TEXT_ARG(name));
    return 0;
}

static struct text dimension_of(struct text scope)
{
    const char *equals = memchr(scope.at, '=', scope.len);
    return (struct text){scope.at, equals ? (size_t)(equals - scope.at) : 0};
}

static int append(struct scopemap *map, struct text scope, int shard, struct error *err)
{
    if (map->count == map->room) {
        size_t room = map->room ? map->room * 2 : 256;
        struct entry *list = realloc(map->list, room * sizeof *list);
        if (!list) {
            return error_memory(err);
        }
        map->list = list;
        map->room = room;
    }
    struct text dimension = dimension_of(scope);
    struct entry entry = {.shards = UINT64_C(1) << shard, .is_new = true};
    entry.name = strndup(scope.at, scope.len);
    if (!entry.name || asprintf(&entry.other, "%.*s=%s", TEXT_ARG(dimension), SCOPE_OTHER) < 0) {
        free(entry.name);
        return error_memory(err);
    }
    map->list[map->count++] = entry;
    return add_dimension(map, dimension, err);
}

int scopemap_add(struct scopemap *map, struct text scope, int shard, struct error *err)
{
    bool found;
    if (!key_scope_valid(scope) || text_is(scope, "all")) {
        return 0;
    }
    size_t at = place(map, scope, &found);
    if (!found) {
        return append(map, scope, shard, err);
    }
    map->list[at].shards |= UINT64_C(1) << shard;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

void scopemap_sort(struct scopemap *map)
{
    if (map->sorted == map->count) {
        return;
    }
    qsort(map->list, map->count, sizeof *map->list, by_name);
    size_t kept = 1;
    for (size_t i = 1; i < map->count; i++) {
        struct entry *last = &map->list[kept - 1], *entry = &map->list[i];
        if (by_name(last, entry) != 0) {
            map->list[kept++] = *entry;
            continue;
        }
        last->shards |= entry->shards; /* both are new: what is sorted is found when added */
        free(entry->name);
        free(entry->other);
    }
    map->count = map->sorted = kept;
}

const char *scopemap_dimension(const struct scopemap *map, const char *last)
{
    size_t next = 0;
    while (last && next < map->dimension_count && map->dimensions[next++].name != last) {
    }
    return next < map->dimension_count ? map->dimensions[next].name : NULL;
}

void scopemap_member(struct scopemap *map, const char *dimension, struct text value)
{
    char scope[2 * KEY_SCOPE_MAX];
    bool found;
    if (value.len >= KEY_SCOPE_MAX || (value.len >= 2 && memcmp(value.at, "__", 2) == 0)) {
        return;
    }
    int len = snprintf(scope, sizeof scope, "%s=%.*s", dimension, TEXT_ARG(value));
    size_t at = place(map, (struct text){scope, (size_t)len}, &found);
    if (found) {
        map->list[at].member = true;
    }
}

bool scopemap_admit(struct scopemap *map)
{
    bool moved = false;
    for (size_t i = 0; i < map->count; i++) {
        struct entry *entry = &map->list[i];
        moved = moved || (!entry->is_new && entry->admitted != entry->member);
        entry->admitted = entry->member;
        entry->member = entry->is_new = false;
    }
    return moved;
}

static bool is_reserved(const struct entry *entry)
{
    return strncmp(strchr(entry->name, '=') + 1, "__", 2) == 0;
}

bool scopemap_hopes(const struct scopemap *map)
{
    for (size_t i = 0; i < map->count; i++) {
        if (!map->list[i].admitted && !is_reserved(&map->list[i])) {
            return true;
        }
    }
    return false;
}

const char *scopemap_target(const struct scopemap *map, struct text scope)
{
    bool found;
    if (text_is(scope, "all")) {
        return "all";
    }
    size_t at = place(map, scope, &found);
    if (!found) {
        return NULL;
    }
    return map->list[at].admitted ? map->list[at].name : map->list[at].other;
}

static const char *single(const struct scopemap *map, const char *target, uint64_t *shards)
{
    bool found;
    *shards = UINT64_MAX;
    if (strcmp(target, "all") == 0) {
        return target;
    }
    size_t at = place(map, text_of(target), &found);
    if (!found || !map->list[at].admitted) {
        return NULL;
    }
    *shards = map->list[at].shards;
    return map->list[at].name;
}

/* The scopes of a dimension stand together: from where "<dimension>=" would. */
const char *scopemap_source(const struct scopemap *map, const char *target, size_t *cursor,
                            uint64_t *shards)
{
    const char *equals = strchr(target, '=');
    if (!equals || strcmp(equals + 1, SCOPE_OTHER) != 0) {
        return (*cursor)++ == 0 ? single(map, target, shards) : NULL;
    }
    bool found;
    size_t len = (size_t)(equals - target) + 1;
    size_t at = *cursor ? *cursor - 1 : place(map, (struct text){target, len}, &found);
    for (; at < map->count && strncmp(map->list[at].name, target, len) == 0; at++) {
        if (!map->list[at].admitted) {
            *cursor = at + 2;
            *shards = map->list[at].shards;
            return map->list[at].name;
        }
    }
    *cursor = map->count + 1;
    return NULL;
}

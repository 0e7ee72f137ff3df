#include "consumers/customers/lists.h"

#include <stdlib.h>
#include <xxhash.h>

struct list {
    size_t at; /* in the pool of ids */
    uint32_t count;
};

struct lists {
    const struct dictionary *names;
    struct list *lists; /* [0] is the empty one */
    uint32_t count, room;
    uint32_t *ids;
    size_t id_count, id_room;
    uint32_t *index, index_room; /* list, 0: free; power of two, at least twice `room` */
    bool failed;
};

int lists_open(struct lists **out, const struct dictionary *names, struct error *err)
{
    struct lists *l = calloc(1, sizeof *l);
    *out = NULL;
    if (!l)
        return error_memory(err);
    l->names = names;
    l->room = 256;
    l->id_room = 2048;
    l->index_room = 1024;
    l->lists = calloc(l->room, sizeof *l->lists);
    l->ids = malloc(l->id_room * sizeof *l->ids);
    l->index = calloc(l->index_room, sizeof *l->index);
    if (!l->lists || !l->ids || !l->index) {
        lists_free(l);
        return error_memory(err);
    }
    l->count = 1;
    *out = l;
    return 0;
}

void lists_free(struct lists *lists)
{
    if (!lists)
        return;
    free(lists->lists);
    free(lists->ids);
    free(lists->index);
    free(lists);
}

void lists_reset(struct lists *lists)
{
    memset(lists->index, 0, lists->index_room * sizeof *lists->index);
    lists->count = 1;
    lists->id_count = 0;
    lists->failed = false;
}

/* By insertion: an event has few scopes, and they often come in order. */
static size_t sort(const struct dictionary *names, uint32_t *ids, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t id = ids[i];
        size_t at = kept;
        while (at > 0 && ids[at - 1] != id && dictionary_compare(names, ids[at - 1], id) > 0)
            at--;
        if (at > 0 && ids[at - 1] == id)
            continue;
        memmove(ids + at + 1, ids + at, (kept - at) * sizeof *ids);
        ids[at] = id;
        kept++;
    }
    return kept;
}

static bool is(const struct lists *l, uint32_t list, const uint32_t *ids, size_t count)
{
    return l->lists[list].count == count &&
           memcmp(l->ids + l->lists[list].at, ids, count * sizeof *ids) == 0;
}

static uint32_t place_of(const struct lists *l, const uint32_t *ids, size_t count)
{
    uint32_t i = (uint32_t)XXH3_64bits(ids, count * sizeof *ids) & (l->index_room - 1);
    while (l->index[i] && !is(l, l->index[i], ids, count))
        i = (i + 1) & (l->index_room - 1);
    return i;
}

static bool grow_lists(struct lists *l)
{
    struct list *lists = realloc(l->lists, 2 * (size_t)l->room * sizeof *lists);
    if (lists)
        l->lists = lists;
    uint32_t *index = calloc(2 * (size_t)l->index_room, sizeof *index);
    if (!lists || !index) {
        free(index);
        return false;
    }
    free(l->index);
    l->index = index;
    l->index_room *= 2;
    l->room *= 2;
    for (uint32_t n = 1; n < l->count; n++)
        l->index[place_of(l, l->ids + l->lists[n].at, l->lists[n].count)] = n;
    return true;
}

static bool grow_ids(struct lists *l, size_t more)
{
    size_t room = l->id_room;
    while (room < l->id_count + more)
        room *= 2;
    uint32_t *ids = realloc(l->ids, room * sizeof *ids);
    if (!ids)
        return false;
    l->ids = ids;
    l->id_room = room;
    return true;
}

static uint32_t fail(struct lists *l)
{
    l->failed = true;
    return LISTS_EMPTY;
}

uint32_t lists_add(struct lists *lists, uint32_t *ids, size_t count)
{
    struct lists *l = lists;
    count = sort(l->names, ids, count);
    if (count == 0)
        return LISTS_EMPTY;
    uint32_t place = place_of(l, ids, count);
    if (l->index[place])
        return l->index[place];
    if (l->id_count + count > l->id_room && !grow_ids(l, count))
        return fail(l);
    if (l->count == l->room) {
        if (!grow_lists(l))
            return fail(l);
        place = place_of(l, ids, count);
    }
    memcpy(l->ids + l->id_count, ids, count * sizeof *ids);
    l->lists[l->count] = (struct list){l->id_count, (uint32_t)count};
    l->id_count += count;
    l->index[place] = l->count;
    return l->count++;
}

const uint32_t *lists_ids(const struct lists *lists, uint32_t list, size_t *count)
{
    *count = lists->lists[list].count;
    return lists->ids + lists->lists[list].at;
}

int lists_compare(const struct lists *lists, uint32_t a, uint32_t b)
{
    size_t left_count, right_count;
    if (a == b)
        return 0;
    const uint32_t *left = lists_ids(lists, a, &left_count);
    const uint32_t *right = lists_ids(lists, b, &right_count);
    for (size_t i = 0; i < left_count && i < right_count; i++)
        if (left[i] != right[i])
            return dictionary_compare(lists->names, left[i], right[i]);
    return (left_count > right_count) - (left_count < right_count);
}

uint32_t lists_count(const struct lists *lists)
{
    return lists->count;
}

bool lists_failed(const struct lists *lists)
{
    return lists->failed;
}

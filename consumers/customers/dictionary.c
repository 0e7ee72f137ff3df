#include "consumers/customers/dictionary.h"

#include <stdlib.h>
#include <xxhash.h>

struct entry {
    size_t at, len;  /* in the pool of bytes */
    uint32_t number; /* 0: none yet */
};

struct dictionary {
    struct entry *entries; /* [0] is not used */
    uint32_t count, room;  /* count: the last id */
    char *bytes;
    size_t byte_count, byte_room;
    uint32_t *index, index_room; /* id, 0: free; power of two, at least twice `room` */
    uint32_t *ids, id_room;      /* by number; 0: no id */
    uint32_t unnumbered;         /* how many ids have no number */
};

int dictionary_open(struct dictionary **out, struct error *err)
{
    struct dictionary *d = calloc(1, sizeof *d);
    *out = NULL;
    if (!d)
        return error_memory(err);
    d->room = 256;
    d->byte_room = 4096;
    d->index_room = 1024;
    d->id_room = 256;
    d->entries = calloc(d->room, sizeof *d->entries);
    d->bytes = malloc(d->byte_room);
    d->index = calloc(d->index_room, sizeof *d->index);
    d->ids = calloc(d->id_room, sizeof *d->ids);
    if (!d->entries || !d->bytes || !d->index || !d->ids) {
        dictionary_free(d);
        return error_memory(err);
    }
    *out = d;
    return 0;
}

void dictionary_free(struct dictionary *dictionary)
{
    if (!dictionary)
        return;
    free(dictionary->entries);
    free(dictionary->bytes);
    free(dictionary->index);
    free(dictionary->ids);
    free(dictionary);
}

uint32_t dictionary_count(const struct dictionary *dictionary)
{
    return dictionary->count;
}

struct text dictionary_name(const struct dictionary *dictionary, uint32_t id)
{
    const struct entry *entry = &dictionary->entries[id];
    return (struct text){dictionary->bytes + entry->at, entry->len};
}

int dictionary_compare(const struct dictionary *dictionary, uint32_t a, uint32_t b)
{
    struct text left = dictionary_name(dictionary, a), right = dictionary_name(dictionary, b);
    int order = memcmp(left.at, right.at, left.len < right.len ? left.len : right.len);
    return order ? order : (left.len > right.len) - (left.len < right.len);
}

/* Where the id of `name` stands in the index, or the free place for it. */
static uint32_t place_of(const struct dictionary *d, struct text name)
{
    uint32_t i = (uint32_t)XXH3_64bits(name.at, name.len) & (d->index_room - 1);
    while (d->index[i] && !text_equal(dictionary_name(d, d->index[i]), name))
        i = (i + 1) & (d->index_room - 1);
    return i;
}

static bool grow_entries(struct dictionary *d)
{
    struct entry *entries = realloc(d->entries, 2 * (size_t)d->room * sizeof *entries);
    if (entries)
        d->entries = entries;
    uint32_t *index = calloc(2 * (size_t)d->index_room, sizeof *index);
    if (!entries || !index) {
        free(index);
        return false;
    }
    free(d->index);
    d->index = index;
    d->index_room *= 2;
    d->room *= 2;
    for (uint32_t id = 1; id <= d->count; id++)
        d->index[place_of(d, dictionary_name(d, id))] = id;
    return true;
}

static bool grow_bytes(struct dictionary *d, size_t more)
{
    size_t room = d->byte_room;
    while (room < d->byte_count + more)
        room *= 2;
    char *bytes = realloc(d->bytes, room);
    if (!bytes)
        return false;
    d->bytes = bytes;
    d->byte_room = room;
    return true;
}

uint32_t dictionary_id(struct dictionary *dictionary, struct text name)
{
    struct dictionary *d = dictionary;
    uint32_t place = place_of(d, name);
    if (d->index[place])
        return d->index[place];
    if (d->byte_count + name.len > d->byte_room && !grow_bytes(d, name.len))
        return 0;
    if (d->count + 1 == d->room) {
        if (!grow_entries(d))
            return 0;
        place = place_of(d, name);
    }
    memcpy(d->bytes + d->byte_count, name.at, name.len);
    d->entries[++d->count] = (struct entry){d->byte_count, name.len, 0};
    d->byte_count += name.len;
    d->index[place] = d->count;
    d->unnumbered++;
    return d->count;
}

uint32_t dictionary_number(const struct dictionary *dictionary, uint32_t id)
{
    return dictionary->entries[id].number;
}

uint32_t dictionary_numbered(const struct dictionary *dictionary, uint32_t number)
{
    return number < dictionary->id_room ? dictionary->ids[number] : 0;
}

uint32_t dictionary_unnumbered(const struct dictionary *dictionary, uint32_t id)
{
    if (dictionary->unnumbered == 0)
        return 0;
    while (++id <= dictionary->count)
        if (dictionary->entries[id].number == 0)
            return id;
    return 0;
}

static bool grow_numbers(struct dictionary *d, uint32_t number)
{
    uint32_t room = d->id_room;
    while (room <= number)
        room *= 2;
    uint32_t *ids = realloc(d->ids, room * sizeof *ids);
    if (!ids)
        return false;
    memset(ids + d->id_room, 0, (room - d->id_room) * sizeof *ids);
    d->ids = ids;
    d->id_room = room;
    return true;
}

int dictionary_learn(struct dictionary *dictionary, struct text name, uint32_t number,
                     struct error *err)
{
    struct dictionary *d = dictionary;
    if (number == 0 || number > DICTIONARY_NUMBER_MAX)
        return error_set(err, ERROR_STORE, "scope %.*s has the impossible number %u",
                         TEXT_ARG(name), number);
    uint32_t id = dictionary_id(d, name);
    if (id == 0 || (number >= d->id_room && !grow_numbers(d, number)))
        return error_memory(err);
    if (d->entries[id].number == number)
        return 0;
    if (d->entries[id].number || d->ids[number])
        return error_set(err, ERROR_STORE,
                         "scope %.*s had another number than %u, or %u another "
                         "scope",
                         TEXT_ARG(name), number, number);
    d->entries[id].number = number;
    d->ids[number] = id;
    d->unnumbered--;
    return 0;
}

#include "producers/import/index.h"

#include <stdlib.h>

#define SLOTS_FIRST 1024

struct slot {
    XXH128_hash_t hash; /* all zero: empty */
    uint64_t number;
};

struct index {
    struct slot *slots;
    size_t room, used; /* room is a power of two */
};

struct index *index_open(void)
{
    struct index *index = calloc(1, sizeof *index);
    if (!index) {
        return NULL;
    }
    index->room = SLOTS_FIRST;
    index->slots = calloc(index->room, sizeof *index->slots);
    if (!index->slots) {
        free(index);
        return NULL;
    }
    return index;
}

void index_free(struct index *index)
{
    if (index) {
        free(index->slots);
        free(index);
    }
}

static bool slot_empty(const struct slot *slot)
{
    return slot->hash.low64 == 0 && slot->hash.high64 == 0;
}

/* The slot of `hash`, or the empty one where it belongs. */
static struct slot *find(struct slot *slots, size_t room, XXH128_hash_t hash)
{
    size_t i = (size_t)hash.low64 & (room - 1);
    while (!slot_empty(&slots[i]) && !XXH128_isEqual(slots[i].hash, hash)) {
        i = (i + 1) & (room - 1);
    }
    return &slots[i];
}

static bool grow(struct index *index)
{
    size_t room = index->room * 2;
    struct slot *slots = calloc(room, sizeof *slots);
    if (!slots) {
        return false;
    }
    for (size_t i = 0; i < index->room; i++) {
        if (!slot_empty(&index->slots[i])) {
            *find(slots, room, index->slots[i].hash) = index->slots[i];
        }
    }
    free(index->slots);
    index->slots = slots;
    index->room = room;
    return true;
}

uint64_t *index_put(struct index *index, XXH128_hash_t hash, bool *fresh)
{
    if (hash.low64 == 0 && hash.high64 == 0) {
        hash.high64 = 1;
    }
    if (index->used >= index->room / 3 * 2 && !grow(index)) {
        return NULL;
    }
    struct slot *slot = find(index->slots, index->room, hash);
    *fresh = slot_empty(slot);
    if (*fresh) {
        slot->hash = hash;
        index->used++;
    }
    return &slot->number;
}

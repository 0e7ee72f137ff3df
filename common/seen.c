#include "common/seen.h"

#include <stdlib.h>
#include <string.h>

/* An entry of the index, from its lowest bits: the place in the ring + 1 (0: a free entry), how far
 * the entry lies from its home, and in what is left a piece of the hash. The last two spare nearly
 * every look into the ring, which is larger than a cache; only a distance of FAR has to be looked
 * up there. */
enum { DISTANCE_BITS = 4, FAR = (1 << DISTANCE_BITS) - 1, AHEAD = 8 };

struct seen {
    XXH128_hash_t *ring;   /* by offset mod room; all zero: nothing valid at that offset */
    uint32_t *index;       /* entries by hash. The same id may stand twice */
    unsigned place_bits;   /* of an entry */
    int64_t room;          /* power of two */
    int64_t index_room;    /* twice that: at most half full */
    int64_t window;
    int64_t tail;          /* the ring holds nothing below this offset */
    int64_t position;      /* end of the applied part */
    int64_t head;          /* one past the last offset held */
};

int seen_open(struct seen **out, int64_t window, int64_t position, struct error *err)
{
    struct seen *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return error_memory(err);
    s->window = window;
    for (s->room = 8192; s->room < window + window / 4 + 4096;)
        s->room *= 2;
    s->index_room = s->room * 2;
    s->place_bits = (unsigned)__builtin_ctzll((unsigned long long)s->index_room);
    s->ring = calloc((size_t)s->room, sizeof *s->ring);
    s->index = calloc((size_t)s->index_room, sizeof *s->index);
    if (!s->ring || !s->index) {
        seen_free(s);
        return error_memory(err);
    }
    s->tail = s->position = s->head = position;
    *out = s;
    return 0;
}

void seen_free(struct seen *seen)
{
    if (!seen)
        return;
    free(seen->ring);
    free(seen->index);
    free(seen);
}

void seen_clear(struct seen *seen, int64_t position)
{
    memset(seen->ring, 0, (size_t)seen->room * sizeof *seen->ring);
    memset(seen->index, 0, (size_t)seen->index_room * sizeof *seen->index);
    seen->tail = seen->position = seen->head = position;
}

static bool is_empty(XXH128_hash_t id)
{
    return id.low64 == 0 && id.high64 == 0;
}

static int64_t place_of(const struct seen *s, int64_t offset)
{
    return offset & (s->room - 1);
}

/* The offset whose id stands at a place: the only one of [tail, tail + room) that falls there. */
static int64_t offset_at(const struct seen *s, int64_t place)
{
    return s->tail + ((place - s->tail) & (s->room - 1));
}

static int64_t home_of(const struct seen *s, XXH128_hash_t id)
{
    return (int64_t)(id.low64 & (uint64_t)(s->index_room - 1));
}

static int64_t next(const struct seen *s, int64_t i)
{
    return (i + 1) & (s->index_room - 1);
}

static int64_t ring_place(const struct seen *s, uint32_t entry)
{
    return (int64_t)(entry & ((UINT32_C(1) << s->place_bits) - 1)) - 1;
}

/* The piece of a hash that an entry holds: in the bits above its distance. */
static uint32_t piece_of(const struct seen *s, XXH128_hash_t id)
{
    return (uint32_t)((id.high64 & UINT32_MAX) >> (s->place_bits + DISTANCE_BITS)
                                                      << (s->place_bits + DISTANCE_BITS));
}

static bool same_piece(const struct seen *s, uint32_t entry, uint32_t piece)
{
    return ((uint64_t)entry ^ piece) >> (s->place_bits + DISTANCE_BITS) == 0;
}

/* How far the entry that stands at `i` is from its home. */
static int64_t distance_of(const struct seen *s, int64_t i)
{
    uint32_t distance = s->index[i] >> s->place_bits & FAR;
    if (distance < FAR)
        return distance;
    return (i - home_of(s, s->ring[ring_place(s, s->index[i])])) & (s->index_room - 1);
}

/* Puts an entry at `i`, `distance` from its home. */
static void put(struct seen *s, int64_t i, uint32_t entry, int64_t distance)
{
    uint32_t near = distance < FAR ? (uint32_t)distance : FAR;
    s->index[i] = (entry & ~((uint32_t)FAR << s->place_bits)) | near << s->place_bits;
}

static void insert(struct seen *s, XXH128_hash_t id, int64_t offset)
{
    int64_t place = place_of(s, offset), home = home_of(s, id), i = home;
    while (s->index[i])
        i = next(s, i);
    put(s, i, (uint32_t)(place + 1) | piece_of(s, id), (i - home) & (s->index_room - 1));
    s->ring[place] = id;
    s->head = offset + 1;
}

/* Takes the entry of one offset out, and closes the gap it leaves in its run of the table. */
static void forget(struct seen *s, int64_t offset)
{
    int64_t place = place_of(s, offset), gap;
    if (is_empty(s->ring[place]))
        return;
    for (gap = home_of(s, s->ring[place]); ring_place(s, s->index[gap]) != place;)
        gap = next(s, gap);
    s->ring[place] = (XXH128_hash_t){0, 0};
    for (int64_t i = next(s, gap); s->index[i]; i = next(s, i)) {
        int64_t back = (i - gap) & (s->index_room - 1), distance = distance_of(s, i);
        /* An entry may move back to the gap unless its home lies between the two. */
        if (distance >= back) {
            put(s, gap, s->index[i], distance - back);
            gap = i;
        }
    }
    s->index[gap] = 0;
}

void seen_expect(const struct seen *seen, XXH128_hash_t id)
{
    __builtin_prefetch(&seen->index[home_of(seen, id)], 1);
}

void seen_fill(struct seen *seen, XXH128_hash_t id, int64_t offset)
{
    /* The ring reaches back a window from the position: nothing older is asked for. */
    if (offset < seen->position - seen->window || offset >= seen->position || is_empty(id))
        return;
    if (seen->tail > seen->position - seen->window)
        seen->tail = seen->position - seen->window;
    insert(seen, id, offset);
}

bool seen_stage(struct seen *seen, XXH128_hash_t id, int64_t offset)
{
    bool found = false;
    uint32_t piece = piece_of(seen, id);
    for (int64_t i = home_of(seen, id); seen->index[i] && !found; i = next(seen, i)) {
        if (!same_piece(seen, seen->index[i], piece))
            continue;
        int64_t place = ring_place(seen, seen->index[i]);
        found = XXH128_isEqual(seen->ring[place], id) &&
                offset_at(seen, place) >= offset - seen->window;
    }
    if (!is_empty(id))
        insert(seen, id, offset);
    return found;
}

bool seen_room(const struct seen *seen, int64_t offset)
{
    return offset < seen->tail + seen->room;
}

void seen_commit(struct seen *seen, int64_t position)
{
    int64_t tail = position - seen->window;
    seen->position = position;
    if (seen->head < position)
        seen->head = position;
    if (tail <= seen->tail)
        return;
    int64_t last = tail - seen->tail < seen->room ? tail : seen->tail + seen->room;
    for (int64_t offset = seen->tail; offset < last; offset++) {
        seen_expect(seen, seen->ring[place_of(seen, offset + AHEAD)]);
        forget(seen, offset);
    }
    seen->tail = tail;
}

void seen_drop(struct seen *seen)
{
    for (int64_t offset = seen->position; offset < seen->head; offset++)
        forget(seen, offset);
    seen->head = seen->position;
}

int64_t seen_position(const struct seen *seen)
{
    return seen->position;
}

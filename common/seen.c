#include "common/seen.h"

#include <stdlib.h>
#include <string.h>

struct seen {
    XXH128_hash_t *ring;   /* by offset mod room; all zero: nothing valid at that offset */
    uint32_t *index;       /* place in the ring + 1 by hash; 0: free. The same id may stand twice */
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

static void insert(struct seen *s, XXH128_hash_t id, int64_t offset)
{
    int64_t place = place_of(s, offset), i = home_of(s, id);
    while (s->index[i])
        i = next(s, i);
    s->index[i] = (uint32_t)place + 1;
    s->ring[place] = id;
    s->head = offset + 1;
}

/* Takes the entry of one offset out, and closes the gap it leaves in its run of the table. */
static void forget(struct seen *s, int64_t offset)
{
    int64_t place = place_of(s, offset), gap;
    if (is_empty(s->ring[place]))
        return;
    for (gap = home_of(s, s->ring[place]); s->index[gap] != (uint32_t)place + 1;)
        gap = next(s, gap);
    s->ring[place] = (XXH128_hash_t){0, 0};
    for (int64_t i = next(s, gap); s->index[i]; i = next(s, i)) {
        int64_t home = home_of(s, s->ring[s->index[i] - 1]);
        /* An entry may move back to the gap unless its home lies between the two. */
        if (((i - home) & (s->index_room - 1)) >= ((i - gap) & (s->index_room - 1))) {
            s->index[gap] = s->index[i];
            gap = i;
        }
    }
    s->index[gap] = 0;
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
    for (int64_t i = home_of(seen, id); seen->index[i] && !found; i = next(seen, i)) {
        int64_t place = seen->index[i] - 1;
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
    for (int64_t offset = seen->tail; offset < last; offset++)
        forget(seen, offset);
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

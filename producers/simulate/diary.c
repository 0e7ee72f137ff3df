#include "producers/simulate/diary.h"

#include <stdlib.h>

static bool sooner(const struct happening *a, const struct happening *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->number < b->number;
}

static bool grow(struct diary *diary)
{
    size_t room = diary->room ? diary->room * 2 : 256;
    struct happening *heap = realloc(diary->heap, room * sizeof *heap);
    if (!heap) {
        return false;
    }
    diary->heap = heap;
    diary->room = room;
    return true;
}

bool diary_note(struct diary *diary, const struct happening *happening)
{
    if (diary->count == diary->room && !grow(diary)) {
        return false;
    }
    struct happening note = *happening;
    size_t at = diary->count++;
    note.number = diary->noted++;
    while (at > 0 && sooner(&note, &diary->heap[(at - 1) / 2])) {
        diary->heap[at] = diary->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    diary->heap[at] = note;
    return true;
}

const struct happening *diary_next(const struct diary *diary)
{
    return diary->count ? diary->heap : NULL;
}

struct happening diary_take(struct diary *diary)
{
    struct happening *heap = diary->heap, first = heap[0], last = heap[--diary->count];
    size_t at = 0, below;
    while ((below = 2 * at + 1) < diary->count) {
        if (below + 1 < diary->count && sooner(&heap[below + 1], &heap[below])) {
            below++;
        }
        if (!sooner(&heap[below], &last)) {
            break;
        }
        heap[at] = heap[below];
        at = below;
    }
    heap[at] = last;
    return first;
}

void diary_free(struct diary *diary)
{
    free(diary->heap);
    *diary = (struct diary){0};
}

#include "consumers/worker/parts.h"

#include <stdlib.h>

struct part *parts_find(struct parts *parts, int topic, int32_t partition)
{
    for (int i = 0; i < parts->count; i++)
        if (parts->list[i].partition == partition && parts->list[i].topic == topic)
            return &parts->list[i];
    return NULL;
}

void parts_free(struct parts *parts)
{
    for (int i = 0; i < parts->count; i++)
        seen_free(parts->list[i].seen);
    free(parts->list);
    parts->list = NULL;
    parts->count = 0;
}

int parts_take(struct parts *parts, const struct broker_place *places, int count,
               struct error *err)
{
    struct part *list = calloc((size_t)count + 1, sizeof *list);
    if (!list)
        return error_memory(err);
    for (int i = 0; i < count; i++) {
        struct part *before = parts_find(parts, places[i].topic, places[i].partition);
        list[i] = (struct part){.topic = places[i].topic, .partition = places[i].partition,
                                .target = -1};
        if (!before)
            continue;
        list[i].seen = before->seen;
        list[i].moved = before->moved;
        list[i].next = before->next;
        list[i].stored = before->stored;
        before->seen = NULL;
    }
    parts_free(parts);
    parts->list = list;
    parts->count = count;
    return 0;
}

void parts_drop(struct parts *parts)
{
    for (int i = 0; i < parts->count; i++) {
        parts->list[i].reading = false;
        if (parts->list[i].seen)
            seen_drop(parts->list[i].seen);
    }
}

bool part_filling(const struct part *part)
{
    return part->next < part->stored.offset;
}

/* The window is whole only when it was filled up to where its applied part ends. */
static bool window_stands(const struct part *part, int64_t position)
{
    return part->seen && seen_position(part->seen) == position && part->next >= position;
}

int64_t part_place(struct part *part, const struct store_position *position, int64_t window,
                   int64_t log_start, bool *cut, struct error *err)
{
    int64_t offset = position->at.offset, from = offset - window;
    bool stands = window_stands(part, offset);
    *cut = false;
    if (!part->seen && seen_open(&part->seen, window, offset, err) != 0)
        return -1;
    part->begin = position->begin;
    part->stored = part->folded = position->at;
    part->reading = true;
    part->confirmed = false;
    part->next = offset;
    if (stands)
        return offset;
    seen_clear(part->seen, offset);
    if (from < position->begin)
        from = position->begin;
    if (from < log_start) {
        *cut = true;
        from = log_start;
    }
    /* A log that begins after the position must be asked for the position, and refuse it: reading
     * on from its start would pass over what it lost. */
    if (from > offset)
        from = offset;
    part->next = from;
    return from;
}

void parts_applied(struct parts *parts, const struct batch_move *move)
{
    struct part *part = parts_find(parts, move->topic, move->partition);
    if (!part || !part->reading)
        return;
    part->stored = move->to;
    part->moved = 0;
    seen_commit(part->seen, move->to.offset);
}

static bool advanced(const struct part *part)
{
    return part->reading && part->folded.offset > part->stored.offset;
}

void parts_moves(const struct parts *parts, struct batch *batch)
{
    for (int i = 0; i < parts->count; i++) {
        const struct part *part = &parts->list[i];
        if (advanced(part))
            batch_add_move(batch, (struct batch_move){part->topic, part->partition, part->stored,
                                                      part->folded});
    }
}

bool parts_dirty(const struct parts *parts)
{
    for (int i = 0; i < parts->count; i++)
        if (advanced(&parts->list[i]))
            return true;
    return false;
}

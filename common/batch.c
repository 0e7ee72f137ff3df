#include "common/batch.h"

#include <stdlib.h>

#define PAGE_BYTES 65536

struct batch_page {
    struct batch_page *next;
    size_t used, room;
    char bytes[];
};

void batch_init(struct batch *batch)
{
    *batch = (struct batch){0};
}

void batch_clear(struct batch *batch)
{
    batch->mark = 0;
    batch->ledger = 0;
    batch->move_count = batch->group_count = batch->cell_count = batch->currency_count = 0;
    batch->name_count = batch->state_count = 0;
    batch->failed = false;
    /* One page is kept: most batches fit in it. */
    while (batch->pages && batch->pages->next) {
        struct batch_page *next = batch->pages->next;
        free(batch->pages);
        batch->pages = next;
    }
    if (batch->pages)
        batch->pages->used = 0;
}

void batch_free(struct batch *batch)
{
    for (struct batch_page *page = batch->pages, *next; page; page = next) {
        next = page->next;
        free(page);
    }
    free(batch->moves);
    free(batch->groups);
    free(batch->cells);
    free(batch->currencies);
    free(batch->names);
    free(batch->states);
    batch_init(batch);
}

/* Room for one more element; false marks the batch as failed. */
static bool reserve(struct batch *batch, void **list, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return true;
    size_t more = *room ? *room * 2 : 64;
    void *grown = realloc(*list, more * size);
    if (!grown) {
        batch->failed = true;
        return false;
    }
    *list = grown;
    *room = more;
    return true;
}

/* A page with room for `len` bytes; a text longer than a page gets one of its own. */
static struct batch_page *page_for(struct batch *batch, size_t len)
{
    struct batch_page *page = batch->pages;
    if (page && page->room - page->used >= len)
        return page;
    size_t room = len > PAGE_BYTES ? len : PAGE_BYTES;
    page = malloc(sizeof *page + room);
    if (!page) {
        batch->failed = true;
        return NULL;
    }
    *page = (struct batch_page){batch->pages, 0, room};
    batch->pages = page;
    return page;
}

static struct text keep(struct batch *batch, struct text text)
{
    struct batch_page *page = text.len ? page_for(batch, text.len) : NULL;
    if (!page)
        return text_of("");
    char *at = page->bytes + page->used;
    memcpy(at, text.at, text.len);
    page->used += text.len;
    return (struct text){at, text.len};
}

void batch_add_move(struct batch *batch, struct batch_move move)
{
    if (reserve(batch, (void **)&batch->moves, batch->move_count, &batch->move_room, sizeof move))
        batch->moves[batch->move_count++] = move;
}

void batch_add_group(struct batch *batch, struct batch_group group)
{
    if (!reserve(batch, (void **)&batch->groups, batch->group_count, &batch->group_room,
                 sizeof group))
        return;
    group.head = keep(batch, group.head);
    group.dimension = keep(batch, group.dimension);
    group.value = keep(batch, group.value);
    group.dirty = keep(batch, group.dirty);
    group.first = batch->cell_count;
    group.count = 0;
    batch->groups[batch->group_count++] = group;
}

void batch_add_cell(struct batch *batch, struct text field, int64_t delta)
{
    if (batch->failed) /* perhaps there is no group */
        return;
    if (!reserve(batch, (void **)&batch->cells, batch->cell_count, &batch->cell_room,
                 sizeof *batch->cells))
        return;
    batch->cells[batch->cell_count++] = (struct batch_cell){keep(batch, field), delta};
    batch->groups[batch->group_count - 1].count++;
}

void batch_add_currency(struct batch *batch, const char *code)
{
    for (size_t i = 0; i < batch->currency_count; i++)
        if (strcmp(batch->currencies[i], code) == 0)
            return;
    if (reserve(batch, (void **)&batch->currencies, batch->currency_count, &batch->currency_room,
                sizeof *batch->currencies))
        batch->currencies[batch->currency_count++] = code;
}

void batch_add_name(struct batch *batch, struct text name, uint32_t number)
{
    if (reserve(batch, (void **)&batch->names, batch->name_count, &batch->name_room,
                sizeof *batch->names))
        batch->names[batch->name_count++] = (struct batch_name){keep(batch, name), number};
}

void batch_add_state(struct batch *batch, int32_t partition, struct text customer,
                     struct text state)
{
    if (reserve(batch, (void **)&batch->states, batch->state_count, &batch->state_room,
                sizeof *batch->states))
        batch->states[batch->state_count++] =
            (struct batch_state){partition, keep(batch, customer), keep(batch, state)};
}

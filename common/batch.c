#include "common/batch.h"

#include <stdlib.h>

#define PAGE_BYTES 65536

struct batch_page {
    struct batch_page *next;
    size_t used;
    char bytes[PAGE_BYTES];
};

void batch_init(struct batch *batch)
{
    *batch = (struct batch){0};
}

void batch_clear(struct batch *batch)
{
    batch->mark = 0;
    batch->move_count = batch->group_count = batch->cell_count = batch->currency_count = 0;
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

static struct text keep(struct batch *batch, struct text text)
{
    struct batch_page *page = batch->pages;
    if (text.len == 0)
        return text_of("");
    if (text.len > PAGE_BYTES) {
        batch->failed = true;
        return text_of("");
    }
    if (!page || page->used + text.len > PAGE_BYTES) {
        page = malloc(sizeof *page);
        if (!page) {
            batch->failed = true;
            return text_of("");
        }
        page->used = 0;
        page->next = batch->pages;
        batch->pages = page;
    }
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

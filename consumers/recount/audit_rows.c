#include "consumers/recount/audit_rows.h"

#include <stdlib.h>

/* The rows of one day or hour. */
struct chain {
    uint64_t key; /* time and slot, + 1; 0: free */
    size_t first;
};

void rows_clear(struct rows *rows)
{
    free(rows->chains);
    free(rows->next);
    *rows = (struct rows){0};
}

static uint64_t chain_key(enum tally_time time, int32_t slot)
{
    return (uint64_t)time << 32 | (uint32_t)slot;
}

static struct chain *chain_of(struct chain *chains, size_t room, uint64_t key)
{
    size_t i = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (room - 1);
    while (chains[i].key && chains[i].key != key + 1)
        i = (i + 1) & (room - 1);
    return &chains[i];
}

static bool grow_chains(struct rows *rows)
{
    size_t room = rows->chain_room ? 2 * rows->chain_room : 1024;
    struct chain *chains = calloc(room, sizeof *chains);
    if (!chains)
        return false;
    for (size_t i = 0; i < rows->chain_room; i++)
        if (rows->chains[i].key)
            *chain_of(chains, room, rows->chains[i].key - 1) = rows->chains[i];
    free(rows->chains);
    rows->chains = chains;
    rows->chain_room = room;
    return true;
}

static bool link_row(struct rows *rows, const struct tally *tally, size_t row)
{
    struct tally_view view = tally_view(tally, row);
    uint64_t key = chain_key(view.time, view.slot);
    if (2 * (rows->chain_count + 1) > rows->chain_room && !grow_chains(rows))
        return false;
    struct chain *chain = chain_of(rows->chains, rows->chain_room, key);
    if (!chain->key) {
        *chain = (struct chain){key + 1, ROWS_NONE};
        rows->chain_count++;
    }
    rows->next[row] = chain->first;
    chain->first = row;
    return true;
}

int rows_link(struct rows *rows, const struct tally *tally, struct error *err)
{
    size_t count = tally_rows(tally);
    if (count > rows->next_room) {
        size_t *next = realloc(rows->next, 2 * count * sizeof *next);
        if (!next)
            return error_memory(err);
        rows->next = next;
        rows->next_room = 2 * count;
    }
    for (; rows->linked < count; rows->linked++)
        if (!link_row(rows, tally, rows->linked))
            return error_memory(err);
    return 0;
}

size_t rows_first(const struct rows *rows, enum tally_time time, int32_t slot)
{
    if (!rows->chain_room)
        return ROWS_NONE;
    const struct chain *chain = chain_of(rows->chains, rows->chain_room, chain_key(time, slot));
    return chain->key ? chain->first : ROWS_NONE;
}

size_t rows_next(const struct rows *rows, size_t row)
{
    return rows->next[row];
}

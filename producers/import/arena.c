#include "producers/import/arena.h"

#include <stdint.h>
#include <stdlib.h>

#define BLOCK_FIRST   ((size_t)64 * 1024)
#define BLOCK_LARGEST ((size_t)4 * 1024 * 1024)

struct block {
    struct block *older;
    size_t used, room;
    max_align_t bytes[];
};

struct arena {
    struct block *newest;
    size_t next_room;
};

struct arena *arena_open(void)
{
    struct arena *arena = calloc(1, sizeof *arena);
    if (arena) {
        arena->next_room = BLOCK_FIRST;
    }
    return arena;
}

static void free_blocks(struct block *block)
{
    while (block) {
        struct block *older = block->older;
        free(block);
        block = older;
    }
}

void arena_free(struct arena *arena)
{
    if (arena) {
        free_blocks(arena->newest);
        free(arena);
    }
}

/* Blocks double, so that a large file takes few of them and a small one little memory. */
static struct block *add_block(struct arena *arena, size_t least)
{
    size_t room = least > arena->next_room ? least : arena->next_room;
    struct block *block = malloc(sizeof *block + room);
    if (!block) {
        return NULL;
    }
    *block = (struct block){.older = arena->newest, .room = room};
    arena->newest = block;
    if (arena->next_room < BLOCK_LARGEST) {
        arena->next_room *= 2;
    }
    return block;
}

void *arena_take(struct arena *arena, size_t size)
{
    const size_t align = _Alignof(max_align_t);
    if (size > SIZE_MAX / 2) {
        return NULL;
    }
    size = (size + align - 1) / align * align;
    struct block *block = arena->newest;
    if (!block || block->room - block->used < size) {
        block = add_block(arena, size);
        if (!block) {
            return NULL;
        }
    }
    void *at = (char *)block->bytes + block->used;
    block->used += size;
    return at;
}

struct text arena_copy(struct arena *arena, struct text text)
{
    char *at = arena_take(arena, text.len + 1);
    if (!at) {
        return (struct text){NULL, 0};
    }
    if (text.len) {
        memcpy(at, text.at, text.len);
    }
    at[text.len] = '\0';
    return (struct text){at, text.len};
}

void arena_reset(struct arena *arena)
{
    struct block *kept = arena->newest;
    if (!kept) {
        return;
    }
    free_blocks(kept->older);
    kept->older = NULL;
    kept->used = 0;
}

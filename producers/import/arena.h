/* arena.h - memory that is given back all at once.
 *
 * For the many small texts and events that a file becomes: an allocation is a few instructions,
 * and nothing is freed one by one. Use an arena from one thread. */
#ifndef TANDEM_ARENA_H
#define TANDEM_ARENA_H

#include "common/text.h"

#include <stddef.h>

struct arena;

/* An empty arena, the caller's until arena_free(); NULL when memory is short. */
struct arena *arena_open(void);
void arena_free(struct arena *arena);

/* `size` bytes (more than 0), aligned for anything, not cleared; NULL when memory is short. */
void *arena_take(struct arena *arena, size_t size);
/* A copy of `text`; at NULL when memory is short. */
struct text arena_copy(struct arena *arena, struct text text);
/* Forgets everything taken, and keeps one block for what comes next. */
void arena_reset(struct arena *arena);

#endif

/* seen.h - which events a partition has already carried.
 *
 * Remembers the valid events of the last `window` offsets before a partition's stored position
 * (the applied part), and beyond it those folded but not applied yet (the staged part), which can
 * be dropped without a trace. Offsets, not time, bound the memory: every replay of the log decides
 * alike. docs/guarantees.md, "Duplicates". Pure; use one from one thread.
 *
 * In memory: a ring with one 128-bit hash an offset, and a hash table of places in the ring: 24
 * bytes an offset of the ring, which is `window` and some room for the staged part. */
#ifndef TANDEM_SEEN_H
#define TANDEM_SEEN_H

#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <xxhash.h>

struct seen;

/* A window over `window` offsets (1..100,000,000), empty, its applied part ending at `position`.
 * 0, caller owns *out until seen_free(). */
int seen_open(struct seen **out, int64_t window, int64_t position, struct error *err);
void seen_free(struct seen *seen);

/* Empties it; the applied part ends at `position` from now on. */
void seen_clear(struct seen *seen, int64_t position);
/* While filling the window after seen_clear(): the applied part holds `id` at `offset`, below the
 * position. Offsets grow. */
void seen_fill(struct seen *seen, XXH128_hash_t id, int64_t offset);

/* True when `id` stands in [offset - window, offset). Stages it either way. Offsets grow, and
 * seen_room(offset) must be true. */
bool seen_stage(struct seen *seen, XXH128_hash_t id, int64_t offset);
/* A hint, no more: `id` will be staged soon. The entry it needs is somewhere in a few megabytes, and
 * fetching it from there takes longer than all the rest. */
void seen_expect(const struct seen *seen, XXH128_hash_t id);
/* False when the staged part would outgrow the ring: apply first. */
bool seen_room(const struct seen *seen, int64_t offset);

/* What is staged below `position` is applied now, and what fell out of the window is forgotten. */
void seen_commit(struct seen *seen, int64_t position);
/* Forgets what is staged. */
void seen_drop(struct seen *seen);

/* Where the applied part ends. */
int64_t seen_position(const struct seen *seen);

#endif

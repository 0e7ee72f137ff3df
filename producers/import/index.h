/* index.h - a map from 128-bit hashes to numbers.
 *
 * The hash stands for the thing itself (an id, an order number): 24 bytes each, whatever its
 * length. Two things with one hash do not happen in practice (2^-64 at four thousand million). */
#ifndef TANDEM_INDEX_H
#define TANDEM_INDEX_H

#include <stdbool.h>
#include <stdint.h>
#include <xxhash.h>

struct index;

/* An empty index, the caller's until index_free(); NULL when memory is short. */
struct index *index_open(void);
void index_free(struct index *index);

/* The number that belongs to `hash`, valid until the next call; *fresh (never NULL) tells whether
 * it was put in now, as 0. NULL when memory is short. */
uint64_t *index_put(struct index *index, XXH128_hash_t hash, bool *fresh);

#endif

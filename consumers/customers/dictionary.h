/* dictionary.h - the names of a ledger shard's scopes, each with a small number.
 *
 * A customer's state says numbers instead of names ("region=north"). A shard gives each name its
 * number once and for good; this is what one process knows of them. An id stands for a name while
 * the process lives, whether or not the shard has numbered it yet. Pure. */
#ifndef TANDEM_DICTIONARY_H
#define TANDEM_DICTIONARY_H

#include "common/error.h"
#include "common/text.h"

#include <stdint.h>

/* Scopes are ids from 1; 0 is the whole business, which has no number. */
#define DICTIONARY_NUMBER_MAX (1u << 24)

struct dictionary;

/* 0, caller owns *out until dictionary_free(); -1 when memory is short. */
int dictionary_open(struct dictionary **out, struct error *err);
void dictionary_free(struct dictionary *dictionary);

/* The id of a name, made when it is new. 0 when memory is short. */
uint32_t dictionary_id(struct dictionary *dictionary, struct text name);
/* Ids are 1 to this. */
uint32_t dictionary_count(const struct dictionary *dictionary);
/* Valid until the next name is added. */
struct text dictionary_name(const struct dictionary *dictionary, uint32_t id);
/* Below, equal to or above 0, by the names' bytes. */
int dictionary_compare(const struct dictionary *dictionary, uint32_t a, uint32_t b);

/* Learns what the shard says: `name` has `number` (1 to DICTIONARY_NUMBER_MAX). Hearing it twice is
 * fine. -1: ERROR_STORE when name or number already goes with another; ERROR_MEMORY. */
int dictionary_learn(struct dictionary *dictionary, struct text name, uint32_t number,
                     struct error *err);
uint32_t dictionary_number(const struct dictionary *dictionary, uint32_t id); /* 0: none yet */
uint32_t dictionary_numbered(const struct dictionary *dictionary, uint32_t number); /* 0: no id */
/* The next id above `id` that has no number yet; 0: no further one. */
uint32_t dictionary_unnumbered(const struct dictionary *dictionary, uint32_t id);

#endif

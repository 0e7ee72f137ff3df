/* lists.h - the scopes events were counted in, each list once, as a number.
 *
 * A list holds ids of a dictionary, each once, in the order of their names. Two lists are equal
 * exactly if their numbers are. Kept for one batch, then reset. Pure. */
#ifndef TANDEM_LISTS_H
#define TANDEM_LISTS_H

#include "consumers/customers/dictionary.h"

#define LISTS_EMPTY 0u

struct lists;

/* 0, caller owns *out until lists_free(); -1 when memory is short. `names` must outlive it. */
int lists_open(struct lists **out, const struct dictionary *names, struct error *err);
void lists_free(struct lists *lists);
void lists_reset(struct lists *lists);

/* The number of the list of these ids, which it sorts and rids of repeats. LISTS_EMPTY and
 * lists_failed() when memory is short. */
uint32_t lists_add(struct lists *lists, uint32_t *ids, size_t count);
/* Valid until the next list is added. */
const uint32_t *lists_ids(const struct lists *lists, uint32_t list, size_t *count);
/* Below, equal to or above 0: name by name as bytes; what another begins with comes before it. */
int lists_compare(const struct lists *lists, uint32_t a, uint32_t b);
/* Numbers are below this. */
uint32_t lists_count(const struct lists *lists);
/* True when memory ran out since the last reset. */
bool lists_failed(const struct lists *lists);

#endif

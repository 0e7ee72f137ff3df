/* audit_states.h - the states of customers, in memory: for an audit what Redis is for a worker.
 *
 * About 60 bytes a customer more than id and state. Pure. */
#ifndef TANDEM_AUDIT_STATES_H
#define TANDEM_AUDIT_STATES_H

#include "common/error.h"
#include "common/text.h"

#include <stdint.h>

struct states;

/* 0, caller owns *out until states_free(); -1 when memory is short. */
int states_open(struct states **out, struct error *err);
void states_free(struct states *states);

/* Empty: nothing is known. Valid until the customer's next states_put(). */
struct text states_get(const struct states *states, int32_t partition, struct text customer);
/* Copies. An empty state: nothing is known any more. -1 when memory is short. */
int states_put(struct states *states, int32_t partition, struct text customer, struct text state,
               struct error *err);

/* One customer of whom something is known. */
struct states_customer {
    int32_t partition;
    struct text id;
};
/* Walks through them, *at being 0 at first; false: that was the last. */
bool states_next(const struct states *states, size_t *at, struct states_customer *out);

#endif

/* glance.h - one look at a store of counters, from outside: what it is and where it stands. */
#ifndef TANDEM_GLANCE_H
#define TANDEM_GLANCE_H

#include "common/config.h"
#include "common/store.h"

/* Looks by a connection of its own; in a Redis Cluster it goes to the store's node. Waits while a
 * rebuild is switching, half a minute at most. 0, *state is the caller's (store_state_clear(), also
 * after -1); state->exists says whether there is one. */
int glance(const struct config *config, const struct store_kind *kind, struct store_state *state,
           struct error *err);

#endif

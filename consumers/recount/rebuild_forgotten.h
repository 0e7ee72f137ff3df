/* rebuild_forgotten.h - the states that a rebuild makes of customers who were forgotten.
 *
 * A rebuild needs them: events below a customer's mark count as they did. Once it has counted all of
 * those, nothing will ever ask for the state again, and it has to go. docs/privacy.md. */
#ifndef TANDEM_REBUILD_FORGOTTEN_H
#define TANDEM_REBUILD_FORGOTTEN_H

#include "consumers/recount/rebuild_store.h"

/* Takes them out of `made`, the keys of the second set of a shard, and adds them to `gone`. Nobody
 * may count meanwhile. -1: Redis, memory, ERROR_STORE for marks of another form. */
int rebuild_forgotten(struct redis *redis, const struct rebuild_store *store, struct keylist *made,
                      struct keylist *gone, struct error *err);

#endif

/* redis_layout.h - asks a business's store for its layout, for commands that do not look at its
 * positions. */
#ifndef TANDEM_REDIS_LAYOUT_H
#define TANDEM_REDIS_LAYOUT_H

#include "common/redis.h"

/* At the node where the business's own keys are. 0 when there is no store, or it has this tandem's
 * layout; -1: Redis, or it has another (with `older_fine`: a newer one). */
int redis_layout(struct redis *redis, const struct config *config, bool older_fine,
                 struct error *err);

#endif

/* look.h - collects the facts that the doctor judges. Reads only, and waits for nothing longer than
 * a few seconds: a server that is away is a fact too. */
#ifndef TANDEM_LOOK_H
#define TANDEM_LOOK_H

#include "common/error.h"
#include "common/redis.h"
#include "consumers/doctor/facts.h"

enum { LOOK_WAIT_MS = 3000, LOOK_SHARDS_MS = 8000 };

/* Brokers, topics, groups. Errors become facts; -1 only when settings are wrong (ERROR_USAGE) or
 * memory is short. */
int look_kafka(struct facts *facts, const struct config *config, struct error *err);

/* Goes to the node of `key`: in a cluster it follows the hints. -1: err says why not. */
int look_reach(struct redis *redis, const char *key, struct error *err);
/* What the connected Redis is. */
void look_node(struct facts_redis *node, struct redis *redis);

/* The nodes, stores and publications of the business, each at its node. As look_kafka(). */
int look_stores(struct facts *facts, const struct config *config, struct error *err);
/* Looks at the positions again and notes how far they have moved since. */
void look_again(struct facts *facts, const struct config *config);

#endif

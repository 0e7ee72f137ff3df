/* ends.h - how far the log goes: the ends of both topics, asked for in a thread of its own.
 *
 * Kafka may be slow or away; whoever draws takes what was last heard and never waits. */
#ifndef TANDEM_ENDS_H
#define TANDEM_ENDS_H

#include "common/config.h"
#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

struct ends;

/* Starts asking, each second. Keeps `config`. 0, caller owns *out until ends_free(). */
int ends_open(struct ends **out, const struct config *config, struct error *err);
/* Waits for a question under way, at most two seconds. NULL is fine. */
void ends_free(struct ends *ends);
/* The sum of the ends of the partitions of sales (0) or service (1); -1: not known now. */
int64_t ends_sum(struct ends *ends, int side);
/* Waits until both were asked for once. */
void ends_wait(struct ends *ends);

#endif

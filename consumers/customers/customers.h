/* customers.h - the kind of worker that knows customers, and its command.
 *
 * Reads both topics. Of each batch it asks the shard what is known of the batch's customers, adds
 * the batch's events, and writes the new states together with what they change in the counters:
 * ledger.h does the adding, worker.h the rest. docs/redis.md has the rules and the keys. */
#ifndef TANDEM_CUSTOMERS_H
#define TANDEM_CUSTOMERS_H

#include "common/command.h"
#include "consumers/worker/kind.h"

extern const struct kind customers_worker_kind;
extern const struct command customers_worker_command;

#endif

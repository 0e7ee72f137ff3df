/* audit_log.h - one topic, read partition by partition up to exact offsets, and later further.
 *
 * In no consumer group: the workers do not notice. One thread. */
#ifndef TANDEM_AUDIT_LOG_H
#define TANDEM_AUDIT_LOG_H

#include "common/config.h"
#include "common/error.h"
#include "common/record.h"
#include "common/store.h"

struct audit_log;

/* Takes one record; it is valid during the call. -1 ends the reading. */
typedef int audit_log_take(void *context, const struct record *record, struct error *err);

/* Begins where the store of `state` begins in each of its partitions of its topic number `topic`,
 * once it is checked that this is the topic and that it still holds these offsets (ERROR_LOG
 * otherwise). Partitions that are not the store's are left alone: their target is 0.
 * 0, caller owns *out until audit_log_free(). */
int audit_log_open(struct audit_log **out, const struct config *config,
                   const struct store_state *state, int topic, struct error *err);
void audit_log_free(struct audit_log *log);

/* Gives every committed record below targets[p], of each partition in order; what was given by
 * earlier walks is not given again. -1: Kafka, the log does not reach a target, or a signal. */
int audit_log_walk(struct audit_log *log, const int64_t *targets, audit_log_take *take,
                   void *context, struct error *err);

#endif

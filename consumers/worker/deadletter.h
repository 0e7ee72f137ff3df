/* deadletter.h - records that cannot be counted, kept with their reason.
 *
 * Each goes to the topic of rejected records with key `topic/partition/offset`, and a worker's
 * position moves past it only after Kafka acknowledged that. At least once: the key tells copies
 * apart. docs/events.md, "What is rejected, and how to mend it". */
#ifndef TANDEM_DEADLETTER_H
#define TANDEM_DEADLETTER_H

#include "common/config.h"
#include "common/error.h"
#include "common/event.h"

#include <stdbool.h>
#include <stdint.h>

struct deadletters;

/* 0, caller owns *out until deadletters_free(). */
int deadletters_open(struct deadletters **out, const struct config *config, struct error *err);
void deadletters_free(struct deadletters *letters);
/* Waits for the broker and checks that the topic exists. */
int deadletters_wait(struct deadletters *letters, struct error *err);

/* Sends one record with its reason. 0; -1 when it could not even be queued (err->retry). */
int deadletters_add(struct deadletters *letters, const char *topic, const struct record *record,
                    const struct rejection *why, struct error *err);

/* Waits up to `wait_ms` until all that were added are acknowledged. True when they are. */
bool deadletters_settled(struct deadletters *letters, int64_t wait_ms);
/* True when so many wait for their acknowledgement that a batch should end. */
bool deadletters_full(const struct deadletters *letters);
/* How many failed since the last call; what they were, err says (of the last one). */
int64_t deadletters_failed(struct deadletters *letters, struct error *err);

#endif

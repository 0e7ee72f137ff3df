/* known.h - the identities of the valid events that stand in a topic.
 *
 * A file sent a second time is longer than any duplicate window of a worker, so whoever resends
 * one reads the topic first and skips what stands there. 16 bytes an id, at most twice that while
 * and after it grows. Use from one thread. */
#ifndef TANDEM_KNOWN_H
#define TANDEM_KNOWN_H

#include "common/config.h"
#include "common/error.h"
#include "common/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <xxhash.h>

struct known;

/* Reads `topic`, of `side`, from its beginning to its end of this moment; only what a worker would
 * count is kept. `progress`: tell how far it is, when stderr is a terminal. 0, caller owns *out
 * until known_free(); -1 Kafka, no such topic, memory, or a signal asked to stop. */
int known_open(struct known **out, const struct config *config, const char *topic, enum side side,
               bool progress, struct error *err);
/* The same without reading anything. */
int known_empty(struct known **out, struct error *err);
void known_free(struct known *known);

/* `id` is event_hash(). */
bool known_has(const struct known *known, XXH128_hash_t id);
/* Puts `id` in; twice is fine. -1 when memory is short. */
int known_add(struct known *known, XXH128_hash_t id, struct error *err);
size_t known_count(const struct known *known);

#endif

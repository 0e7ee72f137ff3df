/* keeper.h - the targets in force: from the file that was given, else those kept in Redis.
 *
 * A file is taken whole or refused whole; refused, the targets that were in force stay. */
#ifndef TANDEM_KEEPER_H
#define TANDEM_KEEPER_H

#include "common/config.h"
#include "common/error.h"
#include "common/redis.h"
#include "consumers/comparison/targets.h"

#include <stdbool.h>

struct keeper;

/* 0, caller owns *out until keeper_free(). Keeps `config`. */
int keeper_open(struct keeper **out, const struct config *config, struct error *err);
void keeper_free(struct keeper *keeper);

/* Reads the file of the setting `targets`, if one is given, and logs every mistake and warning.
 * 0; -1 when it was refused. */
int keeper_read_file(struct keeper *keeper, struct error *err);
/* With a file: keeps its text in Redis. Without: takes what Redis keeps. 0, or -1 (Redis). Text in
 * Redis that is not a targets file is logged and passed over. */
int keeper_sync(struct keeper *keeper, struct redis *redis, struct error *err);

/* NULL: none. Valid until the next call of the above. */
const struct targets *keeper_targets(const struct keeper *keeper);
/* The text they were read from; "" when there are none. */
const char *keeper_text(const struct keeper *keeper);

#endif

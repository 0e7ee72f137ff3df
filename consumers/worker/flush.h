/* flush.h - the sums in memory as one batch for the store. Pure. */
#ifndef TANDEM_FLUSH_H
#define TANDEM_FLUSH_H

#include "common/batch.h"
#include "consumers/worker/fold.h"

/* Adds all sums of fold->tally to the batch, under Redis keys that begin with `prefix`
 * ("tandem:{main}:", docs/redis.md). Hours whose counters have expired at `now_s` (epoch seconds) are left out. */
void flush_tally(const struct fold *fold, const char *prefix, int64_t now_s,
                 struct batch *batch);

#endif

/* gap.h - going on where the log is not what the store stands at, because an operator said so.
 *
 * Every step leaves a note in the hash `gap`, which reports show from then on (docs/guarantees.md,
 * "Gaps"). Nothing here happens without --accept-gap. */
#ifndef TANDEM_GAP_H
#define TANDEM_GAP_H

#include "consumers/worker/opening.h"

/* The topic of opening->logs[topic] is another one than the store counts (its id or its cluster):
 * counts it from its beginning, on top of what is there. */
enum store_answer gap_take_topic(struct opening *opening, int topic, struct error *err);

/* The log does not hold the position of one partition: takes it to the nearest offset that the log
 * of opening->logs[topic] does hold. */
enum store_answer gap_step_over(struct opening *opening, int topic, int32_t partition,
                                struct error *err);

#endif

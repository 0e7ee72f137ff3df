/* scan.h - reads a topic from beginning to end, once, without a group. */
#ifndef TANDEM_SCAN_H
#define TANDEM_SCAN_H

#include "common/config.h"
#include "common/error.h"
#include "common/record.h"

#include <stdbool.h>
#include <stdint.h>

struct scan_progress {
    int64_t done, total;
}; /* offsets */

/* Called for each record in the order of its partition; false ends the scan early. The record
 * is valid during the call. */
typedef bool scan_record(void *context, const struct record *record);
/* Called a few times a second; may be NULL. */
typedef void scan_tick(void *context, struct scan_progress progress);

/* Reads every partition of `topic` from its first offset to the last stable offset of this moment,
 * only committed records, interleaved between partitions. 0, or -1 (Kafka, topic does not exist,
 * or a signal asked to stop). */
int scan_topic(const struct config *config, const char *topic, scan_record *record, scan_tick *tick,
               void *context, struct error *err);

#endif

/* judge.h - what one record of a topic adds to the counters. Pure: no I/O, no clock.
 *
 * The one place where it is decided whether a record counts, so that everybody who reads the log -
 * to count it, to recount it - decides alike. docs/events.md, "How it is counted". */
#ifndef TANDEM_JUDGE_H
#define TANDEM_JUDGE_H

#include "common/event.h"
#include "common/record.h"
#include "common/seen.h"
#include "consumers/worker/fold.h"

enum judged {
    JUDGED_COUNTED,
    JUDGED_BEFORE_FLOOR,
    JUDGED_DUPLICATE,
    JUDGED_IGNORED,
    JUDGED_TOMBSTONE,
    JUDGED_REJECTED
};

struct judge {
    struct decoder *decoder;
    struct fold *fold;
    int32_t partitions; /* of the topic */
};

/* Adds one record to the sums of judge->fold. `seen` is the window of its partition and must have
 * room for it (seen_room()). Fills *why on JUDGED_REJECTED. */
enum judged judge_record(const struct judge *judge, struct seen *seen, const struct record *record,
                         struct rejection *why);

#endif

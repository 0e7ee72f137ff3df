/* record.h - one Kafka record, as bytes.
 *
 * The pure side's view of a record: it owns nothing and stays valid as long as whoever made it
 * says. Knows no Kafka library. */
#ifndef TANDEM_RECORD_H
#define TANDEM_RECORD_H

#include "common/text.h"

#include <stdint.h>

enum side { SIDE_SALE, SIDE_SERVICE, SIDES };

struct record_header {
    struct text name;
    struct text value; /* at NULL: a header without value */
};

struct record {
    int32_t partition;
    int32_t leader_epoch; /* -1: unknown */
    int64_t offset;
    int64_t timestamp_ms; /* Kafka's time stamp, epoch milliseconds; -1: none */
    struct text key;      /* at NULL: no key */
    struct text value;    /* at NULL: a tombstone */
    const struct record_header *headers;
    size_t header_count;
};

/* "sale", "service": as in Redis keys and event types. */
const char *side_name(enum side side);

#endif

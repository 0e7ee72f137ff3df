/* letter.h - one dead letter: a record that could not be counted, as a worker put it aside.
 *
 * What consumers/worker/deadletter.h writes, read again. Its key `topic/partition/offset` says where the
 * original stands and is its identity: copies have the same. Pure. */
#ifndef TANDEM_LETTER_H
#define TANDEM_LETTER_H

#include "common/record.h"

#include <stdbool.h>
#include <xxhash.h>

#define LETTER_REASON_MAX 39

/* Its texts point into the record it was read from. */
struct letter {
    struct text key;   /* "tandem.sales/2/17" */
    struct text topic; /* where the original stands */
    int32_t partition;
    int64_t offset;
    struct text reason;    /* "bad_field" */
    struct text detail;    /* "data.net: must be ..." */
    struct text truncated; /* "key 5, value 70000, headers 0"; at NULL: it is here whole */
    int64_t rejected_ms;   /* epoch milliseconds; -1: unknown */
    struct record record;  /* the original: its own key, value and headers, no time stamp */
};

/* False when the record is none. */
bool letter_read(const struct record *record, struct letter *out);

/* Takes a key apart; false when it is none. */
bool letter_key(struct text key, struct text *topic, int32_t *partition, int64_t *offset);

/* The hash of the source and id that a record states, whatever else is wrong with it: event_hash()
 * of the event that it should have been. False when it states none. */
bool letter_event_hash(const struct record *record, XXH128_hash_t *hash);

/* Whether a value is a whole event (structured), rather than the `data` of one in binary mode. */
bool letter_is_event(struct text value);

#endif

#include "consumers/worker/judge.h"

#include "common/partitioner.h"

static bool misplaced(const struct judge *judge, const struct record *record,
                      const struct event *event)
{
    struct text key = event_key(event);
    if (!record->key.at || !text_equal(record->key, key))
        return true;
    if (event->partitionkey.at && !text_equal(event->partitionkey, key))
        return true;
    return partition_of(record->key, judge->partitions) != record->partition;
}

static enum judged fold_valid(const struct judge *judge, struct seen *seen,
                              const struct record *record, const struct event *event)
{
    if (seen_stage(seen, decoder_identity(judge->decoder), record->offset)) {
        fold_record(judge->fold, RECORD_DUPLICATES, record->timestamp_ms);
        return JUDGED_DUPLICATE;
    }
    if (!fold_counts(judge->fold, event)) {
        fold_record(judge->fold, RECORD_BEFORE_FLOOR, record->timestamp_ms);
        return JUDGED_BEFORE_FLOOR;
    }
    fold_event(judge->fold, event);
    if (misplaced(judge, record, event))
        fold_record(judge->fold, RECORD_MISPLACED, record->timestamp_ms);
    return JUDGED_COUNTED;
}

enum judged judge_record(const struct judge *judge, struct seen *seen, const struct record *record,
                         struct rejection *why)
{
    struct event event;
    /* Else the look-up in the window waits for memory: that took a tenth of a worker's time. */
    decoder_expect(judge->decoder, seen);
    enum verdict verdict =
        decoder_decode(judge->decoder, record, judge->fold->kind->side, &event, why);
    decoder_expect(judge->decoder, NULL); /* the window may be gone by the next decoding */
    switch (verdict) {
    case VERDICT_VALID:
        return fold_valid(judge, seen, record, &event);
    case VERDICT_IGNORED:
        fold_record(judge->fold, RECORD_IGNORED, record->timestamp_ms);
        return JUDGED_IGNORED;
    case VERDICT_TOMBSTONE:
        fold_record(judge->fold, RECORD_TOMBSTONES, record->timestamp_ms);
        return JUDGED_TOMBSTONE;
    case VERDICT_REJECTED:
        break;
    }
    fold_record(judge->fold, (enum record_field)why->reason, record->timestamp_ms);
    return JUDGED_REJECTED;
}

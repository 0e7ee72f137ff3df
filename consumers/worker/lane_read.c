#include "consumers/worker/lane.h"

#include "common/clock.h"
#include "common/log.h"
#include "consumers/worker/gap.h"

#include <inttypes.h>

enum {
    IMPOSSIBLE_MS = 30000,       /* an offset is refused for so long before it counts as gone: a
                                    new leader may trail for a while */
    IMPOSSIBLE_RETRY_MS = 1000,
    IMPOSSIBLE_PAUSE_MS = 10000  /* two refusals further apart are two troubles, not one */
};

static int reject(struct worker *w, const struct part *part, const struct record *record,
                  const struct rejection *why, struct error *err)
{
    const struct worker_options *options = &w->options;
    w->totals.rejected++;
    w->totals.rejects[why->reason]++;
    if (!w->letters || (options->letters_from && part->partition < options->letters_count &&
                        record->offset < options->letters_from[part->partition]))
        return 0;
    return deadletters_add(w->letters, w->topics[part->topic], record, why, err);
}

static int count_record(struct lane *lane, struct part *part, const struct record *record,
                        struct error *err)
{
    struct worker *w = lane->worker;
    struct rejection why;
    w->totals.records++;
    switch (w->kind->take(lane->own, part->topic, part->seen, record, &why)) {
    case JUDGED_COUNTED:
        w->totals.counted++;
        break;
    case JUDGED_DUPLICATE:
        w->totals.duplicates++;
        break;
    case JUDGED_IGNORED:
        w->totals.ignored++;
        break;
    case JUDGED_TOMBSTONE:
        w->totals.tombstones++;
        break;
    case JUDGED_BEFORE_FLOOR:
        w->totals.before_floor++;
        break;
    case JUDGED_REJECTED:
        return reject(w, part, record, &why, err);
    }
    return 0;
}

/* Below the position a record only tells the window what was there. */
static void fill_window(struct lane *lane, struct part *part, const struct record *record)
{
    struct event event;
    struct rejection why;
    if (record->offset >= part->begin &&
        decoder_decode(lane->worker->decoder, record, lane->worker->kind->sides[part->topic], &event,
                       &why) == VERDICT_VALID)
        seen_fill(part->seen, event_hash(&event), record->offset);
    part->next = record->offset + 1;
}

static bool full(const struct lane *lane)
{
    const struct worker *w = lane->worker;
    return w->kind->full(lane->own) || (w->letters && deadletters_full(w->letters));
}

static int fold_one(struct lane *lane, struct part *part, const struct record *record,
                    struct error *err)
{
    if (count_record(lane, part, record, err) != 0) {
        if (!err->retry)
            return -1;
        lane_say_trouble(lane, "waiting for the topic of rejected records", err);
        lane_drop_for_later(lane);
        return 0;
    }
    part->folded = (struct place){record->offset + 1, record->leader_epoch};
    part->next = record->offset + 1;
    part->confirmed = true;
    part->impossible_ms = 0;
    if (!lane->due_ms)
        lane->due_ms = clock_mono_ms() + lane->worker->config->flush_ms;
    return full(lane) ? lane_flush(lane, lane->worker->config->redis_timeout_ms, err) : 0;
}

static int take_record(struct lane *lane, struct part *part, const struct record *record,
                       struct error *err)
{
    if (record->offset < part->next)
        return 0;
    if (record->offset < part->stored.offset) {
        fill_window(lane, part, record);
        return 0;
    }
    while (part->reading && !seen_room(part->seen, record->offset)) {
        if (!parts_dirty(&lane->parts) && !lane->in_flight) {
            /* A gap of the log wider than the ring: there is nothing to apply before it. */
            seen_commit(part->seen, record->offset);
            break;
        }
        if (lane_flush(lane, lane->worker->config->redis_timeout_ms, err) != 0 ||
            lane_settle(lane, lane->worker->config->redis_timeout_ms, err) != 0)
            return -1;
    }
    return part->reading ? fold_one(lane, part, record, err) : 0;
}

/* The log has refused the position for long enough. */
static int gone(struct lane *lane, struct part *part, const char *text, struct error *err)
{
    const char *topic = lane->worker->topics[part->topic];
    struct broker_topic *log = &lane->opening.logs[part->topic];
    if (broker_describe(lane->worker->broker, topic, log, err) != 0)
        return err->retry ? 0 : -1;
    if (lane->worker->options.accept_gap) {
        enum store_answer answer =
            gap_step_over(&lane->opening, part->topic, part->partition, err);
        part->impossible_ms = 0;
        return answer == STORE_BROKEN ? -1 : 0;
    }
    return error_set(err, ERROR_LOG,
                     "%s partition %" PRId32 ": the store stands at offset %" PRId64 ", the log "
                     "holds %" PRId64 " to %" PRId64 ": %s; what lies between is lost (retention, "
                     "or an unclean election); --accept-gap goes on without it and says so in "
                     "every report",
                     topic, part->partition, part->stored.offset,
                     log->starts[part->partition], log->ends[part->partition],
                     text);
}

static int impossible(struct lane *lane, struct part *part, const char *text, struct error *err)
{
    int64_t now_ms = clock_mono_ms();
    struct error why;
    if (!part->impossible_ms || now_ms - part->refused_ms > IMPOSSIBLE_PAUSE_MS)
        part->impossible_ms = now_ms;
    part->refused_ms = now_ms;
    error_set(&why, ERROR_LOG, "%s partition %" PRId32 ": offset %" PRId64 ": %s",
              lane->worker->topics[part->topic], part->partition, part->stored.offset, text);
    lane_say_trouble(lane, "the log does not give what the store expects", &why);
    if (now_ms - part->impossible_ms >= IMPOSSIBLE_MS && gone(lane, part, text, err) != 0)
        return -1;
    lane_drop(lane);
    lane_hold(lane);
    lane->look_ms = now_ms + IMPOSSIBLE_RETRY_MS;
    return 0;
}

static int take_end(struct lane *lane, struct part *part, int64_t offset, struct error *err)
{
    if (offset < part->stored.offset)
        return impossible(lane, part, "the log ends before it", err);
    part->confirmed = true;
    part->impossible_ms = 0;
    if (offset > part->next)
        part->next = offset;
    /* Behind the last record there may be control records: the position passes them too. */
    if (offset > part->folded.offset) {
        part->folded.offset = offset;
        if (!lane->due_ms)
            lane->due_ms = clock_mono_ms() + lane->worker->config->flush_ms;
    }
    return 0;
}

int lane_take_item(struct lane *lane, const struct broker_item *item, struct error *err)
{
    struct part *part = parts_find(&lane->parts, item->topic, item->partition);
    if (!part || !part->reading)
        return 0;
    switch (item->what) {
    case BROKER_RECORD:
        return take_record(lane, part, &item->record, err);
    case BROKER_END:
        return take_end(lane, part, item->offset, err);
    case BROKER_IMPOSSIBLE:
        return impossible(lane, part, item->text, err);
    case BROKER_TRUNCATED:
        part->impossible_ms = clock_mono_ms() - IMPOSSIBLE_MS; /* the broker is sure of it */
        return impossible(lane, part, item->text, err);
    case BROKER_REFUSED: /* of no partition: the worker's */
        return 0;
    }
    return 0;
}

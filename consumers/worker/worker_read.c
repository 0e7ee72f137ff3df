#include "consumers/worker/worker_inside.h"

#include "common/clock.h"
#include "common/log.h"
#include "consumers/worker/gap.h"
#include "consumers/worker/judge.h"

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
    if (options->letters_from && part->partition < options->letters_count &&
        record->offset < options->letters_from[part->partition])
        return 0;
    return deadletters_add(w->letters, w->topics[part->topic], record, why, err);
}

static int count_record(struct worker *w, struct part *part, const struct record *record,
                        struct error *err)
{
    struct judge judge = {w->decoder, &w->fold, w->opening.log.partitions};
    struct rejection why;
    w->totals.records++;
    switch (judge_record(&judge, part->seen, record, &why)) {
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
        break;
    case JUDGED_REJECTED:
        return reject(w, part, record, &why, err);
    }
    return 0;
}

/* Below the position a record only tells the window what was there. */
static void fill_window(struct worker *w, struct part *part, const struct record *record)
{
    struct event event;
    struct rejection why;
    if (record->offset >= part->begin &&
        decoder_decode(w->decoder, record, w->kind->side, &event, &why) == VERDICT_VALID)
        seen_fill(part->seen, event_hash(&event), record->offset);
    part->next = record->offset + 1;
}

static bool full(const struct worker *w)
{
    return tally_cells(w->tally) >= (size_t)w->config->flush_cells || tally_full(w->tally) ||
           deadletters_full(w->letters);
}

static int fold_one(struct worker *w, struct part *part, const struct record *record,
                    struct error *err)
{
    if (count_record(w, part, record, err) != 0) {
        if (!err->retry)
            return -1;
        worker_say_trouble(w, "waiting for the topic of rejected records", err);
        worker_drop_for_later(w);
        return 0;
    }
    part->folded = (struct place){record->offset + 1, record->leader_epoch};
    part->next = record->offset + 1;
    part->confirmed = true;
    part->impossible_ms = 0;
    if (!w->due_ms)
        w->due_ms = clock_mono_ms() + w->config->flush_ms;
    return full(w) ? worker_flush(w, w->config->redis_timeout_ms, err) : 0;
}

static int take_record(struct worker *w, struct part *part, const struct record *record,
                       struct error *err)
{
    if (record->offset < part->next)
        return 0;
    if (record->offset < part->stored.offset) {
        fill_window(w, part, record);
        return 0;
    }
    while (part->reading && !seen_room(part->seen, record->offset)) {
        if (!parts_dirty(&w->parts) && !w->in_flight) {
            /* A gap of the log wider than the ring: there is nothing to apply before it. */
            seen_commit(part->seen, record->offset);
            break;
        }
        if (worker_flush(w, w->config->redis_timeout_ms, err) != 0 ||
            worker_settle(w, w->config->redis_timeout_ms, err) != 0)
            return -1;
    }
    return part->reading ? fold_one(w, part, record, err) : 0;
}

/* The log has refused the position for long enough. */
static int gone(struct worker *w, struct part *part, const char *text, struct error *err)
{
    const char *topic = w->topics[part->topic];
    if (broker_describe(w->broker, topic, &w->opening.log, err) != 0)
        return err->retry ? 0 : -1;
    if (w->options.accept_gap) {
        enum store_answer answer = gap_step_over(&w->opening, part->partition, err);
        part->impossible_ms = 0;
        return answer == STORE_BROKEN ? -1 : 0;
    }
    return error_set(err, ERROR_LOG,
                     "%s partition %" PRId32 ": the store stands at offset %" PRId64 ", the log "
                     "holds %" PRId64 " to %" PRId64 ": %s; what lies between is lost (retention, "
                     "or an unclean election); --accept-gap goes on without it and says so in "
                     "every report",
                     topic, part->partition, part->stored.offset,
                     w->opening.log.starts[part->partition], w->opening.log.ends[part->partition],
                     text);
}

static int impossible(struct worker *w, struct part *part, const char *text, struct error *err)
{
    int64_t now_ms = clock_mono_ms();
    struct error why;
    if (!part->impossible_ms || now_ms - part->refused_ms > IMPOSSIBLE_PAUSE_MS)
        part->impossible_ms = now_ms;
    part->refused_ms = now_ms;
    error_set(&why, ERROR_LOG, "%s partition %" PRId32 ": offset %" PRId64 ": %s",
              w->topics[part->topic], part->partition, part->stored.offset, text);
    worker_say_trouble(w, "the log does not give what the store expects", &why);
    if (now_ms - part->impossible_ms >= IMPOSSIBLE_MS && gone(w, part, text, err) != 0)
        return -1;
    worker_drop(w);
    broker_pause(w->broker);
    w->look_ms = now_ms + IMPOSSIBLE_RETRY_MS;
    return 0;
}

static int take_end(struct worker *w, struct part *part, int64_t offset, struct error *err)
{
    if (offset < part->stored.offset)
        return impossible(w, part, "the log ends before it", err);
    part->confirmed = true;
    part->impossible_ms = 0;
    if (offset > part->next)
        part->next = offset;
    /* Behind the last record there may be control records: the position passes them too. */
    if (offset > part->folded.offset) {
        part->folded.offset = offset;
        if (!w->due_ms)
            w->due_ms = clock_mono_ms() + w->config->flush_ms;
    }
    return 0;
}

int worker_take_item(struct worker *w, const struct broker_item *item, struct error *err)
{
    struct part *part = parts_find(&w->parts, item->topic, item->partition);
    if (!part || !part->reading)
        return 0;
    switch (item->what) {
    case BROKER_RECORD:
        return take_record(w, part, &item->record, err);
    case BROKER_END:
        return take_end(w, part, item->offset, err);
    case BROKER_IMPOSSIBLE:
        return impossible(w, part, item->text, err);
    case BROKER_TRUNCATED:
        part->impossible_ms = clock_mono_ms() - IMPOSSIBLE_MS; /* the broker is sure of it */
        return impossible(w, part, item->text, err);
    }
    return 0;
}

#include "consumers/worker/gap.h"

#include "common/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { NOTE_BYTES = 160 };

static const struct store_position *position_of(const struct opening *o, int topic,
                                                int32_t partition)
{
    for (size_t i = 0; i < o->state.position_count; i++)
        if (o->state.positions[i].topic == topic && o->state.positions[i].partition == partition)
            return &o->state.positions[i];
    return NULL;
}

enum store_answer gap_take_topic(struct opening *o, int topic, struct error *err)
{
    const struct store_topic *known = &o->state.topics[topic];
    const struct broker_topic *log = &o->logs[topic];
    struct store_topic now = *known;
    size_t room = (size_t)log->partitions, count = 0;
    struct store_position *to = calloc(room, sizeof *to);
    char(*texts)[NOTE_BYTES] = calloc(room, sizeof *texts);
    const char **notes = calloc(room, sizeof *notes);
    enum store_answer answer = STORE_BROKEN;
    snprintf(now.cluster, sizeof now.cluster, "%s", log->cluster);
    snprintf(now.id, sizeof now.id, "%s", log->id);
    if (!to || !texts || !notes) {
        error_memory(err);
        goto out;
    }
    for (int32_t p = 0; p < log->partitions; p++) {
        const struct store_position *from = position_of(o, topic, p);
        if (!from) /* another shard's */
            continue;
        to[count] = (struct store_position){topic, p, log->starts[p], {log->starts[p], -1}};
        snprintf(texts[count], NOTE_BYTES, "made-anew:%s@%" PRId64, known->id, from->at.offset);
        notes[count] = texts[count];
        count++;
    }
    answer = store_accept(o->store, &o->state, topic, &now, to, count, notes, err);
    if (answer == STORE_DONE)
        log_warning("another topic is counted from now on, on top of what is there",
                    log_s("topic", known->name), log_s("before", known->id), log_s("now", now.id));
out:
    free(to);
    free(texts);
    free(notes);
    return answer;
}

enum store_answer gap_step_over(struct opening *o, int topic, int32_t partition,
                                struct error *err)
{
    const struct store_position *from = position_of(o, topic, partition);
    int64_t start = o->logs[topic].starts[partition], end = o->logs[topic].ends[partition];
    char text[NOTE_BYTES];
    const char *note = text;
    if (!from) {
        error_set(err, ERROR_STORE, "the store has no position for partition %" PRId32, partition);
        return STORE_BROKEN;
    }
    struct store_position to = *from;
    to.at.epoch = -1;
    if (from->at.offset < start) {
        to.at.offset = start;
        snprintf(text, sizeof text, "skipped:%" PRId64 "-%" PRId64, from->at.offset, start);
    } else if (from->at.offset > end) {
        to.at.offset = end;
        snprintf(text, sizeof text, "unbacked:%" PRId64 "-%" PRId64, end, from->at.offset);
    } else {
        snprintf(text, sizeof text, "rewritten:%" PRId64, from->at.offset);
    }
    enum store_answer answer = store_accept(o->store, &o->state, topic, NULL, &to, 1, &note, err);
    if (answer == STORE_DONE)
        log_warning("a gap of the log is stepped over", log_s("topic", o->state.topics[topic].name),
                    log_i("partition", partition), log_i("from", from->at.offset),
                    log_i("to", to.at.offset));
    return answer;
}

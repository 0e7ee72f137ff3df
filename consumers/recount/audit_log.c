#include "consumers/recount/audit_log.h"

#include "common/clock.h"
#include "common/command.h"
#include "common/describe.h"
#include "common/kafka.h"
#include "common/message.h"

#include <inttypes.h>
#include <stdlib.h>

enum { BATCH = 1000, POLL_MS = 100, QUIET_MS = 60000 };

struct part {
    int64_t next;                    /* nothing below it is still to come */
    rd_kafka_message_t *held[BATCH]; /* read already, not given yet */
    int held_count, held_at;
    bool started;
};

struct audit_log {
    rd_kafka_t *client;
    rd_kafka_topic_t *topic;
    const char *name;
    struct part *parts;
    int32_t part_count;
    struct message_headers headers;
    int64_t heard_ms;
};

/* ---- the right log ---- */

static bool differs(const char *known, const char *now)
{
    return known[0] && now[0] && strcmp(known, now) != 0;
}

static int check(const struct config *config, const struct store_state *state, int topic,
                 const struct broker_topic *log, struct error *err)
{
    const struct store_topic *known = &state->topics[topic];
    if (differs(known->cluster, log->cluster) ||
        (config->topic_id_check && differs(known->id, log->id)))
        return error_set(err, ERROR_LOG,
                         "topic %s is not the one that was counted: the store knows cluster %s, "
                         "topic id %s; this is cluster %s, topic id %s",
                         known->name, known->cluster, known->id, log->cluster, log->id);
    if (known->partitions != log->partitions)
        return error_set(err, ERROR_LOG,
                         "topic %s has %" PRId32 " partitions, the store counts %" PRId32,
                         known->name, log->partitions, known->partitions);
    for (size_t i = 0; i < state->position_count; i++) {
        const struct store_position *p = &state->positions[i];
        if (p->topic == topic && log->starts[p->partition] > p->begin)
            return error_set(err, ERROR_LOG,
                             "%s partition %" PRId32 " was counted from offset %" PRId64 " on, but "
                             "the log now begins at %" PRId64 ": what is gone cannot be recounted",
                             known->name, p->partition, p->begin, log->starts[p->partition]);
    }
    return 0;
}

/* ---- opening ---- */

static int start(struct audit_log *log, const struct store_state *state, int topic,
                 struct error *err)
{
    for (size_t i = 0; i < state->position_count; i++) {
        const struct store_position *p = &state->positions[i];
        if (p->topic != topic)
            continue;
        log->parts[p->partition].next = p->begin;
        if (rd_kafka_consume_start(log->topic, p->partition, p->begin))
            return error_set(err, ERROR_KAFKA, "%s partition %" PRId32 ": %s", log->name,
                             p->partition, rd_kafka_err2str(rd_kafka_last_error()));
        log->parts[p->partition].started = true;
    }
    return 0;
}

static int open_topic(struct audit_log *log, const struct config *config,
                      const struct store_state *state, int topic, struct error *err)
{
    struct broker_topic found = {.retention_ms = -1};
    log->client = kafka_open(config, KAFKA_READER, NULL, NULL, NULL, err);
    if (!log->client || kafka_wait(log->client, config, err) != 0)
        return -1;
    int rc = describe_topic(log->client, config, log->name, &found, err);
    if (rc == 0)
        rc = check(config, state, topic, &found, err);
    broker_topic_clear(&found);
    if (rc != 0)
        return -1;
    log->part_count = state->topics[topic].partitions;
    log->parts = calloc((size_t)log->part_count, sizeof *log->parts);
    log->topic = rd_kafka_topic_new(log->client, log->name, NULL);
    return log->parts && log->topic ? start(log, state, topic, err) : error_memory(err);
}

int audit_log_open(struct audit_log **out, const struct config *config,
                   const struct store_state *state, int topic, struct error *err)
{
    struct audit_log *log = calloc(1, sizeof *log);
    *out = NULL;
    if (!log)
        return error_memory(err);
    log->name = state->topics[topic].name;
    if (open_topic(log, config, state, topic, err) != 0) {
        audit_log_free(log);
        return -1;
    }
    *out = log;
    return 0;
}

static void discard(struct part *part)
{
    for (; part->held_at < part->held_count; part->held_at++)
        rd_kafka_message_destroy(part->held[part->held_at]);
}

void audit_log_free(struct audit_log *log)
{
    if (!log)
        return;
    for (int32_t p = 0; log->parts && p < log->part_count; p++) {
        discard(&log->parts[p]);
        if (log->parts[p].started)
            rd_kafka_consume_stop(log->topic, p);
    }
    if (log->topic)
        rd_kafka_topic_destroy(log->topic);
    if (log->client)
        rd_kafka_destroy(log->client);
    message_headers_free(&log->headers);
    free(log->parts);
    free(log);
}

/* ---- walking ---- */

/* Errors that the client mends by itself; everything else would only repeat. */
static bool passes(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
           code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__RESOLVE ||
           code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
           code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
}

static int take_error(struct audit_log *log, struct part *part, const rd_kafka_message_t *message,
                      struct error *err)
{
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        /* Behind the last record there may be control records. */
        if (message->offset > part->next)
            part->next = message->offset;
        return 0;
    }
    if (passes(message->err))
        return 0;
    return error_set(err, ERROR_LOG, "%s partition %" PRId32 ", offset %" PRId64 ": %s", log->name,
                     message->partition, part->next, rd_kafka_message_errstr(message));
}

static int give(struct audit_log *log, struct part *part, const rd_kafka_message_t *message,
                audit_log_take *take, void *context, struct error *err)
{
    struct record record;
    if (message->offset < part->next)
        return 0;
    if (message_record(message, &log->headers, &record, err) != 0)
        return -1;
    part->next = message->offset + 1;
    return take(context, &record, err);
}

/* Gives what is held below the target. A record beyond it stays, and tells that all below it has
 * come. */
static int give_held(struct audit_log *log, struct part *part, int64_t target, audit_log_take *take,
                     void *context, struct error *err)
{
    int rc = 0;
    while (part->held_at < part->held_count && part->next < target && rc == 0) {
        rd_kafka_message_t *message = part->held[part->held_at];
        if (!message->err && message->offset >= target) {
            part->next = target;
            break;
        }
        rc = message->err ? take_error(log, part, message, err)
                          : give(log, part, message, take, context, err);
        rd_kafka_message_destroy(message);
        part->held_at++;
    }
    return rc;
}

static int check_wait(const struct audit_log *log, int32_t partition, int64_t target,
                      struct error *err)
{
    if (command_stopping())
        return error_set(err, ERROR_STOPPED, "stopped while reading topic %s", log->name);
    if (clock_mono_ms() - log->heard_ms > QUIET_MS)
        return error_set(err, ERROR_LOG,
                         "%s partition %" PRId32 " stops at offset %" PRId64 ": nothing came for "
                         "%d s; the store stands at %" PRId64,
                         log->name, partition, log->parts[partition].next, QUIET_MS / 1000, target);
    return 0;
}

static int read_more(struct audit_log *log, int32_t partition)
{
    struct part *part = &log->parts[partition];
    ssize_t count = rd_kafka_consume_batch(log->topic, partition, POLL_MS, part->held, BATCH);
    part->held_at = 0;
    part->held_count = count > 0 ? (int)count : 0;
    rd_kafka_poll(log->client, 0);
    return part->held_count;
}

static int walk_part(struct audit_log *log, int32_t partition, int64_t target, audit_log_take *take,
                     void *context, struct error *err)
{
    struct part *part = &log->parts[partition];
    log->heard_ms = clock_mono_ms();
    for (;;) {
        if (give_held(log, part, target, take, context, err) != 0 ||
            check_wait(log, partition, target, err) != 0)
            return -1;
        if (part->next >= target)
            return 0;
        if (read_more(log, partition) > 0)
            log->heard_ms = clock_mono_ms();
    }
}

int audit_log_walk(struct audit_log *log, const int64_t *targets, audit_log_take *take,
                   void *context, struct error *err)
{
    for (int32_t p = 0; p < log->part_count; p++)
        if (walk_part(log, p, targets[p], take, context, err) != 0)
            return -1;
    return 0;
}

#include "common/scan.h"

#include "common/clock.h"
#include "common/command.h"
#include "common/kafka.h"

#include <stdlib.h>

enum { BATCH = 1000, POLL_MS = 20, TICK_MS = 250, QUIET_MS = 60000, ASK_MS = 10000 };

struct part {
    int64_t begin, next, end; /* offsets; end: the last stable one when the scan began */
    bool reading;
};

struct scan {
    const char *topic;
    rd_kafka_t *client;
    rd_kafka_topic_t *handle;
    rd_kafka_queue_t *queue;
    struct part *parts;
    int part_count;
    int open_parts; /* not yet at their end */
    bool ended;     /* the caller has enough */
    struct record_header *headers;
    size_t headers_room;
    scan_record *record;
    scan_tick *tick;
    void *context;
    int64_t ticked_ms, heard_ms;
};

static int open_topic(struct scan *scan, const struct config *config, struct error *err)
{
    scan->client = kafka_open(config, KAFKA_READER, NULL, NULL, NULL, err);
    if (!scan->client || kafka_wait(scan->client, config, err)) {
        return -1;
    }
    scan->part_count = kafka_partitions(scan->client, scan->topic, err);
    if (scan->part_count == 0) {
        return error_set(err, ERROR_KAFKA,
                         "topic %s does not exist at %s; `tandem topics` makes it", scan->topic,
                         config->brokers);
    }
    if (scan->part_count < 0) {
        return -1;
    }
    scan->parts = calloc((size_t)scan->part_count, sizeof *scan->parts);
    scan->handle = rd_kafka_topic_new(scan->client, scan->topic, NULL);
    scan->queue = rd_kafka_queue_new(scan->client);
    return scan->parts && scan->handle && scan->queue ? 0 : error_memory(err);
}

/* The end that a read_committed client is told is the last stable offset: what an open
 * transaction holds back is not waited for. */
static int start_part(struct scan *scan, int32_t partition, struct error *err)
{
    struct part *part = &scan->parts[partition];
    rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
        scan->client, scan->topic, partition, &part->begin, &part->end, ASK_MS);
    if (code) {
        return error_retry(err, ERROR_KAFKA, "topic %s, partition %d: %s", scan->topic, partition,
                           rd_kafka_err2str(code));
    }
    part->next = part->begin;
    if (part->begin >= part->end) {
        return 0;
    }
    if (rd_kafka_consume_start_queue(scan->handle, partition, part->begin, scan->queue)) {
        return error_set(err, ERROR_KAFKA, "topic %s, partition %d: %s", scan->topic, partition,
                         rd_kafka_err2str(rd_kafka_last_error()));
    }
    part->reading = true;
    scan->open_parts++;
    return 0;
}

static int read_headers(struct scan *scan, const rd_kafka_message_t *message, struct record *record,
                        struct error *err)
{
    rd_kafka_headers_t *list = NULL;
    if (rd_kafka_message_headers(message, &list)) {
        return 0; /* none */
    }
    size_t count = rd_kafka_header_cnt(list);
    if (count > scan->headers_room) {
        struct record_header *grown = realloc(scan->headers, count * sizeof *grown);
        if (!grown) {
            return error_memory(err);
        }
        scan->headers = grown;
        scan->headers_room = count;
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = NULL;
        const void *value = NULL;
        size_t len = 0;
        rd_kafka_header_get_all(list, i, &name, &value, &len);
        scan->headers[i] = (struct record_header){text_of(name), {value, value ? len : 0}};
    }
    record->headers = scan->headers;
    record->header_count = count;
    return 0;
}

static int give(struct scan *scan, const rd_kafka_message_t *message, struct error *err)
{
    rd_kafka_timestamp_type_t type;
    int64_t timestamp_ms = rd_kafka_message_timestamp(message, &type);
    struct record record = {
        .partition = message->partition,
        .leader_epoch = rd_kafka_message_leader_epoch(message),
        .offset = message->offset,
        .timestamp_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp_ms,
        .key = {message->key, message->key ? message->key_len : 0},
        .value = {message->payload, message->payload ? message->len : 0},
    };
    if (read_headers(scan, message, &record, err)) {
        return -1;
    }
    scan->ended = !scan->record(scan->context, &record);
    return 0;
}

static void advance(struct scan *scan, struct part *part, int64_t next)
{
    part->next = next < part->end ? next : part->end;
    if (part->reading && next >= part->end) {
        part->reading = false;
        scan->open_parts--;
    }
}

/* Errors that the client mends by itself; everything else would only repeat. */
static bool passes(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
           code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__RESOLVE ||
           code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
           code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
}

static int take(struct scan *scan, const rd_kafka_message_t *message, struct error *err)
{
    if (message->err && message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        return passes(message->err)
                   ? 0
                   : error_set(err, ERROR_KAFKA, "topic %s, partition %d: %s", scan->topic,
                               message->partition, rd_kafka_message_errstr(message));
    }
    struct part *part = &scan->parts[message->partition];
    scan->heard_ms = clock_mono_ms();
    if (message->err) { /* the end: what lies before it and was not given are control records */
        advance(scan, part, message->offset);
        return 0;
    }
    if (part->reading && message->offset < part->end && give(scan, message, err)) {
        return -1;
    }
    advance(scan, part, message->offset + 1);
    return 0;
}

static void maybe_tick(struct scan *scan, bool last)
{
    int64_t now_ms = clock_mono_ms();
    if (!scan->tick || (!last && now_ms - scan->ticked_ms < TICK_MS)) {
        return;
    }
    struct scan_progress progress = {0, 0};
    for (int i = 0; i < scan->part_count; i++) {
        progress.done += scan->parts[i].next - scan->parts[i].begin;
        progress.total += scan->parts[i].end - scan->parts[i].begin;
    }
    scan->ticked_ms = now_ms;
    scan->tick(scan->context, progress);
}

static int check_wait(const struct scan *scan, struct error *err)
{
    if (command_stopping()) {
        return error_set(err, ERROR_STOPPED, "stopped while reading topic %s", scan->topic);
    }
    if (clock_mono_ms() - scan->heard_ms > QUIET_MS) {
        return error_retry(err, ERROR_KAFKA, "topic %s: no record came for %d s", scan->topic,
                           QUIET_MS / 1000);
    }
    return 0;
}

static int read_batches(struct scan *scan, struct error *err)
{
    rd_kafka_message_t *messages[BATCH];
    int rc = 0;
    scan->heard_ms = clock_mono_ms();
    while (!rc && scan->open_parts > 0 && !scan->ended) {
        rc = check_wait(scan, err);
        ssize_t count =
            rc ? 0 : rd_kafka_consume_batch_queue(scan->queue, POLL_MS, messages, BATCH);
        for (ssize_t i = 0; i < count; i++) {
            if (!rc && !scan->ended) {
                rc = take(scan, messages[i], err);
            }
            rd_kafka_message_destroy(messages[i]);
        }
        rd_kafka_poll(scan->client, 0);
        maybe_tick(scan, false);
    }
    return rc;
}

static void close_scan(struct scan *scan)
{
    for (int i = 0; scan->handle && scan->parts && i < scan->part_count; i++) {
        if (scan->parts[i].begin < scan->parts[i].end) {
            rd_kafka_consume_stop(scan->handle, i);
        }
    }
    if (scan->queue) {
        rd_kafka_queue_destroy(scan->queue);
    }
    if (scan->handle) {
        rd_kafka_topic_destroy(scan->handle);
    }
    if (scan->client) {
        rd_kafka_destroy(scan->client);
    }
    free(scan->parts);
    free(scan->headers);
}

int scan_topic(const struct config *config, const char *topic, scan_record *record, scan_tick *tick,
               void *context, struct error *err)
{
    struct scan scan = {.topic = topic, .record = record, .tick = tick, .context = context};
    int rc = open_topic(&scan, config, err);
    for (int i = 0; !rc && i < scan.part_count; i++) {
        rc = start_part(&scan, i, err);
    }
    rc = rc ? rc : read_batches(&scan, err);
    if (!rc) {
        maybe_tick(&scan, true);
    }
    close_scan(&scan);
    return rc;
}

#include "common/publisher.h"

#include "common/clock.h"
#include "common/command.h"
#include "common/kafka.h"
#include "common/log.h"

#include <stdlib.h>

enum { AWAIT_MS = 500 }; /* between two questions whether a topic was made */

struct publisher {
    rd_kafka_t *client;
    const struct config *config;
    publisher_report *report;
    void *context;
    int64_t sent, delivered, failed;
};

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    (void)client;
    struct publisher *publisher = opaque;
    const char *failure = message->err ? rd_kafka_err2str(message->err) : NULL;
    if (failure) {
        publisher->failed++;
    } else {
        publisher->delivered++;
    }
    if (publisher->report) {
        publisher->report(publisher->context, message->_private, failure);
    }
}

static void adjust(rd_kafka_conf_t *conf)
{
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
}

int publisher_open(struct publisher **out, const struct config *config, publisher_report *report,
                   void *context, struct error *err)
{
    struct publisher *publisher = calloc(1, sizeof *publisher);
    if (!publisher) {
        return error_memory(err);
    }
    publisher->config = config;
    publisher->report = report;
    publisher->context = context;
    publisher->client = kafka_open(config, KAFKA_PRODUCER, NULL, publisher, adjust, err);
    if (!publisher->client) {
        free(publisher);
        return -1;
    }
    *out = publisher;
    return 0;
}

void publisher_free(struct publisher *publisher)
{
    if (!publisher) {
        return;
    }
    publisher->report = NULL; /* what is purged now is reported to nobody */
    rd_kafka_purge(publisher->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_destroy(publisher->client);
    free(publisher);
}

static rd_kafka_headers_t *copy_headers(const struct record_header *headers, size_t count)
{
    rd_kafka_headers_t *copy = rd_kafka_headers_new(count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_header_add(copy, headers[i].name.at, (ssize_t)headers[i].name.len,
                            headers[i].value.at, (ssize_t)headers[i].value.len);
    }
    return copy;
}

/* One try. The client copies key and value; it takes the headers only when it succeeds. */
static rd_kafka_error_t *produce(struct publisher *publisher, const char *topic, struct text key,
                                 struct text value, const struct record_header *headers,
                                 size_t header_count, void *cookie)
{
    rd_kafka_vu_t words[6] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)key.at, key.len}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)value.at, value.len}},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = cookie},
    };
    size_t count = 5;
    if (header_count > 0) {
        words[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_HEADERS,
                                         .u.headers = copy_headers(headers, header_count)};
    }
    rd_kafka_error_t *failed = rd_kafka_produceva(publisher->client, words, count);
    if (failed && header_count > 0) {
        rd_kafka_headers_destroy(words[5].u.headers);
    }
    return failed;
}

/* What the client says when it gave up for good, else what this call said. */
static int set_failure(struct publisher *publisher, const char *topic,
                       const rd_kafka_error_t *failed, struct error *err)
{
    char text[512];
    if (rd_kafka_error_code(failed) == RD_KAFKA_RESP_ERR__FATAL &&
        rd_kafka_fatal_error(publisher->client, text, sizeof text)) {
        return error_set(err, ERROR_KAFKA, "topic %s: %s", topic, text);
    }
    return error_set(err, ERROR_KAFKA, "topic %s: %s", topic, rd_kafka_error_string(failed));
}

int publisher_send(struct publisher *publisher, const char *topic, struct text key,
                   struct text value, const struct record_header *headers, size_t header_count,
                   void *cookie, int64_t wait_ms, struct error *err)
{
    int64_t end_ms = clock_mono_ms() + wait_ms;
    rd_kafka_error_t *failed = NULL;
    while ((failed = produce(publisher, topic, key, value, headers, header_count, cookie))) {
        bool full = rd_kafka_error_code(failed) == RD_KAFKA_RESP_ERR__QUEUE_FULL;
        int64_t left_ms = end_ms - clock_mono_ms();
        if (!full) {
            set_failure(publisher, topic, failed, err);
        } else if (left_ms <= 0) {
            error_retry(err, ERROR_KAFKA, "topic %s: Kafka takes nothing (queue full for %lld ms)",
                        topic, (long long)wait_ms);
        }
        rd_kafka_error_destroy(failed);
        if (!full || left_ms <= 0) {
            return -1;
        }
        publisher_poll(publisher, left_ms < 100 ? left_ms : 100);
    }
    publisher->sent++;
    return 0;
}

void publisher_poll(struct publisher *publisher, int64_t wait_ms)
{
    rd_kafka_poll(publisher->client, (int)wait_ms);
}

int publisher_flush(struct publisher *publisher, int64_t wait_ms, struct error *err)
{
    if (rd_kafka_flush(publisher->client, (int)wait_ms) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return 0;
    }
    return error_retry(err, ERROR_KAFKA, "%lld records were not delivered within %lld ms",
                       (long long)publisher_pending(publisher), (long long)wait_ms);
}

int64_t publisher_pending(const struct publisher *publisher)
{
    return publisher->sent - publisher->delivered - publisher->failed;
}

int64_t publisher_delivered(const struct publisher *publisher)
{
    return publisher->delivered;
}

int64_t publisher_failed(const struct publisher *publisher)
{
    return publisher->failed;
}

int publisher_wait(struct publisher *publisher, const char *topic, struct error *err)
{
    if (kafka_wait(publisher->client, publisher->config, err)) {
        return -1;
    }
    int partitions = kafka_partitions(publisher->client, topic, err);
    if (partitions == 0) {
        return error_retry(err, ERROR_KAFKA,
                           "topic %s does not exist at %s; `tandem topics` makes it", topic,
                           publisher->config->brokers);
    }
    return partitions < 0 ? -1 : 0;
}

int publisher_await(struct publisher *publisher, const char *topic, struct error *err)
{
    int64_t begin_ms = clock_mono_ms(), limit_ms = publisher->config->connect_timeout_ms;
    for (bool said = false; publisher_wait(publisher, topic, err) != 0; said = true) {
        if (!err->retry || (limit_ms && clock_mono_ms() - begin_ms >= limit_ms)) {
            return -1;
        }
        if (!said) {
            log_warning("waiting for the topic", log_s("topic", topic), log_s("why", err->text));
        }
        if (command_stopping()) {
            return error_set(err, ERROR_STOPPED, "stopped while waiting for the topic %s", topic);
        }
        clock_sleep_ms(AWAIT_MS);
    }
    return 0;
}

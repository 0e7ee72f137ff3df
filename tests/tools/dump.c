/* dump BROKERS TOPIC - everything committed in a topic, one line of JSON a record.
 *
 * {"topic","partition","offset","timestamp":ms|null,"key_base64"|null,"headers":[[name,base64]],
 * "value_base64"|null}, then for each partition {"partition":p,"end":last stable offset}.
 * Stands on librdkafka alone, so that tests need not trust tandem's own reader. */
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "dump: %s: %s\n", what, why);
    exit(1);
}

static void check(rd_kafka_resp_err_t code, const char *what)
{
    if (code) {
        die(what, rd_kafka_err2str(code));
    }
}

static void put_base64(const void *bytes, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *in = bytes;
    putchar_unlocked('"');
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        unsigned bits = (unsigned)in[i] << 16 | (left > 1 ? (unsigned)in[i + 1] << 8 : 0) |
                        (left > 2 ? (unsigned)in[i + 2] : 0);
        putchar_unlocked(digits[bits >> 18]);
        putchar_unlocked(digits[bits >> 12 & 63]);
        putchar_unlocked(left > 1 ? digits[bits >> 6 & 63] : '=');
        putchar_unlocked(left > 2 ? digits[bits & 63] : '=');
    }
    putchar_unlocked('"');
}

static void put_bytes(const char *name, const void *bytes, size_t len)
{
    printf(",\"%s\":", name);
    if (bytes) {
        put_base64(bytes, len);
    } else {
        fputs("null", stdout);
    }
}

/* Header names are UTF-8 by Kafka's protocol; bytes that JSON cannot hold are escaped. */
static void put_name(const char *name)
{
    putchar_unlocked('"');
    for (const unsigned char *at = (const unsigned char *)name; *at; at++) {
        if (*at < ' ' || *at == '"' || *at == '\\') {
            printf("\\u%04x", *at);
        } else {
            putchar_unlocked(*at);
        }
    }
    putchar_unlocked('"');
}

static void put_headers(const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers = NULL;
    const char *name = NULL;
    const void *value = NULL;
    size_t len = 0;
    fputs(",\"headers\":[", stdout);
    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        for (size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &len); i++) {
            fputs(i ? ",[" : "[", stdout);
            put_name(name);
            putchar_unlocked(',');
            if (value) {
                put_base64(value, len);
            } else {
                fputs("null", stdout);
            }
            putchar_unlocked(']');
        }
    }
    putchar_unlocked(']');
}

static void put_record(const char *topic, const rd_kafka_message_t *message)
{
    rd_kafka_timestamp_type_t type;
    int64_t timestamp_ms = rd_kafka_message_timestamp(message, &type);
    printf("{\"topic\":\"%s\",\"partition\":%d,\"offset\":%lld", topic, message->partition,
           (long long)message->offset);
    if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE) {
        fputs(",\"timestamp\":null", stdout);
    } else {
        printf(",\"timestamp\":%lld", (long long)timestamp_ms);
    }
    put_bytes("key_base64", message->key, message->key_len);
    put_headers(message);
    put_bytes("value_base64", message->payload, message->len);
    fputs("}\n", stdout);
}

static rd_kafka_t *open_client(const char *brokers)
{
    static const char *const settings[][2] = {
        {"enable.partition.eof", "true"}, {"isolation.level", "read_committed"},
        {"auto.offset.reset", "error"},   {"fetch.wait.max.ms", "50"},
        {"fetch.queue.backoff.ms", "1"},  {"queued.max.messages.kbytes", "16384"},
    };
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (rd_kafka_conf_set(conf, "bootstrap.servers", brokers, text, sizeof text)) {
        die(brokers, text);
    }
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], text, sizeof text)) {
            die(settings[i][0], text);
        }
    }
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (!client) {
        die("client", text);
    }
    return client;
}

static int partitions_of(rd_kafka_t *client, rd_kafka_topic_t *topic)
{
    const struct rd_kafka_metadata *metadata = NULL;
    check(rd_kafka_metadata(client, 0, topic, &metadata, 30000), "metadata");
    check(metadata->topics[0].err, metadata->topics[0].topic);
    int count = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    return count;
}

/* Everything before `end`; what is not given before the end of the partition is told are control
 * records. */
static void dump_partition(rd_kafka_topic_t *topic, int32_t partition, int64_t begin, int64_t end)
{
    enum { BATCH = 2000, WAIT_MS = 20 }; /* the client waits that long unless the batch is full */
    rd_kafka_message_t *messages[BATCH];
    bool done = begin >= end;
    if (!done && rd_kafka_consume_start(topic, partition, begin)) {
        check(rd_kafka_last_error(), "start");
    }
    while (!done) {
        ssize_t count = rd_kafka_consume_batch(topic, partition, WAIT_MS, messages, BATCH);
        for (ssize_t i = 0; i < count; i++) {
            bool at_end = messages[i]->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
            if (messages[i]->err && !at_end) {
                die("read", rd_kafka_message_errstr(messages[i]));
            }
            if (!at_end && messages[i]->offset < end) {
                put_record(rd_kafka_topic_name(topic), messages[i]);
            }
            done = done || messages[i]->offset + !at_end >= end;
            rd_kafka_message_destroy(messages[i]);
        }
    }
    if (begin < end) {
        rd_kafka_consume_stop(topic, partition);
    }
}

int main(int argc, char **argv)
{
    enum { PARTITIONS_MAX = 1000 };
    static int64_t begins[PARTITIONS_MAX], ends[PARTITIONS_MAX];
    if (argc != 3) {
        fprintf(stderr, "usage: dump BROKERS TOPIC\n");
        return 2;
    }
    rd_kafka_t *client = open_client(argv[1]);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, argv[2], NULL);
    int count = partitions_of(client, topic);
    if (count > PARTITIONS_MAX) {
        die(argv[2], "too many partitions");
    }
    for (int i = 0; i < count; i++) {
        check(rd_kafka_query_watermark_offsets(client, argv[2], i, &begins[i], &ends[i], 30000),
              "offsets");
    }
    for (int i = 0; i < count; i++) {
        dump_partition(topic, i, begins[i], ends[i]);
    }
    for (int i = 0; i < count; i++) {
        printf("{\"partition\":%d,\"end\":%lld}\n", i, (long long)ends[i]);
    }
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(client);
    return fflush(stdout) ? 1 : 0;
}

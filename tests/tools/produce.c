/* produce BROKERS [commit|abort|open] - sends raw records, as given, to Kafka: what a well-behaved
 * producer would not. With a word they are one transaction, which is committed, aborted, or left
 * open (Kafka itself aborts it after a minute).
 *
 * One record a line of JSON on stdin: {"topic","partition"?,"timestamp"?,"key"|"key_base64"?,
 * "value"|"value_base64"?,"headers":[[name,value|{"base64"}|null]]?}. A key or value left out is
 * null; a partition left out is chosen as Java's client does. The records of a partition keep
 * their order. Ends with 0 when every record was delivered. */
#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bytes {
    char *at; /* NULL: null */
    size_t len;
};

static int failures;

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "produce: %s: %s\n", what, why);
    exit(1);
}

static int digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

static struct bytes from_base64(const char *in)
{
    struct bytes out = {malloc(strlen(in) + 1), 0};
    unsigned bits = 0;
    int have = 0;
    for (; out.at && digit(*in) >= 0; in++) {
        bits = bits << 6 | (unsigned)digit(*in);
        have += 6;
        if (have >= 8) {
            have -= 8;
            out.at[out.len++] = (char)(bits >> have & 255);
        }
    }
    return out;
}

static struct bytes from_json(const json_t *plain, const json_t *encoded)
{
    if (json_is_string(encoded)) {
        return from_base64(json_string_value(encoded));
    }
    if (!json_is_string(plain)) {
        return (struct bytes){0};
    }
    size_t len = json_string_length(plain);
    struct bytes out = {malloc(len + 1), len};
    if (out.at) {
        memcpy(out.at, json_string_value(plain), len);
    }
    return out;
}

static rd_kafka_headers_t *headers_of(const json_t *list)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(json_array_size(list));
    size_t i;
    json_t *pair;
    json_array_foreach(list, i, pair)
    {
        json_t *value = json_array_get(pair, 1);
        struct bytes bytes = from_json(value, json_object_get(value, "base64"));
        rd_kafka_header_add(headers, json_string_value(json_array_get(pair, 0)), -1, bytes.at,
                            (ssize_t)bytes.len);
        free(bytes.at);
    }
    return headers;
}

static void send_record(rd_kafka_t *client, const json_t *row)
{
    struct bytes key = from_json(json_object_get(row, "key"), json_object_get(row, "key_base64"));
    struct bytes value =
        from_json(json_object_get(row, "value"), json_object_get(row, "value_base64"));
    const json_t *partition = json_object_get(row, "partition");
    const char *topic = json_string_value(json_object_get(row, "topic"));
    if (!topic) {
        die("record", "names no topic");
    }
    for (;;) {
        rd_kafka_resp_err_t code = rd_kafka_producev(
            client, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_PARTITION(partition ? (int32_t)json_integer_value(partition)
                                           : RD_KAFKA_PARTITION_UA),
            RD_KAFKA_V_KEY(key.at, key.len), RD_KAFKA_V_VALUE(value.at, value.len),
            RD_KAFKA_V_TIMESTAMP(json_integer_value(json_object_get(row, "timestamp"))),
            RD_KAFKA_V_HEADERS(headers_of(json_object_get(row, "headers"))), RD_KAFKA_V_END);
        if (!code) {
            break;
        }
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            die(topic, rd_kafka_err2str(code));
        }
        rd_kafka_poll(client, 100);
    }
    free(key.at);
    free(value.at);
}

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    (void)client;
    (void)opaque;
    if (message->err) {
        failures++;
        fprintf(stderr, "produce: %s\n", rd_kafka_err2str(message->err));
    }
}

static void check(rd_kafka_error_t *error, const char *what)
{
    if (error) {
        die(what, rd_kafka_error_string(error));
    }
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[512];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text)) {
        die(name, text);
    }
}

static rd_kafka_t *open_client(const char *brokers, const char *transaction)
{
    static const char *const settings[][2] = {
        {"enable.idempotence", "true"},   {"partitioner", "murmur2_random"}, {"linger.ms", "5"},
        {"message.max.bytes", "1000000"}, {"message.timeout.ms", "60000"},
    };
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", brokers);
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        set(conf, settings[i][0], settings[i][1]);
    }
    if (transaction) {
        snprintf(text, sizeof text, "produce-%ld", (long)getpid());
        set(conf, "transactional.id", text);
    }
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!client) {
        die("client", text);
    }
    if (transaction) {
        check(rd_kafka_init_transactions(client, 30000), "transaction");
        check(rd_kafka_begin_transaction(client), "transaction");
    }
    return client;
}

static void end_transaction(rd_kafka_t *client, const char *transaction)
{
    if (strcmp(transaction, "commit") == 0) {
        check(rd_kafka_commit_transaction(client, 30000), "commit");
    } else if (strcmp(transaction, "abort") == 0) {
        check(rd_kafka_abort_transaction(client, 30000), "abort");
    } else if (strcmp(transaction, "open") != 0) {
        die(transaction, "neither commit nor abort nor open");
    }
}

int main(int argc, char **argv)
{
    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: produce BROKERS [commit|abort|open] <records\n");
        return 2;
    }
    const char *transaction = argv[2];
    rd_kafka_t *client = open_client(argv[1], transaction);
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0) {
        json_error_t error;
        json_t *row = json_loads(line, JSON_ALLOW_NUL, &error);
        if (!row) {
            die("record", error.text);
        }
        send_record(client, row);
        json_decref(row);
        rd_kafka_poll(client, 0);
    }
    free(line);
    if (rd_kafka_flush(client, 60000)) {
        die("flush", "records are left after 60 s");
    }
    if (transaction) {
        end_transaction(client, transaction);
    }
    rd_kafka_destroy(client);
    return failures ? 1 : 0;
}

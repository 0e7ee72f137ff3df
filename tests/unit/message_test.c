/* Messages as librdkafka gives them, out of its own mock of Kafka. */
#include "common/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <librdkafka/rdkafka_mock.h>

enum { WAIT_MS = 30000 };

/* One mock cluster for all tests, and a topic and a consumer for each. */
static rd_kafka_t *producer;
static rd_kafka_mock_cluster_t *cluster;

struct scene {
    char topic[16];
    rd_kafka_t *consumer;
    struct message_headers headers;
};

static rd_kafka_t *client(rd_kafka_type_t type, const char *const settings[][2], size_t count)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; i < count; i++)
        assert_int_equal(rd_kafka_conf_set(conf, settings[i][0], settings[i][1], why, sizeof why),
                         RD_KAFKA_CONF_OK);
    rd_kafka_t *made = rd_kafka_new(type, conf, why, sizeof why);
    if (!made)
        fail_msg("%s", why);
    return made;
}

static int start_cluster(void **state)
{
    (void)state;
    static const char *const settings[][2] = {
        {"log_level", "0"}, {"test.mock.num.brokers", "1"}, {"linger.ms", "0"}};
    producer = client(RD_KAFKA_PRODUCER, settings, 3);
    cluster = rd_kafka_handle_mock_cluster(producer);
    return cluster ? 0 : -1;
}

static int end_cluster(void **state)
{
    (void)state;
    rd_kafka_destroy(producer);
    return 0;
}

static int set_up(void **state)
{
    static int topics;
    struct scene *scene = calloc(1, sizeof *scene);
    const char *brokers = rd_kafka_mock_cluster_bootstraps(cluster);
    const char *const settings[][2] = {{"log_level", "0"},
                                       {"bootstrap.servers", brokers},
                                       {"group.id", "g"},
                                       {"fetch.wait.max.ms", "10"},
                                       {"fetch.queue.backoff.ms", "1"}};
    snprintf(scene->topic, sizeof scene->topic, "t%d", topics++);
    rd_kafka_mock_topic_create(cluster, scene->topic, 1, 1);
    scene->consumer = client(RD_KAFKA_CONSUMER, settings, 5);
    rd_kafka_topic_partition_list_t *places = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(places, scene->topic, 0)->offset = 0;
    rd_kafka_assign(scene->consumer, places);
    rd_kafka_topic_partition_list_destroy(places);
    *state = scene;
    return 0;
}

static int take_down(void **state)
{
    struct scene *scene = *state;
    message_headers_free(&scene->headers);
    message_headers_free(&scene->headers); /* twice is fine */
    rd_kafka_destroy(scene->consumer);
    free(scene);
    return 0;
}

/* Takes `headers` over. */
static void produce(struct scene *scene, const char *key, const char *value,
                    rd_kafka_headers_t *headers)
{
    rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = scene->topic},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = 1795435509123},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)key, key ? strlen(key) : 0}},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {(void *)(uintptr_t)value, value ? strlen(value) : 0}},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(producer, parts, headers ? 6 : 5);
    if (error)
        fail_msg("%s", rd_kafka_error_string(error));
    assert_int_equal(rd_kafka_flush(producer, WAIT_MS), 0);
}

/* The next message; the caller's. *record points into it. */
static rd_kafka_message_t *consume(struct scene *scene, struct record *record)
{
    struct error err = {0};
    rd_kafka_message_t *message = rd_kafka_consumer_poll(scene->consumer, WAIT_MS);
    if (!message || message->err)
        fail_msg("%s", message ? rd_kafka_message_errstr(message) : "no message");
    assert_int_equal(message_record(message, &scene->headers, record, &err), 0);
    return message;
}

static void a_message_is_seen_with_its_place_and_time(void **state)
{
    struct scene *scene = *state;
    for (int64_t offset = 0; offset < 2; offset++) {
        struct record record;
        produce(scene, "c-1", "{}", NULL);
        rd_kafka_message_t *message = consume(scene, &record);
        assert_int_equal(record.partition, 0);
        assert_int_equal(record.offset, offset);
        assert_true(record.timestamp_ms == 1795435509123);
        assert_true(text_is(record.key, "c-1"));
        assert_true(text_is(record.value, "{}"));
        assert_int_equal(record.header_count, 0);
        rd_kafka_message_destroy(message);
    }
}

static void nothing_and_empty_are_told_apart(void **state)
{
    struct scene *scene = *state;
    for (int empty = 0; empty < 2; empty++) {
        struct record record;
        produce(scene, empty ? "" : NULL, empty ? "" : NULL, NULL);
        rd_kafka_message_t *message = consume(scene, &record);
        assert_int_equal(record.key.at != NULL, empty);
        assert_int_equal(record.value.at != NULL, empty);
        assert_int_equal(record.key.len + record.value.len, 0);
        rd_kafka_message_destroy(message);
    }
}

static void headers_keep_their_order_their_zero_bytes_and_their_absence(void **state)
{
    struct scene *scene = *state;
    struct record record;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(4);
    rd_kafka_header_add(headers, "ce_id", -1, "a", 1);
    rd_kafka_header_add(headers, "ce_id", -1, "b\0c", 3);
    rd_kafka_header_add(headers, "empty", -1, "", 0);
    rd_kafka_header_add(headers, "none", -1, NULL, 0);
    produce(scene, "k", "v", headers);
    rd_kafka_message_t *message = consume(scene, &record);
    assert_int_equal(record.header_count, 4);
    assert_true(text_is(record.headers[0].name, "ce_id"));
    assert_true(text_is(record.headers[0].value, "a"));
    assert_true(text_equal(record.headers[1].value, (struct text){"b\0c", 3}));
    assert_non_null(record.headers[2].value.at);
    assert_int_equal(record.headers[2].value.len, 0);
    assert_true(text_is(record.headers[3].name, "none"));
    assert_null(record.headers[3].value.at);
    rd_kafka_message_destroy(message);
}

static void the_headers_of_one_message_do_not_stay_for_the_next(void **state)
{
    struct scene *scene = *state;
    static const int counts[] = {3, 0, 40, 1};
    for (int i = 0; i < 4; i++) {
        struct record record;
        rd_kafka_headers_t *headers = counts[i] ? rd_kafka_headers_new(4) : NULL;
        for (int h = 0; h < counts[i]; h++)
            rd_kafka_header_add(headers, "name", -1, "value", -1);
        produce(scene, "k", "v", headers);
        rd_kafka_message_t *message = consume(scene, &record);
        assert_int_equal(record.header_count, counts[i]);
        for (int h = 0; h < counts[i]; h++)
            assert_true(text_is(record.headers[h].value, "value"));
        rd_kafka_message_destroy(message);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_is_seen_with_its_place_and_time),
        TEST(nothing_and_empty_are_told_apart),
        TEST(headers_keep_their_order_their_zero_bytes_and_their_absence),
        TEST(the_headers_of_one_message_do_not_stay_for_the_next),
    };
    return cmocka_run_group_tests_name("message", tests, start_cluster, end_cluster);
}

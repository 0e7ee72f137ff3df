#include "common/kafka.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const enum kafka_role roles[] = {KAFKA_WORKER, KAFKA_READER, KAFKA_PRODUCER, KAFKA_ADMIN};

static int setup(void **state)
{
    struct error err = {0};
    struct config *config = NULL;
    assert_int_equal(config_open(&config, &err), 0);
    assert_int_equal(config_check(config, &err), 0);
    *state = config;
    return 0;
}

static int teardown(void **state)
{
    config_free(*state);
    return 0;
}

static void expect(const rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[256] = "";
    size_t room = sizeof text;
    if (rd_kafka_conf_get(conf, name, text, &room) != RD_KAFKA_CONF_OK) {
        fail_msg("%s: unknown", name);
    }
    if (strcmp(text, value) != 0) {
        fail_msg("%s is %s, not %s", name, text, value);
    }
}

static void a_worker_reads_only_what_is_committed_and_commits_nothing(void **state)
{
    struct error err = {0};
    rd_kafka_conf_t *conf = kafka_conf(*state, KAFKA_WORKER, "sales", &err);
    assert_non_null(conf);
    expect(conf, "auto.offset.reset", "error");
    expect(conf, "enable.auto.commit", "false");
    expect(conf, "enable.auto.offset.store", "false");
    expect(conf, "enable.partition.eof", "true");
    expect(conf, "isolation.level", "read_committed");
    expect(conf, "group.protocol", "classic");
    expect(conf, "partition.assignment.strategy", "range");
    expect(conf, "check.crcs", "true");
    expect(conf, "session.timeout.ms", "10000");
    expect(conf, "heartbeat.interval.ms", "500");
    expect(conf, "max.poll.interval.ms", "60000");
    expect(conf, "fetch.queue.backoff.ms", "1");
    expect(conf, "group.id", "main.sales");
    rd_kafka_conf_destroy(conf);
}

static void a_producer_is_idempotent_and_partitions_as_java_does(void **state)
{
    struct error err = {0};
    rd_kafka_conf_t *conf = kafka_conf(*state, KAFKA_PRODUCER, NULL, &err);
    assert_non_null(conf);
    expect(conf, "enable.idempotence", "true");
    expect(conf, "acks", "-1");
    expect(conf, "partitioner", "murmur2_random");
    rd_kafka_conf_destroy(conf);
}

static void fixed_settings_are_refused_in_every_role_with_a_reason(void **state)
{
    static const char *const names[] = {
        "auto.offset.reset",
        "enable.auto.commit",
        "auto.commit.enable",
        "enable.auto.offset.store",
        "enable.partition.eof",
        "isolation.level",
        "group.protocol",
        "check.crcs",
        "acks",
        "request.required.acks",
        "enable.idempotence",
        "partitioner",
        "bootstrap.servers",
        "metadata.broker.list",
        "group.id",
        "transactional.id",
        "partition.assignment.strategy",
    };
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        for (size_t r = 0; r < sizeof roles / sizeof roles[0]; r++) {
            struct config *config = NULL;
            struct error err = {0};
            char key[64];
            snprintf(key, sizeof key, "kafka.%s", names[i]);
            assert_int_equal(config_open(&config, &err), 0);
            config_set(config, key, "x", CONFIG_OPTION, "-X", &err);
            assert_null(kafka_conf(config, roles[r], NULL, &err));
            assert_int_equal(err.code, ERROR_USAGE);
            assert_non_null(strstr(err.text, key));
            assert_non_null(strstr(err.text, "(from -X)"));
            config_free(config);
        }
    }
}

static void other_settings_pass_through_and_beat_tandems_defaults(void **state)
{
    struct error err = {0};
    struct config *config = *state;
    config_set(config, "kafka.session.timeout.ms", "20000", CONFIG_OPTION, "-X", &err);
    config_set(config, "kafka.compression.type", "zstd", CONFIG_OPTION, "-X", &err);
    rd_kafka_conf_t *conf = kafka_conf(config, KAFKA_WORKER, "sales", &err);
    assert_non_null(conf);
    expect(conf, "session.timeout.ms", "20000");
    expect(conf, "compression.codec", "zstd");
    rd_kafka_conf_destroy(conf);
}

static void no_client_pushes_metrics_unless_told_to(void **state)
{
    struct error err = {0};
    struct config *config = *state;
    if (rd_kafka_version() < 0x02050000) {
        return; /* no client can */
    }
    for (int told = 0; told < 2; told++) {
        for (size_t r = 0; r < sizeof roles / sizeof roles[0]; r++) {
            rd_kafka_conf_t *conf = kafka_conf(config, roles[r], NULL, &err);
            assert_non_null(conf);
            expect(conf, "enable.metrics.push", told ? "true" : "false");
            rd_kafka_conf_destroy(conf);
        }
        config_set(config, "kafka.enable.metrics.push", "true", CONFIG_OPTION, "-X", &err);
    }
}

static void a_password_may_stand_in_a_file(void **state)
{
    struct error err = {0};
    char path[] = "/tmp/tandem-kafka-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "hunter2\n", 8), 8);
    close(fd);
    assert_int_equal(
        config_set(*state, "kafka.sasl.password.file", path, CONFIG_OPTION, "-X", &err), 0);
    rd_kafka_conf_t *conf = kafka_conf(*state, KAFKA_ADMIN, NULL, &err);
    assert_non_null(conf);
    expect(conf, "sasl.password", "hunter2");
    rd_kafka_conf_destroy(conf);
    unlink(path);
    assert_null(kafka_conf(*state, KAFKA_ADMIN, NULL, &err));
    assert_non_null(strstr(err.text, "kafka.sasl.password.file"));
    assert_non_null(strstr(err.text, path));
}

static void an_unknown_setting_is_named_with_its_source(void **state)
{
    struct error err = {0};
    struct config *config = *state;
    config_set(config, "kafka.no.such", "1", CONFIG_FILE, "tandem.conf:3", &err);
    assert_null(kafka_conf(config, KAFKA_READER, NULL, &err));
    assert_non_null(strstr(err.text, "kafka.no.such (from tandem.conf:3): "));
}

static void a_broker_that_is_not_there_is_given_up_after_connect_timeout(void **state)
{
    struct error err = {0};
    struct config *config = *state;
    config_set(config, "brokers", "127.0.0.1:1", CONFIG_OPTION, "-b", &err);
    config_set(config, "connect.timeout", "200", CONFIG_OPTION, "-X", &err);
    config_set(config, "log.level", "error", CONFIG_OPTION, "-X", &err);
    rd_kafka_t *client = kafka_open(config, KAFKA_ADMIN, NULL, NULL, NULL, &err);
    assert_non_null(client);
    assert_int_equal(kafka_wait(client, config, &err), -1);
    assert_int_equal(err.code, ERROR_KAFKA);
    assert_true(err.retry);
    assert_non_null(
        strstr(err.text, "Kafka at 127.0.0.1:1 did not answer within 200 ms (connect.timeout)"));
    rd_kafka_destroy(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_worker_reads_only_what_is_committed_and_commits_nothing),
        TEST(a_producer_is_idempotent_and_partitions_as_java_does),
        TEST(fixed_settings_are_refused_in_every_role_with_a_reason),
        TEST(other_settings_pass_through_and_beat_tandems_defaults),
        TEST(no_client_pushes_metrics_unless_told_to),
        TEST(a_password_may_stand_in_a_file),
        TEST(an_unknown_setting_is_named_with_its_source),
        TEST(a_broker_that_is_not_there_is_given_up_after_connect_timeout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

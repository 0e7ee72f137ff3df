#include "producers/admin.h"

#include "common/clock.h"
#include "common/command.h"
#include "common/kafka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 30000 };

static int read_metadata(rd_kafka_t *client, struct admin_topic *topic, struct error *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client, topic->name, NULL);
    if (!handle) {
        return error_set(err, ERROR_KAFKA, "topic %s: %s", topic->name,
                         rd_kafka_err2str(rd_kafka_last_error()));
    }
    rd_kafka_resp_err_t code = rd_kafka_metadata(client, 0, handle, &metadata, WAIT_MS);
    rd_kafka_topic_destroy(handle);
    if (code) {
        return error_retry(err, ERROR_KAFKA, "topic %s: %s", topic->name, rd_kafka_err2str(code));
    }
    const struct rd_kafka_metadata_topic *found = &metadata->topics[0];
    topic->partitions = 0;
    topic->replication = 0;
    if (found->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
        char what[300];
        snprintf(what, sizeof what, "topic %s", topic->name);
        rd_kafka_metadata_destroy(metadata);
        return kafka_refused(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, what, err);
    }
    if (metadata->topic_cnt == 1 && !found->err) {
        topic->partitions = found->partition_cnt;
    }
    for (int i = 0; i < topic->partitions; i++) {
        int replicas = found->partitions[i].replica_cnt;
        topic->replication =
            i == 0 || replicas < topic->replication ? replicas : topic->replication;
    }
    rd_kafka_metadata_destroy(metadata);
    return 0;
}

static void read_setting(struct admin_topic *topic, const char *name, const char *value)
{
    if (strcmp(name, "cleanup.policy") == 0) {
        snprintf(topic->cleanup, sizeof topic->cleanup, "%s", value);
    } else if (strcmp(name, "retention.ms") == 0) {
        topic->retention_ms = strtoll(value, NULL, 10);
    } else if (strcmp(name, "retention.bytes") == 0) {
        topic->retention_bytes = strtoll(value, NULL, 10);
    } else if (strcmp(name, "min.insync.replicas") == 0) {
        topic->min_insync = strtoll(value, NULL, 10);
    } else if (strcmp(name, "unclean.leader.election.enable") == 0) {
        topic->unclean = strcmp(value, "true") == 0;
    }
}

static void read_resource(const rd_kafka_ConfigResource_t *resource, struct admin_topic *topics,
                          size_t count)
{
    size_t entries = 0;
    const rd_kafka_ConfigEntry_t **entry = rd_kafka_ConfigResource_configs(resource, &entries);
    struct admin_topic *topic = NULL;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(topics[i].name, rd_kafka_ConfigResource_name(resource)) == 0) {
            topic = &topics[i];
        }
    }
    if (!topic || rd_kafka_ConfigResource_error(resource)) {
        return;
    }
    topic->settings_known = true;
    for (size_t i = 0; i < entries; i++) {
        const char *value = rd_kafka_ConfigEntry_value(entry[i]);
        read_setting(topic, rd_kafka_ConfigEntry_name(entry[i]), value ? value : "");
    }
}

/* The answer to one admin request, or NULL when none came in time. */
static rd_kafka_event_t *await(rd_kafka_t *client, rd_kafka_queue_t *queue, struct error *err)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, WAIT_MS);
    rd_kafka_poll(client, 0);
    if (!event) {
        error_retry(err, ERROR_KAFKA, "Kafka did not answer within %d s", WAIT_MS / 1000);
    }
    return event;
}

/* Admin requests go to the controller. librdkafka's mock cluster names one that does not exist, and
 * a request would wait for it until it times out. */
static bool has_controller(rd_kafka_t *client)
{
    const struct rd_kafka_metadata *metadata = NULL;
    int32_t id = rd_kafka_controllerid(client, WAIT_MS);
    bool found = false;
    if (rd_kafka_metadata(client, 0, NULL, &metadata, WAIT_MS)) {
        return false;
    }
    for (int i = 0; i < metadata->broker_cnt; i++) {
        found = found || metadata->brokers[i].id == id;
    }
    rd_kafka_metadata_destroy(metadata);
    return found;
}

/* Settings stay unknown when the broker refuses: that is told, not an error. */
static int read_settings(rd_kafka_t *client, struct admin_topic *topics, size_t count,
                         struct error *err)
{
    rd_kafka_ConfigResource_t *resources[16];
    size_t asked = 0;
    for (size_t i = 0; i < count && asked < 16; i++) {
        if (topics[i].partitions > 0) {
            resources[asked++] =
                rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topics[i].name);
        }
    }
    if (asked == 0 || !has_controller(client)) {
        rd_kafka_ConfigResource_destroy_array(resources, asked);
        return 0;
    }
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_DescribeConfigs(client, resources, asked, NULL, queue);
    rd_kafka_event_t *event = await(client, queue, err);
    if (event && !rd_kafka_event_error(event)) {
        size_t found = 0;
        const rd_kafka_ConfigResource_t **list = rd_kafka_DescribeConfigs_result_resources(
            rd_kafka_event_DescribeConfigs_result(event), &found);
        for (size_t i = 0; i < found; i++) {
            read_resource(list[i], topics, count);
        }
    }
    int rc = event ? 0 : -1;
    rd_kafka_ConfigResource_destroy_array(resources, asked);
    if (event) {
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(queue);
    return rc;
}

int admin_look(rd_kafka_t *client, struct admin_topic *topics, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (read_metadata(client, &topics[i], err)) {
            return -1;
        }
    }
    return read_settings(client, topics, count, err);
}

int admin_brokers(rd_kafka_t *client, struct error *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(client, 0, NULL, &metadata, WAIT_MS);
    if (code) {
        return error_retry(err, ERROR_KAFKA, "%s", rd_kafka_err2str(code));
    }
    int count = metadata->broker_cnt;
    rd_kafka_metadata_destroy(metadata);
    return count;
}

static bool all_have_leaders(rd_kafka_t *client, const char *name, int partitions)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client, name, NULL);
    bool all = handle && !rd_kafka_metadata(client, 0, handle, &metadata, WAIT_MS) &&
               !metadata->topics[0].err && metadata->topics[0].partition_cnt >= partitions;
    for (int i = 0; all && i < metadata->topics[0].partition_cnt; i++) {
        all = metadata->topics[0].partitions[i].leader >= 0;
    }
    if (metadata) {
        rd_kafka_metadata_destroy(metadata);
    }
    if (handle) {
        rd_kafka_topic_destroy(handle);
    }
    return all;
}

/* A topic is usable a moment after it was made. */
static int await_leaders(rd_kafka_t *client, const char *name, int partitions, struct error *err)
{
    int64_t end_ms = clock_mono_ms() + WAIT_MS;
    while (!all_have_leaders(client, name, partitions)) {
        if (command_stopping()) {
            return error_set(err, ERROR_STOPPED, "topic %s: stopped while it was made", name);
        }
        if (clock_mono_ms() > end_ms) {
            return error_retry(err, ERROR_KAFKA,
                               "topic %s: made, but some partition has no leader "
                               "after %d s",
                               name, WAIT_MS / 1000);
        }
        clock_sleep_ms(50);
    }
    return 0;
}

static int cannot_create(const char *name, struct error *err)
{
    return error_set(err, ERROR_KAFKA,
                     "topic %s: these brokers cannot make topics on request; "
                     "make it by their own means",
                     name);
}

static int check_created(rd_kafka_event_t *event, const char *name, struct error *err)
{
    size_t count = 0;
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    const char *text = rd_kafka_event_error_string(event);
    if (!code) {
        const rd_kafka_topic_result_t **results =
            rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
        code = count == 1 ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR__FAIL;
        text = count == 1 ? rd_kafka_topic_result_error_string(results[0]) : NULL;
    }
    if (!code || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
        return 0;
    }
    if (code == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE) {
        return cannot_create(name, err);
    }
    return error_set(err, ERROR_KAFKA, "topic %s: cannot be made: %s", name,
                     text ? text : rd_kafka_err2str(code));
}

int admin_create(rd_kafka_t *client, const char *name, int partitions, int replication,
                 const struct admin_setting *settings, struct error *err)
{
    char text[512];
    if (!has_controller(client)) {
        return cannot_create(name, err);
    }
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(name, partitions, replication, text, sizeof text);
    if (!topic) {
        return error_set(err, ERROR_KAFKA, "topic %s: %s", name, text);
    }
    for (const struct admin_setting *at = settings; at->name; at++) {
        rd_kafka_NewTopic_set_config(topic, at->name, at->value);
    }
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_CreateTopics(client, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = await(client, queue, err);
    int rc = event ? check_created(event, name, err) : -1;
    if (event) {
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(topic);
    return rc ? rc : await_leaders(client, name, partitions, err);
}

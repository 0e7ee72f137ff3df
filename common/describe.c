#include "common/describe.h"

#include "common/kafka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ASK_MS = 5000 };

static int describe_offsets(rd_kafka_t *client, const char *name, struct broker_topic *out,
                            struct error *err)
{
    size_t count = (size_t)out->partitions;
    out->starts = calloc(count, sizeof *out->starts);
    out->ends = calloc(count, sizeof *out->ends);
    if (!out->starts || !out->ends)
        return error_memory(err);
    for (int32_t p = 0; p < out->partitions; p++) {
        rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(
            client, name, p, &out->starts[p], &out->ends[p], ASK_MS);
        if (code)
            return error_retry(err, ERROR_KAFKA, "offsets of topic %s partition %d: %s", name, p,
                               rd_kafka_err2str(code));
    }
    return 0;
}

static void take_id(const rd_kafka_DescribeTopics_result_t *result, struct broker_topic *out)
{
    size_t count;
    const rd_kafka_TopicDescription_t **topics =
        rd_kafka_DescribeTopics_result_topics(result, &count);
    if (count != 1 || rd_kafka_error_code(rd_kafka_TopicDescription_error(topics[0])))
        return;
    const rd_kafka_Uuid_t *id = rd_kafka_TopicDescription_topic_id(topics[0]);
    /* A broker older than 2.8 has no ids: all bits are zero. */
    if (id && (rd_kafka_Uuid_most_significant_bits(id) || rd_kafka_Uuid_least_significant_bits(id)))
        snprintf(out->id, sizeof out->id, "%s", rd_kafka_Uuid_base64str(id));
}

static int describe_id(rd_kafka_t *client, const char *name, struct broker_topic *out,
                       struct error *err)
{
    const char *names[] = {name};
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);
    rd_kafka_TopicCollection_t *topics = rd_kafka_TopicCollection_of_topic_names(names, 1);
    int rc = 0;
    rd_kafka_AdminOptions_set_request_timeout(options, ASK_MS, NULL, 0);
    rd_kafka_DescribeTopics(client, topics, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ASK_MS + 1000);
    if (!event || rd_kafka_event_error(event))
        rc = error_retry(err, ERROR_KAFKA, "describing topic %s: %s", name,
                         event ? rd_kafka_event_error_string(event) : "no answer");
    else
        take_id(rd_kafka_event_DescribeTopics_result(event), out);
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_TopicCollection_destroy(topics);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return rc;
}

static void take_settings(const rd_kafka_DescribeConfigs_result_t *result, struct broker_topic *out)
{
    size_t resources, entries;
    const rd_kafka_ConfigResource_t **list =
        rd_kafka_DescribeConfigs_result_resources(result, &resources);
    if (resources != 1)
        return;
    const rd_kafka_ConfigEntry_t **entry = rd_kafka_ConfigResource_configs(list[0], &entries);
    for (size_t i = 0; i < entries; i++) {
        const char *name = rd_kafka_ConfigEntry_name(entry[i]);
        const char *value = rd_kafka_ConfigEntry_value(entry[i]);
        if (value && strcmp(name, "cleanup.policy") == 0)
            out->compacted = strstr(value, "compact") != NULL;
        if (value && strcmp(name, "retention.ms") == 0)
            out->retention_ms = atoll(value);
    }
}

/* May be forbidden or unknown to the broker: then nothing is known, which is no error. */
static void describe_settings(rd_kafka_t *client, const char *name, struct broker_topic *out)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_ConfigResource_t *topic = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name);
    rd_kafka_AdminOptions_set_request_timeout(options, ASK_MS, NULL, 0);
    rd_kafka_DescribeConfigs(client, &topic, 1, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ASK_MS + 1000);
    if (event && !rd_kafka_event_error(event))
        take_settings(rd_kafka_event_DescribeConfigs_result(event), out);
    if (event)
        rd_kafka_event_destroy(event);
    rd_kafka_ConfigResource_destroy(topic);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
}

int describe_topic(rd_kafka_t *client, const struct config *config, const char *name,
                   struct broker_topic *out, struct error *err)
{
    broker_topic_clear(out);
    int partitions = kafka_partitions(client, name, err);
    if (partitions < 0)
        return -1;
    if (partitions == 0)
        return error_retry(err, ERROR_KAFKA,
                           "topic %s does not exist at %s; `tandem topics` makes it", name,
                           config->brokers);
    out->partitions = partitions;
    char *cluster = rd_kafka_clusterid(client, ASK_MS);
    snprintf(out->cluster, sizeof out->cluster, "%s", cluster ? cluster : "");
    if (cluster)
        rd_kafka_mem_free(client, cluster);
    if (config->topic_id_check) {
        if (describe_id(client, name, out, err) != 0)
            return -1;
        describe_settings(client, name, out);
    }
    return describe_offsets(client, name, out, err);
}

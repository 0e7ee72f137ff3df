/* admin BROKERS create TOPIC PARTITIONS [KEY=VALUE...] | delete TOPIC... | show TOPIC |
 *               grow TOPIC PARTITIONS | trim TOPIC PARTITION OFFSET
 *
 * What tests do to topics behind tandem's back. `delete` skips those that do not exist and returns
 * when all are gone; `show` prints {"partitions","replication","settings":{...}} or null; `grow`
 * adds partitions; `trim` removes the records before an offset, as retention does. */
#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAIT_MS = 30000 };

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "admin: %s: %s\n", what, why);
    exit(1);
}

static rd_kafka_t *open_client(const char *brokers)
{
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (rd_kafka_conf_set(conf, "bootstrap.servers", brokers, text, sizeof text) ||
        rd_kafka_conf_set(conf, "allow.auto.create.topics", "false", text, sizeof text) ||
        rd_kafka_conf_set(conf, "log_level", "3", text, sizeof text)) {
        die(brokers, text);
    }
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!client) {
        die("client", text);
    }
    return client;
}

/* Partitions of a topic that all have a leader, 0 when there is none. */
static int partitions_of(rd_kafka_t *client, const char *name, int *replication)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, name, NULL);
    rd_kafka_resp_err_t code = rd_kafka_metadata(client, 0, topic, &metadata, WAIT_MS);
    if (code) {
        die("metadata", rd_kafka_err2str(code));
    }
    const struct rd_kafka_metadata_topic *found = &metadata->topics[0];
    int count = found->err ? 0 : found->partition_cnt;
    for (int i = 0; i < count; i++) {
        *replication = found->partitions[i].replica_cnt;
        if (found->partitions[i].leader < 0) {
            count = 0;
        }
    }
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(topic);
    return count;
}

static rd_kafka_event_t *answer(rd_kafka_queue_t *queue)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, WAIT_MS);
    if (!event) {
        die("broker", "no answer");
    }
    if (rd_kafka_event_error(event)) {
        die("broker", rd_kafka_event_error_string(event));
    }
    return event;
}

static void check_topics(const rd_kafka_topic_result_t **topics, size_t count,
                         rd_kafka_resp_err_t allowed)
{
    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t code = rd_kafka_topic_result_error(topics[i]);
        if (code && code != allowed) {
            die(rd_kafka_topic_result_name(topics[i]), rd_kafka_err2str(code));
        }
    }
}

/* The broker has made what was asked for when all its partitions have leaders. */
static void await_partitions(rd_kafka_t *client, const char *name, int partitions)
{
    int replication = 0;
    for (int tries = 0; partitions_of(client, name, &replication) != partitions; tries++) {
        if (tries > 300) {
            die(name, "made, but without leaders");
        }
        usleep(50000);
    }
}

static void create(rd_kafka_t *client, rd_kafka_queue_t *queue, char **argv)
{
    char text[512];
    int partitions = atoi(argv[1]);
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(argv[0], partitions, -1, text, sizeof text);
    if (!topic) {
        die(argv[0], text);
    }
    for (char **setting = argv + 2; *setting; setting++) {
        char *value = strchr(*setting, '=');
        if (!value) {
            die(*setting, "not KEY=VALUE");
        }
        *value++ = '\0';
        rd_kafka_NewTopic_set_config(topic, *setting, value);
    }
    rd_kafka_CreateTopics(client, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = answer(queue);
    size_t count = 0;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    check_topics(results, count, RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_event_destroy(event);
    rd_kafka_NewTopic_destroy(topic);
    await_partitions(client, argv[0], partitions);
}

static void grow(rd_kafka_t *client, rd_kafka_queue_t *queue, char **argv)
{
    char text[512];
    size_t partitions = (size_t)atoi(argv[1]), count = 0;
    rd_kafka_NewPartitions_t *more =
        rd_kafka_NewPartitions_new(argv[0], partitions, text, sizeof text);
    if (!more) {
        die(argv[0], text);
    }
    rd_kafka_CreatePartitions(client, &more, 1, NULL, queue);
    rd_kafka_event_t *event = answer(queue);
    const rd_kafka_topic_result_t **results = rd_kafka_CreatePartitions_result_topics(
        rd_kafka_event_CreatePartitions_result(event), &count);
    check_topics(results, count, RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_event_destroy(event);
    rd_kafka_NewPartitions_destroy(more);
    await_partitions(client, argv[0], (int)partitions);
}

static void trim(rd_kafka_t *client, rd_kafka_queue_t *queue, char **argv)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, argv[0], atoi(argv[1]))->offset = atoll(argv[2]);
    rd_kafka_DeleteRecords_t *records = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(client, &records, 1, NULL, queue);
    rd_kafka_event_t *event = answer(queue);
    const rd_kafka_topic_partition_list_t *done =
        rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event));
    if (done->cnt != 1 || done->elems[0].err) {
        die(argv[0], done->cnt ? rd_kafka_err2str(done->elems[0].err) : "nothing was removed");
    }
    rd_kafka_event_destroy(event);
    rd_kafka_DeleteRecords_destroy(records);
    rd_kafka_topic_partition_list_destroy(list);
}

static void delete (rd_kafka_t *client, rd_kafka_queue_t *queue, size_t count, char **names)
{
    int replication = 0;
    for (size_t i = 0; i < count; i++) {
        rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(names[i]);
        rd_kafka_DeleteTopics(client, &topic, 1, NULL, queue);
        rd_kafka_event_t *event = answer(queue);
        size_t results = 0;
        const rd_kafka_topic_result_t **result = rd_kafka_DeleteTopics_result_topics(
            rd_kafka_event_DeleteTopics_result(event), &results);
        check_topics(result, results, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
        rd_kafka_event_destroy(event);
        rd_kafka_DeleteTopic_destroy(topic);
        for (int tries = 0; partitions_of(client, names[i], &replication) > 0; tries++) {
            if (tries > 300) {
                die(names[i], "deleted, but still there");
            }
            usleep(50000);
        }
    }
}

static json_t *settings_of(rd_kafka_t *client, rd_kafka_queue_t *queue, const char *name)
{
    json_t *settings = json_object();
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name);
    rd_kafka_DescribeConfigs(client, &resource, 1, NULL, queue);
    rd_kafka_event_t *event = answer(queue);
    size_t count = 0, entries = 0;
    const rd_kafka_ConfigResource_t **found = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event), &count);
    const rd_kafka_ConfigEntry_t **entry = rd_kafka_ConfigResource_configs(found[0], &entries);
    for (size_t i = 0; i < entries; i++) {
        const char *value = rd_kafka_ConfigEntry_value(entry[i]);
        json_object_set_new(settings, rd_kafka_ConfigEntry_name(entry[i]),
                            value ? json_string(value) : json_null());
    }
    rd_kafka_event_destroy(event);
    rd_kafka_ConfigResource_destroy(resource);
    return settings;
}

static void show(rd_kafka_t *client, rd_kafka_queue_t *queue, const char *name)
{
    int replication = 0;
    int partitions = partitions_of(client, name, &replication);
    if (partitions == 0) {
        puts("null");
        return;
    }
    json_t *row = json_pack("{s:i, s:i, s:o}", "partitions", partitions, "replication", replication,
                            "settings", settings_of(client, queue, name));
    json_dumpf(row, stdout, 0);
    putchar('\n');
    json_decref(row);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: admin BROKERS create TOPIC PARTITIONS [KEY=VALUE...]\n"
                        "       admin BROKERS delete TOPIC... | show TOPIC\n"
                        "       admin BROKERS grow TOPIC PARTITIONS | "
                        "trim TOPIC PARTITION OFFSET\n");
        return 2;
    }
    rd_kafka_t *client = open_client(argv[1]);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    if (strcmp(argv[2], "create") == 0 && argc > 4) {
        create(client, queue, argv + 3);
    } else if (strcmp(argv[2], "delete") == 0) {
        delete (client, queue, (size_t)argc - 3, argv + 3);
    } else if (strcmp(argv[2], "show") == 0) {
        show(client, queue, argv[3]);
    } else if (strcmp(argv[2], "grow") == 0 && argc == 5) {
        grow(client, queue, argv + 3);
    } else if (strcmp(argv[2], "trim") == 0 && argc == 6) {
        trim(client, queue, argv + 3);
    } else {
        die(argv[2], "no such action");
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(client);
    return 0;
}

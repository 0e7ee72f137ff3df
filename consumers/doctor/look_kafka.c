#include "consumers/doctor/look.h"

#include "common/clock.h"
#include "common/kafka.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct asking {
    struct facts_kafka *kafka;
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
    char heard[FACTS_WHY]; /* what the client said of its brokers last */
    bool silent;           /* a question had no answer: the others are not asked */
};

/* Says more than what a request then ends with: which broker, and why not (a password, a
 * certificate). Runs in rd_kafka_poll(). */
static void on_error(rd_kafka_t *client, int code, const char *reason, void *opaque)
{
    struct asking *a = opaque;
    (void)client;
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        snprintf(a->heard, sizeof a->heard, "%s", reason);
}

static void adjust(rd_kafka_conf_t *conf)
{
    rd_kafka_conf_set_error_cb(conf, on_error);
}

static void fail(struct asking *a, const char *what, const char *why)
{
    snprintf(a->kafka->why, sizeof a->kafka->why, "%s: %s", what, why);
}

static rd_kafka_AdminOptions_t *options_of(const struct asking *a, rd_kafka_admin_op_t op)
{
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(a->client, op);
    rd_kafka_AdminOptions_set_request_timeout(options, LOOK_WAIT_MS, NULL, 0);
    return options;
}

/* The answer to what was asked last, or NULL; the caller destroys it. */
static rd_kafka_event_t *answer(struct asking *a, const char *what)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(a->queue, LOOK_WAIT_MS + 500);
    if (event && !rd_kafka_event_error(event))
        return event;
    fail(a, what, event ? rd_kafka_event_error_string(event) : "no answer");
    a->silent = !event || rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (event)
        rd_kafka_event_destroy(event);
    return NULL;
}

/* ---- metadata ---- */

static void take_partitions(struct facts_topic *t, const struct rd_kafka_metadata_topic *found)
{
    t->exists = !found->err && found->partition_cnt > 0;
    t->partitions = t->exists ? found->partition_cnt : 0;
    for (int i = 0; i < t->partitions; i++) {
        int replicas = found->partitions[i].replica_cnt;
        t->replication = i == 0 || replicas < t->replication ? replicas : t->replication;
        t->leaderless += found->partitions[i].leader < 0;
    }
}

/* All topics are asked for at once: one that does not exist is not in the list, and is not made. */
static int look_metadata(struct asking *a)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(a->client, 1, NULL, &metadata, LOOK_WAIT_MS);
    if (code) {
        rd_kafka_poll(a->client, 0);
        snprintf(a->kafka->why, sizeof a->kafka->why, "%s",
                 a->heard[0] ? a->heard : rd_kafka_err2str(code));
        return -1;
    }
    a->kafka->answers = true;
    a->kafka->brokers = metadata->broker_cnt;
    for (int i = 0; i < metadata->topic_cnt; i++)
        for (int t = 0; t < FACTS_TOPICS; t++)
            if (strcmp(metadata->topics[i].topic, a->kafka->topics[t].name) == 0)
                take_partitions(&a->kafka->topics[t], &metadata->topics[i]);
    rd_kafka_metadata_destroy(metadata);
    char *cluster = rd_kafka_clusterid(a->client, LOOK_WAIT_MS);
    snprintf(a->kafka->cluster, sizeof a->kafka->cluster, "%s", cluster ? cluster : "");
    if (cluster)
        rd_kafka_mem_free(a->client, cluster);
    return 0;
}

static struct facts_topic *topic_of(struct asking *a, const char *name)
{
    for (int t = 0; t < FACTS_TOPICS; t++)
        if (a->kafka->topics[t].exists && strcmp(a->kafka->topics[t].name, name) == 0)
            return &a->kafka->topics[t];
    return NULL;
}

/* ---- topic ids ---- */

static void take_ids(struct asking *a, const rd_kafka_DescribeTopics_result_t *result)
{
    size_t count;
    const rd_kafka_TopicDescription_t **list =
        rd_kafka_DescribeTopics_result_topics(result, &count);
    for (size_t i = 0; i < count; i++) {
        struct facts_topic *t = topic_of(a, rd_kafka_TopicDescription_name(list[i]));
        const rd_kafka_Uuid_t *id = rd_kafka_TopicDescription_topic_id(list[i]);
        if (!t || !id || rd_kafka_error_code(rd_kafka_TopicDescription_error(list[i])))
            continue;
        if (rd_kafka_Uuid_most_significant_bits(id) || rd_kafka_Uuid_least_significant_bits(id))
            snprintf(t->id, sizeof t->id, "%s", rd_kafka_Uuid_base64str(id));
    }
}

static void look_ids(struct asking *a)
{
    const char *names[FACTS_TOPICS];
    size_t count = 0;
    for (int t = 0; t < FACTS_TOPICS; t++)
        if (a->kafka->topics[t].exists)
            names[count++] = a->kafka->topics[t].name;
    if (count == 0)
        return;
    rd_kafka_TopicCollection_t *topics = rd_kafka_TopicCollection_of_topic_names(names, count);
    rd_kafka_AdminOptions_t *options = options_of(a, RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);
    rd_kafka_DescribeTopics(a->client, topics, options, a->queue);
    rd_kafka_event_t *event = answer(a, "topic ids");
    if (event) {
        take_ids(a, rd_kafka_event_DescribeTopics_result(event));
        rd_kafka_event_destroy(event);
    }
    rd_kafka_TopicCollection_destroy(topics);
    rd_kafka_AdminOptions_destroy(options);
}

/* ---- settings of topics ---- */

static void take_setting(struct facts_topic *t, const char *name, const char *value)
{
    if (strcmp(name, "cleanup.policy") == 0)
        snprintf(t->cleanup, sizeof t->cleanup, "%s", value);
    else if (strcmp(name, "retention.ms") == 0)
        t->retention_ms = strtoll(value, NULL, 10);
    else if (strcmp(name, "retention.bytes") == 0)
        t->retention_bytes = strtoll(value, NULL, 10);
    else if (strcmp(name, "min.insync.replicas") == 0)
        t->min_insync = strtoll(value, NULL, 10);
    else if (strcmp(name, "max.message.bytes") == 0)
        t->message_max = strtoll(value, NULL, 10);
    else if (strcmp(name, "unclean.leader.election.enable") == 0)
        t->unclean = strcmp(value, "true") == 0;
}

static void take_settings(struct asking *a, const rd_kafka_DescribeConfigs_result_t *result)
{
    size_t count, entries;
    const rd_kafka_ConfigResource_t **list =
        rd_kafka_DescribeConfigs_result_resources(result, &count);
    for (size_t i = 0; i < count; i++) {
        struct facts_topic *t = topic_of(a, rd_kafka_ConfigResource_name(list[i]));
        if (!t || rd_kafka_ConfigResource_error(list[i]))
            continue;
        const rd_kafka_ConfigEntry_t **entry = rd_kafka_ConfigResource_configs(list[i], &entries);
        t->settings_known = entries > 0;
        for (size_t e = 0; e < entries; e++) {
            const char *value = rd_kafka_ConfigEntry_value(entry[e]);
            take_setting(t, rd_kafka_ConfigEntry_name(entry[e]), value ? value : "");
        }
    }
}

static void look_settings(struct asking *a)
{
    rd_kafka_ConfigResource_t *resources[FACTS_TOPICS];
    size_t count = 0;
    for (int t = 0; t < FACTS_TOPICS; t++)
        if (a->kafka->topics[t].exists)
            resources[count++] =
                rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, a->kafka->topics[t].name);
    if (count == 0)
        return;
    rd_kafka_AdminOptions_t *options = options_of(a, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_DescribeConfigs(a->client, resources, count, options, a->queue);
    rd_kafka_event_t *event = answer(a, "settings of topics");
    if (event) {
        take_settings(a, rd_kafka_event_DescribeConfigs_result(event));
        rd_kafka_event_destroy(event);
    }
    rd_kafka_ConfigResource_destroy_array(resources, count);
    rd_kafka_AdminOptions_destroy(options);
}

/* ---- offsets ---- */

static int make_room(struct facts_topic *t)
{
    size_t count = (size_t)t->partitions;
    t->starts = malloc(count * sizeof *t->starts);
    t->ends = malloc(count * sizeof *t->ends);
    for (size_t i = 0; t->starts && t->ends && i < count; i++)
        t->starts[i] = t->ends[i] = FACTS_UNKNOWN;
    return t->starts && t->ends ? 0 : -1;
}

static void take_offsets(struct asking *a, const rd_kafka_ListOffsets_result_t *result,
                         rd_kafka_OffsetSpec_t what)
{
    size_t count;
    const rd_kafka_ListOffsetsResultInfo_t **list =
        rd_kafka_ListOffsets_result_infos(result, &count);
    for (size_t i = 0; i < count; i++) {
        const rd_kafka_topic_partition_t *p =
            rd_kafka_ListOffsetsResultInfo_topic_partition(list[i]);
        struct facts_topic *t = topic_of(a, p->topic);
        if (!t || p->err || p->partition >= t->partitions)
            continue;
        int64_t stamp_ms = rd_kafka_ListOffsetsResultInfo_timestamp(list[i]);
        if (what == RD_KAFKA_OFFSET_SPEC_MAX_TIMESTAMP)
            t->newest_ms = stamp_ms > t->newest_ms ? stamp_ms : t->newest_ms;
        else
            (what == RD_KAFKA_OFFSET_SPEC_EARLIEST ? t->starts : t->ends)[p->partition] = p->offset;
    }
}

static void look_offsets(struct asking *a, rd_kafka_OffsetSpec_t what)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(64);
    for (int i = 0; i < FACTS_TOPICS; i++)
        for (int32_t p = 0; p < a->kafka->topics[i].partitions; p++)
            rd_kafka_topic_partition_list_add(list, a->kafka->topics[i].name, p)->offset = what;
    rd_kafka_AdminOptions_t *options = options_of(a, RD_KAFKA_ADMIN_OP_LISTOFFSETS);
    /* Up to the last stable offset: what is behind an open transaction is nobody's lag. */
    rd_kafka_error_destroy(rd_kafka_AdminOptions_set_isolation_level(
        options, RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED));
    a->kafka->asked_ms = clock_wall_ms();
    rd_kafka_event_t *event = NULL;
    if (list->cnt > 0) {
        rd_kafka_ListOffsets(a->client, list, options, a->queue);
        event = answer(a, "offsets");
    }
    if (event) {
        take_offsets(a, rd_kafka_event_ListOffsets_result(event), what);
        rd_kafka_event_destroy(event);
    }
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_topic_partition_list_destroy(list);
}

/* ---- groups ---- */

static void take_group(struct asking *a, const rd_kafka_ConsumerGroupDescription_t *found)
{
    const char *id = rd_kafka_ConsumerGroupDescription_group_id(found);
    rd_kafka_resp_err_t code = rd_kafka_error_code(rd_kafka_ConsumerGroupDescription_error(found));
    rd_kafka_consumer_group_state_t state = rd_kafka_ConsumerGroupDescription_state(found);
    for (int k = 0; k < FACTS_KINDS; k++) {
        struct facts_group *g = &a->kafka->groups[k];
        if (strcmp(g->name, id) != 0)
            continue;
        /* A group that never was is told as an error by newer brokers, as dead by older ones. */
        g->known = !code || code == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND;
        if (!g->known)
            fail(a, g->name, rd_kafka_err2str(code));
        g->members = code ? 0 : (int)rd_kafka_ConsumerGroupDescription_member_count(found);
        g->rebalancing = state == RD_KAFKA_CONSUMER_GROUP_STATE_PREPARING_REBALANCE ||
                         state == RD_KAFKA_CONSUMER_GROUP_STATE_COMPLETING_REBALANCE;
        snprintf(g->state, sizeof g->state, "%s", rd_kafka_consumer_group_state_name(state));
    }
}

static void look_groups(struct asking *a)
{
    const char *names[FACTS_KINDS];
    for (int k = 0; k < FACTS_KINDS; k++)
        names[k] = a->kafka->groups[k].name;
    rd_kafka_AdminOptions_t *options = options_of(a, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
    rd_kafka_DescribeConsumerGroups(a->client, names, FACTS_KINDS, options, a->queue);
    rd_kafka_event_t *event = answer(a, "groups");
    if (event) {
        size_t count;
        const rd_kafka_ConsumerGroupDescription_t **list =
            rd_kafka_DescribeConsumerGroups_result_groups(
                rd_kafka_event_DescribeConsumerGroups_result(event), &count);
        for (size_t i = 0; i < count; i++)
            take_group(a, list[i]);
        rd_kafka_event_destroy(event);
    }
    rd_kafka_AdminOptions_destroy(options);
}

/* ---- the whole ---- */

static int ask_all(struct asking *a, struct error *err)
{
    if (look_metadata(a) != 0)
        return 0;
    for (int t = 0; t < FACTS_TOPICS; t++)
        if (a->kafka->topics[t].exists && make_room(&a->kafka->topics[t]) != 0)
            return error_memory(err);
    static const rd_kafka_OffsetSpec_t specs[] = {RD_KAFKA_OFFSET_SPEC_EARLIEST,
                                                  RD_KAFKA_OFFSET_SPEC_LATEST,
                                                  RD_KAFKA_OFFSET_SPEC_MAX_TIMESTAMP};
    look_ids(a);
    if (!a->silent)
        look_settings(a);
    for (int i = 0; i < 3 && !a->silent; i++)
        look_offsets(a, specs[i]);
    if (!a->silent)
        look_groups(a);
    return 0;
}

static void name_all(struct facts_kafka *kafka, const struct config *config)
{
    static const char *const kinds[] = {"sales", "service", "customers"};
    const char *const topics[] = {config->topics_sales, config->topics_service,
                                  config->topics_rejected, config->topics_comparison};
    for (int t = 0; t < FACTS_TOPICS; t++) {
        kafka->topics[t].name = topics[t];
        kafka->topics[t].newest_ms = FACTS_UNKNOWN;
    }
    for (int k = 0; k < FACTS_KINDS; k++)
        snprintf(kafka->groups[k].name, sizeof kafka->groups[k].name, "%s.%s",
                 config->group[0] ? config->group : config->business, kinds[k]);
}

int look_kafka(struct facts *facts, const struct config *config, struct error *err)
{
    struct asking a = {.kafka = &facts->kafka};
    name_all(a.kafka, config);
    a.client = kafka_open(config, KAFKA_ADMIN, NULL, &a, adjust, err);
    if (!a.client)
        return -1;
    a.queue = rd_kafka_queue_new(a.client);
    int rc = ask_all(&a, err);
    rd_kafka_queue_destroy(a.queue);
    rd_kafka_destroy(a.client);
    return rc;
}

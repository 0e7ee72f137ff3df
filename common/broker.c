#include "common/broker.h"

#include "common/clock.h"
#include "common/describe.h"
#include "common/kafka.h"
#include "common/log.h"
#include "common/message.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 2000, TOPICS_MAX = 2, QUIET_MS = 5000 };

/* With the last batch's STOP_MS within 5 s. */
enum { END_MS = 2500 };

/* tcmalloc's: empties this thread's cache, and gives what is free back to the system. Not there
 * with another allocator. */
extern void MallocExtension_MarkThreadTemporarilyIdle(void) __attribute__((weak));
extern void MallocExtension_ReleaseFreeMemory(void) __attribute__((weak));

struct broker {
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
    const struct config *config;
    const char *const *topics;
    int topic_count;
    bool closing;
    /* the last poll */
    rd_kafka_message_t **messages;
    int count, taken;
    struct message_headers headers;
    char group[300];       /* "group main.sales", for messages */
    char refusal[1024];
    int64_t brought_ms;    /* when a poll last brought something; 0: memory was given back since */
    /* the rebalance that waits for its answer */
    enum broker_change change;
    struct broker_place *places;
    int place_count;
};

static int topic_place(const struct broker *b, const char *name)
{
    for (int t = 0; t < b->topic_count; t++)
        if (strcmp(b->topics[t], name) == 0)
            return t;
    return -1;
}

static void keep_places(struct broker *b, const rd_kafka_topic_partition_list_t *list)
{
    free(b->places);
    b->places = calloc((size_t)list->cnt + 1, sizeof *b->places);
    b->place_count = 0;
    if (!b->places)
        return;
    for (int i = 0; i < list->cnt; i++) {
        int topic = topic_place(b, list->elems[i].topic);
        if (topic >= 0)
            b->places[b->place_count++] =
                (struct broker_place){topic, list->elems[i].partition, {-1, -1}};
    }
}

/* Runs inside a poll. It only notes what happened: the worker answers after the batch, and until
 * then librdkafka fetches nothing and the group waits (at most max.poll.interval.ms). */
static void on_rebalance(rd_kafka_t *client, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct broker *b = opaque;
    if (b->closing) {
        rd_kafka_assign(client, NULL);
        return;
    }
    keep_places(b, list);
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
        b->change = BROKER_ASSIGNED;
    else
        b->change = rd_kafka_assignment_lost(client) ? BROKER_LOST : BROKER_REVOKED;
    rd_kafka_yield(client); /* the poll returns with what it has */
}

static void adjust(rd_kafka_conf_t *conf)
{
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
}

static int subscribe(struct broker *b, struct error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(b->topic_count);
    for (int t = 0; t < b->topic_count; t++)
        rd_kafka_topic_partition_list_add(list, b->topics[t], RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(b->client, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code)
        return error_set(err, ERROR_KAFKA, "cannot subscribe: %s", rd_kafka_err2str(code));
    return 0;
}

int broker_open(struct broker **out, const struct config *config, const char *kind,
                const char *const *topics, int topic_count, struct error *err)
{
    struct broker *b = calloc(1, sizeof *b);
    *out = NULL;
    if (!b)
        return error_memory(err);
    b->config = config;
    b->topics = topics;
    b->topic_count = topic_count;
    snprintf(b->group, sizeof b->group, "group %s.%s", config->group, kind);
    b->messages = calloc(BATCH, sizeof(rd_kafka_message_t *));
    if (b->messages)
        b->client = kafka_open(config, KAFKA_WORKER, kind, b, adjust, err);
    else
        error_memory(err);
    if (!b->client) {
        broker_free(b);
        return -1;
    }
    rd_kafka_poll_set_consumer(b->client);
    b->queue = rd_kafka_queue_get_consumer(b->client);
    if (subscribe(b, err) != 0) {
        broker_free(b);
        return -1;
    }
    *out = b;
    return 0;
}

int broker_wait(struct broker *broker, struct error *err)
{
    return kafka_wait(broker->client, broker->config, err);
}

static void discard(struct broker *b)
{
    for (int i = b->taken; i < b->count; i++)
        rd_kafka_message_destroy(b->messages[i]);
    b->taken = b->count = 0;
}

static void *end_client(void *client)
{
    rd_kafka_consumer_close(client);
    rd_kafka_destroy(client);
    return NULL;
}

/* Leaves the group and ends the client, within END_MS. Leaving waits for a broker that may be away;
 * and after a cut network some request of librdkafka's own may hold on to its broker for good, so that
 * the end never comes (librdkafka 2.8; issues 3143 and 3954 tell of the same). False: it was left
 * behind, and may still call back. */
static bool client_ended(struct broker *b)
{
    pthread_t thread;
    struct timespec until;
    if (!b->client)
        return true;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += END_MS / 1000;
    if (pthread_create(&thread, NULL, end_client, b->client) != 0) {
        end_client(b->client);
        return true;
    }
    if (pthread_timedjoin_np(thread, NULL, &until) == 0)
        return true;
    pthread_detach(thread);
    log_warning("the kafka client does not end; leaving it behind", log_i("waited_ms", END_MS));
    return false;
}

void broker_free(struct broker *broker)
{
    if (!broker)
        return;
    /* A message holds on to its client: all of them go first. */
    if (broker->taken > 0)
        broker->taken--;
    discard(broker);
    broker->closing = true;
    if (broker->queue)
        rd_kafka_queue_destroy(broker->queue);
    if (!client_ended(broker))
        return;
    message_headers_free(&broker->headers);
    free(broker->places);
    free(broker->messages);
    free(broker);
}

/* ---- reading ---- */

/* What a full queue needed stays with the allocator: once nothing has come for a while, it goes. */
static void rest(struct broker *b)
{
    if (b->count > 0) {
        b->brought_ms = clock_mono_ms();
    } else if (b->brought_ms && clock_mono_ms() - b->brought_ms > QUIET_MS) {
        if (MallocExtension_MarkThreadTemporarilyIdle)
            MallocExtension_MarkThreadTemporarilyIdle();
        if (MallocExtension_ReleaseFreeMemory)
            MallocExtension_ReleaseFreeMemory();
        b->brought_ms = 0;
    }
}

int broker_poll(struct broker *broker, int64_t wait_ms)
{
    if (broker->taken > 0)
        broker->taken--; /* the item handed out last was kept for its taker */
    discard(broker);
    ssize_t n = rd_kafka_consume_batch_queue(broker->queue, (int)wait_ms, broker->messages, BATCH);
    broker->count = n > 0 ? (int)n : 0;
    rest(broker);
    return broker->count;
}

/* In words: whom or what the brokers refuse, and what to mend. */
static const char *refusal(struct broker *b, const rd_kafka_message_t *message, const char *text)
{
    char fatal[512] = "";
    struct error err;
    rd_kafka_resp_err_t code = message->err;
    if (code == RD_KAFKA_RESP_ERR__FATAL)
        code = rd_kafka_fatal_error(b->client, fatal, sizeof fatal);
    if (code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
        error_set(&err, ERROR_KAFKA, "another worker of the group has the same "
                                     "kafka.group.instance.id: each needs one of its own");
    else if (code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
        kafka_refused(code, b->group, &err);
    else
        kafka_refused(code, fatal[0] ? fatal : text, &err);
    snprintf(b->refusal, sizeof b->refusal, "%s", err.text);
    return b->refusal;
}

/* An error in the stream: true when it is one the worker must hear of. */
static bool item_of_error(struct broker *b, const rd_kafka_message_t *message,
                          struct broker_item *item)
{
    const char *text = rd_kafka_message_errstr(message);
    item->text = text ? text : rd_kafka_err2name(message->err);
    switch (message->err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        item->what = BROKER_END;
        return item->topic >= 0;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        item->what = BROKER_IMPOSSIBLE;
        return item->topic >= 0;
    case RD_KAFKA_RESP_ERR__LOG_TRUNCATION:
        item->what = BROKER_IMPOSSIBLE;
        return item->topic >= 0;
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
        item->what = BROKER_REFUSED;
        item->text = refusal(b, message, item->text);
        return true;
    default:
        kafka_note_error();
        log_warning("kafka", log_s("error", rd_kafka_err2name(message->err)),
                    log_s("topic", item->topic >= 0 ? b->topics[item->topic] : ""),
                    log_i("partition", message->partition), log_s("text", item->text));
        return false;
    }
}

static bool item_of(struct broker *b, const rd_kafka_message_t *message, struct broker_item *item)
{
    struct error err;
    *item = (struct broker_item){
        .topic = message->rkt ? topic_place(b, rd_kafka_topic_name(message->rkt)) : -1,
        .partition = message->partition,
        .offset = message->offset,
    };
    if (message->err)
        return item_of_error(b, message, item);
    item->what = BROKER_RECORD;
    if (message_record(message, &b->headers, &item->record, &err) == 0)
        return item->topic >= 0;
    /* Without its headers the record cannot be judged; reading it again can. */
    log_error("no memory for a record's headers", log_i("partition", message->partition));
    item->what = BROKER_IMPOSSIBLE;
    item->text = "out of memory";
    return true;
}

/* The next record lies where another core has put it: it is fetched while this one is counted. */
static void expect_next(const struct broker *b)
{
    enum { LINE = 64, AHEAD = 8 * LINE };
    if (b->taken + 1 >= b->count)
        return;
    const rd_kafka_message_t *next = b->messages[b->taken + 1];
    const char *at = next->payload;
    for (size_t i = 0; at && i < next->len && i < AHEAD; i += LINE)
        __builtin_prefetch(at + i);
}

bool broker_next(struct broker *broker, struct broker_item *item)
{
    if (broker->taken > 0) {
        rd_kafka_message_destroy(broker->messages[broker->taken - 1]);
        broker->messages[broker->taken - 1] = NULL;
    }
    while (broker->taken < broker->count) {
        expect_next(broker);
        rd_kafka_message_t *message = broker->messages[broker->taken++];
        if (item_of(broker, message, item))
            return true;
        rd_kafka_message_destroy(message);
        broker->messages[broker->taken - 1] = NULL;
    }
    broker->taken = broker->count = 0;
    return false;
}

/* ---- assigning ---- */

enum broker_change broker_change(struct broker *broker, const struct broker_place **places,
                                 int *count)
{
    *places = broker->places;
    *count = broker->place_count;
    return broker->change;
}

/* What is not to be read now is left out of the assignment. Pausing it would be the obvious way, but
 * a pause or resume beside an assign can leave a partition silent for good: each takes a version of
 * the partition, in its own thread, and the later one makes the other stale (librdkafka issues 2190
 * and 5591). An assign by itself is one step of librdkafka's main thread. */
static rd_kafka_topic_partition_list_t *list_of(const struct broker *b,
                                                const struct broker_place *places,
                                                const bool *paused, int count)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count + 1);
    for (int i = 0; i < count; i++) {
        if (paused && paused[i])
            continue;
        rd_kafka_topic_partition_t *p = rd_kafka_topic_partition_list_add(
            list, b->topics[places[i].topic], places[i].partition);
        p->offset = places[i].at.offset;
        if (places[i].at.epoch >= 0)
            rd_kafka_topic_partition_set_leader_epoch(p, places[i].at.epoch);
    }
    return list;
}

static rd_kafka_resp_err_t assign(struct broker *b, const struct broker_place *places,
                                  const bool *paused, int count)
{
    rd_kafka_topic_partition_list_t *list = list_of(b, places, paused, count);
    rd_kafka_resp_err_t code = rd_kafka_assign(b->client, list);
    rd_kafka_topic_partition_list_destroy(list);
    return code;
}

int broker_assign(struct broker *broker, const struct broker_place *places, const bool *paused,
                  int count, struct error *err)
{
    if (broker->taken > 0)
        broker->taken--;
    discard(broker);
    /* It replaces the assignment that was: what is queued for that one is thrown away by its
     * version, also where a partition stays and only its offset is another. */
    rd_kafka_resp_err_t code = assign(broker, places, paused, count);
    if (code)
        return error_retry(err, ERROR_KAFKA, "cannot assign %d partitions: %s", count,
                           rd_kafka_err2str(code));
    broker->change = BROKER_STAYS;
    return 0;
}

int broker_unassign(struct broker *broker, struct error *err)
{
    if (broker->taken > 0)
        broker->taken--;
    discard(broker);
    rd_kafka_resp_err_t code = rd_kafka_assign(broker->client, NULL);
    broker->change = BROKER_STAYS;
    if (code)
        return error_set(err, ERROR_KAFKA, "cannot unassign: %s", rd_kafka_err2str(code));
    return 0;
}

void broker_pause(struct broker *broker)
{
    /* While the group waits for its answer nothing is fetched, and the answer is not given here. */
    if (broker->change == BROKER_STAYS)
        assign(broker, NULL, NULL, 0);
}

void broker_commit(struct broker *broker, const struct broker_place *places, int count)
{
    if (count == 0)
        return;
    rd_kafka_topic_partition_list_t *list = list_of(broker, places, NULL, count);
    rd_kafka_commit(broker->client, list, 1);
    rd_kafka_topic_partition_list_destroy(list);
}

int64_t broker_end(const struct broker *broker, int topic, int32_t partition)
{
    int64_t low = -1, high = -1;
    rd_kafka_resp_err_t code = rd_kafka_get_watermark_offsets(
        broker->client, broker->topics[topic], partition, &low, &high);
    return code || high < 0 ? -1 : high;
}

/* ---- describing ---- */

void broker_topic_clear(struct broker_topic *topic)
{
    free(topic->starts);
    free(topic->ends);
    *topic = (struct broker_topic){.retention_ms = -1};
}

int broker_describe(struct broker *broker, const char *name, struct broker_topic *out,
                    struct error *err)
{
    return describe_topic(broker->client, broker->config, name, out, err);
}

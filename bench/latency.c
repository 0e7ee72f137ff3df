/* latency - how long after its acknowledgement an event stands in Redis, and is published.
 *
 *     latency BROKERS TOPIC REDIS-HOST REDIS-PORT BUSINESS RATE SECONDS
 *
 * Sends orders of now at RATE a second while a sales-worker and a reporter run. A thread notes
 * when Kafka acknowledged each, and at which offset. The main thread asks Redis every millisecond
 * for the positions, the day's orders (in one step, so they belong together) and the orders of the
 * published day. An event is counted when the position has passed its offset; it is published when
 * the published orders have reached those counted when it was first seen counted. The first two
 * seconds are left out. Prints one line:
 *
 *     rate R samples N counted_ms P50 P99 MAX published_ms P50 P99 MAX */
#include "bench/generator.h"
#include "common/calendar.h"
#include "common/clock.h"
#include "common/kafka.h"
#include "common/partitioner.h"

#include <hiredis/hiredis.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PARTITIONS_MAX = 64, ROOM = 4096, WARM_UP_S = 2, PATIENCE_S = 15 };

struct ack {
    double at_s;
    int64_t offset;
};

/* Acknowledged, not seen in Redis yet: in the order of offsets. */
struct queue {
    struct ack *acks;
    size_t count, taken;
};

struct sample {
    double ack_s, counted_s, published_s;
    int64_t orders; /* the day's, when it was first seen counted */
};

struct latency {
    struct config *config;
    rd_kafka_t *producer;
    rd_kafka_topic_t *topic;
    int32_t partitions;
    int64_t rate, seconds, total;
    char position_key[128], day_key[128], published_key[128];
    redisContext *redis;
    pthread_mutex_t lock;
    struct queue queues[PARTITIONS_MAX];
    struct sample *samples;
    size_t sample_count, published_count;
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "latency: %s: %s\n", what, why);
    exit(1);
}

/* ---- sending ---- */

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    struct latency *l = opaque;
    struct ack ack = {now_s(), message->offset};
    (void)client;
    if (message->err)
        die("delivery", rd_kafka_err2str(message->err));
    pthread_mutex_lock(&l->lock);
    struct queue *queue = &l->queues[message->partition];
    queue->acks[queue->count++] = ack;
    pthread_mutex_unlock(&l->lock);
}

static void adjust(rd_kafka_conf_t *conf)
{
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
}

static void send_one(struct latency *l, const struct generator *set, int64_t n)
{
    struct made made;
    char value[ROOM];
    generator_make(set, n, &made);
    made.event.time_ms = clock_wall_ms();
    size_t len = event_encode(&made.event, l->config->type_prefix, value, sizeof value);
    struct text key = event_key(&made.event);
    if (rd_kafka_produce(l->topic, partition_of(key, l->partitions), RD_KAFKA_MSG_F_COPY, value,
                         len, key.at, key.len, NULL) != 0)
        die("produce", rd_kafka_err2str(rd_kafka_last_error()));
}

static void *send_all(void *argument)
{
    struct latency *l = argument;
    struct generator set = {.seed = (uint64_t)clock_wall_ms(), .count = l->total, .days = 1};
    double begin_s = now_s();
    for (int64_t n = 0; n < l->total; n++) {
        double due_s = begin_s + (double)n / (double)l->rate;
        while (now_s() < due_s)
            rd_kafka_poll(l->producer, 1);
        send_one(l, &set, n);
        rd_kafka_poll(l->producer, 0);
    }
    if (rd_kafka_flush(l->producer, PATIENCE_S * 1000) != RD_KAFKA_RESP_ERR_NO_ERROR)
        die("flush", "not everything was acknowledged");
    return NULL;
}

/* ---- watching ---- */

static int64_t number_of(const redisReply *reply)
{
    return reply && reply->type == REDIS_REPLY_STRING ? strtoll(reply->str, NULL, 10) : 0;
}

static void take_counted(struct latency *l, int partition, int64_t position, int64_t orders,
                         double at_s)
{
    struct queue *queue = &l->queues[partition];
    pthread_mutex_lock(&l->lock);
    for (; queue->taken < queue->count && queue->acks[queue->taken].offset < position;
         queue->taken++)
        l->samples[l->sample_count++] =
            (struct sample){queue->acks[queue->taken].at_s, at_s, 0, orders};
    pthread_mutex_unlock(&l->lock);
}

/* Fields sales:<partition> of the position hash; their values begin with the offset. */
static void take_positions(struct latency *l, const redisReply *hash, int64_t orders, double at_s)
{
    for (size_t i = 0; i + 1 < hash->elements; i += 2) {
        const char *field = hash->element[i]->str;
        char *end;
        if (strncmp(field, "sales:", 6) != 0)
            continue;
        long partition = strtol(field + 6, &end, 10);
        if (*end == 0 && partition >= 0 && partition < l->partitions)
            take_counted(l, (int)partition, number_of(hash->element[i + 1]), orders, at_s);
    }
}

static void look(struct latency *l)
{
    redisReply *published = redisCommand(l->redis, "HGET %s orders", l->published_key);
    double published_s = now_s();
    redisAppendCommand(l->redis, "MULTI");
    redisAppendCommand(l->redis, "HGETALL %s", l->position_key);
    redisAppendCommand(l->redis, "HGET %s orders", l->day_key);
    redisAppendCommand(l->redis, "EXEC");
    redisReply *replies[4] = {NULL};
    for (int i = 0; i < 4; i++)
        if (redisGetReply(l->redis, (void **)&replies[i]) != REDIS_OK)
            die("redis", l->redis->errstr);
    double counted_s = now_s();
    int64_t orders = number_of(published);
    while (l->published_count < l->sample_count && l->samples[l->published_count].orders <= orders)
        l->samples[l->published_count++].published_s = published_s;
    if (replies[3]->type == REDIS_REPLY_ARRAY && replies[3]->elements == 2)
        take_positions(l, replies[3]->element[0], number_of(replies[3]->element[1]), counted_s);
    for (int i = 0; i < 4; i++)
        freeReplyObject(replies[i]);
    freeReplyObject(published);
}

static void watch(struct latency *l)
{
    double end_s = now_s() + (double)l->seconds + PATIENCE_S;
    while (l->published_count < (size_t)l->total && now_s() < end_s) {
        struct timespec pause = {0, 1000000};
        nanosleep(&pause, NULL);
        look(l);
    }
}

/* ---- telling ---- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void tell(const char *name, double *ms, size_t count)
{
    qsort(ms, count, sizeof *ms, compare);
    printf(" %s %.1f %.1f %.1f", name, ms[count / 2], ms[count * 99 / 100], ms[count - 1]);
}

static void tell_all(const struct latency *l)
{
    double *counted = malloc(l->sample_count * sizeof *counted);
    double *published = malloc(l->sample_count * sizeof *published);
    size_t count = 0;
    if (!counted || !published)
        die("samples", "out of memory");
    for (size_t i = 0; i < l->sample_count; i++) {
        const struct sample *s = &l->samples[i];
        if (s->ack_s < l->samples[0].ack_s + WARM_UP_S)
            continue;
        counted[count] = (s->counted_s - s->ack_s) * 1e3;
        published[count++] = (s->published_s - s->ack_s) * 1e3;
    }
    if (count == 0)
        die("samples", "RATE times SECONDS leaves none after the warm-up");
    printf("rate %lld samples %zu", (long long)l->rate, count);
    tell("counted_ms", counted, count);
    tell("published_ms", published, count);
    putchar('\n');
    free(counted);
    free(published);
}

/* ---- opening ---- */

static void open_kafka(struct latency *l, char **argv)
{
    struct error err;
    if (config_open(&l->config, &err) != 0 ||
        config_set(l->config, "brokers", argv[1], CONFIG_OPTION, "BROKERS", &err) != 0)
        die("settings", err.text);
    l->producer = kafka_open(l->config, KAFKA_PRODUCER, NULL, l, adjust, &err);
    l->partitions = l->producer ? kafka_partitions(l->producer, argv[2], &err) : -1;
    if (l->partitions <= 0 || l->partitions > PARTITIONS_MAX)
        die(argv[2], err.text);
    l->topic = rd_kafka_topic_new(l->producer, argv[2], NULL);
}

static void open_rest(struct latency *l, char **argv)
{
    char date[11];
    const char *business = argv[5];
    l->rate = atoll(argv[6]);
    l->seconds = atoll(argv[7]);
    l->total = l->rate * l->seconds;
    if (l->total <= 0)
        die("usage", "RATE and SECONDS are numbers above 0");
    calendar_format_date((int32_t)(clock_wall_ms() / 86400000), date);
    snprintf(l->position_key, sizeof l->position_key, "tandem:{%s}:position:sales", business);
    snprintf(l->day_key, sizeof l->day_key, "tandem:{%s}:sale:day:%s:all", business, date);
    snprintf(l->published_key, sizeof l->published_key, "tandem:{%s}:comparison:day:%s:all",
             business, date);
    l->redis = redisConnect(argv[3], atoi(argv[4]));
    l->samples = calloc((size_t)l->total, sizeof *l->samples);
    if (!l->redis || l->redis->err || !l->samples)
        die("redis", l->redis ? l->redis->errstr : "out of memory");
    for (int p = 0; p < PARTITIONS_MAX; p++)
        if (p < l->partitions &&
            !(l->queues[p].acks = calloc((size_t)l->total, sizeof(struct ack))))
            die("samples", "out of memory");
}

int main(int argc, char **argv)
{
    static struct latency l;
    pthread_t sender;
    if (argc != 8) {
        fputs("usage: latency BROKERS TOPIC REDIS-HOST REDIS-PORT BUSINESS RATE SECONDS\n", stderr);
        return 2;
    }
    pthread_mutex_init(&l.lock, NULL);
    open_kafka(&l, argv);
    open_rest(&l, argv);
    if (pthread_create(&sender, NULL, send_all, &l) != 0)
        die("thread", "cannot be made");
    watch(&l);
    pthread_join(sender, NULL);
    if (l.published_count < (size_t)l.total) {
        fprintf(stderr, "latency: of %lld events %zu were counted, %zu published\n",
                (long long)l.total, l.sample_count, l.published_count);
        return 1;
    }
    tell_all(&l);
    return 0;
}

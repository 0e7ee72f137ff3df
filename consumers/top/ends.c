#include "consumers/top/ends.h"

#include "common/kafka.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { ASK_MS = 1000, EVERY_S = 1 };

struct ends {
    rd_kafka_t *client;
    const char *topic[2];
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t sum[2];
    bool started, asked, stop;
};

static int64_t ask(const struct ends *ends, const char *topic)
{
    int64_t sum = 0, low, high;
    const struct rd_kafka_metadata *found = NULL;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(ends->client, topic, NULL);
    if (!handle) {
        return -1;
    }
    rd_kafka_resp_err_t code = rd_kafka_metadata(ends->client, 0, handle, &found, ASK_MS);
    rd_kafka_topic_destroy(handle);
    int count = code || found->topic_cnt != 1 ? -1 : found->topics[0].partition_cnt;
    for (int p = 0; p < count && sum >= 0; p++) {
        code = rd_kafka_query_watermark_offsets(ends->client, topic, p, &low, &high, ASK_MS);
        sum = code ? -1 : sum + high;
    }
    if (found) {
        rd_kafka_metadata_destroy(found);
    }
    return count > 0 ? sum : -1;
}

static void rest(struct ends *ends)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += EVERY_S;
    while (!ends->stop && pthread_cond_timedwait(&ends->changed, &ends->lock, &until) == 0) {
    }
}

static void *run(void *context)
{
    struct ends *ends = context;
    pthread_mutex_lock(&ends->lock);
    while (!ends->stop) {
        pthread_mutex_unlock(&ends->lock);
        int64_t sales = ask(ends, ends->topic[0]);
        int64_t service = sales < 0 ? -1 : ask(ends, ends->topic[1]);
        pthread_mutex_lock(&ends->lock);
        ends->sum[0] = sales;
        ends->sum[1] = service;
        ends->asked = true;
        pthread_cond_broadcast(&ends->changed);
        rest(ends);
    }
    pthread_mutex_unlock(&ends->lock);
    return NULL;
}

/* No line of a client's own may break the picture. */
static void be_quiet(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    (void)client;
    (void)level;
    (void)facility;
    (void)text;
}

static void adjust(rd_kafka_conf_t *conf)
{
    rd_kafka_conf_set_log_cb(conf, be_quiet);
}

int ends_open(struct ends **out, const struct config *config, struct error *err)
{
    struct ends *ends = calloc(1, sizeof *ends);
    if (!ends) {
        return error_memory(err);
    }
    *ends = (struct ends){.topic = {config->topics_sales, config->topics_service}, .sum = {-1, -1}};
    pthread_mutex_init(&ends->lock, NULL);
    pthread_cond_init(&ends->changed, NULL);
    ends->client = kafka_open(config, KAFKA_ADMIN, NULL, NULL, adjust, err);
    ends->started = ends->client && pthread_create(&ends->thread, NULL, run, ends) == 0;
    if (!ends->started) {
        int rc = ends->client ? error_memory(err) : -1;
        ends_free(ends);
        return rc;
    }
    *out = ends;
    return 0;
}

void ends_free(struct ends *ends)
{
    if (!ends) {
        return;
    }
    if (ends->started) {
        pthread_mutex_lock(&ends->lock);
        ends->stop = true;
        pthread_cond_broadcast(&ends->changed);
        pthread_mutex_unlock(&ends->lock);
        pthread_join(ends->thread, NULL);
    }
    if (ends->client) {
        rd_kafka_destroy(ends->client);
    }
    pthread_cond_destroy(&ends->changed);
    pthread_mutex_destroy(&ends->lock);
    free(ends);
}

int64_t ends_sum(struct ends *ends, int side)
{
    pthread_mutex_lock(&ends->lock);
    int64_t sum = ends->sum[side];
    pthread_mutex_unlock(&ends->lock);
    return sum;
}

void ends_wait(struct ends *ends)
{
    pthread_mutex_lock(&ends->lock);
    while (!ends->asked) {
        pthread_cond_wait(&ends->changed, &ends->lock);
    }
    pthread_mutex_unlock(&ends->lock);
}

/* floor - librdkafka alone: reads a topic to its end and drops every record.
 *
 *     floor BROKERS TOPIC [kafka.NAME=VALUE ...]
 *
 * The client is the one of a worker, with the same settings and the same size of a poll; so no
 * worker on librdkafka can need less. Partitions are assigned by hand: joining a group is not
 * what is measured. Prints `events N seconds S`, from the first record to the last. */
#include "common/kafka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 2000 };

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int set_pair(struct config *config, char *pair, struct error *err)
{
    char *value = strchr(pair, '=');
    if (!value)
        return error_set(err, ERROR_USAGE, "%s is not NAME=VALUE", pair);
    *value++ = 0;
    return config_set(config, pair, value, CONFIG_OPTION, "argument", err);
}

static int configure(struct config **config, int argc, char **argv, struct error *err)
{
    if (config_open(config, err) != 0 ||
        config_set(*config, "brokers", argv[1], CONFIG_OPTION, "BROKERS", err) != 0)
        return -1;
    for (int i = 3; i < argc; i++)
        if (set_pair(*config, argv[i], err) != 0)
            return -1;
    return 0;
}

static int assign_all(rd_kafka_t *client, const char *topic, int partitions, struct error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int p = 0; p < partitions; p++)
        rd_kafka_topic_partition_list_add(list, topic, p)->offset = 0;
    rd_kafka_resp_err_t code = rd_kafka_assign(client, list);
    rd_kafka_topic_partition_list_destroy(list);
    return code ? error_set(err, ERROR_KAFKA, "%s", rd_kafka_err2str(code)) : 0;
}

/* Reads until every partition has told its end. */
static void read_all(rd_kafka_t *client, int partitions)
{
    static rd_kafka_message_t *batch[BATCH];
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(client);
    double first_s = 0, last_s = 0;
    long events = 0;
    for (int ends = 0; ends < partitions;) {
        ssize_t n = rd_kafka_consume_batch_queue(queue, 100, batch, BATCH);
        for (ssize_t i = 0; i < n; i++) {
            ends += batch[i]->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
            if (!batch[i]->err && events++ == 0)
                first_s = now_s();
            rd_kafka_message_destroy(batch[i]);
        }
        last_s = now_s();
    }
    rd_kafka_queue_destroy(queue);
    printf("events %ld seconds %.3f\n", events, last_s - first_s);
}

int main(int argc, char **argv)
{
    struct config *config = NULL;
    rd_kafka_t *client = NULL;
    struct error err;
    int partitions = 0;
    if (argc < 3) {
        fputs("usage: floor BROKERS TOPIC [kafka.NAME=VALUE ...]\n", stderr);
        return 2;
    }
    int rc = configure(&config, argc, argv, &err);
    if (rc == 0) {
        client = kafka_open(config, KAFKA_WORKER, "floor", NULL, NULL, &err);
        rc = client ? 0 : -1;
    }
    if (rc == 0) {
        rd_kafka_poll_set_consumer(client);
        partitions = kafka_partitions(client, argv[2], &err);
        rc = partitions > 0 ? assign_all(client, argv[2], partitions, &err) : -1;
    }
    if (rc == 0)
        read_all(client, partitions);
    else
        fprintf(stderr, "floor: %s\n", err.text);
    fflush(stdout);
    if (client)
        rd_kafka_destroy(client);
    config_free(config);
    return rc == 0 ? 0 : 1;
}

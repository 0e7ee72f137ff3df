/* load - puts a generated set of events into Kafka, as fast as Kafka takes it.
 *
 *     load BROKERS SALES SERVICE plain|mixed COUNT FIRST-DAY DAYS TRUTH
 *
 * Event n is the same in every run (seed 1). Writes to the file TRUTH what the counters must be,
 * and tells number and mean size of what was sent. The topics must be there. */
#include "bench/generator.h"
#include "bench/truth.h"
#include "common/calendar.h"
#include "common/kafka.h"
#include "common/partitioner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROOM = 8192, FLUSH_MS = 120000 };

struct load {
    struct config *config;
    rd_kafka_t *producer;
    rd_kafka_topic_t *topics[SIDES];
    int32_t partitions;
    struct generator set;
    struct truth *truth;
    int64_t bytes, sent[SIDES];
};

static int64_t failed;

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    (void)client;
    (void)opaque;
    failed += message->err != RD_KAFKA_RESP_ERR_NO_ERROR;
}

static void adjust(rd_kafka_conf_t *conf)
{
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
}

static int open_load(struct load *l, char **argv, struct error *err)
{
    static const char *const settings[][2] = {
        {"kafka.linger.ms", "50"}, {"kafka.batch.size", "1000000"}, {"log.level", "warning"}};
    if (config_open(&l->config, err) != 0 ||
        config_set(l->config, "brokers", argv[1], CONFIG_OPTION, "BROKERS", err) != 0)
        return -1;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (config_set(l->config, settings[i][0], settings[i][1], CONFIG_OPTION, "load", err) != 0)
            return -1;
    l->producer = kafka_open(l->config, KAFKA_PRODUCER, NULL, NULL, adjust, err);
    if (!l->producer)
        return -1;
    l->partitions = kafka_partitions(l->producer, argv[2], err);
    if (l->partitions <= 0 || kafka_partitions(l->producer, argv[3], err) != l->partitions)
        return error_set(err, ERROR_USAGE, "the topics must be there, with as many partitions");
    l->topics[SIDE_SALE] = rd_kafka_topic_new(l->producer, argv[2], NULL);
    l->topics[SIDE_SERVICE] = rd_kafka_topic_new(l->producer, argv[3], NULL);
    l->truth = truth_open(&l->set);
    return l->truth ? 0 : error_memory(err);
}

static int send_one(struct load *l, int64_t n, struct error *err)
{
    struct made made;
    char value[ROOM];
    generator_make(&l->set, n, &made);
    size_t len = event_encode(&made.event, l->config->type_prefix, value, sizeof value);
    struct text key = event_key(&made.event);
    enum side side = event_side(made.event.type);
    while (rd_kafka_produce(l->topics[side], partition_of(key, l->partitions), RD_KAFKA_MSG_F_COPY,
                            value, len, key.at, key.len, NULL) != 0) {
        if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            return error_set(err, ERROR_KAFKA, "%s", rd_kafka_err2str(rd_kafka_last_error()));
        rd_kafka_poll(l->producer, 100);
    }
    truth_add(l->truth, &made);
    l->bytes += (int64_t)len;
    l->sent[side]++;
    return 0;
}

static int send_all(struct load *l, struct error *err)
{
    for (int64_t n = 0; n < l->set.count; n++) {
        if (send_one(l, n, err) != 0)
            return -1;
        if (n % 1000 == 0)
            rd_kafka_poll(l->producer, 0);
    }
    if (rd_kafka_flush(l->producer, FLUSH_MS) != RD_KAFKA_RESP_ERR_NO_ERROR || failed)
        return error_set(err, ERROR_KAFKA, "not everything was delivered");
    return 0;
}

static int write_truth(const struct load *l, const char *path, struct error *err)
{
    FILE *out = fopen(path, "w");
    if (!out)
        return error_set(err, ERROR_SYSTEM, "%s cannot be written", path);
    truth_write(l->truth, out);
    return fclose(out) == 0 ? 0 : error_set(err, ERROR_SYSTEM, "%s is not whole", path);
}

static void close_load(struct load *l)
{
    for (int side = 0; side < SIDES; side++)
        if (l->topics[side])
            rd_kafka_topic_destroy(l->topics[side]);
    if (l->producer)
        rd_kafka_destroy(l->producer);
    truth_free(l->truth);
    config_free(l->config);
}

int main(int argc, char **argv)
{
    struct load l = {0};
    struct error err;
    if (argc != 9) {
        fputs("usage: load BROKERS SALES SERVICE plain|mixed COUNT FIRST-DAY DAYS TRUTH\n", stderr);
        return 2;
    }
    l.set = (struct generator){.seed = 1,
                               .count = atoll(argv[5]),
                               .days = atoi(argv[7]),
                               .mixed = strcmp(argv[4], "mixed") == 0};
    if (l.set.count <= 0 || l.set.days <= 0 ||
        !calendar_parse_date(text_of(argv[6]), &l.set.first_day)) {
        fputs("load: COUNT and DAYS are numbers above 0, FIRST-DAY a date\n", stderr);
        return 2;
    }
    int rc = open_load(&l, argv, &err) != 0 || send_all(&l, &err) != 0 ||
             write_truth(&l, argv[8], &err) != 0;
    if (rc)
        fprintf(stderr, "load: %s\n", err.text);
    else
        printf("sale %" PRId64 " service %" PRId64 " mean_bytes %.1f\n", l.sent[SIDE_SALE],
               l.sent[SIDE_SERVICE], (double)l.bytes / (double)l.set.count);
    close_load(&l);
    return rc;
}

/* admin.h - looks at topics and makes them, over Kafka's admin protocol. */
#ifndef TANDEM_ADMIN_H
#define TANDEM_ADMIN_H

#include "common/error.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct admin_topic {
    const char *name;        /* what to look at; the rest is the answer */
    int partitions;          /* 0: there is no such topic */
    int replication;         /* the smallest of its partitions */
    bool settings_known;     /* false: the broker does not tell (no right to ask, a mock) */
    char cleanup[64];        /* cleanup.policy */
    int64_t retention_ms;    /* -1: for ever */
    int64_t retention_bytes; /* -1: without limit */
    int64_t min_insync;
    bool unclean; /* unclean.leader.election.enable */
};

/* Fills the answers for `count` topics. 0, or -1 when the brokers do not answer. */
int admin_look(rd_kafka_t *client, struct admin_topic *topics, size_t count, struct error *err);

struct admin_setting {
    const char *name, *value;
};

/* Makes one topic; `settings` end with a NULL name. Returns when every
 * partition has a leader. One that is there already is left as it is. */
int admin_create(rd_kafka_t *client, const char *name, int partitions, int replication,
                 const struct admin_setting *settings, struct error *err);

/* Number of brokers, -1 when they do not answer. */
int admin_brokers(rd_kafka_t *client, struct error *err);

#endif

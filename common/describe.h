/* describe.h - what a topic is, asked of the brokers by any client. */
#ifndef TANDEM_DESCRIBE_H
#define TANDEM_DESCRIBE_H

#include "common/broker.h"

#include <librdkafka/rdkafka.h>

/* As broker_describe(), for a client that is in no group. Free *out with broker_topic_clear(). */
int describe_topic(rd_kafka_t *client, const struct config *config, const char *name,
                   struct broker_topic *out, struct error *err);

#endif

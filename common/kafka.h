/* kafka.h - librdkafka's settings, as tandem sets them.
 *
 * Some are fixed because the promise hangs on them and are refused in kafka.*; some are only
 * tandem's defaults. kafka.c lists both, each with its reason. */
#ifndef TANDEM_KAFKA_H
#define TANDEM_KAFKA_H

#include "common/config.h"
#include "common/error.h"

#include <librdkafka/rdkafka.h>

enum kafka_role {
    KAFKA_WORKER,   /* member of a group, read_committed, partition EOF events */
    KAFKA_READER,   /* reads by explicit offsets; no group unless `kind` names one */
    KAFKA_PRODUCER, /* idempotent, acks=all, murmur2_random */
    KAFKA_ADMIN     /* metadata and topics only */
};

/* Settings for a role; `kind` names the group "<group>.<kind>", NULL: none (rd_kafka_assign() and
 * rd_kafka_subscribe() need one; rd_kafka_consume_start_queue() does not).
 * Caller owns the result (rd_kafka_new takes it). NULL: a setting is unknown, bad or fixed. */
rd_kafka_conf_t *kafka_conf(const struct config *config, enum kafka_role role, const char *kind,
                            struct error *err);

/* Makes a client of a role with tandem's logger. Caller owns it (rd_kafka_destroy). */
rd_kafka_t *kafka_open(const struct config *config, enum kafka_role role, const char *kind,
                       void *opaque, void (*adjust)(rd_kafka_conf_t *conf), struct error *err);

/* Waits until a broker answers: retries with back-off and says so once; gives up after
 * connect.timeout if that is set, or when a signal asks to stop; at once when the brokers refuse
 * the password or a certificate. */
int kafka_wait(rd_kafka_t *client, const struct config *config, struct error *err);

/* What a broker answered, in words, with `what` ("topic tandem.sales") before it: -1 for good where
 * the user lacks an ACL, else with err->retry. */
int kafka_refused(rd_kafka_resp_err_t code, const char *what, struct error *err);

/* Number of partitions of a topic; 0 when it does not exist; -1 on error. Waits up to 10 s and
 * never makes the topic. */
int kafka_partitions(rd_kafka_t *client, const char *topic, struct error *err);

/* Errors that librdkafka told of since the process began, on any of its clients: connections that
 * failed, requests that were refused. Any thread. */
int64_t kafka_errors(void);
void kafka_note_error(void); /* one that was met in a stream of records */

#endif

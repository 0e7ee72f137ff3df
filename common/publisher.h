/* publisher.h - sends records to Kafka and knows which arrived.
 *
 * Idempotent, acks=all. Reports come from publisher_poll(), on the caller's thread. */
#ifndef TANDEM_PUBLISHER_H
#define TANDEM_PUBLISHER_H

#include "common/config.h"
#include "common/error.h"
#include "common/record.h"

#include <stdint.h>

struct publisher;

/* Told once for each record sent: `failure` NULL when it was delivered, else why not. */
typedef void publisher_report(void *context, void *cookie, const char *failure);

/* 0, caller owns *out until publisher_free(). `report` may be NULL. */
int publisher_open(struct publisher **out, const struct config *config, publisher_report *report,
                   void *context, struct error *err);
/* Ends at once: what is not delivered by then is lost, so publisher_flush() first. */
void publisher_free(struct publisher *publisher);

/* Queues a copy of one record. `key` and `value` with at NULL are null. While the local queue is
 * full it serves reports and waits, up to `wait_ms`. 0; -1 with err->retry when the queue stayed
 * full, -1 for good when it can never be sent (too large, unknown topic). */
int publisher_send(struct publisher *publisher, const char *topic, struct text key,
                   struct text value, const struct record_header *headers, size_t header_count,
                   void *cookie, int64_t wait_ms, struct error *err);

/* Serves delivery reports for up to `wait_ms`. */
void publisher_poll(struct publisher *publisher, int64_t wait_ms);
/* Waits until everything queued was delivered or failed. 0, or -1 when `wait_ms` passed. */
int publisher_flush(struct publisher *publisher, int64_t wait_ms, struct error *err);

int64_t publisher_pending(const struct publisher *publisher); /* sent, not yet reported */
int64_t publisher_delivered(const struct publisher *publisher);
int64_t publisher_failed(const struct publisher *publisher);

/* Waits for the brokers as kafka_wait() does, and checks that `topic` exists. */
int publisher_wait(struct publisher *publisher, const char *topic, struct error *err);
/* The same, but a topic that does not exist may still be made: waits for it, as long as
 * connect.timeout says. `err` is not NULL. */
int publisher_await(struct publisher *publisher, const char *topic, struct error *err);

#endif

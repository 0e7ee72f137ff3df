/* dispatch.h - records of the comparison topic, sent at least once.
 *
 * publish.lua notes each publication in the hash `outbox`; the note goes when Kafka has the record.
 * So what a reporter could not send, or died before sending, is sent by whoever publishes next,
 * always with the newest revision, and nothing waits in memory while Kafka is away. */
#ifndef TANDEM_DISPATCH_H
#define TANDEM_DISPATCH_H

#include "common/config.h"
#include "common/error.h"
#include "common/redis.h"
#include "consumers/reporter/lease.h"
#include "consumers/reporter/publication.h"

struct dispatch;

/* 0, caller owns *out until dispatch_free(). Keeps `config`. */
int dispatch_open(struct dispatch **out, const struct config *config, struct error *err);
void dispatch_free(struct dispatch *dispatch);

/* Waits for Kafka; the topic must exist. */
int dispatch_wait(struct dispatch *dispatch, struct error *err);
/* Sends the record of a publication just made. What does not go now goes later: no error but
 * memory. */
int dispatch_send(struct dispatch *dispatch, const struct publication *publication,
                  struct error *err);
/* Sends what is noted and not under way, read back from Redis: for a new leader, and after Kafka
 * was away. 0, or -1 (Redis, memory). */
int dispatch_resend(struct dispatch *dispatch, struct redis *redis, struct error *err);
/* Hears of deliveries, removes their notes, sends again what failed. Call it often; cheap. */
int dispatch_serve(struct dispatch *dispatch, struct redis *redis, const struct lease *lease,
                   struct error *err);
/* Waits up to `wait_ms` until everything is delivered and its notes are removed. 0; -1 when
 * something is left: it stays noted. */
int dispatch_flush(struct dispatch *dispatch, struct redis *redis, const struct lease *lease,
                   int64_t wait_ms, struct error *err);

#endif

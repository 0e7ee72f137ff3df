/* feed.h - what is heard from Redis: publications, and whether anybody publishes.
 *
 * One connection subscribes to the channel of publications and gives each to the streams. Another,
 * the one that questions are asked on, looks every two seconds for the lease of a reporter. When
 * either is lost, those who listen are told, and told to read everything anew when it is back. */
#ifndef TANDEM_FEED_H
#define TANDEM_FEED_H

#include "common/config.h"
#include "common/error.h"
#include "common/redis.h"
#include "consumers/dashboard/streams.h"

#include <stdbool.h>
#include <stdint.h>

struct feed;

/* `redis` is the connection of questions. 0, caller owns *out until feed_free(). */
int feed_open(struct feed **out, const struct config *config, struct redis *redis,
              struct streams *streams, struct error *err);
void feed_free(struct feed *feed);
int feed_fd(const struct feed *feed); /* to poll; -1: not connected */
/* Does what is due; called at least every quarter of a second. */
void feed_turn(struct feed *feed, int64_t now_ms);
/* Connects the questions' connection if it is not; tries at most once a second. */
bool feed_ready(struct feed *feed, int64_t now_ms);
bool feed_hears(const struct feed *feed); /* Redis answers on both */
/* {"redis":true,"reporter":true,...}, what a beat carries. Returns out. */
char *feed_state(const struct feed *feed, char out[160]);

#endif

/* published.h - reads a published comparison back from Redis.
 *
 * A hash has no order: its fields are put back into the order of publication. */
#ifndef TANDEM_PUBLISHED_H
#define TANDEM_PUBLISHED_H

#include "common/calendar.h"
#include "common/error.h"
#include "common/redis.h"
#include "consumers/comparison/fields.h"

/* 0, and the caller owns *out until fields_free(); *out NULL when nothing is published there.
 * -1: Redis, memory. */
int published_read(struct redis *redis, const char *key, struct fields **out, struct error *err);

/* The periods of a kind that are published of a scope, among those that hold the days from..until,
 * in order: *out is the caller's (free), *count its length. 0, or -1 (Redis, memory). */
int published_periods(struct redis *redis, const char *business, const char *scope,
                      enum period_kind kind, int32_t from, int32_t until, struct period **out,
                      size_t *count, struct error *err);

#endif

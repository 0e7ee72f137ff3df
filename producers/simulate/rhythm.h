/* rhythm.h - when a shop sells: by hour, weekday and season of the business's time zone. */
#ifndef TANDEM_RHYTHM_H
#define TANDEM_RHYTHM_H

#include "common/error.h"
#include "common/zone.h"
#include "producers/simulate/dice.h"

#include <stdint.h>

struct rhythm;

/* The moments of `sales` sales from start_s on, before end_s (epoch seconds, at least an hour
 * later). `zone` must outlive it. 0, caller owns *out until rhythm_free(). */
int rhythm_open(struct rhythm **out, const struct zone *zone, int64_t start_s, int64_t end_s,
                int64_t sales, struct error *err);
/* One sale every gap_ms from start_ms on, without end. */
int rhythm_open_steady(struct rhythm **out, int64_t start_ms, int64_t gap_ms, struct error *err);
void rhythm_free(struct rhythm *rhythm);

/* The moment of the next sale in epoch milliseconds, never before the last one's. Call it at most
 * `sales` times. */
int64_t rhythm_next(struct rhythm *rhythm, struct dice *dice);

/* `ms`, or the next morning when people sleep at `ms`. */
int64_t rhythm_awake(const struct rhythm *rhythm, int64_t ms, struct dice *dice);

#endif

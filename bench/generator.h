/* generator.h - the events that the benchmarks count.
 *
 * Event n of a set depends on the set's seed and on n alone, so any program can make any part of
 * it again. A plain set holds orders without items; a mixed one orders with items, refunds,
 * interactions, and tickets on the service side. Values are those of a shop: 6 regions, 5
 * channels, 24 reps, 8 lines. */
#ifndef TANDEM_BENCH_GENERATOR_H
#define TANDEM_BENCH_GENERATOR_H

#include "common/event.h"

enum {
    GENERATOR_REGIONS = 6,
    GENERATOR_CHANNELS = 5,
    GENERATOR_REPS = 24,
    GENERATOR_LINES = 8,
    GENERATOR_ITEMS_MAX = 4
};

extern const char *const generator_regions[], *const generator_channels[];
extern const char *const generator_reps[], *const generator_lines[];

struct generator {
    uint64_t seed;
    int64_t count;     /* events of the set: they are spread evenly over the days */
    int32_t first_day; /* days since 1970-01-01, UTC */
    int32_t days;
    bool mixed;
};

/* One event, and what it was made of. The event's texts lie in here: do not copy the struct. */
struct made {
    struct event event;
    int day; /* 0.. of the set */
    int region, channel, rep;
    int lines[GENERATOR_ITEMS_MAX]; /* of the items; of a refund the first */
    struct event_item items[GENERATOR_ITEMS_MAX];
    char id[64], subject[32], customer[24], other[32], sku[GENERATOR_ITEMS_MAX][16];
};

/* Event n of the set, 0 <= n < count. */
void generator_make(const struct generator *generator, int64_t n, struct made *out);

#endif

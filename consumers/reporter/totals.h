/* totals.h - customer counters of the business: the sums of all shards of the ledger.
 *
 * A total is absolute: read from every shard, written whole, so doing it twice changes nothing. */
#ifndef TANDEM_TOTALS_H
#define TANDEM_TOTALS_H

#include "common/error.h"
#include "common/redis.h"
#include "consumers/comparison/counters.h"
#include "consumers/reporter/lease.h"
#include "consumers/reporter/scopemap.h"
#include "consumers/reporter/shards.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOTALS_MAX    100       /* at once: a script of about a millisecond */
#define TOTALS_NO_DAY INT32_MIN /* the counters without a day */

struct total {
    int32_t day;
    const char *scope;     /* of the business; not looked at without a day */
    struct counters *sums; /* made by totals_read(); totals_clear() frees it */
};

/* Adds up `count` (at most TOTALS_MAX) totals from all shards. 0; -1: connections on which answers
 * may be under way are closed. */
int totals_read(struct total *list, size_t count, struct shards *shards, const struct scopemap *map,
                struct error *err);
/* Writes those that differ from what the business has, and marks their days as counted in, if the
 * lease stands; *held tells whether it did. */
int totals_write(const struct total *list, size_t count, struct redis *redis, const char *business,
                 const struct lease *lease, bool *held, struct error *err);
void totals_clear(struct total *list, size_t count);

#endif

/* pace.h - how much of a period's weight has gone by.
 *
 * A local day has weight * 86,400 units of it, however long the day is; today's share grows evenly
 * with its own length (23 to 25 hours around a clock change). Pure. */
#ifndef TANDEM_PACE_H
#define TANDEM_PACE_H

#include "common/calendar.h"
#include "common/zone.h"
#include "consumers/comparison/targets.h"

#include <stdbool.h>
#include <stdint.h>

struct pace {
    int64_t whole, elapsed; /* 0 <= elapsed <= whole */
    int64_t full_day;       /* units of a day of the greatest weight */
    bool closed;            /* the local day after the period's last has begun */
};

struct pace pace_of(struct period period, const struct targets *targets, const struct zone *zone,
                    int64_t as_of_s);

/* Units of the whole period: 0 when every day of it weighs nothing. */
int64_t pace_whole(struct period period, const struct targets *targets);

#endif

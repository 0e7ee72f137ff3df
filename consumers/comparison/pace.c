#include "consumers/comparison/pace.h"

#define DAY_UNITS INT64_C(86400)

static int64_t begin_of(const struct zone *zone, int32_t day)
{
    return zone_utc(zone, day * DAY_UNITS);
}

/* The day that has begun and whose next has not; where midnight comes twice that is the new day
 * from the first one on, though the clock shows the old date once more. */
static int32_t today_of(const struct zone *zone, int64_t as_of_s)
{
    int32_t day = zone_day(zone, as_of_s);
    return as_of_s >= begin_of(zone, day + 1) ? day + 1 : day;
}

static int64_t elapsed_today(const struct zone *zone, int32_t today, int weight, int64_t as_of_s)
{
    int64_t begin = begin_of(zone, today), end = begin_of(zone, today + 1);
    return end > begin ? weight * DAY_UNITS * (as_of_s - begin) / (end - begin) : 0;
}

int64_t pace_whole(struct period period, const struct targets *targets)
{
    int64_t whole = 0;
    for (int32_t day = period.first; day <= period.last; day++)
        whole += targets_weight(targets, day) * DAY_UNITS;
    return whole;
}

struct pace pace_of(struct period period, const struct targets *targets, const struct zone *zone,
                    int64_t as_of_s)
{
    struct pace pace = {.full_day = targets_weight_max(targets) * DAY_UNITS};
    int32_t today = today_of(zone, as_of_s);
    for (int32_t day = period.first; day <= period.last; day++) {
        int weight = targets_weight(targets, day);
        pace.whole += weight * DAY_UNITS;
        if (day < today)
            pace.elapsed += weight * DAY_UNITS;
        else if (day == today)
            pace.elapsed += elapsed_today(zone, today, weight, as_of_s);
    }
    pace.closed = today > period.last;
    return pace;
}

#include "producers/simulate/rhythm.h"

#include "common/calendar.h"

#include <stdlib.h>

enum { HOUR_S = 3600, DAY_S = 86400, MORNING_S = 8 * HOUR_S, NIGHT_S = 21 * HOUR_S };

static const uint16_t hour_weights[24] = {3,  1,  1,  1,  1,  2,  6,  14, 30, 52, 66, 70,
                                          72, 66, 58, 56, 60, 70, 82, 88, 76, 50, 26, 10};
static const uint16_t weekday_weights[7] = {96, 100, 102, 104, 118, 112, 68};
static const uint16_t month_weights[12] = {82, 84, 94, 96, 98, 94, 88, 86, 100, 106, 132, 140};

struct rhythm {
    const struct zone *zone; /* NULL: steady */
    int64_t start_ms, gap_ms;
    int64_t sales, sold;
    uint64_t *until; /* weight of all hours up to and with this one */
    size_t hours, at;
};

static uint64_t weight_of(const struct zone *zone, int64_t utc_s)
{
    int year, month, dom;
    int64_t local_s = zone_local(zone, utc_s);
    int32_t day = zone_day(zone, utc_s);
    calendar_civil(day, &year, &month, &dom);
    uint64_t hour = hour_weights[(local_s - (int64_t)day * DAY_S) / HOUR_S];
    return hour * weekday_weights[calendar_weekday(day)] * month_weights[month - 1];
}

int rhythm_open(struct rhythm **out, const struct zone *zone, int64_t start_s, int64_t end_s,
                int64_t sales, struct error *err)
{
    struct rhythm *rhythm = calloc(1, sizeof *rhythm);
    size_t hours = (size_t)((end_s - start_s) / HOUR_S);
    uint64_t *until = calloc(hours, sizeof *until), sum = 0;
    if (!rhythm || !until) {
        free(rhythm);
        free(until);
        return error_memory(err);
    }
    for (size_t i = 0; i < hours; i++) {
        until[i] = sum += weight_of(zone, start_s + (int64_t)i * HOUR_S);
    }
    *rhythm = (struct rhythm){
        .zone = zone, .start_ms = start_s * 1000, .sales = sales, .until = until, .hours = hours};
    *out = rhythm;
    return 0;
}

int rhythm_open_steady(struct rhythm **out, int64_t start_ms, int64_t gap_ms, struct error *err)
{
    struct rhythm *rhythm = calloc(1, sizeof *rhythm);
    if (!rhythm) {
        return error_memory(err);
    }
    *rhythm = (struct rhythm){.start_ms = start_ms, .gap_ms = gap_ms};
    *out = rhythm;
    return 0;
}

void rhythm_free(struct rhythm *rhythm)
{
    if (rhythm) {
        free(rhythm->until);
        free(rhythm);
    }
}

/* Each sale lies somewhere in its own share of the whole weight: random, and yet in order. */
int64_t rhythm_next(struct rhythm *rhythm, struct dice *dice)
{
    const int64_t hour_ms = HOUR_S * 1000;
    int64_t sold = rhythm->sold++;
    if (!rhythm->zone) {
        return rhythm->start_ms + sold * rhythm->gap_ms;
    }
    const unsigned __int128 fine = 1 << 20; /* parts of one unit of weight */
    unsigned __int128 all = rhythm->until[rhythm->hours - 1] * fine;
    uint64_t from = (uint64_t)(all * (uint64_t)sold / (uint64_t)rhythm->sales);
    uint64_t to = (uint64_t)(all * (uint64_t)(sold + 1) / (uint64_t)rhythm->sales);
    uint64_t place = from + (uint64_t)(((unsigned __int128)dice_next(dice) * (to - from)) >> 64);
    while (rhythm->until[rhythm->at] * fine <= place) {
        rhythm->at++;
    }
    uint64_t before = rhythm->at ? rhythm->until[rhythm->at - 1] : 0;
    unsigned __int128 into = place - before * fine;
    uint64_t weight = rhythm->until[rhythm->at] - before;
    return rhythm->start_ms + (int64_t)rhythm->at * hour_ms +
           (int64_t)(into * (uint64_t)hour_ms / (weight * fine));
}

int64_t rhythm_awake(const struct rhythm *rhythm, int64_t ms, struct dice *dice)
{
    if (!rhythm->zone) {
        return ms;
    }
    int64_t local_s = zone_local(rhythm->zone, ms / 1000);
    int64_t clock_s = local_s % DAY_S;
    if (clock_s >= MORNING_S && clock_s < NIGHT_S) {
        return ms;
    }
    int64_t sleep_s = clock_s < MORNING_S ? MORNING_S - clock_s : DAY_S - clock_s + MORNING_S;
    return ms + sleep_s * 1000 + dice_between(dice, 0, 3 * HOUR_S * 1000);
}

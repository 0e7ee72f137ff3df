#include "consumers/dashboard/limits.h"

static int64_t full(const struct limits *limits)
{
    return limits->rate * 2000;
}

static int64_t level_at(const struct limits *limits, const struct limits_bucket *bucket,
                        int64_t now_ms)
{
    int64_t passed = now_ms - bucket->at_ms;
    if (passed > 2000) {
        return full(limits);
    }
    int64_t level = bucket->level + (passed > 0 ? passed * limits->rate : 0);
    return level < full(limits) ? level : full(limits);
}

static struct limits_bucket *find(struct limits *limits, uint64_t address, int64_t now_ms)
{
    struct limits_bucket *row = limits->rows[address % LIMITS_ROWS], *best = &row[0];
    int64_t most = -1;
    for (int i = 0; i < LIMITS_WAYS; i++) {
        if (row[i].address == address) {
            return &row[i];
        }
        int64_t level = row[i].address ? level_at(limits, &row[i], now_ms) : INT64_MAX;
        if (level > most) {
            most = level;
            best = &row[i];
        }
    }
    *best = (struct limits_bucket){address, full(limits), now_ms};
    return best;
}

bool limits_take(struct limits *limits, uint64_t address, int64_t now_ms)
{
    if (limits->rate == 0) {
        return true;
    }
    struct limits_bucket *bucket = find(limits, address ? address : 1, now_ms);
    bucket->level = level_at(limits, bucket, now_ms);
    bucket->at_ms = now_ms;
    if (bucket->level < 1000) {
        return false;
    }
    bucket->level -= 1000;
    return true;
}

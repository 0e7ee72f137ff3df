#include "common/histogram.h"

/* Below 32 each value has its own bucket; from there each doubling is cut into 32. */
enum { STEPS = 32, STEP_BITS = 5 };

int histogram_bucket(int64_t seconds)
{
    if (seconds < STEPS) {
        return (int)seconds;
    }
    int e = 63 - __builtin_clzll((unsigned long long)seconds);
    return (e - STEP_BITS + 1) * STEPS + (int)((seconds >> (e - STEP_BITS)) & (STEPS - 1));
}

void histogram_range(int bucket, int64_t *lo, int64_t *hi)
{
    if (bucket < STEPS) {
        *lo = *hi = bucket;
        return;
    }
    int shift = bucket / STEPS - 1;
    *lo = (int64_t)(STEPS + bucket % STEPS) << shift;
    *hi = *lo + (((int64_t)1 << shift) - 1);
}

static __int128 total(const struct histogram_count *buckets, size_t n)
{
    __int128 sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += buckets[i].count > 0 ? buckets[i].count : 0;
    }
    return sum;
}

/* lo + (hi - lo) rank / in_bucket, rounded half up; 1 <= rank <= in_bucket. */
static int64_t interpolate(int64_t lo, int64_t hi, int64_t rank, int64_t in_bucket)
{
    __int128 twice = (__int128)(hi - lo) * rank * 2 + in_bucket;
    return lo + (int64_t)(twice / ((__int128)in_bucket * 2));
}

int64_t histogram_quantile(const struct histogram_count *buckets, size_t n, int num, int den,
                           int64_t *lo)
{
    __int128 sum = total(buckets, n);
    __int128 rank = (sum * num + den - 1) / den;
    if (rank < 1) {
        rank = 1;
    }
    __int128 below = 0;
    for (size_t i = 0; i < n; i++) {
        if (buckets[i].count <= 0) {
            continue;
        }
        if (rank <= below + buckets[i].count) {
            int64_t low, high;
            histogram_range(buckets[i].bucket, &low, &high);
            if (lo) {
                *lo = low;
            }
            return interpolate(low, high, (int64_t)(rank - below), buckets[i].count);
        }
        below += buckets[i].count;
    }
    return -1;
}

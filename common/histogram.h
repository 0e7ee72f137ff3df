/* histogram.h - log-linear buckets of whole seconds.
 *
 * v < 32 is its own bucket; else e = floor(log2 v), bucket = (e - 4) * 32 + ((v >> (e - 5)) & 31),
 * so a bucket is at most 1/32 of its value wide and a quantile right within 3.2 %. Pure. */
#ifndef TANDEM_HISTOGRAM_H
#define TANDEM_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BUCKETS 1888 /* enough for any int64 >= 0 */

int histogram_bucket(int64_t seconds);                      /* seconds >= 0 */
void histogram_range(int bucket, int64_t *lo, int64_t *hi); /* both inclusive */

struct histogram_count {
    int bucket;
    int64_t count;
};

/* The quantile num/den (e.g. 90/100) of buckets sorted ascending: rank r = ceil(q n), at least 1;
 * lo + (hi - lo)(r - below) / in_bucket, rounded half up. *lo (may be NULL) gets the low edge of the
 * bucket it fell into. Buckets with a count <= 0 are passed over. -1 when n <= 0. */
int64_t histogram_quantile(const struct histogram_count *buckets, size_t n, int num, int den,
                           int64_t *lo);

#endif

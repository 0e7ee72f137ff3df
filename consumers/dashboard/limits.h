/* limits.h - how often one address may ask. Pure.
 *
 * A bucket an address: it fills by `rate` a second up to two seconds' worth, and a request takes
 * one. A fixed number of buckets is kept; when room is short the fullest of a row gives way, for it
 * is the one that was not about to refuse anybody. */
#ifndef TANDEM_LIMITS_H
#define TANDEM_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#define LIMITS_ROWS 256
#define LIMITS_WAYS 8

struct limits_bucket {
    uint64_t address; /* its hash; 0: free */
    int64_t level;    /* thousandths of a request */
    int64_t at_ms;
};

struct limits {
    int64_t rate; /* requests a second; 0: any number */
    struct limits_bucket rows[LIMITS_ROWS][LIMITS_WAYS];
};

/* Takes one request of `address` at `now_ms`. False: it asks too often. */
bool limits_take(struct limits *limits, uint64_t address, int64_t now_ms);

#endif

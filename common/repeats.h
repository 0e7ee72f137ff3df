/* repeats.h - how often the same thing may be said. Pure.
 *
 * At most REPEATS_MAX times in REPEATS_MS; the next time after that it is told how often it was not.
 * A few hundred things are remembered; of more, the oldest is forgotten. */
#ifndef TANDEM_REPEATS_H
#define TANDEM_REPEATS_H

#include <stdbool.h>
#include <stdint.h>

enum { REPEATS_MAX = 10, REPEATS_MS = 10000, REPEATS_KEPT = 256 };

struct repeats {
    struct repeat {
        uint64_t key;
        int64_t since_ms, suppressed;
        int said;
    } list[REPEATS_KEPT];
    int count;
};

/* Whether what `key` stands for may be said now; *suppressed, when it may: how often it was not
 * since it last was. Begins with a zeroed struct. */
bool repeats_may(struct repeats *repeats, uint64_t key, int64_t now_ms, int64_t *suppressed);

#endif

#include "common/repeats.h"

static struct repeat *place_of(struct repeats *repeats, uint64_t key, int64_t now_ms)
{
    struct repeat *oldest = repeats->list;
    for (int i = 0; i < repeats->count; i++) {
        struct repeat *at = &repeats->list[i];
        if (at->key == key) {
            return at;
        }
        oldest = at->since_ms < oldest->since_ms ? at : oldest;
    }
    if (repeats->count < REPEATS_KEPT) {
        oldest = &repeats->list[repeats->count++];
    }
    *oldest = (struct repeat){.key = key, .since_ms = now_ms};
    return oldest;
}

bool repeats_may(struct repeats *repeats, uint64_t key, int64_t now_ms, int64_t *suppressed)
{
    struct repeat *at = place_of(repeats, key, now_ms);
    *suppressed = 0;
    if (now_ms - at->since_ms >= REPEATS_MS) {
        at->since_ms = now_ms;
        at->said = 0;
    }
    if (at->said == REPEATS_MAX) {
        at->suppressed++;
        return false;
    }
    at->said++;
    *suppressed = at->suppressed;
    at->suppressed = 0;
    return true;
}

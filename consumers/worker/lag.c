#include "consumers/worker/lag.h"

static void begin(struct lag *lag, int64_t position, int64_t next, int64_t now_ms)
{
    *lag = (struct lag){.seen = true, .mark = -1, .position = position, .next = next};
    lag->mark_ms = lag->fresh_ms = lag->moved_ms = now_ms;
}

static void pass_mark(struct lag *lag, int64_t position, int64_t end, int64_t now_ms)
{
    if (lag->mark >= 0 && position >= lag->mark)
        lag->fresh_ms = lag->mark_ms;
    if (lag->mark < 0 || position >= lag->mark) {
        lag->mark = end;
        lag->mark_ms = now_ms;
    }
    if (position >= end)
        lag->fresh_ms = lag->mark_ms = now_ms;
}

void lag_take(struct lag *lag, int64_t position, int64_t next, int64_t end, bool held,
              int64_t now_ms)
{
    if (!lag->seen)
        begin(lag, position, next, now_ms);
    if (position != lag->position || next != lag->next)
        lag->moved_ms = now_ms;
    lag->position = position;
    lag->next = next;
    lag->records = end < 0 ? -1 : end > position ? end - position : 0;
    if (end >= 0 && !held)
        pass_mark(lag, position, end, now_ms);
    if (lag->records == 0 && !held)
        lag->moved_ms = now_ms;
    lag->ms = held || lag->records != 0 ? now_ms - lag->fresh_ms : 0;
}

bool lag_well(const struct lag *lag, int64_t patience_ms, int64_t now_ms)
{
    return lag->seen && now_ms - lag->moved_ms <= patience_ms;
}

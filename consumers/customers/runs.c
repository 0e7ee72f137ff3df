#include "consumers/customers/runs.h"

#include <stdlib.h>
#include <string.h>

static bool reserve(struct runs *runs, size_t count)
{
    size_t room = runs->room ? runs->room : 8;
    if (count <= runs->room)
        return true;
    while (room < count)
        room *= 2;
    struct run *at = realloc(runs->at, room * sizeof *at);
    if (!at)
        return false;
    runs->at = at;
    runs->room = room;
    return true;
}

/* How many runs begin at or before the instant. */
static size_t runs_until(const struct runs *runs, int64_t time_s)
{
    size_t low = 0, high = runs->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (runs->at[middle].first_s <= time_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void take_out(struct runs *runs, size_t place)
{
    runs->count--;
    memmove(runs->at + place, runs->at + place + 1, (runs->count - place) * sizeof *runs->at);
}

static bool put_in(struct runs *runs, size_t place, struct run run)
{
    if (!reserve(runs, runs->count + 1))
        return false;
    memmove(runs->at + place + 1, runs->at + place, (runs->count - place) * sizeof *runs->at);
    runs->at[place] = run;
    runs->count++;
    return true;
}

bool runs_add(struct runs *runs, int64_t time_s, int64_t window_s)
{
    size_t next = runs_until(runs, time_s);
    struct run *left = next > 0 ? &runs->at[next - 1] : NULL;
    struct run *right = next < runs->count ? &runs->at[next] : NULL;
    bool near_left = left && time_s - left->last_s <= window_s;
    bool near_right = right && right->first_s - time_s <= window_s;
    if (!near_left && !near_right)
        return put_in(runs, next, (struct run){time_s, time_s});
    if (near_left && near_right) {
        left->last_s = right->last_s;
        take_out(runs, next);
    } else if (near_right) {
        right->first_s = time_s;
    } else if (left->last_s < time_s) {
        left->last_s = time_s;
    }
    return true;
}

bool runs_append(struct runs *runs, struct run run)
{
    return put_in(runs, runs->count, run);
}

bool runs_copy(struct runs *to, const struct runs *from)
{
    if (!reserve(to, from->count))
        return false;
    if (from->count)
        memcpy(to->at, from->at, from->count * sizeof *to->at);
    to->count = from->count;
    return true;
}

void runs_clear(struct runs *runs)
{
    runs->count = 0;
}

void runs_free(struct runs *runs)
{
    free(runs->at);
    *runs = (struct runs){0};
}

bool runs_hold(const struct runs *runs, size_t *cursor, int64_t s, int64_t window_s)
{
    while (*cursor < runs->count && runs->at[*cursor].last_s + window_s < s)
        ++*cursor;
    return *cursor < runs->count && runs->at[*cursor].first_s <= s;
}

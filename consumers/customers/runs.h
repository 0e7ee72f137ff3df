/* runs.h - a set of instants of which one thing is asked: does one lie in the window before s?
 *
 * An instant c answers for the seconds c to c + window. Instants no further apart than the window
 * answer for one stretch without a gap, so they are kept as one run, from the first to the last of
 * them, and the answer stays the same for every s. Runs lie in order, further apart than the
 * window: equal sets of instants, in whatever order they came, are equal runs. Pure. */
#ifndef TANDEM_RUNS_H
#define TANDEM_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct run {
    int64_t first_s, last_s;
};

struct runs {
    struct run *at;
    size_t count, room;
};

/* False when memory is short: nothing is added. */
bool runs_add(struct runs *runs, int64_t time_s, int64_t window_s);
/* Adds a run behind all others, further from them than the window: for reading what was stored. */
bool runs_append(struct runs *runs, struct run run);
bool runs_copy(struct runs *to, const struct runs *from);
void runs_clear(struct runs *runs); /* keeps its memory */
void runs_free(struct runs *runs);  /* what it holds, not *runs itself */

/* True when an instant c has 0 <= s - c <= window. `cursor` begins at 0 and goes along when one
 * asks for seconds that do not fall. */
bool runs_hold(const struct runs *runs, size_t *cursor, int64_t s, int64_t window_s);

#endif

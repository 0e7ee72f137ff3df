/* lag.h - how far behind one partition is, from samples of its position and its log's end. Pure.
 *
 * In records it is what lies between the two. In time it is how long ago the log first ended where
 * the position has not come yet, as far as this worker has seen: a sample takes the end as a mark,
 * and when the position has passed it, the position is as fresh as that mark. No record's time
 * stamp is looked at, so a wrong one cannot raise an alarm, and no record pays for it. */
#ifndef TANDEM_LAG_H
#define TANDEM_LAG_H

#include <stdbool.h>
#include <stdint.h>

struct lag {
    bool seen;
    int64_t records;     /* -1: the end is not known */
    int64_t ms;
    int64_t moved_ms;    /* when the partition last came forward, or was at the end */
    int64_t mark, mark_ms, fresh_ms, position, next;
};

/* One sample: the position in the store, the next offset to read (it moves while a window is
 * filled, too), the end of the log (-1: not known), and the time. A partition that nobody reads just
 * now (`held`) grows old whatever the last known end was: that end may be an old one. */
void lag_take(struct lag *lag, int64_t position, int64_t next, int64_t end, bool held,
              int64_t now_ms);
/* It is at the end, or has come forward within `patience_ms`. */
bool lag_well(const struct lag *lag, int64_t patience_ms, int64_t now_ms);

#endif

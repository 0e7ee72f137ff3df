/* view.h - what `tandem top` shows: the published comparison, and how fast it is fed. */
#ifndef TANDEM_VIEW_H
#define TANDEM_VIEW_H

#include "common/error.h"
#include "common/redis.h"
#include "consumers/comparison/fields.h"
#include "consumers/report/trend.h"

#include <stdbool.h>
#include <stdint.h>

#define VIEW_RATES 30 /* seconds of rates that are kept */

struct view_side {
    int64_t position;          /* records counted since the log's beginning; -1: nobody counts */
    int64_t lag;               /* records in the log, not yet counted; -1: not known */
    int64_t rate;              /* records counted a second, in tenths; -1: not known yet */
    int64_t rates[VIEW_RATES]; /* the same of the last seconds, oldest first */
};

struct view {
    struct fields *fields; /* NULL: nothing is published */
    struct trend trend;
    bool has_trend;
    struct view_side side[2]; /* sale, service */
    int64_t read_ms;          /* monotonic; 0: never */
    int64_t now_s;            /* epoch, when it was read */
    char why[256];            /* "": all is well; else why it could not be read */
};

void view_init(struct view *view);
void view_clear(struct view *view);
/* Reads it all anew; `scope` and `kind` of the running period. 0; -1: Redis: what was read before
 * stays. */
int view_read(struct view *view, struct redis *redis, const char *business, enum period_kind kind,
              const char *scope, struct error *err);

#endif

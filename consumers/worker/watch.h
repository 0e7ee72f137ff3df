/* watch.h - what the world may know of a worker: metrics, health, readiness.
 *
 * The worker's thread leaves a copy of its numbers here a few times a second; the thread of
 * common/listen.h reads that copy. So a record costs nothing, and who asks never waits for a turn of
 * the loop. docs/metrics.md lists what is told. */
#ifndef TANDEM_WATCH_H
#define TANDEM_WATCH_H

#include "common/exposition.h"
#include "common/listen.h"
#include "consumers/worker/kind.h"

extern const struct exposition_bounds watch_ms_bounds, watch_cell_bounds;

struct watch;
struct worker;

/* Of a worker still to be opened. 0, caller owns *out; it outlives the worker and the listener. */
int watch_open(struct watch **out, const struct config *config, const struct kind *kind,
               struct error *err);
void watch_free(struct watch *watch);

/* From the worker's thread. NULL is fine. A turn of the loop has begun; it is worth a copy when the
 * last one is some 100 ms old. */
void watch_beat(struct watch *watch);
void watch_turn(struct watch *watch, const struct worker *worker);

/* From the listener's thread; `own` is the watch. */
void watch_metrics(void *own, struct listen_reply *reply);
void watch_health(void *own, struct listen_reply *reply);
void watch_ready(void *own, struct listen_reply *reply);

#endif

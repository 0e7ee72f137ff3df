/* worker.h - the loop of every worker: poll, fold, apply.
 *
 * Reads the topics of its kind, folds in memory, and brings what is folded and the position into the
 * store in one step. What it promises and why is docs/guarantees.md. Between two steps nothing is half done:
 * a worker may be killed anywhere. One thread. */
#ifndef TANDEM_WORKER_H
#define TANDEM_WORKER_H

#include "common/config.h"
#include "common/error.h"
#include "consumers/worker/kind.h"

#include <stdbool.h>
#include <stdint.h>

struct worker_options {
    bool exit_at_end;    /* end when everything that is in the topic at the start is counted */
    bool accept_gap;     /* count a log that has lost its beginning */
    bool rebuild;        /* count beside the live counters (STORE_REBUILD), in a group of its own */
    /* Dead letters are sent from these offsets on, by partition: of what lies before them they
     * were sent already. NULL: of all. Stays the caller's. */
    const int64_t *letters_from;
    int32_t letters_count;
    struct watch *watch; /* what the world may know of it (watch.h); NULL: nothing. The caller's */
};

struct worker;

/* Waits for Kafka, Redis and the topics, and joins the group. 0, caller owns *out until
 * worker_free(). -1: connect.timeout passed, a signal asked to stop, or something must be mended. */
int worker_open(struct worker **out, const struct config *config, const struct kind *kind,
                struct worker_options options, struct error *err);
void worker_free(struct worker *worker);

/* One turn of the loop: at most about `wait_ms` of waiting. */
enum worker_turn { WORKER_GOES_ON, WORKER_DONE, WORKER_FAILED };
enum worker_turn worker_step(struct worker *worker, int64_t wait_ms, struct error *err);

/* Applies what is folded, within `wait_ms`; what cannot be applied is dropped, and counted again
 * by the next owner. Leaves the group. */
void worker_stop(struct worker *worker, int64_t wait_ms);

/* What happened so far, for logs and metrics. */
struct worker_totals {
    int64_t records, counted, duplicates, rejected, ignored, tombstones;
    int64_t batches, cells, dropped, lookups, rebalances;
    int64_t before_floor, rejects[REJECTS], fenced, redis_errors;
};
struct worker_totals worker_totals(const struct worker *worker);

#endif

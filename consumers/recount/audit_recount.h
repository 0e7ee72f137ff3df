/* audit_recount.h - one side of the log, counted in memory by the code that counts it for Redis.
 *
 * Walks forward only: to the positions of one slice, then of the next. */
#ifndef TANDEM_AUDIT_RECOUNT_H
#define TANDEM_AUDIT_RECOUNT_H

#include "common/config.h"
#include "common/store.h"
#include "common/tally.h"
#include "consumers/recount/audit_floor.h"
#include "consumers/recount/audit_rows.h"
#include "consumers/worker/fold.h"

struct recount;

/* Told now and then while the log is read: how many offsets were passed. */
typedef void recount_tick(void *context, int64_t offsets);

/* Begins where the store of `state` begins; `state` must outlive it. Hours that have expired at
 * `now_s` are not counted. 0, caller owns *out until recount_free(). */
int recount_open(struct recount **out, const struct config *config, const struct fold_kind *kind,
                 const struct zone *zone, const struct store_state *state, int64_t now_s,
                 struct error *err);
void recount_free(struct recount *recount);

/* Counts every record below positions[p], each under the floor of its time. */
int recount_walk(struct recount *recount, const int64_t *positions, const struct floors *floors,
                 recount_tick *told, void *context, struct error *err);
/* True when one of these positions lies before what was walked already. */
bool recount_passed(const struct recount *recount, const int64_t *positions);

const struct fold *recount_fold(const struct recount *recount);

/* Of tally_view(recount_fold()->tally, row). */
const struct rows *recount_rows(const struct recount *recount);

#endif

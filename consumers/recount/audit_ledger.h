/* audit_ledger.h - one shard of the ledger, counted in memory by the code that counts it for Redis.
 *
 * Both topics, the shard's partitions only. Walks forward only: to the positions of one slice, then
 * of the next. Takes memory for the states of all the shard's customers (audit_states.h), its
 * counters, and the windows of duplicates of its partitions. */
#ifndef TANDEM_AUDIT_LEDGER_H
#define TANDEM_AUDIT_LEDGER_H

#include "common/config.h"
#include "common/store.h"
#include "common/zone.h"
#include "consumers/customers/dictionary.h"
#include "consumers/recount/audit_recount.h"
#include "consumers/recount/audit_rows.h"
#include "consumers/recount/audit_states.h"
#include "consumers/recount/audit_tombs.h"

struct audit_ledger;

/* Begins where the shard of `state` begins; `state`, `names` and `tombs` must outlive it. The
 * caller keeps those two as the shard has them at the positions that are walked to: states are
 * written with the shard's own numbers of scopes. 0, caller owns *out until audit_ledger_free(). */
int audit_ledger_open(struct audit_ledger **out, const struct config *config,
                      const struct zone *zone, const struct store_state *state,
                      struct dictionary *names, const struct tombs *tombs, struct error *err);
void audit_ledger_free(struct audit_ledger *ledger);

/* Counts every record below positions[topic][partition]. ERROR_STORE also when the shard gives no
 * number to a scope that was counted. */
int audit_ledger_walk(struct audit_ledger *ledger, int64_t *const *positions, recount_tick *told,
                      void *context, struct error *err);
/* True when one of these positions lies before what was walked already. */
bool audit_ledger_passed(const struct audit_ledger *ledger, int64_t *const *positions);

/* What came of it: scopes are ids of `names`. */
const struct tally *audit_ledger_tally(const struct audit_ledger *ledger);
const struct rows *audit_ledger_rows(const struct audit_ledger *ledger);
const struct states *audit_ledger_states(const struct audit_ledger *ledger);

#endif

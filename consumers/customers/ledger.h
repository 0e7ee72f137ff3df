/* ledger.h - the customers of one batch, of one shard: their events in, counters and states out.
 *
 * ledger_add() for every event; then, for each customer met, ledger_known() with what the shard
 * holds of it; then ledger_apply() adds up what the batch changes, and ledger_state() says what the
 * shard has to hold afterwards. Nothing outside of the ledger was changed before that: a batch that
 * does not go through is dropped by ledger_reset(). Pure. */
#ifndef TANDEM_LEDGER_H
#define TANDEM_LEDGER_H

#include "common/batch.h"
#include "consumers/customers/contribution.h"

struct ledger;

/* A customer of the batch: one id in two partitions is two of them. */
struct ledger_customer {
    int32_t partition;
    struct text id;
    size_t events; /* of this batch */
};

/* `scopes` as the setting; `names` is the shard's dictionary and must outlive the ledger, as must
 * rules->zone; *rules is copied. 0, caller owns *out until ledger_free(); -1 ERROR_USAGE for a
 * scope there is not, ERROR_MEMORY. */
int ledger_open(struct ledger **out, const struct customer_rules *rules, const char *scopes,
                struct dictionary *names, struct error *err);
void ledger_free(struct ledger *ledger);
/* Forgets the batch. */
void ledger_reset(struct ledger *ledger);

/* Takes a valid event that is no duplicate, of the record at `offset` of its side's topic; events
 * that no customer counter depends on are passed over. Its new scopes are in the dictionary now,
 * without numbers. */
void ledger_add(struct ledger *ledger, int32_t partition, int64_t offset,
                const struct event *event);

/* Customers met in this batch, in the order they were, and their events. */
size_t ledger_customers(const struct ledger *ledger);
size_t ledger_events(const struct ledger *ledger);
/* The id is valid until ledger_reset(). */
struct ledger_customer ledger_customer(const struct ledger *ledger, size_t customer);

/* What the shard holds of a customer; the bytes must stay until ledger_apply() is done. Not called:
 * it knows nothing. */
void ledger_known(struct ledger *ledger, size_t customer, struct text state);
/* The customer was forgotten when the sides' positions stood here: events at and above are
 * anonymous, and count nothing. */
void ledger_forgotten(struct ledger *ledger, size_t customer, int64_t sale_offset,
                      int64_t service_offset);

/* Adds to the tally (opened with contribution_layout) what the batch changes. All scopes must have
 * their numbers. -1: as codec_decode() and codec_encode() say, with the customer named; the tally
 * is then not whole. May be called again, with an empty tally, once the dictionary has learnt
 * more. */
int ledger_apply(struct ledger *ledger, struct tally *tally, struct error *err);

/* After ledger_apply(): the state to store, valid until ledger_reset(); empty: none. False: it is
 * what the shard holds already. */
bool ledger_state(const struct ledger *ledger, size_t customer, struct text *state);

/* Adds the tally's sums to the batch, under the keys "<prefix>customer:day:<day>:<scope>" and
 * "<prefix>customer:undated"; the prefix is the shard's, "tandem:{main.3}:". Days before the floor
 * (INT32_MIN: none) are left out. The shard knows no limit of scopes: they go as whole names. */
void ledger_flush(const struct dictionary *names, const struct tally *tally, const char *prefix,
                  int32_t floor, struct batch *batch);

#endif

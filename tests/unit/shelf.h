/* shelf.h - a ledger shard in memory, for tests: batches of events in, counters and states kept. */
#ifndef TANDEM_TESTS_SHELF_H
#define TANDEM_TESTS_SHELF_H

#include "consumers/customers/ledger.h"

struct shelf;

/* Whatever goes wrong fails the test. */
struct shelf *shelf_open(const struct customer_rules *rules, const char *scopes);
void shelf_free(struct shelf *shelf);

/* The shard gives this name its next number; without it names get theirs as they come. */
void shelf_number(struct shelf *shelf, const char *name);

/* One event into the batch at hand: "sale 2026-01-05 region=north line=a,b", "csat5
 * 2026-01-05T10:00:00Z ref=r1", "interaction", "contact", "ces1", "nps10", "sale.referred",
 * "service.referred", "refund". A date alone is its noon; without customer= it is c's, customer= is
 * nobody's. Offsets count up. */
void shelf_take(struct shelf *shelf, int32_t partition, const char *words);
/* The same, of an event made elsewhere. */
void shelf_event(struct shelf *shelf, int32_t partition, const struct event *event);

/* The batch through the shard; or worked out and dropped, as when another worker was faster. */
void shelf_apply(struct shelf *shelf);
void shelf_drop(struct shelf *shelf);

void shelf_forget(struct shelf *shelf, int32_t partition, const char *customer);

/* All counters that are not 0, in order: "2026-01-05 customers_new orders_identified=2 | ...". Only
 * those of scope `all`, or all with their scope behind the day. The caller's. */
char *shelf_print(const struct shelf *shelf, bool scopes);
const struct tally *shelf_sums(const struct shelf *shelf);
struct dictionary *shelf_names(struct shelf *shelf);
/* Empty (not absent) when there is none. */
struct text shelf_state(const struct shelf *shelf, int32_t partition, const char *customer);

/* Days, scopes and fields equal, whatever order they came in; both of one dictionary. */
bool shelf_equal(const struct tally *a, const struct tally *b);

#endif

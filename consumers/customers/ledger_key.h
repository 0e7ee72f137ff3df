/* ledger_key.h - what the ledger's keys in Redis are called.
 *
 * The customers of partition p lie in shard p mod `ledger.shards`; every key of a shard has one
 * hash tag, so that it lies in one slot of a cluster. docs/redis.md. Pure. */
#ifndef TANDEM_LEDGER_KEY_H
#define TANDEM_LEDGER_KEY_H

#include "common/text.h"

#include <stdint.h>

#define LEDGER_PREFIX_MAX 64  /* bytes with the zero byte */
#define LEDGER_KEY_MAX    160 /* bytes with the zero byte: every key of a shard fits */

#define LEDGER_SHARDS_MAX 64

int ledger_shard_of(int32_t partition, int shards);
/* How many shards a store has, by the text it was made with ("ledger.shards=4"). 0: it does not
 * tell. NULL is fine. */
int ledger_shards_in(const char *definition);
/* "tandem:{main.3}:". Returns out. */
char *ledger_prefix(char out[LEDGER_PREFIX_MAX], const char *business, int shard);
/* The key of a customer's state. Returns out. */
char *ledger_state_key(char out[LEDGER_KEY_MAX], const char *prefix, int32_t partition,
                       struct text customer);
/* A customer's field of the hash `forgotten`: the id itself stands nowhere in it. Returns out. */
char *ledger_forgotten_field(char out[LEDGER_KEY_MAX], int32_t partition, struct text customer);

#endif

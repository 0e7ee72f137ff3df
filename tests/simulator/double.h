/* double.h - what the files of double_test share: the calls' dice, and both stores. Nobody else
 * includes it. One thread. */
#ifndef TANDEM_DOUBLE_H
#define TANDEM_DOUBLE_H

#include "common/config.h"
#include "common/redis.h"
#include "common/store.h"
#include "memory.h"

enum { PARTITIONS = 4, LIMIT = 3, WORKERS = 2, COMPARE_EVERY = 50, DAY = 20780, ANSWER_MS = 10000 };

struct double_test {
    uint64_t dice;
    int call;
    bool shard; /* 1 of 2: partitions 1 and 3 of both topics */
    char business[40], prefix[64];
    struct config *configs[WORKERS];
    struct store *stores[WORKERS];
    struct redis *redis;
    struct memory *memory;
    struct store_state state; /* as last looked at */
    int32_t floor;
    struct batch batch;
};
extern struct double_test test;

/* Ends the test: what call disagreed, and how. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* 0..n-1, and true in p of 1000. */
int dice(int n);
bool chance(int per_mille);
struct store *any_store(void);
/* Dies unless the double holds the same number under this name. */
void compare_value(enum memory_kind kind, const char *key, const char *field, int64_t real);

/* One call of what only a shard of the ledger has (double_ledger_test.c). */
void ledger_call(void);
/* Names, states and a version into the batch, mostly one that fits. */
void ledger_add_to_batch(void);

#endif

/* memory.h - the store's double: the rules of apply.lua, look.lua and make.lua over plain C.
 *
 * Knows no schedule and no fault; tests/simulator/double_test.c holds it against a real Redis. */
#ifndef TANDEM_MEMORY_H
#define TANDEM_MEMORY_H

#include "common/batch.h"
#include "common/store.h"

#include <stdbool.h>
#include <stdint.h>

struct memory_cell {
    uint64_t hash;            /* of both names: compared first */
    char *key, *field;
    int64_t value;
};

/* A member of a set, a mark, an expiry: what has no negation. */
struct memory_member {
    char *set, *member;
};

struct memory {
    bool exists;
    char token[160];
    char definition[2048];
    char floor[16];
    struct store_topic topic;
    struct store_position *positions;
    size_t position_count;
    struct memory_cell *cells;
    size_t cell_count, cell_room;
    struct memory_member *members;     /* scope:*, currency */
    size_t member_count, member_room;
    struct memory_member *marks;       /* dirty field -> mark */
    size_t mark_count, mark_room;
    char broken_key[128];              /* of a wrong type; "": none */
};

struct memory *memory_new(void);
void memory_free(struct memory *memory);
void memory_clear(struct memory *memory);               /* FLUSHALL */
struct memory *memory_copy(const struct memory *memory);

/* The script, whole or not at all. *failed (room 128) gets the key at fault on STORE_BROKEN. */
enum store_answer memory_apply(struct memory *memory, const struct batch *batch, const char *token,
                               int32_t floor, int64_t scope_limit, char *failed);
enum store_answer memory_make(struct memory *memory, const char *token, const char *definition,
                              const struct store_plan *plan);

int64_t memory_get(const struct memory *memory, const char *key, const char *field);
bool memory_has(const struct memory *memory, const char *set, const char *member);
int memory_size(const struct memory *memory, const char *set);
struct store_position *memory_position(const struct memory *memory, int topic, int32_t partition);

#endif

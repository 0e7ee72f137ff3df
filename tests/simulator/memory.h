/* memory.h - the store's double: the rules of apply.lua, make.lua, accept.lua, rebuild_fence.lua
 * and forget.lua over plain C.
 *
 * Knows no schedule and no fault; tests/simulator/double_test.py holds it against a real Redis.
 * Everything it keeps is a number under a name (a cell, a member of a set, a mark ...). Names are
 * shared by all memories, so that a copy of one is a copy of an array. One thread. */
#ifndef TANDEM_MEMORY_H
#define TANDEM_MEMORY_H

#include "common/batch.h"
#include "common/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum memory_kind {
    MEMORY_CELL,   /* a field of a hash of counters */
    MEMORY_MEMBER, /* 1: key is a set that has this member */
    MEMORY_SIZE,   /* how many members a set has */
    MEMORY_MARK,   /* the batch that last changed a day (field of the dirty hash) */
    MEMORY_EXPIRY, /* epoch seconds */
    MEMORY_NOTE,   /* how often something was noted in the hash `gap` under this field */
    MEMORY_NUMBER, /* of a scope (field of the hash `names`) */
    MEMORY_STATE,  /* a customer's, as a blob */
    MEMORY_TOMB    /* where a customer was forgotten ("17:4", a blob; field of `forgotten`) */
};

struct memory_name {
    uint64_t hash;
    enum memory_kind kind;
    char *key, *field;
};

/* What a move of the floor means for a recount: records below `at` were counted before it, and
 * those of forgotten days are gone; records from `at` on came after it. */
enum { MEMORY_TRIMS = 3, MEMORY_PARTITIONS = 8 };
struct memory_trim {
    int32_t floor;
    int64_t at[MEMORY_PARTITIONS];
};

struct memory {
    char prefix[64]; /* "tandem:{main}:", "tandem:{main.1}:" */
    bool shard;      /* of the ledger: no other kind is here */
    bool exists;     /* the position hash */
    bool others;     /* that of the other kind */
    bool counted;    /* there are day counters; in a shard, any */
    char token[160];
    char definition[2048];
    char floor[16];
    uint64_t ledger; /* version of the names and of who was forgotten; 0: none yet */
    struct store_topic topics[STORE_TOPICS_MAX];
    int topic_count;
    struct store_position *positions;
    size_t position_count;
    int64_t *values; /* by name */
    size_t room;
    struct memory_trim trims[MEMORY_TRIMS];
    int trim_count;
    char broken_key[128]; /* of a wrong type; "": none */
};

struct memory *memory_new(const char *prefix, bool shard);
void memory_free(struct memory *memory);
void memory_clear(struct memory *memory); /* FLUSHALL */
struct memory *memory_copy(const struct memory *memory);
/* Whether sums, sets, positions, token and floor are the same; what differs first into why. */
bool memory_equal(const struct memory *a, const struct memory *b, char *why, size_t room);

/* The script, whole or not at all. *failed (room 128) gets the key at fault on STORE_BROKEN. */
enum store_answer memory_apply(struct memory *memory, const struct batch *batch, const char *token,
                               int32_t floor, int64_t scope_limit, char *failed);
enum store_answer memory_make(struct memory *memory, const char *token, const char *definition,
                              const struct store_plan *plan);
/* An operator steps over a gap. STORE_MOVED when the memory is not as `state` says. */
enum store_answer memory_accept(struct memory *memory, const struct store_state *state, int topic,
                                const struct store_topic *now,
                                const struct store_position *positions, size_t count);
/* All counting into it stops, or may go on: the token is another meanwhile. */
void memory_fence(struct memory *memory, bool close);
bool memory_fenced(const struct memory *memory);
/* Whether a store without positions would be taken for one that lost them. */
bool memory_orphans(const struct memory *memory);

/* Forgets all sums, marks, sets, names and states, but what a set of values (MEMORY_MEMBER) named
 * here holds, and who was forgotten. */
void memory_forget_counters(struct memory *memory, const char *kept_set);
void memory_put(struct memory *memory, const char *key, const char *field, int64_t value);
void memory_mark(struct memory *memory, const char *field, int64_t mark);
void memory_join(struct memory *memory, const char *set, const char *member);
/* The floor moves to a local day, and the counters of the days before it go. */
void memory_trim(struct memory *memory, int32_t floor);
void memory_note(struct memory *memory, const char *field);

/* A customer's state; empty: none. Valid until memory_forget_names(). */
struct text memory_state(const struct memory *memory, int32_t partition, struct text customer);
void memory_put_state(struct memory *memory, int32_t partition, struct text customer,
                      struct text state);
void memory_put_number(struct memory *memory, struct text name, uint32_t number);
/* From where on events are nobody's. False: the customer was not forgotten. */
bool memory_tomb(const struct memory *memory, int32_t partition, struct text customer,
                 int64_t offsets[SIDES]);
bool memory_forgot_somebody(const struct memory *memory);
/* The state goes, a mark stays; the version of names becomes `fresh`. What forget.lua answers:
 * "foreign", "damaged", "done", "again". */
const char *memory_forget(struct memory *memory, const char *token, int32_t partition,
                          struct text customer, uint64_t fresh);

int64_t memory_get(const struct memory *memory, enum memory_kind kind, const char *key,
                   const char *field);
bool memory_has(const struct memory *memory, const char *set, const char *member);
struct store_position *memory_position(const struct memory *memory, int topic, int32_t partition);

/* All names there are, of all memories; the value of one that a memory does not hold is 0. */
size_t memory_names(void);
const struct memory_name *memory_name(size_t i);
int64_t memory_value(const struct memory *memory, size_t i);
/* Forgets all names, when no memory is left: the next schedule begins as the first did. */
void memory_forget_names(void);

#endif

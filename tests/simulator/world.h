/* world.h - a log and a store in one process, and everything that can go wrong with them.
 *
 * One seed decides all: what is written, who runs when, what breaks. The worker's real code runs
 * against it, because broker_sim.c, store_sim.c, publisher_sim.c and clock_sim.c stand in for the
 * modules of common/ that talk to Kafka, Redis and the machine. Virtual time: a wait costs nothing. */
#ifndef TANDEM_WORLD_H
#define TANDEM_WORLD_H

#include "common/batch.h"
#include "common/broker.h"
#include "common/config.h"
#include "common/store.h"
#include "fiber.h"
#include "memory.h"

#include <stdbool.h>
#include <stdint.h>

/* Noon: neither the hour nor the day changes while a schedule runs. */
#define WORLD_EPOCH_MS INT64_C(1795521600000)

enum { PARTITIONS_MAX = 4, MEMBERS_MAX = 16, GROUPS = 2, LOG_MAX = 2000, SNAPSHOTS_MAX = 12 };

/* ---- the log ---- */

enum entry_state { ENTRY_COMMITTED, ENTRY_PENDING, ENTRY_ABORTED, ENTRY_CONTROL };
enum entry_kind { ENTRY_SALE, ENTRY_LEAD, ENTRY_BAD, ENTRY_IGNORED, ENTRY_TOMBSTONE };

/* One offset of a partition. What it must count as is known from how it was made, not from the
 * code under test. */
struct entry {
    enum entry_state state;
    enum entry_kind kind;
    int id;                   /* which event: equal ids are duplicates */
    int64_t net;              /* of a sale, in cents */
    int region;               /* -1: none */
    int day;                  /* of the event's own time, days before the world's first day */
    char key[16], value[400];
    int64_t timestamp_ms;
};

struct partition {
    struct entry *entries;    /* by offset; those below `start` are gone for readers */
    int count;
    int start;
};

/* ---- the group ---- */

enum membership { OUT, JOINING, STEADY, REVOKING, WAITING, ASSIGNING };

struct broker {
    int group;
    bool alive;               /* the process still runs */
    enum membership state;
    bool lost;                /* it was put out of the group and does not know yet */
    enum broker_change change;
    struct broker_place places[PARTITIONS_MAX];
    int place_count;
    struct {
        bool assigned, paused, told_end;
        int64_t offset;
    } parts[PARTITIONS_MAX];
    struct broker_item items[64];
    char texts[64];
    int item_count, item_next;
    int64_t polled_ms;
    struct worker_process *process;
};

struct group {
    bool rebalancing;
    int64_t deadline_ms;
    int owner[PARTITIONS_MAX];   /* member, -1 */
};

/* ---- processes ---- */

struct worker_process {
    bool used, running, failed, other_settings;
    bool stop;                /* asked to end in good order */
    int group;
    struct fiber *fiber;
    int64_t wake_ms;
    struct broker *broker;
    struct store *store;
    struct config *config;
    char why[1100];           /* of its end */
};

/* ---- all of it ---- */

struct world {
    uint64_t seed, dice;
    int64_t now_ms;
    int64_t steps;
    int partition_count, window, scope_limit, next_id;
    struct partition partitions[PARTITIONS_MAX];
    char topic_id[16];
    struct group groups[GROUPS];
    struct broker *members[MEMBERS_MAX];
    int member_count;
    struct worker_process processes[16];
    bool faults;              /* things may break */

    /* Redis: the surviving master, a second one that will be thrown away, and earlier states */
    struct memory *master, *split;
    struct memory *snapshots[SNAPSHOTS_MAX];
    int snapshot_count;
    bool redis_away, redis_later, split_on;
    bool letters_away;        /* the topic of rejected records does not acknowledge */
    bool kafka_away;
    bool *letters[PARTITIONS_MAX];  /* by offset: the dead letter is acknowledged */
    bool trace;
    char verdict[4096];       /* what went wrong, if anything */
    int64_t injected[32];     /* how often each fault came */
    int64_t applied, dropped_batches;
};

extern struct world world;

/* Random numbers of the seed: 0..n-1, and true in p of 1000. */
int dice(int n);
bool chance(int per_mille);

/* Inside a fiber: lets time pass, and others run. */
void world_sleep(int64_t ms);
/* Writes a line of the trace: shown when a seed is replayed. */
void world_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Notes the first thing that went wrong. */
void world_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The log. */
void log_append(int partition);
void log_append_transaction(int partition);
void log_resolve(void);                       /* open transactions end, one way or the other */
int64_t log_stable_end(int partition);        /* last stable offset */
void log_reset(void);                         /* frees */

/* The group (broker_sim.c). */
void group_tick(void);
void group_rebalance(int group);
void member_dies(struct broker *member);

/* Redis (store_sim.c). */
void store_tick(void);
void store_dies(struct store *store);
void store_reset_all(void);
void store_forget_errands(void);

/* Called by the store when a batch was applied to the surviving master. */
void world_applied(const struct batch *batch);

/* What the log must count as up to the positions in the master (recount.c). Empty: they agree. */
void recount_check(const struct memory *memory, bool whole);

#endif

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
#include "consumers/customers/customers.h"
#include "consumers/worker/kind.h"
#include "fiber.h"
#include "memory.h"

#include <stdbool.h>
#include <stdint.h>

/* Noon: neither the hour nor the day changes while a schedule runs. */
#define WORLD_EPOCH_MS INT64_C(1795521600000)

enum {
    TOPICS = STORE_TOPICS_MAX,
    PARTITIONS_MAX = 4,
    SERVERS_MAX = 3,
    MEMBERS_MAX = 32,
    PROCESSES_MAX = 16,
    GROUPS = 2,
    LOG_MAX = 2000,
    SNAPSHOTS_MAX = 12,
    DAYS = 5,
    LOG_CUSTOMERS = 3,
    REGIONS = 5
};

/* ---- faults ---- */

enum fault {
    F_CRASH,
    F_STOP,
    F_START,
    F_REBALANCE,
    F_STALL,
    F_REDIS_AWAY,
    F_LATER,
    F_RESET,
    F_SET_BACK,
    F_FAIL_OVER,
    F_EMPTY,
    F_SPLIT,
    F_WRONG_TYPE,
    F_LETTERS,
    F_KAFKA,
    F_TRANSACTION,
    F_SETTINGS,
    F_GROUP,
    F_TRIM,
    F_RETENTION,
    F_TRAILS,
    F_REBUILD,
    F_FORGET,
    F_INJECTED, /* these are injected; the rest happens */
    F_REFUSED = F_INJECTED,
    F_REQUEST_LOST,
    F_REPLY_LOST,
    F_SLOW,
    F_ANSWER_LATER,
    F_ANSWER_UNKNOWN,
    F_MADE_UNKNOWN,
    F_QUEUE_FULL,
    F_LETTER_FAILED,
    F_PUT_OUT,
    F_DAMAGE, /* from here on: what no worker may go on with (damage.c) */
    F_TOPIC_ANEW = F_DAMAGE,
    F_OTHER_CLUSTER,
    F_MORE_PARTITIONS,
    F_OVERRUN,
    F_BEYOND,
    F_CUT_BACK,
    F_POSITION_GONE,
    F_HASH_GONE,
    F_ORPHANS,
    F_BEGINNING_GONE,
    FAULTS
};
extern const char *const fault_names[FAULTS];
/* Counts it, for the table at the end. */
void world_happened(enum fault fault);

/* ---- the log ---- */

enum entry_state { ENTRY_COMMITTED, ENTRY_PENDING, ENTRY_ABORTED, ENTRY_CONTROL };
/* Three types of events of each side, and what is no event. */
enum entry_kind {
    ENTRY_FIRST,
    ENTRY_SECOND,
    ENTRY_THIRD,
    ENTRY_BAD,
    ENTRY_IGNORED,
    ENTRY_TOMBSTONE
};

/* One offset of a partition. What it must count as is known from how it was made, not from the
 * code under test. */
struct entry {
    enum entry_state state;
    enum entry_kind kind;
    int id;       /* which event: equal ids are duplicates */
    int amount;   /* of a sale, in cents; of a rating, its score */
    int previous; /* of a rating: the score before; 0: none */
    bool dollars;
    int region; /* -1: none */
    int day;    /* of the event's own time, days before the world's first day */
    /* What a world of customers asks: which event it is, whose (-1: nobody's), when, and of a
     * rating which one. */
    enum event_type type;
    int customer;
    int64_t time_s;
    int ref;
    enum event_scale scale;
    char key[16], value[400];
    int64_t timestamp_ms;
};

struct partition {
    struct entry *entries; /* by offset; those below `start` are gone for readers */
    int count;
    int start;
    int settled;             /* no open transaction below it */
    int64_t trails_until_ms; /* a new leader does not hold what was read already */
    bool cut_back;           /* and then it is known that it never will */
    bool *letters;           /* by offset: the dead letter is acknowledged */
};

/* ---- the group ---- */

enum membership { OUT, JOINING, STEADY, REVOKING, WAITING, ASSIGNING };

struct broker {
    int group;
    int generation; /* of the topic, when partitions were given out last */
    bool alive;     /* the process still runs */
    enum membership state;
    bool lost; /* it was put out of the group and does not know yet */
    enum broker_change change;
    struct broker_place places[TOPICS * PARTITIONS_MAX];
    int place_count;
    struct {
        bool assigned, paused;
        int64_t offset, told_end; /* the end that it was told last */
        int32_t epoch;            /* of what was read last; -1: unknown */
    } parts[TOPICS][PARTITIONS_MAX];
    struct broker_item items[128];
    int item_count, item_next;
    int64_t polled_ms;
    struct worker_process *process;
};

struct group {
    bool rebalancing;
    int64_t earliest_ms, deadline_ms; /* when it may end, and when it waits no longer */
};

/* ---- processes ---- */

struct worker_process {
    bool used, failed, done, other_settings, exit_at_end, accept_gap;
    bool sound; /* started when everything had healed */
    bool stop;  /* asked to end in good order */
    int group;
    struct fiber *fiber;
    int64_t started_ms, wake_ms;
    int64_t targets[TOPICS][PARTITIONS_MAX]; /* exit_at_end: what it must have counted */
    struct broker *broker;
    struct store *stores[SERVERS_MAX];
    struct config *config;
    char why[1100]; /* of its end */
};

/* ---- Redis ---- */

/* One Redis: all of the counters, or a shard of the ledger. The surviving master, a second one
 * that will be thrown away, and earlier states. */
struct server {
    struct memory *master, *split;
    struct memory *snapshots[SNAPSHOTS_MAX];
    int snapshot_count;
    bool away, later, split_on;
    struct memory *base; /* after damage that was accepted: what was counted before */
};

/* ---- all of it ---- */

struct world {
    uint64_t seed, dice;
    int64_t now_ms;
    int64_t steps;
    const struct kind *kind;
    int topic_count, partition_count, window, scope_limit, next_id;
    bool accept_gap; /* the operators of this world let gaps pass */
    bool apart;      /* a partition of one topic and that of the other go to different workers */
    int ledger_limit;
    int32_t ledger_from; /* INT32_MIN: none */
    struct partition logs[TOPICS][PARTITIONS_MAX];
    char topic_ids[TOPICS][16], cluster_id[16];
    int described_partitions[TOPICS]; /* as the broker tells */
    int generation;                   /* raised when a topic becomes another */
    struct group groups[GROUPS];
    struct broker *members[MEMBERS_MAX];
    struct worker_process processes[PROCESSES_MAX];
    bool faults; /* things may break */

    struct server servers[SERVERS_MAX];
    int server_count;
    bool letters_away; /* the topic of rejected records does not acknowledge */
    bool kafka_away;

    /* After damage that was accepted: where each partition goes on */
    int64_t base_from[TOPICS][PARTITIONS_MAX], base_back[TOPICS][PARTITIONS_MAX];

    enum fault damage; /* 0: none */
    int64_t damage_ms; /* since when */
    char says[4][160]; /* what a worker that stops for it must say */
    bool trace;
    char verdict[4096];       /* what went wrong, if anything */
    int64_t injected[FAULTS]; /* how often each fault came */
    int64_t applied;          /* batches, to the master */
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

/* One seed from beginning to end; world.verdict is empty when all agreed (schedule.c). */
void schedule_run(uint64_t seed);
/* The server of a partition. */
struct server *world_server(int partition);
/* Keeps the store as it is now; returns where. */
int schedule_snapshot(struct server *server);
/* Lets whoever is due run once, or time pass. */
void schedule_turn(void);
/* Takes all faults away. */
void schedule_heal(void);
/* Runs until everything is counted; fails when it never is. */
void schedule_settle(void);

/* One fault (faults.c). */
void fault_inject(void);
/* A store or a log that no worker may go on with, unless told to (damage.c). Each worker has to
 * stop and say why, and nothing may have changed; or, accepted, everything else is counted. */
void damage_exam(void);
/* Whether a worker that ended says what this damage asks for. */
bool damage_explains(const struct worker_process *process);

/* An operator recounts the log, and switches the store or dies before (rebuild_sim.c). */
void rebuild_run(struct server *server);

/* Worker processes (processes.c). */
struct worker_process *process_start(int group, bool other_settings); /* NULL: no room */
void process_crash(struct worker_process *process);
struct worker_process *process_any(void);
int processes_running(void); /* those with the world's settings */
/* A worker ended by itself: may it? */
void process_end(struct worker_process *process);

/* The log (log_sim.c). */
void log_append(int topic, int partition);
void log_append_transaction(int topic, int partition);
void log_resolve(void);                     /* open transactions end, one way or the other */
int64_t log_stable_end(int topic, int partition); /* last stable offset */
bool log_counts(const struct entry *entry);       /* a valid event, committed */
/* A copy of a valid event within the window, at or after offset `back`. */
bool log_is_duplicate(const struct partition *log, int offset, int64_t back);
/* Forgets what lies below an offset; not so far that it would matter for duplicates. */
void log_retain(int topic, int partition, int64_t start);
/* All records are there. */
bool log_is_whole(void);
/* Another topic of the same name. */
void log_make_anew(int topic);
/* An event of a world of customers: what its id and place mean, and its text (log_customers.c). */
void log_give_customer(struct entry *entry, int topic, int partition);
void log_write_customer(struct entry *entry, int partition);
extern const char *const log_regions[REGIONS], *const log_customers[LOG_CUSTOMERS];

/* The group (broker_sim.c). */
void group_tick(void);
void group_rebalance(int group);
void member_dies(struct broker *member);

/* Redis (store_sim.c). */
void store_tick(void);
void store_dies(struct store *store);
void store_reset_all(const struct server *server);
void store_forget_errands(const struct server *server);

/* Called by the store when a batch was applied to the surviving master. */
void world_applied(const struct server *server, const struct batch *batch);

/* Compares a memory with what the log must count as up to the positions (recount.c). `whole`: the
 * positions must have reached the log's end. */
void recount_check(const struct server *server, bool whole);
void recount_check_all(void); /* whole */
/* Writes into a memory what the log counts as up to its positions. Values of the dimension that it
 * has admitted stay admitted. */
void recount_write(struct memory *memory);
/* The same of a shard of the ledger (recount_customers.c): counters, and each customer's state. */
void recount_customers_check(const struct server *server);
void recount_customers_write(const struct server *server, struct memory *memory);
/* Keeps what is counted now, to which the log of after an accepted damage adds; or forgets it. */
void recount_customers_keep(void);
void recount_customers_forget(void);

#endif

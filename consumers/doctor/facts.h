/* facts.h - what `tandem doctor` finds out, before anything is judged.
 *
 * Filled by look_kafka.c, look_redis.c and look_store.c, which talk to the servers; judged by
 * exam_*.c, which do not. Free with facts_clear(). */
#ifndef TANDEM_FACTS_H
#define TANDEM_FACTS_H

#include "common/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FACTS_SALES, FACTS_SERVICE, FACTS_REJECTED, FACTS_COMPARISON, FACTS_TOPICS };
/* Kinds of workers; the first two stores are those of the first two kinds. */
enum { KIND_SALES, KIND_SERVICE, KIND_CUSTOMERS, FACTS_KINDS };
enum { FACTS_SHARDS_MAX = 64, FACTS_NODES_MAX = 1 + FACTS_SHARDS_MAX };
#define FACTS_WHY     300
#define FACTS_UNKNOWN (-1)

struct facts_topic {
    const char *name; /* the setting's */
    bool exists;
    int32_t partitions;
    int replication; /* the smallest of its partitions */
    int leaderless;  /* partitions without a leader */
    char id[64];     /* "": the broker does not tell */
    bool settings_known;
    char cleanup[64];
    int64_t retention_ms, retention_bytes; /* -1: for ever, without limit */
    int64_t min_insync, message_max;
    bool unclean;
    int64_t *starts, *ends; /* of each partition; FACTS_UNKNOWN where no answer came; NULL: none */
    int64_t newest_ms;      /* the latest time stamp of its records, or FACTS_UNKNOWN */
};

struct facts_group {
    char name[256];
    bool known, rebalancing;
    char state[40];
    int members;
};

struct facts_kafka {
    bool answers;
    char why[FACTS_WHY];
    int brokers;
    char cluster[128];
    int64_t asked_ms; /* epoch milliseconds here, as the newest time stamps were asked for */
    struct facts_topic topics[FACTS_TOPICS];
    struct facts_group groups[FACTS_KINDS];
};

struct facts_redis {
    bool answers;
    char why[FACTS_WHY];
    char address[300];
    char version[32], role[16], policy[64];
    bool aof;                               /* an append-only file is kept */
    int snapshots, torn_loads;              /* 1, 0, or FACTS_UNKNOWN: Redis refuses CONFIG */
    char write_failed[64];                  /* what of its persistence failed last; "": nothing */
    int64_t used_bytes, max_bytes, evicted; /* max 0: no limit */
    int64_t latency_us;                     /* median of a few round trips */
    int64_t ahead_ms;                       /* its clock minus this machine's */
    bool cluster_broken;
};

struct facts_store_topic {
    char name[256], cluster[128], id[64];
    int32_t partitions; /* 0: the store does not say */
};

struct facts_position {
    int topic; /* FACTS_SALES or FACTS_SERVICE */
    int32_t partition;
    int64_t begin, at; /* FACTS_UNKNOWN: missing or no number */
};

struct facts_store {
    char name[32]; /* "sales", "customers, shard 2" */
    int kind, shard;
    bool exists;
    char why[FACTS_WHY]; /* could not be read; "": it was */
    char token[160];
    char *definition;
    char layout[24]; /* "": the first */
    char begun[24], done[24];
    struct facts_store_topic topics[2]; /* sales, service; those the kind reads */
    struct facts_position *positions;
    size_t position_count;
};

struct facts_report {
    bool known;
    bool lease; /* some reporter holds it */
    int64_t dirty, outbox, gaps;
    int64_t as_of_s; /* of the running day's comparison; FACTS_UNKNOWN: none was published */
    bool rebuild;    /* a recount was begun and is not done */
};

struct facts {
    struct facts_kafka kafka;
    struct facts_redis nodes[FACTS_NODES_MAX]; /* the first is the business's own */
    int node_count;
    struct facts_store stores[2 + FACTS_SHARDS_MAX];
    int store_count;
    int shards; /* of the ledger as it lies in Redis; 0: there is none */
    struct facts_report report;
    char definitions[FACTS_KINDS][2048]; /* what the settings here come to */
    int64_t now_s;
    bool looked_again;          /* a moment later, because something was behind: */
    int64_t moved[FACTS_KINDS]; /* offsets that positions went on by */
};

void facts_clear(struct facts *facts);

/* How far the positions of a kind are behind the log, in records. FACTS_UNKNOWN without a store or
 * ends of the log. */
int64_t facts_lag(const struct facts *facts, int kind);

#endif

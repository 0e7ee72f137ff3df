/* broker.h - the log, as a worker reads it: records, ends, rebalances.
 *
 * Everything a worker knows of Kafka's consumer is here, so that a test can put a log of its own
 * behind this header. A rebalance is a value that the worker takes between two batches, not a
 * callback inside one: until it answers with broker_assign() or broker_unassign(), Kafka waits.
 * The reading offset is changed only by broker_assign(), with explicit offsets. One thread. */
#ifndef TANDEM_BROKER_H
#define TANDEM_BROKER_H

#include "common/batch.h"
#include "common/config.h"
#include "common/error.h"
#include "common/record.h"

#include <stdbool.h>
#include <stdint.h>

struct broker;

/* A place in one partition of one of the topics (by its place in the list given to open). */
struct broker_place {
    int topic;
    int32_t partition;
    struct place at;
};

enum broker_what {
    BROKER_RECORD,      /* item.record */
    BROKER_END,         /* the partition ends at item.offset, the next offset to come */
    BROKER_IMPOSSIBLE,  /* the log does not hold the offset asked for (item.text) */
    BROKER_REFUSED,     /* the brokers serve this worker no longer (item.text); of no partition */
    BROKER_TRUNCATED    /* the log was cut back below what was read, and written anew (item.text) */
};

struct broker_item {
    enum broker_what what;
    int topic;
    int32_t partition;
    int64_t offset;
    struct record record;
    const char *text;
};

enum broker_change {
    BROKER_STAYS,       /* no rebalance is waiting */
    BROKER_ASSIGNED,    /* partitions to take, with broker_assign() */
    BROKER_REVOKED,     /* all partitions go, still ours until broker_unassign() */
    BROKER_LOST         /* they are somebody else's already: drop, then broker_unassign() */
};

/* Joins the group "<group>.<kind>" on `topics` (static names, at most 2). Does not wait for a
 * broker. 0, caller owns *out until broker_free(). */
int broker_open(struct broker **out, const struct config *config, const char *kind,
                const char *const *topics, int topic_count, struct error *err);
/* Waits until a broker answers (kafka_wait()). */
int broker_wait(struct broker *broker, struct error *err);
/* Leaves the group (bounded) and frees. NULL is fine. */
void broker_free(struct broker *broker);

/* Takes what has come, waiting up to `wait_ms` for the first. What an earlier poll brought and
 * broker_next() did not hand out is gone. Returns how many items there are. */
int broker_poll(struct broker *broker, int64_t wait_ms);
/* The next item of the last poll; false when there is none. Valid until the next call. */
bool broker_next(struct broker *broker, struct broker_item *item);

/* The rebalance that is waiting; *places (of `count`, offsets unset) stay valid until answered. */
enum broker_change broker_change(struct broker *broker, const struct broker_place **places,
                                 int *count);
/* Reads exactly these partitions from exactly these places; discards what was polled and not
 * taken. Partitions in `paused` (same length, NULL: none) are not read until the next assign. */
int broker_assign(struct broker *broker, const struct broker_place *places, const bool *paused,
                  int count, struct error *err);
int broker_unassign(struct broker *broker, struct error *err);
/* Stops reading but stays in the group: polling goes on, and brings nothing but changes. */
void broker_pause(struct broker *broker);

/* Tells Kafka the positions, for lag tools only. Does not wait, cannot fail. */
void broker_commit(struct broker *broker, const struct broker_place *places, int count);

/* The end of a partition that is being read, as its last fetch told; -1: not known. Asks nobody. */
int64_t broker_end(const struct broker *broker, int topic, int32_t partition);

/* What a topic is, asked anew. Free with broker_topic_clear(). */
struct broker_topic {
    char cluster[128], id[64];      /* "": the broker does not tell */
    int32_t partitions;
    int64_t *starts, *ends;         /* of each partition; ends: the last stable offsets */
    bool compacted;
    int64_t retention_ms;           /* -1: forever or unknown */
};
/* -1 with err->retry when no answer came or the topic does not exist (yet); for good when the user
 * lacks an ACL. */
int broker_describe(struct broker *broker, const char *name, struct broker_topic *out,
                    struct error *err);
void broker_topic_clear(struct broker_topic *topic);

#endif

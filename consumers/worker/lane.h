/* lane.h - what the files of the worker share: its lanes, and who does what to them.
 *
 * A lane is one store and the partitions that are counted into it: it folds, applies, looks and
 * drops by itself, so that a store that is away holds up its own partitions only. The worker has
 * one, or one for each shard of the ledger, behind one member of one consumer group.
 *
 *     worker.c         the worker's life: opening, the loop, rebalances, the end
 *     lane_read.c      from what a poll brought to what is folded
 *     lane_apply.c     from what is folded to the store
 *     lane_look.c      dropping everything not applied, and reading on from the store's positions
 *
 * Nobody else includes it. Functions return 0, or -1 with err when somebody must mend something;
 * trouble that passes by itself is dealt with inside. */
#ifndef TANDEM_LANE_H
#define TANDEM_LANE_H

#include "common/broker.h"
#include "common/store.h"
#include "consumers/worker/deadletter.h"
#include "consumers/worker/opening.h"
#include "consumers/worker/parts.h"
#include "consumers/worker/watch.h"
#include "consumers/worker/worker.h"

enum { LANE_BACK_OFF_MIN_MS = 100 };

struct lane {
    struct worker *worker;
    int number;                  /* its partitions are those with partition mod lanes == number */
    struct kind_lane place;      /* what its kind is told */
    void *own;                   /* its kind's */
    struct store *store;
    struct opening opening;
    struct parts parts;

    struct batch batch;
    bool in_flight;              /* the batch is with Redis */
    int64_t heard_ms;            /* when the store last agreed with us */
    int64_t later_ms;            /* since when Redis puts the batch off; 0: it does not */
    int64_t flush_ms, sent_ms;   /* when the batch was begun, and sent */
    int64_t stalled_ms;          /* since when its partitions wait for the store; 0: they do not */
    int64_t due_ms;              /* when what is folded should be applied; 0: nothing is folded */

    /* Not reading: its partitions wait for a look at the store. */
    bool look;
    int64_t look_ms;             /* not before this */
    int64_t back_off_ms;
    char said[256];              /* the trouble already logged */
};

/* How long batches took and how large they were. */
struct worker_spans {
    struct exposition_histogram flush, script, cells;
};

struct worker {
    const struct config *config;
    const struct kind *kind;
    struct worker_options options;
    const char *topics[STORE_TOPICS_MAX], *words[STORE_TOPICS_MAX];
    struct zone *zone;
    struct decoder *decoder;
    struct broker *broker;
    struct deadletters *letters; /* NULL: the kind writes none */
    struct lane *lanes;
    int lane_count;

    bool ours;                   /* the group gave us the partitions of the lanes, not yet revoked */
    bool assign;                 /* what is read has to be told to the broker anew */
    int64_t *targets[STORE_TOPICS_MAX]; /* --exit-at-end: ends of all partitions at the start */
    int32_t target_count;
    int64_t end_look_ms;
    struct worker_totals totals;
    struct worker_spans spans;
};

/* Logs trouble once, not at every try. */
void lane_say_trouble(struct lane *lane, const char *event, const struct error *err);
/* Forgets everything not applied, stops reading, and asks for a look at the store. */
void lane_drop(struct lane *lane);
/* The same, but the look waits, each time longer. */
void lane_drop_for_later(struct lane *lane);
/* The broker brings nothing of this lane until it was looked at. */
void lane_hold(struct lane *lane);
/* If it is time: looks at the store, and sets every partition to its position there; what is read
 * has to be assigned then. */
int lane_look(struct lane *lane, struct error *err);
/* Asks a store that was quiet for a while whether it still stands where it did. */
void lane_ask_quiet_store(struct lane *lane);
/* The store's position of a partition; NULL: it has none. */
const struct store_position *lane_position(const struct lane *lane, int topic, int32_t partition);

/* Takes the answer of the batch in flight, waiting up to `wait_ms`. */
int lane_settle(struct lane *lane, int64_t wait_ms, struct error *err);
/* Brings what is folded into the store: sends it, and does not wait for the answer. `wait_ms`
 * bounds the waits for what must come first. */
int lane_flush(struct lane *lane, int64_t wait_ms, struct error *err);
/* Flushes until nothing is left to apply, or `wait_ms` passed. */
int lane_apply_all(struct lane *lane, int64_t wait_ms, struct error *err);

/* One item of a poll, of one of the lane's partitions. */
int lane_take_item(struct lane *lane, const struct broker_item *item, struct error *err);

/* Reads every partition from where its lane is; those of lanes that wait are paused. */
int worker_assign(struct worker *worker, struct error *err);

#endif

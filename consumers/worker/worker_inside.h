/* worker_inside.h - what the files of the worker share: its state, and who does what to it.
 *
 *     worker.c         its life: opening, the loop, rebalances, the end
 *     worker_read.c    from what a poll brought to sums in memory
 *     worker_apply.c   from sums in memory to the store
 *     worker_look.c    dropping everything not applied, and reading on from the store's positions
 *
 * Nobody else includes it. Functions return 0, or -1 with err when somebody must mend something;
 * trouble that passes by itself is dealt with inside. */
#ifndef TANDEM_WORKER_INSIDE_H
#define TANDEM_WORKER_INSIDE_H

#include "common/broker.h"
#include "common/store.h"
#include "consumers/worker/deadletter.h"
#include "consumers/worker/opening.h"
#include "consumers/worker/parts.h"
#include "consumers/worker/worker.h"

enum { WORKER_BACK_OFF_MIN_MS = 100 };

struct worker {
    const struct config *config;
    const struct fold_kind *kind;
    struct worker_options options;
    const char *topics[1], *words[1];
    char prefix[64];             /* of its keys */
    struct zone *zone;
    struct scopes *scopes;
    struct tally *tally;
    struct decoder *decoder;
    struct broker *broker;
    struct store *store;
    struct deadletters *letters;
    struct opening opening;
    struct fold fold;
    struct parts parts;

    bool ours;                   /* the group gave us the partitions of `parts`, not yet revoked */
    struct batch batch;
    bool in_flight;              /* the batch is with Redis */
    int64_t heard_ms;            /* when the store last agreed with us */
    int64_t later_ms;            /* since when Redis puts the batch off; 0: it does not */
    int64_t due_ms;              /* when what is folded should be applied; 0: nothing is folded */

    /* Not reading: partitions wait for a look at the store. */
    bool look;
    int64_t look_ms;             /* not before this */
    int64_t back_off_ms;
    char said[256];              /* the trouble already logged */

    int64_t *targets;            /* --exit-at-end: ends of all partitions at the start */
    int32_t target_count;
    int64_t end_look_ms;
    struct worker_totals totals;
};

/* Logs trouble once, not at every try. */
void worker_say_trouble(struct worker *w, const char *event, const struct error *err);
/* Forgets everything not applied, stops reading, and asks for a look at the store. */
void worker_drop(struct worker *w);
/* The same, but the look waits, each time longer. */
void worker_drop_for_later(struct worker *w);
/* If it is time: looks at the store, and reads every partition from its position there. */
int worker_look(struct worker *w, struct error *err);
/* Asks a store that was quiet for a while whether it still stands where it did. */
void worker_ask_quiet_store(struct worker *w);
/* The store's position of a partition; NULL: it has none. */
const struct store_position *worker_position_of(const struct store_state *state,
                                                const struct part *part);

/* Takes the answer of the batch in flight, waiting up to `wait_ms`. */
int worker_settle(struct worker *w, int64_t wait_ms, struct error *err);
/* Brings what is folded into the store: sends it, and does not wait for the answer. `wait_ms`
 * bounds the waits for what must come first. */
int worker_flush(struct worker *w, int64_t wait_ms, struct error *err);
/* Flushes until nothing is left to apply, or `wait_ms` passed. */
int worker_apply_all(struct worker *w, int64_t wait_ms, struct error *err);

/* One item of a poll. */
int worker_take_item(struct worker *w, const struct broker_item *item, struct error *err);

#endif

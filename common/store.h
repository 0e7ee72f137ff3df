/* store.h - the counters in Redis and the position they stand at, moved as one.
 *
 * A worker never writes a counter without moving its position in the same atomic step (apply.lua).
 * The store belongs to one kind of worker of one business; docs/guarantees.md tells the rules.
 * Everything the worker knows of Redis is here, so that a test can put a store of its own behind
 * this header. Use from one thread. */
#ifndef TANDEM_STORE_H
#define TANDEM_STORE_H

#include "common/batch.h"
#include "common/config.h"
#include "common/error.h"
#include "common/record.h"

#include <stdbool.h>
#include <stdint.h>

#define STORE_TOPICS_MAX 2
#define STORE_NO_FLOOR INT32_MIN

/* A second set of counters beside the live ones, while they are recounted: a store of its own under
 * "tandem:{<business>}:rebuild:". The live ones are the generation "". */
#define STORE_REBUILD "rebuild:"
/* What the token of a store ends with that is about to be replaced: nobody may write to it,
 * everybody waits. */
#define STORE_SWITCHING ":switching"

struct store;

enum store_answer {
    STORE_DONE,       /* carried out */
    STORE_PENDING,    /* in flight, no answer yet */
    STORE_MOVED,      /* not applied: positions, floor or names are not what the batch expects: look
                         again */
    STORE_FOREIGN,    /* not applied: the token is another: look again */
    STORE_LATER,      /* not applied: Redis cannot just now; the same call again, with back-off */
    STORE_UNKNOWN,    /* applied or not: connect anew and look */
    STORE_BROKEN      /* not applied and never will be: somebody must mend something */
};

/* One topic a kind reads. */
struct store_topic {
    const char *word;        /* "sales": as in position fields; static */
    char name[256];
    char cluster[128], id[64];  /* "": the broker does not tell */
    int32_t partitions;
};

/* One partition, as the store has it. */
struct store_position {
    int topic;               /* place in the kind's topics */
    int32_t partition;
    int64_t begin;           /* the log counts from here */
    struct place at;
};

/* What one look at the store finds. Free with store_state_clear(). */
struct store_state {
    bool exists;             /* this kind's position hash is there */
    bool others;             /* a position hash of another kind is there */
    char token[160];
    char *definition;        /* the text the token's second half is a hash of */
    int32_t floor;           /* local day; STORE_NO_FLOOR */
    int topic_count;
    struct store_topic topics[STORE_TOPICS_MAX];
    struct store_position *positions;
    size_t position_count;
};
void store_state_clear(struct store_state *state);

/* Which store: of a kind of worker, and, where that has shards, of one of them. */
struct store_kind {
    const char *name;            /* "sales", "service", "customers" */
    const char *const *words;    /* of its topics, as in position fields */
    int word_count;
    const char *generation;      /* "" or STORE_REBUILD */
    int shard, shards;           /* holds the partitions with partition mod shards == shard, and lies
                                    under "tandem:{<business>.<shard>}:"; 0, 0: there is but one */
};

/* Does not connect. 0, caller owns *out until store_free(). */
int store_open(struct store **out, const struct config *config, const struct store_kind *kind,
               struct error *err);
void store_free(struct store *store);

/* One try to connect. Checks that Redis does not evict: STORE_BROKEN says so.
 * STORE_DONE, STORE_UNKNOWN (err->retry), STORE_BROKEN. */
enum store_answer store_connect(struct store *store, struct error *err);
bool store_connected(const struct store *store);
const char *store_address(const struct store *store);

/* Reads everything of this kind by a writing script on the connection that applies. */
enum store_answer store_look(struct store *store, struct store_state *state, struct error *err);

/* True in *found when day counters of the business exist: without positions they are orphans. */
enum store_answer store_orphans(struct store *store, bool *found, struct error *err);

/* One kind's part of a new store. */
struct store_plan {
    const char *kind;
    struct store_topic topics[STORE_TOPICS_MAX];
    int topic_count;
    const struct store_position *positions;
    size_t position_count;
};
/* Makes the store: the position hashes of all plans, in one step, with a new token over
 * `definition`. STORE_DONE; STORE_MOVED when somebody else was faster. */
enum store_answer store_make(struct store *store, const struct store_plan *plans, int plan_count,
                             const char *definition, struct error *err);

/* Notes for people in the hash `gap`: what of the log was never counted, or cannot be proven. */
enum store_answer store_note_gap(struct store *store, const char *field, const char *text,
                                 struct error *err);

/* An operator accepts that the log is not what the store stands at. Takes topic `topic` of the
 * kind from `state` (as last looked at) to `positions` (begin and place, one a partition named),
 * and to the ids in `now` (NULL: they stay). `notes` go to the hash `gap`, one a position.
 * STORE_DONE; STORE_MOVED when the store is no longer as `state` says: look again. */
enum store_answer store_accept(struct store *store, const struct store_state *state, int topic,
                               const struct store_topic *now,
                               const struct store_position *positions, size_t count,
                               const char *const *notes, struct error *err);

/* Sends a batch that expects `token` and `floor`; the answer comes by store_receive(). The batch
 * must stay as it is until then. STORE_PENDING, or STORE_UNKNOWN. */
enum store_answer store_send(struct store *store, const struct batch *batch, const char *token,
                             int32_t floor, struct error *err);
/* Waits up to `wait_ms` for the answer. STORE_PENDING when there is none yet. On STORE_BROKEN err
 * names key and field. */
enum store_answer store_receive(struct store *store, int64_t wait_ms, struct error *err);

/* What a shard of the ledger knows of scopes and forgotten customers. Free with
 * store_names_clear(). */
struct store_names {
    uint64_t version;        /* for batch.ledger; 0: none yet */
    bool forgotten;          /* somebody was */
    struct batch_name *list;
    size_t count;
    void *memory;
};
enum store_answer store_names(struct store *store, struct store_names *names, struct error *err);
void store_names_clear(struct store_names *names);

/* One customer that is asked for, and the answer. */
struct store_customer {
    int32_t partition;
    struct text id;
    struct text state;              /* empty: nothing is known; valid until the next fetch */
    int64_t forgotten[SIDES];       /* events from these offsets on are nobody's; INT64_MAX: none */
};
/* Fills in what the shard holds of these customers; tombstones only with `forgotten`. What was read
 * is what the batch will meet, if it meets the positions and the version that it expects. */
enum store_answer store_fetch(struct store *store, struct store_customer *customers, size_t count,
                              bool forgotten, struct error *err);

/* The text a token's second half is the hash of, from the definition. 16 hex digits. */
void store_definition_hash(const char *definition, char out[17]);

#endif

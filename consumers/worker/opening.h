/* opening.h - whether this worker may write to that store from this log: the checks at a start and
 * at every assignment, and the making of a new store.
 *
 * docs/guarantees.md, "The store" and "The right log". */
#ifndef TANDEM_OPENING_H
#define TANDEM_OPENING_H

#include "common/broker.h"
#include "common/store.h"
#include "consumers/worker/definition.h"
#include "consumers/worker/kind.h"

/* Kinds whose stores are made together: sales and service, so that neither is without the other. */
#define OPENING_KINDS 2

struct opening {
    const struct config *config;
    struct broker *broker;
    struct store *store;
    const struct kind *kind;
    int shard, shards;            /* as of the store; 0, 0: it has no shards */
    char definition[DEFINITION_BYTES];
    bool accept_gap;
    struct broker_topic logs[STORE_TOPICS_MAX];      /* the kind's topics, as last described */
    struct store_state state;     /* as last looked at */
    bool warned;                  /* about retention or missing topic ids */
};

/* Fills *opening; `zone` is read for the definition. */
void opening_init(struct opening *opening, const struct config *config, struct broker *broker,
                  struct store *store, const struct kind *kind, const struct zone *zone);
void opening_clear(struct opening *opening);

/* The definition that a store of this kind is made with, into out (DEFINITION_BYTES). */
void opening_define(const struct kind *kind, const struct config *config, const struct zone *zone,
                    char *out);

/* Looks at store and log, makes the store when there is none, and checks that they belong to each
 * other and to this worker. STORE_DONE: opening->state and ->logs are fresh. STORE_LATER,
 * STORE_UNKNOWN: not now. STORE_BROKEN: err says what somebody must decide or mend. */
enum store_answer opening_check(struct opening *opening, struct error *err);

/* -1 (ERROR_STORE) when the store was made with other settings than `definition`; names them. */
int opening_definition(const char *definition, const struct store_state *state, struct error *err);

#endif

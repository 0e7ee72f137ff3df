/* publication.h - one comparison put into Redis, whole or not at all (publish.lua).
 *
 * Several may be under way on a connection; their answers come in the order of sending. */
#ifndef TANDEM_PUBLICATION_H
#define TANDEM_PUBLICATION_H

#include "common/calendar.h"
#include "common/config.h"
#include "common/error.h"
#include "common/redis.h"
#include "consumers/comparison/fields.h"
#include "consumers/reporter/dirty.h"
#include "consumers/reporter/lease.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct publication {
    const char *scope;
    struct period period;
    bool running;              /* the period that holds today */
    bool announce;             /* a change of its verdict is noted for the herald */
    const struct dirty *dirty; /* marks [mark_from, mark_from + mark_count) must still stand */
    size_t mark_from, mark_count;
    struct fields *fields; /* its own; field "revision" is set when it was published */
    int64_t revision;      /* 0 until published */
};

enum publication_result {
    PUBLICATION_MADE,
    PUBLICATION_STALE,   /* something was counted meanwhile: nothing was published */
    PUBLICATION_NOT_MINE /* the lease is another's: nothing was published */
};

/* Teaches the script to a server newly connected. 0, or -1. */
int publication_load(struct redis *redis, struct error *err);
/* Sends it. 0, or -1 (Redis, memory). */
int publication_send(const struct publication *publication, struct redis *redis,
                     const struct config *config, const struct lease *lease, struct error *err);
/* Takes the answer of the oldest one under way. 0, or -1. */
int publication_receive(struct publication *publication, struct redis *redis,
                        enum publication_result *result, struct error *err);
/* Frees its fields. */
void publication_clear(struct publication *publication);

/* "<kind>/<period>/<scope>", for the outbox and the keys of records. Returns out. */
#define PUBLICATION_NAME_MAX 192
char *publication_name(const char *scope, struct period period, char out[PUBLICATION_NAME_MAX]);

#endif

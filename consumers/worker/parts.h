/* parts.h - the partitions a worker has just now, and how far each has come.
 *
 *     begin ... start of the window ... stored ............ folded
 *                 (filled again)        (in Redis)          (in memory)
 *
 * `stored` is the position in Redis; records below it only fill the duplicate window, records from
 * it on are folded. Pure: knows neither Kafka nor Redis. */
#ifndef TANDEM_PARTS_H
#define TANDEM_PARTS_H

#include "common/broker.h"
#include "common/seen.h"
#include "common/store.h"

#include <stdbool.h>
#include <stdint.h>

struct part {
    int topic;
    int32_t partition;
    bool reading;              /* has a position and is being read */
    int64_t begin;             /* nothing before it counts, not even as an earlier duplicate */
    struct place stored;       /* as Redis has it */
    struct place folded;       /* next to fold; its sums are in the tally, or in flight */
    int64_t next;              /* next offset expected from the log */
    int64_t target;            /* --exit-at-end: end of the log at the start; -1: none */
    bool confirmed;            /* the log has answered at the position or behind it */
    struct seen *seen;
    int64_t impossible_ms;     /* since when the log refuses the offset; 0: it does not */
    int64_t refused_ms;        /* when it last did */
    int moved;                 /* how often running its position was not as expected */
    int64_t paused_until_ms;
};

struct parts {
    struct part *list;
    int count;
    int64_t window;
};

/* Takes these partitions instead of the ones before, none reading yet. Windows of partitions that
 * stay are kept, the others freed. -1 when memory is short. */
int parts_take(struct parts *parts, const struct broker_place *places, int count,
               struct error *err);
void parts_free(struct parts *parts);   /* what it holds, not *parts itself */

/* The partition, or NULL when it is not ours. */
struct part *parts_find(struct parts *parts, int topic, int32_t partition);

/* Nothing folded since the last apply counts: windows forget it, nothing reads. */
void parts_drop(struct parts *parts);

/* Sets one partition to the position in the store. Its window is emptied unless it ends right
 * there. Returns the offset to read from: earlier than the position when the window has to be
 * filled; `log_start` bounds it. *cut tells that the log no longer holds all of the window. */
int64_t part_place(struct part *part, const struct store_position *position, int64_t window,
                   int64_t log_start, bool *cut, struct error *err);
/* True while records only fill the window. */
bool part_filling(const struct part *part);

/* What was applied: the batch's move of this partition. */
void parts_applied(struct parts *parts, const struct batch_move *move);
/* Adds a move for each partition whose folded place is beyond the stored one. */
void parts_moves(const struct parts *parts, struct batch *batch);
bool parts_dirty(const struct parts *parts);

#endif

/* audit_floor.h - which floor a record was counted under. Pure.
 *
 * The floor only moves up; with each move `tandem trim` writes down the positions of that moment,
 * and from there on in the log it holds. A floor of which nothing is written held always. */
#ifndef TANDEM_AUDIT_FLOOR_H
#define TANDEM_AUDIT_FLOOR_H

#include "common/error.h"
#include "common/text.h"

#include <stdint.h>

struct floor_step {
    int32_t day;
    int64_t *from; /* offset by partition */
};

struct floors {
    struct floor_step *steps;
    int count;
    int32_t partitions;
    int32_t now; /* the floor in force; STORE_NO_FLOOR */
};

void floors_clear(struct floors *floors); /* what it holds, not *floors itself */
/* Adds one move: `date` and the positions as trim.lua writes them, of which those of `word`
 * ("sales") are taken. Something else than that is ERROR_STORE. */
int floors_add(struct floors *floors, const char *date, const char *positions, const char *word,
               struct error *err);
/* The floor under which the record at `offset` was counted. */
int32_t floors_at(const struct floors *floors, int32_t partition, int64_t offset);

#endif

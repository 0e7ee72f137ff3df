/* agenda.h - what is to be published of which scope without anything having been counted. Pure.
 *
 * The clock, new targets and a new leader ask for it; a scope keeps its errands until they are
 * done. */
#ifndef TANDEM_AGENDA_H
#define TANDEM_AGENDA_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>

#define ERRAND_RUNNING    1u /* the periods that hold today */
#define ERRAND_ENDED      2u /* the periods that ran when the last day was reported, now over */
#define ERRAND_EVERYTHING 4u /* all that was ever published, and all periods with a target */

struct agenda;

/* 0, caller owns *out until agenda_free(). */
int agenda_open(struct agenda **out, struct error *err);
void agenda_free(struct agenda *agenda);

/* Adds errands of a scope. 0, or -1 when memory is short. */
int agenda_add(struct agenda *agenda, const char *scope, unsigned errands, struct error *err);
void agenda_done(struct agenda *agenda, const char *scope, unsigned errands);
unsigned agenda_of(const struct agenda *agenda, const char *scope);
/* Whether any scope has one of these errands left. */
bool agenda_left(const struct agenda *agenda, unsigned errands);
/* A scope with an errand, `all` first; NULL: none. */
const char *agenda_first(const struct agenda *agenda);

/* Rounds running in which something was counted between reading and publishing a scope. */
int agenda_missed(struct agenda *agenda, const char *scope, struct error *err);
int agenda_misses(const struct agenda *agenda, const char *scope);
void agenda_met(struct agenda *agenda, const char *scope);

#endif

/* plan.h - which periods of a scope are to be published. Pure.
 *
 * Days that changed become the distinct periods they touch: a thousand days of one year ask for
 * that year once. */
#ifndef TANDEM_PLAN_H
#define TANDEM_PLAN_H

#include "common/calendar.h"
#include "common/error.h"

#include <stddef.h>
#include <stdint.h>

struct plan;

/* 0, caller owns *out until plan_free(). */
int plan_open(struct plan **out, struct error *err);
void plan_free(struct plan *plan);

/* Empties it. `today` is the business's local day; no period that begins before `floor` is
 * published (INT32_MIN: none). */
void plan_clear(struct plan *plan, int32_t today, int32_t floor);

/* One period. Each of these: 0, or -1 when memory is short. */
int plan_add(struct plan *plan, struct period period, struct error *err);
/* The period of each kind that holds `day`. */
int plan_add_around(struct plan *plan, int32_t day, struct error *err);
/* A day was counted in: the period of each kind that holds it, and the next one, unless that lies
 * in the future: its trend and its service state look back on this one. */
int plan_add_changed(struct plan *plan, int32_t day, struct error *err);

/* Sorts by the year of their first day, kind and day, and drops repeats. Call it before reading. */
void plan_finish(struct plan *plan);
size_t plan_count(const struct plan *plan);
struct period plan_at(const struct plan *plan, size_t i);
/* The year in which a period begins: what plan_finish() sorts by first. */
int plan_year(struct period period);

#endif

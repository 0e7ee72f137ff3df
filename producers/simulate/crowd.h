/* crowd.h - the customers of the simulated shop, and who of them may buy now.
 *
 * A customer sits on a seat and has a number, 1 and up. When a customer leaves for good, the seat
 * goes to somebody new. */
#ifndef TANDEM_CROWD_H
#define TANDEM_CROWD_H

#include "producers/simulate/dice.h"

#include <stdbool.h>
#include <stdint.h>

#define CROWD_NOBODY UINT32_MAX

enum mood {
    MOOD_FREE,      /* may buy and may rate */
    MOOD_PLANNED,   /* rated, and will buy again at a time that is set */
    MOOD_UNDECIDED, /* rated, and will change the answer before buying or not */
    MOOD_QUIET      /* rated, and buys nothing until a time */
};

struct crowd;

/* At most `seats` customers at a time (> 0). The caller owns it until crowd_free(). */
struct crowd *crowd_open(uint32_t seats); /* NULL: no memory */
void crowd_free(struct crowd *crowd);

/* Somebody new on a free seat; CROWD_NOBODY when every seat is taken. */
uint32_t crowd_new(struct crowd *crowd);
uint32_t crowd_room(const struct crowd *crowd); /* free seats */
/* Somebody whose mood is free at `now_ms`; CROWD_NOBODY when a few draws found none. */
uint32_t crowd_any(struct crowd *crowd, struct dice *dice, int64_t now_ms);

uint32_t crowd_number(const struct crowd *crowd, uint32_t seat);
/* Does `number` still sit on `seat`? */
bool crowd_sits(const struct crowd *crowd, uint32_t seat, uint32_t number);
/* ... and is free at `now_ms`? */
bool crowd_idle(struct crowd *crowd, uint32_t seat, uint32_t number, int64_t now_ms);
void crowd_set(struct crowd *crowd, uint32_t seat, enum mood mood);
void crowd_hush(struct crowd *crowd, uint32_t seat, int64_t until_ms); /* quiet until then */
void crowd_leave(struct crowd *crowd, uint32_t seat);                  /* for good */

uint32_t crowd_orders(const struct crowd *crowd, uint32_t seat);
void crowd_count_order(struct crowd *crowd, uint32_t seat);

#endif

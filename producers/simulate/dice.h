/* dice.h - seeded random numbers, the same on every machine.
 *
 * Integers only: no floating point, no library whose results could differ. Not for secrets. */
#ifndef TANDEM_DICE_H
#define TANDEM_DICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

/* Dice of their own for each (seed, topic, number), so that a thing can be drawn again later. */
struct dice dice_of(uint64_t seed, uint64_t topic, uint64_t number);

uint64_t dice_next(struct dice *dice);
/* 0..count-1; count > 0. */
uint32_t dice_below(struct dice *dice, uint32_t count);
/* lo..hi, both inclusive; lo <= hi. */
int64_t dice_between(struct dice *dice, int64_t lo, int64_t hi);
/* True in `per_mille` of a thousand throws; 0 and less never, 1000 and more always. */
bool dice_chance(struct dice *dice, int64_t per_mille);
/* A place 0..count-1, each as often as its weight says; the weights' sum is > 0. */
int dice_weighted(struct dice *dice, const int *weights, int count);
/* A waiting time: many short ones, few long ones, `mean` on average, at most 8 means, at least 1.
 * mean < 2^40. */
int64_t dice_wait(struct dice *dice, int64_t mean);

#endif

#include "producers/simulate/dice.h"

#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)

/* The generator is SplitMix64: one addition and a mix, every state gives a full period. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

struct dice dice_of(uint64_t seed, uint64_t topic, uint64_t number)
{
    return (struct dice){mix(mix(mix(seed + GOLDEN) + topic * GOLDEN) + number)};
}

uint64_t dice_next(struct dice *dice)
{
    dice->state += GOLDEN;
    return mix(dice->state);
}

uint32_t dice_below(struct dice *dice, uint32_t count)
{
    return (uint32_t)(((dice_next(dice) >> 32) * count) >> 32);
}

int64_t dice_between(struct dice *dice, int64_t lo, int64_t hi)
{
    uint64_t count = (uint64_t)hi - (uint64_t)lo + 1;
    uint64_t steps = (uint64_t)(((unsigned __int128)dice_next(dice) * count) >> 64);
    return (int64_t)((uint64_t)lo + steps);
}

bool dice_chance(struct dice *dice, int64_t per_mille)
{
    return (int64_t)dice_below(dice, 1000) < per_mille;
}

int dice_weighted(struct dice *dice, const int *weights, int count)
{
    int sum = 0, place = 0;
    for (int i = 0; i < count; i++) {
        sum += weights[i];
    }
    int left = (int)dice_below(dice, (uint32_t)sum);
    while (place < count - 1 && left >= weights[place]) {
        left -= weights[place++];
    }
    return place;
}

/* -ln of a random fraction, in 1/65536: the place of the first bit gives the whole part of the
 * binary logarithm, the bits behind it the rest, straight between the powers of two. */
int64_t dice_wait(struct dice *dice, int64_t mean)
{
    const int64_t ln2 = 45426, average = 68139; /* of what follows: 1.5 ln 2 */
    uint64_t bits = dice_next(dice) | 1;
    int zeros = __builtin_clzll(bits);
    int64_t rest = (int64_t)((bits << zeros) >> 47 & 0xffff);
    int64_t share = ((int64_t)(zeros + 1) * 65536 - rest) * ln2 / 65536 * 65536 / average;
    share = share < 8 * 65536 ? share : 8 * 65536;
    int64_t wait = (int64_t)((__int128)mean * share / 65536);
    return wait > 0 ? wait : 1;
}

/* money.h - sums in minor units, without a float anywhere.
 *
 * Amounts are int64 minor units (cents). Ratios are integers scaled by a power of ten, rounded
 * half away from zero; a division of decimals read from text rounds half to even. */
#ifndef TANDEM_MONEY_H
#define TANDEM_MONEY_H

#include "common/error.h"
#include "common/text.h"

#include <stdbool.h>
#include <stdint.h>

#define MONEY_MAX INT64_C(1000000000000) /* the largest amount one event may carry */

/* n / d rounded half away from zero. d must not be 0. The result must fit int64. */
int64_t money_divide(__int128 n, __int128 d);

/* Decimal text -> integer scaled by 10^scale (0..9), rounded half to even at that digit:
 * "41.9136", scale 2 -> 4191; "-1.005" -> -100. `decimal` is the decimal sign ('.' or ','),
 * `grouping` a sign that is skipped between digits of the whole part (0: none). Leading and
 * trailing blanks, a sign, and an exponent (1e-05, as spreadsheets write) are accepted.
 * 0, or -1 (ERROR_INPUT) when it is no number or does not fit int64. */
int money_parse(struct text text, int scale, char decimal, char grouping, int64_t *out,
                struct error *err);

/* A decimal that keeps every digit it was read with, so that several can be added or subtracted
 * before one rounding: value = units / 10^scale, scale 0..18. Of digits beyond the 18th decimal it
 * keeps only what a rounding to fewer needs to come out right. Read from text it has at most 19
 * digits before the point (ten of them, brought to scale 18, can be added); more is ERROR_INPUT. */
struct decimal {
    __int128 units;
    int scale;
};

int decimal_parse(struct text text, char decimal, char grouping, struct decimal *out,
                  struct error *err);
/* d * 10^scale rounded half to even, as int64; -1 (ERROR_INPUT) when it does not fit. */
int decimal_round(struct decimal d, int scale, int64_t *out, struct error *err);

/* Amount with its decimals and grouped thousands, e.g. "2,297,200.65" (en) or "2.297.200,65" (ro).
 * `exponent` (0..9) is the currency's number of decimals, `grouping` 0 means none. Returns out.
 * 40 bytes are enough. */
char *money_format(int64_t minor, int exponent, char decimal, char grouping, char *out,
                   size_t room);

#endif

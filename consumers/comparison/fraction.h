/* fraction.h - exact fractions of wide integers: compared and rounded, never approximated. */
#ifndef TANDEM_FRACTION_H
#define TANDEM_FRACTION_H

#include <stdbool.h>
#include <stdint.h>

struct fraction {
    __int128 num, den; /* den > 0 */
};

/* < 0, 0, > 0 as a is less than, equal to, greater than b. No product is made, so nothing can
 * overflow, however large the parts. */
int fraction_compare(struct fraction a, struct fraction b);

/* a * scale rounded half away from zero. False when that does not fit int64. */
bool fraction_round(struct fraction a, int64_t scale, int64_t *out);

#endif

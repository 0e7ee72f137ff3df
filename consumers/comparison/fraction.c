#include "consumers/comparison/fraction.h"

static __int128 floor_divide(__int128 n, __int128 d)
{
    __int128 quotient = n / d;
    return n % d < 0 ? quotient - 1 : quotient;
}

/* Compares whole parts; when they are equal, what is left over lies in [0, 1), and comparing two
 * such is comparing their inverses the other way round: Euclid's algorithm on both at once. */
int fraction_compare(struct fraction a, struct fraction b)
{
    for (int sign = 1;; sign = -sign) {
        __int128 whole_a = floor_divide(a.num, a.den), whole_b = floor_divide(b.num, b.den);
        if (whole_a != whole_b)
            return whole_a < whole_b ? -sign : sign;
        __int128 rest_a = a.num - whole_a * a.den, rest_b = b.num - whole_b * b.den;
        if (rest_a == 0 || rest_b == 0)
            return rest_a == rest_b ? 0 : rest_a == 0 ? -sign : sign;
        a = (struct fraction){a.den, rest_a};
        b = (struct fraction){b.den, rest_b};
    }
}

bool fraction_round(struct fraction a, int64_t scale, int64_t *out)
{
    __int128 n;
    if (__builtin_mul_overflow(a.num, (__int128)scale, &n))
        return false;
    __int128 quotient = n / a.den, rest = n % a.den;
    if (rest < 0 && -rest >= a.den + rest)
        quotient--;
    if (rest > 0 && rest >= a.den - rest)
        quotient++;
    if (quotient > INT64_MAX || quotient < INT64_MIN)
        return false;
    *out = (int64_t)quotient;
    return true;
}

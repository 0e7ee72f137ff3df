#include "common/money.h"

#include <stdio.h>
#include <string.h>

enum {
    DIGITS_MAX = 38, /* as many decimal digits as an __int128 always holds */
    WHOLE_MAX = 19,  /* so that ten decimals can be added at scale 18 */
    SCALE_MAX = 18,
    TEXT_MAX = 400, /* longer than any program writes a number */
    EXPONENT_MAX = 10000
};

static unsigned __int128 power_of_ten(int exponent)
{
    unsigned __int128 power = 1;
    while (exponent-- > 0) {
        power *= 10;
    }
    return power;
}

static unsigned __int128 magnitude(__int128 n)
{
    return n < 0 ? -(unsigned __int128)n : (unsigned __int128)n;
}

int64_t money_divide(__int128 n, __int128 d)
{
    unsigned __int128 top = magnitude(n), bottom = magnitude(d);
    unsigned __int128 quotient = top / bottom, rest = top % bottom;
    if (rest >= bottom - rest) {
        quotient++;
    }
    uint64_t result = (uint64_t)quotient;
    return (int64_t)((n < 0) != (d < 0) ? -result : result);
}

/* A number as it is read: digits * 10^exponent, and a little more when `lost`. */
struct reading {
    unsigned __int128 digits;
    int count; /* of digits, from the first that is not 0 */
    int exponent;
    bool negative;
    bool lost;
};

struct cursor {
    const char *at, *end;
};

static bool at_digit(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

static bool take(struct cursor *c, char wanted)
{
    if (c->at == c->end || *c->at != wanted) {
        return false;
    }
    c->at++;
    return true;
}

static void add_digit(struct reading *r, int digit, bool fraction)
{
    if (r->count == DIGITS_MAX) {
        r->lost |= digit != 0;
        r->exponent += !fraction;
        return;
    }
    r->digits = r->digits * 10 + (unsigned)digit;
    r->count += r->digits != 0;
    r->exponent -= fraction;
}

/* Digits, with `grouping` signs only between two of them. Gives how many digits there were. */
static int take_digits(struct cursor *c, char grouping, bool fraction, struct reading *r)
{
    int taken = 0;
    while (c->at < c->end) {
        bool groups = grouping && taken > 0 && *c->at == grouping && at_digit(c->at + 1, c->end);
        if (!groups) {
            if (!at_digit(c->at, c->end)) {
                break;
            }
            add_digit(r, *c->at - '0', fraction);
            taken++;
        }
        c->at++;
    }
    return taken;
}

/* "e-05" behind the digits, if it is there. */
static bool take_exponent(struct cursor *c, struct reading *r)
{
    if (!take(c, 'e') && !take(c, 'E')) {
        return true;
    }
    bool negative = take(c, '-');
    if (!negative) {
        take(c, '+');
    }
    if (!at_digit(c->at, c->end)) {
        return false;
    }
    int exponent = 0;
    for (; at_digit(c->at, c->end); c->at++) {
        exponent = exponent * 10 + (*c->at - '0');
        if (exponent > EXPONENT_MAX) {
            exponent = EXPONENT_MAX;
        }
    }
    r->exponent += negative ? -exponent : exponent;
    return true;
}

static bool read_number(struct text text, char decimal, char grouping, struct reading *r)
{
    if (!text.at || text.len > TEXT_MAX) {
        return false;
    }
    struct cursor c = {text.at, text.at + text.len};
    while (take(&c, ' ') || take(&c, '\t')) {
    }
    r->negative = take(&c, '-');
    if (!r->negative) {
        take(&c, '+');
    }
    int digits = take_digits(&c, grouping, false, r);
    if (take(&c, decimal)) {
        digits += take_digits(&c, 0, true, r);
    }
    if (digits == 0 || !take_exponent(&c, r)) {
        return false;
    }
    while (take(&c, ' ') || take(&c, '\t')) {
    }
    return c.at == c.end;
}

/* Cuts what lies beyond SCALE_MAX decimals. Where the cut would look like a whole digit or a tie
 * and is not, the last digit goes up by one: a later rounding to fewer decimals is then the same
 * as one of all the digits. */
static void cut_decimals(struct reading *r)
{
    int drop = -r->exponent - SCALE_MAX;
    if (drop <= 0) {
        return;
    }
    if (drop > DIGITS_MAX) {
        r->lost |= r->digits != 0;
        r->digits = 0;
    } else {
        unsigned __int128 power = power_of_ten(drop);
        r->lost |= r->digits % power != 0;
        r->digits /= power;
    }
    r->exponent = -SCALE_MAX;
    if (r->lost && r->digits % 5 == 0) {
        r->digits++;
    }
}

static int too_large(struct text text, struct error *err)
{
    return error_set(err, ERROR_INPUT, "\"%.*s\" is too large a number",
                     text.len > 40 ? 40 : (int)text.len, text.at);
}

int decimal_parse(struct text text, char decimal, char grouping, struct decimal *out,
                  struct error *err)
{
    struct reading r = {0};
    if (!read_number(text, decimal, grouping, &r)) {
        return error_set(err, ERROR_INPUT, "\"%.*s\" is not a number",
                         text.len > 40 ? 40 : (int)text.len, text.at ? text.at : "");
    }
    if (r.digits == 0) {
        *out = (struct decimal){0, 0};
        return 0;
    }
    if (r.count + r.exponent > WHOLE_MAX) {
        return too_large(text, err);
    }
    cut_decimals(&r);
    if (r.exponent > 0) {
        r.digits *= power_of_ten(r.exponent);
        r.exponent = 0;
    }
    out->units = r.negative ? -(__int128)r.digits : (__int128)r.digits;
    out->scale = -r.exponent;
    return 0;
}

static unsigned __int128 divide_half_even(unsigned __int128 n, unsigned __int128 d)
{
    unsigned __int128 quotient = n / d, rest = n % d, missing = d - rest;
    return quotient + (rest > missing || (rest == missing && quotient % 2 == 1));
}

int decimal_round(struct decimal d, int scale, int64_t *out, struct error *err)
{
    unsigned __int128 units = magnitude(d.units);
    unsigned __int128 limit = (unsigned __int128)INT64_MAX + (d.units < 0);
    bool fits = true;
    if (scale >= d.scale) {
        fits = !__builtin_mul_overflow(units, power_of_ten(scale - d.scale), &units);
    } else {
        units = divide_half_even(units, power_of_ten(d.scale - scale));
    }
    if (!fits || units > limit) {
        return error_set(err, ERROR_INPUT, "the number is too large");
    }
    uint64_t result = (uint64_t)units;
    *out = (int64_t)(d.units < 0 ? -result : result);
    return 0;
}

int money_parse(struct text text, int scale, char decimal, char grouping, int64_t *out,
                struct error *err)
{
    struct decimal value = {0, 0};
    if (decimal_parse(text, decimal, grouping, &value, err) != 0) {
        return -1;
    }
    return decimal_round(value, scale, out, NULL) == 0 ? 0 : too_large(text, err);
}

char *money_format(int64_t minor, int exponent, char decimal, char grouping, char *out, size_t room)
{
    char text[64]; /* from the last digit on: 19 digits, their signs and more zeros than any need */
    char *at = text + sizeof text - 1;
    *at = '\0';
    uint64_t rest = minor < 0 ? -(uint64_t)minor : (uint64_t)minor;
    for (int place = 0; rest > 0 || place <= exponent; place++) {
        int whole = place - exponent;
        if (whole == 0 && exponent > 0) {
            *--at = decimal;
        } else if (whole > 0 && whole % 3 == 0 && grouping) {
            *--at = grouping;
        }
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    }
    if (minor < 0) {
        *--at = '-';
    }
    snprintf(out, room, "%s", at);
    return out;
}

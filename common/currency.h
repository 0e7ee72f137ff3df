/* currency.h - the currencies of ISO 4217 that have minor units.
 *
 * A currency is its place in the table, so that sums can be kept in arrays. */
#ifndef TANDEM_CURRENCY_H
#define TANDEM_CURRENCY_H

#include "common/text.h"

/* The place of a code of three capitals in the table, 0.., or -1. */
int currency_find(struct text code);
const char *currency_code(int currency); /* "EUR"; static */
int currency_exponent(int currency);     /* 0, 2, 3 or 4 */
int currency_count(void);

#endif

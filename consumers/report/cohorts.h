/* cohorts.h - who bought first in which month, and how many of them bought again how much later.
 *
 * A triangle of counts: rows are months of the first purchase, columns months since. Pure. */
#ifndef TANDEM_COHORTS_H
#define TANDEM_COHORTS_H

#include "common/error.h"
#include "consumers/customers/customer.h"

#include <stdint.h>

struct cohorts;

/* 0, caller owns *out (about 6 MB) until cohorts_free(); -1 when memory is short. */
int cohorts_open(struct cohorts **out, struct error *err);
void cohorts_free(struct cohorts *cohorts);

/* One more customer; without a purchase it counts nowhere. */
void cohorts_add(struct cohorts *cohorts, const struct customer *customer);

/* Months as in customer_month(). The first and the last with a purchase; -1 when there is none. */
int cohorts_first(const struct cohorts *cohorts);
int cohorts_last(const struct cohorts *cohorts);
/* Customers with a purchase. */
int64_t cohorts_customers(const struct cohorts *cohorts);
/* Of those who bought first in `month`, how many bought `since` months later (0: all of them). */
int64_t cohorts_at(const struct cohorts *cohorts, int month, int since);

#endif

/* contribution.h - what customers add to the counters.
 *
 * Part of it follows from each event alone, part from a customer's whole set. Of the second the
 * worker writes the difference of before and after its batch: whatever a late event makes untrue is
 * taken back where it was counted, and the counters come to depend on the set alone. Scopes of the
 * tally are ids of the dictionary, SCOPE_ALL the whole business. docs/redis.md has the rules.
 * Pure. */
#ifndef TANDEM_CONTRIBUTION_H
#define TANDEM_CONTRIBUTION_H

#include "common/tally.h"
#include "consumers/customers/customer.h"

enum customer_field {
    CUSTOMERS_NEW,
    CUSTOMERS_NEW_BY_SALE,
    CUSTOMERS_NEW_BY_SERVICE,
    ORDERS_IDENTIFIED,
    ORDERS_RETURNING,
    ORDERS_AFTER_INTERACTION,
    ORDERS_AFTER_SERVICE,
    MONTH_BUYERS,
    RETAINED,
    SATISFIED,
    SATISFIED_RETURNED,
    DISSATISFIED,
    DISSATISFIED_RETURNED,
    LEDGER_TOO_OLD,
    LEDGER_OVERFLOW, /* TALLY_UNDATED; all others TALLY_DAY */
    CUSTOMER_FIELDS
};

extern const struct tally_layout contribution_layout;

struct contribution {
    const struct customer_rules *rules;
    const struct lists *lists;
    struct tally *tally; /* opened with contribution_layout */
};

/* Adds what one event counts whatever else is known of its customer. */
void contribution_deed(const struct contribution *to, const struct deed *deed);
/* Adds what `after` counts and `before` did not, and takes back what it counts no more. Looks at
 * each sale and rating once, and touches the tally only where they differ. */
void contribution_difference(const struct contribution *to, const struct customer *before,
                             const struct customer *after);

#endif

/* customer_rules.h - what a customer's events come to by the rules, each asked of all of them.
 *
 * A second way to every counter of customers, for tests: nothing is kept from one event to the
 * next, no state, no difference, so it can be compared with the worker's, which keeps little and
 * writes differences only. Rules 1 to 5 and the bounds, as docs/redis.md has them. Pure. */
#ifndef TANDEM_TESTS_CUSTOMER_RULES_H
#define TANDEM_TESTS_CUSTOMER_RULES_H

#include "consumers/customers/contribution.h"

/* One event of one customer of one partition. */
struct rules_event {
    enum event_type type;
    int64_t time_s;
    int32_t day;               /* local */
    const char *const *scopes; /* "region=north", in the order of their bytes; NULL ends them */
    int ref, score;            /* of a rating: which one it is, and the answer */
    enum event_scale scale;
};

/* A counter rises by one: on a day, in a scope (NULL: the whole business); LEDGER_OVERFLOW has
 * neither. */
typedef void rules_count(void *context, enum customer_field field, int32_t day, const char *scope);

void rules_judge(const struct rules_event *events, int count, const struct customer_rules *bounds,
                 rules_count *tell, void *context);

#endif

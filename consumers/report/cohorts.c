#include "consumers/report/cohorts.h"

#include <stdlib.h>

struct cohorts {
    int64_t customers;
    int first, last;
    int64_t count[]; /* row by row, each one shorter than the one before */
};

enum { CELLS = CUSTOMER_MONTHS * (CUSTOMER_MONTHS + 1) / 2 };

int cohorts_open(struct cohorts **out, struct error *err)
{
    struct cohorts *cohorts = calloc(1, sizeof *cohorts + CELLS * sizeof *cohorts->count);
    if (!cohorts) {
        return error_memory(err);
    }
    cohorts->first = cohorts->last = -1;
    *out = cohorts;
    return 0;
}

void cohorts_free(struct cohorts *cohorts)
{
    free(cohorts);
}

static size_t cell(int month, int since)
{
    return (size_t)(month * CUSTOMER_MONTHS - month * (month - 1) / 2 + since);
}

void cohorts_add(struct cohorts *cohorts, const struct customer *customer)
{
    int first = -1, last = -1;
    for (int month = 0; month < CUSTOMER_MONTHS; month++) {
        if (month % 8 == 0 && customer->months[month / 8] == 0) {
            month += 7; /* nearly all are */
            continue;
        }
        if (!customer_has_month(customer, month)) {
            continue;
        }
        first = first < 0 ? month : first;
        last = month;
        cohorts->count[cell(first, month - first)]++;
    }
    if (first < 0) {
        return;
    }
    cohorts->customers++;
    if (cohorts->first < 0 || first < cohorts->first) {
        cohorts->first = first;
    }
    if (last > cohorts->last) {
        cohorts->last = last;
    }
}

int cohorts_first(const struct cohorts *cohorts)
{
    return cohorts->first;
}

int cohorts_last(const struct cohorts *cohorts)
{
    return cohorts->last;
}

int64_t cohorts_customers(const struct cohorts *cohorts)
{
    return cohorts->customers;
}

int64_t cohorts_at(const struct cohorts *cohorts, int month, int since)
{
    return cohorts->count[cell(month, since)];
}

/* days.h - counters of whole periods, summed from the day hashes in Redis.
 *
 * Reads the days of one scope at a time, many in one round trip, and sums each period once. Sums of
 * months and years are kept from round to round: whoever learns that a day changed says so by
 * days_forget(), whoever may have missed it by days_clear(). */
#ifndef TANDEM_DAYS_H
#define TANDEM_DAYS_H

#include "common/calendar.h"
#include "common/error.h"
#include "common/redis.h"
#include "consumers/comparison/counters.h"

#include <stdbool.h>

struct days;

/* The counters of one scope over one period. NULL: nothing counted on that side; customers: nobody
 * counts them (when somebody does, there is a set even where it is empty). */
struct sums {
    struct counters *sale, *service, *customer;
};

/* 0, caller owns *out until days_free(). */
int days_open(struct days **out, const char *business, struct error *err);
void days_free(struct days *days);

void days_clear(struct days *days);
/* A day was counted in: its month and its year are summed anew. */
void days_forget(struct days *days, const char *scope, int32_t day);

/* Whether customer counters are read too; not, to begin with. A change clears. */
void days_read_customers(struct days *days, bool customers);

/* Begins with a scope (or with further years of it): single days read before are dropped. */
int days_begin(struct days *days, const char *scope, struct error *err);
/* Notes what the sum of a period needs; days_load() then reads all of it. */
int days_want(struct days *days, struct period period, struct error *err);
/* 0, or -1: Redis, memory, or (err->retry false) a hash whose fields are not counters. */
int days_load(struct days *days, struct redis *redis, struct error *err);
/* The sums of a period that was wanted and loaded. They stay the days', until the next
 * days_begin(). 0, or -1 when memory is short. */
int days_sum(struct days *days, struct period period, const struct sums **out, struct error *err);

#endif

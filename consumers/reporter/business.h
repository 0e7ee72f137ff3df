/* business.h - what a round of the reporter knows of the business beside its counters. */
#ifndef TANDEM_BUSINESS_H
#define TANDEM_BUSINESS_H

#include "common/config.h"
#include "common/error.h"
#include "common/redis.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A list of words, sorted, each once. */
struct words {
    char **list;
    size_t count;
};

struct business {
    char store[128]; /* id of the store; "": no worker has made one yet */
    int32_t floor;   /* first day that is kept; INT32_MIN: all */
    struct words currencies;
    struct words scopes; /* "all" first, then every admitted value of every dimension */
    /* What reporters have left for each other in the hash `reported`: */
    bool has_day;
    int32_t day;       /* local day whose beginning was last reported */
    char settings[33]; /* digest of what was last published with; "": nothing yet */
    bool customers;    /* somebody counts customers */
    bool has_range;
    int32_t from, until; /* days that published periods reach from and to */
    int32_t ledger_from; /* first day that the ledger of customers knows; INT32_MIN: all */
};

/* Reads it all in one round trip. 0, and the caller owns *out until business_clear(); -1. */
int business_read(struct business *out, struct redis *redis, const struct config *config,
                  struct error *err);
/* A zeroed struct is fine. */
void business_clear(struct business *business);

#endif

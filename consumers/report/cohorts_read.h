/* cohorts_read.h - the triangle of a business, from what the ledger knows of each customer.
 *
 * Walks over every customer of every shard, in short steps, so that others are not held up; memory
 * is that of the triangle and one step. Customers who buy meanwhile are in it or are not. */
#ifndef TANDEM_COHORTS_READ_H
#define TANDEM_COHORTS_READ_H

#include "common/config.h"
#include "common/error.h"
#include "consumers/report/cohorts.h"

/* Tells on stderr how far it is, when that is a terminal. 0; -1: no ledger, a shard is away, or a
 * signal asks to stop. */
int cohorts_read(struct cohorts *cohorts, const struct config *config, struct error *err);

#endif

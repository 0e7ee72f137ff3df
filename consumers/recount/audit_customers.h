/* audit_customers.h - the audit of the ledger of customers: counters and states, shard by shard. */
#ifndef TANDEM_AUDIT_CUSTOMERS_H
#define TANDEM_AUDIT_CUSTOMERS_H

#include "common/config.h"
#include "common/zone.h"
#include "consumers/recount/audit.h"
#include "consumers/recount/audit_findings.h"
#include "consumers/recount/audit_recount.h"

struct redis;

/* What audit.c tells; all of it must stay. */
struct customers_audit {
    const struct config *config;
    const struct zone *zone;
    struct redis *redis;
    int32_t from, until; /* local days, both compared; states and undated only when all are */
    struct findings *findings;
    recount_tick *tick;
    void *context;
    /* What was audited. */
    int32_t partitions;
    int64_t *upto[2]; /* by partition, of sales and service; free with customers_audit_clear() */
};
void customers_audit_clear(struct customers_audit *audit);

/* Audits shard `shard` of `shards`, with an own look at its store. */
enum audit_outcome customers_audit_shard(struct customers_audit *audit, int shard, int shards,
                                         struct error *err);
/* Writes what was audited: "tandem.sales 0:1220 1:1325, tandem.service 0:310 1:287". */
void customers_audit_print(const struct customers_audit *audit, FILE *out);

#endif

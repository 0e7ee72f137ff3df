/* audit_compare.h - counters of a slice against the recount, field by field. Pure. */
#ifndef TANDEM_AUDIT_COMPARE_H
#define TANDEM_AUDIT_COMPARE_H

#include "consumers/recount/audit_findings.h"
#include "consumers/recount/audit_recount.h"
#include "consumers/recount/audit_slice.h"
#include "consumers/recount/keylist.h"

struct comparison {
    const struct recount *recount;
    const struct slice *slice;
    const char *prefix;  /* "tandem:{main}:" */
    int32_t from, until; /* local days, both compared; undated only when all are */
    struct findings *findings;
};

/* Whether a key of counters is compared: of the side, not forgotten, not about to expire, and of
 * the days asked for. */
bool compare_wants(const struct comparison *c, const char *rest);

/* Every key of the slice, which the recount has walked to. 0, or -1 when memory is short. */
int compare_slice(const struct comparison *c, struct error *err);
/* Adds to `missing` the keys that the recount has and `known` (sorted) has not. */
int compare_missing(const struct comparison *c, const struct keylist *known,
                    struct keylist *missing, struct error *err);
/* What was counted stands in the sets of values and currencies. */
int compare_sets(const struct comparison *c, struct error *err);

#endif

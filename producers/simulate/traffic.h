/* traffic.h - the events of a shop as records, with what a real topic has beside them: records
 * that come twice, records that are wrong, records of another form. */
#ifndef TANDEM_TRAFFIC_H
#define TANDEM_TRAFFIC_H

#include "producers/simulate/parcel.h"
#include "producers/simulate/shop.h"

#define TRAFFIC_AGAIN_WITHIN 4096 /* a record comes again before so many other events */

struct traffic;

struct traffic_options {
    const char *type_prefix;     /* must outlive the traffic */
    int duplicates_pct, bad_pct; /* of all records */
    int binary_pct;              /* of the events */
    int64_t records;             /* so many and no more; 0: until the shop ends */
};

/* How many events the shop has to have for so many records. */
int64_t traffic_events(const struct traffic_options *options);

/* Takes from `shop`, which must outlive it. 0, caller owns *out until traffic_free(). */
int traffic_open(struct traffic **out, struct shop *shop, const struct shop_options *of,
                 const struct traffic_options *options, struct error *err);
void traffic_free(struct traffic *traffic);

/* The next record; it is the traffic's until the next call. 1, 0 at the end, -1 no memory. */
int traffic_next(struct traffic *traffic, int64_t live_ms, struct parcel *parcel,
                 struct error *err);

int64_t traffic_count(const struct traffic *traffic, enum parcel_kind kind);
/* Times of the first and the last event; first > last: none yet. */
void traffic_span(const struct traffic *traffic, int64_t *first_ms, int64_t *last_ms);

#endif

/* fold.h - from one event to sums in memory. Pure: no I/O, no clock.
 *
 * A kind of worker is a side, its fields, and the function that adds one event to them. What is
 * the same for both - days, hours, scopes, what happened to records - is here; what a sale or a
 * service event adds is in sales.c and service.c. docs/redis.md lists the fields. */
#ifndef TANDEM_FOLD_H
#define TANDEM_FOLD_H

#include "common/event.h"
#include "common/scope.h"
#include "common/tally.h"
#include "common/zone.h"

/* Raised whenever the same log would be counted differently: it is part of a store's definition. */
#define FOLD_VERSION 1

/* Hour counters are kept this long after the hour's end. */
#define FOLD_HOUR_KEPT_S (14 * 86400)

#define FOLD_SHARES_MAX 4

struct fold_kind {
    const char *name;                  /* "sales": of the worker, its group and its position */
    enum side side;
    struct tally_layout layout;
    /* What the event adds in each of its scopes, on its local day; returns how many shares. */
    int (*share)(const struct event *event, int32_t local_day, struct tally_share *shares);
    /* What it adds in the scopes of its lines, days only; NULL: there are none. */
    void (*add_lines)(struct tally *tally, int32_t day, struct scopes *scopes,
                      const struct event *event, const struct tally_share *shares, int count);
};

extern const struct fold_kind sales_kind, service_kind;

/* The fields of TALLY_RECORDS, the same on both sides. The first REJECTS are rejected_<reason>. */
enum record_field {
    RECORD_DUPLICATES = REJECTS, RECORD_IGNORED, RECORD_TOMBSTONES, RECORD_MISPLACED,
    RECORD_BEFORE_FLOOR, RECORD_FIELDS
};
extern const char *const fold_record_fields[];

struct fold {
    const struct fold_kind *kind;
    struct tally *tally;
    struct scopes *scopes;
    const struct zone *zone;
    int32_t floor;                     /* local day below which nothing is counted; INT32_MIN: none */
    int64_t hours_from_s;              /* hours that end before this instant have expired */
};

/* Adds one valid event that is no duplicate: to its local day and hour, in all its scopes. */
void fold_event(struct fold *fold, const struct event *event);
/* False when the event's local day lies before the floor. */
bool fold_counts(const struct fold *fold, const struct event *event);
/* Adds 1 to a record field, on the local day of the record's own time stamp (-1: none). */
void fold_record(struct fold *fold, enum record_field field, int64_t timestamp_ms);

/* The instant at which the counters of a local hour (hours since 1970 by the wall clock) expire,
 * epoch seconds: the end of the hour + FOLD_HOUR_KEPT_S. */
int64_t fold_hour_expiry(const struct zone *zone, int32_t hour);

#endif

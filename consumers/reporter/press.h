/* press.h - computes and publishes the planned periods of one scope.
 *
 * Marks are read again, then the counters, then everything is published under the condition that
 * the marks still stand; at the end those marks are removed. */
#ifndef TANDEM_PRESS_H
#define TANDEM_PRESS_H

#include "common/config.h"
#include "common/error.h"
#include "common/redis.h"
#include "common/zone.h"
#include "consumers/reporter/bulletin.h"
#include "consumers/reporter/business.h"
#include "consumers/reporter/days.h"
#include "consumers/reporter/dirty.h"
#include "consumers/reporter/dispatch.h"
#include "consumers/reporter/lease.h"
#include "consumers/reporter/plan.h"
#include "consumers/comparison/targets.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a round publishes with; owned by whoever runs it. */
struct press {
    const struct config *config;
    const struct zone *zone;
    struct redis *redis;
    const struct lease *lease;
    struct dispatch *dispatch;
    struct bulletin *bulletin;
    struct days *days;
    struct dirty *dirty;
    const struct targets *targets;
    const struct business *business;
    int64_t as_of_s;
    int32_t today;
};

struct press_job {
    const char *scope;
    const struct plan *plan;      /* finished */
    size_t mark_from, mark_count; /* the scope's marks in press.dirty */
    bool regardless;              /* publish though marks change meanwhile; they stay then */
};

struct press_result {
    int64_t made;  /* publications */
    int64_t stale; /* refused because something was counted meanwhile */
    bool lost;     /* the lease is another's: nothing further was published */
};

/* 0; -1: Redis (the connection may be closed), memory, ERROR_STOPPED when a signal asks to stop. */
int press_scope(const struct press *press, const struct press_job *job, struct press_result *result,
                struct error *err);

#endif

/* audit_gap.h - what the hash `gap` says about whether a recount can speak for the counters. */
#ifndef TANDEM_AUDIT_GAP_H
#define TANDEM_AUDIT_GAP_H

#include "common/error.h"
#include "common/redis.h"

#include <stdbool.h>

/* Whether a note ("skipped:5-9", "0-12") leaves the counters what a recount from the store's
 * beginning gives: only one that says where that beginning is does. Pure. */
bool audit_gap_harmless(const char *note);

/* ERROR_LOG when the hash "<prefix>gap" has a note on `topic` that is not harmless. */
int audit_gap_check(struct redis *redis, const char *prefix, const char *topic, struct error *err);

#endif

/* zone.h - one IANA time zone as a table of its offset changes from 2000 to 2099.
 *
 * Made once from the system's tzdata, then pure: no libc time, safe to read from any thread.
 * Before 2000 and after 2099 the offset of the nearer end holds. Instants are any that epoch
 * milliseconds in an int64 can say. */
#ifndef TANDEM_ZONE_H
#define TANDEM_ZONE_H

#include "common/error.h"

#include <stdint.h>

struct zone;

/* Reads "Europe/Bucharest". Sets TZ while it reads, so call it before other threads start.
 * 0, caller owns *out until zone_free(); -1 (ERROR_INPUT) for a name the system does not know
 * (libc would silently take UTC). */
int zone_open(struct zone **out, const char *name, struct error *err);
void zone_free(struct zone *zone);
const char *zone_name(const struct zone *zone);

int32_t zone_offset(const struct zone *zone, int64_t utc_s); /* seconds east of UTC */
int64_t zone_local(const struct zone *zone, int64_t utc_s);  /* wall clock as if it were UTC */
int32_t zone_day(const struct zone *zone, int64_t utc_s);    /* local day, kept to years 0-9999 */

/* Wall clock (seconds as if UTC) -> instant. One that does not exist moves forward by the gap; a
 * repeated one is the earlier (zone_utc) or the later (zone_utc_late). */
int64_t zone_utc(const struct zone *zone, int64_t local_s);
int64_t zone_utc_late(const struct zone *zone, int64_t local_s);

/* Length of a local day in seconds: 82,800-90,000 around a change, 0 for the one day that a zone
 * skipped whole when it crossed the date line (Apia, 2011-12-30). */
int64_t zone_day_length(const struct zone *zone, int32_t day);

/* Hash of all offset changes 2000-2099: two systems whose tzdata differ there give different ones. */
uint64_t zone_hash(const struct zone *zone);

#endif

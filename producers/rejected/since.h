/* since.h - "from when on", as people say it: an age, a day or a time. Pure. */
#ifndef TANDEM_SINCE_H
#define TANDEM_SINCE_H

#include "common/error.h"
#include "common/zone.h"

#include <stdint.h>

/* "90m", "24h", "7d" before `now_ms`; "2026-11-23", the beginning of that day in the zone; or
 * "2026-11-23T14:00:00Z". *out gets epoch milliseconds. 0, or -1 (ERROR_USAGE). */
int since_parse(const char *text, const struct zone *zone, int64_t now_ms, int64_t *out,
                struct error *err);

#endif

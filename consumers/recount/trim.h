/* trim.h - `tandem trim`: forgets what lies before a day, on purpose. docs/recount.md. */
#ifndef TANDEM_TRIM_H
#define TANDEM_TRIM_H

#include "common/command.h"

extern const struct command trim_command;

/* True when a key (without "tandem:{<business>}:") holds only what lies before the floor: counters
 * of a day or hour before it, or a comparison or table of a period that begins before it.
 * `today` tells which period is the running one. */
bool trim_forgets(const char *rest, int32_t floor, int32_t today);

#endif

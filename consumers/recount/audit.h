/* audit.h - `tandem audit`: do the counters equal the log? docs/recount.md. */
#ifndef TANDEM_AUDIT_H
#define TANDEM_AUDIT_H

#include "common/command.h"
#include "common/text.h"

#include <stdint.h>

extern const struct command audit_command;

/* What came of one store: AUDIT_AGAIN, it was set back or made anew meanwhile. */
enum audit_outcome { AUDIT_DONE, AUDIT_FAILED, AUDIT_AGAIN };

/* "2026-01-01..2026-03-31", "2026-01-01.." or "..2026-03-31". False when it is none of these. */
bool audit_parse_days(struct text text, int32_t *from, int32_t *until);

#endif

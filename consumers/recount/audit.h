/* audit.h - `tandem audit`: do the counters equal the log? docs/recount.md. */
#ifndef TANDEM_AUDIT_H
#define TANDEM_AUDIT_H

#include "common/command.h"
#include "common/text.h"

#include <stdint.h>

extern const struct command audit_command;

/* "2026-01-01..2026-03-31", "2026-01-01.." or "..2026-03-31". False when it is none of these. */
bool audit_parse_days(struct text text, int32_t *from, int32_t *until);
/* Whether a note of the hash `gap` ("skipped:5-9", "0-12") leaves the counters what a recount from
 * the store's beginning gives: only one that says where that beginning is does. */
bool audit_gap_harmless(const char *note);

#endif

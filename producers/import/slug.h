/* slug.h - any text as a slug: a name that is safe in keys, `Office Supplies` -> `office-supplies`.
 *
 * docs/import.md, "Slugs", gives the rule to users. Pure. */
#ifndef TANDEM_SLUG_H
#define TANDEM_SLUG_H

#include "common/text.h"

#define SLUG_MAX 64

/* ASCII letters become lower-case; each run of bytes other than [a-z0-9._] becomes one `-`; `-` at
 * both ends is dropped, also after the cut to SLUG_MAX bytes. Returns the length: 0 when nothing
 * is left. */
size_t slug_make(struct text text, char out[SLUG_MAX]);

/* Is it a slug as it stands: 1-64 bytes of [A-Za-z0-9._-]? */
bool slug_valid(struct text text);

#endif

/* layout.h - which layout of keys a store has, and whether this tandem may touch it. Pure.
 *
 * A store's position hash says its layout beside the token; one that says none has the first. The
 * number is raised when an older tandem would misread, or damage, what a newer one writes: keys,
 * fields, states of customers, or what the scripts expect of them. Scripts are called by their
 * digest, so that each version runs its own; the layout is what they agree on. A store gets another
 * layout only together with another token (`tandem rebuild`): so the next batch of a worker that
 * still runs is refused, it looks at the store, and finds the layout there.
 * docs/operations.md, "Upgrades". */
#ifndef TANDEM_LAYOUT_H
#define TANDEM_LAYOUT_H

#include "common/error.h"

/* Another one is built by tests only. */
#ifndef STORE_LAYOUT
#define STORE_LAYOUT 1
#endif

enum layout_age { LAYOUT_OLDER = -1, LAYOUT_SAME, LAYOUT_NEWER };

/* Of what the field `layout` holds; NULL or "": it is not there. What is no number is newer. */
enum layout_age layout_age(const char *stored);

/* -1 (ERROR_STORE) when the store's layout is another, with the way out. */
int layout_check(const char *stored, struct error *err);

/* -1 (ERROR_STORE) only when it is newer: a rebuild replaces what is older. */
int layout_check_newer(const char *stored, struct error *err);

#endif

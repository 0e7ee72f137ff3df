/* reasons.h - why a verdict is what it is: clauses joined by "; ".
 *
 *     csat_pct 76.19 < 80.00 (n=42)
 *
 * Published as one field, taken apart again for people. */
#ifndef TANDEM_REASONS_H
#define TANDEM_REASONS_H

#include <stdbool.h>
#include <stddef.h>

#define REASONS_MAX 16384 /* one of sale, two of ratings, a fall, 64 of slo: under 200 each */

struct reasons {
    char text[REASONS_MAX];
    size_t length;
};

/* Starts with a zeroed struct. Adds one clause; one that no longer fits is left out whole. */
void reasons_add(struct reasons *reasons, const char *metric, const char *value, const char *op,
                 const char *threshold, __int128 n);

struct reason {
    char metric[64], value[48], op[4], threshold[48], n[48];
};

/* Takes the next clause off *text. False at the end, or when what follows is no clause. */
bool reasons_next(const char **text, struct reason *out);

#endif

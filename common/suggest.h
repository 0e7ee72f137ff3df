/* suggest.h - "did you mean": the nearest of some known words. Pure. */
#ifndef TANDEM_SUGGEST_H
#define TANDEM_SUGGEST_H

#include <stddef.h>

/* Start with {.word = what was written}; offer every known word; read .best. */
struct suggest {
    const char *word;
    const char *best; /* NULL: nothing is near enough */
    size_t distance;  /* edits between word and best */
};

/* Keeps `known` (not copied) when it is nearer than what was offered before, and at most a third
 * of its letters differ. */
void suggest_offer(struct suggest *suggest, const char *known);

/* Edits (insert, delete, replace, swap of neighbours) between two words of up to 63 bytes; longer
 * ones are at SIZE_MAX from everything. */
size_t suggest_distance(const char *a, const char *b);

#endif

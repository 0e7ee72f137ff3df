/* names.h - which of a fixed list of names a few bytes are, without comparing them all.
 *
 * A small open-addressed table over length, first and last byte: nearly every look-up is one
 * probe and one memcmp. Pure. */
#ifndef TANDEM_NAMES_H
#define TANDEM_NAMES_H

#include "common/text.h"

#include <stdint.h>

#define NAMES_SLOTS 256

struct names {
    const char *const *list;
    uint8_t length[64];          /* of each name */
    uint8_t slot[NAMES_SLOTS];   /* place in the list and one, 0: free */
};

/* `list` has `count` names (at most 64, each under 256 bytes) and must outlive *names. */
void names_open(struct names *names, const char *const *list, int count);

static inline unsigned names_mix(const char *at, size_t len)
{
    return (unsigned)(len * 53 + (unsigned char)at[0] * 7 + (unsigned char)at[len - 1] * 3 +
                      (unsigned char)at[len / 2]);
}

/* The place of `name` in the list, or -1. */
static inline int names_find(const struct names *names, struct text name)
{
    if (name.len == 0)
        return -1;
    for (unsigned i = names_mix(name.at, name.len);; i++) {
        int place = names->slot[i % NAMES_SLOTS] - 1;
        if (place < 0)
            return -1;
        if (names->length[place] == name.len && !memcmp(names->list[place], name.at, name.len))
            return place;
    }
}

#endif

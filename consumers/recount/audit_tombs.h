/* audit_tombs.h - which customers were forgotten, and from where on in the log. Pure.
 *
 * What the hash `forgotten` of a shard says; docs/privacy.md. A mark is never moved or removed. */
#ifndef TANDEM_AUDIT_TOMBS_H
#define TANDEM_AUDIT_TOMBS_H

#include "common/error.h"
#include "common/record.h"
#include "common/text.h"

#include <stdint.h>

struct tomb {
    char field[64];      /* partition and hash of the id */
    int64_t from[SIDES]; /* events at and above these offsets are nobody's */
};

/* Begin with {0}. */
struct tombs {
    struct tomb *list;
    size_t count, room;
};

void tombs_clear(struct tombs *tombs); /* what it holds, not *tombs itself */
/* Adds one, as field and value of the hash; tombs_sort() before the next look. -1: ERROR_STORE when
 * these are something else, ERROR_MEMORY. */
int tombs_add(struct tombs *tombs, struct text field, const char *value, struct error *err);
void tombs_sort(struct tombs *tombs);
/* NULL: the customer was not forgotten. */
const struct tomb *tombs_find(const struct tombs *tombs, int32_t partition, struct text customer);

#endif

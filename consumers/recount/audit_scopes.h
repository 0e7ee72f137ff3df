/* audit_scopes.h - which values of a dimension count under their own name. Pure.
 *
 * Admission is final: in any state of the store a value has its own counters exactly if it is in
 * the set of its dimension; everything else is in __other__ (docs/redis.md). */
#ifndef TANDEM_AUDIT_SCOPES_H
#define TANDEM_AUDIT_SCOPES_H

#include "common/error.h"
#include "common/scope.h"
#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>

struct admitted; /* the set of one dimension */

struct admissions {
    struct admitted *list[SCOPE_DIMENSIONS_MAX];
    char *names[SCOPE_DIMENSIONS_MAX];
    int count;
    int64_t limit;
};

/* The dimensions of the setting `scopes`, all sets empty. */
int admissions_open(struct admissions *out, const char *scopes, int64_t limit, struct error *err);
void admissions_clear(struct admissions *admissions); /* what it holds */

/* Replaces the set of one dimension: empty it, then add its members. */
void admissions_empty(struct admissions *admissions, int dimension);
int admissions_add(struct admissions *admissions, int dimension, struct text value,
                   struct error *err);
/* Members of a set, as SCARD counts them. */
size_t admissions_size(const struct admissions *admissions, int dimension);
bool admissions_has(const struct admissions *admissions, int dimension, struct text value);

/* The name under which a scope counts: its own value, or __other__. While a set has room, every
 * value has a right to its own name, whether it is in the set or not. */
struct text admissions_name(const struct admissions *admissions, const struct scopes *scopes,
                            uint32_t scope);
/* The place of a dimension, -1: none of ours. */
int admissions_dimension(const struct admissions *admissions, const char *name);

#endif

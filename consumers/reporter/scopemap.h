/* scopemap.h - under which scope of the business each scope of the ledger counts.
 *
 * Shards know no limit of scopes; the business does: a value that is not in the set of its
 * dimension, or begins with "__", counts as "<dimension>=__other__". Which values a set holds may
 * change: the map tells when that moves a scope it knew. Pure. */
#ifndef TANDEM_SCOPEMAP_H
#define TANDEM_SCOPEMAP_H

#include "common/error.h"
#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scopemap;

/* 0, caller owns *out until scopemap_free(). */
int scopemap_open(struct scopemap **out, struct error *err);
void scopemap_free(struct scopemap *map);
void scopemap_clear(struct scopemap *map);

/* A scope ("region=north") that shard number `shard` (0..63) knows; hearing it twice is fine. What
 * is no scope is passed over. Then scopemap_sort(), before anything else. */
int scopemap_add(struct scopemap *map, struct text scope, int shard, struct error *err);
void scopemap_sort(struct scopemap *map);

/* A walk over the dimensions: the one after `last` (NULL: the first), NULL at the end. */
const char *scopemap_dimension(const struct scopemap *map, const char *last);

/* All sets were read anew: scopemap_member() for every member, then scopemap_admit(). True when a
 * scope that was asked about before counts under another one now. */
void scopemap_member(struct scopemap *map, const char *dimension, struct text value);
bool scopemap_admit(struct scopemap *map);
/* Whether some scope counts as __other__ that need not for ever. */
bool scopemap_hopes(const struct scopemap *map);

/* The business's scope under which one of the ledger counts; NULL when the map does not know it.
 * Valid until the map changes. */
const char *scopemap_target(const struct scopemap *map, struct text scope);

/* A walk over the ledger's scopes that count under `target`: *cursor begins at 0. NULL at the end;
 * *shards are bits of the shards that know it. */
const char *scopemap_source(const struct scopemap *map, const char *target, size_t *cursor,
                            uint64_t *shards);

#endif

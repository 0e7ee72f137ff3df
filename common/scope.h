/* scope.h - the slices an event is counted in, as small numbers.
 *
 * A scope is `all` or one value of one configured dimension (`region=north`). A number stands for
 * it while a process lives, so that sums are found by integers and not by strings. Pure. */
#ifndef TANDEM_SCOPE_H
#define TANDEM_SCOPE_H

#include "common/error.h"
#include "common/event.h"

#include <stdint.h>

#define SCOPE_ALL 0u
#define SCOPE_DIMENSIONS_MAX 16
#define SCOPE_OTHER "__other__"

struct scopes;

/* `list` as the setting `scopes`: "region,channel,labels.segment". 0, caller owns *out until
 * scopes_free(); -1 ERROR_USAGE for an unknown or repeated dimension, or too many. */
int scopes_open(struct scopes **out, const char *list, struct error *err);
void scopes_free(struct scopes *scopes);

/* The scopes of an event but those of its lines: `all` first. Returns how many were written
 * (at most 1 + SCOPE_DIMENSIONS_MAX). A value beginning with __ is __other__. */
int scopes_of(struct scopes *scopes, const struct event *event, uint32_t *out);
/* The scope of a line; SCOPE_ALL when `line` is not among the dimensions. */
uint32_t scopes_line(struct scopes *scopes, struct text line);

/* The two halves of a scope's name; "" and "" for SCOPE_ALL. Valid until scopes_reset(). */
const char *scope_dimension(const struct scopes *scopes, uint32_t scope);
struct text scope_value(const struct scopes *scopes, uint32_t scope);

/* How many values are known; the owner resets when it grows large and no sum refers to one. */
uint32_t scopes_count(const struct scopes *scopes);
void scopes_reset(struct scopes *scopes);
/* True when memory ran out: the sums since the last reset are not whole. */
bool scopes_failed(const struct scopes *scopes);

#endif

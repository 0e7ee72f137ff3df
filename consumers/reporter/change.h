/* change.h - a verdict that changed, as a CloudEvent (schemas/verdict.changed.json). Pure.
 *
 * publish.lua notes a change in the stream `verdicts`, with its id, in the step that publishes it;
 * so whoever announces it, and however often, it is the same event. */
#ifndef TANDEM_CHANGE_H
#define TANDEM_CHANGE_H

#include "common/error.h"
#include "consumers/comparison/fields.h"

#include <stddef.h>

/* What follows the prefix is of version 1 for ever. */
#define CHANGE_TYPE "tandem.verdict.changed.v1"

/* Writes the event of an entry of the stream: structured JSON on one line. 0, *out is the caller's
 * to free() and ends with a zero byte; -1 when memory is short. */
int change_write(char **out, size_t *length, const char *business, const struct fields *entry,
                 struct error *err);

#endif

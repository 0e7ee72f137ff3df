/* caveat.h - what a reader of a comparison must know beside its numbers. */
#ifndef TANDEM_CAVEAT_H
#define TANDEM_CAVEAT_H

#include "common/error.h"
#include "common/redis.h"
#include "consumers/comparison/fields.h"
#include "consumers/report/render.h"

#include <stdio.h>

/* Writes a note for each: the log had lost a part that was never counted (hash `gap`); events of
 * the period lay in another partition than their customer's (counter `misplaced`). Nothing when all
 * is well. 0, or -1 (Redis). */
int caveat_write(struct redis *redis, const char *business, const struct fields *fields,
                 enum language language, FILE *out, struct error *err);

#endif

/* definition.h - every setting that changes a count, as text. Pure.
 *
 * One `name=value` a line. A store keeps the text it was made with and a hash of it in its token,
 * so that two workers that would count differently never write to the same counters. */
#ifndef TANDEM_DEFINITION_H
#define TANDEM_DEFINITION_H

#include "common/config.h"
#include "common/zone.h"

#include <stddef.h>

#define DEFINITION_BYTES 2048

/* Writes the text into out (DEFINITION_BYTES). */
void definition_write(const struct config *config, const struct zone *zone, char *out);

/* Names what differs, for people: "timezone is UTC here, Europe/Bucharest in the store; ...".
 * Returns the number of differences. */
int definition_compare(const char *here, const char *store, char *out, size_t room);

#endif

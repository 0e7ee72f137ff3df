/* drafter.h - rows in, events out.
 *
 * Holds a mapping against a CSV's header once, then takes row after row. A row gives as many
 * events as the mapping says; what cannot be made is refused with line and column, everything else
 * goes on. No I/O. */
#ifndef TANDEM_DRAFTER_H
#define TANDEM_DRAFTER_H

#include "producers/import/orders.h"
#include "producers/import/table.h"

struct drafter;

/* `neighbours`: rows of an order must be neighbours, and events are valid only while the sink has
 * them; otherwise until drafter_free(). 0, caller owns *out; -1 ERROR_INPUT when columns are
 * missing in the header (err names them all) or stand there twice. Mapping, zone and sink must
 * outlive it. */
int drafter_open(struct drafter **out, const struct mapping *mapping, const struct zone *zone,
                 const struct row *header, bool neighbours, const struct drafter_sink *sink,
                 struct error *err);
void drafter_free(struct drafter *drafter);

/* One row. False when the sink said stop, or memory is short. */
bool drafter_row(struct drafter *drafter, const struct row *row);
/* After the last row: gives the orders that are still open. */
bool drafter_end(struct drafter *drafter);

int64_t drafter_rows(const struct drafter *drafter);
int64_t drafter_skipped(const struct drafter *drafter); /* rows that gave no event on purpose */

#endif

/* draft.h - one row as an event, as one kind of event of a mapping says. */
#ifndef TANDEM_DRAFT_H
#define TANDEM_DRAFT_H

#include "producers/import/extract.h"

/* Fills *event from the row that `x` holds; its texts lie in `arena` or in the mapping. Items are
 * left out. False: x->problem says which column is wrong. */
bool draft_event(struct extract *x, struct arena *arena, const struct spec *spec,
                 struct event *event);
/* Fills *item; x->exponent is that of the event. */
bool draft_item(struct extract *x, struct arena *arena, const struct spec *spec,
                struct event_item *item);
/* Gives an order its items and the amounts that are their sums. */
void draft_items(struct event *event, const struct event_item *items, size_t count);

#endif

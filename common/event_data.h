/* event_data.h - the fields of an event's `data`, read in the order docs/events.md lists them.
 *
 * The decoder's second half; nobody else needs it. */
#ifndef TANDEM_EVENT_DATA_H
#define TANDEM_EVENT_DATA_H

#include "common/event.h"
#include "common/names.h"

#include <yyjson.h>

struct event_data {
    struct names names, item_names;      /* members known in data and in an item */
    struct event_item items[EVENT_ITEMS_MAX];
};

void event_data_open(struct event_data *reader);

/* Reads `data` (an object) into the type's part of *event; event->type, subject and time are set.
 * False: *why has the first mistake. The event's items lie in the reader until its next use. */
bool event_data_read(struct event_data *reader, yyjson_val *data, struct event *event,
                     struct rejection *why);

/* Fills *why. Always false, so that a reader can `return event_refuse(...)`. */
bool event_refuse(struct rejection *why, enum reject reason, const char *field,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The rules of the scalar types, also used for the envelope. */
bool event_is_slug(struct text text);
bool event_is_ref(struct text text, size_t max_bytes); /* 1..max bytes, no control characters */

#endif

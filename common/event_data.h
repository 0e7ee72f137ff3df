/* event_data.h - the fields of an event's `data`, read in the order docs/events.md lists them.
 *
 * The decoder's second half; nobody else needs it. */
#ifndef TANDEM_EVENT_DATA_H
#define TANDEM_EVENT_DATA_H

#include "common/document.h"
#include "common/event.h"

/* Every member name that means something, in one list, so that a document knows them all while it
 * is read: first those of the envelope, then those of data, of which the last are also those of an
 * item, then those of an item alone. */
#define EVENT_NAMES(X) \
    X(specversion) X(id) X(source) X(type) X(time) X(subject) X(partitionkey) X(datacontenttype) \
    X(data) X(data_base64) \
    X(customer) X(region) X(rep) X(channel) X(labels) X(interaction) X(kind) X(prospect) X(order) \
    X(currency) X(discount) X(units) X(warranty_units) X(assist_ticket) X(items) X(refund) \
    X(full) X(reason) X(referral) X(referrer) X(ticket) X(phase) X(category) X(by) X(contacts) \
    X(resolution) X(first_response) X(was_first_contact) X(rating) X(scale) X(score) X(previous) \
    X(claim) X(product) X(purchased) X(warranty_months) X(outcome) X(in_warranty) X(turnaround) \
    X(line) X(net) X(cost) \
    X(sku) X(qty)

#define EVENT_NAME(name) N_##name,
enum event_name { EVENT_NAMES(EVENT_NAME) EVENT_NAME_COUNT };
#undef EVENT_NAME

extern const char *const event_names[EVENT_NAME_COUNT];

struct event_data {
    struct event_item items[EVENT_ITEMS_MAX];
};

/* Reads `data` (an object) into the type's part of *event; event->type, subject and time are set.
 * False: *why has the first mistake. The event's items lie in the reader until its next use. */
bool event_data_read(struct event_data *reader, const struct document_value *data, struct event *event,
                     struct rejection *why);

/* Fills *why. Always false, so that a reader can `return event_refuse(...)`. */
bool event_refuse(struct rejection *why, enum reject reason, const char *field,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The rules of the scalar types, also used for the envelope. */
bool event_is_slug(struct text text);
bool event_is_ref(struct text text, size_t max_bytes); /* 1..max bytes, no control characters */

/* The same of a string in a document: one that stood there plainly has no control characters, and
 * most are not looked at again. */
static inline bool event_value_is_ref(const struct document_value *string, size_t max_bytes)
{
    if (string->plain)
        return string->size >= 1 && string->size <= max_bytes;
    return event_is_ref((struct text){string->text, string->size}, max_bytes);
}

#endif

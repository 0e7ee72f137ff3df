/* field.h - what each type of event can be given by a mapping, as one table.
 *
 * The table knows a field's name, kind and bounds and where it lies in `struct event` (or in
 * `struct event_item`), so that reading a mapping and filling an event are loops, not code for
 * each field. docs/events.md says what the fields mean. */
#ifndef TANDEM_FIELD_H
#define TANDEM_FIELD_H

#include "common/event.h"

enum field_kind {
    FIELD_REF,
    FIELD_SLUG,
    FIELD_MONEY,
    FIELD_COUNT,
    FIELD_SECONDS,
    FIELD_NUMBER,
    FIELD_BOOL,
    FIELD_WORD,
    FIELD_DATE,
    FIELD_CURRENCY
};

#define FIELD_NO_FLAG ((size_t)-1)

struct field {
    const char *name; /* NULL ends a list */
    enum field_kind kind;
    bool required;
    bool summed;              /* rows of one order add up; others must agree */
    size_t at;                /* offset of the value */
    size_t flag;              /* offset of its has_..., or FIELD_NO_FLAG */
    const char *const *words; /* of a FIELD_WORD */
    int64_t min, max;         /* of a number */
};

/* A value of any kind: texts in `text`, the place of a word, a currency, a truth, an amount, a day
 * in `number`. */
struct value {
    struct text text;
    int64_t number;
};

/* The fields of `data` of one type, without labels and items; the first is its own number
 * ("order"). Ends with name NULL. */
const struct field *field_list(enum event_type type);
/* The fields of one item of an order. */
const struct field *field_item_list(void);
#define FIELD_LIST_MAX 16 /* no list is longer */

/* Puts a value into the event or item at `base`, and sets its flag. */
void field_store(const struct field *field, void *base, struct value value);
/* The value that lies there; false when the field is absent. */
bool field_load(const struct field *field, const void *base, struct value *out);

/* The type called `name` ("sale.completed"), or EVENT_TYPES. */
enum event_type field_type(struct text name);

#endif

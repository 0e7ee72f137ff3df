/* fields.h - a published comparison: names and values in their order, as Redis holds them.
 *
 * Every value is text: a plain number ("-12", "87.50"), "NaN" for what is undefined, or a word
 * (docs/redis.md, "A published comparison"). The comparison makes them, the reporter writes them,
 * and what is printed is made from them alone. */
#ifndef TANDEM_FIELDS_H
#define TANDEM_FIELDS_H

#include "common/error.h"
#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define FIELDS_UNDEFINED "NaN"

struct fields;

struct field {
    const char *name; /* both end with a zero byte and are owned by the fields */
    const char *value;
};

/* An empty list. 0, caller owns *out until fields_free(); -1 when memory is short. */
int fields_open(struct fields **out, struct error *err);
void fields_free(struct fields *fields);

/* Sets a value: of a name that is there in its place, of a new one at the end. Copies both. Bytes
 * that are not printable ASCII become '?', since what lies in Redis may be anybody's.
 * 0, or -1 when memory is short. */
int fields_set(struct fields *fields, struct text name, struct text value, struct error *err);
int fields_setf(struct fields *fields, const char *name, struct error *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The value of a name, or NULL. Valid until the next fields_set(). */
const char *fields_get(const struct fields *fields, const char *name);
/* As fields_get(), but "NaN" for a name that is absent. */
const char *fields_value(const struct fields *fields, const char *name);

size_t fields_count(const struct fields *fields);
struct field fields_at(const struct fields *fields, size_t i); /* i < fields_count() */

/* Whether a field is a word in JSON whatever it looks like (business, period "2026", verdict). */
bool fields_is_word(const char *name);

/* All of them as one JSON object on one line, without a line end: numbers as they are written,
 * words as strings, NaN as null. This is the value of a record of the comparison topic. */
void fields_write_json(const struct fields *fields, FILE *out);
/* One value as JSON. */
void fields_write_json_value(const struct field *field, FILE *out);

#endif

/* extract.h - takes values out of one row, as a mapping's sources say.
 *
 * Knows one row at a time and nothing of events: a source and a field go in, a value comes out, or
 * a sentence that names the column and what is wrong there. */
#ifndef TANDEM_EXTRACT_H
#define TANDEM_EXTRACT_H

#include "common/zone.h"
#include "producers/import/mapping.h"

#define EXTRACT_TEXT_MAX 4096 /* bytes of a text joined by a template */

struct extract {
    const struct mapping *mapping;
    const struct zone *zone;
    const struct text *columns; /* the row's texts of mapping->columns, blanks trimmed */
    int exponent;               /* decimals of the event's currency, for amounts */
    char problem[400];          /* after EXTRACT_FAILED */
    char joined[EXTRACT_TEXT_MAX];
};

enum extracted { EXTRACT_FOUND, EXTRACT_NONE, EXTRACT_FAILED };

/* The value of `field` by `source`; NONE when the source is not given or its text is empty. Texts
 * are copied to `arena` or lie in the mapping. */
enum extracted extract_value(struct extract *x, struct arena *arena, const struct source *source,
                             const struct field *field, struct value *out);
/* Epoch milliseconds. */
enum extracted extract_time(struct extract *x, const struct instant *instant, int64_t *ms);
/* An event's id, 1-128 bytes. Never NONE: an empty column is a failure. */
enum extracted extract_id(struct extract *x, struct arena *arena, const struct template *template,
                          struct text *out);

/* Does one condition hold for the row? All of them (all: true), or any? */
bool extract_all(const struct extract *x, const struct conditions *conditions);
bool extract_any(const struct extract *x, const struct conditions *conditions);

/* Notes `what` about a template's column or columns: column "Sales": <what>. Always
 * EXTRACT_FAILED. */
enum extracted extract_fail(struct extract *x, const struct template *template, const char *format,
                            ...) __attribute__((format(printf, 3, 4)));

#endif

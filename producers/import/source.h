/* source.h - reads, in a mapping, where a value comes from.
 *
 * A value is written either as itself (a constant) or as an object that names a column or joins
 * several by a template, and says how the text there becomes the value. */
#ifndef TANDEM_SOURCE_H
#define TANDEM_SOURCE_H

#include "producers/import/reader.h"

/* Reads the source of `field` from `json`. False after a mistake. */
bool source_read(struct reader *reader, const json_t *json, const struct field *field,
                 struct source *out);
/* Reads where a time comes from. */
bool instant_read(struct reader *reader, const json_t *json, struct instant *out);
/* Reads "ticket:{ticket_id}:resolved"; {{ and }} stand for braces. */
bool template_read(struct reader *reader, struct text text, struct template *out);

#endif

/* render.h - the comparison as people and programs read it, from published fields alone.
 *
 * Five forms of one table (sheet.h): aligned text for a terminal of 80 columns, JSON, CSV, Markdown
 * and a page of HTML; in English and in Romanian. They write UTF-8 to a stream; same fields, same bytes. */
#ifndef TANDEM_RENDER_H
#define TANDEM_RENDER_H

#include "common/error.h"
#include "common/text.h"
#include "common/zone.h"
#include "consumers/comparison/fields.h"
#include "consumers/report/ink.h"
#include "consumers/report/words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum render_format { RENDER_TABLE, RENDER_JSON, RENDER_CSV, RENDER_MARKDOWN, RENDER_HTML };
bool render_format_parse(struct text word, enum render_format *out); /* "table", "json", ... */

/* What is drawn beside the table: by HTML always, by the table when there is ink for it. */
struct render_picture {
    enum ink ink;
    const struct trend *trend; /* NULL: no lines of time */
    const char *notes;         /* at the foot of the page of HTML; NULL: none */
};

/* Writes the whole table in one form, with a line end after the last line. `zone` (may be NULL:
 * UTC) is where as_of is told in table and Markdown; JSON and CSV do not depend on it.
 * `picture` may be NULL: plain text. 0, or -1 when memory is short. */
int render_drawn(FILE *out, enum render_format format, const struct fields *fields,
                 enum language language, const struct zone *zone,
                 const struct render_picture *picture, struct error *err);
/* The same without pictures. */
int render(FILE *out, enum render_format format, const struct fields *fields,
           enum language language, const struct zone *zone, struct error *err);

/* The JSON document of a table, as it stands at tandem:{main}:table:...:en. One line, no line end.
 * 0, *out is the caller's to free() and ends with a zero byte; -1 when memory is short. */
int render_table_document(char **out, size_t *length, const struct fields *fields,
                          enum language language, struct error *err);

#endif

/* render_forms.h - the forms of a sheet; for render.c and the render_*.c only. */
#ifndef TANDEM_RENDER_FORMS_H
#define TANDEM_RENDER_FORMS_H

#include "consumers/report/render.h"
#include "consumers/report/sheet.h"

void render_table(FILE *out, const struct sheet *sheet, const struct fields *fields,
                  const struct zone *zone, const struct render_picture *picture);
void render_html(FILE *out, const struct sheet *sheet, const struct fields *fields,
                 const struct zone *zone, const struct render_picture *picture);
void render_json(FILE *out, const struct sheet *sheet, const struct fields *fields);
void render_csv(FILE *out, const struct sheet *sheet, const struct fields *fields);
void render_markdown(FILE *out, const struct sheet *sheet, const struct fields *fields,
                     const struct zone *zone);

/* "main, whole business: November 2026, running" */
void render_subject(char *out, size_t room, const struct fields *fields, enum language language);
/* "as of 2026-11-23 14:05 (Europe/Bucharest)"; "" when there is no such time. */
void render_as_of(char *out, size_t room, const struct fields *fields, enum language language,
                  const struct zone *zone);

#endif

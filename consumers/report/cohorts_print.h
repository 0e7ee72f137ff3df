/* cohorts_print.h - the triangle of cohorts as people and programs read it.
 *
 * Table (80 columns, twelve months at a time) and Markdown tell shares in whole percent, CSV and
 * JSON the counts. Same triangle, same bytes. Pure but for the stream. */
#ifndef TANDEM_COHORTS_PRINT_H
#define TANDEM_COHORTS_PRINT_H

#include "consumers/report/cohorts.h"
#include "consumers/report/render.h"

#include <stdio.h>

/* Of a triangle with at least one customer. */
void cohorts_print(FILE *out, enum render_format format, const struct cohorts *cohorts,
                   const char *business, enum language language);

#endif

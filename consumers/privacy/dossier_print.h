/* dossier_print.h - a dossier for people, and for programs. Times are the business's own. */
#ifndef TANDEM_DOSSIER_PRINT_H
#define TANDEM_DOSSIER_PRINT_H

#include "common/zone.h"
#include "consumers/privacy/dossier.h"

#include <stdio.h>

void dossier_text(const struct dossier *dossier, const struct zone *zone, FILE *out);
/* One document. -1: no memory. */
int dossier_json(const struct dossier *dossier, const struct zone *zone, FILE *out,
                 struct error *err);

/* "2026-11-23T14:05:09+02:00". Returns out. */
char *dossier_time(const struct zone *zone, int64_t time_s, char out[32]);
/* "2026-11", of a month counted as customer_has_month() does. Returns out. */
char *dossier_month(int month, char out[11]);

#endif

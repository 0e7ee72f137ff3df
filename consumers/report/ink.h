/* ink.h - what a stream can show: nothing but text, pictures of signs, or those in colour. */
#ifndef TANDEM_INK_H
#define TANDEM_INK_H

#include "consumers/report/chart.h"

#include <stdio.h>

enum ink { INK_PLAIN, INK_DRAWN, INK_COLORED };

/* A terminal gets pictures, and colours unless NO_COLOR is set (to anything but ""); a file, a pipe
 * and TERM=dumb get plain text. */
enum ink ink_of(FILE *out);

/* Columns of a bar and of a line of time. */
#define INK_BAR   26
#define INK_SPARK TREND_PERIODS

/* Each writes its signs, in colour when there is ink for it. */
void ink_bar(FILE *out, enum ink ink, const struct chart_bar *bar, int columns);
void ink_spark(FILE *out, enum ink ink, const int *levels, size_t count);
/* Begins the colour of a published severity, bold; ink_end() ends any. Nothing without colours. */
void ink_severity(FILE *out, enum ink ink, const char *severity);
void ink_end(FILE *out, enum ink ink);

/* "At a glance": bars, then lines of time, on 80 columns. Nothing when there is nothing. */
void ink_chart(FILE *out, enum ink ink, const struct chart *chart);

#endif

/* chart.h - what of a comparison is worth a picture: bars and small lines of time. Pure.
 *
 * Lengths are in thousandths of the whole; how they are drawn is the renderer's. */
#ifndef TANDEM_CHART_H
#define TANDEM_CHART_H

#include "consumers/comparison/fields.h"
#include "consumers/report/trend.h"
#include "consumers/report/words.h"

#include <stddef.h>

#define CHART_BARS  8
#define CHART_WHOLE 1000
#define CHART_NONE  (-1)

enum chart_tone { CHART_PLAIN, CHART_GOOD, CHART_BAD };

struct chart_bar {
    char label[WORDS_MAX], text[WORDS_MAX];
    int value; /* 0..CHART_WHOLE */
    int mark;  /* where it should be by now, or its floor; CHART_NONE */
    enum chart_tone tone;
};

struct chart_spark {
    char label[WORDS_MAX], text[WORDS_MAX]; /* text: the last value */
    int level[TREND_PERIODS];               /* 0..CHART_WHOLE, CHART_NONE: undefined */
};

struct chart {
    const char *title, *span; /* "At a glance", "the last 12 months" */
    struct chart_bar bar[CHART_BARS];
    size_t bars;
    struct chart_spark spark[TREND_LINES];
    size_t sparks;
};

/* `trend` NULL: no lines of time. */
void chart_make(struct chart *chart, const struct fields *fields, const struct trend *trend,
                enum language language);

#endif

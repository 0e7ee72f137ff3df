/* screen.h - one picture of `tandem top`, as lines of text. Pure but for the stream. */
#ifndef TANDEM_SCREEN_H
#define TANDEM_SCREEN_H

#include "common/zone.h"
#include "consumers/report/ink.h"
#include "consumers/top/view.h"

#include <stdio.h>

struct screen {
    const char *business, *scope;
    enum period_kind kind;
    enum language language;
    const struct zone *zone;
    enum ink ink;
    bool keys; /* a line that tells them */
};

/* Writes at most 80 columns a line, each ended by a line feed. */
void screen_draw(FILE *out, const struct screen *screen, const struct view *view);

#endif

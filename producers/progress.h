/* progress.h - one line on a terminal's stderr that is written over again. Nothing in a pipe. */
#ifndef TANDEM_PROGRESS_H
#define TANDEM_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool on;    /* wanted, and stderr is a terminal */
    bool shown; /* a line stands there */
    int64_t next_ms;
};

void progress_start(struct progress *progress, bool wanted);
/* True at most four times a second, and never when it is off. */
bool progress_due(struct progress *progress);
/* Writes the line over the one before. */
void progress_show(struct progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Takes the line away, before something else is written. */
void progress_clear(struct progress *progress);

#endif

#include "producers/progress.h"

#include "common/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { EVERY_MS = 250 };

void progress_start(struct progress *progress, bool wanted)
{
    *progress = (struct progress){.on = wanted && isatty(STDERR_FILENO) == 1};
}

bool progress_due(struct progress *progress)
{
    if (!progress->on || clock_mono_ms() < progress->next_ms) {
        return false;
    }
    progress->next_ms = clock_mono_ms() + EVERY_MS;
    return true;
}

void progress_show(struct progress *progress, const char *format, ...)
{
    if (!progress->on) {
        return;
    }
    va_list args;
    va_start(args, format);
    fputs("\r\033[K", stderr);
    vfprintf(stderr, format, args);
    va_end(args);
    fflush(stderr);
    progress->shown = true;
}

void progress_clear(struct progress *progress)
{
    if (progress->shown) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
        progress->shown = false;
    }
}

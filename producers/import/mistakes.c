#include "producers/import/mistakes.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MISTAKE_BYTES 512

struct mistakes {
    size_t count;
    char texts[MISTAKES_MAX][MISTAKE_BYTES];
};

struct mistakes *mistakes_open(void)
{
    return calloc(1, sizeof(struct mistakes));
}

void mistakes_free(struct mistakes *mistakes)
{
    free(mistakes);
}

/* One mistake in what several places share is one mistake. */
static bool noted_before(const struct mistakes *mistakes)
{
    for (size_t i = 0; i < mistakes->count && mistakes->count < MISTAKES_MAX; i++) {
        if (strcmp(mistakes->texts[i], mistakes->texts[mistakes->count]) == 0) {
            return true;
        }
    }
    return false;
}

void mistakes_add(struct mistakes *mistakes, const char *path, const char *format, ...)
{
    if (mistakes->count < MISTAKES_MAX) {
        char *text = mistakes->texts[mistakes->count];
        int len = 0;
        if (path[0]) {
            len = snprintf(text, MISTAKE_BYTES, "%s: ", path);
        }
        if (len >= 0 && len < MISTAKE_BYTES) {
            va_list args;
            va_start(args, format);
            vsnprintf(text + len, MISTAKE_BYTES - (size_t)len, format, args);
            va_end(args);
        }
    }
    if (!noted_before(mistakes)) {
        mistakes->count++;
    }
}

size_t mistakes_count(const struct mistakes *mistakes)
{
    return mistakes->count;
}

const char *mistakes_at(const struct mistakes *mistakes, size_t i)
{
    return mistakes->texts[i];
}

void mistakes_print(const struct mistakes *mistakes, const char *prefix, FILE *out)
{
    for (size_t i = 0; i < mistakes->count && i < MISTAKES_MAX; i++) {
        fprintf(out, "%s: %s\n", prefix, mistakes->texts[i]);
    }
    if (mistakes->count > MISTAKES_MAX) {
        fprintf(out, "%s: and %zu more\n", prefix, mistakes->count - MISTAKES_MAX);
    }
}

/* lines.h - lines of a file or a pipe, with a bound on their length and on waiting. */
#ifndef TANDEM_LINES_H
#define TANDEM_LINES_H

#include "common/error.h"
#include "common/text.h"

#include <stddef.h>
#include <stdint.h>

struct lines;

enum lines_answer {
    LINES_LINE,     /* *line is valid until the next call; no line end, it may be empty */
    LINES_TOO_LONG, /* a line of more than `max` bytes was read and dropped whole */
    LINES_WAIT,     /* nothing came in time, or a signal came: look around and call again */
    LINES_END,
    LINES_ERROR
};

/* Opens `path`; "-" or NULL is standard input. 0, caller owns *out until lines_free(). */
int lines_open(struct lines **out, const char *path, size_t max, struct error *err);
void lines_free(struct lines *lines);

/* The next line, waiting at most `wait_ms` for it. LF or CRLF ends a line; a last one without it
 * counts too. */
enum lines_answer lines_next(struct lines *lines, struct text *line, int64_t wait_ms,
                             struct error *err);
/* Number of the line last answered, from 1. */
uint64_t lines_number(const struct lines *lines);

#endif

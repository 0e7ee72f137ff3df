/* sentences.h - a list of lines for people, such as the mistakes of a file. */
#ifndef TANDEM_SENTENCES_H
#define TANDEM_SENTENCES_H

#include "common/error.h"

#include <stddef.h>

struct sentences;

/* An empty list. 0, caller owns *out until sentences_free(); -1 when memory is short. */
int sentences_open(struct sentences **out, struct error *err);
void sentences_free(struct sentences *sentences);

/* Adds one; control characters in it become '?'. 0, or -1 when memory is short. */
int sentences_add(struct sentences *sentences, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* `sentences` may be NULL: an empty list. */
size_t sentences_count(const struct sentences *sentences);
const char *sentences_at(const struct sentences *sentences, size_t i);

#endif

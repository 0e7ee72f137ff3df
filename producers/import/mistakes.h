/* mistakes.h - everything that is wrong with a file, not only the first of it. */
#ifndef TANDEM_MISTAKES_H
#define TANDEM_MISTAKES_H

#include <stddef.h>
#include <stdio.h>

#define MISTAKES_MAX 100 /* kept; further ones are only counted */

struct mistakes;

/* An empty list, the caller's until mistakes_free(); NULL when memory is short. */
struct mistakes *mistakes_open(void);
void mistakes_free(struct mistakes *mistakes);

/* Notes "<path>: <text>", or the text alone when `path` is empty. */
void mistakes_add(struct mistakes *mistakes, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
size_t mistakes_count(const struct mistakes *mistakes);
/* The i-th, below the count and MISTAKES_MAX. */
const char *mistakes_at(const struct mistakes *mistakes, size_t i);
/* One line each, "<prefix>: <mistake>"; the last one says how many more there are. */
void mistakes_print(const struct mistakes *mistakes, const char *prefix, FILE *out);

#endif

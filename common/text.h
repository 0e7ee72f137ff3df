/* text.h - bytes that lie somewhere else.
 *
 * Neither owned nor ended by a zero byte. `at` NULL means absent; an empty text has a non-NULL
 * `at` and length 0. */
#ifndef TANDEM_TEXT_H
#define TANDEM_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct text {
    const char *at;
    size_t len;
};

/* For printf's "%.*s". */
#define TEXT_ARG(t) (int)(t).len, ((t).at ? (t).at : "")

static inline struct text text_of(const char *string)
{
    return (struct text){string, string ? strlen(string) : 0};
}

static inline bool text_equal(struct text a, struct text b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline bool text_is(struct text a, const char *string)
{
    return text_equal(a, text_of(string));
}

#endif

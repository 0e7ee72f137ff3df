/* text.h - bytes that lie somewhere else.
 *
 * Neither owned nor ended by a zero byte. `at` NULL means absent; an empty text has a non-NULL
 * `at` and length 0. */
#ifndef TANDEM_TEXT_H
#define TANDEM_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
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

/* Whether the `len` (4-16) bytes at both are equal, in two halves that may overlap: most names and
 * values are that short, and a call of memcmp costs more than the comparison. */
static inline bool text_short_equal(const char *a, const char *b, size_t len)
{
    if (len >= 8) {
        uint64_t first[2], last[2];
        memcpy(&first[0], a, 8);
        memcpy(&first[1], b, 8);
        memcpy(&last[0], a + len - 8, 8);
        memcpy(&last[1], b + len - 8, 8);
        return ((first[0] ^ first[1]) | (last[0] ^ last[1])) == 0;
    }
    uint32_t first[2], last[2];
    memcpy(&first[0], a, 4);
    memcpy(&first[1], b, 4);
    memcpy(&last[0], a + len - 4, 4);
    memcpy(&last[1], b + len - 4, 4);
    return ((first[0] ^ first[1]) | (last[0] ^ last[1])) == 0;
}

static inline bool text_equal(struct text a, struct text b)
{
    if (a.len != b.len)
        return false;
    if (a.len - 4 <= 12)
        return text_short_equal(a.at, b.at, a.len);
    return a.len == 0 || memcmp(a.at, b.at, a.len) == 0;
}

static inline bool text_is(struct text a, const char *string)
{
    return text_equal(a, text_of(string));
}

#endif

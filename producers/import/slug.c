#include "producers/import/slug.h"

static bool plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

size_t slug_make(struct text text, char out[SLUG_MAX])
{
    size_t len = 0;
    bool gap = false;
    for (size_t i = 0; i < text.len && len < SLUG_MAX; i++) {
        char c = lower(text.at[i]);
        if (!plain(c)) {
            gap = len > 0;
            continue;
        }
        if (gap) {
            out[len++] = '-';
            gap = false;
        }
        if (len < SLUG_MAX) {
            out[len++] = c;
        }
    }
    while (len > 0 && out[len - 1] == '-') {
        len--;
    }
    return len;
}

bool slug_valid(struct text text)
{
    if (text.len == 0 || text.len > SLUG_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (!plain(lower(text.at[i])) && text.at[i] != '-') {
            return false;
        }
    }
    return true;
}

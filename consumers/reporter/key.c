#include "consumers/reporter/key.h"

#include <stdarg.h>
#include <stdio.h>

char *key_format(char out[KEY_MAX], const char *business, const char *format, ...)
{
    int len = snprintf(out, KEY_MAX, "tandem:{%s}:", business);
    size_t used = len > 0 && len < KEY_MAX ? (size_t)len : 0;
    va_list args;
    va_start(args, format);
    vsnprintf(out + used, KEY_MAX - used, format, args);
    va_end(args);
    return out;
}

static bool is_slug(struct text text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '_' || c == '-')) {
            return false;
        }
    }
    return text.len > 0;
}

bool key_scope_valid(struct text scope)
{
    if (text_is(scope, "all")) {
        return true;
    }
    const char *equals = scope.len ? memchr(scope.at, '=', scope.len) : NULL;
    if (!equals || scope.len >= KEY_SCOPE_MAX) {
        return false;
    }
    size_t name = (size_t)(equals - scope.at);
    return is_slug((struct text){scope.at, name}) &&
           is_slug((struct text){equals + 1, scope.len - name - 1});
}

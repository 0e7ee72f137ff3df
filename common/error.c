#include "common/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Moves a cut back to the start of a character, so that the text stays UTF-8. */
static void trim_half_character(char *text, size_t len)
{
    size_t start = len;
    while (start > 0 && len - start < 4 && ((unsigned char)text[start - 1] & 0xc0) == 0x80) {
        start--;
    }
    if (start == 0 || ((unsigned char)text[start - 1] & 0xc0) != 0xc0) {
        return;
    }
    unsigned char lead = (unsigned char)text[start - 1];
    size_t need = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (len - (start - 1) < need) {
        text[start - 1] = '\0';
    }
}

/* Formatted apart first: the arguments may lie in the very text that is overwritten. */
__attribute__((format(printf, 4, 0))) static void fill(struct error *err, enum error_code code,
                                                       bool retry, const char *format, va_list args)
{
    if (!err) {
        return;
    }
    char text[sizeof err->text];
    int len = vsnprintf(text, sizeof text, format, args);
    if (len < 0) {
        text[0] = '\0';
    } else if ((size_t)len >= sizeof text) {
        trim_half_character(text, sizeof text - 1);
    }
    err->code = code;
    err->retry = retry;
    memcpy(err->text, text, sizeof text);
}

int error_set(struct error *err, enum error_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(err, code, false, format, args);
    va_end(args);
    return -1;
}

int error_retry(struct error *err, enum error_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(err, code, true, format, args);
    va_end(args);
    return -1;
}

int error_prefix(struct error *err, const char *format, ...)
{
    if (!err) {
        return -1;
    }
    struct error old = *err;
    va_list args;
    va_start(args, format);
    fill(err, old.code, old.retry, format, args);
    va_end(args);

    char prefix[sizeof err->text];
    memcpy(prefix, err->text, sizeof prefix);
    if (old.retry) {
        return error_retry(err, old.code, "%s: %s", prefix, old.text);
    }
    return error_set(err, old.code, "%s: %s", prefix, old.text);
}

#include "common/args.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { WRITTEN_BYTES = 64 };

bool args_begin(struct args *args, size_t count, size_t written)
{
    args->count = args->written_count = 0;
    if (count > args->room) {
        free(args->list);
        free(args->lengths);
        args->list = malloc(count * sizeof *args->list);
        args->lengths = malloc(count * sizeof *args->lengths);
        args->room = args->list && args->lengths ? count : 0;
    }
    if (written > args->written_room) {
        free(args->written);
        args->written = malloc(written * WRITTEN_BYTES);
        args->written_room = args->written ? written : 0;
    }
    return args->room >= count && args->written_room >= written;
}

void args_free(struct args *args)
{
    free(args->list);
    free(args->lengths);
    free(args->written);
    *args = (struct args){0};
}

void args_text(struct args *args, struct text text)
{
    args->list[args->count] = text.at ? text.at : "";
    args->lengths[args->count++] = text.len;
}

void args_string(struct args *args, const char *string)
{
    args_text(args, text_of(string));
}

static char *next_written(struct args *args)
{
    return args->written + WRITTEN_BYTES * args->written_count++;
}

void args_number(struct args *args, int64_t number)
{
    char *out = next_written(args), digits[24];
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
    size_t len = 0, at = 0;
    /* By hand: a batch has thousands of them. */
    do {
        digits[len++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (number < 0)
        out[at++] = '-';
    while (len)
        out[at++] = digits[--len];
    args_text(args, (struct text){out, at});
}

void args_format(struct args *args, const char *format, ...)
{
    char *out = next_written(args);
    va_list list;
    va_start(list, format);
    vsnprintf(out, WRITTEN_BYTES, format, list);
    va_end(list);
    args_string(args, out);
}

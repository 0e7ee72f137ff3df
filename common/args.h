/* args.h - the arguments of one long Redis command.
 *
 * Texts are not copied and must stay as they are until the command was sent; numbers are written
 * into room of their own. Room is reserved before, so that nothing moves while the list grows. */
#ifndef TANDEM_ARGS_H
#define TANDEM_ARGS_H

#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct args {
    const char **list;
    size_t *lengths;
    size_t count, room;
    char *written;               /* the text of numbers and formatted arguments */
    size_t written_count, written_room;
};

/* Empties the list and makes room for `count` arguments, `written` of them numbers or formatted.
 * False when memory is short. Begin with {0}. */
bool args_begin(struct args *args, size_t count, size_t written);
void args_free(struct args *args);   /* what it holds, not *args itself */

void args_text(struct args *args, struct text text);
void args_string(struct args *args, const char *string);
void args_number(struct args *args, int64_t number);
/* At most 63 bytes. */
void args_format(struct args *args, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

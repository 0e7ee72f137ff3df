/* key.h - names of keys in Redis: "tandem:{<business>}:<rest>" (docs/redis.md). */
#ifndef TANDEM_KEY_H
#define TANDEM_KEY_H

#include "common/text.h"

#include <stdbool.h>

#define KEY_MAX       320 /* bytes with the zero byte: every key of tandem fits */
#define KEY_SCOPE_MAX 144 /* bytes of "all" or "labels.<64>=<64>" with the zero byte */

/* Writes a key. Returns out. */
char *key_format(char out[KEY_MAX], const char *business, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Whether a text can be a scope: "all", or "<dimension>=<value>" of letters, digits, '.', '_', '-'. */
bool key_scope_valid(struct text scope);

#endif

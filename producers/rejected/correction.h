/* correction.h - which letters are to be sent again, and what their values are now. Pure but for
 * the files it reads. */
#ifndef TANDEM_CORRECTION_H
#define TANDEM_CORRECTION_H

#include "common/error.h"
#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>

struct correction {
    char *key;
    char *value; /* NULL: as it was */
    size_t value_len;
    bool met;
};

struct corrections {
    struct correction *list;
    size_t count, room;
};

/* Start with a zeroed struct. Each of these: 0, or -1; key and value are copied. A value's last
 * line end, which editors add, is left out. */
int corrections_add(struct corrections *corrections, struct text key, struct text value,
                    struct error *err);
/* The value of one key from the file at `path` ("-" is standard input). */
int corrections_read_value(struct corrections *corrections, const char *key, const char *path,
                           struct error *err);
/* Lines of JSON with `key`, and with `value` where it was changed: a text, or an object. What
 * else `tandem rejected list --format ndjson` wrote may stand there too. */
int corrections_read(struct corrections *corrections, const char *path, struct error *err);
/* One line of it. */
int corrections_parse(struct corrections *corrections, struct text line, struct error *err);
void corrections_clear(struct corrections *corrections);

/* Sorts; call it before the first corrections_find(). A key that stands twice is an error. */
int corrections_finish(struct corrections *corrections, struct error *err);
/* NULL: that key is not wanted. */
struct correction *corrections_find(const struct corrections *corrections, struct text key);

#endif

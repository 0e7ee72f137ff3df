/* reader.h - walks through a mapping's JSON and remembers where it is.
 *
 * What the parts of the mapping's reading share: the path for messages ("events[0].items.net"),
 * the list of mistakes, the columns met so far. A reading function returns false, or fills less,
 * after it noted a mistake; the walk goes on, so that all of them are found. */
#ifndef TANDEM_READER_H
#define TANDEM_READER_H

#include "producers/import/mapping.h"

#include <jansson.h>

#define READER_COLUMNS_MAX 1024

struct reader {
    struct mapping *mapping;
    struct mistakes *mistakes;
    const json_t *common; /* fields that every kind of event has unless it says otherwise */
    char path[512];
    size_t path_len;
    bool no_memory;
};

/* Goes into a member or an element; reader_leave() with what it returned comes back. */
size_t reader_enter(struct reader *reader, const char *member);
size_t reader_enter_element(struct reader *reader, size_t i);
void reader_leave(struct reader *reader, size_t path_len);

/* Notes a mistake at the present path. Always false. */
bool reader_mistake(struct reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Notes each member of `object` that is not in `allowed` (ends with NULL), with the nearest one
 * that is; and when it is no object at all. */
bool reader_members(struct reader *reader, const json_t *object, const char *const *allowed);
/* The member's text when it is a string of `least` bytes or more; false, with a mistake, when it
 * is missing or anything else. The text lies in the mapping's arena and ends with a zero byte. */
bool reader_text(struct reader *reader, const json_t *object, const char *member, size_t least,
                 struct text *out);
/* A string that is at hand already. */
bool reader_string(struct reader *reader, const json_t *json, size_t least, struct text *out);

/* The number of a column of that name, from now on one of the mapping's columns. */
int reader_column(struct reader *reader, struct text name);
/* `size` cleared bytes of the mapping's arena; NULL (and no_memory) when memory is short. */
void *reader_take(struct reader *reader, size_t size);

#endif

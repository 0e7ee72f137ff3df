/* table.h - a CSV file, row by row (RFC 4180).
 *
 * Quoted newlines, doubled quotes, CRLF, LF or CR ends, a UTF-8 byte-order mark. Blanks around an
 * unquoted field are not part of it, blank lines are passed over. A broken quote ends the reading:
 * where rows begin after it cannot be known. Memory is bounded: a field holds at most 1 MiB, a row
 * 4 MiB and 4,096 fields. */
#ifndef TANDEM_TABLE_H
#define TANDEM_TABLE_H

#include "common/error.h"
#include "common/text.h"

#include <stdint.h>

struct table;

struct row {
    uint64_t line; /* where it begins, 1 is the first line of the file */
    const struct text *fields;
    size_t count;
};

/* Opens `path`, "-" is standard input; fields are parted by `delimiter`.
 * 0, caller owns *out until table_free(); -1 (ERROR_SYSTEM, ERROR_MEMORY). */
int table_open(struct table **out, const char *path, char delimiter, struct error *err);
void table_free(struct table *table);

/* The next row, valid until the next call. 1; 0 at the end; -1 (ERROR_INPUT with the line,
 * ERROR_SYSTEM, ERROR_MEMORY), and then always. */
int table_next(struct table *table, struct row *row, struct error *err);

#endif

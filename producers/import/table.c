#include "producers/import/table.h"

#include <csv.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define BUFFER_BYTES    ((size_t)64 * 1024)
#define FIELD_BYTES_MAX ((size_t)1024 * 1024)
#define ROW_BYTES_MAX   ((size_t)4 * 1024 * 1024)
#define ROW_FIELDS_MAX  ((size_t)4096)

struct table {
    int fd;
    char *path;
    struct csv_parser parser;
    char *buffer;
    size_t at, end; /* what of the buffer is not parsed yet */
    bool begun, finished, failed, after_cr;
    uint64_t line;       /* of the next byte */
    uint64_t field_line; /* where the field being read began */
    bool row_done, row_too_large, no_memory;
    char *bytes; /* the row's fields, one after the other */
    size_t bytes_used, bytes_room;
    struct text *fields; /* at: set when the row is done, for `bytes` may move until then */
    size_t count;
};

/* libcsv's own growth, with the bound that an unclosed quote needs. */
static void *bounded_realloc(void *old, size_t size)
{
    return size > FIELD_BYTES_MAX ? NULL : realloc(old, size);
}

static int open_file(const char *path, struct error *err)
{
    if (strcmp(path, "-") == 0) {
        return STDIN_FILENO;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return error_set(err, ERROR_SYSTEM, "%s: %s", path, strerror(errno));
    }
    return fd;
}

int table_open(struct table **out, const char *path, char delimiter, struct error *err)
{
    int fd = open_file(path, err);
    if (fd < 0) {
        return -1;
    }
    struct table *table = calloc(1, sizeof *table);
    if (!table || csv_init(&table->parser, CSV_STRICT | CSV_STRICT_FINI) != 0) {
        free(table);
        if (fd != STDIN_FILENO) {
            close(fd);
        }
        return error_memory(err);
    }
    table->fd = fd;
    table->line = 1;
    csv_set_delim(&table->parser, (unsigned char)delimiter);
    csv_set_realloc_func(&table->parser, bounded_realloc);
    table->path = strdup(path);
    table->buffer = malloc(BUFFER_BYTES);
    table->fields = calloc(ROW_FIELDS_MAX, sizeof *table->fields);
    if (!table->path || !table->buffer || !table->fields) {
        table_free(table);
        return error_memory(err);
    }
    *out = table;
    return 0;
}

void table_free(struct table *table)
{
    if (!table) {
        return;
    }
    csv_free(&table->parser);
    if (table->fd != STDIN_FILENO) {
        close(table->fd);
    }
    free(table->path);
    free(table->buffer);
    free(table->fields);
    free(table->bytes);
    free(table);
}

static bool make_room(struct table *table, size_t more)
{
    if (table->bytes_room - table->bytes_used >= more) {
        return true;
    }
    size_t room = table->bytes_room ? table->bytes_room : 4096;
    while (room < table->bytes_used + more) {
        room *= 2;
    }
    char *bytes = realloc(table->bytes, room);
    if (!bytes) {
        return false;
    }
    table->bytes = bytes;
    table->bytes_room = room;
    return true;
}

static void take_field(void *field, size_t len, void *context)
{
    struct table *table = context;
    table->field_line = table->line;
    if (table->count == ROW_FIELDS_MAX || table->bytes_used + len > ROW_BYTES_MAX) {
        table->row_too_large = true;
        return;
    }
    if (!make_room(table, len + 1)) {
        table->no_memory = true;
        return;
    }
    if (len) {
        memcpy(table->bytes + table->bytes_used, field, len);
    }
    table->bytes_used += len;
    table->fields[table->count++].len = len;
}

static void end_row(int end, void *context)
{
    (void)end;
    struct table *table = context;
    table->row_done = true;
}

/* UTF-8's mark is dropped; UTF-16 would only give strange errors later. */
static int skip_mark(struct table *table, struct error *err)
{
    const char *b = table->buffer;
    if (table->end >= 3 && memcmp(b, "\xef\xbb\xbf", 3) == 0) {
        table->at = 3;
    } else if (table->end >= 2 &&
               (memcmp(b, "\xff\xfe", 2) == 0 || memcmp(b, "\xfe\xff", 2) == 0)) {
        return error_set(err, ERROR_INPUT, "%s is UTF-16: save it as UTF-8", table->path);
    }
    return 0;
}

/* Reads on; a pipe may give the mark's three bytes one by one. 1, 0 at the end, -1. */
static int fill(struct table *table, struct error *err)
{
    table->at = table->end = 0;
    do {
        ssize_t n = read(table->fd, table->buffer + table->end, BUFFER_BYTES - table->end);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return error_set(err, ERROR_SYSTEM, "%s: %s", table->path, strerror(errno));
        }
        if (n == 0) {
            break;
        }
        table->end += (size_t)n;
    } while (!table->begun && table->end < 3);
    if (!table->begun) {
        table->begun = true;
        if (skip_mark(table, err) != 0) {
            return -1;
        }
    }
    return table->end > table->at;
}

/* The bytes up to and with the next line end, or all there are: so a row never ends inside a
 * piece, and lines count themselves. */
static size_t next_piece(const struct table *table)
{
    const char *from = table->buffer + table->at;
    size_t len = table->end - table->at;
    const char *lf = memchr(from, '\n', len);
    if (lf) {
        len = (size_t)(lf - from) + 1;
    }
    const char *cr = memchr(from, '\r', len);
    return cr ? (size_t)(cr - from) + 1 : len;
}

static void count_line(struct table *table, const char *piece, size_t len)
{
    char last = piece[len - 1];
    if (last == '\r' || (last == '\n' && !(len == 1 && table->after_cr))) {
        table->line++;
    }
    table->after_cr = last == '\r';
}

static int parse_failed(struct table *table, struct error *err)
{
    int code = csv_error(&table->parser);
    if (code == CSV_EPARSE) {
        return error_set(err, ERROR_INPUT,
                         "%s:%" PRIu64 ": broken quote: a field with a quote inside is written "
                         "\"so \"\"quoted\"\"\", with nothing after the closing quote",
                         table->path, table->line);
    }
    return error_set(err, ERROR_INPUT,
                     "%s:%" PRIu64 ": a field is larger than 1 MiB: is its quote closed?",
                     table->path, table->field_line);
}

static int check_row(const struct table *table, uint64_t line, struct error *err)
{
    if (table->no_memory) {
        return error_memory(err);
    }
    if (table->row_too_large) {
        return error_set(err, ERROR_INPUT,
                         "%s:%" PRIu64 ": a row larger than 4 MiB or 4,096 fields", table->path,
                         line);
    }
    return 0;
}

static int feed(struct table *table, struct error *err)
{
    const char *piece = table->buffer + table->at;
    size_t len = next_piece(table);
    size_t done = csv_parse(&table->parser, piece, len, take_field, end_row, table);
    if (done != len) {
        return parse_failed(table, err);
    }
    table->at += len;
    count_line(table, piece, len);
    return 0;
}

/* The last row may lack its line end; a quote still open is an error. */
static int finish(struct table *table, struct error *err)
{
    table->finished = true;
    if (csv_fini(&table->parser, take_field, end_row, table) != 0) {
        return error_set(err, ERROR_INPUT,
                         "%s:%" PRIu64 ": broken quote: the one opened on this line is never "
                         "closed",
                         table->path, table->field_line);
    }
    return 0;
}

static int read_row(struct table *table, uint64_t *line, struct error *err)
{
    *line = table->line;
    while (!table->row_done && !table->finished) {
        if (table->count == 0 && table->parser.entry_pos == 0) {
            *line = table->field_line = table->line; /* only blank lines so far */
        }
        int more = table->at < table->end ? 1 : fill(table, err);
        if (more < 0 || (more ? feed(table, err) : finish(table, err)) != 0 ||
            check_row(table, *line, err) != 0) {
            return -1;
        }
    }
    return table->row_done;
}

int table_next(struct table *table, struct row *row, struct error *err)
{
    if (table->failed) {
        return error_set(err, ERROR_INPUT, "%s: not read on after an error", table->path);
    }
    table->row_done = false;
    table->bytes_used = table->count = 0;
    uint64_t line;
    int found = read_row(table, &line, err);
    if (found <= 0) {
        table->failed = found < 0;
        return found;
    }
    const char *at = table->bytes;
    for (size_t i = 0; i < table->count; i++) {
        table->fields[i].at = at;
        at += table->fields[i].len;
    }
    *row = (struct row){line, table->fields, table->count};
    return 1;
}

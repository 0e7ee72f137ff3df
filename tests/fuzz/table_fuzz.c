/* table_fuzz - any bytes as a CSV file. The first chooses the delimiter. Every field is read whole. */
#include "fuzz.h"
#include "producers/import/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char delimiters[] = ",;\t|";
    struct table *table = NULL;
    struct row row;
    struct error err;
    uint64_t line = 0;
    int fd, more;
    if (size == 0) {
        return 0;
    }
    const char *path = fuzz_file(data + 1, size - 1, &fd);
    if (table_open(&table, path, delimiters[data[0] % 4], &err) != 0) {
        abort();
    }
    while ((more = table_next(table, &row, &err)) > 0) {
        if (row.line <= line || row.count == 0) {
            abort();
        }
        line = row.line;
        for (size_t i = 0; i < row.count; i++) {
            free(memcpy(malloc(row.fields[i].len + 1), row.fields[i].at, row.fields[i].len));
        }
    }
    if (more < 0 && table_next(table, &row, &err) >= 0) {
        abort(); /* an error is for good */
    }
    table_free(table);
    close(fd);
    return 0;
}

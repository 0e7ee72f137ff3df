#include "common/exposition.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

void exposition_family(FILE *out, const char *name, const char *type, const char *help)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Backslash, quote and line end would end the value. */
static void write_escaped(FILE *out, const char *value)
{
    for (; *value; value++) {
        if (*value == '\n') {
            fputs("\\n", out);
            continue;
        }
        if (*value == '\\' || *value == '"') {
            fputc('\\', out);
        }
        fputc(*value, out);
    }
}

static void write_labels(FILE *out, va_list labels)
{
    const char *name;
    char before = '{';
    while ((name = va_arg(labels, const char *))) {
        fprintf(out, "%c%s=\"", before, name);
        write_escaped(out, va_arg(labels, const char *));
        fputc('"', out);
        before = ',';
    }
    if (before == ',') {
        fputc('}', out);
    }
}

static void write_ms(FILE *out, int64_t ms)
{
    uint64_t size = ms < 0 ? -(uint64_t)ms : (uint64_t)ms;
    fprintf(out, "%s%" PRIu64 ".%03u", ms < 0 ? "-" : "", size / 1000, (unsigned)(size % 1000));
}

void exposition_int(FILE *out, const char *name, int64_t value, ...)
{
    va_list labels;
    va_start(labels, value);
    fputs(name, out);
    write_labels(out, labels);
    va_end(labels);
    fprintf(out, " %" PRId64 "\n", value);
}

void exposition_ms(FILE *out, const char *name, int64_t value_ms, ...)
{
    va_list labels;
    va_start(labels, value_ms);
    fputs(name, out);
    write_labels(out, labels);
    va_end(labels);
    fputc(' ', out);
    write_ms(out, value_ms);
    fputc('\n', out);
}

void exposition_observe(struct exposition_histogram *histogram,
                        const struct exposition_bounds *bounds, int64_t value)
{
    int i = 0;
    while (i < bounds->count && value > bounds->list[i]) {
        i++;
    }
    histogram->counts[i]++;
    histogram->sum += value;
    histogram->count++;
}

static void write_number(FILE *out, int64_t value, int ms)
{
    if (ms) {
        write_ms(out, value);
    } else {
        fprintf(out, "%" PRId64, value);
    }
}

void exposition_histogram(FILE *out, const char *name, const char *help,
                          const struct exposition_bounds *bounds,
                          const struct exposition_histogram *histogram, int ms)
{
    int64_t below = 0;
    exposition_family(out, name, "histogram", help);
    for (int i = 0; i < bounds->count; i++) {
        below += histogram->counts[i];
        fprintf(out, "%s_bucket{le=\"", name);
        write_number(out, bounds->list[i], ms);
        fprintf(out, "\"} %" PRId64 "\n", below);
    }
    fprintf(out, "%s_bucket{le=\"+Inf\"} %" PRId64 "\n%s_sum ", name, histogram->count, name);
    write_number(out, histogram->sum, ms);
    fprintf(out, "\n%s_count %" PRId64 "\n", name, histogram->count);
}

/* The JSON document of a table, on one line; docs/redis.md, "Tables", describes its members. */
#include "consumers/report/render_forms.h"

#include <string.h>

/* Our own texts are UTF-8 without control characters, published ones printable ASCII. */
static void put_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void put_member(FILE *out, const char *name, const char *text, const char *after)
{
    fprintf(out, "\"%s\":", name);
    put_string(out, text);
    fputs(after, out);
}

static void put_line(FILE *out, const struct sheet_line *line)
{
    fputc('{', out);
    if (line->raw) {
        put_member(out, "metric", line->metric, ",\"value\":");
        fields_write_json_value(&(struct field){line->metric, line->raw}, out);
        fputc(',', out);
    }
    if (*line->label)
        put_member(out, "label", line->label, ",");
    put_member(out, "text", line->text, "}");
}

/* The whole cell as one text, its lines joined by "; ". */
static void put_cell_text(FILE *out, const struct sheet_cell *cell)
{
    char text[SHEET_LABEL_MAX + WORDS_MAX + 8];
    fputs("\"text\":\"", out);
    for (size_t i = 0; i < cell->count; i++) {
        const struct sheet_line *line = &cell->lines[i];
        snprintf(text, sizeof text, "%s%s%s%s", i ? "; " : "", line->label, *line->label ? " " : "",
                 line->text);
        for (const char *p = text; *p; p++) {
            if (*p == '"' || *p == '\\')
                fputc('\\', out);
            fputc(*p, out);
        }
    }
    fputc('"', out);
}

static void put_cell(FILE *out, const char *name, const struct sheet_cell *cell)
{
    fprintf(out, "\"%s\":{", name);
    put_cell_text(out, cell);
    fputs(",\"lines\":[", out);
    for (size_t i = 0; i < cell->count; i++) {
        if (i)
            fputc(',', out);
        put_line(out, &cell->lines[i]);
    }
    fputs("]}", out);
}

static void put_row(FILE *out, const struct sheet_row *row)
{
    fputc('{', out);
    put_member(out, "key", row->key, ",");
    put_member(out, "label", row->label, ",");
    put_member(out, "group", row->group == SHEET_DIFFERENCES ? "difference" : "similarity", ",");
    put_cell(out, "sale", &row->cell[SHEET_SALE]);
    fputc(',', out);
    put_cell(out, "service", &row->cell[SHEET_SERVICE]);
    fputc('}', out);
}

/* A value of a clause: a number as it stands, NaN as null. */
static void put_number(FILE *out, const char *name, const char *value, const char *after)
{
    fprintf(out, "\"%s\":", name);
    fields_write_json_value(&(struct field){name, value}, out);
    fputs(after, out);
}

static void put_reason(FILE *out, const struct sheet_reason *reason)
{
    fputc('{', out);
    put_member(out, "metric", reason->clause.metric, ",");
    put_number(out, "value", reason->clause.value, ",");
    put_member(out, "op", reason->clause.op, ",");
    put_number(out, "threshold", reason->clause.threshold, ",");
    put_number(out, "n", reason->clause.n, ",");
    put_member(out, "text", reason->text, "}");
}

static void put_verdict(FILE *out, const struct sheet *sheet)
{
    fputs("\"verdict\":{", out);
    put_member(out, "code", sheet->verdict, ",");
    put_member(out, "severity", sheet->severity, ",");
    put_member(out, "sentence", sheet->sentence, ",\"reasons\":[");
    for (size_t i = 0; i < sheet->reason_count; i++) {
        if (i)
            fputc(',', out);
        put_reason(out, &sheet->reasons[i]);
    }
    fputs("]}", out);
}

void render_json(FILE *out, const struct sheet *sheet, const struct fields *fields)
{
    fputc('{', out);
    put_member(out, "title", sheet->title, ",");
    put_member(out, "language", language_code(sheet->language), ",\"columns\":[");
    for (int i = 0; i < 3; i++) {
        if (i)
            fputc(',', out);
        put_string(out, sheet->column[i]);
    }
    fputs("],\"groups\":{", out);
    put_member(out, "difference", sheet->group_label[SHEET_DIFFERENCES], ",");
    put_member(out, "similarity", sheet->group_label[SHEET_SIMILARITIES], "},\"rows\":[");
    for (size_t i = 0; i < SHEET_ROWS; i++) {
        if (i)
            fputc(',', out);
        put_row(out, &sheet->row[i]);
    }
    fputs("],", out);
    put_verdict(out, sheet);
    fputc(',', out);
    put_member(out, "closing", sheet->closing, ",\"fields\":");
    fields_write_json(fields, out);
    fputc('}', out);
}

/* One line a cell's line, then the verdict and its reasons; RFC 4180 with line feeds.
 *
 * Names and values are as published and the same in every language; label and text are for
 * people. */
#include "consumers/report/render_forms.h"

#include <string.h>

/* What stands in front of every line. */
struct subject {
    const char *business, *scope, *period_kind, *period;
};

static void put_cell(FILE *out, const char *text, char after)
{
    bool quoted = strpbrk(text, ",\"") != NULL;
    if (quoted)
        fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    if (quoted)
        fputc('"', out);
    fputc(after, out);
}

static void put_line(FILE *out, const struct subject *subject, const char *const cells[7])
{
    put_cell(out, subject->business, ',');
    put_cell(out, subject->scope, ',');
    put_cell(out, subject->period_kind, ',');
    put_cell(out, subject->period, ',');
    for (int i = 0; i < 7; i++)
        put_cell(out, cells[i], i < 6 ? ',' : '\n');
}

static void put_row(FILE *out, const struct subject *subject, const struct sheet_row *row,
                    enum sheet_side side)
{
    const struct sheet_cell *cell = &row->cell[side];
    const char *group = row->group == SHEET_DIFFERENCES ? "difference" : "similarity";
    for (size_t i = 0; i < cell->count; i++) {
        const struct sheet_line *line = &cell->lines[i];
        put_line(out, subject,
                 (const char *const[]){group, row->key, side == SHEET_SALE ? "sale" : "service",
                                       line->metric, line->raw ? line->raw : "", line->label,
                                       line->text});
    }
}

static void put_verdict(FILE *out, const struct subject *subject, const struct sheet *sheet)
{
    put_line(out, subject,
             (const char *const[]){"verdict", "verdict", "", "verdict", sheet->verdict, "",
                                   sheet->sentence});
    put_line(out, subject,
             (const char *const[]){"verdict", "severity", "", "severity", sheet->severity, "",
                                   sheet->severity_word});
    for (size_t i = 0; i < sheet->reason_count; i++) {
        const struct sheet_reason *reason = &sheet->reasons[i];
        put_line(out, subject,
                 (const char *const[]){"verdict", "reason", "", reason->clause.metric,
                                       reason->clause.value, "", reason->text});
    }
}

void render_csv(FILE *out, const struct sheet *sheet, const struct fields *fields)
{
    struct subject subject = {
        fields_value(fields, "business"),
        fields_value(fields, "scope"),
        fields_value(fields, "period_kind"),
        fields_value(fields, "period"),
    };
    fputs("business,scope,period_kind,period,group,row,side,metric,value,label,text\n", out);
    for (size_t i = 0; i < SHEET_ROWS; i++)
        for (enum sheet_side side = SHEET_SALE; side < SHEET_SIDES; side++)
            put_row(out, &subject, &sheet->row[i], side);
    put_verdict(out, &subject, sheet);
}

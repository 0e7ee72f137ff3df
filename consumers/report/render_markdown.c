#include "consumers/report/render_forms.h"

#include <string.h>

/* What is not ours may hold signs that Markdown takes for its own. */
static void put_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (strchr("\\`*_{}[]<>|#~&", *text))
            fputc('\\', out);
        fputc(*text, out);
    }
}

static void put_cell(FILE *out, const struct sheet_cell *cell)
{
    for (size_t i = 0; i < cell->count; i++) {
        const struct sheet_line *line = &cell->lines[i];
        fputs(i ? "<br>" : "", out);
        if (*line->label) {
            put_text(out, line->label);
            fputs(": **", out);
            put_text(out, line->text);
            fputs("**", out);
        } else {
            put_text(out, line->text);
        }
    }
}

static void put_row(FILE *out, const struct sheet_row *row)
{
    fprintf(out, "| %s | ", row->label);
    put_cell(out, &row->cell[SHEET_SALE]);
    fputs(" | ", out);
    put_cell(out, &row->cell[SHEET_SERVICE]);
    fputs(" |\n", out);
}

static void put_rows(FILE *out, const struct sheet *sheet)
{
    fprintf(out, "| %s | %s | %s |\n| --- | --- | --- |\n", sheet->column[0], sheet->column[1],
            sheet->column[2]);
    for (size_t i = 0; i < SHEET_ROWS; i++) {
        if (i == 0 || sheet->row[i].group != sheet->row[i - 1].group)
            fprintf(out, "| **%s** | | |\n", sheet->group_label[sheet->row[i].group]);
        put_row(out, &sheet->row[i]);
    }
}

void render_markdown(FILE *out, const struct sheet *sheet, const struct fields *fields,
                     const struct zone *zone)
{
    char subject[512], as_of[160];
    render_subject(subject, sizeof subject, fields, sheet->language);
    render_as_of(as_of, sizeof as_of, fields, sheet->language, zone);
    fprintf(out, "# %s\n\n", sheet->title);
    put_text(out, subject);
    fputs(*as_of ? ", " : "", out);
    put_text(out, as_of);
    fputs("\n\n", out);
    put_rows(out, sheet);
    fprintf(out, "\n**%s** (%s)\n\n", sheet->sentence, sheet->severity_word);
    for (size_t i = 0; i < sheet->reason_count; i++) {
        fputs("- ", out);
        put_text(out, sheet->reasons[i].text);
        fputc('\n', out);
    }
    fprintf(out, "\n%s\n", sheet->closing);
}

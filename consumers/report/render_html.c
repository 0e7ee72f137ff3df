/* One self-contained page: the verdict, bars and lines of time as SVG, the table, the notes. */
#include "consumers/report/html.h"
#include "consumers/report/render_forms.h"

#include <string.h>

enum { WIDTH = 1000, HEIGHT = 40, STEP = WIDTH / TREND_PERIODS };

static void rectangle(FILE *out, const char *class, int x, int y, int width, int height)
{
    fprintf(out, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>", class, x, y,
            width, height);
}

static void begin_picture(FILE *out, const char *label, const char *text)
{
    fprintf(out,
            "<svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" role=\"img\" "
            "aria-label=\"",
            WIDTH, HEIGHT);
    html_text(out, label);
    fputc(' ', out);
    html_text(out, text);
    fputs("\">", out);
}

static void put_bar(FILE *out, const struct chart_bar *bar)
{
    static const char *const tones[] = {"plain", "good", "bad"};
    begin_picture(out, bar->label, bar->text);
    rectangle(out, "track", 0, 8, WIDTH, HEIGHT - 16);
    rectangle(out, tones[bar->tone], 0, 8, bar->value * WIDTH / CHART_WHOLE, HEIGHT - 16);
    if (bar->mark != CHART_NONE)
        rectangle(out, "mark", bar->mark * (WIDTH - 4) / CHART_WHOLE, 0, 4, HEIGHT);
    fputs("</svg>", out);
}

static void put_spark(FILE *out, const struct chart_spark *spark)
{
    begin_picture(out, spark->label, spark->text);
    for (int i = 0; i < TREND_PERIODS; i++) {
        int height = spark->level[i] * (HEIGHT - 2) / CHART_WHOLE + 2;
        if (spark->level[i] != CHART_NONE)
            rectangle(out, "plain", i * STEP, HEIGHT - height, STEP - 8, height);
    }
    fputs("</svg>", out);
}

static void begin_row(FILE *out, const char *label, const char *span)
{
    fputs("<tr><th scope=\"row\">", out);
    html_text(out, label);
    if (*span)
        html_element(out, "div", "note", span);
    fputs("</th><td>", out);
}

static void end_row(FILE *out, const char *text)
{
    fputs("</td>", out);
    html_element(out, "td", "number", text);
    fputs("</tr>\n", out);
}

static void put_chart(FILE *out, const struct chart *chart)
{
    if (chart->bars + chart->sparks == 0)
        return;
    html_element(out, "h2", "", chart->title);
    fputs("<table class=\"picture\">\n", out);
    for (size_t i = 0; i < chart->bars; i++) {
        begin_row(out, chart->bar[i].label, "");
        put_bar(out, &chart->bar[i]);
        end_row(out, chart->bar[i].text);
    }
    for (size_t i = 0; i < chart->sparks; i++) {
        begin_row(out, chart->spark[i].label, chart->span);
        put_spark(out, &chart->spark[i]);
        end_row(out, chart->spark[i].text);
    }
    fputs("</table>\n", out);
}

static void put_cell(FILE *out, const struct sheet_cell *cell)
{
    fputs("<td>", out);
    for (size_t i = 0; i < cell->count; i++) {
        const struct sheet_line *line = &cell->lines[i];
        fputs("<p>", out);
        html_element(out, "span", "", *line->label ? line->label : line->text);
        if (*line->label)
            html_element(out, "b", "", line->text);
        fputs("</p>", out);
    }
    fputs("</td>", out);
}

static void put_table(FILE *out, const struct sheet *sheet)
{
    fputs("<table>\n<thead><tr>", out);
    for (int i = 0; i < 3; i++)
        html_element(out, "th", "", sheet->column[i]);
    fputs("</tr></thead>\n", out);
    for (size_t i = 0; i < SHEET_ROWS; i++) {
        const struct sheet_row *row = &sheet->row[i];
        if (i == 0 || row->group != sheet->row[i - 1].group) {
            fputs("<tr><th colspan=\"3\" class=\"soft\">", out);
            html_text(out, sheet->group_label[row->group]);
            fputs("</th></tr>\n", out);
        }
        fputs("<tr>", out);
        html_element(out, "th", "", row->label);
        put_cell(out, &row->cell[SHEET_SALE]);
        put_cell(out, &row->cell[SHEET_SERVICE]);
        fputs("</tr>\n", out);
    }
    fputs("</table>\n", out);
}

/* A class is one of ours, whatever lies in Redis. */
static const char *severity_class(const char *severity)
{
    static const char *const classes[] = {"ok", "notice", "warning", "critical"};
    static const char *const full[] = {"verdict ok", "verdict notice", "verdict warning",
                                       "verdict critical"};
    for (size_t i = 0; i < 4; i++)
        if (strcmp(severity, classes[i]) == 0)
            return full[i];
    return "verdict";
}

static void put_verdict(FILE *out, const struct sheet *sheet)
{
    char text[600];
    snprintf(text, sizeof text, "%s [%s]", sheet->sentence, sheet->severity_word);
    html_element(out, "p", severity_class(sheet->severity), text);
    fputs("<ul>\n", out);
    for (size_t i = 0; i < sheet->reason_count; i++)
        html_element(out, "li", "", sheet->reasons[i].text);
    fputs("</ul>\n", out);
}

void render_html(FILE *out, const struct sheet *sheet, const struct fields *fields,
                 const struct zone *zone, const struct render_picture *picture)
{
    char subject[512], as_of[160];
    struct chart chart;
    render_subject(subject, sizeof subject, fields, sheet->language);
    render_as_of(as_of, sizeof as_of, fields, sheet->language, zone);
    html_begin(out, language_code(sheet->language), subject);
    html_element(out, "h1", "", subject);
    html_element(out, "p", "soft", as_of);
    put_verdict(out, sheet);
    chart_make(&chart, fields, picture->trend, sheet->language);
    put_chart(out, &chart);
    html_element(out, "h2", "", sheet->title);
    put_table(out, sheet);
    if (picture->notes && *picture->notes)
        html_element(out, "pre", "note", picture->notes);
    html_element(out, "p", "soft", sheet->closing);
    html_end(out);
}

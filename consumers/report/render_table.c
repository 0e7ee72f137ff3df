/* The table for a terminal of 80 columns: three columns, labels left, values right. */
#include "consumers/report/render_forms.h"

#include <string.h>

enum { LINE = 80, AXIS = 18, CELL = 29, GAP = 2 };

/* Text laid out before it is drawn: lines of at most `width` columns. */
#define BLOCK_LINES_MAX 400
#define BLOCK_BYTES_MAX 256
struct block {
    char line[BLOCK_LINES_MAX][BLOCK_BYTES_MAX];
    size_t count;
};

static char *new_line(struct block *block)
{
    char *line = block->line[block->count < BLOCK_LINES_MAX ? block->count++ : BLOCK_LINES_MAX - 1];
    *line = '\0';
    return line;
}

static void append(char *line, const char *text, size_t bytes)
{
    size_t length = strlen(line);
    if (length + bytes < BLOCK_BYTES_MAX) {
        memcpy(line + length, text, bytes);
        line[length + bytes] = '\0';
    }
}

static void append_blanks(char *line, size_t count)
{
    while (count-- > 0)
        append(line, " ", 1);
}

static size_t width_of(const char *text, size_t bytes)
{
    char copy[BLOCK_BYTES_MAX];
    bytes = bytes < sizeof copy ? bytes : sizeof copy - 1;
    memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    return words_width(copy);
}

/* How many bytes of `text` fit in `width` columns, no character cut. */
static size_t bytes_within(const char *text, size_t width)
{
    size_t bytes = 0, end = strlen(text);
    while (bytes < end) {
        size_t next = bytes + 1;
        while (next < end && ((unsigned char)text[next] & 0xC0) == 0x80)
            next++;
        if (width_of(text, next) > width)
            break;
        bytes = next;
    }
    return bytes;
}

/* Where to break so that the first part fits: at the last blank, or within a word too long. */
static size_t break_of(const char *text, size_t width)
{
    size_t bytes = bytes_within(text, width);
    if (text[bytes] == '\0' || text[bytes] == ' ')
        return bytes;
    for (size_t i = bytes; i > 0; i--)
        if (text[i] == ' ')
            return i;
    return bytes ? bytes : strlen(text);
}

/* Words on as many lines as they need, further ones set in by `indent`. */
static void add_words(struct block *block, const char *text, size_t width, size_t indent)
{
    for (size_t in = 0; *text; in = indent) {
        size_t bytes = break_of(text, width - in);
        char *line = new_line(block);
        append_blanks(line, in);
        append(line, text, bytes);
        text += bytes + strspn(text + bytes, " ");
    }
}

/* "gross profit   250,000.00 RON" on one line, or the value on a line of its own below. */
static void add_pair(struct block *block, const char *label, const char *text, size_t width)
{
    size_t label_width = words_width(label), text_width = words_width(text);
    if (label_width + 1 + text_width > width) {
        add_words(block, label, width, 2);
        label_width = 0;
        label = "";
    }
    char *line = new_line(block);
    append(line, label, strlen(label));
    if (label_width + text_width < width)
        append_blanks(line, width - label_width - text_width);
    append(line, text, strlen(text));
}

static void add_cell(struct block *block, const struct sheet_cell *cell)
{
    for (size_t i = 0; i < cell->count; i++) {
        const struct sheet_line *line = &cell->lines[i];
        if (*line->label)
            add_pair(block, line->label, line->text, CELL);
        else
            add_words(block, line->text, CELL, 2);
    }
}

static void draw_padded(FILE *out, const char *text, size_t width)
{
    size_t taken = words_width(text);
    fprintf(out, "%s%*s", text, taken < width ? (int)(width - taken) : 0, "");
}

/* Three texts side by side, no blanks at the end of a line. */
static void draw_line(FILE *out, const char *axis, const char *sale, const char *service)
{
    if (!*sale && !*service) {
        fprintf(out, "%s\n", axis);
        return;
    }
    draw_padded(out, axis, AXIS + GAP);
    if (*service) {
        draw_padded(out, sale, CELL + GAP);
        fprintf(out, "%s\n", service);
    } else {
        fprintf(out, "%s\n", sale);
    }
}

static const char *line_at(const struct block *block, size_t i)
{
    return i < block->count ? block->line[i] : "";
}

static void draw_row(FILE *out, const struct sheet_row *row)
{
    struct block axis = {.count = 0}, sale = {.count = 0}, service = {.count = 0};
    add_words(&axis, row->label, AXIS, 0);
    add_cell(&sale, &row->cell[SHEET_SALE]);
    add_cell(&service, &row->cell[SHEET_SERVICE]);
    for (size_t i = 0; i < axis.count || i < sale.count || i < service.count; i++)
        draw_line(out, line_at(&axis, i), line_at(&sale, i), line_at(&service, i));
}

static void draw_words(FILE *out, const char *text, size_t indent)
{
    struct block block = {.count = 0};
    add_words(&block, text, LINE, indent);
    for (size_t i = 0; i < block.count; i++)
        fprintf(out, "%s\n", block.line[i]);
}

static void draw_rule(FILE *out, size_t width)
{
    while (width-- > 0)
        fputs("─", out);
}

static void draw_head(FILE *out, const struct sheet *sheet)
{
    draw_line(out, sheet->column[0], sheet->column[1], sheet->column[2]);
    draw_rule(out, AXIS);
    fprintf(out, "%*s", GAP, "");
    draw_rule(out, CELL);
    fprintf(out, "%*s", GAP, "");
    draw_rule(out, CELL);
    fputc('\n', out);
}

static void draw_rows(FILE *out, const struct sheet *sheet)
{
    for (size_t i = 0; i < SHEET_ROWS; i++) {
        bool first = i == 0 || sheet->row[i].group != sheet->row[i - 1].group;
        if (i)
            fputc('\n', out);
        if (first)
            fprintf(out, "%s\n\n", sheet->group_label[sheet->row[i].group]);
        draw_row(out, &sheet->row[i]);
    }
    draw_rule(out, LINE);
    fputc('\n', out);
}

static void draw_verdict(FILE *out, const struct sheet *sheet, enum ink ink)
{
    char text[1024];
    snprintf(text, sizeof text, "%s [%s]", sheet->sentence, sheet->severity_word);
    ink_severity(out, ink, sheet->severity);
    draw_words(out, text, 0);
    ink_end(out, ink);
    for (size_t i = 0; i < sheet->reason_count; i++) {
        snprintf(text, sizeof text, "- %s", sheet->reasons[i].text);
        draw_words(out, text, 2);
    }
    fprintf(out, "\n%s\n", sheet->closing);
}

static void draw_chart(FILE *out, const struct fields *fields, enum language language,
                       const struct render_picture *picture)
{
    struct chart chart;
    chart_make(&chart, fields, picture->trend, language);
    ink_chart(out, picture->ink, &chart);
}

void render_table(FILE *out, const struct sheet *sheet, const struct fields *fields,
                  const struct zone *zone, const struct render_picture *picture)
{
    char subject[512], as_of[160];
    render_subject(subject, sizeof subject, fields, sheet->language);
    render_as_of(as_of, sizeof as_of, fields, sheet->language, zone);
    draw_words(out, sheet->title, 0);
    draw_words(out, subject, 2);
    draw_words(out, as_of, 2);
    fputc('\n', out);
    if (picture->ink != INK_PLAIN)
        draw_chart(out, fields, sheet->language, picture);
    draw_head(out, sheet);
    draw_rows(out, sheet);
    draw_verdict(out, sheet, picture->ink);
}

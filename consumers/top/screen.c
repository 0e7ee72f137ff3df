#include "consumers/top/screen.h"

#include "consumers/report/render_forms.h"
#include "consumers/report/sheet.h"

#include <inttypes.h>
#include <string.h>

enum { STALE_S = 150, LABEL = 24, CELL = 27, WIDTH = 80, HALF = 40, NAME = 21 };

static const char *const texts[LANGUAGES][7] = {
    {"Sale", "Service", "records a second", "not yet counted", "last 30 seconds",
     "nothing is published of this scope yet", "published %s ago, revision %s"},
    {"Vânzare", "Service", "înregistrări pe secundă", "încă nenumărate", "ultimele 30 de secunde",
     "încă nu s-a publicat nimic din acest domeniu", "publicat acum %s, revizia %s"},
};
enum { SALE, SERVICE, RATE, LAG, LAST, NOTHING, PUBLISHED };

static const char *const keys[LANGUAGES] = {"q quit   p period   s scope   l language",
                                            "q ieșire   p perioadă   s domeniu   l limbă"};

static void pad(FILE *out, const char *text, int width)
{
    int taken = (int)words_width(text);
    fprintf(out, "%s%*s", text, taken < width ? width - taken : 0, "");
}

static const char *say_number(const struct screen *screen, int64_t value, char out[WORDS_MAX])
{
    char plain[32];
    snprintf(plain, sizeof plain, "%" PRId64, value);
    return value < 0 ? WORDS_DASH : words_number(screen->language, plain, out);
}

static const char *say_rate(const struct screen *screen, int64_t tenths, char out[WORDS_MAX])
{
    char plain[48];
    snprintf(plain, sizeof plain, "%" PRId64 ".%d", tenths / 10, (int)(tenths % 10));
    return tenths < 0 ? WORDS_DASH : words_number(screen->language, plain, out);
}

static void draw_rates(FILE *out, const struct screen *screen, const struct view_side *side)
{
    int64_t most = 1;
    int level[VIEW_RATES];
    for (int i = 0; i < VIEW_RATES; i++) {
        most = side->rates[i] > most ? side->rates[i] : most;
    }
    for (int i = 0; i < VIEW_RATES; i++) {
        level[i] = side->rates[i] < 0 ? CHART_NONE : (int)(side->rates[i] * CHART_WHOLE / most);
    }
    ink_spark(out, screen->ink, level + VIEW_RATES - 24, 24);
}

static void draw_feed(FILE *out, const struct screen *screen, const struct view *view)
{
    const char *const *text = texts[screen->language];
    char a[WORDS_MAX], b[WORDS_MAX];
    pad(out, "", LABEL + 2);
    pad(out, text[SALE], CELL);
    fprintf(out, "%s\n", text[SERVICE]);
    pad(out, text[RATE], LABEL + 2);
    pad(out, say_rate(screen, view->side[0].rate, a), CELL);
    fprintf(out, "%s\n", say_rate(screen, view->side[1].rate, b));
    pad(out, text[LAG], LABEL + 2);
    pad(out, say_number(screen, view->side[0].lag, a), CELL);
    fprintf(out, "%s\n", say_number(screen, view->side[1].lag, b));
    if (screen->ink != INK_PLAIN) {
        pad(out, text[LAST], LABEL + 2);
        draw_rates(out, screen, &view->side[0]);
        pad(out, "", CELL - 24);
        draw_rates(out, screen, &view->side[1]);
        fputc('\n', out);
    }
    fputc('\n', out);
}

/* The first lines of a row's cell that have a value, side by side. */
static void draw_row(FILE *out, const struct sheet_row *row)
{
    size_t sale = row->cell[SHEET_SALE].count, service = row->cell[SHEET_SERVICE].count;
    for (size_t i = 0; i < sale || i < service; i++) {
        for (enum sheet_side side = SHEET_SALE; side < SHEET_SIDES; side++) {
            const struct sheet_cell *cell = &row->cell[side];
            const struct sheet_line *line = i < cell->count ? &cell->lines[i] : NULL;
            int label = line && *line->label ? NAME : 0;
            if (line) {
                pad(out, line->label, label);
                pad(out, line->text, side == SHEET_SALE ? HALF - label : 0);
            } else if (side == SHEET_SALE) {
                pad(out, "", HALF);
            }
        }
        fputc('\n', out);
    }
}

/* Broken at blanks so that no line is longer than the screen. */
static void draw_words(FILE *out, const char *text)
{
    size_t column = 0;
    while (*text) {
        char word[WORDS_MAX];
        size_t length = strcspn(text, " ");
        snprintf(word, sizeof word, "%.*s", (int)length, text);
        size_t width = words_width(word);
        bool fits = column == 0 || column + 1 + width <= WIDTH;
        fprintf(out, "%s%s", column == 0 ? "" : fits ? " " : "\n", word);
        column = fits && column > 0 ? column + 1 + width : width;
        text += length + strspn(text + length, " ");
    }
    fputc('\n', out);
}

static void draw_verdict(FILE *out, const struct screen *screen, const struct sheet *sheet)
{
    char text[6 * WORDS_MAX];
    ink_severity(out, screen->ink, sheet->severity);
    snprintf(text, sizeof text, "%s [%s]", sheet->sentence, sheet->severity_word);
    draw_words(out, text);
    ink_end(out, screen->ink);
    for (size_t i = 0; i < sheet->reason_count && i < 3; i++) {
        snprintf(text, sizeof text, "- %s", sheet->reasons[i].text);
        draw_words(out, text);
    }
    fputc('\n', out);
}

static void draw_charts(FILE *out, const struct screen *screen, const struct view *view)
{
    struct chart chart;
    if (screen->ink == INK_PLAIN) {
        return;
    }
    chart_make(&chart, view->fields, view->has_trend ? &view->trend : NULL, screen->language);
    chart.bars = chart.bars > 4 ? 4 : chart.bars;
    ink_chart(out, screen->ink, &chart);
}

static void draw_age(FILE *out, const struct screen *screen, const struct view *view)
{
    int64_t units = 0;
    int decimals;
    char age[WORDS_MAX];
    if (!words_parse(fields_value(view->fields, "as_of"), &units, &decimals) || decimals > 0) {
        return;
    }
    /* Only scopes with a target are published each minute; others when something is counted. */
    bool each_minute = strcmp(fields_value(view->fields, "judged"), "none") != 0;
    int64_t passed_s = view->now_s > units ? view->now_s - units : 0;
    words_duration(screen->language, passed_s, age);
    ink_severity(out, screen->ink, each_minute && passed_s > STALE_S ? "warning" : "");
    fprintf(out,
            screen->language == LANGUAGE_RO ? texts[LANGUAGE_RO][PUBLISHED]
                                            : texts[LANGUAGE_EN][PUBLISHED],
            age, fields_value(view->fields, "revision"));
    ink_end(out, screen->ink);
    fputc('\n', out);
}

static void draw_comparison(FILE *out, const struct screen *screen, const struct view *view)
{
    struct sheet *sheet = NULL;
    struct error err;
    if (sheet_open(&sheet, view->fields, screen->language, &err) != 0) {
        fprintf(out, "%s\n", err.text);
        return;
    }
    draw_verdict(out, screen, sheet);
    draw_feed(out, screen, view);
    draw_charts(out, screen, view);
    draw_row(out, &sheet->row[0]);
    draw_row(out, &sheet->row[1]);
    fputc('\n', out);
    draw_age(out, screen, view);
    sheet_free(sheet);
}

void screen_draw(FILE *out, const struct screen *screen, const struct view *view)
{
    char subject[512], as_of[160];
    if (view->fields) {
        render_subject(subject, sizeof subject, view->fields, screen->language);
        render_as_of(as_of, sizeof as_of, view->fields, screen->language, screen->zone);
        fprintf(out, "tandem top  %s\n%s\n\n", subject, as_of);
        draw_comparison(out, screen, view);
    } else {
        fprintf(out, "tandem top  %s, %s: %s\n\n", screen->business, screen->scope,
                period_kind_name(screen->kind));
        fprintf(out, "%s\n\n", texts[screen->language][NOTHING]);
        draw_feed(out, screen, view);
    }
    if (view->why[0]) {
        ink_severity(out, screen->ink, "critical");
        fprintf(out, "%s", view->why);
        ink_end(out, screen->ink);
        fputc('\n', out);
    }
    if (screen->keys) {
        fprintf(out, "%s\n", keys[screen->language]);
    }
}

#include "consumers/report/ink.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LABEL = 24, EIGHTHS = 8 };

enum ink ink_of(FILE *out)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    if (!isatty(fileno(out)) || !term || !*term || strcmp(term, "dumb") == 0)
        return INK_PLAIN;
    return no_color && *no_color ? INK_DRAWN : INK_COLORED;
}

static void begin(FILE *out, enum ink ink, const char *code)
{
    if (ink == INK_COLORED)
        fprintf(out, "\033[%sm", code);
}

void ink_end(FILE *out, enum ink ink)
{
    begin(out, ink, "0");
}

void ink_severity(FILE *out, enum ink ink, const char *severity)
{
    begin(out, ink,
          strcmp(severity, "ok") == 0         ? "1;32"
          : strcmp(severity, "notice") == 0   ? "1;36"
          : strcmp(severity, "warning") == 0  ? "1;33"
          : strcmp(severity, "critical") == 0 ? "1;31"
                                              : "1");
}

void ink_bar(FILE *out, enum ink ink, const struct chart_bar *bar, int columns)
{
    static const char *const parts[EIGHTHS] = {"·", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    static const char *const tones[] = {"34", "32", "31"};
    int filled = bar->value * columns * EIGHTHS / CHART_WHOLE;
    int mark = bar->mark == CHART_NONE ? -1 : bar->mark * (columns - 1) / CHART_WHOLE;
    begin(out, ink, tones[bar->tone]);
    for (int i = 0; i < columns; i++) {
        int here = filled - i * EIGHTHS;
        fputs(i == mark ? "┃" : here >= EIGHTHS ? "█" : parts[here > 0 ? here : 0], out);
    }
    ink_end(out, ink);
}

void ink_spark(FILE *out, enum ink ink, const int *levels, size_t count)
{
    static const char *const steps[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    begin(out, ink, "34");
    for (size_t i = 0; i < count; i++)
        fputs(levels[i] == CHART_NONE ? "·" : steps[levels[i] * 7 / CHART_WHOLE], out);
    ink_end(out, ink);
}

static void label(FILE *out, const char *text)
{
    int taken = (int)words_width(text);
    fprintf(out, "  %s%*s", text, taken < LABEL ? LABEL - taken : 0, "");
}

void ink_chart(FILE *out, enum ink ink, const struct chart *chart)
{
    if (chart->bars + chart->sparks == 0)
        return;
    fprintf(out, "%s\n\n", chart->title);
    for (size_t i = 0; i < chart->bars; i++) {
        label(out, chart->bar[i].label);
        ink_bar(out, ink, &chart->bar[i], INK_BAR);
        fprintf(out, "  %s\n", chart->bar[i].text);
    }
    for (size_t i = 0; i < chart->sparks; i++) {
        label(out, chart->spark[i].label);
        ink_spark(out, ink, chart->spark[i].level, INK_SPARK);
        int taken = (int)words_width(chart->span);
        fprintf(out, " %s%*s  %s\n", chart->span, INK_BAR - INK_SPARK - 1 - taken, "",
                chart->spark[i].text);
    }
    fputc('\n', out);
}

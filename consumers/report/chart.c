#include "consumers/report/chart.h"

#include "consumers/comparison/metrics.h"
#include "consumers/comparison/reasons.h"
#include "consumers/report/sheet.h"

#include <stdio.h>
#include <string.h>

static const char *const titles[LANGUAGES] = {"At a glance", "Dintr-o privire"};
static const char *const spans[LANGUAGES][PERIOD_KINDS] = {
    {"12 days", "12 weeks", "12 months", "12 quarters", "12 years"},
    {"12 zile", "12 săptămâni", "12 luni", "12 trimestre", "12 ani"}};

/* Hundredths of a published number. */
static bool hundredths(const char *value, __int128 *out)
{
    int64_t units;
    int decimals;
    if (!words_parse(value, &units, &decimals) || decimals > 2)
        return false;
    *out = (__int128)units * (decimals == 0 ? 100 : decimals == 1 ? 10 : 1);
    return true;
}

static int within(__int128 value)
{
    return value < 0 ? 0 : value > CHART_WHOLE ? CHART_WHOLE : (int)value;
}

/* "87.50" of a hundred -> 875. */
static int share(const char *percent)
{
    __int128 value;
    return hundredths(percent, &value) ? within(value / 10) : CHART_NONE;
}

static struct chart_bar *add_bar(struct chart *chart, const struct fields *fields, const char *name,
                                 enum language language)
{
    const struct metric *metric = metrics_find(text_of(name));
    const char *value = fields_value(fields, name), *colon = strchr(name, ':');
    int length = share(value);
    if (length == CHART_NONE || chart->bars == CHART_BARS)
        return NULL;
    struct chart_bar *bar = &chart->bar[chart->bars++];
    *bar = (struct chart_bar){.value = length, .mark = CHART_NONE};
    snprintf(bar->label, sizeof bar->label, "%s", metric->label[language]);
    words_metric(language, metric, colon ? colon + 1 : "", value, bar->text);
    return bar;
}

/* "attainment_pct:gross_profit:EUR": where it is, and where the clock is. Reached to pace is as what
 * has passed of the period to all of it. */
static void add_target(struct chart *chart, const struct fields *fields, const char *name,
                       enum language language)
{
    char pace_name[80];
    const char *measure = strchr(name, ':') + 1, *colon = strchr(measure, ':');
    __int128 reached, pace;
    struct chart_bar *bar = add_bar(chart, fields, name, language);
    const struct metric *metric = metrics_find(text_of(measure));
    if (!bar || !metric)
        return;
    snprintf(bar->label, sizeof bar->label, "%s%s%.16s", metric->label[language], colon ? " " : "",
             colon ? colon + 1 : "");
    snprintf(pace_name, sizeof pace_name, "pace_pct:%.64s", measure);
    if (!hundredths(fields_value(fields, name), &reached) ||
        !hundredths(fields_value(fields, pace_name), &pace))
        return;
    bar->tone = pace >= 10000 ? CHART_GOOD : CHART_BAD;
    if (pace > 0)
        bar->mark = within(reached * CHART_WHOLE / pace);
}

static void add_targets(struct chart *chart, const struct fields *fields, enum language language)
{
    const char *measure = "";
    while (chart->bars < 3 && (measure = sheet_suffix(fields, "target:", measure))) {
        char name[80];
        snprintf(name, sizeof name, "attainment_pct:%.60s", measure);
        add_target(chart, fields, name, language);
    }
}

/* The floor of CSAT stands in the reasons. */
static void add_csat(struct chart *chart, const struct fields *fields, enum language language)
{
    struct chart_bar *bar = add_bar(chart, fields, "csat_pct", language);
    const char *text = fields_value(fields, "reasons");
    struct reason reason;
    while (bar && reasons_next(&text, &reason)) {
        if (strcmp(reason.metric, "csat_pct") == 0 && bar->mark == CHART_NONE) {
            bar->mark = share(reason.threshold);
            bar->tone = reason.op[0] == '<' ? CHART_BAD : CHART_GOOD;
        }
    }
}

/* Counts and money stand on zero; shares from their least to their greatest, at least ten points. */
static void level(struct chart_spark *spark, const struct trend_line *line, bool shares)
{
    __int128 value[TREND_PERIODS], low = 0, high = 0;
    bool any = false;
    for (size_t i = 0; i < TREND_PERIODS; i++) {
        bool known = hundredths(line->value[i], &value[i]);
        spark->level[i] = known ? 0 : CHART_NONE;
        if (!known)
            continue;
        low = (shares && !any) || value[i] < low ? value[i] : low;
        high = (shares && !any) || value[i] > high ? value[i] : high;
        any = true;
    }
    if (shares && high - low < 1000)
        low = high - 1000;
    for (size_t i = 0; i < TREND_PERIODS; i++)
        if (spark->level[i] != CHART_NONE && high > low)
            spark->level[i] = within((value[i] - low) * CHART_WHOLE / (high - low));
}

static void add_spark(struct chart *chart, const struct trend_line *line, enum language language)
{
    const struct metric *metric = metrics_find(text_of(line->metric));
    const char *colon = strchr(line->metric, ':');
    struct chart_spark *spark = &chart->spark[chart->sparks++];
    snprintf(spark->label, sizeof spark->label, "%s", metric->label[language]);
    words_metric(language, metric, colon ? colon + 1 : "", line->value[TREND_PERIODS - 1],
                 spark->text);
    level(spark, line, metric->kind == METRIC_PERCENT);
}

void chart_make(struct chart *chart, const struct fields *fields, const struct trend *trend,
                enum language language)
{
    static const char *const shares[] = {"ces_easy_pct", "first_contact_pct",
                                         "satisfied_return_pct", "dissatisfied_return_pct"};
    memset(chart, 0, sizeof *chart);
    chart->title = titles[language];
    chart->span = trend ? spans[language][trend->last.kind] : "";
    add_targets(chart, fields, language);
    add_csat(chart, fields, language);
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
        add_bar(chart, fields, shares[i], language);
    for (size_t i = 0; trend && i < trend->lines; i++)
        add_spark(chart, &trend->line[i], language);
}

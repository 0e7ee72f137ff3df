/* A targets file as people read it. */
#include "consumers/comparison/targets_data.h"

#include "common/currency.h"
#include "consumers/report/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* One line of the list, as texts. */
struct line {
    char period[16], measure[32], amount[WORDS_MAX];
};

static void fill(const struct target *target, struct line *line)
{
    char plain[24];
    const struct metric *metric = metrics_find(text_of(measure_name(target->measure)));
    snprintf(plain, sizeof plain, "%" PRId64, target->amount);
    period_format(target->period, line->period);
    snprintf(line->measure, sizeof line->measure, "%s", metric->label[LANGUAGE_EN]);
    words_metric(LANGUAGE_EN, metric, target->currency < 0 ? "" : currency_code(target->currency),
                 plain, line->amount);
}

/* "1,800,000.00 RON" and "40" end in one column when the figures do: nouns stand behind. */
static size_t figures(const char *amount)
{
    return strcspn(amount, " ");
}

static void print_list(const struct targets *targets, FILE *out)
{
    size_t scope_width = 5, figure_width = 6;
    struct line line;
    for (size_t i = 0; i < targets->count; i++) {
        size_t scope = strlen(targets->list[i].scope);
        fill(&targets->list[i], &line);
        scope_width = scope > scope_width ? scope : scope_width;
        if (figures(line.amount) > figure_width)
            figure_width = figures(line.amount);
    }
    fprintf(out, "%-*s  %-10s  %-12s  %*s\n", (int)scope_width, "Scope", "Period", "Measure",
            (int)figure_width, "Amount");
    for (size_t i = 0; i < targets->count; i++) {
        fill(&targets->list[i], &line);
        fprintf(out, "%-*s  %-10s  %-12s  %*s\n", (int)scope_width, targets->list[i].scope,
                line.period, line.measure,
                (int)(figure_width + strlen(line.amount) - figures(line.amount)), line.amount);
    }
}

static void print_pace(const struct targets *targets, FILE *out)
{
    static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    char date[11];
    fputs("Pace: a day weighs", out);
    for (int i = 0; i < 7; i++)
        fprintf(out, "%s %s %d", i ? "," : "", days[i], targets->weights[i]);
    fputs(".\n", out);
    for (size_t i = 0; i < targets->holiday_count; i++)
        fprintf(out, "%s%s%s",
                i == 0  ? "Holidays, which weigh 0: "
                : i % 5 ? ", "
                        : ",\n  ",
                calendar_format_date(targets->holidays[i], date),
                i + 1 == targets->holiday_count ? ".\n" : "");
}

static void print_slo(const struct slo *slo, FILE *out)
{
    char plain[40], text[WORDS_MAX];
    enum metric_kind kind = slo->metric->kind;
    if (metric_scale(kind) == 1 || kind == METRIC_MEAN_SECONDS)
        snprintf(plain, sizeof plain, "%" PRId64, slo->threshold);
    else
        metric_format_hundredths(slo->threshold, plain);
    fprintf(out, "  %s %s %s\n", slo->metric->name, slo->is_max ? "at most" : "at least",
            words_metric(LANGUAGE_EN, slo->metric, "", plain, text));
}

static void print_service(const struct service_rules *service, FILE *out)
{
    char floor[40], slip[40];
    fprintf(out,
            "Service has no target while customers are content:\n"
            "  CSAT at least %s %%, judged from %" PRId64 " ratings on\n",
            metric_format_hundredths(service->csat_floor_bp, floor), service->min_ratings);
    if (service->has_nps_floor)
        fprintf(out, "  NPS at least %s\n", metric_format_hundredths(service->nps_floor_bp, floor));
    fprintf(out, "  CSAT less than %s points under the period before\n",
            metric_format_hundredths(service->slip_bp, slip));
    for (size_t i = 0; i < service->slo_count; i++)
        print_slo(&service->slo[i], out);
}

void targets_print(const struct targets *targets, FILE *out)
{
    static const struct targets usual = {.weights = TARGETS_WEIGHTS, .service = TARGETS_SERVICE};
    targets = targets ? targets : &usual;
    if (targets->count)
        print_list(targets, out);
    else
        fputs("No sales targets.\n", out);
    fputc('\n', out);
    print_pace(targets, out);
    fputc('\n', out);
    print_service(&targets->service, out);
}

/* Sum of the targets of regions in the same period, measure and currency; 0 when there are none. */
static __int128 sum_of_regions(const struct targets *targets, const struct target *whole)
{
    __int128 sum = 0;
    for (size_t i = 0; i < targets->count; i++) {
        struct target same = targets->list[i];
        if (strncmp(same.scope, "region=", 7) != 0)
            continue;
        same.scope = whole->scope;
        if (targets_compare(&same, whole) == 0)
            sum += targets->list[i].amount;
    }
    return sum;
}

static int warn_of(const struct targets *targets, const struct target *whole, struct sentences *out,
                   struct error *err)
{
    struct line of_all, of_regions;
    struct target regions = *whole;
    __int128 sum = sum_of_regions(targets, whole);
    if (sum == 0 || sum == whole->amount)
        return 0;
    regions.amount = sum > INT64_MAX ? INT64_MAX : (int64_t)sum;
    fill(whole, &of_all);
    fill(&regions, &of_regions);
    return sentences_add(
        out, err,
        "%s of %s: the whole should reach %s, its regions together %s; each target "
        "counts for itself",
        of_all.measure, of_all.period, of_all.amount, of_regions.amount);
}

int targets_warnings(const struct targets *targets, struct sentences **out, struct error *err)
{
    if (sentences_open(out, err))
        return -1;
    for (size_t i = 0; i < targets_count(targets); i++) {
        if (strcmp(targets->list[i].scope, "all") == 0 &&
            warn_of(targets, &targets->list[i], *out, err)) {
            sentences_free(*out);
            *out = NULL;
            return -1;
        }
    }
    return 0;
}

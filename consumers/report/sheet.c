#include "consumers/report/sheet.h"

#include "common/currency.h"
#include "consumers/comparison/metrics.h"
#include "consumers/comparison/reasons.h"
#include "consumers/comparison/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the rows hold. A cell is an optional note and the names of its metrics; '*' in their place
 * stands for the lines made by add_sale_target() and add_service_target(). */
static const struct row_form {
    const char *key;
    const char *label[LANGUAGES];
    enum sheet_group group;
    struct cell_form {
        const char *note[LANGUAGES];
        const char *metrics;
    } cell[SHEET_SIDES];
} forms[SHEET_ROWS] = {
    {"purpose",
     {"Purpose", "Scop"},
     SHEET_DIFFERENCES,
     {{{NULL, NULL}, "gross_profit margin_pct cost_coverage_pct"},
      {{NULL, NULL}, "csat_pct csat_n honoured_pct"}}},
    {"target", {"Target", "Țintă"}, SHEET_DIFFERENCES, {{{NULL, NULL}, "*"}, {{NULL, NULL}, "*"}}},
    {"new_customers",
     {"New customers", "Clienți noi"},
     SHEET_DIFFERENCES,
     {{{"sought actively", "căutați activ"}, "customers_new interactions_prospect"},
      {{"earned by goodwill", "câștigați prin bunăvoință"},
       "converted_by_service referred_by_service"}}},
    {"happiness",
     {"Customer happiness and satisfaction", "Fericirea și satisfacția clienților"},
     SHEET_DIFFERENCES,
     {{{"an effect, not an aim", "efect, nu scop"}, "refund_pct dissatisfied_return_pct"},
      {{NULL, NULL},
       "csat_pct csat_mean nps ces_easy_pct first_contact_pct satisfied_return_pct"}}},
    {"interaction",
     {"Interaction with the customer", "Interacțiunea cu clientul"},
     SHEET_DIFFERENCES,
     {{{"before the sale", "înainte de vânzare"}, "interacted_pct"},
      {{"after the sale", "după vânzare"}, "after_pct"}}},
    {"repeat",
     {"Repeat sales", "Vânzări repetate"},
     SHEET_SIMILARITIES,
     {{{NULL, NULL}, "repeat_pct"},
      {{"correlation, not cause", "corelație, nu cauză"}, "after_service_pct"}}},
    {"continuity",
     {"Business continuity", "Continuitatea afacerii"},
     SHEET_SIMILARITIES,
     {{{NULL, NULL}, "retention_pct revenue_change_pct"},
      {{NULL, NULL}, "assisted_revenue resolution_p90"}}},
    {"indirect",
     {"Indirect (referred) customers", "Clienți indirecți (recomandați)"},
     SHEET_SIMILARITIES,
     {{{NULL, NULL}, "referred_by_sale converted_by_sale"},
      {{NULL, NULL}, "referred_by_service converted_by_service"}}},
};

static const char *const titles[LANGUAGES] = {"Sale versus service: comparison table",
                                              "Vânzare versus service: tabel de comparație"};
static const char *const columns[LANGUAGES][3] = {{"Axis", "Sale", "Service"},
                                                  {"Criteriu", "Vânzare", "Service"}};
static const char *const group_labels[LANGUAGES][SHEET_GROUPS] = {{"Differences", "Similarities"},
                                                                  {"Diferențe", "Asemănări"}};
static const char *const closings[LANGUAGES] = {"A business needs both.",
                                                "O afacere are nevoie de ambele."};
static const char *const no_verdicts[LANGUAGES] = {"No verdict.", "Fără verdict."};
static const char *const of_target[LANGUAGES] = {"of target", "din țintă"};
static const char *const no_target_needed[LANGUAGES] = {"none, customers are content",
                                                        "fără țintă, clienții sunt mulțumiți"};
static const char *const needed_label[LANGUAGES] = {"ratings 4-5 needed", "note de 4-5 necesare"};
static const char *const early[LANGUAGES] = {"provisional: under a tenth of the period has passed",
                                             "provizoriu: a trecut sub o zecime din perioadă"};

/* Making one table. */
struct maker {
    struct sheet *sheet;
    const struct fields *fields;
    enum language language;
    struct error *err;
};

static struct sheet_line *add_line(struct maker *maker, struct sheet_cell *cell)
{
    if (cell->count == cell->room) {
        size_t room = cell->room ? cell->room * 2 : 8;
        struct sheet_line *lines = realloc(cell->lines, room * sizeof *lines);
        if (!lines) {
            error_memory(maker->err);
            return NULL;
        }
        cell->lines = lines;
        cell->room = room;
    }
    struct sheet_line *line = &cell->lines[cell->count++];
    memset(line, 0, sizeof *line);
    return line;
}

static int add_note(struct maker *maker, struct sheet_cell *cell, const char *text)
{
    struct sheet_line *line = add_line(maker, cell);
    if (!line)
        return -1;
    snprintf(line->text, sizeof line->text, "%s", text);
    return 0;
}

/* Adds a line of a published field: its label, with `tail` behind, and its value for people. */
static struct sheet_line *add_field(struct maker *maker, struct sheet_cell *cell,
                                    const struct metric *metric, const char *suffix,
                                    const char *tail)
{
    struct sheet_line *line = add_line(maker, cell);
    if (!line)
        return NULL;
    snprintf(line->metric, sizeof line->metric, "%s%s%s", metric->name, *suffix ? ":" : "", suffix);
    snprintf(line->label, sizeof line->label, "%s%s%s", metric->label[maker->language],
             *tail ? " " : "", tail);
    line->raw = fields_value(maker->fields, line->metric);
    words_metric(maker->language, metric, suffix, line->raw, line->text);
    return line;
}

/* Currencies */

static const char *value_of(const struct fields *fields, const char *name, const char *currency)
{
    char full[64];
    snprintf(full, sizeof full, "%s:%.16s", name, currency);
    return fields_value(fields, full);
}

static bool is_undefined(const char *value)
{
    return strcmp(value, FIELDS_UNDEFINED) == 0;
}

/* Nothing was sold or given back in it, and nothing was meant to be. */
static bool is_idle(const struct fields *fields, const char *currency)
{
    return strcmp(value_of(fields, "revenue", currency), "0") == 0 &&
           is_undefined(value_of(fields, "average_order", currency)) &&
           is_undefined(value_of(fields, "target:gross_profit", currency)) &&
           is_undefined(value_of(fields, "target:revenue", currency));
}

/* What follows `prefix` in the names of fields, in ascending order whatever theirs is (a hash of
 * Redis has none): the next one after `last`, "" to begin with. NULL at the end. */
const char *sheet_suffix(const struct fields *fields, const char *prefix, const char *last)
{
    const char *next = NULL;
    for (size_t i = 0; i < fields_count(fields); i++) {
        const char *name = fields_at(fields, i).name;
        if (strncmp(name, prefix, strlen(prefix)) != 0)
            continue;
        name += strlen(prefix);
        if (strcmp(name, last) > 0 && (!next || strcmp(name, next) < 0))
            next = name;
    }
    return next;
}

const char *sheet_currency(const struct fields *fields, const char *last)
{
    do
        last = sheet_suffix(fields, "revenue:", last);
    while (last && is_idle(fields, last));
    return last;
}

/* One line a currency; money names its own, other values need it said when there are several. When
 * all are idle the first stands for them. */
static int add_by_currency(struct maker *maker, struct sheet_cell *cell,
                           const struct metric *metric)
{
    const struct fields *fields = maker->fields;
    const char *currency = sheet_currency(fields, "");
    bool several = currency && sheet_currency(fields, currency);
    if (!currency) {
        currency = sheet_suffix(fields, "revenue:", "");
        return add_field(maker, cell, metric, currency ? currency : "", "") ? 0 : -1;
    }
    for (; currency; currency = sheet_currency(fields, currency)) {
        bool say = several && metric->kind != METRIC_MONEY;
        if (!add_field(maker, cell, metric, currency, say ? currency : ""))
            return -1;
    }
    return 0;
}

/* The row of targets */

static int add_target(struct maker *maker, struct sheet_cell *cell, const char *measure,
                      bool several)
{
    static const char *const names[] = {"attainment_pct", "pace_pct", "gap"};
    struct sheet_line *line = NULL;
    const struct metric *metric = metrics_find(text_of(measure));
    if (several && metric) {
        char head[WORDS_MAX];
        const char *colon = strchr(measure, ':');
        snprintf(head, sizeof head, "%s%s%.16s", metric->label[maker->language], colon ? " " : "",
                 colon ? colon + 1 : "");
        if (add_note(maker, cell, head))
            return -1;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        line = add_field(maker, cell, metrics_find(text_of(names[i])), measure, "");
        if (!line)
            return -1;
        if (i == 0 && !is_undefined(line->raw)) {
            size_t length = strlen(line->text);
            snprintf(line->text + length, sizeof line->text - length, " %s",
                     of_target[maker->language]);
        }
    }
    return 0;
}

static int add_sale_target(struct maker *maker, struct sheet_cell *cell)
{
    const struct fields *fields = maker->fields;
    const char *state = fields_value(fields, "sale_state");
    const char *measure = sheet_suffix(fields, "target:", "");
    bool any = measure, several = any && sheet_suffix(fields, "target:", measure);
    if (add_note(maker, cell, words_sale_state(maker->language, state)))
        return -1;
    for (; measure; measure = sheet_suffix(fields, "target:", measure))
        if (add_target(maker, cell, measure, several))
            return -1;
    if (any && strcmp(fields_value(fields, "provisional"), "1") == 0)
        return add_note(maker, cell, early[maker->language]);
    return 0;
}

static int add_service_target(struct maker *maker, struct sheet_cell *cell)
{
    const char *state = fields_value(maker->fields, "service_state");
    if (strcmp(state, "content") == 0)
        return add_note(maker, cell, no_target_needed[maker->language]);
    if (add_note(maker, cell, words_service_state(maker->language, state)))
        return -1;
    if (strcmp(state, "unhappy") != 0)
        return 0;
    struct sheet_line *line = add_line(maker, cell);
    if (!line)
        return -1;
    snprintf(line->metric, sizeof line->metric, "ratings_needed");
    snprintf(line->label, sizeof line->label, "%s", needed_label[maker->language]);
    line->raw = fields_value(maker->fields, "ratings_needed");
    words_number(maker->language, line->raw, line->text);
    return 0;
}

/* Rows */

static int add_metrics(struct maker *maker, struct sheet_cell *cell, const char *names)
{
    while (*names) {
        struct text name = {names, strcspn(names, " ")};
        const struct metric *metric = metrics_find(name);
        names += name.len + strspn(names + name.len, " ");
        if (metric->group == METRIC_CURRENCY ? add_by_currency(maker, cell, metric)
                                             : !add_field(maker, cell, metric, "", ""))
            return -1;
    }
    return 0;
}

static int fill_cell(struct maker *maker, const struct row_form *form, enum sheet_side side,
                     struct sheet_cell *cell)
{
    const char *note = form->cell[side].note[maker->language];
    if (*form->cell[side].metrics == '*')
        return side == SHEET_SALE ? add_sale_target(maker, cell) : add_service_target(maker, cell);
    if (note && add_note(maker, cell, note))
        return -1;
    return add_metrics(maker, cell, form->cell[side].metrics);
}

static int fill_rows(struct maker *maker)
{
    for (size_t i = 0; i < SHEET_ROWS; i++) {
        struct sheet_row *row = &maker->sheet->row[i];
        row->key = forms[i].key;
        row->label = forms[i].label[maker->language];
        row->group = forms[i].group;
        for (enum sheet_side side = SHEET_SALE; side < SHEET_SIDES; side++)
            if (fill_cell(maker, &forms[i], side, &row->cell[side]))
                return -1;
    }
    return 0;
}

/* Verdict */

/* What is counted behind a metric: "42 ratings", or "n = 42". */
static void say_n(enum language language, const struct metric *metric, const char *n,
                  char out[WORDS_MAX])
{
    const char *base = metric && metric->n ? metric->n : "orders";
    char number[WORDS_MAX], *end = NULL;
    long long count = strtoll(n, &end, 10);
    if (*end)
        snprintf(out, WORDS_MAX, "n = " WORDS_DASH);
    else if (strcmp(base, "csat_n") == 0 || strcmp(base, "nps_n") == 0 ||
             strcmp(base, "ces_n") == 0)
        words_count(language, count, NOUN_RATINGS, out);
    else if (strcmp(base, "orders") == 0 || strcmp(base, "sale.orders") == 0)
        words_count(language, count, NOUN_ORDERS, out);
    else if (strcmp(base, "opened") == 0 || strcmp(base, "resolved") == 0)
        words_count(language, count, NOUN_TICKETS, out);
    else
        snprintf(out, WORDS_MAX, "n = %.64s", words_number(language, n, number));
}

/* The two clauses that are about no metric. */
static const struct {
    const char *name, *text[LANGUAGES];
} bare_reasons[] = {
    {"targets", {"no target is set", "nu este stabilită nicio țintă"}},
    {"elapsed_weight", {"no working time has passed yet", "încă nu a trecut timp de lucru"}},
};

/* "EUR" of "pace_pct:revenue:EUR" is told by its label: "pace, revenue EUR". */
static void say_label(enum language language, const struct metric *metric, const char *suffix,
                      char out[WORDS_MAX])
{
    const struct metric *measure = *suffix ? metrics_find(text_of(suffix)) : NULL;
    const char *colon = strchr(suffix, ':');
    if (measure)
        snprintf(out, WORDS_MAX, "%s, %s%s%.16s", metric->label[language], measure->label[language],
                 colon ? " " : "", colon ? colon + 1 : "");
    else
        snprintf(out, WORDS_MAX, "%s%s%.32s", metric->label[language], *suffix ? " " : "", suffix);
}

static const char *sign_of(const char *op)
{
    return strcmp(op, "<=") == 0 ? "≤" : strcmp(op, ">=") == 0 ? "≥" : op;
}

static const char *bare_reason(enum language language, const char *name)
{
    for (size_t i = 0; i < sizeof bare_reasons / sizeof *bare_reasons; i++)
        if (strcmp(name, bare_reasons[i].name) == 0)
            return bare_reasons[i].text[language];
    return NULL;
}

static void say_reason(enum language language, const struct reason *reason, char *out, size_t room)
{
    char label[WORDS_MAX], value[WORDS_MAX], threshold[WORDS_MAX], n[WORDS_MAX];
    const struct metric *metric = metrics_find(text_of(reason->metric));
    const char *colon = strchr(reason->metric, ':'), *suffix = colon ? colon + 1 : "";
    const char *bare = bare_reason(language, reason->metric);
    say_n(language, metric, reason->n, n);
    if (bare) {
        snprintf(out, room, "%s (%s)", bare, n);
    } else if (!metric) {
        snprintf(out, room, "%s %s %s %s (%s)", reason->metric, reason->value, sign_of(reason->op),
                 reason->threshold, n);
    } else {
        say_label(language, metric, suffix, label);
        words_metric(language, metric, suffix, reason->value, value);
        words_metric(language, metric, suffix, reason->threshold, threshold);
        snprintf(out, room, "%s %s %s %s (%s)", label, value, sign_of(reason->op), threshold, n);
    }
}

static int fill_reasons(struct maker *maker)
{
    struct sheet *sheet = maker->sheet;
    const char *text = fields_value(maker->fields, "reasons");
    struct reason reason;
    while (reasons_next(&text, &reason)) {
        struct sheet_reason *reasons =
            realloc(sheet->reasons, (sheet->reason_count + 1) * sizeof *reasons);
        if (!reasons)
            return error_memory(maker->err);
        sheet->reasons = reasons;
        struct sheet_reason *added = &reasons[sheet->reason_count++];
        added->clause = reason;
        say_reason(maker->language, &reason, added->text, sizeof added->text);
    }
    return 0;
}

static void fill_verdict(struct maker *maker)
{
    struct sheet *sheet = maker->sheet;
    const char *code = fields_value(maker->fields, "verdict");
    const struct verdict *verdict = verdict_find(text_of(code));
    sheet->verdict = code;
    sheet->severity = fields_value(maker->fields, "severity");
    sheet->severity_word = words_severity(maker->language, sheet->severity);
    sheet->sentence = verdict ? verdict->sentence[maker->language] : no_verdicts[maker->language];
}

int sheet_open(struct sheet **out, const struct fields *fields, enum language language,
               struct error *err)
{
    struct sheet *sheet = calloc(1, sizeof *sheet);
    struct maker maker = {sheet, fields, language, err};
    if (!sheet)
        return error_memory(err);
    sheet->language = language;
    sheet->title = titles[language];
    sheet->closing = closings[language];
    memcpy(sheet->column, columns[language], sizeof sheet->column);
    memcpy(sheet->group_label, group_labels[language], sizeof sheet->group_label);
    fill_verdict(&maker);
    if (fill_rows(&maker) || fill_reasons(&maker)) {
        sheet_free(sheet);
        return -1;
    }
    *out = sheet;
    return 0;
}

void sheet_free(struct sheet *sheet)
{
    if (!sheet)
        return;
    for (size_t i = 0; i < SHEET_ROWS; i++)
        for (enum sheet_side side = SHEET_SALE; side < SHEET_SIDES; side++)
            free(sheet->row[i].cell[side].lines);
    free(sheet->reasons);
    free(sheet);
}

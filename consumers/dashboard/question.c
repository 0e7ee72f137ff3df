#include "consumers/dashboard/question.h"

#include "consumers/comparison/metrics.h"
#include "consumers/reporter/key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void question_begin(struct question *question)
{
    *question = (struct question){
        .current = true, .kind = PERIOD_MONTH, .scope = "all", .dimension = "region", .count = 12};
}

static bool only(struct text text, const char *allowed)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!text.at[i] || !strchr(allowed, text.at[i])) {
            return false;
        }
    }
    return text.len > 0;
}

#define DIGITS  "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static int take_period(struct question *q, struct text value, struct error *err)
{
    if (period_kind_parse(value, &q->kind)) {
        return 0;
    }
    q->current = false;
    if (period_parse(value, &q->period)) {
        q->kind = q->period.kind;
        return 0;
    }
    bool formed = value.len >= 4 && value.len <= 10 && only(value, DIGITS "-WQ") &&
                  only((struct text){value.at, 4}, DIGITS);
    return error_set(err, formed ? ERROR_INPUT : ERROR_USAGE,
                     formed ? "there is no such period"
                            : "period: not day, week, month, quarter, year or like 2026-11-23, "
                              "2026-W48, 2026-11, 2026-Q4, 2026");
}

static int take_scope(struct question *q, struct text value, struct error *err)
{
    if (!key_scope_valid(value)) {
        return error_set(err, ERROR_USAGE, "scope: neither all nor like region=west");
    }
    snprintf(q->scope, sizeof q->scope, "%.*s", TEXT_ARG(value));
    return 0;
}

static int take_dimension(struct question *q, struct text value, struct error *err)
{
    if (value.len > 71 || !only(value, LETTERS DIGITS "._-")) {
        return error_set(err, ERROR_USAGE, "dimension: not like region or labels.segment");
    }
    snprintf(q->dimension, sizeof q->dimension, "%.*s", TEXT_ARG(value));
    return 0;
}

static bool is_word(struct text name)
{
    return text_is(name, "sale_state") || text_is(name, "service_state") ||
           text_is(name, "verdict") || text_is(name, "severity");
}

static int take_metric(struct question *q, struct text name, struct error *err)
{
    if (q->metric_count == QUESTION_METRICS || name.len > 63 || !only(name, LETTERS DIGITS "_:")) {
        return error_set(err, ERROR_USAGE, "metrics: at most %d names, joined by commas",
                         QUESTION_METRICS);
    }
    if (!metrics_find(name) && !is_word(name)) {
        return error_set(err, ERROR_INPUT, "there is no metric %.*s", TEXT_ARG(name));
    }
    snprintf(q->metrics[q->metric_count++], 64, "%.*s", TEXT_ARG(name));
    return 0;
}

static int take_metrics(struct question *q, struct text value, struct error *err)
{
    struct error first = {0};
    while (value.at) {
        const char *comma = value.len ? memchr(value.at, ',', value.len) : NULL;
        struct text name = {value.at, comma ? (size_t)(comma - value.at) : value.len};
        struct error own = {0};
        if (take_metric(q, name, &own) != 0 && first.code != ERROR_USAGE) {
            first = own; /* a mistake of form tells more */
        }
        value = comma ? (struct text){comma + 1, value.len - name.len - 1} : (struct text){0};
    }
    return first.code ? error_set(err, first.code, "%s", first.text) : 0;
}

static int take_count(struct question *q, struct text value, struct error *err)
{
    char digits[8] = "";
    if (value.len <= 3 && only(value, DIGITS) && value.at[0] != '0') {
        snprintf(digits, sizeof digits, "%.*s", TEXT_ARG(value));
        q->count = atoi(digits);
    }
    if (!*digits || q->count < 1 || q->count > QUESTION_COUNT) {
        return error_set(err, ERROR_USAGE, "count: not a number of 1 to %d", QUESTION_COUNT);
    }
    return 0;
}

static int take_lang(struct question *q, struct text value, struct error *err)
{
    return language_parse(value, &q->language)
               ? 0
               : error_set(err, ERROR_USAGE, "lang: neither en nor ro");
}

static const struct part {
    const char *name;
    unsigned bit;
    int (*take)(struct question *, struct text, struct error *);
} parts[] = {
    {"period", ASK_PERIOD, take_period}, {"scope", ASK_SCOPE, take_scope},
    {"lang", ASK_LANG, take_lang},       {"metrics", ASK_METRICS, take_metrics},
    {"count", ASK_COUNT, take_count},    {"dimension", ASK_DIMENSION, take_dimension},
};

int question_take(struct question *question, unsigned allowed, const char *name, struct text value,
                  struct error *err)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const struct part *part = &parts[i];
        if (strcmp(part->name, name) != 0 || !(allowed & part->bit)) {
            continue;
        }
        if (question->seen & part->bit) {
            return error_set(err, ERROR_USAGE, "%s: stands twice", part->name);
        }
        question->seen |= part->bit;
        return part->take(question, value.at ? value : text_of(""), err);
    }
    return error_set(err, ERROR_USAGE, "there is no such parameter here");
}

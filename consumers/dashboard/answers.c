#include "consumers/dashboard/answers.h"

#include "common/clock.h"
#include "consumers/comparison/fields.h"
#include "consumers/comparison/metrics.h"
#include "consumers/dashboard/reading.h"
#include "consumers/dashboard/change.h"
#include "consumers/report/render.h"
#include "consumers/reporter/key.h"
#include "consumers/reporter/published.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int read_fields(const struct source *source, struct period period, const char *scope,
                       struct fields **out, struct error *err)
{
    char key[KEY_MAX], name[16];
    key_format(key, source->config->business, "comparison:%s:%s:%s", period_kind_name(period.kind),
               period_format(period, name), scope);
    return published_read(source->redis, key, out, err);
}

static void add_date(yyjson_mut_doc *doc, yyjson_mut_val *to, const char *name, int32_t day)
{
    char text[11];
    yyjson_mut_obj_add_strcpy(doc, to, name, calendar_format_date(day, text));
}

static void add_period(yyjson_mut_doc *doc, yyjson_mut_val *to, struct period period,
                       enum language language)
{
    char name[16], words[WORDS_MAX];
    yyjson_mut_obj_add_strcpy(doc, to, "period_kind", period_kind_name(period.kind));
    yyjson_mut_obj_add_strcpy(doc, to, "period", period_format(period, name));
    yyjson_mut_obj_add_strcpy(doc, to, "label", words_period(language, period, words));
    add_date(doc, to, "first_day", period.first);
    add_date(doc, to, "last_day", period.last);
}

/* A word of a state, with what people call it. */
static void add_state(yyjson_mut_doc *doc, yyjson_mut_val *to, const char *name, const char *code,
                      const char *text)
{
    yyjson_mut_val *state = yyjson_mut_obj_add_obj(doc, to, name);
    yyjson_mut_obj_add_strcpy(doc, state, "code", code);
    yyjson_mut_obj_add_strcpy(doc, state, "text", text);
}

static void add_states(yyjson_mut_doc *doc, yyjson_mut_val *to, const struct fields *fields,
                       enum language language)
{
    const char *sale = fields_value(fields, "sale_state");
    const char *service = fields_value(fields, "service_state");
    const char *severity = fields_value(fields, "severity");
    yyjson_mut_val *states = yyjson_mut_obj_add_obj(doc, to, "states");
    add_state(doc, states, "sale", sale, words_sale_state(language, sale));
    add_state(doc, states, "service", service, words_service_state(language, service));
    add_state(doc, states, "severity", severity, words_severity(language, severity));
}

static void add_metrics(yyjson_mut_doc *doc, yyjson_mut_val *to, const struct fields *fields,
                        const struct fields *before, bool closed, enum language language)
{
    yyjson_mut_val *metrics = yyjson_mut_obj_add_obj(doc, to, "metrics");
    for (size_t i = 0; i < fields_count(fields); i++) {
        struct field field = fields_at(fields, i);
        const struct metric *metric = metrics_find(text_of(field.name));
        if (metric) {
            const char *previous = before ? fields_value(before, field.name) : NULL;
            struct change change = {field, previous, metric, closed, language};
            yyjson_mut_obj_add(metrics, yyjson_mut_strcpy(doc, field.name),
                               change_describe(doc, &change));
        }
    }
}

static int add_table(yyjson_mut_doc *doc, yyjson_mut_val *to, const struct fields *fields,
                     enum language language, struct error *err)
{
    char *table = NULL;
    size_t length = 0;
    if (render_table_document(&table, &length, fields, language, err) != 0) {
        return -1;
    }
    yyjson_mut_obj_add(to, yyjson_mut_strcpy(doc, "table"), yyjson_mut_rawncpy(doc, table, length));
    free(table);
    return 0;
}

static int write_comparison(const struct source *source, const struct question *q,
                            struct period period, const struct fields *fields,
                            const struct fields *before, char **body, size_t *length,
                            struct error *err)
{
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    bool closed = strcmp(fields_value(fields, "closed"), "1") == 0;
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_strcpy(doc, root, "business", source->config->business);
    yyjson_mut_obj_add_strcpy(doc, root, "timezone", source->config->timezone);
    yyjson_mut_obj_add_strcpy(doc, root, "language", language_code(q->language));
    yyjson_mut_obj_add_strcpy(doc, root, "scope", q->scope);
    add_period(doc, root, period, q->language);
    add_date(doc, root, "today", reading_today(source));
    yyjson_mut_obj_add_bool(doc, root, "closed", closed);
    for (size_t i = 0; i < 2; i++) {
        const char *name = i ? "revision" : "as_of";
        yyjson_mut_obj_add(root, yyjson_mut_strcpy(doc, name),
                           reading_value(doc, name, fields_value(fields, name)));
    }
    yyjson_mut_val *previous = yyjson_mut_obj_add_obj(doc, root, "previous");
    add_period(doc, previous, period_previous(period), q->language);
    yyjson_mut_obj_add_bool(doc, previous, "published", before != NULL);
    add_states(doc, root, fields, q->language);
    add_metrics(doc, root, fields, before, closed, q->language);
    if (add_table(doc, root, fields, q->language, err) != 0) {
        yyjson_mut_doc_free(doc);
        return -1;
    }
    return reading_finish(doc, body, length, err);
}

int answer_comparison(const struct source *source, const struct question *q, char **body,
                      size_t *length, struct error *err)
{
    struct period period = reading_period(source, q);
    struct fields *fields = NULL, *before = NULL;
    if (read_fields(source, period, q->scope, &fields, err) != 0) {
        return -1;
    }
    int rc = -1;
    if (!fields) {
        char name[16];
        error_set(err, ERROR_INPUT, "nothing is published for %s of %s",
                  period_format(period, name), q->scope);
    } else if (read_fields(source, period_previous(period), q->scope, &before, err) == 0) {
        rc = write_comparison(source, q, period, fields, before, body, length, err);
    }
    fields_free(fields);
    fields_free(before);
    return rc;
}

/* Metrics of several comparisons */

static const char *const usual[] = {"orders", "csat_pct", "opened"};

struct choice {
    const char *names[QUESTION_METRICS + 1];
    size_t count;
};

static void choose(struct choice *choice, const struct question *q)
{
    size_t all = sizeof usual / sizeof *usual;
    choice->count = q->metric_count ? q->metric_count : all;
    for (size_t i = 0; i < choice->count; i++) {
        choice->names[i] = q->metric_count ? q->metrics[i] : usual[i];
    }
    choice->names[choice->count] = "as_of"; /* tells whether anything is published */
}

static void add_choice(yyjson_mut_doc *doc, yyjson_mut_val *to, const struct choice *choice,
                       enum language language)
{
    yyjson_mut_val *names = yyjson_mut_obj_add_arr(doc, to, "metrics");
    yyjson_mut_val *labels = yyjson_mut_obj_add_arr(doc, to, "labels");
    for (size_t i = 0; i < choice->count; i++) {
        const struct metric *metric = metrics_find(text_of(choice->names[i]));
        yyjson_mut_arr_add_strcpy(doc, names, choice->names[i]);
        yyjson_mut_arr_add_strcpy(doc, labels, metric ? metric->label[language] : choice->names[i]);
    }
}

static const char *text_of_value(enum language language, const char *name, const char *value,
                                 char out[WORDS_MAX])
{
    const struct metric *metric = metrics_find(text_of(name));
    const char *colon = strchr(name, ':');
    value = value ? value : FIELDS_UNDEFINED;
    if (metric) {
        return words_metric(language, metric, colon ? colon + 1 : "", value, out);
    }
    return strcmp(name, "sale_state") == 0      ? words_sale_state(language, value)
           : strcmp(name, "service_state") == 0 ? words_service_state(language, value)
           : strcmp(name, "severity") == 0      ? words_severity(language, value)
                                                : value;
}

static void add_row(yyjson_mut_doc *doc, yyjson_mut_val *row, const struct choice *choice,
                    const redisReply *reply, enum language language)
{
    char text[WORDS_MAX];
    yyjson_mut_obj_add_bool(doc, row, "published", reading_element(reply, choice->count) != NULL);
    yyjson_mut_val *values = yyjson_mut_obj_add_arr(doc, row, "values");
    yyjson_mut_val *texts = yyjson_mut_obj_add_arr(doc, row, "texts");
    for (size_t i = 0; i < choice->count; i++) {
        const char *value = reading_element(reply, i);
        yyjson_mut_arr_append(values, reading_value(doc, choice->names[i], value));
        yyjson_mut_arr_add_strcpy(doc, texts,
                                  text_of_value(language, choice->names[i], value, text));
    }
}

static int write_history(const struct question *q, const struct choice *choice,
                         const struct period *periods, redisReply **replies, size_t count,
                         char **body, size_t *length, struct error *err)
{
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_strcpy(doc, root, "scope", q->scope);
    yyjson_mut_obj_add_strcpy(doc, root, "period_kind", period_kind_name(periods[0].kind));
    add_choice(doc, root, choice, q->language);
    yyjson_mut_val *points = yyjson_mut_obj_add_arr(doc, root, "points");
    for (size_t i = 0; i < count; i++) {
        yyjson_mut_val *point = yyjson_mut_arr_add_obj(doc, points);
        add_period(doc, point, periods[i], q->language);
        add_row(doc, point, choice, replies[i], q->language);
    }
    return reading_finish(doc, body, length, err);
}

int answer_history(const struct source *source, const struct question *q, char **body,
                   size_t *length, struct error *err)
{
    size_t count = (size_t)q->count;
    struct choice choice;
    struct period period = reading_period(source, q), *periods = calloc(count, sizeof *periods);
    char(*keys)[KEY_MAX] = calloc(count, sizeof *keys), name[16];
    redisReply **replies = NULL;
    choose(&choice, q);
    int rc = periods && keys ? 0 : error_memory(err);
    for (size_t i = count; rc == 0 && i-- > 0; period = period_previous(period)) {
        periods[i] = period;
        key_format(keys[i], source->config->business, "comparison:%s:%s:%s",
                   period_kind_name(period.kind), period_format(period, name), q->scope);
    }
    if (rc == 0) {
        rc = reading_many(source, keys, count, choice.names, choice.count + 1, &replies, err);
    }
    if (rc == 0) {
        rc = write_history(q, &choice, periods, replies, count, body, length, err);
    }
    reading_free(replies, count);
    free(keys);
    free(periods);
    return rc;
}

/* A breakdown */

enum { VALUES_MAX = 1000 };

static int compare_values(const void *left, const void *right)
{
    const redisReply *const *a = left, *const *b = right;
    return strcmp((*a)->str, (*b)->str);
}

static int write_breakdown(const struct question *q, const struct choice *choice,
                           struct period period, const redisReply *values, redisReply **replies,
                           size_t count, char **body, size_t *length, struct error *err)
{
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_strcpy(doc, root, "dimension", q->dimension);
    add_period(doc, root, period, q->language);
    add_choice(doc, root, choice, q->language);
    yyjson_mut_obj_add_bool(doc, root, "complete", count == values->elements);
    yyjson_mut_val *rows = yyjson_mut_obj_add_arr(doc, root, "rows");
    for (size_t i = 0; i < count; i++) {
        yyjson_mut_val *row = yyjson_mut_arr_add_obj(doc, rows);
        yyjson_mut_obj_add_strcpy(doc, row, "value", values->element[i]->str);
        add_row(doc, row, choice, replies[i], q->language);
    }
    return reading_finish(doc, body, length, err);
}

int answer_breakdown(const struct source *source, const struct question *q, char **body,
                     size_t *length, struct error *err)
{
    struct choice choice;
    struct period period = reading_period(source, q);
    char key[KEY_MAX], name[16];
    redisReply *values = NULL, **replies = NULL;
    key_format(key, source->config->business, "scope:%s", q->dimension);
    if (redis_callf(source->redis, &values, err, "SMEMBERS %s", key) != REDIS_OK) {
        return -1;
    }
    choose(&choice, q);
    if (values->elements > 1) {
        qsort(values->element, values->elements, sizeof *values->element, compare_values);
    }
    size_t count = values->elements < VALUES_MAX ? values->elements : VALUES_MAX;
    char(*keys)[KEY_MAX] = calloc(count + 1, sizeof *keys);
    int rc = keys ? 0 : error_memory(err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        key_format(keys[i], source->config->business, "comparison:%s:%s:%s=%s",
                   period_kind_name(period.kind), period_format(period, name), q->dimension,
                   values->element[i]->str);
    }
    if (rc == 0) {
        rc = reading_many(source, keys, count, choice.names, choice.count + 1, &replies, err);
    }
    if (rc == 0) {
        rc = write_breakdown(q, &choice, period, values, replies, count, body, length, err);
    }
    reading_free(replies, count);
    freeReplyObject(values);
    free(keys);
    return rc;
}

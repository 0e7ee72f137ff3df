/* Answers made from counters of days and hours, and from the business's own keys. */
#include "common/clock.h"
#include "consumers/dashboard/answers.h"
#include "consumers/dashboard/reading.h"
#include "consumers/reporter/business.h"
#include "consumers/reporter/key.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ratings */

static const struct scale {
    const char *name;
    int least, most;
} scales[] = {{"csat", 1, 5}, {"nps", 0, 10}, {"ces", 1, 7}};

enum { SCORES = 5 + 11 + 7 };

static void name_scores(char names[SCORES][16], const char *fields[SCORES])
{
    size_t at = 0;
    for (size_t i = 0; i < 3; i++) {
        for (int score = scales[i].least; score <= scales[i].most; score++, at++) {
            snprintf(names[at], 16, "%s_%d", scales[i].name, score);
            fields[at] = names[at];
        }
    }
}

static int64_t number_at(const redisReply *reply, size_t i)
{
    const char *text = reading_element(reply, i);
    return text ? strtoll(text, NULL, 10) : 0;
}

static int write_ratings(const struct question *q, struct period period, redisReply **replies,
                         size_t count, char **body, size_t *length, struct error *err)
{
    char name[16];
    size_t at = 0;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_strcpy(doc, root, "scope", q->scope);
    yyjson_mut_obj_add_strcpy(doc, root, "period", period_format(period, name));
    for (size_t i = 0; i < 3; i++) {
        yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, scales[i].name);
        for (int score = scales[i].least; score <= scales[i].most; score++, at++) {
            int64_t sum = 0;
            for (size_t day = 0; day < count; day++) {
                sum += number_at(replies[day], at);
            }
            yyjson_mut_val *bar = yyjson_mut_arr_add_obj(doc, list);
            yyjson_mut_obj_add_int(doc, bar, "score", score);
            yyjson_mut_obj_add_int(doc, bar, "count", sum);
        }
    }
    return reading_finish(doc, body, length, err);
}

int answer_ratings(const struct source *source, const struct question *q, char **body,
                   size_t *length, struct error *err)
{
    struct period period = reading_period(source, q);
    size_t count = (size_t)(period.last - period.first + 1);
    char names[SCORES][16], date[11];
    const char *fields[SCORES];
    redisReply **replies = NULL;
    char(*keys)[KEY_MAX] = calloc(count, sizeof *keys);
    if (!keys) {
        return error_memory(err);
    }
    name_scores(names, fields);
    for (size_t i = 0; i < count; i++) {
        key_format(keys[i], source->config->business, "service:day:%s:%s",
                   calendar_format_date(period.first + (int32_t)i, date), q->scope);
    }
    int rc = reading_many(source, keys, count, fields, SCORES, &replies, err);
    if (rc == 0) {
        rc = write_ratings(q, period, replies, count, body, length, err);
    }
    reading_free(replies, count);
    free(keys);
    return rc;
}

/* Hours */

static const char *const hour_fields[] = {"orders", "opened", "csat_n", "resolved"};
enum { HOUR_FIELDS = 4, HOURS = 24 };

static int write_hours(int32_t day, bool kept, redisReply **replies, char **body, size_t *length,
                       struct error *err)
{
    char date[11];
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_strcpy(doc, root, "day", calendar_format_date(day, date));
    yyjson_mut_obj_add_bool(doc, root, "kept", kept);
    yyjson_mut_val *hours = yyjson_mut_obj_add_arr(doc, root, "hours");
    for (int hour = 0; hour < HOURS; hour++) {
        yyjson_mut_val *made = yyjson_mut_arr_add_obj(doc, hours);
        yyjson_mut_obj_add_int(doc, made, "hour", hour);
        yyjson_mut_obj_add_int(doc, made, "orders", number_at(replies[hour], 0));
        for (size_t i = 1; i < HOUR_FIELDS; i++) {
            yyjson_mut_obj_add_int(doc, made, hour_fields[i], number_at(replies[HOURS + hour], i));
        }
    }
    return reading_finish(doc, body, length, err);
}

int answer_hours(const struct source *source, const struct question *q, char **body, size_t *length,
                 struct error *err)
{
    char keys[2 * HOURS][KEY_MAX], date[11];
    int32_t today = reading_today(source), day = q->current ? today : q->period.last;
    redisReply **replies = NULL;
    if (!q->current && q->period.kind != PERIOD_DAY) {
        return error_set(err, ERROR_INPUT, "hours are of a day: 2026-11-23");
    }
    calendar_format_date(day, date);
    for (int i = 0; i < 2 * HOURS; i++) {
        key_format(keys[i], source->config->business, "%s:hour:%sT%02d:all",
                   i < HOURS ? "sale" : "service", date, i % HOURS);
    }
    if (reading_many(source, keys, 2 * HOURS, hour_fields, HOUR_FIELDS, &replies, err) != 0) {
        return -1;
    }
    int rc = write_hours(day, day > today - 14, replies, body, length, err);
    reading_free(replies, 2 * HOURS);
    return rc;
}

/* The business */

static void add_words(yyjson_mut_doc *doc, yyjson_mut_val *to, const struct words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        yyjson_mut_arr_add_strcpy(doc, to, words->list[i]);
    }
}

static void add_day(yyjson_mut_doc *doc, yyjson_mut_val *to, const char *name, bool known,
                    int32_t day)
{
    char date[11];
    if (known) {
        yyjson_mut_obj_add_strcpy(doc, to, name, calendar_format_date(day, date));
    } else {
        yyjson_mut_obj_add_null(doc, to, name);
    }
}

static void add_dimensions(yyjson_mut_doc *doc, yyjson_mut_val *to, const char *scopes)
{
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, to, "dimensions");
    while (*scopes) {
        size_t len = strcspn(scopes, ",");
        yyjson_mut_arr_add_strncpy(doc, list, scopes, len);
        scopes += len + (scopes[len] == ',');
    }
}

int answer_scopes(const struct source *source, const struct question *q, char **body,
                  size_t *length, struct error *err)
{
    struct business business;
    (void)q;
    if (business_read(&business, source->redis, source->config, err) != 0) {
        return -1;
    }
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_strcpy(doc, root, "business", source->config->business);
    yyjson_mut_obj_add_strcpy(doc, root, "timezone", source->config->timezone);
    add_day(doc, root, "today", true, reading_today(source));
    add_day(doc, root, "first_day", business.has_range, business.from);
    add_day(doc, root, "last_day", business.has_range, business.until);
    yyjson_mut_obj_add_bool(doc, root, "customers", business.customers);
    add_dimensions(doc, root, source->config->scopes);
    add_words(doc, yyjson_mut_obj_add_arr(doc, root, "scopes"), &business.scopes);
    add_words(doc, yyjson_mut_obj_add_arr(doc, root, "currencies"), &business.currencies);
    business_clear(&business);
    return reading_finish(doc, body, length, err);
}

int answer_targets(const struct source *source, const struct question *q, char **body,
                   size_t *length, struct error *err)
{
    char key[KEY_MAX];
    redisReply *reply = NULL;
    (void)q;
    key_format(key, source->config->business, "targets");
    if (redis_callf(source->redis, &reply, err, "GET %s", key) != REDIS_OK) {
        return -1;
    }
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    /* It was checked when it was put there; it is parsed again, since anybody may have changed it. */
    yyjson_doc *file = reply->str ? yyjson_read(reply->str, reply->len, 0) : NULL;
    yyjson_mut_val *copy =
        file ? yyjson_val_mut_copy(doc, yyjson_doc_get_root(file)) : yyjson_mut_null(doc);
    yyjson_mut_obj_add(root, yyjson_mut_str(doc, "targets"), copy);
    yyjson_doc_free(file);
    freeReplyObject(reply);
    return reading_finish(doc, body, length, err);
}

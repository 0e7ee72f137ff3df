#include "consumers/dashboard/reading.h"

#include "common/clock.h"
#include "consumers/comparison/fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { IN_FLIGHT = 200 };

int32_t reading_today(const struct source *source)
{
    return zone_day(source->zone, clock_wall_ms() / 1000);
}

struct period reading_period(const struct source *source, const struct question *question)
{
    return question->current ? period_of(question->kind, reading_today(source)) : question->period;
}

static int send_one(const struct source *source, const char *key, const char *const *fields,
                    size_t field_count, struct error *err)
{
    const char *argv[64] = {"HMGET", key};
    for (size_t i = 0; i < field_count && i < 62; i++) {
        argv[i + 2] = fields[i];
    }
    return redis_send(source->redis, err, (int)field_count + 2, argv, NULL) == REDIS_OK ? 0 : -1;
}

static int read_some(const struct source *source, char (*keys)[KEY_MAX], size_t count,
                     const char *const *fields, size_t field_count, redisReply **replies,
                     struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (send_one(source, keys[i], fields, field_count, err) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (redis_receive(source->redis, &replies[i], err) != REDIS_OK) {
            redis_disconnect(source->redis); /* answers may be under way */
            return -1;
        }
    }
    return 0;
}

int reading_many(const struct source *source, char (*keys)[KEY_MAX], size_t count,
                 const char *const *fields, size_t field_count, redisReply ***replies,
                 struct error *err)
{
    *replies = calloc(count + 1, sizeof **replies);
    if (!*replies) {
        return error_memory(err);
    }
    for (size_t at = 0; at < count; at += IN_FLIGHT) {
        size_t some = count - at < IN_FLIGHT ? count - at : IN_FLIGHT;
        if (read_some(source, keys + at, some, fields, field_count, *replies + at, err) != 0) {
            reading_free(*replies, count);
            *replies = NULL;
            return -1;
        }
    }
    return 0;
}

void reading_free(redisReply **replies, size_t count)
{
    for (size_t i = 0; replies && i < count; i++) {
        freeReplyObject(replies[i]);
    }
    free(replies);
}

const char *reading_element(const redisReply *reply, size_t i)
{
    if (!reply || reply->type != REDIS_REPLY_ARRAY || i >= reply->elements) {
        return NULL;
    }
    return reply->element[i]->type == REDIS_REPLY_STRING ? reply->element[i]->str : NULL;
}

/* As JSON writes numbers: no leading zeros, digits on both sides of the point. */
static bool is_number(const char *text)
{
    const char *p = text + (*text == '-');
    size_t whole = strspn(p, "0123456789");
    if (whole == 0 || whole > 30 || (whole > 1 && *p == '0')) {
        return false;
    }
    p += whole;
    if (*p == '.') {
        size_t digits = strspn(p + 1, "0123456789");
        p += digits ? digits + 1 : 0;
    }
    return *p == '\0';
}

yyjson_mut_val *reading_value(yyjson_mut_doc *doc, const char *name, const char *value)
{
    if (!value || strcmp(value, FIELDS_UNDEFINED) == 0) {
        return yyjson_mut_null(doc);
    }
    return is_number(value) && !fields_is_word(name) ? yyjson_mut_rawcpy(doc, value)
                                                     : yyjson_mut_strcpy(doc, value);
}

int reading_finish(yyjson_mut_doc *doc, char **body, size_t *length, struct error *err)
{
    /* What Redis holds may be anybody's: bytes that are no UTF-8 must not make the answer fail. */
    *body = yyjson_mut_write(doc, YYJSON_WRITE_ALLOW_INVALID_UNICODE, length);
    yyjson_mut_doc_free(doc);
    return *body ? 0 : error_memory(err);
}

bool reading_hundredths(const char *value, int64_t *out)
{
    if (!value || !is_number(value)) {
        return false;
    }
    char *end = NULL;
    errno = 0;
    long long whole = strtoll(value, &end, 10);
    long long part = 0;
    if (*end == '.') {
        size_t digits = strlen(end + 1);
        part = digits > 2 ? -1 : atoi(end + 1) * (digits == 1 ? 10 : 1);
    }
    if (errno || part < 0 || whole > INT64_MAX / 100 - 1 || whole < INT64_MIN / 100 + 1) {
        return false;
    }
    *out = whole * 100 + (*value == '-' ? -part : part);
    return true;
}

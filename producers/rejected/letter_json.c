#include "producers/rejected/letter_json.h"

#include "common/calendar.h"

#include <stdio.h>
#include <stdlib.h>

static json_t *base64(struct text bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = 0;
    char *out = malloc((bytes.len + 2) / 3 * 4 + 1);
    for (size_t i = 0; out && i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        unsigned a = (unsigned char)bytes.at[i];
        unsigned b = left > 1 ? (unsigned char)bytes.at[i + 1] : 0;
        unsigned c = left > 2 ? (unsigned char)bytes.at[i + 2] : 0;
        out[len++] = digits[a >> 2];
        out[len++] = digits[(a & 3) << 4 | b >> 4];
        out[len++] = left > 1 ? digits[(b & 15) << 2 | c >> 6] : '=';
        out[len++] = left > 2 ? digits[c & 63] : '=';
    }
    json_t *json = out ? json_stringn(out, len) : NULL;
    free(out);
    return json;
}

/* jansson takes no string that is not UTF-8. */
static int put_bytes(json_t *object, const char *name, struct text bytes)
{
    char other[40];
    if (!bytes.at) {
        return json_object_set_new(object, name, json_null());
    }
    json_t *json = json_stringn(bytes.at, bytes.len);
    if (json) {
        return json_object_set_new(object, name, json);
    }
    snprintf(other, sizeof other, "%s_base64", name);
    return json_object_set_new(object, other, base64(bytes));
}

static int put_headers(json_t *object, const struct record *record)
{
    json_t *list = json_array();
    if (json_object_set_new(object, "headers", list)) {
        return -1;
    }
    for (size_t i = 0; i < record->header_count; i++) {
        json_t *header = json_object();
        if (json_array_append_new(list, header) ||
            put_bytes(header, "name", record->headers[i].name) ||
            put_bytes(header, "value", record->headers[i].value)) {
            return -1;
        }
    }
    return 0;
}

static int put_whole(json_t *object, const struct letter *letter)
{
    return put_bytes(object, "event_key", letter->record.key) ||
           put_headers(object, &letter->record) || put_bytes(object, "value", letter->record.value);
}

json_t *letter_json(const struct letter *letter, bool whole)
{
    char time[32];
    json_t *object = json_object();
    struct text rejected = {NULL, 0};
    if (letter->rejected_ms >= 0) {
        rejected = text_of(calendar_format_time(letter->rejected_ms, time));
    }
    if (put_bytes(object, "key", letter->key) || put_bytes(object, "time", rejected) ||
        put_bytes(object, "reason", letter->reason) ||
        put_bytes(object, "detail", letter->detail) || put_bytes(object, "topic", letter->topic) ||
        json_object_set_new(object, "partition", json_integer(letter->partition)) ||
        json_object_set_new(object, "offset", json_integer(letter->offset)) ||
        put_bytes(object, "truncated", letter->truncated) || (whole && put_whole(object, letter))) {
        json_decref(object);
        return NULL;
    }
    return object;
}

/* decode - the C decoder as a filter, for tests that hold it against other opinions.
 *
 * One record a line of JSON on stdin, one verdict a line on stdout:
 * in  {"topic","timestamp","key"|"key_base64","headers":[[name,value|{"base64"}]],"value"|"value_base64"}
 * out {"verdict","reason","field","detail"} */
#include "common/event.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define HEADERS_MAX 64

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Decoded bytes, never NULL, the caller's to free. */
static struct text base64(const char *in)
{
    char *out = malloc(strlen(in) + 1);
    size_t len = 0;
    unsigned bits = 0;
    int have = 0;
    if (!out)
        abort();
    for (; *in && *in != '='; in++) {
        bits = bits << 6 | (unsigned)base64_digit(*in);
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[len++] = (char)(bits >> have & 255);
        }
    }
    return (struct text){out, len};
}

static struct text bytes_of(json_t *plain, json_t *encoded)
{
    if (json_is_string(encoded))
        return base64(json_string_value(encoded));
    if (!json_is_string(plain))
        return (struct text){0};
    size_t len = json_string_length(plain);
    char *copy = malloc(len + 1);
    if (!copy)
        abort();
    memcpy(copy, json_string_value(plain), len + 1);
    return (struct text){copy, len};
}

static void answer(enum verdict verdict, const struct rejection *why)
{
    bool rejected = verdict == VERDICT_REJECTED;
    json_t *out = json_pack("{s:s, s:s?, s:s?, s:s?}", "verdict", verdict_name(verdict), "reason",
                            rejected ? reject_name(why->reason) : NULL, "field",
                            rejected && why->field[0] ? why->field : NULL, "detail",
                            rejected ? why->detail : NULL);
    /* The field may hold a piece of a foreign name: packing fails on bytes that are not UTF-8. */
    if (!out)
        out = json_pack("{s:s, s:s?}", "verdict", verdict_name(verdict), "reason",
                        rejected ? reject_name(why->reason) : NULL);
    char *line = json_dumps(out, JSON_COMPACT);
    puts(line);
    free(line);
    json_decref(out);
}

static void decide(struct decoder *decoder, json_t *in)
{
    struct record_header headers[HEADERS_MAX];
    struct record record = {.offset = 0, .leader_epoch = -1, .headers = headers};
    struct event event;
    struct rejection why = {0};
    json_t *entry, *time = json_object_get(in, "timestamp");
    size_t i;
    const char *topic = json_string_value(json_object_get(in, "topic"));
    enum side side = topic && strstr(topic, "service") ? SIDE_SERVICE : SIDE_SALE;

    record.timestamp_ms = json_is_integer(time) ? json_integer_value(time) : -1;
    record.key = bytes_of(json_object_get(in, "key"), json_object_get(in, "key_base64"));
    record.value = bytes_of(json_object_get(in, "value"), json_object_get(in, "value_base64"));
    json_array_foreach(json_object_get(in, "headers"), i, entry)
    {
        json_t *value = json_array_get(entry, 1);
        if (record.header_count == HEADERS_MAX)
            break;
        headers[record.header_count++] = (struct record_header){
            text_of(json_string_value(json_array_get(entry, 0))),
            bytes_of(value, json_object_get(value, "base64"))};
    }
    answer(decoder_decode(decoder, &record, side, &event, &why), &why);
    for (i = 0; i < record.header_count; i++)
        free((void *)(uintptr_t)headers[i].value.at);
    free((void *)(uintptr_t)record.key.at);
    free((void *)(uintptr_t)record.value.at);
}

int main(void)
{
    struct decoder *decoder;
    struct error err;
    char *line = NULL;
    size_t room = 0;
    if (decoder_open(&decoder, "tandem.", &err) != 0) {
        fprintf(stderr, "decode: %s\n", err.text);
        return 1;
    }
    while (getline(&line, &room, stdin) > 0) {
        json_error_t problem;
        json_t *in = json_loads(line, JSON_ALLOW_NUL, &problem);
        if (!in) {
            fprintf(stderr, "decode: %s\n", problem.text);
            return 1;
        }
        decide(decoder, in);
        json_decref(in);
    }
    free(line);
    decoder_free(decoder);
    return 0;
}

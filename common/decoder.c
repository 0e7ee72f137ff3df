#include "common/calendar.h"
#include "common/event.h"
#include "common/event_data.h"
#include "common/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* A record may be at most this much later than Kafka's own time stamp for it. */
#define FUTURE_MS (300 * 1000)

#define MEDIA_JSON "application/json"
#define MEDIA_EVENT "application/cloudevents"

enum attribute {
    A_SPECVERSION, A_ID, A_SOURCE, A_TYPE, A_TIME, A_SUBJECT, A_PARTITIONKEY, A_DATACONTENTTYPE,
    ATTRIBUTES,
    A_DATA = ATTRIBUTES, A_DATA_BASE64, MEMBERS
};

static const char *const member_names[MEMBERS] = {
    "specversion", "id", "source", "type", "time", "subject", "partitionkey", "datacontenttype",
    "data", "data_base64",
};

/* An attribute, from wherever it stood. at NULL: absent. `wrong`: there, but not text. */
struct attribute_value {
    struct text text;
    bool wrong;
};

enum mode { MODE_UNKNOWN, MODE_STRUCTURED, MODE_BINARY, MODE_UNSUPPORTED };

struct decoder {
    char *prefix;
    size_t prefix_len;
    void *pool;                  /* yyjson's memory for one document of EVENT_BYTES_MAX */
    size_t pool_bytes;
    struct names members;
    struct event_data data;
    struct attribute_value attributes[ATTRIBUTES];
    yyjson_val *data_value;      /* of the record being decoded */
};

int decoder_open(struct decoder **out, const char *type_prefix, struct error *err)
{
    struct decoder *d = calloc(1, sizeof *d);
    *out = NULL;
    if (!d)
        return error_memory(err);
    d->pool_bytes = yyjson_read_max_memory_usage(EVENT_BYTES_MAX, 0) + 4096;
    d->pool = malloc(d->pool_bytes);
    d->prefix = strdup(type_prefix);
    if (!d->pool || !d->prefix) {
        decoder_free(d);
        return error_memory(err);
    }
    d->prefix_len = strlen(type_prefix);
    names_open(&d->members, member_names, MEMBERS);
    event_data_open(&d->data);
    *out = d;
    return 0;
}

void decoder_free(struct decoder *decoder)
{
    if (!decoder)
        return;
    free(decoder->pool);
    free(decoder->prefix);
    free(decoder);
}

static const struct record_header *last_header(const struct record *record, const char *name)
{
    for (size_t i = record->header_count; i-- > 0;)
        if (text_is(record->headers[i].name, name))
            return &record->headers[i];
    return NULL;
}

/* The type and subtype of a media type, without parameters and blanks around it. */
static struct text media_type(struct text value)
{
    const char *semicolon = value.len ? memchr(value.at, ';', value.len) : NULL;
    if (semicolon)
        value.len = (size_t)(semicolon - value.at);
    while (value.len && (value.at[0] == ' ' || value.at[0] == '\t')) {
        value.at++;
        value.len--;
    }
    while (value.len && (value.at[value.len - 1] == ' ' || value.at[value.len - 1] == '\t'))
        value.len--;
    return value;
}

static bool media_is(struct text media, const char *name)
{
    return media.len == strlen(name) && strncasecmp(media.at, name, media.len) == 0;
}

static bool media_starts(struct text media, const char *name)
{
    return media.len >= strlen(name) && strncasecmp(media.at, name, strlen(name)) == 0;
}

static enum mode mode_of(const struct record *record)
{
    const struct record_header *type = last_header(record, "content-type");
    if (type && type->value.at) {
        struct text media = media_type(type->value);
        if (media_is(media, MEDIA_EVENT) || media_is(media, MEDIA_EVENT "+json"))
            return MODE_STRUCTURED;
        return media_starts(media, MEDIA_EVENT) ? MODE_UNSUPPORTED : MODE_BINARY;
    }
    return type || last_header(record, "ce_specversion") ? MODE_BINARY : MODE_UNKNOWN;
}

static size_t record_bytes(const struct record *record)
{
    size_t bytes = record->key.len + record->value.len;
    for (size_t i = 0; i < record->header_count; i++)
        bytes += record->headers[i].name.len + record->headers[i].value.len;
    return bytes;
}

/* The parsed value; NULL with *why filled. The document lives in the decoder's pool. */
static yyjson_val *parse(struct decoder *d, struct text value, struct rejection *why)
{
    yyjson_alc pool;
    yyjson_read_err problem;
    yyjson_alc_pool_init(&pool, d->pool, d->pool_bytes);
    /* The reader takes a char * but writes only with the INSITU flag. Numbers too large for a
     * double are kept as text: in an unknown member they are nobody's business. */
    yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)value.at, value.len,
                                       YYJSON_READ_BIGNUM_AS_RAW, &pool, &problem);
    if (doc)
        return yyjson_doc_get_root(doc);
    event_refuse(why, REJECT_BAD_JSON, "", "%s at byte %zu", problem.msg, problem.pos);
    return NULL;
}

static bool has_specversion(yyjson_val *root)
{
    yyjson_obj_iter iter = yyjson_obj_iter_with(root);
    for (yyjson_val *name; (name = yyjson_obj_iter_next(&iter));)
        if (text_is(json_text(name), "specversion") &&
            yyjson_is_str(yyjson_obj_iter_get_val(name)))
            return true;
    return false;
}

/* As much of a name as a detail can hold, in whole characters. */
static struct text beginning(struct text name)
{
    if (name.len <= 64)
        return name;
    name.len = 64;
    while (((unsigned char)name.at[name.len] & 0xc0) == 0x80)
        name.len--;
    return name;
}

/* Everything that concerns the document as a whole, before any member is looked at. */
static yyjson_val *read_document(struct decoder *d, const struct record *record, enum mode mode,
                                 struct rejection *why)
{
    struct json_check check = {0};
    yyjson_val *root = parse(d, record->value, why);
    if (mode == MODE_UNKNOWN && (!yyjson_is_obj(root) || !has_specversion(root))) {
        event_refuse(why, REJECT_NOT_CLOUDEVENT, "",
                     "neither headers nor a member specversion say it is a CloudEvent");
        return NULL;
    }
    if (!root)
        return NULL;
    json_check(root, EVENT_DEPTH_MAX, &check);
    if (check.too_deep)
        event_refuse(why, REJECT_BAD_JSON, "", "nested deeper than %d", EVENT_DEPTH_MAX);
    else if (!yyjson_is_obj(root))
        event_refuse(why, REJECT_BAD_JSON, "", "must be an object");
    else if (mode != MODE_BINARY && yyjson_obj_get(root, "data_base64"))
        event_refuse(why, REJECT_FORMAT_UNSUPPORTED, "data_base64", "data must be JSON");
    else if (check.repeated)
        event_refuse(why, REJECT_DUPLICATE_KEY, "", "member \"%.*s\" stands there twice",
                     TEXT_ARG(beginning(check.repeated_name)));
    else
        return root;
    return NULL;
}

static void take_structured(struct decoder *d, yyjson_val *root)
{
    yyjson_val *values[MEMBERS];
    json_members(root, &d->members, values, MEMBERS);
    for (int a = 0; a < ATTRIBUTES; a++) {
        bool wrong = values[a] && !yyjson_is_str(values[a]);
        d->attributes[a].text = wrong ? text_of("") : json_text(values[a]);
        d->attributes[a].wrong = wrong;
    }
    d->data_value = values[A_DATA];
}

/* Strict UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. */
static bool is_utf8(struct text text)
{
    for (size_t i = 0; i < text.len;) {
        unsigned char c = (unsigned char)text.at[i];
        size_t more = c < 0x80 ? 0 : c >= 0xc2 && c < 0xe0 ? 1 : (c & 0xf0) == 0xe0 ? 2
                      : c >= 0xf0 && c < 0xf5 ? 3 : 4;
        if (more == 4 || i + more >= text.len)
            return false;
        for (size_t k = 1; k <= more; k++)
            if (((unsigned char)text.at[i + k] & 0xc0) != 0x80)
                return false;
        unsigned char next = more ? (unsigned char)text.at[i + 1] : 0;
        if ((c == 0xe0 && next < 0xa0) || (c == 0xed && next > 0x9f) ||
            (c == 0xf0 && next < 0x90) || (c == 0xf4 && next > 0x8f))
            return false;
        i += more + 1;
    }
    return true;
}

static void take_binary(struct decoder *d, const struct record *record, yyjson_val *root)
{
    for (int a = 0; a < ATTRIBUTES; a++) {
        char name[32];
        snprintf(name, sizeof name, "ce_%s", member_names[a]);
        const struct record_header *header =
            last_header(record, a == A_DATACONTENTTYPE ? "content-type" : name);
        d->attributes[a].text = header ? header->value : (struct text){0};
        d->attributes[a].wrong = header && (!header->value.at || !is_utf8(header->value));
        if (d->attributes[a].wrong)
            d->attributes[a].text = text_of("");
    }
    d->data_value = root;
}

static bool bad_attribute(struct rejection *why, enum attribute a, const char *detail)
{
    return event_refuse(why, REJECT_BAD_FIELD, member_names[a], "%s", detail);
}

/* True when attribute `a` is text (or absent and optional). */
static bool attribute_given(const struct decoder *d, enum attribute a, bool required,
                            struct rejection *why)
{
    const struct attribute_value *value = &d->attributes[a];
    if (value->wrong)
        return bad_attribute(why, a, "must be a string");
    if (required && !value->text.at)
        return event_refuse(why, REJECT_MISSING_FIELD, member_names[a], "is required");
    return true;
}

static bool attribute_ref(const struct decoder *d, enum attribute a, size_t max,
                          struct rejection *why)
{
    if (!attribute_given(d, a, true, why))
        return false;
    if (!event_is_ref(d->attributes[a].text, max))
        return event_refuse(why, REJECT_BAD_FIELD, member_names[a],
                            "must be 1-%zu bytes without control characters", max);
    return true;
}

static bool check_identity(const struct decoder *d, struct event *event, struct rejection *why)
{
    if (!attribute_given(d, A_SPECVERSION, true, why))
        return false;
    if (!text_is(d->attributes[A_SPECVERSION].text, "1.0"))
        return bad_attribute(why, A_SPECVERSION, "must be \"1.0\"");
    if (!attribute_ref(d, A_ID, 128, why) || !attribute_ref(d, A_SOURCE, 256, why) ||
        !attribute_given(d, A_TYPE, true, why))
        return false;
    if (d->attributes[A_TYPE].text.len == 0)
        return bad_attribute(why, A_TYPE, "must not be empty");
    event->id = d->attributes[A_ID].text;
    event->source = d->attributes[A_SOURCE].text;
    return true;
}

/* Takes ".v<digits>" off the end of `type`; false when it does not end so. */
static bool split_version(struct text *type, struct text *version)
{
    size_t digits = 0;
    while (digits < type->len && type->at[type->len - 1 - digits] >= '0' &&
           type->at[type->len - 1 - digits] <= '9')
        digits++;
    if (digits == 0 || type->len < digits + 2 ||
        memcmp(type->at + type->len - digits - 2, ".v", 2) != 0)
        return false;
    *version = (struct text){type->at + type->len - digits, digits};
    type->len -= digits + 2;
    return true;
}

static enum verdict check_type(const struct decoder *d, enum side side, struct event *event,
                               struct rejection *why)
{
    struct text version, name = d->attributes[A_TYPE].text;
    int type = 0;
    if (name.len < d->prefix_len || memcmp(name.at, d->prefix, d->prefix_len) != 0)
        return VERDICT_IGNORED;
    name.at += d->prefix_len;
    name.len -= d->prefix_len;
    if (!split_version(&name, &version))
        return VERDICT_IGNORED;
    while (type < EVENT_TYPES && !text_is(name, event_type_name((enum event_type)type)))
        type++;
    if (type == EVENT_TYPES)
        return VERDICT_IGNORED;
    event->type = (enum event_type)type;
    if (!text_is(version, "1")) {
        event_refuse(why, REJECT_VERSION_UNSUPPORTED, "type", "only v1 of %s is known",
                     event_type_name(event->type));
        return VERDICT_REJECTED;
    }
    if (side != SIDES && event_side(event->type) != side) {
        event_refuse(why, REJECT_WRONG_TOPIC, "type", "%s does not belong in the topic of %s events",
                     event_type_name(event->type), side_name(side));
        return VERDICT_REJECTED;
    }
    return VERDICT_VALID;
}

static bool check_circumstances(const struct decoder *d, const struct record *record,
                                struct event *event, struct rejection *why)
{
    if (!attribute_given(d, A_TIME, true, why))
        return false;
    if (!calendar_parse_time(d->attributes[A_TIME].text, &event->time_ms))
        return bad_attribute(why, A_TIME,
                             "must be RFC 3339 with offset, in the years 2000-2099");
    if (!attribute_ref(d, A_SUBJECT, 128, why) || !attribute_given(d, A_PARTITIONKEY, false, why) ||
        !attribute_given(d, A_DATACONTENTTYPE, false, why))
        return false;
    struct text media = d->attributes[A_DATACONTENTTYPE].text;
    if (media.at && !media_is(media_type(media), MEDIA_JSON))
        return bad_attribute(why, A_DATACONTENTTYPE, "must be " MEDIA_JSON);
    /* Taken from the event's time, which is bounded: a record's time stamp may be any int64. */
    if (record->timestamp_ms >= 0 && event->time_ms - FUTURE_MS > record->timestamp_ms)
        return event_refuse(why, REJECT_TIME_FUTURE, "time",
                            "is more than 300 s after the record's own time stamp");
    event->subject = d->attributes[A_SUBJECT].text;
    event->partitionkey = d->attributes[A_PARTITIONKEY].text;
    return true;
}

enum verdict decoder_decode(struct decoder *d, const struct record *record, enum side side,
                            struct event *event, struct rejection *why)
{
    if (!record->value.at)
        return VERDICT_TOMBSTONE;
    size_t bytes = record_bytes(record);
    if (bytes > EVENT_BYTES_MAX) {
        event_refuse(why, REJECT_TOO_LARGE, "", "%zu bytes of key, headers and value; at most %d",
                     bytes, EVENT_BYTES_MAX);
        return VERDICT_REJECTED;
    }
    enum mode mode = mode_of(record);
    if (mode == MODE_UNSUPPORTED) {
        event_refuse(why, REJECT_FORMAT_UNSUPPORTED, "content-type", "only " MEDIA_EVENT "+json");
        return VERDICT_REJECTED;
    }
    yyjson_val *root = read_document(d, record, mode, why);
    if (!root)
        return VERDICT_REJECTED;
    if (mode == MODE_BINARY)
        take_binary(d, record, root);
    else
        take_structured(d, root);
    if (!check_identity(d, event, why))
        return VERDICT_REJECTED;
    enum verdict verdict = check_type(d, side, event, why);
    if (verdict != VERDICT_VALID)
        return verdict;
    if (!check_circumstances(d, record, event, why))
        return VERDICT_REJECTED;
    if (!yyjson_is_obj(d->data_value)) {
        event_refuse(why, REJECT_DATA_MISSING, "data", "must be an object");
        return VERDICT_REJECTED;
    }
    return event_data_read(&d->data, d->data_value, event, why) ? VERDICT_VALID : VERDICT_REJECTED;
}

#include "common/calendar.h"
#include "common/event.h"
#include "common/event_data.h"
#include "common/names.h"
#include "common/seen.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* A record may be at most this much later than Kafka's own time stamp for it. */
#define FUTURE_MS (300 * 1000)

#define MEDIA_JSON "application/json"
#define MEDIA_EVENT "application/cloudevents"

/* The attributes are the first names of the list, data and data_base64 follow them. */
enum { ATTRIBUTES = N_datacontenttype + 1, MEMBERS = N_data_base64 + 1 };

enum mode { MODE_UNKNOWN, MODE_STRUCTURED, MODE_BINARY, MODE_UNSUPPORTED };

struct decoder {
    char *prefix;
    size_t prefix_len;
    char *type_names[EVENT_TYPES]; /* whole: prefix and version */
    struct names types;
    struct calendar_minute minute;
    const struct seen *seen; /* decoder_expect() */
    XXH128_hash_t identity;
    struct document *document;
    struct event_data data;
    /* Of the record being decoded: its attributes and its data, NULL where absent. */
    const struct document_value *members[MEMBERS];
    struct document_value headers[ATTRIBUTES]; /* binary mode: what members point to */
};

static int name_types(struct decoder *d)
{
    for (int t = 0; t < EVENT_TYPES; t++)
        if (asprintf(&d->type_names[t], "%s%s.v1", d->prefix, event_type_name((enum event_type)t)) < 0) {
            d->type_names[t] = NULL;
            return -1;
        }
    names_open(&d->types, (const char *const *)d->type_names, EVENT_TYPES);
    return 0;
}

int decoder_open(struct decoder **out, const char *type_prefix, struct error *err)
{
    struct decoder *d = calloc(1, sizeof *d);
    *out = NULL;
    if (!d)
        return error_memory(err);
    d->prefix = strdup(type_prefix);
    if (!d->prefix || document_open(&d->document, event_names, EVENT_NAME_COUNT, EVENT_BYTES_MAX,
                                    EVENT_DEPTH_MAX, err) != 0) {
        decoder_free(d);
        return error_memory(err);
    }
    d->prefix_len = strlen(type_prefix);
    if (name_types(d) != 0) {
        decoder_free(d);
        return error_memory(err);
    }
    *out = d;
    return 0;
}

void decoder_free(struct decoder *decoder)
{
    if (!decoder)
        return;
    for (int t = 0; t < EVENT_TYPES; t++)
        free(decoder->type_names[t]);
    document_free(decoder->document);
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
    return media.len == strlen(name) && (memcmp(media.at, name, media.len) == 0 ||
                                         strncasecmp(media.at, name, media.len) == 0);
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

static bool has_specversion(const struct document_value *root)
{
    const struct document_value *name = root + 1, *end = document_next(root);
    for (; name < end; name = document_next(name + 1))
        if (name->name == N_specversion && document_is(name + 1, DOCUMENT_STRING))
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
static const struct document_value *read_document(struct decoder *d, const struct record *record,
                                                  enum mode mode, struct rejection *why)
{
    struct document_faults faults;
    const struct document_value *root = document_read(d->document, record->value, &faults);
    bool object = document_is(root, DOCUMENT_OBJECT);
    if (object && mode != MODE_BINARY)
        document_members(root, 0, MEMBERS, d->members);
    if (mode == MODE_UNKNOWN && (!object || !has_specversion(root)))
        event_refuse(why, REJECT_NOT_CLOUDEVENT, "",
                     "neither headers nor a member specversion say it is a CloudEvent");
    else if (!root)
        event_refuse(why, REJECT_BAD_JSON, "", "%s at byte %zu", faults.problem, faults.at);
    else if (faults.too_deep)
        event_refuse(why, REJECT_BAD_JSON, "", "nested deeper than %d", EVENT_DEPTH_MAX);
    else if (!object)
        event_refuse(why, REJECT_BAD_JSON, "", "must be an object");
    else if (mode != MODE_BINARY && d->members[N_data_base64])
        event_refuse(why, REJECT_FORMAT_UNSUPPORTED, "data_base64", "data must be JSON");
    else if (faults.repeated)
        event_refuse(why, REJECT_DUPLICATE_KEY, "", "member \"%.*s\" stands there twice",
                     TEXT_ARG(beginning(faults.repeated_name)));
    else
        return root;
    return NULL;
}

static bool is_utf8(struct text text)
{
    for (size_t i = 0, bytes; i < text.len; i += bytes)
        if ((bytes = document_utf8(text.at + i, text.len - i)) == 0)
            return false;
    return true;
}

/* A header's value as if it had stood in a document. */
static struct document_value value_of_header(struct text value)
{
    if (!value.at || !is_utf8(value))
        return (struct document_value){.type = DOCUMENT_NULL};
    return (struct document_value){.type = DOCUMENT_STRING, .size = (uint32_t)value.len, .text = value.at};
}

static void take_binary(struct decoder *d, const struct record *record,
                        const struct document_value *root)
{
    for (int a = 0; a < ATTRIBUTES; a++) {
        char name[32];
        snprintf(name, sizeof name, "ce_%s", event_names[a]);
        const struct record_header *header =
            last_header(record, a == N_datacontenttype ? "content-type" : name);
        if (header)
            d->headers[a] = value_of_header(header->value);
        d->members[a] = header ? &d->headers[a] : NULL;
    }
    d->members[N_data] = root;
}

static struct text attribute(const struct decoder *d, enum event_name a)
{
    return document_text(d->members[a]);
}

static bool bad_attribute(struct rejection *why, enum event_name a, const char *detail)
{
    return event_refuse(why, REJECT_BAD_FIELD, event_names[a], "%s", detail);
}

/* True when attribute `a` is text (or absent and optional). */
static bool attribute_given(const struct decoder *d, enum event_name a, bool required,
                            struct rejection *why)
{
    const struct document_value *value = d->members[a];
    if (value && value->type != DOCUMENT_STRING)
        return bad_attribute(why, a, "must be a string");
    if (required && !value)
        return event_refuse(why, REJECT_MISSING_FIELD, event_names[a], "is required");
    return true;
}

static bool attribute_ref(const struct decoder *d, enum event_name a, size_t max,
                          struct rejection *why)
{
    if (!attribute_given(d, a, true, why))
        return false;
    if (!event_value_is_ref(d->members[a], max))
        return event_refuse(why, REJECT_BAD_FIELD, event_names[a],
                            "must be 1-%zu bytes without control characters", max);
    return true;
}

static bool check_identity(const struct decoder *d, struct event *event, struct rejection *why)
{
    if (!attribute_given(d, N_specversion, true, why))
        return false;
    if (!text_is(attribute(d, N_specversion), "1.0"))
        return bad_attribute(why, N_specversion, "must be \"1.0\"");
    if (!attribute_ref(d, N_id, 128, why) || !attribute_ref(d, N_source, 256, why) ||
        !attribute_given(d, N_type, true, why))
        return false;
    if (attribute(d, N_type).len == 0)
        return bad_attribute(why, N_type, "must not be empty");
    event->id = attribute(d, N_id);
    event->source = attribute(d, N_source);
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

/* A type that is none of those known as they are written in full: why it is not. */
static enum verdict judge_other_type(const struct decoder *d, struct rejection *why)
{
    struct text version, name = attribute(d, N_type);
    int type = 0;
    if (!name.at || name.len < d->prefix_len ||
        memcmp(name.at, d->prefix, d->prefix_len) != 0)
        return VERDICT_IGNORED;
    name.at += d->prefix_len;
    name.len -= d->prefix_len;
    if (!split_version(&name, &version))
        return VERDICT_IGNORED;
    while (type < EVENT_TYPES && !text_is(name, event_type_name((enum event_type)type)))
        type++;
    if (type == EVENT_TYPES)
        return VERDICT_IGNORED;
    event_refuse(why, REJECT_VERSION_UNSUPPORTED, "type", "only v1 of %s is known",
                 event_type_name((enum event_type)type));
    return VERDICT_REJECTED;
}

static enum verdict check_type(const struct decoder *d, enum side side, struct event *event,
                               struct rejection *why)
{
    int type = names_find(&d->types, attribute(d, N_type));
    if (type < 0)
        return judge_other_type(d, why);
    event->type = (enum event_type)type;
    if (side != SIDES && event_side(event->type) != side) {
        event_refuse(why, REJECT_WRONG_TOPIC, "type", "%s does not belong in the topic of %s events",
                     event_type_name(event->type), side_name(side));
        return VERDICT_REJECTED;
    }
    return VERDICT_VALID;
}

static bool check_circumstances(struct decoder *d, const struct record *record,
                                struct event *event, struct rejection *why)
{
    if (!attribute_given(d, N_time, true, why))
        return false;
    if (!calendar_parse_next(&d->minute, attribute(d, N_time), &event->time_ms))
        return bad_attribute(why, N_time,
                             "must be RFC 3339 with offset, in the years 2000-2099");
    if (!attribute_ref(d, N_subject, 128, why) || !attribute_given(d, N_partitionkey, false, why) ||
        !attribute_given(d, N_datacontenttype, false, why))
        return false;
    struct text media = attribute(d, N_datacontenttype);
    if (media.at && !text_is(media, MEDIA_JSON) && !media_is(media_type(media), MEDIA_JSON))
        return bad_attribute(why, N_datacontenttype, "must be " MEDIA_JSON);
    /* Taken from the event's time, which is bounded: a record's time stamp may be any int64. */
    if (record->timestamp_ms >= 0 && event->time_ms - FUTURE_MS > record->timestamp_ms)
        return event_refuse(why, REJECT_TIME_FUTURE, "time",
                            "is more than 300 s after the record's own time stamp");
    event->subject = attribute(d, N_subject);
    event->partitionkey = attribute(d, N_partitionkey);
    return true;
}

void decoder_expect(struct decoder *decoder, const struct seen *seen)
{
    decoder->seen = seen;
}

XXH128_hash_t decoder_identity(const struct decoder *decoder)
{
    return decoder->identity;
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
    const struct document_value *root = read_document(d, record, mode, why);
    if (!root)
        return VERDICT_REJECTED;
    if (mode == MODE_BINARY)
        take_binary(d, record, root);
    if (!check_identity(d, event, why))
        return VERDICT_REJECTED;
    if (d->seen) {
        d->identity = event_hash(event);
        seen_expect(d->seen, d->identity);
    }
    enum verdict verdict = check_type(d, side, event, why);
    if (verdict != VERDICT_VALID)
        return verdict;
    if (!check_circumstances(d, record, event, why))
        return VERDICT_REJECTED;
    if (!document_is(d->members[N_data], DOCUMENT_OBJECT)) {
        event_refuse(why, REJECT_DATA_MISSING, "data", "must be an object");
        return VERDICT_REJECTED;
    }
    return event_data_read(&d->data, d->members[N_data], event, why) ? VERDICT_VALID : VERDICT_REJECTED;
}

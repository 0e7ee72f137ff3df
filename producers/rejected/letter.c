#include "producers/rejected/letter.h"

#include "common/event.h"
#include "common/json.h"

enum { TOPIC_MAX = 249, SOURCE_MAX = 256, ID_MAX = 128, LAST_HEADERS = 5 };

/* What every letter ends with, in this order. A record may have headers of these names itself (a
 * dead letter that somebody sent to be counted), so only those at the end are the worker's. */
static const char *const last_headers[LAST_HEADERS] = {
    "tandem_reason", "tandem_topic", "tandem_partition", "tandem_offset", "tandem_detail"};

static bool topic_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

/* Digits only, without a leading zero, up to `max`. */
static bool read_number(struct text text, int64_t max, int64_t *out)
{
    int64_t number = 0;
    if (text.len == 0 || text.len > 19 || (text.len > 1 && text.at[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9' || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, text.at[i] - '0', &number)) {
            return false;
        }
    }
    *out = number;
    return number <= max;
}

static struct text before(struct text text, const char *end)
{
    return (struct text){text.at, (size_t)(end - text.at)};
}

static struct text behind(struct text text, const char *begin)
{
    return (struct text){begin + 1, text.len - (size_t)(begin + 1 - text.at)};
}

bool letter_key(struct text key, struct text *topic, int32_t *partition, int64_t *offset)
{
    int64_t number;
    const char *slash = key.len ? memchr(key.at, '/', key.len) : NULL;
    if (!slash) {
        return false;
    }
    *topic = before(key, slash);
    struct text rest = behind(key, slash);
    slash = memchr(rest.at, '/', rest.len);
    if (!slash || !read_number(before(rest, slash), INT32_MAX, &number) ||
        !read_number(behind(rest, slash), INT64_MAX, offset)) {
        return false;
    }
    *partition = (int32_t)number;
    for (size_t i = 0; i < topic->len; i++) {
        if (!topic_byte(topic->at[i])) {
            return false;
        }
    }
    return topic->len > 0 && topic->len <= TOPIC_MAX && !text_is(*topic, ".") &&
           !text_is(*topic, "..");
}

static bool take_last(struct record *original, const char *name, struct text *value)
{
    if (original->header_count == 0) {
        return false;
    }
    const struct record_header *last = &original->headers[original->header_count - 1];
    if (!text_is(last->name, name)) {
        return false;
    }
    *value = last->value.at ? last->value : text_of("");
    original->header_count--;
    return true;
}

/* Also those of versions to come, but nothing that a terminal would take for a command. */
static bool is_reason(struct text text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] != '_' && (text.at[i] < 'a' || text.at[i] > 'z')) {
            return false;
        }
    }
    return text.len > 0 && text.len <= LETTER_REASON_MAX;
}

bool letter_read(const struct record *record, struct letter *out)
{
    struct text values[LAST_HEADERS];
    struct record original = *record;
    if (!record->key.at) {
        return false;
    }
    *out = (struct letter){.key = record->key, .rejected_ms = record->timestamp_ms};
    if (!letter_key(record->key, &out->topic, &out->partition, &out->offset)) {
        return false;
    }
    for (int i = LAST_HEADERS - 1; i >= 0; i--) {
        if (!take_last(&original, last_headers[i], &values[i])) {
            return false;
        }
    }
    out->reason = values[0];
    out->detail = values[LAST_HEADERS - 1];
    if (!is_reason(out->reason)) {
        return false;
    }
    take_last(&original, "tandem_truncated", &out->truncated);
    original.key = (struct text){NULL, 0};
    take_last(&original, "tandem_key", &original.key);
    original.partition = out->partition;
    original.offset = out->offset;
    original.leader_epoch = -1;
    original.timestamp_ms = -1;
    out->record = original;
    return true;
}

/* ---- what a record says of itself ---- */

static struct text header_of(const struct record *record, const char *name)
{
    struct text found = {NULL, 0};
    for (size_t i = 0; i < record->header_count; i++) {
        if (text_is(record->headers[i].name, name)) {
            found = record->headers[i].value;
        }
    }
    return found;
}

/* Longer ones no event may have, and event_hash() has no room for them. */
static bool hash_of(struct text source, struct text id, XXH128_hash_t *hash)
{
    struct event event = {.source = source, .id = id};
    if (!source.at || !id.at || source.len == 0 || id.len == 0 || source.len > SOURCE_MAX ||
        id.len > ID_MAX) {
        return false;
    }
    *hash = event_hash(&event);
    return true;
}

/* A document only to look into: how strict it is does not matter. */
static yyjson_doc *look_into(struct text value)
{
    return value.at && value.len ? yyjson_read(value.at, value.len, YYJSON_READ_NUMBER_AS_RAW)
                                 : NULL;
}

bool letter_is_event(struct text value)
{
    yyjson_doc *doc = look_into(value);
    bool is_event = yyjson_is_str(yyjson_obj_get(yyjson_doc_get_root(doc), "specversion"));
    yyjson_doc_free(doc);
    return is_event;
}

bool letter_event_hash(const struct record *record, XXH128_hash_t *hash)
{
    yyjson_doc *doc = look_into(record->value);
    yyjson_val *root = yyjson_doc_get_root(doc);
    struct text source = json_text(yyjson_obj_get(root, "source"));
    struct text id = json_text(yyjson_obj_get(root, "id"));
    if (!yyjson_is_str(yyjson_obj_get(root, "specversion")) && header_of(record, "ce_id").at) {
        source = header_of(record, "ce_source");
        id = header_of(record, "ce_id");
    }
    bool stated = hash_of(source, id, hash);
    yyjson_doc_free(doc);
    return stated;
}

#include "producers/rejected/correction.h"

#include "common/command.h"
#include "common/event.h"
#include "common/json.h"
#include "producers/rejected/letter.h"
#include "producers/lines.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINE_MAX_BYTES = 1 << 20, WAIT_MS = 100 };

static char *copy(struct text text)
{
    char *bytes = malloc(text.len + 1);
    if (bytes) {
        memcpy(bytes, text.at, text.len);
        bytes[text.len] = 0;
    }
    return bytes;
}

static struct text without_line_end(struct text text)
{
    if (text.len > 0 && text.at[text.len - 1] == '\n') {
        text.len--;
    }
    if (text.len > 0 && text.at[text.len - 1] == '\r') {
        text.len--;
    }
    return text;
}

int corrections_add(struct corrections *corrections, struct text key, struct text value,
                    struct error *err)
{
    struct text topic;
    int32_t partition;
    int64_t offset;
    if (!letter_key(key, &topic, &partition, &offset)) {
        return error_set(err, ERROR_INPUT, "%.*s is no key of a letter: topic/partition/offset",
                         key.len > 300 ? 300 : (int)key.len, key.at);
    }
    if (corrections->count == corrections->room) {
        size_t room = corrections->room ? corrections->room * 2 : 16;
        struct correction *grown = realloc(corrections->list, room * sizeof *grown);
        if (!grown) {
            return error_memory(err);
        }
        corrections->list = grown;
        corrections->room = room;
    }
    struct text kept = without_line_end(value);
    struct correction *new = &corrections->list[corrections->count++];
    *new = (struct correction){copy(key), value.at ? copy(kept) : NULL, kept.len, false};
    return new->key && (new->value || !value.at) ? 0 : error_memory(err);
}

/* ---- files ---- */

int corrections_read_value(struct corrections *corrections, const char *key, const char *path,
                           struct error *err)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "re");
    if (!file) {
        return error_set(err, ERROR_INPUT, "%s: %s", path, strerror(errno));
    }
    char *bytes = malloc(EVENT_BYTES_MAX + 2);
    size_t len = bytes ? fread(bytes, 1, EVENT_BYTES_MAX + 2, file) : 0;
    int rc = 0;
    if (!bytes) {
        rc = error_memory(err);
    } else if (ferror(file)) {
        rc = error_set(err, ERROR_SYSTEM, "%s: %s", path, strerror(errno));
    } else if (len > EVENT_BYTES_MAX + 1) {
        rc = error_set(err, ERROR_INPUT, "%s is longer than an event may be", path);
    } else {
        rc = corrections_add(corrections, text_of(key), (struct text){bytes, len}, err);
    }
    free(bytes);
    if (!standard) {
        fclose(file);
    }
    return rc;
}

/* A text is the value itself, an object is written as JSON, numbers as they stand. */
static int add_parsed(struct corrections *corrections, yyjson_val *root, struct error *err)
{
    yyjson_val *key = yyjson_obj_get(root, "key"), *value = yyjson_obj_get(root, "value");
    struct text text = json_text(value);
    char *written = NULL;
    if (!yyjson_is_str(key)) {
        return error_set(err, ERROR_INPUT, "not a JSON object with a text `key`");
    }
    if (yyjson_is_obj(value)) {
        written = yyjson_val_write(value, 0, &text.len);
        text.at = written;
        if (!written) {
            return error_memory(err);
        }
    } else if (value && !yyjson_is_str(value)) {
        return error_set(err, ERROR_INPUT, "`value` is neither a text nor an object");
    }
    int rc = corrections_add(corrections, json_text(key), text, err);
    free(written);
    return rc;
}

int corrections_parse(struct corrections *corrections, struct text line, struct error *err)
{
    yyjson_doc *doc = line.len ? yyjson_read(line.at, line.len, YYJSON_READ_NUMBER_AS_RAW) : NULL;
    int rc = add_parsed(corrections, yyjson_doc_get_root(doc), err);
    yyjson_doc_free(doc);
    return rc;
}

static int read_lines(struct corrections *corrections, struct lines *lines, struct error *err)
{
    struct text line;
    enum lines_answer answer;
    while ((answer = lines_next(lines, &line, WAIT_MS, err)) != LINES_END) {
        if (command_stopping()) {
            return error_set(err, ERROR_STOPPED, "stopped");
        }
        if (answer == LINES_TOO_LONG) {
            return error_set(err, ERROR_INPUT, "line %" PRIu64 ": too long", lines_number(lines));
        }
        if (answer == LINES_ERROR) {
            return -1;
        }
        if (answer == LINES_LINE && line.len > 0 && corrections_parse(corrections, line, err)) {
            return error_prefix(err, "line %" PRIu64, lines_number(lines));
        }
    }
    return 0;
}

int corrections_read(struct corrections *corrections, const char *path, struct error *err)
{
    struct lines *lines = NULL;
    int rc = lines_open(&lines, path, LINE_MAX_BYTES, err);
    if (!rc && read_lines(corrections, lines, err)) {
        rc = error_prefix(err, "%s", path);
    }
    lines_free(lines);
    return rc;
}

void corrections_clear(struct corrections *corrections)
{
    for (size_t i = 0; i < corrections->count; i++) {
        free(corrections->list[i].key);
        free(corrections->list[i].value);
    }
    free(corrections->list);
    *corrections = (struct corrections){0};
}

/* ---- finding ---- */

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct correction *)a)->key, ((const struct correction *)b)->key);
}

int corrections_finish(struct corrections *corrections, struct error *err)
{
    if (corrections->count == 0) {
        return 0;
    }
    qsort(corrections->list, corrections->count, sizeof *corrections->list, by_key);
    for (size_t i = 1; i < corrections->count; i++) {
        if (strcmp(corrections->list[i - 1].key, corrections->list[i].key) == 0) {
            return error_set(err, ERROR_INPUT, "%s stands twice", corrections->list[i].key);
        }
    }
    return 0;
}

struct correction *corrections_find(const struct corrections *corrections, struct text key)
{
    size_t low = 0, high = corrections->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct correction *there = &corrections->list[middle];
        size_t len = strlen(there->key);
        int order = memcmp(there->key, key.at, len < key.len ? len : key.len);
        order = order ? order : (len > key.len) - (len < key.len);
        if (order == 0) {
            return there;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

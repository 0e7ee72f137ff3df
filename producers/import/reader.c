#include "producers/import/reader.h"

#include "common/suggest.h"

#include <stdarg.h>

static void append(struct reader *reader, const char *format, const char *name, size_t i)
{
    size_t room = sizeof reader->path - reader->path_len;
    const char *dot = reader->path_len ? "." : "";
    int len = name ? snprintf(reader->path + reader->path_len, room, format, dot, name)
                   : snprintf(reader->path + reader->path_len, room, "[%zu]", i);
    if (len > 0) {
        reader->path_len += (size_t)len < room ? (size_t)len : room - 1;
    }
}

size_t reader_enter(struct reader *reader, const char *member)
{
    size_t before = reader->path_len;
    append(reader, "%s%s", member, 0);
    return before;
}

size_t reader_enter_element(struct reader *reader, size_t i)
{
    size_t before = reader->path_len;
    append(reader, "", NULL, i);
    return before;
}

void reader_leave(struct reader *reader, size_t path_len)
{
    reader->path_len = path_len;
    reader->path[path_len] = '\0';
}

bool reader_mistake(struct reader *reader, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    mistakes_add(reader->mistakes, reader->path, "%s", text);
    return false;
}

static bool known(const char *name, const char *const *allowed)
{
    for (; *allowed; allowed++) {
        if (strcmp(*allowed, name) == 0) {
            return true;
        }
    }
    return false;
}

static void unknown_member(struct reader *reader, const char *name, const char *const *allowed)
{
    struct suggest near = {.word = name};
    for (; *allowed; allowed++) {
        suggest_offer(&near, *allowed);
    }
    size_t before = reader_enter(reader, name);
    if (near.best) {
        reader_mistake(reader, "unknown member, did you mean \"%s\"?", near.best);
    } else {
        reader_mistake(reader, "unknown member");
    }
    reader_leave(reader, before);
}

bool reader_members(struct reader *reader, const json_t *object, const char *const *allowed)
{
    if (!json_is_object(object)) {
        return reader_mistake(reader, "must be an object");
    }
    bool right = true;
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value)
    {
        if (!known(name, allowed)) {
            unknown_member(reader, name, allowed);
            right = false;
        }
    }
    return right;
}

bool reader_string(struct reader *reader, const json_t *json, size_t least, struct text *out)
{
    if (!json_is_string(json)) {
        return reader_mistake(reader, "must be a string");
    }
    struct text text = {json_string_value(json), json_string_length(json)};
    if (text.len < least) {
        return reader_mistake(reader, "must not be empty");
    }
    *out = arena_copy(reader->mapping->arena, text);
    reader->no_memory |= !out->at;
    return out->at != NULL;
}

bool reader_text(struct reader *reader, const json_t *object, const char *member, size_t least,
                 struct text *out)
{
    const json_t *json = json_object_get(object, member);
    size_t before = reader_enter(reader, member);
    bool right =
        json ? reader_string(reader, json, least, out) : reader_mistake(reader, "is missing");
    reader_leave(reader, before);
    return right;
}

int reader_column(struct reader *reader, struct text name)
{
    struct mapping *mapping = reader->mapping;
    for (size_t i = 0; i < mapping->column_count; i++) {
        if (text_equal(mapping->columns[i], name)) {
            return (int)i;
        }
    }
    if (mapping->column_count == READER_COLUMNS_MAX) {
        reader_mistake(reader, "one column more than the %d that a mapping may use",
                       READER_COLUMNS_MAX);
        return 0;
    }
    struct text copy = arena_copy(mapping->arena, name);
    reader->no_memory |= !copy.at;
    mapping->columns[mapping->column_count] = copy;
    return (int)mapping->column_count++;
}

void *reader_take(struct reader *reader, size_t size)
{
    void *at = arena_take(reader->mapping->arena, size);
    if (at) {
        memset(at, 0, size);
    }
    reader->no_memory |= !at;
    return at;
}

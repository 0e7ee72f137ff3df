#include "consumers/comparison/fields.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct pair {
    char *name, *value;
};

struct fields {
    struct pair *list;
    size_t count, room;
};

int fields_open(struct fields **out, struct error *err)
{
    *out = calloc(1, sizeof **out);
    return *out ? 0 : error_memory(err);
}

void fields_free(struct fields *fields)
{
    if (!fields)
        return;
    for (size_t i = 0; i < fields->count; i++) {
        free(fields->list[i].name);
        free(fields->list[i].value);
    }
    free(fields->list);
    free(fields);
}

static char *copy_printable(struct text text)
{
    char *copy = malloc(text.len + 1);
    if (!copy)
        return NULL;
    for (size_t i = 0; i < text.len; i++)
        copy[i] = text.at[i] >= 0x20 && text.at[i] < 0x7f ? text.at[i] : '?';
    copy[text.len] = '\0';
    return copy;
}

static struct pair *find(const struct fields *fields, const char *name)
{
    for (size_t i = 0; i < fields->count; i++)
        if (strcmp(fields->list[i].name, name) == 0)
            return &fields->list[i];
    return NULL;
}

static int make_room(struct fields *fields, struct error *err)
{
    if (fields->count < fields->room)
        return 0;
    size_t room = fields->room ? fields->room * 2 : 128;
    struct pair *list = realloc(fields->list, room * sizeof *list);
    if (!list)
        return error_memory(err);
    fields->list = list;
    fields->room = room;
    return 0;
}

/* Takes over both, also when it fails. */
static int put(struct fields *fields, char *name, char *value, struct error *err)
{
    struct pair *there = name && value ? find(fields, name) : NULL;
    if (there) {
        free(there->value);
        there->value = value;
        free(name);
        return 0;
    }
    if (!name || !value || make_room(fields, err)) {
        free(name);
        free(value);
        return error_memory(err);
    }
    fields->list[fields->count].name = name;
    fields->list[fields->count++].value = value;
    return 0;
}

int fields_set(struct fields *fields, struct text name, struct text value, struct error *err)
{
    return put(fields, copy_printable(name), copy_printable(value), err);
}

int fields_setf(struct fields *fields, const char *name, struct error *err, const char *format, ...)
{
    char *value = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&value, format, args);
    va_end(args);
    if (length < 0)
        return error_memory(err);
    int result = fields_set(fields, text_of(name), (struct text){value, (size_t)length}, err);
    free(value);
    return result;
}

const char *fields_get(const struct fields *fields, const char *name)
{
    const struct pair *pair = find(fields, name);
    return pair ? pair->value : NULL;
}

const char *fields_value(const struct fields *fields, const char *name)
{
    const char *value = fields_get(fields, name);
    return value ? value : FIELDS_UNDEFINED;
}

size_t fields_count(const struct fields *fields)
{
    return fields->count;
}

struct field fields_at(const struct fields *fields, size_t i)
{
    return (struct field){fields->list[i].name, fields->list[i].value};
}

bool fields_is_word(const char *name)
{
    static const char *const words[] = {
        "business",      "scope",  "period_kind", "period",   "store",   "sale_state",
        "service_state", "judged", "verdict",     "severity", "reasons",
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i], name) == 0)
            return true;
    return false;
}

/* A number as JSON writes it: what Redis holds goes into the document digit by digit. */
static bool is_number(const char *text)
{
    const char *p = text + (*text == '-');
    if (*p < '0' || *p > '9' || (p[0] == '0' && p[1] >= '0' && p[1] <= '9'))
        return false;
    p += strspn(p, "0123456789");
    if (*p == '.') {
        size_t digits = strspn(p + 1, "0123456789");
        if (digits == 0)
            return false;
        p += 1 + digits;
    }
    return *p == '\0';
}

static void write_string(const char *string, FILE *out)
{
    fputc('"', out);
    for (const char *p = string; *p; p++) {
        if (*p == '"' || *p == '\\')
            fputc('\\', out);
        fputc(*p, out);
    }
    fputc('"', out);
}

void fields_write_json_value(const struct field *field, FILE *out)
{
    if (fields_is_word(field->name))
        write_string(field->value, out);
    else if (strcmp(field->value, FIELDS_UNDEFINED) == 0)
        fputs("null", out);
    else if (is_number(field->value))
        fputs(field->value, out);
    else
        write_string(field->value, out);
}

void fields_write_json(const struct fields *fields, FILE *out)
{
    fputc('{', out);
    for (size_t i = 0; i < fields->count; i++) {
        if (i)
            fputc(',', out);
        struct field field = fields_at(fields, i);
        write_string(field.name, out);
        fputc(':', out);
        fields_write_json_value(&field, out);
    }
    fputc('}', out);
}

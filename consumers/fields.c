#include "consumers/fields.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct fields {
    struct field *list; /* both strings are owned, the interface shows them as const */
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
        free((char *)fields->list[i].name);
        free((char *)fields->list[i].value);
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

static struct field *find(const struct fields *fields, const char *name)
{
    for (size_t i = 0; i < fields->count; i++)
        if (strcmp(fields->list[i].name, name) == 0)
            return &fields->list[i];
    return NULL;
}

static int add(struct fields *fields, char *name, char *value, struct error *err)
{
    if (fields->count == fields->room) {
        size_t room = fields->room ? fields->room * 2 : 128;
        struct field *list = realloc(fields->list, room * sizeof *list);
        if (!list)
            return error_memory(err);
        fields->list = list;
        fields->room = room;
    }
    fields->list[fields->count++] = (struct field){name, value};
    return 0;
}

int fields_set(struct fields *fields, struct text name, struct text value, struct error *err)
{
    char *name_copy = copy_printable(name), *value_copy = copy_printable(value);
    struct field *there = name_copy && value_copy ? find(fields, name_copy) : NULL;
    if (there) {
        free(name_copy);
        free((char *)there->value);
        there->value = value_copy;
        return 0;
    }
    if (!name_copy || !value_copy || add(fields, name_copy, value_copy, err)) {
        free(name_copy);
        free(value_copy);
        return error_memory(err);
    }
    return 0;
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
    const struct field *field = find(fields, name);
    return field ? field->value : NULL;
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
    return fields->list[i];
}

bool fields_is_word(const char *name)
{
    static const char *const words[] = {
        "business", "scope", "period_kind", "period", "store", "sale_state", "service_state",
        "judged", "verdict", "severity", "reasons",
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
        write_string(fields->list[i].name, out);
        fputc(':', out);
        fields_write_json_value(&fields->list[i], out);
    }
    fputc('}', out);
}

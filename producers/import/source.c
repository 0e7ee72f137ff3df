#include "producers/import/source.h"

#include "common/calendar.h"
#include "common/currency.h"
#include "producers/import/slug.h"

#include <inttypes.h>

#define TEMPLATE_PIECES_MAX 32

/* What an object may say, and for which kinds of field. */
enum {
    SAYS_TEMPLATE = 1,
    SAYS_VALUES = 2,
    SAYS_SLUG = 4,
    SAYS_MINUS = 8,
    SAYS_NEGATE = 16,
    SAYS_UNIT = 32,
    SAYS_FORMAT = 64,
    SAYS_BETWEEN = 128
};

static const int says[] = {
    [FIELD_REF] = SAYS_TEMPLATE | SAYS_VALUES | SAYS_SLUG,
    [FIELD_SLUG] = SAYS_TEMPLATE | SAYS_VALUES | SAYS_SLUG,
    [FIELD_MONEY] = SAYS_MINUS | SAYS_NEGATE | SAYS_UNIT,
    [FIELD_COUNT] = SAYS_NEGATE,
    [FIELD_SECONDS] = SAYS_UNIT | SAYS_BETWEEN,
    [FIELD_NUMBER] = SAYS_VALUES,
    [FIELD_BOOL] = SAYS_TEMPLATE | SAYS_VALUES,
    [FIELD_WORD] = SAYS_TEMPLATE | SAYS_VALUES,
    [FIELD_DATE] = SAYS_TEMPLATE | SAYS_FORMAT,
    [FIELD_CURRENCY] = SAYS_TEMPLATE | SAYS_VALUES,
};

static const struct saying {
    int needs;
    const char *member;
} sayings[] = {
    {0, "column"},
    {0, "default"},
    {SAYS_TEMPLATE, "template"},
    {SAYS_VALUES, "values"},
    {SAYS_VALUES, "otherwise"},
    {SAYS_SLUG, "slug"},
    {SAYS_MINUS, "minus"},
    {SAYS_NEGATE, "negate"},
    {SAYS_UNIT, "unit"},
    {SAYS_FORMAT, "format"},
    {SAYS_BETWEEN, "from"},
    {SAYS_BETWEEN, "to"},
};
#define SAYINGS (sizeof sayings / sizeof sayings[0])

static bool piece_end(struct text text, size_t from, size_t *end)
{
    const char *close = memchr(text.at + from, '}', text.len - from);
    *end = close ? (size_t)(close - text.at) : 0;
    return close != NULL && *end > from;
}

/* One literal byte, or one column, at *at. Literals grow byte by byte: templates are short. */
static bool next_piece(struct reader *reader, struct text text, size_t *at,
                       struct template_piece *piece)
{
    char c = text.at[*at];
    bool doubled = *at + 1 < text.len && text.at[*at + 1] == c;
    if ((c != '{' && c != '}') || doubled) {
        *piece = (struct template_piece){{text.at + *at, 1}, MAPPING_NO_COLUMN};
        *at += doubled && (c == '{' || c == '}') ? 2 : 1;
        return true;
    }
    size_t end;
    if (c == '}' || !piece_end(text, *at + 1, &end)) {
        return reader_mistake(reader, "a column is written {Name}, a brace {{ or }}");
    }
    struct text name = {text.at + *at + 1, end - *at - 1};
    *piece = (struct template_piece){{NULL, 0}, reader_column(reader, name)};
    *at = end + 1;
    return true;
}

static bool joins(const struct template_piece *last, const struct template_piece *piece)
{
    return last->column == MAPPING_NO_COLUMN && piece->column == MAPPING_NO_COLUMN &&
           last->literal.at + last->literal.len == piece->literal.at;
}

bool template_read(struct reader *reader, struct text text, struct template *out)
{
    struct template_piece pieces[TEMPLATE_PIECES_MAX];
    size_t count = 0;
    for (size_t at = 0; at < text.len;) {
        struct template_piece piece = {{NULL, 0}, MAPPING_NO_COLUMN};
        if (!next_piece(reader, text, &at, &piece)) {
            return false;
        }
        if (count > 0 && joins(&pieces[count - 1], &piece)) {
            pieces[count - 1].literal.len++;
        } else if (count == TEMPLATE_PIECES_MAX) {
            return reader_mistake(reader, "has more than %d parts", TEMPLATE_PIECES_MAX);
        } else {
            pieces[count++] = piece;
        }
    }
    out->pieces = reader_take(reader, (count + 1) * sizeof *pieces);
    if (out->pieces) {
        memcpy(out->pieces, pieces, count * sizeof *pieces);
        out->count = count;
    }
    return out->pieces != NULL;
}

static bool column_template(struct reader *reader, struct text name, struct template *out)
{
    out->pieces = reader_take(reader, sizeof *out->pieces);
    if (!out->pieces) {
        return false;
    }
    *out->pieces = (struct template_piece){{NULL, 0}, reader_column(reader, name)};
    out->count = 1;
    return true;
}

/* Exactly one of `column` and `template`. */
static bool read_text_source(struct reader *reader, const json_t *object, struct template *out)
{
    bool column = json_object_get(object, "column"), template = json_object_get(object, "template");
    struct text text;
    if (column == template) {
        return reader_mistake(reader, "needs %s",
                              column ? "only one of \"column\" and \"template\"" : "\"column\"");
    }
    if (column) {
        return reader_text(reader, object, "column", 1, &text) &&
               column_template(reader, text, out);
    }
    if (!reader_text(reader, object, "template", 1, &text)) {
        return false;
    }
    size_t before = reader_enter(reader, "template");
    bool right = template_read(reader, text, out);
    reader_leave(reader, before);
    return right;
}

static bool read_word(struct reader *reader, struct text text, const struct field *field,
                      struct value *out)
{
    char list[200] = "";
    for (int i = 0; field->words[i]; i++) {
        if (text_is(text, field->words[i])) {
            out->number = i;
            return true;
        }
        size_t len = strlen(list);
        snprintf(list + len, sizeof list - len, "%s%s", i ? ", " : "", field->words[i]);
    }
    return reader_mistake(reader, "must be one of %s", list);
}

static bool read_number(struct reader *reader, const json_t *json, const struct field *field,
                        struct value *out)
{
    out->number = json_integer_value(json);
    if (!json_is_integer(json) || out->number < field->min || out->number > field->max) {
        return reader_mistake(reader, "must be an integer of %" PRId64 "-%" PRId64 "%s", field->min,
                              field->max,
                              field->kind == FIELD_MONEY     ? " (minor units)"
                              : field->kind == FIELD_SECONDS ? " (seconds)"
                                                             : "");
    }
    return true;
}

static bool read_currency(struct reader *reader, struct text text, struct value *out)
{
    out->number = text.len == 3 ? currency_find(text) : -1;
    return out->number >= 0 || reader_mistake(reader, "must be a currency of ISO 4217, as EUR");
}

/* A value written in the mapping itself, of the field's kind. */
static bool read_constant(struct reader *reader, const json_t *json, const struct field *field,
                          struct value *out)
{
    *out = (struct value){{NULL, 0}, 0};
    int32_t day;
    switch (field->kind) {
    case FIELD_MONEY:
    case FIELD_COUNT:
    case FIELD_SECONDS:
    case FIELD_NUMBER:
        return read_number(reader, json, field, out);
    case FIELD_BOOL:
        out->number = json_is_true(json);
        return json_is_boolean(json) || reader_mistake(reader, "must be true or false");
    default:
        break;
    }
    if (!reader_string(reader, json, 1, &out->text)) {
        return false;
    }
    switch (field->kind) {
    case FIELD_WORD:
        return read_word(reader, out->text, field, out);
    case FIELD_CURRENCY:
        return read_currency(reader, out->text, out);
    case FIELD_SLUG:
        return slug_valid(out->text) ||
               reader_mistake(reader, "must be 1-64 of the signs A-Z a-z 0-9 . _ -");
    case FIELD_DATE:
        if (!calendar_parse_date(out->text, &day)) {
            return reader_mistake(reader, "must be a date YYYY-MM-DD");
        }
        out->number = day;
        return true;
    default:
        return out->text.len <= 128 || reader_mistake(reader, "must have at most 128 bytes");
    }
}

static bool read_choices(struct reader *reader, const json_t *values, const struct field *field,
                         struct source *out)
{
    if (!json_is_object(values) || json_object_size(values) == 0) {
        return reader_mistake(reader, "must be an object of texts and what they become");
    }
    struct choice *choices = reader_take(reader, json_object_size(values) * sizeof *choices);
    if (!choices) {
        return false;
    }
    bool right = true;
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)values, name, value)
    {
        size_t before = reader_enter(reader, name);
        struct choice *choice = &choices[out->choice_count++];
        choice->from = arena_copy(reader->mapping->arena, text_of(name));
        right = read_constant(reader, value, field, &choice->to) && right;
        reader_leave(reader, before);
    }
    out->choices = choices;
    return right;
}

static bool read_flag(struct reader *reader, const json_t *object, const char *member, bool *out)
{
    const json_t *json = json_object_get(object, member);
    *out = json_is_true(json);
    size_t before = reader_enter(reader, member);
    bool right = !json || *out || reader_mistake(reader, "must be true, or left out");
    reader_leave(reader, before);
    return right;
}

static bool read_maybe(struct reader *reader, const json_t *object, const char *member,
                       const struct field *field, bool *has, struct value *out)
{
    const json_t *json = json_object_get(object, member);
    *has = json != NULL;
    size_t before = reader_enter(reader, member);
    bool right = !json || read_constant(reader, json, field, out);
    reader_leave(reader, before);
    return right;
}

static bool read_money_unit(struct reader *reader, const json_t *unit, struct source *out)
{
    const char *word = json_string_value(unit);
    out->minor = word && strcmp(word, "minor") == 0;
    return out->minor || reader_mistake(reader, "of an amount can only be \"minor\"");
}

static bool read_duration_unit(struct reader *reader, const json_t *unit, struct source *out)
{
    static const struct {
        const char *word;
        int64_t seconds;
    } units[] = {{"seconds", 1}, {"minutes", 60}, {"hours", 3600}, {"days", 86400}};
    const char *word = json_string_value(unit);
    for (size_t i = 0; word && i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(word, units[i].word) == 0) {
            out->unit_s = units[i].seconds;
            return true;
        }
    }
    return reader_mistake(reader, "must be one of seconds, minutes, hours, days");
}

static bool read_unit(struct reader *reader, const json_t *object, const struct field *field,
                      struct source *out)
{
    const json_t *unit = json_object_get(object, "unit");
    size_t before = reader_enter(reader, "unit");
    bool right = true;
    if (field->kind == FIELD_SECONDS) {
        right = read_duration_unit(reader, unit, out);
    } else if (unit) {
        right = read_money_unit(reader, unit, out);
    }
    reader_leave(reader, before);
    return right;
}

static bool read_format(struct reader *reader, const json_t *object, struct text *format,
                        struct pattern *out)
{
    struct error err;
    if (!reader_text(reader, object, "format", 1, format)) {
        return false;
    }
    if (pattern_parse(out, *format, &err) != 0) {
        size_t before = reader_enter(reader, "format");
        reader_mistake(reader, "%s", err.text);
        reader_leave(reader, before);
        return false;
    }
    return true;
}

static bool read_date(struct reader *reader, const json_t *object, struct source *out)
{
    struct pattern *pattern = reader_take(reader, sizeof *pattern);
    out->pattern = pattern;
    return pattern && read_format(reader, object, &out->format, pattern);
}

static bool read_minus(struct reader *reader, const json_t *object, struct source *out)
{
    struct text name;
    out->minus = MAPPING_NO_COLUMN;
    if (!json_object_get(object, "minus")) {
        return true;
    }
    if (!reader_text(reader, object, "minus", 1, &name)) {
        return false;
    }
    out->minus = reader_column(reader, name);
    return true;
}

static const struct instant *read_end(struct reader *reader, const json_t *object,
                                      const char *member)
{
    struct instant *instant = reader_take(reader, sizeof *instant);
    size_t before = reader_enter(reader, member);
    bool right = instant && instant_read(reader, json_object_get(object, member), instant);
    reader_leave(reader, before);
    return right ? instant : NULL;
}

/* {"from": TIME, "to": TIME} */
static bool read_between(struct reader *reader, const json_t *object, struct source *out)
{
    static const char *const allowed[] = {"from", "to", NULL};
    out->kind = SOURCE_BETWEEN;
    bool right = reader_members(reader, object, allowed);
    out->from = read_end(reader, object, "from");
    out->to = read_end(reader, object, "to");
    return right && out->from && out->to;
}

static bool read_members(struct reader *reader, const json_t *object, const struct field *field)
{
    const char *allowed[SAYINGS + 1];
    size_t n = 0;
    for (size_t i = 0; i < SAYINGS; i++) {
        if ((sayings[i].needs & ~says[field->kind]) == 0) {
            allowed[n++] = sayings[i].member;
        }
    }
    allowed[n] = NULL;
    return reader_members(reader, object, allowed);
}

/* The texts of a bool are the business's own: without a table nobody can know them. */
static bool read_values(struct reader *reader, const json_t *object, const struct field *field,
                        struct source *out)
{
    const json_t *values = json_object_get(object, "values");
    if (!values && field->kind == FIELD_BOOL) {
        return reader_mistake(reader, "needs \"values\": which texts mean true, which false");
    }
    if (!values && json_object_get(object, "otherwise")) {
        return reader_mistake(reader, "has \"otherwise\" without \"values\"");
    }
    size_t before = reader_enter(reader, "values");
    bool right = !values || read_choices(reader, values, field, out);
    reader_leave(reader, before);
    return right;
}

static bool read_object(struct reader *reader, const json_t *object, const struct field *field,
                        struct source *out)
{
    const int may = says[field->kind];
    if ((may & SAYS_BETWEEN) &&
        (json_object_get(object, "from") || json_object_get(object, "to"))) {
        return read_between(reader, object, out);
    }
    out->kind = SOURCE_TEMPLATE;
    bool right = read_members(reader, object, field);
    right = read_text_source(reader, object, &out->template) && right;
    right = read_values(reader, object, field, out) && right;
    right = read_maybe(reader, object, "otherwise", field, &out->has_otherwise, &out->otherwise) &&
            right;
    right =
        read_maybe(reader, object, "default", field, &out->has_fallback, &out->fallback) && right;
    right = read_flag(reader, object, "slug", &out->slug) && right;
    right = read_flag(reader, object, "negate", &out->negate) && right;
    right = read_minus(reader, object, out) && right;
    if (may & SAYS_UNIT) {
        right = read_unit(reader, object, field, out) && right;
    }
    if (may & SAYS_FORMAT) {
        right = read_date(reader, object, out) && right;
    }
    return right;
}

bool source_read(struct reader *reader, const json_t *json, const struct field *field,
                 struct source *out)
{
    *out = (struct source){.minus = MAPPING_NO_COLUMN};
    if (json_is_object(json)) {
        return read_object(reader, json, field, out);
    }
    out->kind = SOURCE_CONSTANT;
    return read_constant(reader, json, field, &out->constant);
}

/* "12:00" or "12:00:30" */
static bool read_clock(struct reader *reader, struct text text, int64_t *out)
{
    char stamp[40];
    int64_t ms;
    const char *seconds = text.len == 5 ? ":00" : "";
    snprintf(stamp, sizeof stamp, "2000-01-01T%.*s%sZ", text.len < 10 ? (int)text.len : 10, text.at,
             seconds);
    if ((text.len != 5 && text.len != 8) || !calendar_parse_time(text_of(stamp), &ms)) {
        return reader_mistake(reader, "must be a time of day, HH:MM or HH:MM:SS");
    }
    *out = ms / 1000 - INT64_C(946684800);
    return true;
}

static bool read_at(struct reader *reader, const json_t *object, struct instant *out)
{
    struct text text;
    const json_t *at = json_object_get(object, "at");
    if (!at && !out->pattern.has_hour) {
        return reader_mistake(reader, "needs \"at\": the format has no hour");
    }
    if (at && out->pattern.has_hour) {
        return reader_mistake(reader, "has \"at\", but the format has an hour");
    }
    size_t before = reader_enter(reader, "at");
    bool right =
        !at || (reader_string(reader, at, 1, &text) && read_clock(reader, text, &out->at_s));
    reader_leave(reader, before);
    return right;
}

static bool read_plus(struct reader *reader, const json_t *object, struct instant *out)
{
    static const struct field duration = {"plus",        FIELD_SECONDS, false, false,    0,
                                          FIELD_NO_FLAG, NULL,          0,     315360000};
    const json_t *plus = json_object_get(object, "plus");
    struct source *source = plus ? reader_take(reader, sizeof *source) : NULL;
    if (!source) {
        return !plus;
    }
    size_t before = reader_enter(reader, "plus");
    bool right = source_read(reader, plus, &duration, source);
    reader_leave(reader, before);
    out->plus = source;
    return right;
}

bool instant_read(struct reader *reader, const json_t *json, struct instant *out)
{
    static const char *const allowed[] = {"column", "template", "format", "at", "plus", NULL};
    if (!json) {
        return reader_mistake(reader, "is missing");
    }
    bool right = reader_members(reader, json, allowed);
    if (!json_is_object(json)) {
        return false;
    }
    right = read_text_source(reader, json, &out->template) && right;
    right = read_format(reader, json, &out->format, &out->pattern) && read_at(reader, json, out) &&
            right;
    return read_plus(reader, json, out) && right;
}

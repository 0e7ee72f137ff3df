#include "producers/import/extract.h"

#include "common/calendar.h"
#include "common/currency.h"
#include "common/money.h"
#include "producers/import/slug.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define EXCERPT_BYTES 48
#define NUMBER_BYTES  200

/* What stood there, short and without anything that a terminal would act on. */
static const char *excerpt(struct text text, char out[EXCERPT_BYTES])
{
    size_t room = EXCERPT_BYTES - 4, len = text.len < room ? text.len : room;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        out[i] = c < 0x20 || c == 0x7f ? '?' : (char)c;
    }
    while (len < text.len && len > 0 && ((unsigned char)text.at[len] & 0xc0) == 0x80) {
        len--;
    }
    snprintf(out + len, 4, "%s", len < text.len ? "..." : "");
    return out;
}

static size_t name_columns(const struct extract *x, const struct template *template, char *out,
                           size_t room)
{
    size_t len = 0;
    int n = 0;
    for (size_t i = 0; i < template->count && len < room; i++) {
        int column = template->pieces[i].column;
        if (column != MAPPING_NO_COLUMN) {
            int more = snprintf(out + len, room - len, "%s\"%.60s\"", n++ ? ", " : "column ",
                                x->mapping->columns[column].at);
            len += more > 0 ? (size_t)more : 0;
        }
    }
    return len < room ? len : room - 1;
}

enum extracted extract_fail(struct extract *x, const struct template *template, const char *format,
                            ...)
{
    size_t room = sizeof x->problem;
    size_t len = name_columns(x, template, x->problem, room / 2);
    len += (size_t)snprintf(x->problem + len, room - len, "%s", len ? ": " : "");
    va_list args;
    va_start(args, format);
    vsnprintf(x->problem + len, room - len, format, args);
    va_end(args);
    return EXTRACT_FAILED;
}

static bool utf8_follows(const unsigned char *at, size_t n)
{
    for (size_t i = 1; i <= n; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return false;
        }
    }
    return true;
}

/* Bytes of the character at `at`, 0 when it is none: overlong forms, surrogates and what lies
 * above U+10FFFF are none. */
static size_t utf8_length(const unsigned char *at, size_t left)
{
    unsigned char c = at[0];
    size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    if (n == 0 || n > left || !utf8_follows(at, n - 1)) {
        return 0;
    }
    bool wrong = (c == 0xe0 && at[1] < 0xa0) || (c == 0xed && at[1] > 0x9f) ||
                 (c == 0xf0 && at[1] < 0x90) || (c == 0xf4 && at[1] > 0x8f);
    return wrong ? 0 : n;
}

static bool utf8_valid(struct text text)
{
    for (size_t i = 0; i < text.len;) {
        size_t n = utf8_length((const unsigned char *)text.at + i, text.len - i);
        if (n == 0) {
            return false;
        }
        i += n;
    }
    return true;
}

/* The text of a template; NONE when a column of it is empty. It lies in the row or in x->joined. */
static enum extracted join(struct extract *x, const struct template *template, struct text *out)
{
    size_t len = 0;
    if (template->count == 1 && template->pieces[0].column != MAPPING_NO_COLUMN) {
        *out = x->columns[template->pieces[0].column];
        return out->len ? EXTRACT_FOUND : EXTRACT_NONE;
    }
    for (size_t i = 0; i < template->count; i++) {
        const struct template_piece *piece = &template->pieces[i];
        bool literal = piece->column == MAPPING_NO_COLUMN;
        struct text part = literal ? piece->literal : x->columns[piece->column];
        if (part.len == 0) {
            return EXTRACT_NONE;
        }
        if (part.len > sizeof x->joined - len) {
            return extract_fail(x, template, "is longer than %d bytes", EXTRACT_TEXT_MAX);
        }
        memcpy(x->joined + len, part.at, part.len);
        len += part.len;
    }
    *out = (struct text){x->joined, len};
    return EXTRACT_FOUND;
}

static enum extracted keep(struct extract *x, struct arena *arena, const struct template *template,
                           struct text text, struct text *out)
{
    *out = arena_copy(arena, text);
    return out->at ? EXTRACT_FOUND : extract_fail(x, template, "out of memory");
}

/* Takes the mapping's `ignore` texts out of a number. */
static struct text without_ignored(const struct numbers *numbers, struct text text,
                                   char out[NUMBER_BYTES])
{
    size_t len = 0;
    for (size_t i = 0; i < text.len && len < NUMBER_BYTES;) {
        size_t skip = 0;
        for (size_t k = 0; k < numbers->ignore_count && !skip; k++) {
            struct text ignored = numbers->ignore[k];
            if (text.len - i >= ignored.len && !memcmp(text.at + i, ignored.at, ignored.len)) {
                skip = ignored.len;
            }
        }
        if (!skip) {
            out[len++] = text.at[i];
        }
        i += skip ? skip : 1;
    }
    return (struct text){out, len};
}

static bool read_decimal(const struct extract *x, struct text text, struct decimal *out)
{
    const struct numbers *numbers = &x->mapping->numbers;
    char clean[NUMBER_BYTES];
    if (numbers->ignore_count) {
        text = without_ignored(numbers, text, clean);
    }
    return decimal_parse(text, numbers->decimal, numbers->grouping, out, NULL) == 0;
}

static enum extracted not_a_number(struct extract *x, const struct template *template,
                                   struct text text, const char *what)
{
    char shown[EXCERPT_BYTES];
    return extract_fail(x, template, "\"%s\" is not %s", excerpt(text, shown), what);
}

/* 3 and 3.0, but not 3.5. */
static bool whole(struct decimal d, int64_t *out)
{
    if (decimal_round(d, 0, out, NULL) != 0) {
        return false;
    }
    __int128 scaled = *out;
    for (int i = 0; i < d.scale; i++) {
        scaled *= 10;
    }
    return scaled == d.units;
}

static enum extracted take_whole(struct extract *x, const struct template *template,
                                 struct text text, int64_t *out)
{
    struct decimal d;
    return read_decimal(x, text, &d) && whole(d, out)
               ? EXTRACT_FOUND
               : not_a_number(x, template, text, "a whole number");
}

static enum extracted take_amount(struct extract *x, const struct source *source,
                                  const struct template *template, struct text text, int64_t *out)
{
    struct decimal d;
    if (source->minor) {
        return take_whole(x, template, text, out);
    }
    return read_decimal(x, text, &d) && decimal_round(d, x->exponent, out, NULL) == 0
               ? EXTRACT_FOUND
               : not_a_number(x, template, text, "an amount");
}

/* Each of the two columns is rounded by itself, as they are in every report that shows them. */
static enum extracted take_money(struct extract *x, const struct source *source, struct text text,
                                 int64_t *out)
{
    enum extracted result = take_amount(x, source, &source->template, text, out);
    if (result != EXTRACT_FOUND || source->minus == MAPPING_NO_COLUMN) {
        return result;
    }
    struct template_piece piece = {{NULL, 0}, source->minus};
    struct template minus = {&piece, 1};
    int64_t less = 0;
    struct text other = x->columns[source->minus];
    if (other.len == 0) {
        return EXTRACT_NONE;
    }
    result = take_amount(x, source, &minus, other, &less);
    if (result == EXTRACT_FOUND && __builtin_sub_overflow(*out, less, out)) {
        return not_a_number(x, &minus, other, "an amount");
    }
    return result;
}

static enum extracted take_seconds(struct extract *x, const struct source *source, struct text text,
                                   int64_t *out)
{
    struct decimal d;
    if (!read_decimal(x, text, &d) ||
        __builtin_mul_overflow(d.units, (__int128)source->unit_s, &d.units) ||
        decimal_round(d, 0, out, NULL) != 0) {
        return not_a_number(x, &source->template, text, "a duration");
    }
    return EXTRACT_FOUND;
}

static enum extracted in_range(struct extract *x, const struct source *source,
                               const struct field *field, int64_t number)
{
    if (number >= field->min && number <= field->max) {
        return EXTRACT_FOUND;
    }
    const char *unit = field->kind == FIELD_MONEY     ? " minor units"
                       : field->kind == FIELD_SECONDS ? " seconds"
                                                      : "";
    return extract_fail(x, &source->template,
                        "%s would be %" PRId64 "%s, allowed is %" PRId64 "-%" PRId64, field->name,
                        number, unit, field->min, field->max);
}

static enum extracted take_number(struct extract *x, const struct source *source,
                                  const struct field *field, struct text text, struct value *out)
{
    enum extracted result;
    switch (field->kind) {
    case FIELD_MONEY:
        result = take_money(x, source, text, &out->number);
        break;
    case FIELD_SECONDS:
        result = take_seconds(x, source, text, &out->number);
        break;
    default:
        result = take_whole(x, &source->template, text, &out->number);
        break;
    }
    if (result != EXTRACT_FOUND) {
        return result;
    }
    if (source->negate && __builtin_sub_overflow(0, out->number, &out->number)) {
        return not_a_number(x, &source->template, text, "a number");
    }
    return in_range(x, source, field, out->number);
}

static enum extracted take_text(struct extract *x, struct arena *arena, const struct source *source,
                                const struct field *field, struct text text, struct value *out)
{
    char slug[SLUG_MAX], shown[EXCERPT_BYTES];
    if (source->slug) {
        size_t len = slug_make(text, slug);
        if (len == 0) {
            return extract_fail(x, &source->template, "\"%s\" has nothing that a slug may hold",
                                excerpt(text, shown));
        }
        text = (struct text){slug, len};
    } else if (field->kind == FIELD_SLUG && !slug_valid(text)) {
        return extract_fail(x, &source->template,
                            "\"%s\" is not a slug (1-64 of A-Z a-z 0-9 . _ -); "
                            "\"slug\": true makes one",
                            excerpt(text, shown));
    } else if (text.len > 128) {
        return extract_fail(x, &source->template, "is longer than 128 bytes");
    } else if (!utf8_valid(text)) {
        return extract_fail(x, &source->template, "is not UTF-8");
    }
    return keep(x, arena, &source->template, text, &out->text);
}

static enum extracted take_word(struct extract *x, const struct source *source,
                                const struct field *field, struct text text, struct value *out)
{
    char shown[EXCERPT_BYTES];
    for (int i = 0; field->words[i]; i++) {
        if (text_is(text, field->words[i])) {
            out->number = i;
            return EXTRACT_FOUND;
        }
    }
    return extract_fail(x, &source->template, "\"%s\" is no %s; \"values\" can translate it",
                        excerpt(text, shown), field->name);
}

static enum extracted take_currency(struct extract *x, const struct source *source,
                                    struct text text, struct value *out)
{
    char shown[EXCERPT_BYTES];
    out->number = text.len == 3 ? currency_find(text) : -1;
    return out->number >= 0
               ? EXTRACT_FOUND
               : extract_fail(x, &source->template, "\"%s\" is no currency of ISO 4217",
                              excerpt(text, shown));
}

static enum extracted read_moment(struct extract *x, const struct template *template,
                                  const struct pattern *pattern, struct text format,
                                  struct text text, struct moment *out)
{
    char shown[EXCERPT_BYTES];
    excerpt(text, shown);
    switch (pattern_read(pattern, text, out)) {
    case PATTERN_NO_SUCH_DATE:
        return extract_fail(x, template, "\"%s\" does not exist", shown);
    case PATTERN_YEAR:
        return extract_fail(x, template, "\"%s\" is not in the years 2000-2099", shown);
    case PATTERN_DIFFERS:
        return extract_fail(x, template, "\"%s\" is not written %.60s", shown, format.at);
    default:
        return EXTRACT_FOUND;
    }
}

static enum extracted take_choice(struct extract *x, const struct source *source, struct text text,
                                  struct value *out)
{
    char shown[EXCERPT_BYTES];
    for (size_t i = 0; i < source->choice_count; i++) {
        if (text_equal(source->choices[i].from, text)) {
            *out = source->choices[i].to;
            return EXTRACT_FOUND;
        }
    }
    if (source->has_otherwise) {
        *out = source->otherwise;
        return EXTRACT_FOUND;
    }
    return extract_fail(x, &source->template, "\"%s\" is not among \"values\"",
                        excerpt(text, shown));
}

static enum extracted take(struct extract *x, struct arena *arena, const struct source *source,
                           const struct field *field, struct text text, struct value *out)
{
    struct moment moment;
    if (source->choices) {
        return take_choice(x, source, text, out);
    }
    switch (field->kind) {
    case FIELD_REF:
    case FIELD_SLUG:
        return take_text(x, arena, source, field, text, out);
    case FIELD_WORD:
        return take_word(x, source, field, text, out);
    case FIELD_CURRENCY:
        return take_currency(x, source, text, out);
    case FIELD_DATE:
        if (read_moment(x, &source->template, source->pattern, source->format, text, &moment) !=
            EXTRACT_FOUND) {
            return EXTRACT_FAILED;
        }
        out->number = moment.day;
        return EXTRACT_FOUND;
    default:
        return take_number(x, source, field, text, out);
    }
}

static enum extracted between(struct extract *x, const struct source *source,
                              const struct field *field, int64_t *out)
{
    int64_t from = 0, to = 0;
    enum extracted result = extract_time(x, source->from, &from);
    if (result == EXTRACT_FOUND) {
        result = extract_time(x, source->to, &to);
    }
    if (result != EXTRACT_FOUND) {
        return result;
    }
    *out = to >= from ? (to - from) / 1000 : -((from - to + 999) / 1000);
    if (*out >= field->min && *out <= field->max) {
        return EXTRACT_FOUND;
    }
    return extract_fail(x, &source->to->template, "%s would be %" PRId64 " seconds", field->name,
                        *out);
}

enum extracted extract_value(struct extract *x, struct arena *arena, const struct source *source,
                             const struct field *field, struct value *out)
{
    struct text text;
    *out = (struct value){{NULL, 0}, 0};
    switch (source->kind) {
    case SOURCE_NONE:
        return EXTRACT_NONE;
    case SOURCE_CONSTANT:
        *out = source->constant;
        return EXTRACT_FOUND;
    case SOURCE_BETWEEN:
        return between(x, source, field, &out->number);
    default:
        break;
    }
    enum extracted result = join(x, &source->template, &text);
    if (result == EXTRACT_FOUND) {
        result = take(x, arena, source, field, text, out);
    }
    if (result == EXTRACT_NONE && source->has_fallback) {
        *out = source->fallback;
        return EXTRACT_FOUND;
    }
    return result;
}

static int64_t instant_of(const struct extract *x, const struct instant *instant,
                          const struct moment *moment)
{
    if (moment->has_offset) {
        return moment->local_ms - (int64_t)moment->offset_s * 1000;
    }
    int64_t local_ms = moment->local_ms + instant->at_s * 1000; /* years 2000-2099: positive */
    return zone_utc(x->zone, local_ms / 1000) * 1000 + local_ms % 1000;
}

enum extracted extract_time(struct extract *x, const struct instant *instant, int64_t *ms)
{
    static const struct field duration = {"the added time", FIELD_SECONDS, false, false,    0,
                                          FIELD_NO_FLAG,    NULL,          0,     315360000};
    struct text text = {NULL, 0};
    struct moment moment = {0};
    struct value plus = {{NULL, 0}, 0};
    enum extracted result = join(x, &instant->template, &text);
    if (result == EXTRACT_FOUND) {
        result =
            read_moment(x, &instant->template, &instant->pattern, instant->format, text, &moment);
    }
    if (result == EXTRACT_FOUND && instant->plus) {
        result = extract_value(x, NULL, instant->plus, &duration, &plus);
        if (result == EXTRACT_NONE) {
            return extract_fail(x, &instant->plus->template, "is empty");
        }
    }
    if (result == EXTRACT_FOUND) {
        *ms = instant_of(x, instant, &moment) + plus.number * 1000;
    }
    return result;
}

enum extracted extract_id(struct extract *x, struct arena *arena, const struct template *template,
                          struct text *out)
{
    struct text text = {NULL, 0};
    switch (join(x, template, &text)) {
    case EXTRACT_FAILED:
        return EXTRACT_FAILED;
    case EXTRACT_NONE:
        return extract_fail(x, template, "is empty");
    default:
        break;
    }
    if (text.len > 128) {
        return extract_fail(x, template, "gives an id longer than 128 bytes");
    }
    if (!utf8_valid(text)) {
        return extract_fail(x, template, "is not UTF-8");
    }
    return keep(x, arena, template, text, out);
}

static bool among(const struct condition *condition, struct text text)
{
    for (size_t i = 0; i < condition->count; i++) {
        if (text_equal(condition->texts[i], text)) {
            return true;
        }
    }
    return false;
}

static bool holds(const struct extract *x, const struct condition *condition)
{
    struct text text = x->columns[condition->column];
    switch (condition->kind) {
    case CONDITION_EMPTY:
        return text.len == 0;
    case CONDITION_NOT_EMPTY:
        return text.len > 0;
    case CONDITION_IN:
        return among(condition, text);
    default:
        return !among(condition, text);
    }
}

bool extract_all(const struct extract *x, const struct conditions *conditions)
{
    for (size_t i = 0; i < conditions->count; i++) {
        if (!holds(x, &conditions->list[i])) {
            return false;
        }
    }
    return true;
}

bool extract_any(const struct extract *x, const struct conditions *conditions)
{
    for (size_t i = 0; i < conditions->count; i++) {
        if (holds(x, &conditions->list[i])) {
            return true;
        }
    }
    return false;
}

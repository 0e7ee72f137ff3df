#include "consumers/report/render.h"

#include "consumers/report/render_forms.h"

#include <stdlib.h>

bool render_format_parse(struct text word, enum render_format *out)
{
    static const char *const words[] = {"table", "json", "csv", "markdown", "html"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (text_is(word, words[i])) {
            *out = (enum render_format)i;
            return true;
        }
    }
    return false;
}

int render_drawn(FILE *out, enum render_format format, const struct fields *fields,
                 enum language language, const struct zone *zone,
                 const struct render_picture *picture, struct error *err)
{
    static const struct render_picture plain = {.ink = INK_PLAIN};
    struct sheet *sheet = NULL;
    picture = picture ? picture : &plain;
    if (sheet_open(&sheet, fields, language, err))
        return -1;
    switch (format) {
    case RENDER_TABLE:
        render_table(out, sheet, fields, zone, picture);
        break;
    case RENDER_JSON:
        render_json(out, sheet, fields);
        fputc('\n', out);
        break;
    case RENDER_CSV:
        render_csv(out, sheet, fields);
        break;
    case RENDER_MARKDOWN:
        render_markdown(out, sheet, fields, zone);
        break;
    case RENDER_HTML:
        render_html(out, sheet, fields, zone, picture);
        break;
    }
    sheet_free(sheet);
    return 0;
}

int render(FILE *out, enum render_format format, const struct fields *fields,
           enum language language, const struct zone *zone, struct error *err)
{
    return render_drawn(out, format, fields, language, zone, NULL, err);
}

int render_table_document(char **out, size_t *length, const struct fields *fields,
                          enum language language, struct error *err)
{
    struct sheet *sheet = NULL;
    char *text = NULL;
    if (sheet_open(&sheet, fields, language, err))
        return -1;
    FILE *stream = open_memstream(&text, length);
    if (stream)
        render_json(stream, sheet, fields);
    sheet_free(sheet);
    if (!stream || fclose(stream) != 0) {
        free(text);
        return error_memory(err);
    }
    *out = text;
    return 0;
}

static const char *const running[LANGUAGES][2] = {{"running", "closed"}, {"în curs", "încheiat"}};
static const char *const whole[LANGUAGES] = {"whole business", "toată afacerea"};
static const char *const as_of_form[LANGUAGES] = {"as of %s (%s)", "la %s (%s)"};

void render_as_of(char *out, size_t room, const struct fields *fields, enum language language,
                  const struct zone *zone)
{
    const char *as_of = fields_value(fields, "as_of");
    char date[11], clock[32], *end = NULL;
    int64_t utc_s = strtoll(as_of, &end, 10);
    int64_t local_s = zone ? zone_local(zone, utc_s) : utc_s;
    *out = '\0';
    if (*end || end == as_of || local_s < 0 || local_s / 86400 > CALENDAR_DAY_MAX)
        return;
    int minutes = (int)(local_s % 86400 / 60);
    calendar_format_date((int32_t)(local_s / 86400), date);
    snprintf(clock, sizeof clock, "%s %02d:%02d", date, minutes / 60, minutes % 60);
    snprintf(out, room, as_of_form[language], clock, zone ? zone_name(zone) : "UTC");
}

void render_subject(char *out, size_t room, const struct fields *fields, enum language language)
{
    char name[WORDS_MAX];
    struct period period;
    const char *word = fields_value(fields, "period"), *scope = fields_value(fields, "scope");
    bool closed = text_is(text_of(fields_value(fields, "closed")), "1");
    if (period_parse(text_of(word), &period))
        words_period(language, period, name);
    else
        snprintf(name, sizeof name, "%s", word);
    snprintf(out, room, "%s, %s: %s, %s", fields_value(fields, "business"),
             text_is(text_of(scope), "all") ? whole[language] : scope, name,
             running[language][closed]);
}

#include "consumers/doctor/diagnosis.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>

static const char *const words[] = {"ok", "warning", "error"};

void diagnosis_say(struct diagnosis *d, enum finding_level level, const char *area,
                   const char *format, ...)
{
    va_list args;
    char *text = NULL;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    struct finding *grown = text ? realloc(d->list, (d->count + 1) * sizeof *grown) : NULL;
    d->worst = level > d->worst ? level : d->worst;
    if (!grown) {
        free(text);
        d->failed = true;
        return;
    }
    d->list = grown;
    d->list[d->count++] = (struct finding){level, area, text, NULL};
}

void diagnosis_mend(struct diagnosis *d, const char *format, ...)
{
    va_list args;
    char *text = NULL;
    va_start(args, format);
    if (d->count == 0 || vasprintf(&text, format, args) < 0)
        d->failed = true;
    else {
        free(d->list[d->count - 1].mend);
        d->list[d->count - 1].mend = text;
    }
    va_end(args);
}

void diagnosis_clear(struct diagnosis *d)
{
    for (size_t i = 0; i < d->count; i++) {
        free(d->list[i].text);
        free(d->list[i].mend);
    }
    free(d->list);
    *d = (struct diagnosis){0};
}

void diagnosis_print(const struct diagnosis *d, bool colour, FILE *out)
{
    static const char *const colours[] = {"\033[32m", "\033[33m", "\033[31m"};
    for (size_t i = 0; i < d->count; i++) {
        const struct finding *f = &d->list[i];
        fprintf(out, "%s%-7s%s  %-9s  %s\n", colour ? colours[f->level] : "", words[f->level],
                colour ? "\033[0m" : "", f->area, f->text);
        if (f->mend)
            fprintf(out, "%20smend: %s\n", "", f->mend);
    }
}

int diagnosis_print_json(const struct diagnosis *d, FILE *out)
{
    json_t *checks = json_array();
    int rc = 0;
    for (size_t i = 0; i < d->count && rc == 0; i++) {
        const struct finding *f = &d->list[i];
        rc = json_array_append_new(checks,
                                   json_pack("{s:s, s:s, s:s, s:s?}", "area", f->area, "level",
                                             words[f->level], "text", f->text, "mend", f->mend));
    }
    json_t *whole = json_pack("{s:s, s:o}", "status", words[d->worst], "checks", checks);
    if (!whole || rc != 0 || json_dumpf(whole, out, JSON_INDENT(2)) != 0)
        rc = -1;
    fputc('\n', out);
    json_decref(whole);
    return rc;
}

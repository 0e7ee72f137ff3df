#include "consumers/reporter/change.h"

#include "common/calendar.h"
#include "consumers/comparison/reasons.h"
#include "consumers/comparison/verdict.h"

#include <stdio.h>
#include <stdlib.h>

/* Fields are printable ASCII; our own sentences are UTF-8 without control characters. */
static void put_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            fputc('\\', out);
        }
        fputc(*text, out);
    }
    fputc('"', out);
}

static void put_member(FILE *out, const char *name, const char *text, const char *after)
{
    fprintf(out, "\"%s\":", name);
    put_string(out, text);
    fputs(after, out);
}

static void put_value(FILE *out, const char *name, const char *value, const char *after)
{
    fprintf(out, "\"%s\":", name);
    fields_write_json_value(&(struct field){name, value}, out);
    fputs(after, out);
}

static void put_number(FILE *out, const struct fields *entry, const char *name, const char *after)
{
    put_value(out, name, fields_value(entry, name), after);
}

static void put_reasons(FILE *out, const char *text)
{
    struct reason reason;
    fputs("\"reasons\":[", out);
    for (int i = 0; reasons_next(&text, &reason); i++) {
        fputs(i ? ",{" : "{", out);
        put_member(out, "metric", reason.metric, ",");
        put_value(out, "value", reason.value, ",");
        put_member(out, "op", reason.op, ",");
        put_value(out, "threshold", reason.threshold, ",");
        put_value(out, "n", reason.n, "}");
    }
    fputs("],", out);
}

static void put_truth(FILE *out, const struct fields *entry, const char *name)
{
    bool truth = text_is(text_of(fields_value(entry, name)), "1");
    fprintf(out, "\"%s\":%s,", name, truth ? "true" : "false");
}

static void put_text(FILE *out, const struct fields *entry)
{
    const struct verdict *verdict = verdict_find(text_of(fields_value(entry, "to")));
    fputs("\"text\":{", out);
    put_member(out, "en", verdict ? verdict->sentence[0] : "", ",");
    put_member(out, "ro", verdict ? verdict->sentence[1] : "", "}");
}

/* The middle of "month/2026-11/all". The period has no field of its own in the stream: a reader that
 * takes "2026" for a number would have a column of two kinds. */
static void put_period(FILE *out, const char *subject)
{
    struct text period = {0};
    char text[16];
    period.at = subject + strcspn(subject, "/");
    period.at += *period.at == '/';
    period.len = strcspn(period.at, "/");
    snprintf(text, sizeof text, "%.*s", TEXT_ARG(period));
    put_member(out, "period", text, ",");
}

static void put_data(FILE *out, const char *business, const struct fields *entry)
{
    static const char *const words[] = {"scope",    "period_kind", "from",         "to",
                                        "severity", "sale_state",  "service_state"};
    fputs("\"data\":{", out);
    put_member(out, "business", business, ",");
    put_period(out, fields_value(entry, "subject"));
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        put_member(out, words[i], fields_value(entry, words[i]), ",");
    }
    put_truth(out, entry, "provisional");
    put_truth(out, entry, "closed");
    put_reasons(out, fields_value(entry, "reasons"));
    put_member(out, "store", fields_value(entry, "store"), ",");
    put_number(out, entry, "revision", ",");
    put_number(out, entry, "sequence", ",");
    put_text(out, entry);
    fputs("}}", out);
}

static void put_event(FILE *out, const char *business, const struct fields *entry)
{
    char time[32];
    long long as_of_s = strtoll(fields_value(entry, "as_of"), NULL, 10);
    fputs("{\"specversion\":\"1.0\",", out);
    put_member(out, "id", fields_value(entry, "id"), ",");
    fprintf(out, "\"source\":\"/tandem/%s\",", business);
    put_member(out, "type", CHANGE_TYPE, ",");
    put_member(out, "time", calendar_format_time((int64_t)as_of_s * 1000, time), ",");
    put_member(out, "subject", fields_value(entry, "subject"), ",");
    put_member(out, "datacontenttype", "application/json", ",");
    put_data(out, business, entry);
}

int change_write(char **out, size_t *length, const char *business, const struct fields *entry,
                 struct error *err)
{
    FILE *stream = open_memstream(out, length);
    if (!stream) {
        return error_memory(err);
    }
    put_event(stream, business, entry);
    if (fclose(stream) != 0) {
        free(*out);
        return error_memory(err);
    }
    return 0;
}

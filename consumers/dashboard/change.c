#include "consumers/dashboard/change.h"

#include "consumers/dashboard/reading.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {"count", "percent", "score",   "rate",
                                    "mean",  "money",   "seconds", "seconds"};

/* Hundredths of a percent, half away from zero. False when there is nothing to compare with. */
static bool share(int64_t now, int64_t before, int64_t *out)
{
    if (before <= 0) {
        return false;
    }
    __int128 num = ((__int128)now - before) * 10000, half = before / 2;
    num = (num < 0 ? num - half : num + half) / before;
    *out = (int64_t)num;
    return num < INT64_MAX && num > INT64_MIN;
}

static bool by_share(enum metric_kind kind)
{
    return kind == METRIC_COUNT || kind == METRIC_MONEY;
}

static bool change_of(const struct change *of, int64_t *out)
{
    int64_t now, before;
    if (!reading_hundredths(of->field.value, &now) ||
        !reading_hundredths(of->previous, &before)) {
        return false;
    }
    if (by_share(of->metric->kind)) {
        return of->closed && of->metric->group != METRIC_TARGET && share(now, before, out);
    }
    *out = now - before;
    return true;
}

static void change_text(const struct change *of, int64_t change, char out[WORDS_MAX])
{
    char number[40], words[WORDS_MAX];
    const char *sign = change > 0 ? "+" : change < 0 ? "−" : "±";
    int64_t size = change < 0 ? -change : change;
    enum metric_kind kind = of->metric->kind;
    if (kind == METRIC_SECONDS || kind == METRIC_MEAN_SECONDS) {
        snprintf(out, WORDS_MAX, "%s%.100s", sign,
                 words_duration(of->language, size / 100, words));
        return;
    }
    words_number(of->language, metric_format_hundredths(size, number), words);
    snprintf(out, WORDS_MAX, "%s%.100s%s", sign, words,
             by_share(kind)           ? " %"
             : kind == METRIC_PERCENT ? (of->language == LANGUAGE_RO ? " pp" : " pts")
                                      : "");
}

static void add_change(yyjson_mut_doc *doc, yyjson_mut_val *to, const struct change *of)
{
    int64_t change;
    char number[40], text[WORDS_MAX];
    if (!change_of(of, &change)) {
        yyjson_mut_obj_add_null(doc, to, "change");
        return;
    }
    metric_format_hundredths(change, number);
    yyjson_mut_obj_add(to, yyjson_mut_str(doc, "change"), yyjson_mut_rawcpy(doc, number));
    change_text(of, change, text);
    yyjson_mut_obj_add_strcpy(doc, to, "change_text", text);
}

yyjson_mut_val *change_describe(yyjson_mut_doc *doc, const struct change *of)
{
    char text[WORDS_MAX];
    const struct metric *metric = of->metric;
    const char *colon = strchr(of->field.name, ':'), *suffix = colon ? colon + 1 : "";
    yyjson_mut_val *made = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_str(doc, made, "label", metric->label[of->language]);
    yyjson_mut_obj_add_str(doc, made, "kind", kinds[metric->kind]);
    yyjson_mut_obj_add(made, yyjson_mut_str(doc, "value"),
                       reading_value(doc, of->field.name, of->field.value));
    words_metric(of->language, metric, suffix, of->field.value, text);
    yyjson_mut_obj_add_strcpy(doc, made, "text", text);
    yyjson_mut_obj_add(made, yyjson_mut_str(doc, "previous"),
                       reading_value(doc, of->field.name, of->previous));
    if (of->previous) {
        words_metric(of->language, metric, suffix, of->previous, text);
        yyjson_mut_obj_add_strcpy(doc, made, "previous_text", text);
    }
    add_change(doc, made, of);
    return made;
}

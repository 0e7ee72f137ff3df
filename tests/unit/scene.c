#include "tests/unit/scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct counters *scene_counters(const char *words)
{
    struct counters *counters = NULL;
    struct error err = {0};
    assert_int_equal(counters_open(&counters, &err), 0);
    while (words && *words) {
        size_t name = strcspn(words, "="), value = strcspn(words + name + 1, " ");
        if (counters_add_field(counters, (struct text){words, name},
                               (struct text){words + name + 1, value}, &err))
            fail_msg("%s", err.text);
        words += name + 1 + value;
        words += strspn(words, " ");
    }
    return counters;
}

struct targets *scene_targets(const char *json)
{
    struct targets *targets = NULL;
    struct sentences *mistakes = NULL;
    struct error err = {0};
    if (targets_parse(&targets, text_of(json), "region,channel,rep,line", &mistakes, &err))
        fail_msg("%s: %s", err.text, sentences_at(mistakes, 0));
    return targets;
}

static const char *or_usual(const char *given, const char *usual)
{
    return given ? given : usual;
}

static int64_t instant(const char *time)
{
    int64_t ms = 0;
    assert_true(calendar_parse_time(text_of(time), &ms));
    return ms / 1000;
}

/* Reading a zone takes a while, and a test plays hundreds of scenes: the last one is kept. */
static const struct zone *zone_named(const char *name)
{
    static struct zone *kept;
    struct error err = {0};
    if (kept && strcmp(zone_name(kept), name) == 0)
        return kept;
    zone_free(kept);
    kept = NULL;
    if (zone_open(&kept, name, &err))
        fail_msg("%s", err.text);
    return kept;
}

/* Everything that one comparison owns. */
struct stage {
    struct counters *sale, *service, *customer, *sale_before, *service_before, *customer_before;
    struct targets *targets;
    const struct zone *zone;
};

static void set_up(const struct scene *scene, struct stage *stage)
{
    stage->sale = scene_counters(scene->sale);
    stage->service = scene_counters(scene->service);
    stage->customer = scene->customer ? scene_counters(scene->customer) : NULL;
    stage->sale_before = scene_counters(scene->sale_before);
    stage->service_before = scene_counters(scene->service_before);
    stage->customer_before = scene_counters(scene->customer_before);
    stage->targets = scene->targets ? scene_targets(scene->targets) : NULL;
    stage->zone = zone_named(or_usual(scene->zone, "Europe/Bucharest"));
}

static void take_down(struct stage *stage)
{
    counters_free(stage->sale);
    counters_free(stage->service);
    counters_free(stage->customer);
    counters_free(stage->sale_before);
    counters_free(stage->service_before);
    counters_free(stage->customer_before);
    targets_free(stage->targets);
}

struct fields *scene_play(const struct scene *scene)
{
    static const char *const usual_currencies[] = {"RON", NULL};
    struct stage stage = {0};
    struct fields *fields = NULL;
    struct error err = {0};
    set_up(scene, &stage);
    struct comparison_counters before = {stage.sale_before, stage.service_before,
                                         stage.customer_before};
    struct comparison_input input = {
        .business = "main",
        .scope = or_usual(scene->scope, "all"),
        .now = {stage.sale, stage.service, stage.customer},
        .previous = scene->no_previous ? NULL : &before,
        .targets = stage.targets,
        .zone = stage.zone,
        .as_of_s = instant(or_usual(scene->as_of, "2026-11-16T00:00:00+02:00")),
        .currencies = scene->currencies ? scene->currencies : usual_currencies,
        .ledger_from = scene->ledger_from ? scene->ledger_from : INT32_MIN,
        .store = "1700000000000-abc",
        .revision = 7,
    };
    while (input.currencies[input.currency_count])
        input.currency_count++;
    assert_true(period_parse(text_of(or_usual(scene->period, "2026-11")), &input.period));
    if (comparison_compute(&input, &fields, &err))
        fail_msg("%s", err.text);
    take_down(&stage);
    return fields;
}

static void expect_pair(const struct fields *fields, const char *pair, size_t length)
{
    char name[64], expected[512];
    size_t blank = strcspn(pair, " ");
    snprintf(name, sizeof name, "%.*s", (int)blank, pair);
    snprintf(expected, sizeof expected, "%.*s", (int)(length - blank - 1), pair + blank + 1);
    const char *value = fields_get(fields, name);
    if (!value || strcmp(value, expected) != 0)
        fail_msg("%s is %s, not %s", name, value ? value : "absent", expected);
}

void scene_expect(const struct scene *scene, const char *pairs)
{
    struct fields *fields = scene_play(scene);
    while (*pairs) {
        size_t length = strcspn(pairs, "|"), end = length;
        while (end > 0 && pairs[end - 1] == ' ')
            end--;
        expect_pair(fields, pairs, end);
        pairs += length + (pairs[length] == '|');
        pairs += strspn(pairs, " ");
    }
    fields_free(fields);
}

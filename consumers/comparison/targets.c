#include "consumers/comparison/targets_data.h"

#include "common/currency.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct targets usual = {.weights = TARGETS_WEIGHTS, .service = TARGETS_SERVICE};

static const struct targets *or_usual(const struct targets *targets)
{
    return targets ? targets : &usual;
}

void targets_free(struct targets *targets)
{
    if (!targets)
        return;
    for (size_t i = 0; i < targets->count; i++)
        free((char *)targets->list[i].scope);
    free(targets->list);
    free(targets->holidays);
    free(targets);
}

static int read_all(FILE *file, const char *path, char **out, size_t *len, struct error *err)
{
    char *bytes = malloc(TARGETS_BYTES_MAX + 2);
    if (!bytes)
        return error_memory(err);
    *len = fread(bytes, 1, TARGETS_BYTES_MAX + 1, file);
    if (ferror(file)) {
        free(bytes);
        return error_set(err, ERROR_SYSTEM, "cannot read %s: %s", path, strerror(errno));
    }
    bytes[*len] = '\0';
    *out = bytes;
    return 0;
}

int targets_read(struct targets **out, const char *path, const char *scopes, char **json,
                 struct sentences **mistakes, struct error *err)
{
    char *bytes = NULL;
    size_t len = 0;
    if (mistakes)
        *mistakes = NULL;
    FILE *file = fopen(path, "rbe");
    if (!file)
        return error_set(err, ERROR_SYSTEM, "cannot open %s: %s", path, strerror(errno));
    int result = read_all(file, path, &bytes, &len, err);
    fclose(file);
    if (result == 0 && targets_parse(out, (struct text){bytes, len}, scopes, mistakes, err))
        result = error_prefix(err, "%s", path);
    if (result == 0 && json)
        *json = bytes;
    else
        free(bytes);
    return result;
}

/* The words of the file and of the published fields. */
const char *measure_name(enum measure measure)
{
    static const char *const names[] = {"gross_profit", "revenue", "orders"};
    return names[measure];
}

char *target_name(const struct target *target, char out[32])
{
    if (target->currency < 0)
        snprintf(out, 32, "%s", measure_name(target->measure));
    else
        snprintf(out, 32, "%s:%s", measure_name(target->measure), currency_code(target->currency));
    return out;
}

static int compare_place(const struct target *target, const char *scope, struct period period)
{
    int order = strcmp(target->scope, scope);
    if (order)
        return order;
    if (target->period.kind != period.kind)
        return target->period.kind < period.kind ? -1 : 1;
    return (target->period.first > period.first) - (target->period.first < period.first);
}

int targets_compare(const void *a, const void *b)
{
    const struct target *x = a, *y = b;
    int order = compare_place(x, y->scope, y->period);
    if (order)
        return order;
    if (x->measure != y->measure)
        return x->measure < y->measure ? -1 : 1;
    if (x->currency < 0 || y->currency < 0)
        return (x->currency > y->currency) - (x->currency < y->currency);
    return strcmp(currency_code(x->currency), currency_code(y->currency));
}

size_t targets_count(const struct targets *targets)
{
    return or_usual(targets)->count;
}

const struct target *targets_at(const struct targets *targets, size_t i)
{
    return &targets->list[i];
}

size_t targets_find(const struct targets *targets, const char *scope, struct period period,
                    const struct target **first)
{
    size_t low = 0, high = targets_count(targets), end;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_place(&targets->list[middle], scope, period) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < targets_count(targets); end++)
        if (compare_place(&targets->list[end], scope, period) != 0)
            break;
    *first = end > low ? &targets->list[low] : NULL;
    return end - low;
}

static int by_day(const void *a, const void *b)
{
    const int32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

int targets_weight(const struct targets *targets, int32_t day)
{
    targets = or_usual(targets);
    if (targets->holiday_count &&
        bsearch(&day, targets->holidays, targets->holiday_count, sizeof day, by_day))
        return 0;
    return targets->weights[calendar_weekday(day)];
}

int targets_weight_max(const struct targets *targets)
{
    int max = 0;
    for (int i = 0; i < 7; i++)
        if (or_usual(targets)->weights[i] > max)
            max = or_usual(targets)->weights[i];
    return max;
}

const struct service_rules *targets_service(const struct targets *targets)
{
    return &or_usual(targets)->service;
}

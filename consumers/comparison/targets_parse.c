/* From the bytes of a targets file to struct targets, collecting every mistake on the way.
 *
 * Each parse_ function takes one JSON value and the path at which it stands. It goes on after a
 * mistake; a file with any mistake is refused at the end. */
#include "consumers/comparison/targets_data.h"

#include "common/currency.h"
#include "consumers/comparison/pace.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct parser {
    struct targets *targets;
    const char *scopes;
    struct sentences *mistakes;
    size_t *places; /* where each kept target stood in the file */
    bool pace_is_good;
    bool reals_count; /* the file has a number beyond int64, so all came as reals */
    struct error *err;
    bool no_memory;
};

#define PATH_MAX_BYTES 512
struct path {
    char text[PATH_MAX_BYTES];
};

static struct path path_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

static struct path path_of(const char *format, ...)
{
    struct path path;
    va_list args;
    va_start(args, format);
    vsnprintf(path.text, sizeof path.text, format, args);
    va_end(args);
    return path;
}

static bool mistake(struct parser *parser, struct path path, const char *what)
{
    if (sentences_add(parser->mistakes, parser->err, "%s: %s", path.text, what))
        parser->no_memory = true;
    return false;
}

static bool mistake_range(struct parser *parser, struct path path, int64_t min, int64_t max)
{
    char what[96];
    snprintf(what, sizeof what, "must be a whole number from %" PRId64 " to %" PRId64, min, max);
    return mistake(parser, path, what);
}

/* Scalars. Each answers whether *out was filled. */

static bool parse_integer(struct parser *parser, struct path path, const json_t *value, int64_t min,
                          int64_t max, int64_t *out)
{
    if (parser->reals_count && json_is_real(value)) {
        double real = json_real_value(value);
        if (real < (double)min || real > (double)max || real >= 0x1p63)
            return mistake_range(parser, path, min, max);
        *out = min; /* the file is refused in any case; this number is not why */
        return true;
    }
    if (!json_is_integer(value) || json_integer_value(value) < min ||
        json_integer_value(value) > max)
        return mistake_range(parser, path, min, max);
    *out = json_integer_value(value);
    return true;
}

static bool parse_string(struct parser *parser, struct path path, const json_t *value,
                         struct text *out)
{
    if (!json_is_string(value))
        return mistake(parser, path, "must be a string");
    *out = (struct text){json_string_value(value), json_string_length(value)};
    return true;
}

/* "80", "80.5", "-3.25" -> hundredths; at most nine digits before the point, no leading zeros. */
static bool read_hundredths(struct text text, int64_t *out)
{
    const char *p = text.at;
    bool negative = *p == '-';
    p += negative;
    size_t whole = strspn(p, "0123456789");
    if (whole == 0 || whole > 9 || (whole > 1 && *p == '0'))
        return false;
    int64_t value = strtoll(p, NULL, 10) * 100;
    p += whole;
    if (*p == '.') {
        size_t digits = strspn(p + 1, "0123456789");
        if (digits < 1 || digits > 2)
            return false;
        value += (p[1] - '0') * 10 + (digits == 2 ? p[2] - '0' : 0);
        p += 1 + digits;
    }
    *out = negative ? -value : value;
    return p == text.at + text.len;
}

static bool parse_hundredths(struct parser *parser, struct path path, const json_t *value,
                             int64_t min, int64_t max, int64_t *out)
{
    char what[128], low[40], high[40];
    struct text text;
    if (json_is_string(value) && parse_string(parser, path, value, &text) &&
        read_hundredths(text, out) && (min < 0 || text.at[0] != '-') && *out >= min && *out <= max)
        return true;
    snprintf(what, sizeof what, "must be a string with at most two decimals, \"%s\" to \"%s\"",
             metric_format_hundredths(min, low), metric_format_hundredths(max, high));
    return mistake(parser, path, what);
}

static bool expect_object(struct parser *parser, struct path path, const json_t *value)
{
    return json_is_object(value) ? true : mistake(parser, path, "must be an object");
}

static bool expect_array(struct parser *parser, struct path path, const json_t *value, size_t max)
{
    char what[64];
    if (!json_is_array(value))
        return mistake(parser, path, "must be an array");
    if (json_array_size(value) <= max)
        return true;
    snprintf(what, sizeof what, "must have at most %zu elements", max);
    return mistake(parser, path, what);
}

static void refuse_unknown(struct parser *parser, const char *prefix, const json_t *object,
                           const char *const *known)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value)
    {
        const char *const *word = known;
        while (*word && strcmp(*word, name) != 0)
            word++;
        if (!*word)
            mistake(parser, path_of("%s%s", prefix, name), "no such member");
    }
}

/* pace */

static void parse_weights(struct parser *parser, const json_t *value)
{
    struct path path = path_of("pace.weights");
    if (!expect_array(parser, path, value, 7))
        return;
    if (json_array_size(value) != 7) {
        mistake(parser, path, "must have seven numbers, Monday first");
        return;
    }
    bool good = true, any = false;
    for (size_t i = 0; i < 7; i++) {
        int64_t weight = 0;
        good &= parse_integer(parser, path_of("pace.weights[%zu]", i), json_array_get(value, i), 0,
                              1000, &weight);
        any |= weight > 0;
        parser->targets->weights[i] = (int)weight;
    }
    if (good && !any)
        mistake(parser, path, "must not all be 0");
}

static int by_day(const void *a, const void *b)
{
    const int32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void parse_holidays(struct parser *parser, const json_t *value)
{
    struct targets *targets = parser->targets;
    if (!expect_array(parser, path_of("pace.holidays"), value, TARGETS_HOLIDAYS_MAX))
        return;
    targets->holidays = calloc(json_array_size(value) + 1, sizeof *targets->holidays);
    if (!targets->holidays) {
        parser->no_memory = true;
        return;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *date = json_array_get(value, i);
        struct text text = {json_string_value(date), json_string_length(date)};
        int32_t day;
        if (json_is_string(date) && calendar_parse_date(text, &day) && day >= CALENDAR_DAY_MIN &&
            day <= CALENDAR_DAY_MAX)
            targets->holidays[targets->holiday_count++] = day;
        else
            mistake(parser, path_of("pace.holidays[%zu]", i),
                    "must be a date of the years 2000-2099, as \"2026-12-01\"");
    }
    qsort(targets->holidays, targets->holiday_count, sizeof *targets->holidays, by_day);
}

static void parse_pace(struct parser *parser, const json_t *value)
{
    static const char *const known[] = {"weights", "holidays", NULL};
    size_t before = sentences_count(parser->mistakes);
    if (value && expect_object(parser, path_of("pace"), value)) {
        refuse_unknown(parser, "pace.", value, known);
        if (json_object_get(value, "weights"))
            parse_weights(parser, json_object_get(value, "weights"));
        if (json_object_get(value, "holidays"))
            parse_holidays(parser, json_object_get(value, "holidays"));
    }
    parser->pace_is_good = sentences_count(parser->mistakes) == before;
}

/* targets */

/* What of one target was good, so that what depends on it can be checked. */
struct draft {
    struct target target;
    size_t i;
    bool has_measure, has_currency, has_period, has_scope;
};

static void parse_measure(struct parser *parser, struct draft *draft, const json_t *value)
{
    draft->has_measure = true;
    if (!value)
        return; /* gross profit */
    for (enum measure m = MEASURE_GROSS_PROFIT; m <= MEASURE_ORDERS; m++) {
        if (json_is_string(value) && strcmp(json_string_value(value), measure_name(m)) == 0) {
            draft->target.measure = m;
            return;
        }
    }
    draft->has_measure = mistake(parser, path_of("targets[%zu].measure", draft->i),
                                 "must be \"gross_profit\", \"revenue\" or \"orders\"");
}

static void parse_currency(struct parser *parser, struct draft *draft, const json_t *value)
{
    struct path path = path_of("targets[%zu].currency", draft->i);
    bool orders = draft->has_measure && draft->target.measure == MEASURE_ORDERS;
    draft->target.currency = -1;
    draft->has_currency = draft->has_measure && orders == !value;
    if (orders && value) {
        mistake(parser, path, "orders have no currency");
    } else if (value) {
        struct text code = {json_string_value(value), json_string_length(value)};
        draft->target.currency = json_is_string(value) ? currency_find(code) : -1;
        draft->has_currency &= draft->target.currency >= 0;
        if (draft->target.currency < 0)
            mistake(parser, path, "must be a currency of ISO 4217, as \"RON\"");
    } else if (draft->has_measure && !orders) {
        mistake(parser, path, "is missing");
    }
}

static void parse_amount(struct parser *parser, struct draft *draft, const json_t *value)
{
    struct path path = path_of("targets[%zu].amount", draft->i);
    if (!value)
        mistake(parser, path, "is missing");
    else if ((json_is_integer(value) && json_integer_value(value) <= 0) ||
             (parser->reals_count && json_is_real(value) && json_real_value(value) <= 0))
        mistake(parser, path, "must be > 0");
    else
        parse_integer(parser, path, value, 1, INT64_MAX, &draft->target.amount);
}

static void parse_period(struct parser *parser, struct draft *draft, const json_t *value)
{
    struct path path = path_of("targets[%zu].period", draft->i);
    struct text text;
    if (!value)
        mistake(parser, path, "is missing");
    else if (parse_string(parser, path, value, &text))
        draft->has_period = period_parse(text, &draft->target.period) ||
                            mistake(parser, path,
                                    "must be a year, quarter, month, week or day, as "
                                    "2026, 2026-Q4, 2026-11, 2026-W48, 2026-11-23");
    if (draft->has_period && parser->pace_is_good &&
        pace_whole(draft->target.period, parser->targets) == 0)
        mistake(parser, path, "has only days that weigh 0");
}

/* Whether the setting `scopes` ("region,channel") names the dimension. */
static bool is_dimension(const char *scopes, const char *name)
{
    size_t len = strlen(name);
    while (*scopes) {
        scopes += strspn(scopes, ", ");
        size_t word = strcspn(scopes, ", ");
        if (word == len && len && memcmp(scopes, name, len) == 0)
            return true;
        scopes += word;
    }
    return false;
}

#define SLUG "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

static bool is_slug(struct text text)
{
    if (text.len < 1 || text.len > 64)
        return false;
    return strspn(text.at, SLUG) == text.len;
}

static void parse_dimension(struct parser *parser, struct draft *draft, const char *name,
                            const json_t *value)
{
    struct path path = path_of("targets[%zu].%s", draft->i, name);
    struct text text = {json_string_value(value), json_string_length(value)};
    draft->has_scope = false;
    if (!json_is_string(value) || !is_slug(text)) {
        mistake(parser, path, "must be a string of 1 to 64 letters, digits, '.', '_' and '-'");
    } else if (text.len >= 2 && memcmp(text.at, "__", 2) == 0) {
        mistake(parser, path, "must not begin with \"__\"");
    } else if (!draft->target.scope) {
        char *scope = NULL;
        if (asprintf(&scope, "%s=%s", name, text.at) < 0)
            parser->no_memory = true;
        else
            draft->target.scope = scope;
        draft->has_scope = scope != NULL;
    }
}

static void parse_scope(struct parser *parser, struct draft *draft, const json_t *object)
{
    static const char *const known[] = {"measure", "currency", "amount", "period"};
    const char *name;
    json_t *value;
    int dimensions = 0;
    draft->has_scope = true;
    json_object_foreach((json_t *)object, name, value)
    {
        bool other = true;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            other &= strcmp(known[i], name) != 0;
        if (other && !is_dimension(parser->scopes, name)) {
            mistake(parser, path_of("targets[%zu].%s", draft->i, name),
                    "no such member, and no dimension of the setting `scopes`");
        } else if (other) {
            dimensions++;
            parse_dimension(parser, draft, name, value);
        }
    }
    if (dimensions > 1)
        draft->has_scope =
            mistake(parser, path_of("targets[%zu]", draft->i), "has more than one dimension");
    if (!draft->target.scope && !(draft->target.scope = strdup("all")))
        parser->no_memory = true;
}

/* Keeps what a later one can be the same as; drops the rest. */
static void keep(struct parser *parser, struct draft *draft)
{
    struct targets *targets = parser->targets;
    if (draft->has_scope && draft->has_period && draft->has_measure && draft->has_currency) {
        parser->places[targets->count] = draft->i;
        targets->list[targets->count++] = draft->target;
    } else {
        free((char *)draft->target.scope);
    }
}

static void parse_target(struct parser *parser, size_t i, const json_t *value)
{
    struct draft draft = {.i = i};
    if (!expect_object(parser, path_of("targets[%zu]", i), value))
        return;
    parse_measure(parser, &draft, json_object_get(value, "measure"));
    parse_currency(parser, &draft, json_object_get(value, "currency"));
    parse_amount(parser, &draft, json_object_get(value, "amount"));
    parse_period(parser, &draft, json_object_get(value, "period"));
    parse_scope(parser, &draft, value);
    keep(parser, &draft);
}

/* Two targets for the same thing are told at the later one. */
struct numbered {
    const struct target *target;
    size_t place;
};

static int by_target(const void *a, const void *b)
{
    const struct numbered *x = a, *y = b;
    int order = targets_compare(x->target, y->target);
    return order ? order : (x->place > y->place) - (x->place < y->place);
}

static void refuse_repeated(struct parser *parser)
{
    const struct targets *targets = parser->targets;
    struct numbered *sorted = calloc(targets->count + 1, sizeof *sorted);
    if (!sorted) {
        parser->no_memory = true;
        return;
    }
    for (size_t i = 0; i < targets->count; i++)
        sorted[i] = (struct numbered){&targets->list[i], parser->places[i]};
    qsort(sorted, targets->count, sizeof *sorted, by_target);
    for (size_t i = 1; i < targets->count; i++)
        if (targets_compare(sorted[i - 1].target, sorted[i].target) == 0)
            mistake(parser, path_of("targets[%zu]", sorted[i].place),
                    "is for the same scope, period, measure and currency as an earlier one");
    free(sorted);
}

static void parse_targets(struct parser *parser, const json_t *value)
{
    if (!value || !expect_array(parser, path_of("targets"), value, TARGETS_MAX))
        return;
    size_t count = json_array_size(value);
    parser->targets->list = calloc(count + 1, sizeof *parser->targets->list);
    parser->places = calloc(count + 1, sizeof *parser->places);
    if (!parser->targets->list || !parser->places) {
        parser->no_memory = true;
        return;
    }
    for (size_t i = 0; i < count && !parser->no_memory; i++)
        parse_target(parser, i, json_array_get(value, i));
    if (!parser->no_memory)
        refuse_repeated(parser);
}

/* service */

static void parse_slo_threshold(struct parser *parser, struct path path, const json_t *value,
                                struct slo *slo)
{
    const int64_t whole = INT64_C(1000000000000), hundredths = INT64_C(99999999999);
    if (!slo->metric)
        return;
    if (metric_scale(slo->metric->kind) == 1 || slo->metric->kind == METRIC_MEAN_SECONDS)
        parse_integer(parser, path, value, -whole, whole, &slo->threshold);
    else
        parse_hundredths(parser, path, value, -hundredths, hundredths, &slo->threshold);
}

static const struct metric *slo_metric(const json_t *name)
{
    struct text text = {json_string_value(name), json_string_length(name)};
    if (!json_is_string(name) || memchr(text.at, ':', text.len))
        return NULL;
    const struct metric *metric = metrics_find(text);
    if (!metric || (metric->flags & METRIC_NO_SLO) || metric->group == METRIC_CURRENCY ||
        metric->group == METRIC_TARGET)
        return NULL;
    return metric;
}

static void parse_slo(struct parser *parser, size_t i, const json_t *value, struct slo *slo)
{
    static const char *const known[] = {"metric", "max", "min", NULL};
    struct path path = path_of("service.slo[%zu]", i);
    if (!expect_object(parser, path, value))
        return;
    refuse_unknown(parser, path_of("service.slo[%zu].", i).text, value, known);
    const json_t *max = json_object_get(value, "max"), *min = json_object_get(value, "min");
    slo->metric = slo_metric(json_object_get(value, "metric"));
    slo->is_max = max != NULL;
    if (!slo->metric)
        mistake(parser, path_of("service.slo[%zu].metric", i),
                "must be the name of a metric without currency, as \"response_p90\"");
    if (!max == !min)
        mistake(parser, path, "must have either a max or a min");
    else
        parse_slo_threshold(parser, path_of("service.slo[%zu].%s", i, max ? "max" : "min"),
                            max ? max : min, slo);
}

static void parse_slos(struct parser *parser, const json_t *value)
{
    struct targets *targets = parser->targets;
    if (!value || !expect_array(parser, path_of("service.slo"), value, TARGETS_SLO_MAX))
        return;
    for (size_t i = 0; i < json_array_size(value); i++)
        parse_slo(parser, i, json_array_get(value, i), &targets->slo[i]);
    targets->service.slo_count = json_array_size(value);
}

/* A percentage of service as basis points. */
static void parse_bp(struct parser *parser, const json_t *service, const char *name, int64_t min,
                     int *out)
{
    const json_t *value = json_object_get(service, name);
    int64_t bp;
    if (value && parse_hundredths(parser, path_of("service.%s", name), value, min, 10000, &bp))
        *out = (int)bp;
}

static void parse_service(struct parser *parser, const json_t *value)
{
    static const char *const known[] = {"min_ratings", "csat_floor", "nps_floor",
                                        "slip",        "slo",        NULL};
    struct service_rules *service = &parser->targets->service;
    if (!value || !expect_object(parser, path_of("service"), value))
        return;
    refuse_unknown(parser, "service.", value, known);
    const json_t *ratings = json_object_get(value, "min_ratings");
    const json_t *nps_floor = json_object_get(value, "nps_floor");
    if (ratings)
        parse_integer(parser, path_of("service.min_ratings"), ratings, 1, 1000000,
                      &service->min_ratings);
    parse_bp(parser, value, "csat_floor", 1, &service->csat_floor_bp);
    service->has_nps_floor = nps_floor && !json_is_null(nps_floor);
    if (service->has_nps_floor)
        parse_bp(parser, value, "nps_floor", -10000, &service->nps_floor_bp);
    parse_bp(parser, value, "slip", 1, &service->slip_bp);
    parse_slos(parser, json_object_get(value, "slo"));
}

/* The whole */

static void parse_version(struct parser *parser, const json_t *value)
{
    bool good = (json_is_integer(value) && json_integer_value(value) == 1) ||
                (parser->reals_count && json_is_real(value) && !(json_real_value(value) > 1.0) &&
                 !(json_real_value(value) < 1.0));
    if (!good)
        mistake(parser, path_of("version"), value ? "must be 1" : "is missing");
}

static void parse_root(struct parser *parser, const json_t *root)
{
    static const char *const known[] = {"version", "pace", "targets", "service", NULL};
    if (!expect_object(parser, path_of("$"), root))
        return;
    refuse_unknown(parser, "", root, known);
    parse_version(parser, json_object_get(root, "version"));
    parse_pace(parser, json_object_get(root, "pace"));
    parse_targets(parser, json_object_get(root, "targets"));
    parse_service(parser, json_object_get(root, "service"));
}

/* NULL when it is no JSON; then the mistake is told. */
static json_t *load(struct parser *parser, struct text json)
{
    char what[JSON_ERROR_TEXT_LENGTH + 64];
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
    json_error_t error = {.line = 1, .column = 1};
    json_t *root = NULL;
    if (json.len > TARGETS_BYTES_MAX) {
        mistake(parser, path_of("$"), "is larger than 1 MiB");
        return NULL;
    }
    root = json_loadb(json.at, json.len, flags, &error);
    if (!root && json_error_code(&error) == json_error_numeric_overflow) {
        parser->reals_count = true;
        root = json_loadb(json.at, json.len, flags | JSON_DECODE_INT_AS_REAL, &error);
    }
    if (!root) {
        snprintf(what, sizeof what, "line %d, column %d: %s", error.line, error.column, error.text);
        mistake(parser, path_of("$"), what);
    }
    return root;
}

static int parse_all(struct parser *parser, struct text json)
{
    json_t *root = load(parser, json);
    if (root)
        parse_root(parser, root);
    json_decref(root);
    free(parser->places);
    if (parser->no_memory)
        return error_memory(parser->err);
    if (parser->reals_count && sentences_count(parser->mistakes) == 0)
        mistake(parser, path_of("$"), "holds a number beyond 64 bits");
    size_t count = sentences_count(parser->mistakes);
    if (count)
        return error_set(parser->err, ERROR_INPUT, "%zu mistake%s in the targets, so none is taken",
                         count, count == 1 ? "" : "s");
    struct targets *targets = parser->targets;
    targets->service.slo = targets->slo;
    if (targets->count)
        qsort(targets->list, targets->count, sizeof *targets->list, targets_compare);
    return 0;
}

int targets_parse(struct targets **out, struct text json, const char *scopes,
                  struct sentences **mistakes, struct error *err)
{
    struct parser parser = {.scopes = scopes, .err = err};
    if (mistakes)
        *mistakes = NULL;
    parser.targets = malloc(sizeof *parser.targets);
    if (!parser.targets)
        return error_memory(err);
    *parser.targets = (struct targets){.weights = TARGETS_WEIGHTS, .service = TARGETS_SERVICE};
    int result = sentences_open(&parser.mistakes, err);
    if (result == 0)
        result = parse_all(&parser, json);
    if (result == 0)
        *out = parser.targets;
    else
        targets_free(parser.targets);
    if (mistakes && !parser.no_memory && sentences_count(parser.mistakes))
        *mistakes = parser.mistakes;
    else
        sentences_free(parser.mistakes);
    return result;
}

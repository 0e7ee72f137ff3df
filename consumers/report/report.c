#include "consumers/report/report.h"

#include "common/calendar.h"
#include "common/log.h"
#include "common/redis.h"
#include "common/zone.h"
#include "consumers/report/caveat.h"
#include "consumers/report/cohorts_print.h"
#include "consumers/report/cohorts_read.h"
#include "consumers/report/render.h"
#include "consumers/reporter/business.h"
#include "consumers/reporter/key.h"
#include "consumers/reporter/published.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct report_options {
    const char *period, *at, *scope, *lang, *format;
    bool list, cohorts;
};

/* What is asked for, checked. */
struct question {
    const char *scope;
    enum period_kind kind;
    bool current; /* the running period; else `period` */
    struct period period;
    enum language language;
    enum render_format format;
};

/* --at names a period of its own kind, or a day within one of the kind asked for. */
static int take_at(struct question *q, const struct report_options *options, struct error *err)
{
    struct period at;
    if (!period_parse(text_of(options->at), &at)) {
        return error_set(err, ERROR_USAGE,
                         "--at %s: not a day, week, month, quarter or year "
                         "(2017-11-23, 2017-W47, 2017-11, 2017-Q4, 2017)",
                         options->at);
    }
    if (!options->period) {
        q->kind = at.kind;
    }
    q->period = at.kind == PERIOD_DAY ? period_of(q->kind, at.first) : at;
    if (q->period.kind != q->kind) {
        return error_set(err, ERROR_USAGE, "--at %s is a %s, --period says %s", options->at,
                         period_kind_name(at.kind), period_kind_name(q->kind));
    }
    return 0;
}

static int take_cohorts(const struct report_options *options, struct error *err)
{
    const char *other = options->period                 ? "--period"
                        : options->at                   ? "--at"
                        : strcmp(options->scope, "all") ? "--scope"
                        : options->list                 ? "--list"
                                                        : NULL;
    if (options->cohorts && other) {
        return error_set(err, ERROR_USAGE,
                         "--cohorts is of the whole business and all its time: it goes without %s",
                         other);
    }
    return 0;
}

static int take_question(struct question *q, const struct report_options *options,
                         struct error *err)
{
    *q = (struct question){
        .scope = options->scope, .kind = PERIOD_MONTH, .current = options->at == NULL};
    if (options->period && !period_kind_parse(text_of(options->period), &q->kind)) {
        return error_set(err, ERROR_USAGE,
                         "--period %s: not one of day, week, month, quarter, "
                         "year",
                         options->period);
    }
    if (!key_scope_valid(text_of(options->scope))) {
        return error_set(err, ERROR_USAGE, "--scope %s: neither `all` nor like region=west",
                         options->scope);
    }
    if (!language_parse(text_of(options->lang), &q->language)) {
        return error_set(err, ERROR_USAGE, "--lang %s: neither en nor ro", options->lang);
    }
    if (!render_format_parse(text_of(options->format), &q->format)) {
        return error_set(err, ERROR_USAGE,
                         "--format %s: not one of table, json, csv, markdown, "
                         "html",
                         options->format);
    }
    if (take_cohorts(options, err) != 0) {
        return -1;
    }
    return options->at ? take_at(q, options, err) : 0;
}

static int read_answer(const struct question *q, struct redis *redis, const char *business,
                       struct fields **out, struct error *err)
{
    char key[KEY_MAX], name[16];
    const char *kind = period_kind_name(q->kind);
    if (q->current) {
        key_format(key, business, "comparison:current:%s:%s", kind, q->scope);
    } else {
        key_format(key, business, "comparison:%s:%s:%s", kind, period_format(q->period, name),
                   q->scope);
    }
    return published_read(redis, key, out, err);
}

static bool has_scope(const struct business *business, const char *scope)
{
    for (size_t i = 0; i < business->scopes.count; i++) {
        if (strcmp(business->scopes.list[i], scope) == 0) {
            return true;
        }
    }
    return false;
}

/* The first few scopes, for an error. */
static void write_scopes(const struct business *business, char *out, size_t room)
{
    size_t used = 0;
    for (size_t i = 0; i < business->scopes.count && used + 4 < room; i++) {
        int len = snprintf(out + used, room - used, "%s%s", i ? " " : "", business->scopes.list[i]);
        if (len < 0 || used + (size_t)len + 4 >= room) {
            snprintf(out + used, room - used, "%s", " ..");
            return;
        }
        used += (size_t)len;
    }
}

static int periods_of(struct redis *redis, const char *business, const struct business *known,
                      const char *scope, enum period_kind kind, struct period **out, size_t *count,
                      struct error *err)
{
    *out = NULL;
    *count = 0;
    if (!known->has_range) {
        return 0;
    }
    return published_periods(redis, business, scope, kind, known->from, known->until, out, count,
                             err);
}

/* "2014-01 to 2017-12 (48)" */
static void write_range(const struct period *list, size_t count, char *out, size_t room)
{
    char first[16], last[16];
    if (count == 0) {
        snprintf(out, room, "none");
    } else {
        snprintf(out, room, "%s to %s (%zu)", period_format(list[0], first),
                 period_format(list[count - 1], last), count);
    }
}

/* Nothing lies there: says so, and what does. Always -1. */
static int explain(const struct question *q, struct redis *redis, const struct config *config,
                   struct error *err)
{
    struct business known;
    if (business_read(&known, redis, config, err) != 0) {
        return -1;
    }
    const char *kind = period_kind_name(q->kind);
    char name[16] = "", range[64], scopes[600] = "";
    if (!q->current) {
        period_format(q->period, name);
    }
    struct period *list = NULL;
    size_t count = 0;
    if (periods_of(redis, config->business, &known, q->scope, q->kind, &list, &count, err) != 0) {
        business_clear(&known);
        return -1;
    }
    write_range(list, count, range, sizeof range);
    write_scopes(&known, scopes, sizeof scopes);
    if (!known.has_range) {
        error_set(err, ERROR_INPUT,
                  "business %s: nothing is published yet (does `tandem reporter` "
                  "run?)",
                  config->business);
    } else if (count == 0 && !has_scope(&known, q->scope)) {
        error_set(err, ERROR_INPUT, "nothing is published for scope %s; there are: %s", q->scope,
                  scopes);
    } else {
        error_set(err, ERROR_INPUT, "nothing is published for %s %s of %s; published %ss: %s",
                  q->current ? "the running" : kind, q->current ? kind : name, q->scope, kind,
                  range);
    }
    free(list);
    business_clear(&known);
    return -1;
}

static int print_list(const struct question *q, struct redis *redis, const struct config *config,
                      struct error *err)
{
    struct business known;
    if (business_read(&known, redis, config, err) != 0) {
        return -1;
    }
    int rc = 0;
    for (int kind = 0; rc == 0 && kind < PERIOD_KINDS; kind++) {
        struct period *list = NULL;
        size_t count = 0;
        char range[64];
        rc = periods_of(redis, config->business, &known, q->scope, (enum period_kind)kind, &list,
                        &count, err);
        if (rc == 0) {
            write_range(list, count, range, sizeof range);
            printf("%-8s %s\n", period_kind_name((enum period_kind)kind), range);
        }
        free(list);
    }
    for (size_t i = 0; rc == 0 && i < known.scopes.count; i++) {
        printf("%s %s\n", i ? "        " : "scopes  ", known.scopes.list[i]);
    }
    business_clear(&known);
    return rc;
}

/* The notes of caveat.h as text of the page, else to where people read them. */
static int write_page(const struct question *q, struct redis *redis, const struct config *config,
                      const struct fields *fields, const struct zone *zone,
                      struct render_picture *picture, struct error *err)
{
    char *notes = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&notes, &length);
    if (!stream) {
        return error_memory(err);
    }
    int rc = caveat_write(redis, config->business, fields, q->language, stream, err);
    if (fclose(stream) != 0 && rc == 0) {
        rc = error_memory(err);
    }
    picture->notes = notes;
    if (rc == 0) {
        rc = render_drawn(stdout, q->format, fields, q->language, zone, picture, err);
    }
    free(notes);
    return rc;
}

static int print(const struct question *q, struct redis *redis, const struct config *config,
                 const struct fields *fields, struct error *err)
{
    struct zone *zone = NULL;
    struct trend trend;
    struct render_picture picture = {.ink = ink_of(stdout)};
    bool for_people = q->format == RENDER_TABLE || q->format == RENDER_MARKDOWN;
    bool drawn =
        q->format == RENDER_HTML || (q->format == RENDER_TABLE && picture.ink != INK_PLAIN);
    if (drawn && trend_choose(&trend, fields)) {
        if (trend_read(&trend, redis, config->business, q->scope, err) != 0) {
            return -1;
        }
        picture.trend = &trend;
    }
    if (zone_open(&zone, config->timezone, err) != 0) {
        return -1;
    }
    int rc;
    if (q->format == RENDER_HTML) {
        rc = write_page(q, redis, config, fields, zone, &picture, err);
    } else if ((rc = render_drawn(stdout, q->format, fields, q->language, zone, &picture, err)) ==
               0) {
        rc = caveat_write(redis, config->business, fields, q->language,
                          for_people ? stdout : stderr, err);
    }
    zone_free(zone);
    return rc;
}

static int print_cohorts(const struct question *q, const struct config *config, struct error *err)
{
    struct cohorts *cohorts = NULL;
    int rc = cohorts_open(&cohorts, err);
    if (rc == 0) {
        rc = cohorts_read(cohorts, config, err);
    }
    if (rc == 0 && cohorts_customers(cohorts) == 0) {
        rc = error_set(err, ERROR_INPUT, "business %s: no customer has bought anything yet",
                       config->business);
    }
    if (rc == 0) {
        cohorts_print(stdout, q->format, cohorts, config->business, q->language);
    }
    cohorts_free(cohorts);
    return rc;
}

static int answer(const struct question *q, const struct report_options *options,
                  struct redis *redis, const struct config *config, struct error *err)
{
    if (options->cohorts) {
        return print_cohorts(q, config, err);
    }
    if (options->list) {
        return print_list(q, redis, config, err);
    }
    struct fields *fields = NULL;
    if (read_answer(q, redis, config->business, &fields, err) != 0) {
        return -1;
    }
    if (!fields) {
        return explain(q, redis, config, err);
    }
    int rc = print(q, redis, config, fields, err);
    fields_free(fields);
    return rc;
}

static int run_report(const struct config *config, const void *options, int argc, char **argv,
                      struct error *err)
{
    (void)argc;
    (void)argv;
    struct question question;
    struct redis *redis = NULL;
    char key[KEY_MAX];
    if (take_question(&question, options, err) != 0) {
        return 2;
    }
    command_catch_signals();
    int rc = redis_open(&redis, config, err);
    if (rc == 0) {
        rc = redis_wait_for(redis, config, key_format(key, config->business, "reported"), err);
    }
    if (rc == 0) {
        rc = answer(&question, options, redis, config, err);
    }
    if (rc == 0 && fflush(stdout) != 0) {
        rc = error_set(err, ERROR_SYSTEM, "cannot write the report");
    }
    redis_free(redis);
    return rc == 0 ? 0 : 1;
}

#define OPTION(field) offsetof(struct report_options, field)

static const struct command_option report_words[] = {
    {.name = "period",
     .kind = OPTION_STRING,
     .word = "KIND",
     .offset = OPTION(period),
     .help = "day, week, month, quarter or year (default: month, or what --at is)"},
    {.name = "at",
     .kind = OPTION_STRING,
     .word = "PERIOD",
     .offset = OPTION(at),
     .help = "2017-11-23, 2017-W47, 2017-11, 2017-Q4 or 2017 (default: the running one)"},
    {.name = "scope",
     .kind = OPTION_STRING,
     .word = "SCOPE",
     .offset = OPTION(scope),
     .help = "all, or one value of a dimension: region=west (default: all)"},
    {.name = "lang",
     .kind = OPTION_STRING,
     .word = "en|ro",
     .offset = OPTION(lang),
     .help = "language (default: en)"},
    {.name = "format",
     .kind = OPTION_STRING,
     .word = "FORMAT",
     .offset = OPTION(format),
     .help = "table, json, csv, markdown or html (default: table)"},
    {.name = "list",
     .kind = OPTION_FLAG,
     .offset = OPTION(list),
     .help = "say what is published of the scope instead"},
    {.name = "cohorts",
     .kind = OPTION_FLAG,
     .offset = OPTION(cohorts),
     .help = "how many customers bought again, by the month of their first purchase"},
    {0},
};

static const char *const report_settings[] = {
    "redis",
    "redis.password.file",
    "redis.ca.file", "redis.cert.file", "redis.key.file",
    "redis.timeout",
    "business",
    "timezone",
    "scopes",
    "connect.timeout",
    NULL,
};

static const struct report_options report_defaults = {
    .scope = "all",
    .lang = "en",
    .format = "table",
};

const struct command report_command = {
    .name = "report",
    .args = "",
    .summary = "Print the comparison of sale and service",
    .about = "Prints what the reporter last published for a period and a scope; reads\n"
             "Redis only. Where nothing is published it says what is, with status 1.\n\n"
             "With --cohorts it reads what the customers-worker keeps of each customer:\n"
             "how many of those who bought first in a month bought again, and when.\n\n"
             "  tandem report\n"
             "  tandem report --at 2017-11 --scope region=west --lang ro\n"
             "  tandem report --period week --at 2017-11-23 --format json\n"
             "On a terminal the table has small bars and lines of time, in colours unless\n"
             "NO_COLOR is set; html is one page to mail, without scripts. docs/report.md\n"
             "describes every format.\n\n"
             "  tandem report --format html >report.html\n"
             "  tandem report --list\n"
             "  tandem report --cohorts --format csv\n",
    .options = report_words,
    .settings = report_settings,
    .options_size = sizeof(struct report_options),
    .defaults = &report_defaults,
    .run = run_report,
};

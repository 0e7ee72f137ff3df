#include "consumers/top/top.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/redis.h"
#include "consumers/reporter/business.h"
#include "consumers/reporter/key.h"
#include "consumers/top/ends.h"
#include "consumers/top/screen.h"
#include "consumers/top/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EVERY_MS = 1000 };

struct top_options {
    const char *period, *scope, *lang;
    bool once;
};

struct top {
    const struct config *config;
    struct redis *redis;
    struct ends *ends;
    struct zone *zone;
    struct view view;
    struct screen screen;
    char scope[KEY_SCOPE_MAX];
};

static int take_options(struct top *top, const struct top_options *options, struct error *err)
{
    if (!period_kind_parse(text_of(options->period), &top->screen.kind)) {
        return error_set(err, ERROR_USAGE,
                         "--period %s: not one of day, week, month, quarter, year",
                         options->period);
    }
    if (!key_scope_valid(text_of(options->scope))) {
        return error_set(err, ERROR_USAGE, "--scope %s: neither `all` nor like region=west",
                         options->scope);
    }
    if (!language_parse(text_of(options->lang), &top->screen.language)) {
        return error_set(err, ERROR_USAGE, "--lang %s: neither en nor ro", options->lang);
    }
    snprintf(top->scope, sizeof top->scope, "%s", options->scope);
    return 0;
}

static int top_open(struct top *top, struct error *err)
{
    const struct config *config = top->config;
    char key[KEY_MAX];
    view_init(&top->view);
    top->screen.business = config->business;
    top->screen.scope = top->scope;
    if (zone_open(&top->zone, config->timezone, err) != 0 ||
        redis_open(&top->redis, config, err) != 0 ||
        redis_wait_for(top->redis, config, key_format(key, config->business, "reported"), err) !=
            0) {
        return -1;
    }
    top->screen.zone = top->zone;
    return ends_open(&top->ends, config, err);
}

static void top_close(struct top *top)
{
    ends_free(top->ends);
    view_clear(&top->view);
    redis_free(top->redis);
    zone_free(top->zone);
}

/* What cannot be read now is said in the picture; the rest of it stays. */
static int refresh(struct top *top, struct error *err)
{
    if (!redis_connected(top->redis) && redis_connect(top->redis, err) != 0) {
        return -1;
    }
    if (view_read(&top->view, top->redis, top->config->business, top->screen.kind, top->scope,
                  err) != 0) {
        return -1;
    }
    for (int side = 0; side < 2; side++) {
        struct view_side *s = &top->view.side[side];
        int64_t end = ends_sum(top->ends, side);
        s->lag = end < 0 || s->position < 0 ? -1 : end > s->position ? end - s->position : 0;
    }
    return 0;
}

static int once(struct top *top, struct error *err)
{
    if (refresh(top, err) != 0) {
        return -1;
    }
    ends_wait(top->ends);
    clock_sleep_ms(EVERY_MS); /* a rate takes two looks */
    if (refresh(top, err) != 0) {
        return -1;
    }
    screen_draw(stdout, &top->screen, &top->view);
    return fflush(stdout) == 0 ? 0 : error_set(err, ERROR_SYSTEM, "cannot write");
}

static int draw(struct top *top, struct error *err)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (!out) {
        return error_memory(err);
    }
    screen_draw(out, &top->screen, &top->view);
    if (fclose(out) != 0) {
        free(text);
        return error_memory(err);
    }
    terminal_show(text);
    free(text);
    return 0;
}

/* The scope after this one; the first after the last. */
static void next_scope(struct top *top)
{
    struct business known;
    struct error err;
    size_t i = 0;
    if (!redis_connected(top->redis) || business_read(&known, top->redis, top->config, &err) != 0) {
        return;
    }
    while (i < known.scopes.count && strcmp(known.scopes.list[i], top->scope) != 0) {
        i++;
    }
    if (known.scopes.count > 0) {
        i = i + 1 < known.scopes.count ? i + 1 : 0;
        snprintf(top->scope, sizeof top->scope, "%s", known.scopes.list[i]);
    }
    business_clear(&known);
}

/* False: it asked to end. */
static bool obey(struct top *top, int key)
{
    switch (key) {
    case 'p':
        top->screen.kind = (enum period_kind)((top->screen.kind + 1) % PERIOD_KINDS);
        return true;
    case 's':
        next_scope(top);
        return true;
    case 'l':
        top->screen.language = (enum language)((top->screen.language + 1) % LANGUAGES);
        return true;
    default:
        return key != 'q' && key != 'Q' && key != -1;
    }
}

static int live(struct top *top, struct error *err)
{
    int rc = terminal_open(err);
    bool going = rc == 0;
    while (going && rc == 0 && !terminal_stopping()) {
        struct error why = {0};
        bool fine = refresh(top, &why) == 0;
        snprintf(top->view.why, sizeof top->view.why, "%.250s", fine ? "" : why.text);
        rc = draw(top, err);
        int64_t until_ms = clock_mono_ms() + EVERY_MS;
        int64_t left_ms = EVERY_MS;
        int key = 0;
        while (rc == 0 && !key && left_ms > 0 && !terminal_stopping()) {
            key = terminal_key(left_ms);
            left_ms = until_ms - clock_mono_ms();
        }
        going = obey(top, key);
    }
    terminal_close();
    return rc;
}

static int run_top(const struct config *config, const void *options, int argc, char **argv,
                   struct error *err)
{
    (void)argc;
    (void)argv;
    struct top top = {.config = config};
    const struct top_options *own = options;
    if (take_options(&top, own, err) != 0) {
        return 2;
    }
    bool picture = !own->once && ink_of(stdout) != INK_PLAIN && isatty(STDIN_FILENO);
    command_catch_signals();
    int rc = top_open(&top, err);
    if (rc == 0 && picture) {
        top.screen.ink = ink_of(stdout);
        top.screen.keys = true;
        rc = live(&top, err);
    } else if (rc == 0) {
        rc = once(&top, err);
    }
    top_close(&top);
    return rc == 0 ? 0 : 1;
}

#define OPTION(field) offsetof(struct top_options, field)

static const struct command_option top_words[] = {
    {.name = "period",
     .kind = OPTION_STRING,
     .word = "KIND",
     .offset = OPTION(period),
     .help = "day, week, month, quarter or year to begin with (default: month)"},
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
    {.name = "once",
     .kind = OPTION_FLAG,
     .offset = OPTION(once),
     .help = "one picture in plain text, then end"},
    {0},
};

static const char *const top_settings[] = {
    "brokers",         "redis",    "redis.password.file", "redis.ca.file",  "redis.timeout",
    "business",        "timezone", "topics.sales",        "topics.service", "scopes",
    "connect.timeout", NULL,
};

static const struct top_options top_defaults = {
    .period = "month",
    .scope = "all",
    .lang = "en",
};

const struct command top_command = {
    .name = "top",
    .args = "",
    .summary = "Watch the running comparison on a terminal",
    .about = "Shows the verdict, both sides, how fast records are counted and how many\n"
             "wait in the log, and draws it anew each second. Reads Redis, and of Kafka\n"
             "only where the topics end; without Kafka that one line stays empty.\n\n"
             "Keys: p the next kind of period, s the next scope, l the other language,\n"
             "q ends. Where stdout is no terminal it prints one picture and ends.\n\n"
             "  tandem top\n"
             "  tandem top --period day --scope region=west\n"
             "  tandem top --once\n",
    .options = top_words,
    .settings = top_settings,
    .options_size = sizeof(struct top_options),
    .defaults = &top_defaults,
    .run = run_top,
};

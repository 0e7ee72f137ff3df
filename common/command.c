#include "common/command.h"

#include "common/log.h"
#include "common/suggest.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A signal handler can reach nothing else. */
static volatile sig_atomic_t stopping;

static void on_signal(int signal)
{
    if (stopping) {
        _exit(128 + signal);
    }
    stopping = signal;
}

void command_catch_signals(void)
{
    /* Without SA_RESTART, so that a read from a terminal or a pipe comes back. */
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    /* A peer that closes its end is an error to tell, not the end of the process. */
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGPIPE, &ignore, NULL);
}

int command_stopping(void)
{
    return stopping;
}

/* What every command understands besides its settings and its own options. */
static const struct {
    char letter;
    const char *name, *word, *help;
} commons[] = {
    {'b', "brokers", NULL, NULL}, /* letters of settings: their help stands with them */
    {'r', "redis", NULL, NULL},
    {'F', "config", "FILE", "read settings from a properties file (key=value lines)"},
    {'X', "set", "KEY=VALUE", "set any key, also kafka.NAME for librdkafka; may be repeated"},
    {'h', "help", NULL, "show this help"},
};

#define COMMONS (sizeof commons / sizeof commons[0])

struct parser {
    const struct command *command;
    struct config *config;
    char *options; /* the command's own struct */
    int argc;
    char **argv;
    int next; /* index of the argument to read next */
    int args; /* positional ones, moved to the front of argv + 1 */
    bool help;
};

static void key_to_option(const char *key, char out[64])
{
    snprintf(out, 64, "%s", key);
    for (char *at = out; *at; at++) {
        *at = *at == '.' ? '-' : *at;
    }
}

/* The key of a setting whose option is `name`, or NULL. */
static const char *setting_of_option(const char *name)
{
    char option[64];
    for (const struct config_setting *at = config_settings(); at->key; at++) {
        key_to_option(at->key, option);
        if (strcmp(option, name) == 0) {
            return at->key;
        }
    }
    return NULL;
}

static const struct command_option *own_option(const struct command *command, const char *name,
                                               char letter)
{
    for (const struct command_option *at = command->options; at && at->name; at++) {
        if ((name && strcmp(at->name, name) == 0) || (letter && at->letter == letter)) {
            return at;
        }
    }
    return NULL;
}

static int unknown_option(const struct parser *parser, const char *name, struct error *err)
{
    char options[128][64]; /* the suggestion points into it */
    size_t count = 0;
    struct suggest suggest = {.word = name};
    for (const struct config_setting *at = config_settings(); at->key && count < 128; at++) {
        key_to_option(at->key, options[count]);
        suggest_offer(&suggest, options[count++]);
    }
    for (const struct command_option *at = parser->command->options; at && at->name; at++) {
        suggest_offer(&suggest, at->name);
    }
    for (size_t i = 0; i < COMMONS; i++) {
        suggest_offer(&suggest, commons[i].name);
    }
    if (suggest.best) {
        return error_set(err, ERROR_USAGE, "--%.60s: no such option; did you mean --%s?", name,
                         suggest.best);
    }
    return error_set(err, ERROR_USAGE, "--%.60s: no such option", name);
}

/* The value of an option: what stands after '=', or the next argument. NULL: none is left. */
static const char *take_value(struct parser *parser, const char *joined, const char *shown,
                              struct error *err)
{
    if (joined) {
        return joined;
    }
    if (parser->next >= parser->argc) {
        error_set(err, ERROR_USAGE, "%s: needs a value", shown);
        return NULL;
    }
    return parser->argv[parser->next++];
}

static int set_int(const struct command_option *option, const char *value, const char *shown,
                   int64_t *out, struct error *err)
{
    char *end = NULL;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (!*value || *end) {
        return error_set(err, ERROR_USAGE, "%s: \"%.100s\" is not a number", shown, value);
    }
    if (errno || number < option->min || number > option->max) {
        return error_set(err, ERROR_USAGE, "%s: %.100s is outside %lld..%lld", shown, value,
                         (long long)option->min, (long long)option->max);
    }
    *out = number;
    return 0;
}

static int set_own(struct parser *parser, const struct command_option *option, const char *joined,
                   const char *shown, struct error *err)
{
    char *place = parser->options + option->offset;
    if (option->kind == OPTION_FLAG) {
        if (joined) {
            return error_set(err, ERROR_USAGE, "%s: takes no value", shown);
        }
        *(bool *)place = true;
        return 0;
    }
    const char *value = take_value(parser, joined, shown, err);
    if (!value) {
        return -1;
    }
    if (option->kind == OPTION_INT) {
        return set_int(option, value, shown, (int64_t *)place, err);
    }
    *(const char **)place = value;
    return 0;
}

static int set_key_value(struct parser *parser, const char *pair, struct error *err)
{
    char key[256];
    const char *equals = strchr(pair, '=');
    if (!equals || equals == pair || (size_t)(equals - pair) >= sizeof key) {
        return error_set(err, ERROR_USAGE, "-X: needs the form KEY=VALUE");
    }
    snprintf(key, sizeof key, "%.*s", (int)(equals - pair), pair);
    return config_set(parser->config, key, equals + 1, CONFIG_OPTION, "-X", err);
}

/* One of the options of every command. */
static int set_common(struct parser *parser, const char *name, const char *joined,
                      const char *shown, struct error *err)
{
    if (strcmp(name, "help") == 0) {
        parser->help = true;
        return joined ? error_set(err, ERROR_USAGE, "%s: takes no value", shown) : 0;
    }
    const char *value = take_value(parser, joined, shown, err);
    if (!value) {
        return -1;
    }
    if (strcmp(name, "config") == 0) {
        return config_read(parser->config, value, err);
    }
    if (strcmp(name, "set") == 0) {
        return set_key_value(parser, value, err);
    }
    return config_set(parser->config, setting_of_option(name), value, CONFIG_OPTION, shown, err);
}

static bool common_name(const char *name)
{
    for (size_t i = 0; i < COMMONS; i++) {
        if (strcmp(commons[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static int parse_long(struct parser *parser, const char *text, struct error *err)
{
    char name[64], shown[72];
    size_t len = strcspn(text, "=");
    const char *joined = text[len] ? text + len + 1 : NULL;
    snprintf(name, sizeof name, "%.*s", (int)(len < 63 ? len : 63), text);
    snprintf(shown, sizeof shown, "--%s", name);

    const struct command_option *own = own_option(parser->command, name, 0);
    if (own) {
        return set_own(parser, own, joined, shown, err);
    }
    if (common_name(name) || setting_of_option(name)) {
        return set_common(parser, name, joined, shown, err);
    }
    return unknown_option(parser, name, err);
}

/* "-s", "-sv", "-n5", "-n 5": letters up to the first that takes a value. */
static int parse_letters(struct parser *parser, const char *text, struct error *err)
{
    for (; *text; text++) {
        char shown[3] = {'-', *text, '\0'};
        const char *rest = text[1] ? text + 1 : NULL;
        const struct command_option *own = own_option(parser->command, NULL, *text);
        if (own && own->kind == OPTION_FLAG) {
            set_own(parser, own, NULL, shown, err);
            continue;
        }
        if (own) {
            return set_own(parser, own, rest, shown, err);
        }
        for (size_t i = 0; i < COMMONS; i++) {
            if (commons[i].letter == *text) {
                return set_common(parser, commons[i].name, rest, shown, err);
            }
        }
        return error_set(err, ERROR_USAGE, "%s: no such option", shown);
    }
    return 0;
}

static int parse(struct parser *parser, struct error *err)
{
    bool options_ended = false;
    while (parser->next < parser->argc && !parser->help) {
        char *arg = parser->argv[parser->next++];
        int rc = 0;
        if (options_ended || arg[0] != '-' || !arg[1]) {
            parser->argv[1 + parser->args++] = arg;
        } else if (strcmp(arg, "--") == 0) {
            options_ended = true;
        } else if (arg[1] == '-') {
            rc = parse_long(parser, arg + 2, err);
        } else {
            rc = parse_letters(parser, arg + 1, err);
        }
        if (rc) {
            return -1;
        }
    }
    return 0;
}

static int check_args(const struct parser *parser, struct error *err)
{
    const struct command *command = parser->command;
    if (parser->args < command->min_args) {
        return error_set(err, ERROR_USAGE, "needs %s", command->args);
    }
    if (command->max_args >= 0 && parser->args > command->max_args) {
        return error_set(err, ERROR_USAGE, "\"%.100s\": one argument too many",
                         parser->argv[1 + command->max_args]);
    }
    return 0;
}

static void start_log(const struct config *config)
{
    static const char *const levels[] = {"error", "warning", "info", "debug"};
    enum log_level level = LOG_ERROR;
    while (level < LOG_DEBUG && strcmp(levels[level], config->log_level) != 0) {
        level++;
    }
    bool json = strcmp(config->log_format, "json") == 0;
    log_setup(level, json ? LOG_FORMAT_JSON : LOG_FORMAT_LOGFMT);
}

static int run_parsed(struct parser *parser, struct error *err)
{
    if (parse(parser, err)) {
        return 2;
    }
    if (parser->help) {
        command_help(parser->command, stdout);
        return 0;
    }
    if (check_args(parser, err) || config_check(parser->config, err)) {
        return 2;
    }
    start_log(parser->config);
    int status =
        parser->command->run(parser->config, parser->options, parser->args, parser->argv + 1, err);
    if (fflush(stdout) || ferror(stdout)) {
        error_set(err, ERROR_SYSTEM, "standard output: %s", strerror(errno));
        status = status ? status : 1;
    }
    if (status && err->code == ERROR_USAGE) {
        return 2; /* a setting that only its reader could judge */
    }
    return status < 0 ? 1 : status;
}

static void say_error(const struct command *command, int status, const struct error *err)
{
    if (status && err->code != ERROR_NONE) {
        fprintf(stderr, "tandem %s: %s\n", command->name, err->text);
    }
    if (status == 2) {
        fprintf(stderr, "Try `tandem help %s`.\n", command->name);
    }
}

int command_run(const struct command *command, int argc, char **argv)
{
    struct error err = {0};
    struct parser parser = {.command = command, .argc = argc, .argv = argv, .next = 1};
    int status = 2;
    parser.options = calloc(1, command->options_size ? command->options_size : 1);
    if (!parser.options) {
        error_memory(&err);
        status = 1;
    } else if (config_open(&parser.config, &err) == 0) {
        if (command->defaults) {
            memcpy(parser.options, command->defaults, command->options_size);
        }
        status = run_parsed(&parser, &err);
    }
    say_error(command, status, &err);
    config_free(parser.config);
    free(parser.options);
    return status;
}

enum { HELP_INDENT = 30, HELP_WIDTH = 80 };

/* The rest of a line and further ones, broken at blanks. */
static void help_wrap(FILE *out, const char *text)
{
    int column = HELP_INDENT;
    while (*text) {
        int len = (int)strcspn(text, " ");
        if (column > HELP_INDENT && column + 1 + len > HELP_WIDTH) {
            fprintf(out, "\n%*s", HELP_INDENT, "");
            column = HELP_INDENT;
        } else if (column > HELP_INDENT) {
            fputc(' ', out);
            column++;
        }
        fprintf(out, "%.*s", len, text);
        column += len;
        text += len + (text[len] == ' ');
    }
    fputc('\n', out);
}

/* "  -n, --name WORD", padded, and the help after it; long ones on a line of their own. */
static void help_line(FILE *out, char letter, const char *name, const char *word, const char *help,
                      const char *fallback)
{
    char left[128], right[512];
    char short_form[5] = "    ";
    if (letter) {
        snprintf(short_form, sizeof short_form, "-%c, ", letter);
    }
    int len = snprintf(left, sizeof left, "  %s--%s%s%s", short_form, name, word ? " " : "",
                       word ? word : "");
    if (len < HELP_INDENT - 1) {
        fprintf(out, "%-*s", HELP_INDENT, left);
    } else {
        fprintf(out, "%s\n%*s", left, HELP_INDENT, "");
    }
    bool has_default = fallback && fallback[0];
    snprintf(right, sizeof right, "%s%s%s%s", help, has_default ? " [" : "",
             has_default ? fallback : "", has_default ? "]" : "");
    help_wrap(out, right);
}

static char letter_of_setting(const char *key)
{
    for (size_t i = 0; i < COMMONS; i++) {
        if (strcmp(commons[i].name, key) == 0) {
            return commons[i].letter;
        }
    }
    return 0;
}

static bool reads_setting(const struct command *command, const char *key)
{
    if (!command->settings) {
        return true;
    }
    for (const char *const *at = command->settings; *at; at++) {
        if (strcmp(*at, key) == 0) {
            return true;
        }
    }
    return false;
}

static void help_settings(const struct command *command, FILE *out)
{
    if (command->settings && !command->settings[0]) {
        return;
    }
    fprintf(out,
            "\nSettings it reads, with their defaults (--flush-ms 50 is also TANDEM_FLUSH_MS=50\n"
            "in the environment and flush.ms=50 in a file):\n");
    for (const struct config_setting *at = config_settings(); at->key; at++) {
        char option[64];
        if (!reads_setting(command, at->key)) {
            continue;
        }
        key_to_option(at->key, option);
        const char *word = strcmp(at->kind, "BOOL") == 0 ? "true|false" : at->word;
        help_line(out, letter_of_setting(at->key), option, word, at->help, at->fallback);
    }
}

void command_help(const struct command *command, FILE *out)
{
    fprintf(out, "Usage: tandem %s [OPTIONS]%s%s\n\n%s.\n", command->name,
            command->args[0] ? " " : "", command->args, command->summary);
    if (command->about) {
        fprintf(out, "\n%s", command->about);
    }
    fprintf(out, "\nOptions:\n");
    for (const struct command_option *at = command->options; at && at->name; at++) {
        help_line(out, at->letter, at->name, at->word, at->help, NULL);
    }
    for (size_t i = 0; i < COMMONS; i++) {
        if (commons[i].help) {
            help_line(out, commons[i].letter, commons[i].name, commons[i].word, commons[i].help,
                      NULL);
        }
    }
    help_settings(command, out);
}

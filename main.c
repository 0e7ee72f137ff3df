/* tandem - one binary, one subcommand a role. This file is the table of subcommands. */
#include "common/command.h"
#include "common/suggest.h"
#include "common/version.h"
#include "consumers/comparison/targets_command.h"
#include "consumers/customers/customers.h"
#include "consumers/doctor/doctor.h"
#include "consumers/health/health.h"
#include "consumers/dashboard/dashboard.h"
#include "consumers/privacy/customer_command.h"
#include "consumers/privacy/forget.h"
#include "consumers/recount/audit.h"
#include "consumers/recount/rebuild.h"
#include "consumers/recount/trim.h"
#include "consumers/report/report.h"
#include "consumers/reporter/reporter.h"
#include "consumers/top/top.h"
#include "consumers/worker/worker_command.h"
#include "producers/emit.h"
#include "producers/import/import.h"
#include "producers/rejected/rejected.h"
#include "producers/simulate/simulate.h"
#include "producers/topics.h"

#include <csv.h>
#include <hiredis/hiredis.h>
#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>
#include <yyjson.h>

static const struct command settings_command;

/* In the order of `tandem --help`. */
/* clang-format off */
static const struct command *const commands[] = {
    &topics_command,
    &emit_command,
    &import_command,
    &simulate_command,
    &rejected_command,
    &sales_worker_command,
    &service_worker_command,
    &customers_worker_command,
    &reporter_command,
    &report_command,
    &top_command,
    &dashboard_command,
    &targets_command,
    &audit_command,
    &rebuild_command,
    &trim_command,
    &customer_command,
    &forget_command,
    &doctor_command,
    &health_command,
    &settings_command,
};
/* clang-format on */

#define COMMANDS (sizeof commands / sizeof commands[0])

struct settings_options {
    bool markdown;
};

static const struct command_option settings_words[] = {
    {.name = "markdown",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct settings_options, markdown),
     .help = "print the page docs/settings.md instead"},
    {0},
};

static int run_settings(const struct config *config, const void *options, int argc, char **argv,
                        struct error *err)
{
    (void)argc;
    (void)argv;
    (void)err;
    const struct settings_options *own = options;
    if (own->markdown) {
        config_write_docs(stdout);
    } else {
        config_write(config, stdout);
    }
    return 0;
}

static const struct command settings_command = {
    .name = "settings",
    .args = "",
    .summary = "Print the settings in force",
    .about = "Prints every setting with the value it has from defaults, properties file,\n"
             "environment and options, in the form of a properties file. Passwords are\n"
             "masked.\n\n"
             "  tandem settings -F tandem.conf | grep flush\n"
             "  tandem settings > tandem.conf       a file to begin with\n",
    .options = settings_words,
    .options_size = sizeof(struct settings_options),
    .run = run_settings,
};

static void say_usage(FILE *out)
{
    fprintf(out,
            "tandem counts sale and service events from Kafka into Redis and compares them.\n\n"
            "Usage: tandem COMMAND [OPTIONS] [ARGUMENTS]\n\nCommands:\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        fprintf(out, "  %-16s %s\n", commands[i]->name, commands[i]->summary);
    }
    fprintf(out, "  %-16s %s\n  %-16s %s\n", "help [COMMAND]", "Show this, or all about a command",
            "version", "Show the versions of tandem and its libraries");
    fprintf(out, "\nEvery command takes settings as options (--brokers kafka:9092), from the\n"
                 "environment (TANDEM_BROKERS) and from a file (-F tandem.conf).\n");
}

static void say_versions(void)
{
    /* Not XXH_versionNumber(): librdkafka carries an older copy of that function. */
    const unsigned xxh = XXH_VERSION_NUMBER;
    printf("tandem        %s\n", TANDEM_VERSION);
    printf("librdkafka    %s\n", rd_kafka_version_str());
    printf("hiredis       %d.%d.%d\n", HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH);
    printf("yyjson        %s\n", YYJSON_VERSION_STRING);
    printf("jansson       %s\n", jansson_version_str());
    printf("libxxhash     %u.%u.%u\n", xxh / 10000, xxh / 100 % 100, xxh % 100);
    printf("libcsv        %d.%d.%d\n", CSV_MAJOR, CSV_MINOR, CSV_RELEASE);
    printf("libmicrohttpd %s\n", MHD_get_version());
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
    }
    return NULL;
}

static int unknown_command(const char *name)
{
    struct suggest suggest = {.word = name};
    for (size_t i = 0; i < COMMANDS; i++) {
        suggest_offer(&suggest, commands[i]->name);
    }
    suggest_offer(&suggest, "help");
    suggest_offer(&suggest, "version");
    fprintf(stderr, "tandem: %.60s: no such command", name);
    if (suggest.best) {
        fprintf(stderr, "; did you mean %s?\n", suggest.best);
    } else {
        fprintf(stderr, "; `tandem help` lists them\n");
    }
    return 2;
}

static int help(int argc, char **argv)
{
    if (argc < 2) {
        say_usage(stdout);
        return 0;
    }
    const struct command *command = find_command(argv[1]);
    if (!command) {
        return unknown_command(argv[1]);
    }
    command_help(command, stdout);
    return 0;
}

static bool is(const char *word, const char *name, const char *option, const char *letter)
{
    return !strcmp(word, name) || !strcmp(word, option) || !strcmp(word, letter);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        say_usage(stderr);
        return 2;
    }
    if (is(argv[1], "help", "--help", "-h")) {
        return help(argc - 1, argv + 1);
    }
    if (is(argv[1], "version", "--version", "-V")) {
        say_versions();
        return 0;
    }
    const struct command *command = find_command(argv[1]);
    return command ? command_run(command, argc - 1, argv + 1) : unknown_command(argv[1]);
}

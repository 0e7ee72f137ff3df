/* command.h - one subcommand: its words, its options, its help.
 *
 * main.c holds the table of commands; every command fills one `struct command` and never parses
 * argv itself. Settings of config.h are options of every command (--flush-ms 50), besides -F, -X,
 * -b (brokers), -r (redis), --help. */
#ifndef TANDEM_COMMAND_H
#define TANDEM_COMMAND_H

#include "common/config.h"
#include "common/error.h"

#include <stddef.h>
#include <stdint.h>

enum option_kind { OPTION_FLAG, OPTION_STRING, OPTION_INT };

struct command_option {
    const char *name; /* "strict", given as --strict; NULL ends a list */
    char letter;      /* 0: none */
    enum option_kind kind;
    const char *word; /* what the value is called in help: "FILE"; NULL for a flag */
    size_t offset;    /* into the command's own options: bool, const char * or int64_t */
    int64_t min, max; /* of an int */
    const char *help;
};

struct command {
    const char *name;    /* "emit" */
    const char *args;    /* "[FILE]": what follows the options */
    const char *summary; /* one line for `tandem --help` */
    const char *about;   /* paragraphs for `tandem help emit`, with examples */
    const struct command_option *options;
    const char *const *settings; /* keys shown in its help; ends with NULL; NULL: all of them */
    size_t options_size;         /* bytes of its own options; zeroed, then *defaults copied over */
    const void *defaults;        /* NULL: zeroes */
    int min_args, max_args;      /* positional; max -1: any number */
    /* Runs it. Returns the exit status: 0, 1 failed (fill err, main prints it), 2 usage. */
    int (*run)(const struct config *config, const void *options, int argc, char **argv,
               struct error *err);
};

/* Parses argv[1..] of a command (argv[0] is its name), runs it, prints its error to stderr.
 * Returns the exit status. */
int command_run(const struct command *command, int argc, char **argv);
/* The whole help of one command, made from the tables. */
void command_help(const struct command *command, FILE *out);

/* SIGINT and SIGTERM set a flag; a second one ends the process at once (status 130 or 143). */
void command_catch_signals(void);
/* Which signal asked to stop, 0: none yet. */
int command_stopping(void);

#endif

#include "consumers/comparison/targets_command.h"

#include "consumers/comparison/targets.h"

static int print_all(const struct targets *targets, struct error *err)
{
    struct sentences *warnings = NULL;
    if (targets_warnings(targets, &warnings, err))
        return 1;
    targets_print(targets, stdout);
    for (size_t i = 0; i < sentences_count(warnings); i++)
        printf("%sWarning: %s\n", i ? "" : "\n", sentences_at(warnings, i));
    sentences_free(warnings);
    if (fflush(stdout) != 0)
        return error_set(err, ERROR_SYSTEM, "cannot write to standard output"), 1;
    return 0;
}

static int run(const struct config *config, const void *options, int argc, char **argv,
               struct error *err)
{
    struct targets *targets = NULL;
    struct sentences *mistakes = NULL;
    const char *path = argc > 0 ? argv[0] : config->targets;
    (void)options;
    if (!*path)
        return error_set(err, ERROR_USAGE,
                         "which file? `tandem targets FILE`, or the setting "
                         "targets"),
               2;
    if (targets_read(&targets, path, config->scopes, NULL, &mistakes, err)) {
        for (size_t i = 0; i < sentences_count(mistakes); i++)
            fprintf(stderr, "%s\n", sentences_at(mistakes, i));
        sentences_free(mistakes);
        return 1;
    }
    int status = print_all(targets, err);
    targets_free(targets);
    return status;
}

static const char *const settings[] = {"targets", "scopes", NULL};

const struct command targets_command = {
    .name = "targets",
    .args = "[FILE]",
    .summary = "check a targets file and print it",
    .about = "Reads a targets file as the reporter does: it is taken whole, or refused whole with\n"
             "every mistake listed by its path. Without FILE it reads the one that the setting\n"
             "`targets` names.\n"
             "\n"
             "  tandem targets examples/targets.json\n"
             "  tandem targets --scopes region,labels.segment my-targets.json\n"
             "\n"
             "Ends with 1 when the file is refused.\n",
    .settings = settings,
    .min_args = 0,
    .max_args = 1,
    .run = run,
};

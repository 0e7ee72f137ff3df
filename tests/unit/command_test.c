#include "common/command.h"
#include "common/suggest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the command under test was run with. */
static struct {
    bool ran;
    bool loud;
    const char *name;
    int64_t count;
    int64_t flush_ms;
    char brokers[64], group[64], args[128];
    int status;
    struct error err;
} seen;

struct probe_options {
    bool loud;
    const char *name;
    int64_t count;
};

static int run_probe(const struct config *config, const void *options, int argc, char **argv,
                     struct error *err)
{
    const struct probe_options *own = options;
    seen.ran = true;
    seen.loud = own->loud;
    seen.name = own->name;
    seen.count = own->count;
    seen.flush_ms = config->flush_ms;
    snprintf(seen.brokers, sizeof seen.brokers, "%s", config->brokers);
    snprintf(seen.group, sizeof seen.group, "%s", config->group);
    seen.args[0] = '\0';
    for (int i = 0; i < argc; i++) {
        size_t len = strlen(seen.args);
        snprintf(seen.args + len, sizeof seen.args - len, "[%s]", argv[i]);
    }
    if (seen.err.code) {
        *err = seen.err;
    }
    return seen.status;
}

static const struct command_option probe_words[] = {
    {.name = "loud",
     .letter = 'l',
     .kind = OPTION_FLAG,
     .offset = offsetof(struct probe_options, loud),
     .help = "say more"},
    {.name = "name",
     .letter = 'n',
     .kind = OPTION_STRING,
     .word = "NAME",
     .offset = offsetof(struct probe_options, name),
     .help = "whom"},
    {.name = "count",
     .kind = OPTION_INT,
     .word = "N",
     .min = 1,
     .max = 9,
     .offset = offsetof(struct probe_options, count),
     .help = "how often"},
    {0},
};

static const struct probe_options probe_defaults = {.name = "nobody", .count = 3};
static const char *const probe_settings[] = {"flush.ms", NULL};

static const struct command probe = {
    .name = "probe",
    .args = "FILE [FILE]",
    .summary = "Try it out",
    .about = "  tandem probe --loud x\n",
    .options = probe_words,
    .settings = probe_settings,
    .options_size = sizeof(struct probe_options),
    .defaults = &probe_defaults,
    .min_args = 0,
    .max_args = 2,
    .run = run_probe,
};

static char captured[8192];

/* Runs the words with stderr and stdout (given by `fd`) caught in `captured`. */
static int run_caught(const struct command *command, int fd, const char *words)
{
    char copy[256], *argv[32] = {0};
    char path[] = "/tmp/tandem-command-XXXXXX";
    int argc = 0, file = mkstemp(path), kept = dup(fd);
    snprintf(copy, sizeof copy, "%s", words);
    for (char *at = strtok(copy, " "); at; at = strtok(NULL, " ")) {
        argv[argc++] = at;
    }
    fflush(NULL);
    dup2(file, fd);
    int status = command_run(command, argc, argv);
    fflush(NULL);
    dup2(kept, fd);
    close(kept);
    ssize_t len = pread(file, captured, sizeof captured - 1, 0);
    captured[len > 0 ? len : 0] = '\0';
    close(file);
    unlink(path);
    return status;
}

static int run(const char *words)
{
    return run_caught(&probe, STDERR_FILENO, words);
}

static int setup(void **state)
{
    (void)state;
    memset(&seen, 0, sizeof seen);
    return 0;
}

static void options_of_its_own_and_settings_may_stand_anywhere(void **state)
{
    (void)state;
    assert_int_equal(run("probe a --flush-ms 7 -ln you b --count=4 -b k:1"), 0);
    assert_true(seen.ran && seen.loud);
    assert_string_equal(seen.args, "[a][b]");
    assert_int_equal(seen.flush_ms, 7);
    assert_int_equal(seen.count, 4);
    assert_string_equal(seen.brokers, "k:1");
    assert_string_equal(captured, "");
}

static void without_options_the_commands_defaults_hold(void **state)
{
    (void)state;
    assert_int_equal(run("probe"), 0);
    assert_string_equal(seen.name, "nobody");
    assert_int_equal(seen.count, 3);
    assert_false(seen.loud);
    assert_string_equal(seen.group, "main");
}

static void two_dashes_end_the_options_and_one_is_an_argument(void **state)
{
    (void)state;
    assert_int_equal(run("probe - -- --loud"), 0);
    assert_string_equal(seen.args, "[-][--loud]");
    assert_false(seen.loud);
}

static void a_letter_takes_its_value_joined_or_apart(void **state)
{
    (void)state;
    assert_int_equal(run("probe -Xflush.ms=8 -X group=g"), 0);
    assert_int_equal(seen.flush_ms, 8);
    assert_string_equal(seen.group, "g");
}

static void an_option_beats_a_file_given_after_it(void **state)
{
    (void)state;
    char path[] = "/tmp/tandem-command-XXXXXX", words[128];
    int file = mkstemp(path);
    assert_int_equal(write(file, "flush.ms=9\n", 11), 11);
    close(file);
    snprintf(words, sizeof words, "probe --flush-ms 8 -F %s", path);
    assert_int_equal(run(words), 0);
    assert_int_equal(seen.flush_ms, 8);
    unlink(path);
}

static void mistakes_end_with_two_and_name_themselves(void **state)
{
    static const struct {
        const char *words, *text;
    } cases[] = {
        {"probe --laud", "--laud: no such option; did you mean --loud?"},
        {"probe --flush-mss 1", "--flush-mss: no such option; did you mean --flush-ms?"},
        {"probe --zzzzzzzzzz", "--zzzzzzzzzz: no such option"},
        {"probe -q", "-q: no such option"},
        {"probe -lq", "-q: no such option"},
        {"probe --name", "--name: needs a value"},
        {"probe -n", "-n: needs a value"},
        {"probe --loud=yes", "--loud: takes no value"},
        {"probe --count x", "--count: \"x\" is not a number"},
        {"probe --count 10", "--count: 10 is outside 1..9"},
        {"probe --flush-ms abc", "flush.ms: \"abc\" is not a number (from --flush-ms)"},
        {"probe -b", "-b: needs a value"},
        {"probe -X flush.ms", "-X: needs the form KEY=VALUE"},
        {"probe -X =1", "-X: needs the form KEY=VALUE"},
        {"probe -X flush.mss=1", "flush.mss: no such setting (from -X); did you mean flush.ms?"},
        {"probe -F /nowhere/f", "/nowhere/f: No such file or directory"},
        {"probe a b c", "\"c\": one argument too many"},
        {"probe --business Acme", "business: \"Acme\" may hold only a-z, 0-9 and -"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[256];
        snprintf(expected, sizeof expected, "tandem probe: %s\nTry `tandem help probe`.\n",
                 cases[i].text);
        assert_int_equal(run(cases[i].words), 2);
        assert_string_equal(captured, expected);
        assert_false(seen.ran);
    }
}

static void too_few_arguments_are_named(void **state)
{
    (void)state;
    struct command wants_one = probe;
    wants_one.min_args = 1;
    assert_int_equal(run_caught(&wants_one, STDERR_FILENO, "probe"), 2);
    assert_non_null(strstr(captured, "tandem probe: needs FILE [FILE]\n"));
}

static void the_commands_error_is_printed_once_with_its_status(void **state)
{
    (void)state;
    seen.status = 1;
    error_set(&seen.err, ERROR_KAFKA, "broken");
    assert_int_equal(run("probe"), 1);
    assert_string_equal(captured, "tandem probe: broken\n");
}

static void a_negative_status_is_one_and_a_usage_error_is_two(void **state)
{
    (void)state;
    seen.status = -1;
    error_set(&seen.err, ERROR_KAFKA, "broken");
    assert_int_equal(run("probe"), 1);
    error_set(&seen.err, ERROR_USAGE, "kafka.acks: fixed");
    assert_int_equal(run("probe"), 2);
}

static void a_status_of_its_own_is_kept(void **state)
{
    (void)state;
    seen.status = 130;
    assert_int_equal(run("probe"), 130);
    assert_string_equal(captured, "");
}

static void help_shows_options_and_only_the_settings_it_reads(void **state)
{
    (void)state;
    assert_int_equal(run_caught(&probe, STDOUT_FILENO, "probe --help"), 0);
    assert_false(seen.ran);
    assert_non_null(strstr(captured, "Usage: tandem probe [OPTIONS] FILE [FILE]\n\nTry it out.\n"));
    assert_non_null(strstr(captured, "  -l, --loud                  say more\n"));
    assert_non_null(strstr(captured, "--flush-ms MS "));
    assert_non_null(strstr(captured, "[100]"));
    assert_null(strstr(captured, "--timezone"));
}

static void help_fits_eighty_columns(void **state)
{
    (void)state;
    struct command all = probe;
    all.settings = NULL;
    assert_int_equal(run_caught(&all, STDOUT_FILENO, "probe -h"), 0);
    for (const char *line = captured; *line; line += strcspn(line, "\n") + 1) {
        assert_in_range(strcspn(line, "\n"), 0, 80);
    }
}

static void the_nearest_word_is_suggested(void **state)
{
    (void)state;
    struct suggest suggest = {.word = "sales-wroker"};
    suggest_offer(&suggest, "service-worker");
    suggest_offer(&suggest, "sales-worker");
    assert_string_equal(suggest.best, "sales-worker");
    assert_int_equal(suggest.distance, 1);
    struct suggest far = {.word = "xyz"};
    suggest_offer(&far, "emit");
    assert_null(far.best);
}

static void distance_counts_edits_and_swaps(void **state)
{
    (void)state;
    assert_int_equal(suggest_distance("", ""), 0);
    assert_int_equal(suggest_distance("emit", ""), 4);
    assert_int_equal(suggest_distance("emit", "eimt"), 1);
    assert_int_equal(suggest_distance("topic", "topics"), 1);
    assert_int_equal(suggest_distance("kitten", "sitting"), 3);
    char long_word[100];
    memset(long_word, 'a', sizeof long_word - 1);
    long_word[sizeof long_word - 1] = '\0';
    assert_true(suggest_distance(long_word, "a") == SIZE_MAX);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(options_of_its_own_and_settings_may_stand_anywhere),
        TEST(without_options_the_commands_defaults_hold),
        TEST(two_dashes_end_the_options_and_one_is_an_argument),
        TEST(a_letter_takes_its_value_joined_or_apart),
        TEST(an_option_beats_a_file_given_after_it),
        TEST(mistakes_end_with_two_and_name_themselves),
        TEST(too_few_arguments_are_named),
        TEST(the_commands_error_is_printed_once_with_its_status),
        TEST(a_negative_status_is_one_and_a_usage_error_is_two),
        TEST(a_status_of_its_own_is_kept),
        TEST(help_shows_options_and_only_the_settings_it_reads),
        TEST(help_fits_eighty_columns),
        TEST(the_nearest_word_is_suggested),
        TEST(distance_counts_edits_and_swaps),
    };
    for (char **entry = environ; *entry;) { /* no variable of the caller's reaches a test */
        char name[256];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(*entry, "="), *entry);
        if (strncmp(name, "TANDEM_", 7) == 0) {
            unsetenv(name);
            entry = environ;
        } else {
            entry++;
        }
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

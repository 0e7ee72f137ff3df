#include "common/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct world {
    struct config *config;
    struct error err;
    char path[64];
};

/* No variable of the caller's environment reaches a test. */
static void clear_environment(void)
{
    for (size_t i = 0; environ[i];) {
        char name[256];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(environ[i], "="), environ[i]);
        if (strncmp(name, "TANDEM_", 7) == 0) {
            unsetenv(name);
            i = 0;
        } else {
            i++;
        }
    }
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    clear_environment();
    assert_int_equal(config_open(&world->config, &world->err), 0);
    snprintf(world->path, sizeof world->path, "/tmp/tandem-config-XXXXXX");
    close(mkstemp(world->path));
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    config_free(world->config);
    unlink(world->path);
    clear_environment();
    free(world);
    return 0;
}

static void write_file(const struct world *world, const char *text)
{
    FILE *file = fopen(world->path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int set(struct world *world, const char *key, const char *value)
{
    return config_set(world->config, key, value, CONFIG_OPTION, "-X", &world->err);
}

static void without_any_source_the_defaults_hold(void **state)
{
    struct world *world = *state;
    assert_string_equal(world->config->brokers, "localhost:9092");
    assert_int_equal(world->config->flush_ms, 100);
    assert_true(world->config->topic_id_check);
    assert_string_equal(world->config->scopes, "region,channel,rep,line");
    assert_int_equal(config_check(world->config, &world->err), 0);
}

static void every_default_is_a_value_that_its_own_key_accepts(void **state)
{
    struct world *world = *state;
    for (const struct config_setting *at = config_settings(); at->key; at++) {
        assert_int_equal(set(world, at->key, at->fallback), 0);
    }
}

static void the_environment_beats_a_file_and_an_option_beats_both(void **state)
{
    struct world *world = *state;
    struct config *config = NULL;
    setenv("TANDEM_FLUSH_MS", "20", 1);
    assert_int_equal(config_open(&config, &world->err), 0);
    write_file(world, "flush.ms=30\nflush.cells=31\n");
    assert_int_equal(config_read(config, world->path, &world->err), 0);
    assert_int_equal(config->flush_ms, 20);
    assert_int_equal(config->flush_cells, 31);
    assert_int_equal(config_set(config, "flush.ms", "40", CONFIG_OPTION, "-X", &world->err), 0);
    assert_int_equal(config_set(config, "flush.ms", "50", CONFIG_FILE, "f:1", &world->err), 0);
    assert_int_equal(config->flush_ms, 40);
    config_free(config);
}

static void of_two_values_of_one_rank_the_later_counts(void **state)
{
    struct world *world = *state;
    assert_int_equal(set(world, "business", "one"), 0);
    assert_int_equal(set(world, "business", "two"), 0);
    assert_string_equal(world->config->business, "two");
}

static void a_bad_value_is_refused_with_key_and_source(void **state)
{
    static const struct {
        const char *key, *value, *text;
    } cases[] = {
        {"flush.ms", "abc", "flush.ms: \"abc\" is not a number (from -X)"},
        {"flush.ms", "", "flush.ms: \"\" is not a number (from -X)"},
        {"flush.ms", " 5", "flush.ms: \" 5\" is not a number (from -X)"},
        {"flush.ms", "5x", "flush.ms: \"5x\" is not a number (from -X)"},
        {"flush.ms", "-", "flush.ms: \"-\" is not a number (from -X)"},
        {"flush.ms", "0", "flush.ms: 0 is outside 1..60000 (from -X)"},
        {"flush.ms", "99999999999999999999",
         "flush.ms: 99999999999999999999 is outside 1..60000 (from -X)"},
        {"topic.id.check", "yes", "topic.id.check: \"yes\" is neither true nor false (from -X)"},
        {"log.level", "inf", "log.level: \"inf\" is none of error|warning|info|debug (from -X)"},
        {"log.level", "", "log.level: \"\" is none of error|warning|info|debug (from -X)"},
        {"log.level", "error|warning",
         "log.level: \"error|warning\" is none of error|warning|info|debug (from -X)"},
        {"business", "", "business: must not be empty (from -X)"},
        {"business", "a\nb", "business: holds a control character (from -X)"},
        {"business", "abcdefghijklmnopqrstuvwxyz0123456",
         "business: is 33 bytes long, at most 32 are allowed (from -X)"},
        {"flush.m", "5", "flush.m: no such setting (from -X); did you mean flush.ms?"},
        {"kafka.", "5", "kafka.: names no setting of librdkafka (from -X)"},
    };
    struct world *world = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(set(world, cases[i].key, cases[i].value), -1);
        assert_int_equal(world->err.code, ERROR_USAGE);
        assert_string_equal(world->err.text, cases[i].text);
    }
}

static void a_bad_value_of_a_low_rank_is_an_error_even_where_a_higher_one_counts(void **state)
{
    struct world *world = *state;
    assert_int_equal(set(world, "flush.ms", "40"), 0);
    assert_int_equal(config_set(world->config, "flush.ms", "x", CONFIG_FILE, "f:1", &world->err),
                     -1);
}

static void an_address_is_never_shown_in_an_error(void **state)
{
    struct world *world = *state;
    assert_int_equal(set(world, "redis", "redis://:hunter2@host\n"), -1);
    assert_null(strstr(world->err.text, "hunter2"));
}

static void a_file_may_hold_comments_blanks_and_carriage_returns(void **state)
{
    struct world *world = *state;
    write_file(world, "# a comment\r\n\r\n  business =  acme \r\n\tscopes=\nkafka.debug = a=b ");
    assert_int_equal(config_read(world->config, world->path, &world->err), 0);
    assert_string_equal(world->config->business, "acme");
    assert_string_equal(world->config->scopes, "");
    assert_int_equal(world->config->kafka_count, 1);
    assert_string_equal(world->config->kafka[0].name, "debug");
    assert_string_equal(world->config->kafka[0].value, "a=b");
}

static void a_mistake_in_a_file_is_told_with_its_line(void **state)
{
    struct world *world = *state;
    char expected[256];
    write_file(world, "flush.ms=5\n\nflush.mss=6\n");
    assert_int_equal(config_read(world->config, world->path, &world->err), -1);
    snprintf(expected, sizeof expected,
             "flush.mss: no such setting (from %s:3); did you mean flush.ms?", world->path);
    assert_string_equal(world->err.text, expected);
    write_file(world, "flush.ms 5\n");
    assert_int_equal(config_read(world->config, world->path, &world->err), -1);
    snprintf(expected, sizeof expected, "%s:1: not of the form key=value", world->path);
    assert_string_equal(world->err.text, expected);
}

static void a_file_that_is_not_there_is_an_error(void **state)
{
    struct world *world = *state;
    assert_int_equal(config_read(world->config, "/nowhere/tandem.conf", &world->err), -1);
    assert_string_equal(world->err.text, "/nowhere/tandem.conf: No such file or directory");
}

static void a_variable_names_its_setting_or_one_of_librdkafka(void **state)
{
    struct world *world = *state;
    struct config *config = NULL;
    setenv("TANDEM_TOPICS_SALES", "acme.sales", 1);
    setenv("TANDEM_KAFKA_SOCKET_TIMEOUT_MS", "10", 1);
    setenv("TANDEM_BUSINESS", "", 1);
    setenv("TANDEM_TEST_ANYTHING", "1", 1);
    assert_int_equal(config_open(&config, &world->err), 0);
    assert_string_equal(config->topics_sales, "acme.sales");
    assert_string_equal(config->business, "main");
    assert_int_equal(config->kafka_count, 1);
    assert_string_equal(config->kafka[0].name, "socket.timeout.ms");
    assert_string_equal(config->kafka[0].source, "TANDEM_KAFKA_SOCKET_TIMEOUT_MS");
    config_free(config);
}

static void a_bad_variable_is_named(void **state)
{
    struct world *world = *state;
    struct config *config = NULL;
    setenv("TANDEM_FLUSH_MS", "soon", 1);
    assert_int_equal(config_open(&config, &world->err), -1);
    assert_string_equal(world->err.text,
                        "flush.ms: \"soon\" is not a number (from TANDEM_FLUSH_MS)");
}

static void a_kafka_setting_is_kept_once_with_the_highest_rank(void **state)
{
    struct world *world = *state;
    assert_int_equal(set(world, "kafka.linger.ms", "1"), 0);
    assert_int_equal(set(world, "kafka.linger.ms", "2"), 0);
    assert_int_equal(
        config_set(world->config, "kafka.linger.ms", "3", CONFIG_FILE, "f:1", &world->err), 0);
    assert_int_equal(world->config->kafka_count, 1);
    assert_string_equal(world->config->kafka[0].value, "2");
}

static void the_group_is_the_business_unless_it_is_given(void **state)
{
    struct world *world = *state;
    set(world, "business", "acme");
    assert_int_equal(config_check(world->config, &world->err), 0);
    assert_string_equal(world->config->group, "acme");
    set(world, "group", "blue");
    assert_int_equal(config_check(world->config, &world->err), 0);
    assert_string_equal(world->config->group, "blue");
}

static void names_are_checked_as_a_whole(void **state)
{
    static const struct {
        const char *key, *value, *text;
    } cases[] = {
        {"business", "Acme", "business: \"Acme\" may hold only a-z, 0-9 and -"},
        {"topics.sales", "a b",
         "topics.sales: \"a b\" is no name of a topic: only letters, digits, "
         "dot, underscore and dash"},
        {"topics.service", "tandem.sales",
         "topics.sales and topics.service: both are \"tandem.sales\""},
        {"ledger.from", "2026-02-30", "ledger.from: \"2026-02-30\" is no day; write it YYYY-MM-DD"},
        {"scopes", "region,,rep",
         "scopes: \"\" is no dimension: region, channel, rep, line or "
         "labels.NAME, separated by commas without blanks"},
        {"scopes", "region,",
         "scopes: \"\" is no dimension: region, channel, rep, line or "
         "labels.NAME, separated by commas without blanks"},
        {"scopes", "city",
         "scopes: \"city\" is no dimension: region, channel, rep, line or "
         "labels.NAME, separated by commas without blanks"},
        {"scopes", "labels.",
         "scopes: \"labels.\" is no dimension: region, channel, rep, line or "
         "labels.NAME, separated by commas without blanks"},
        {"scopes", "rep,region,rep", "scopes: \"rep\" stands twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config *config = NULL;
        struct error err = {0};
        (void)state;
        assert_int_equal(config_open(&config, &err), 0);
        assert_int_equal(
            config_set(config, cases[i].key, cases[i].value, CONFIG_OPTION, "-X", &err), 0);
        assert_int_equal(config_check(config, &err), -1);
        assert_string_equal(err.text, cases[i].text);
        config_free(config);
    }
}

static void good_scopes_are_accepted(void **state)
{
    static const char *const good[] = {"", "rep", "labels.segment",
                                       "region,labels.a,labels.b,line"};
    struct world *world = *state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(set(world, "scopes", good[i]), 0);
        assert_int_equal(config_check(world->config, &world->err), 0);
    }
}

static char *written(const struct config *config)
{
    char *text = NULL;
    size_t len = 0;
    FILE *file = open_memstream(&text, &len);
    assert_non_null(file);
    if (config) {
        config_write(config, file);
    } else {
        config_write_docs(file);
    }
    fclose(file);
    return text;
}

static void what_is_written_holds_no_password(void **state)
{
    struct world *world = *state;
    const char *const secrets[][2] = {{"redis", "redis://user:hunter2@host:6379/1"},
                                      {"kafka.sasl.password", "hunter2"}};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(config_set(world->config, secrets[i][0], secrets[i][1], CONFIG_FILE,
                                    "file:1", &world->err),
                         0);
    }
    set(world, "kafka.linger.ms", "7");
    char *text = written(world->config);
    assert_null(strstr(text, "hunter2"));
    assert_non_null(strstr(text, "redis=redis://user:***@host:6379/1\n"));
    assert_non_null(strstr(text, "kafka.sasl.password=***\nkafka.linger.ms=7\n"));
    free(text);
}

static void a_password_on_the_command_line_is_refused_and_not_shown(void **state)
{
    struct world *world = *state;
    const char *const words[][2] = {{"redis", "redis://user:hunter2@host"},
                                    {"redis", "rediss://:hunter2@host"},
                                    {"kafka.sasl.password", "hunter2"},
                                    {"kafka.ssl.key.password", "hunter2"},
                                    {"kafka.sasl.oauthbearer.client.secret", "hunter2"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        assert_int_equal(set(world, words[i][0], words[i][1]), -1);
        assert_int_equal(world->err.code, ERROR_USAGE);
        assert_null(strstr(world->err.text, "hunter2"));
        assert_non_null(strstr(world->err.text, words[i][0]));
    }
    assert_int_equal(set(world, "redis", "redis://user@host"), 0);
    assert_int_equal(set(world, "kafka.sasl.password.file", "/run/secrets/kafka"), 0);
}

static void what_is_written_reads_back_as_the_same(void **state)
{
    struct world *world = *state;
    struct config *other = NULL;
    set(world, "flush.ms", "7");
    set(world, "topic.id.check", "false");
    set(world, "scopes", "");
    char *first = written(world->config);
    write_file(world, first);
    assert_int_equal(config_open(&other, &world->err), 0);
    assert_int_equal(config_read(other, world->path, &world->err), 0);
    char *second = written(other);
    assert_string_equal(first, second);
    config_free(other);
    free(first);
    free(second);
}

static void the_page_of_settings_is_current(void **state)
{
    (void)state;
    char *page = written(NULL);
    char *kept = calloc(1, strlen(page) + 2);
    FILE *file = fopen("docs/settings.md", "r"); /* tests run in the root of the tree */
    assert_non_null(file);
    size_t len = fread(kept, 1, strlen(page) + 1, file);
    fclose(file);
    assert_int_equal(len, strlen(page));
    assert_string_equal(kept, page); /* else: tandem settings --markdown > docs/settings.md */
    free(kept);
    free(page);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_any_source_the_defaults_hold),
        TEST(every_default_is_a_value_that_its_own_key_accepts),
        TEST(the_environment_beats_a_file_and_an_option_beats_both),
        TEST(of_two_values_of_one_rank_the_later_counts),
        TEST(a_bad_value_is_refused_with_key_and_source),
        TEST(a_bad_value_of_a_low_rank_is_an_error_even_where_a_higher_one_counts),
        TEST(an_address_is_never_shown_in_an_error),
        TEST(a_file_may_hold_comments_blanks_and_carriage_returns),
        TEST(a_mistake_in_a_file_is_told_with_its_line),
        TEST(a_file_that_is_not_there_is_an_error),
        TEST(a_variable_names_its_setting_or_one_of_librdkafka),
        TEST(a_bad_variable_is_named),
        TEST(a_kafka_setting_is_kept_once_with_the_highest_rank),
        TEST(the_group_is_the_business_unless_it_is_given),
        TEST(names_are_checked_as_a_whole),
        TEST(good_scopes_are_accepted),
        TEST(what_is_written_holds_no_password),
        TEST(a_password_on_the_command_line_is_refused_and_not_shown),
        TEST(what_is_written_reads_back_as_the_same),
        TEST(the_page_of_settings_is_current),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "common/exposition.h"
#include "common/listen.h"
#include "consumers/worker/lag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static char *text;
static size_t length;

static FILE *begin(void)
{
    free(text);
    text = NULL;
    return open_memstream(&text, &length);
}

static void assert_written(FILE *out, const char *wanted)
{
    fclose(out);
    assert_string_equal(text, wanted);
}

static void a_family_is_help_and_type(void **state)
{
    (void)state;
    FILE *out = begin();
    exposition_family(out, "a_total", "counter", "What it is.");
    assert_written(out, "# HELP a_total What it is.\n# TYPE a_total counter\n");
}

static void labels_are_escaped(void **state)
{
    (void)state;
    FILE *out = begin();
    exposition_int(out, "a", INT64_MAX, "b", "x\"y\\z\n", "c", "", NULL);
    exposition_int(out, "a", -1, NULL);
    assert_written(out, "a{b=\"x\\\"y\\\\z\\n\",c=\"\"} 9223372036854775807\na -1\n");
}

static void milliseconds_are_written_as_seconds_exactly(void **state)
{
    (void)state;
    FILE *out = begin();
    exposition_ms(out, "a", 1234, NULL);
    exposition_ms(out, "a", 5, NULL);
    exposition_ms(out, "a", -1500, NULL);
    exposition_ms(out, "a", INT64_MIN, NULL);
    assert_written(out, "a 1.234\na 0.005\na -1.500\na -9223372036854775.808\n");
}

static void a_histogram_counts_up_to_each_bound(void **state)
{
    (void)state;
    static const struct exposition_bounds bounds = {2, {10, 100}};
    struct exposition_histogram h = {0};
    static const int64_t seen[] = {0, 10, 11, 100, 101};
    for (size_t i = 0; i < 5; i++)
        exposition_observe(&h, &bounds, seen[i]);
    FILE *out = begin();
    exposition_histogram(out, "a", "b", &bounds, &h, 1);
    assert_written(out, "# HELP a b\n# TYPE a histogram\n"
                        "a_bucket{le=\"0.010\"} 2\na_bucket{le=\"0.100\"} 4\n"
                        "a_bucket{le=\"+Inf\"} 5\na_sum 0.222\na_count 5\n");
}

static void addresses_have_a_port_and_no_names(void **state)
{
    (void)state;
    struct listen_address at;
    struct error err;
    assert_int_equal(listen_parse("127.0.0.1:9464", &at, &err), 0);
    assert_int_equal(at.port, 9464);
    assert_int_equal(listen_parse("[::1]:0", &at, &err), 0);
    assert_int_equal(at.at.ss_family, AF_INET6);
    assert_int_equal(listen_parse(":9464", &at, &err), 0);
    static const char *const bad[] = {"", "9464", "127.0.0.1", "localhost:1", ":65536", ":-1", ":",
                                      "[::1]", "::1:9464x", "[::1:5", "1.2.3.4:5x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(listen_parse(bad[i], &at, &err), -1);
        assert_int_equal(err.code, ERROR_USAGE);
    }
}

static void lag_at_the_end_is_nothing(void **state)
{
    (void)state;
    struct lag lag = {0};
    lag_take(&lag, 5, 5, 5, false, 1000);
    lag_take(&lag, 5, 5, 5, false, 900000);
    assert_int_equal(lag.records, 0);
    assert_int_equal(lag.ms, 0);
    assert_true(lag_well(&lag, 1, 900000));
}

static void lag_in_time_is_since_the_log_ended_at_the_position(void **state)
{
    (void)state;
    struct lag lag = {0};
    lag_take(&lag, 5, 5, 5, false, 1000);
    lag_take(&lag, 5, 5, 25, false, 2000);
    assert_int_equal(lag.records, 20);
    assert_int_equal(lag.ms, 1000);
    lag_take(&lag, 15, 15, 45, false, 3000); /* not yet beyond what was the end at 2000 */
    assert_int_equal(lag.ms, 2000);
    assert_true(lag_well(&lag, 500, 3000));
    lag_take(&lag, 30, 30, 45, false, 4000); /* now it is */
    assert_int_equal(lag.ms, 2000);          /* as fresh as the log was at 2000 */
    lag_take(&lag, 45, 45, 60, false, 5000);
    assert_in_range(lag.ms, 1000, 2000);
    assert_false(lag_well(&lag, 500, 6000));
}

static void a_partition_that_nobody_reads_grows_old(void **state)
{
    (void)state;
    struct lag lag = {0};
    lag_take(&lag, 5, 5, 5, false, 1000);
    lag_take(&lag, 5, 5, 5, true, 61000);
    assert_int_equal(lag.records, 0);
    assert_int_equal(lag.ms, 60000);
    assert_false(lag_well(&lag, 15000, 61000));
    lag_take(&lag, 9, 9, 9, false, 62000);
    assert_int_equal(lag.ms, 0);
}

static int end(void **state)
{
    (void)state;
    free(text);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_family_is_help_and_type),
        cmocka_unit_test(labels_are_escaped),
        cmocka_unit_test(milliseconds_are_written_as_seconds_exactly),
        cmocka_unit_test(a_histogram_counts_up_to_each_bound),
        cmocka_unit_test(addresses_have_a_port_and_no_names),
        cmocka_unit_test(lag_at_the_end_is_nothing),
        cmocka_unit_test(lag_in_time_is_since_the_log_ended_at_the_position),
        cmocka_unit_test(a_partition_that_nobody_reads_grows_old),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}

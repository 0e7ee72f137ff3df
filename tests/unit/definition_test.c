#include "consumers/worker/definition.h"

#include "common/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct config *defaults(void)
{
    struct config *config;
    struct error err;
    assert_int_equal(config_open(&config, &err), 0);
    return config;
}

static void set(struct config *config, const char *key, const char *value)
{
    struct error err = {0};
    if (config_set(config, key, value, CONFIG_OPTION, "test", &err))
        fail_msg("%s", err.text);
}

static void write_for(const struct config *config, const char *zone_name, char *out)
{
    struct zone *zone;
    struct error err;
    assert_int_equal(zone_open(&zone, zone_name, &err), 0);
    definition_write(config, zone, out);
    zone_free(zone);
}

static void every_setting_that_changes_a_count_changes_the_definition(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"type.prefix", "ro.acme."},
        {"scopes", "region"},
        {"scope.limit", "999"},
        {"dedup.window", "99999"},
    };
    char usual[DEFINITION_BYTES], other[DEFINITION_BYTES], said[512], expected[64];
    struct config *config = defaults();
    write_for(config, "UTC", usual);
    config_free(config);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        config = defaults();
        set(config, cases[i][0], cases[i][1]);
        write_for(config, "UTC", other);
        assert_int_equal(definition_compare(other, usual, said, sizeof said), 1);
        snprintf(expected, sizeof expected, "%s is %s here, ", cases[i][0], cases[i][1]);
        if (strncmp(said, expected, strlen(expected)) != 0)
            fail_msg("%s", said);
        config_free(config);
    }
}

static void what_changes_no_count_leaves_the_definition_as_it_is(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"business", "other"}, {"flush.ms", "7"},        {"flush.cells", "99"},
        {"group", "g"},        {"log.level", "debug"},   {"topics.sales", "sales"},
        {"brokers", "b:9092"}, {"history.length", "10"},
    };
    char usual[DEFINITION_BYTES], other[DEFINITION_BYTES], said[512];
    struct config *config = defaults();
    write_for(config, "UTC", usual);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        set(config, cases[i][0], cases[i][1]);
    write_for(config, "UTC", other);
    assert_string_equal(usual, other);
    assert_int_equal(definition_compare(usual, other, said, sizeof said), 0);
    assert_string_equal(said, "");
    config_free(config);
}

static void a_zone_is_its_name_and_its_offset_changes(void **state)
{
    (void)state;
    char one[DEFINITION_BYTES], two[DEFINITION_BYTES], said[512];
    struct config *config = defaults();
    write_for(config, "Europe/Bucharest", one);
    write_for(config, "Europe/Athens", two); /* the same rules under another name */
    assert_int_equal(definition_compare(one, two, said, sizeof said), 1);
    assert_non_null(strstr(said, "timezone is Europe/Bucharest/"));
    assert_non_null(strstr(said, "here, Europe/Athens/"));
    char *hash = strstr(one, "Bucharest/") + strlen("Bucharest/");
    *hash = *hash == '0' ? '1' : '0'; /* another tzdata */
    write_for(config, "Europe/Bucharest", two);
    assert_int_equal(definition_compare(one, two, said, sizeof said), 1);
    config_free(config);
}

static void differences_are_named_one_by_one(void **state)
{
    (void)state;
    static const struct {
        const char *here, *store, *said;
        int count;
    } cases[] = {
        {"a=1\nb=2\n", "a=1\nb=2\n", "", 0},
        {"a=1\nb=2\n", "b=2\na=1\n", "", 0},
        {"a=1\nb=2\n", "a=1\nb=2", "", 0},
        {"a=1\nb=2\n", "a=1\nb=3\n", "b is 2 here, 3 in the store", 1},
        {"a=1\nb=2\n", "a=0\nb=3\n", "a is 1 here, 0 in the store; b is 2 here, 3 in the store", 2},
        {"a=1\nb=2\n", "a=1\n", "b is 2 here, (none) in the store", 1},
        {"a=1\n", "a=1\nb=2\n", "b is (none) here, 2 in the store", 1},
        {"a=1\n", "", "a is 1 here, (none) in the store", 1},
        {"a=1\n", "ab=1\n", "a is 1 here, (none) in the store; ab is (none) here, 1 in the store",
         2},
        {"a=\n", "a=\n", "", 0},
        {"a=x=y\n", "a=x=z\n", "a is x=y here, x=z in the store", 1},
        {"", "", "", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char said[512];
        assert_int_equal(definition_compare(cases[i].here, cases[i].store, said, sizeof said),
                         cases[i].count);
        assert_string_equal(said, cases[i].said);
    }
}

static void a_long_difference_is_cut_to_its_room(void **state)
{
    (void)state;
    for (size_t room = 1; room < 120; room++) {
        char *said = malloc(room);
        assert_int_equal(definition_compare("a=1\nb=2\nc=3\n", "a=9\nb=8\nc=7\n", said, room), 3);
        assert_true(strlen(said) < room);
        free(said);
    }
}

static void the_longest_settings_fit(void **state)
{
    (void)state;
    char out[DEFINITION_BYTES], scopes[1025], prefix[65];
    struct config *config = defaults();
    memset(scopes, 'x', 1024);
    memset(prefix, 'p', 64);
    scopes[1024] = prefix[64] = '\0';
    set(config, "scopes", scopes);
    set(config, "type.prefix", prefix);
    set(config, "scope.limit", "1000000");
    set(config, "dedup.window", "100000000");
    write_for(config, "America/Argentina/ComodRivadavia", out);
    assert_non_null(strstr(out, scopes));
    assert_non_null(strstr(out, "isolation.level=read_committed\n"));
    config_free(config);
}

static void the_hash_of_a_definition_is_sixteen_digits_and_its_own(void **state)
{
    (void)state;
    char one[17], two[17];
    store_definition_hash("fold=1\n", one);
    store_definition_hash("fold=2\n", two);
    assert_int_equal(strlen(one), 16);
    assert_int_equal(strspn(one, "0123456789abcdef"), 16);
    assert_string_not_equal(one, two);
    store_definition_hash("fold=1\n", two);
    assert_string_equal(one, two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_setting_that_changes_a_count_changes_the_definition),
        cmocka_unit_test(what_changes_no_count_leaves_the_definition_as_it_is),
        cmocka_unit_test(a_zone_is_its_name_and_its_offset_changes),
        cmocka_unit_test(differences_are_named_one_by_one),
        cmocka_unit_test(a_long_difference_is_cut_to_its_room),
        cmocka_unit_test(the_longest_settings_fit),
        cmocka_unit_test(the_hash_of_a_definition_is_sixteen_digits_and_its_own),
    };
    return cmocka_run_group_tests_name("definition", tests, NULL, NULL);
}

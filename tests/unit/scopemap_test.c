#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "consumers/reporter/scopemap.h"

#include <stdio.h>
#include <string.h>

static struct scopemap *map;

static int setup(void **state)
{
    (void)state;
    return scopemap_open(&map, NULL);
}

static int teardown(void **state)
{
    (void)state;
    scopemap_free(map);
    return 0;
}

static void add(const char *scope, int shard)
{
    assert_int_equal(scopemap_add(map, text_of(scope), shard, NULL), 0);
}

/* The sets as they are now: "region=a region=b". Whether that moved a scope. */
static bool admit(const char *members)
{
    char dimension[64], value[64];
    int used;
    scopemap_sort(map);
    for (; sscanf(members, " %63[^=]=%63s%n", dimension, value, &used) == 2; members += used) {
        scopemap_member(map, dimension, text_of(value));
    }
    return scopemap_admit(map);
}

static void counts_as(const char *scope, const char *target)
{
    assert_string_equal(scopemap_target(map, text_of(scope)), target);
}

/* "region=b:3 region=c:1", the shards as a bit mask. */
static void is_made_of(const char *target, const char *sources)
{
    char text[512] = "";
    size_t cursor = 0, used = 0;
    uint64_t shards;
    const char *scope;
    while ((scope = scopemap_source(map, target, &cursor, &shards))) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s:%llx", used ? " " : "",
                                 scope, (unsigned long long)shards);
    }
    assert_string_equal(text, sources);
}

static void a_value_counts_under_its_own_name_exactly_if_the_set_has_it(void **state)
{
    (void)state;
    add("region=a", 0);
    add("region=b", 0);
    add("rep=a", 0);
    admit("region=a");
    counts_as("region=a", "region=a");
    counts_as("region=b", "region=__other__");
    counts_as("rep=a", "rep=__other__");
    counts_as("all", "all");
    assert_null(scopemap_target(map, text_of("region=c")));
}

static void a_reserved_value_counts_as_other_even_if_a_set_has_it(void **state)
{
    (void)state;
    add("region=__other__", 0);
    add("region=__x", 0);
    admit("region=__other__ region=__x");
    counts_as("region=__x", "region=__other__");
    counts_as("region=__other__", "region=__other__");
    assert_false(scopemap_hopes(map));
}

static void other_is_made_of_all_that_have_no_place_in_every_shard_that_knows_them(void **state)
{
    (void)state;
    static const char *const scopes[] = {"region=d", "region=b", "region=a", "rep=b", "region=c"};
    for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++) {
        add(scopes[i], 0);
    }
    add("region=b", 1);
    add("region=a", 2);
    admit("region=a");
    is_made_of("region=__other__", "region=b:3 region=c:1 region=d:1");
    is_made_of("region=a", "region=a:5");
    is_made_of("rep=__other__", "rep=b:1");
    is_made_of("line=__other__", "");
    is_made_of("region=b", "");
    is_made_of("region=z", "");
    is_made_of("all", "all:ffffffffffffffff");
}

static void a_set_that_grew_moves_only_what_was_known_before(void **state)
{
    (void)state;
    add("region=a", 0);
    assert_false(admit(""));
    assert_true(scopemap_hopes(map));
    add("region=b", 0);
    assert_false(admit("region=b"));
    assert_true(admit("region=a region=b"));
    assert_false(admit("region=a region=b region=c"));
    assert_false(scopemap_hopes(map));
    assert_true(admit("region=b"));
}

static void names_may_be_heard_again_and_what_is_no_scope_is_passed_over(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        add("region=a", i);
        add("all", i);
        add("region", i);
        add("", i);
        admit("region=a");
    }
    is_made_of("region=a", "region=a:7");
    const char *dimension = scopemap_dimension(map, NULL);
    assert_string_equal(dimension, "region");
    assert_null(scopemap_dimension(map, dimension));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_value_counts_under_its_own_name_exactly_if_the_set_has_it),
        TEST(a_reserved_value_counts_as_other_even_if_a_set_has_it),
        TEST(other_is_made_of_all_that_have_no_place_in_every_shard_that_knows_them),
        TEST(a_set_that_grew_moves_only_what_was_known_before),
        TEST(names_may_be_heard_again_and_what_is_no_scope_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

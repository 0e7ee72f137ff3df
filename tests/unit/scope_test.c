#include "common/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct scopes *open_scopes(const char *list)
{
    struct scopes *scopes;
    struct error err = {0};
    if (scopes_open(&scopes, list, &err))
        fail_msg("%s", err.text);
    return scopes;
}

static void a_list_that_cannot_be_counted_by_is_refused_by_name(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"town", "\"town\" is none of"},
        {"region,Region", "\"Region\" is none of"},
        {"region,channel,region", "region stands there twice"},
        {"labels.a,labels.a", "labels.a stands there twice"},
        {"labels.", "\"labels.\" is none of"},
        {"labels", "\"labels\" is none of"},
        {"label.x", "\"label.x\" is none of"},
        {"labels.a b", "\"labels.a b\" is none of"},
        {"labels.a=b", "\"labels.a=b\" is none of"},
        {"r", "\"r\" is none of"},
        {"region channel", "\"region channel\" is none of"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scopes *scopes;
        struct error err = {0};
        assert_int_equal(scopes_open(&scopes, cases[i][0], &err), -1);
        assert_null(scopes);
        assert_int_equal(err.code, ERROR_USAGE);
        if (!strstr(err.text, cases[i][1]))
            fail_msg("%s: %s", cases[i][0], err.text);
    }
}

static void sixteen_dimensions_are_taken_and_no_more(void **state)
{
    (void)state;
    char list[400] = "region,channel,rep,line";
    struct scopes *scopes;
    struct error err = {0};
    for (int i = 0; i < SCOPE_DIMENSIONS_MAX - 4; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), ",labels.l%d", i);
    scopes_free(open_scopes(list));
    strcat(list, ",labels.more");
    assert_int_equal(scopes_open(&scopes, list, &err), -1);
    assert_non_null(strstr(err.text, "more than 16"));
}

static void blanks_around_dimensions_do_not_matter(void **state)
{
    (void)state;
    struct scopes *scopes = open_scopes(" region , rep ,");
    struct event event = {.region = text_of("n"), .rep = text_of("ana")};
    uint32_t ids[1 + SCOPE_DIMENSIONS_MAX];
    assert_int_equal(scopes_of(scopes, &event, ids), 3);
    scopes_free(scopes);
}

static void an_event_is_counted_in_all_and_in_each_value_it_has(void **state)
{
    (void)state;
    struct scopes *scopes = open_scopes("rep,region,line,labels.segment,channel");
    uint32_t ids[1 + SCOPE_DIMENSIONS_MAX];
    struct event event = {
        .region = text_of("north"),
        .rep = text_of("ana"),
        .labels = {{text_of("other"), text_of("x")}, {text_of("segment"), text_of("consumer")}},
        .label_count = 2,
    };
    assert_int_equal(scopes_of(scopes, &event, ids), 4);
    assert_int_equal(ids[0], SCOPE_ALL);
    assert_string_equal(scope_dimension(scopes, ids[0]), "");
    assert_true(text_is(scope_value(scopes, ids[0]), ""));
    assert_string_equal(scope_dimension(scopes, ids[1]), "rep");
    assert_true(text_is(scope_value(scopes, ids[1]), "ana"));
    assert_string_equal(scope_dimension(scopes, ids[2]), "region");
    assert_true(text_is(scope_value(scopes, ids[2]), "north"));
    assert_string_equal(scope_dimension(scopes, ids[3]), "labels.segment");
    assert_true(text_is(scope_value(scopes, ids[3]), "consumer"));
    scopes_free(scopes);
}

static void an_event_without_values_is_counted_in_all_alone(void **state)
{
    (void)state;
    struct scopes *scopes = open_scopes("region,channel,rep,line,labels.segment");
    uint32_t ids[1 + SCOPE_DIMENSIONS_MAX];
    struct event event = {0};
    assert_int_equal(scopes_of(scopes, &event, ids), 1);
    scopes_free(scopes);
}

static void one_value_of_two_dimensions_is_two_scopes(void **state)
{
    (void)state;
    struct scopes *scopes = open_scopes("region,channel");
    uint32_t ids[3], again[3];
    struct event event = {.region = text_of("same"), .channel = text_of("same")};
    assert_int_equal(scopes_of(scopes, &event, ids), 3);
    assert_int_not_equal(ids[1], ids[2]);
    scopes_of(scopes, &event, again);
    assert_memory_equal(ids, again, sizeof ids);
    scopes_free(scopes);
}

static void values_that_begin_with_two_underscores_are_one(void **state)
{
    (void)state;
    struct scopes *scopes = open_scopes("line");
    uint32_t other = scopes_line(scopes, text_of("__a"));
    assert_true(text_is(scope_value(scopes, other), SCOPE_OTHER));
    assert_int_equal(scopes_line(scopes, text_of("__b")), other);
    assert_int_equal(scopes_line(scopes, text_of("__other__")), other);
    assert_int_equal(scopes_line(scopes, text_of("__")), other);
    assert_int_not_equal(scopes_line(scopes, text_of("_")), other);
    assert_int_not_equal(scopes_line(scopes, text_of("_a_")), other);
    scopes_free(scopes);
}

static void a_line_is_a_scope_only_where_lines_are_a_dimension(void **state)
{
    (void)state;
    struct scopes *scopes = open_scopes("region");
    assert_int_equal(scopes_line(scopes, text_of("phones")), SCOPE_ALL);
    scopes_free(scopes);
    scopes = open_scopes("region,line");
    assert_int_equal(scopes_line(scopes, (struct text){0}), SCOPE_ALL);
    assert_int_not_equal(scopes_line(scopes, text_of("phones")), SCOPE_ALL);
    scopes_free(scopes);
}

static struct text nth(char bytes[16], int n)
{
    snprintf(bytes, 16, "value-%d", n);
    return text_of(bytes);
}

/* The same values in two dimensions, so that equal names meet in the table. */
static void many_values_keep_their_numbers_while_the_table_grows(void **state)
{
    (void)state;
    enum { VALUES = 60000 };
    struct scopes *scopes = open_scopes("rep,line");
    char bytes[16];
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t n = 0; n < VALUES; n++) {
            struct event event = {.rep = nth(bytes, (int)n)};
            uint32_t ids[3];
            assert_int_equal(scopes_of(scopes, &event, ids), 2);
            assert_int_equal(ids[1], 2 * n + 1);
            assert_int_equal(scopes_line(scopes, event.rep), 2 * n + 2);
            assert_string_equal(scope_dimension(scopes, ids[1]), "rep");
            assert_string_equal(scope_dimension(scopes, 2 * n + 2), "line");
            assert_true(text_is(scope_value(scopes, 2 * n + 2), bytes));
        }
    }
    assert_int_equal(scopes_count(scopes), 2 * VALUES + 1);
    assert_false(scopes_failed(scopes));
    scopes_free(scopes);
}

static void a_reset_forgets_all_values_and_no_dimension(void **state)
{
    (void)state;
    struct scopes *scopes = open_scopes("line,region");
    char bytes[16];
    for (int n = 0; n < 5000; n++)
        scopes_line(scopes, nth(bytes, n));
    scopes_reset(scopes);
    assert_int_equal(scopes_count(scopes), 1);
    struct event event = {.region = text_of("value-7")};
    uint32_t ids[3];
    assert_int_equal(scopes_of(scopes, &event, ids), 2);
    assert_int_equal(ids[1], 1);
    assert_string_equal(scope_dimension(scopes, ids[1]), "region");
    assert_int_equal(scopes_line(scopes, text_of("value-7")), 2);
    scopes_free(scopes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_that_cannot_be_counted_by_is_refused_by_name),
        cmocka_unit_test(sixteen_dimensions_are_taken_and_no_more),
        cmocka_unit_test(blanks_around_dimensions_do_not_matter),
        cmocka_unit_test(an_event_is_counted_in_all_and_in_each_value_it_has),
        cmocka_unit_test(an_event_without_values_is_counted_in_all_alone),
        cmocka_unit_test(one_value_of_two_dimensions_is_two_scopes),
        cmocka_unit_test(values_that_begin_with_two_underscores_are_one),
        cmocka_unit_test(a_line_is_a_scope_only_where_lines_are_a_dimension),
        cmocka_unit_test(many_values_keep_their_numbers_while_the_table_grows),
        cmocka_unit_test(a_reset_forgets_all_values_and_no_dimension),
    };
    return cmocka_run_group_tests_name("scope", tests, NULL, NULL);
}

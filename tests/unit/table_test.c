#include "producers/import/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct world {
    char path[64];
    struct table *table;
    struct error err;
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    snprintf(world->path, sizeof world->path, "/tmp/tandem-table-XXXXXX");
    int fd = mkstemp(world->path);
    *state = world;
    return fd < 0 || close(fd) != 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    table_free(world->table);
    unlink(world->path);
    free(world);
    return 0;
}

static void open_bytes(struct world *world, const char *bytes, size_t len)
{
    FILE *file = fopen(world->path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    fclose(file);
    assert_int_equal(table_open(&world->table, world->path, ',', &world->err), 0);
}

static void open_text(struct world *world, const char *text)
{
    open_bytes(world, text, strlen(text));
}

/* The next row is at `line` and holds these fields, shown with | between. */
static void assert_row(struct world *world, uint64_t line, const char *shown)
{
    struct row row;
    char out[256] = "";
    assert_int_equal(table_next(world->table, &row, &world->err), 1);
    for (size_t i = 0; i < row.count; i++) {
        size_t len = strlen(out);
        snprintf(out + len, sizeof out - len, "%s%.*s", i ? "|" : "", TEXT_ARG(row.fields[i]));
    }
    assert_string_equal(out, shown);
    assert_int_equal(row.line, line);
}

static void assert_end(struct world *world)
{
    struct row row;
    assert_int_equal(table_next(world->table, &row, &world->err), 0);
    assert_int_equal(table_next(world->table, &row, &world->err), 0);
}

static void assert_broken(struct world *world, const char *words)
{
    struct row row;
    assert_int_equal(table_next(world->table, &row, &world->err), -1);
    assert_int_equal(world->err.code, ERROR_INPUT);
    if (!strstr(world->err.text, words)) {
        fail_msg("\"%s\" does not say \"%s\"", world->err.text, words);
    }
    assert_int_equal(table_next(world->table, &row, &world->err), -1);
}

static void rows_come_with_the_line_where_they_begin(void **state)
{
    open_text(*state, "a,b\n1,2\n\n\n3,4\n");
    assert_row(*state, 1, "a|b");
    assert_row(*state, 2, "1|2");
    assert_row(*state, 5, "3|4");
    assert_end(*state);
}

static void quotes_hold_newlines_commas_and_quotes(void **state)
{
    open_text(*state, "a,\"x\ny\r\nz\",c\n\"1,2\",\"say \"\"hi\"\"\",\n\"\",,\"\"\n");
    assert_row(*state, 1, "a|x\ny\r\nz|c");
    assert_row(*state, 4, "1,2|say \"hi\"|");
    assert_row(*state, 5, "||");
    assert_end(*state);
}

static void every_kind_of_line_end_is_one_line(void **state)
{
    open_text(*state, "a\r\nb\r\n\r\nc\rd\ne");
    assert_row(*state, 1, "a");
    assert_row(*state, 2, "b");
    assert_row(*state, 4, "c");
    assert_row(*state, 5, "d");
    assert_row(*state, 6, "e");
    assert_end(*state);
}

static void a_byte_order_mark_is_not_part_of_the_header(void **state)
{
    open_text(*state, "\xef\xbb\xbf\"a\",b\n");
    assert_row(*state, 1, "a|b");
    assert_end(*state);
}

static void utf_16_is_told(void **state)
{
    open_bytes(*state,
               "\xff\xfe"
               "a\0\n\0",
               6);
    assert_broken(*state, "UTF-16");
}

static void blanks_around_unquoted_fields_are_dropped(void **state)
{
    open_text(*state, " a , \" b \" ,c d \n");
    assert_row(*state, 1, "a| b |c d");
}

static void an_empty_file_has_no_rows(void **state)
{
    open_text(*state, "");
    assert_end(*state);
}

static void a_quote_inside_an_unquoted_field_is_an_error_with_its_line(void **state)
{
    open_text(*state, "a,b\n1,\"x\ny\"\n5\" disk,2\n");
    assert_row(*state, 1, "a|b");
    assert_row(*state, 2, "1|x\ny");
    assert_broken(*state, ":4: broken quote");
}

static void text_after_a_closing_quote_is_an_error(void **state)
{
    open_text(*state, "a,b\n1,\"x\" y\n");
    assert_row(*state, 1, "a|b");
    assert_broken(*state, ":2: broken quote");
}

static void an_unclosed_quote_names_the_line_of_its_opening(void **state)
{
    open_text(*state, "a,b\n1,2\n3,\"x\n4,5\n6,7\n");
    assert_row(*state, 1, "a|b");
    assert_row(*state, 2, "1|2");
    assert_broken(*state, ":3: broken quote");
}

static void an_unclosed_quote_does_not_swallow_memory(void **state)
{
    size_t len = (size_t)3 * 1024 * 1024;
    char *bytes = malloc(len);
    assert_non_null(bytes);
    memset(bytes, 'x', len);
    memcpy(bytes, "a,b\n1,\"", 7);
    open_bytes(*state, bytes, len);
    free(bytes);
    assert_row(*state, 1, "a|b");
    assert_broken(*state, ":2: a field is larger than 1 MiB");
}

static void too_many_fields_are_an_error(void **state)
{
    char bytes[6000];
    memset(bytes, ',', sizeof bytes);
    open_bytes(*state, bytes, sizeof bytes);
    assert_broken(*state, ":1: a row larger");
}

static void rows_longer_than_the_buffer_stay_whole(void **state)
{
    size_t len = 200000;
    char *bytes = malloc(len + 4);
    struct row row;
    struct world *world = *state;
    assert_non_null(bytes);
    memset(bytes, 'x', len);
    memcpy(bytes + len, ",y\r\n", 4);
    open_bytes(world, bytes, len + 4);
    free(bytes);
    assert_int_equal(table_next(world->table, &row, &world->err), 1);
    assert_int_equal(row.count, 2);
    assert_int_equal(row.fields[0].len, len);
    assert_true(text_is(row.fields[1], "y"));
    assert_end(world);
}

static void a_file_that_is_not_there_is_told(void **state)
{
    struct world *world = *state;
    assert_int_equal(table_open(&world->table, "/nonexistent.csv", ',', &world->err), -1);
    assert_non_null(strstr(world->err.text, "/nonexistent.csv"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_come_with_the_line_where_they_begin),
        TEST(quotes_hold_newlines_commas_and_quotes),
        TEST(every_kind_of_line_end_is_one_line),
        TEST(a_byte_order_mark_is_not_part_of_the_header),
        TEST(utf_16_is_told),
        TEST(blanks_around_unquoted_fields_are_dropped),
        TEST(an_empty_file_has_no_rows),
        TEST(a_quote_inside_an_unquoted_field_is_an_error_with_its_line),
        TEST(text_after_a_closing_quote_is_an_error),
        TEST(an_unclosed_quote_names_the_line_of_its_opening),
        TEST(an_unclosed_quote_does_not_swallow_memory),
        TEST(too_many_fields_are_an_error),
        TEST(rows_longer_than_the_buffer_stay_whole),
        TEST(a_file_that_is_not_there_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

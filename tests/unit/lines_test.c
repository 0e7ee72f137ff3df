#include "producers/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX = 10, WAIT_MS = 1 };

struct world {
    struct lines *lines;
    struct error err;
    char path[64];
};

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    snprintf(world->path, sizeof world->path, "/tmp/tandem-lines-XXXXXX");
    close(mkstemp(world->path));
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    lines_free(world->lines);
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
    assert_int_equal(lines_open(&world->lines, world->path, MAX, &world->err), 0);
}

static void expect_line(struct world *world, const char *expected, uint64_t number)
{
    struct text line;
    assert_int_equal(lines_next(world->lines, &line, WAIT_MS, &world->err), LINES_LINE);
    assert_int_equal(line.len, strlen(expected));
    assert_memory_equal(line.at, expected, line.len);
    assert_int_equal(lines_number(world->lines), number);
}

static void expect_answer(struct world *world, enum lines_answer answer)
{
    struct text line;
    assert_int_equal(lines_next(world->lines, &line, WAIT_MS, &world->err), answer);
}

static void lines_end_with_lf_crlf_or_the_file(void **state)
{
    struct world *world = *state;
    open_bytes(world, "a\nbc\r\n\n\r\nlast", 13);
    expect_line(world, "a", 1);
    expect_line(world, "bc", 2);
    expect_line(world, "", 3);
    expect_line(world, "", 4);
    expect_line(world, "last", 5);
    expect_answer(world, LINES_END);
    expect_answer(world, LINES_END);
}

static void an_empty_file_has_no_line(void **state)
{
    struct world *world = *state;
    open_bytes(world, "", 0);
    expect_answer(world, LINES_END);
}

static void a_line_of_the_longest_length_is_taken_and_one_more_byte_is_not(void **state)
{
    struct world *world = *state;
    open_bytes(world, "0123456789\n0123456789\r\n0123456789a\nb\n", 37);
    expect_line(world, "0123456789", 1);
    expect_line(world, "0123456789", 2);
    expect_answer(world, LINES_TOO_LONG);
    expect_line(world, "b", 4);
}

static void a_line_longer_than_the_buffer_is_dropped_whole_and_counted_once(void **state)
{
    struct world *world = *state;
    size_t len = 1000000;
    char *bytes = malloc(len + 3);
    memset(bytes, 'x', len);
    memcpy(bytes + len, "\nb\n", 3);
    open_bytes(world, bytes, len + 3);
    free(bytes);
    expect_answer(world, LINES_TOO_LONG);
    expect_line(world, "b", 2);
    expect_answer(world, LINES_END);
}

static void a_line_that_is_too_long_may_be_the_last(void **state)
{
    struct world *world = *state;
    char bytes[200000];
    memset(bytes, 'x', sizeof bytes);
    open_bytes(world, bytes, sizeof bytes);
    expect_answer(world, LINES_TOO_LONG);
    assert_int_equal(lines_number(world->lines), 1);
    expect_answer(world, LINES_END);
}

static void zero_bytes_are_part_of_a_line(void **state)
{
    struct world *world = *state;
    struct text line;
    open_bytes(world, "a\0b\n", 4);
    assert_int_equal(lines_next(world->lines, &line, WAIT_MS, &world->err), LINES_LINE);
    assert_int_equal(line.len, 3);
}

static void a_pipe_with_half_a_line_is_waited_for(void **state)
{
    struct world *world = *state;
    int ends[2];
    char path[32];
    assert_int_equal(pipe(ends), 0);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    assert_int_equal(lines_open(&world->lines, path, MAX, &world->err), 0);
    expect_answer(world, LINES_WAIT);
    assert_int_equal(write(ends[1], "ab", 2), 2);
    expect_answer(world, LINES_WAIT);
    assert_int_equal(write(ends[1], "c\nd", 3), 3);
    expect_line(world, "abc", 1);
    close(ends[1]);
    expect_line(world, "d", 2);
    expect_answer(world, LINES_END);
    close(ends[0]);
}

static void many_lines_keep_their_numbers_across_reads(void **state)
{
    struct world *world = *state;
    FILE *file = fopen(world->path, "w");
    assert_non_null(file);
    for (int i = 1; i <= 50000; i++) {
        fprintf(file, "%d\n", i);
    }
    fclose(file);
    assert_int_equal(lines_open(&world->lines, world->path, MAX, &world->err), 0);
    for (uint64_t i = 1; i <= 50000; i++) {
        char expected[16];
        snprintf(expected, sizeof expected, "%d", (int)i);
        expect_line(world, expected, i);
    }
    expect_answer(world, LINES_END);
}

static void a_file_that_is_not_there_is_an_error(void **state)
{
    struct world *world = *state;
    assert_int_equal(lines_open(&world->lines, "/nowhere/file", MAX, &world->err), -1);
    assert_string_equal(world->err.text, "/nowhere/file: No such file or directory");
}

static void a_folder_is_an_error_when_it_is_read(void **state)
{
    struct world *world = *state;
    assert_int_equal(lines_open(&world->lines, "/tmp", MAX, &world->err), 0);
    expect_answer(world, LINES_ERROR);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_end_with_lf_crlf_or_the_file),
        TEST(an_empty_file_has_no_line),
        TEST(a_line_of_the_longest_length_is_taken_and_one_more_byte_is_not),
        TEST(a_line_longer_than_the_buffer_is_dropped_whole_and_counted_once),
        TEST(a_line_that_is_too_long_may_be_the_last),
        TEST(zero_bytes_are_part_of_a_line),
        TEST(a_pipe_with_half_a_line_is_waited_for),
        TEST(many_lines_keep_their_numbers_across_reads),
        TEST(a_file_that_is_not_there_is_an_error),
        TEST(a_folder_is_an_error_when_it_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "common/log.h"

#include "common/calendar.h"
#include "common/clock.h"
#include "common/repeats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* While a test runs, stderr is one end of a socket that keeps each write(2) apart from the next. */
static int listener = -1;
static int own_stderr = -1;

static int listen_to_stderr(void **state)
{
    (void)state;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0) {
        return -1;
    }
    own_stderr = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    listener = ends[0];
    log_setup(LOG_INFO, LOG_FORMAT_LOGFMT);
    return 0;
}

static int give_stderr_back(void **state)
{
    (void)state;
    dup2(own_stderr, STDERR_FILENO);
    close(own_stderr);
    if (listener >= 0) {
        close(listener);
    }
    return 0;
}

/* What one write(2) brought, "" when there was none. */
static const char *heard(void)
{
    static char line[8192];
    ssize_t len = recv(listener, line, sizeof line - 1, MSG_DONTWAIT);
    line[len > 0 ? len : 0] = '\0';
    return line;
}

/* The line behind its time stamp, without the newline, which must be its only one. */
static const char *heard_after_time(void)
{
    static char rest[8192];
    const char *line = heard();
    const char *level = strstr(line, "level");
    assert_non_null(level);
    size_t len = strlen(level);
    assert_int_equal(level[len - 1], '\n');
    memcpy(rest, level, len - 1);
    rest[len - 1] = '\0';
    assert_null(strchr(rest, '\n'));
    return rest;
}

static void a_line_has_time_level_event_and_fields(void **state)
{
    (void)state;
    log_info("partition assigned", log_s("topic", "tandem.sales"), log_i("partition", 3));
    assert_string_equal(heard_after_time(),
                        "level=info event=\"partition assigned\" topic=tandem.sales partition=3");
}

static void the_time_is_utc_in_milliseconds(void **state)
{
    (void)state;
    int64_t before_ms = clock_wall_ms(), ms = 0;
    log_error("stopped");
    int64_t after_ms = clock_wall_ms();
    const char *line = heard();
    assert_int_equal(strncmp(line, "time=", 5), 0);
    assert_int_equal(line[5 + 19], '.');
    assert_int_equal(line[5 + 23], 'Z');
    assert_true(calendar_parse_time((struct text){line + 5, 24}, &ms));
    assert_true(before_ms <= ms && ms <= after_ms);
    assert_string_equal(line + 5 + 24, " level=error event=stopped\n");
}

static void lines_above_the_level_are_not_written(void **state)
{
    (void)state;
    log_debug("unseen");
    assert_string_equal(heard(), "");
    assert_false(log_enabled(LOG_DEBUG));

    log_setup(LOG_DEBUG, LOG_FORMAT_LOGFMT);
    log_debug("seen");
    assert_string_equal(heard_after_time(), "level=debug event=seen");

    log_setup(LOG_ERROR, LOG_FORMAT_LOGFMT);
    log_warning("unseen");
    log_info("unseen");
    assert_string_equal(heard(), "");
    log_error("seen");
    assert_string_equal(heard_after_time(), "level=error event=seen");

    log_setup(LOG_WARNING, LOG_FORMAT_LOGFMT);
    log_warning("seen");
    assert_string_equal(heard_after_time(), "level=warning event=seen");
}

static void fields_are_not_asked_for_when_debug_is_off(void **state)
{
    (void)state;
    int64_t asked = 0;
    log_debug("unseen", log_i("asked", ++asked));
    assert_int_equal(asked, 0);
}

static void logfmt_quotes_what_would_be_read_otherwise(void **state)
{
    (void)state;
    static const struct {
        const char *value, *written;
    } cases[] = {
        {"plain", "v=plain"},
        {"a/b.c:d-e_f,{}", "v=a/b.c:d-e_f,{}"},
        {"rom\xc3\xa2n\xc4\x83", "v=rom\xc3\xa2n\xc4\x83"},
        {"", "v=\"\""},
        {"two words", "v=\"two words\""},
        {"a=b", "v=\"a=b\""},
        {"say \"yes\"", "v=\"say \\\"yes\\\"\""},
        {"back\\slash", "v=\"back\\\\slash\""},
        {"line\nend\r\ttab", "v=\"line\\nend\\r\\ttab\""},
        {"\x01\x1b[31m\x7f", "v=\"\\u0001\\u001b[31m\\u007f\""},
        {"\xc2\x85\xc2\x9f\xc2\xa0", "v=\"\\u0085\\u009f\xc2\xa0\""},
        {"bad\xff", "v=\"bad\xef\xbf\xbd\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char wanted[200];
        snprintf(wanted, sizeof wanted, "level=info event=e %s", cases[i].written);
        log_info("e", log_s("v", cases[i].value));
        assert_string_equal(heard_after_time(), wanted);
    }
}

static void json_lines_are_objects(void **state)
{
    (void)state;
    log_setup(LOG_INFO, LOG_FORMAT_JSON);
    log_info("partition assigned", log_s("topic", "a \"b\"\\\n\x01"), log_i("partition", -3));
    const char *line = heard();
    assert_int_equal(strncmp(line, "{\"time\":\"20", 11), 0);
    assert_string_equal(line + 9 + 24,
                        "\",\"level\":\"info\",\"event\":\"partition assigned\","
                        "\"topic\":\"a \\\"b\\\"\\\\\\n\\u0001\",\"partition\":-3}\n");
}

static void json_replaces_bytes_that_are_no_utf8(void **state)
{
    (void)state;
#define MARK "\xef\xbf\xbd"
    static const struct {
        const char *value, *written;
    } cases[] = {
        {"ok \xe2\x82\xac \xf0\x9f\x98\x80", "ok \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"\xff", MARK},
        {"\x80", MARK},
        {"\xc0\xaf", MARK MARK},          /* an overlong "/" */
        {"\xe0\x80\xaf", MARK MARK MARK}, /* the same in three */
        {"\xf0\x80\x80\xaf", MARK MARK MARK MARK},
        {"\xed\xa0\x80", MARK MARK MARK},          /* a surrogate */
        {"\xf4\x90\x80\x80", MARK MARK MARK MARK}, /* beyond U+10FFFF */
        {"\xf5\x80", MARK MARK},
        {"cut \xe2\x82", "cut " MARK MARK},
        {"cut \xf0\x9f\x98", "cut " MARK MARK MARK},
        {"\xc3(", MARK "("},
    };
    log_setup(LOG_INFO, LOG_FORMAT_JSON);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char wanted[200];
        snprintf(wanted, sizeof wanted, "level\":\"info\",\"event\":\"e\",\"v\":\"%s\"}",
                 cases[i].written);
        log_info("e", log_s("v", cases[i].value));
        assert_string_equal(heard_after_time(), wanted);
    }
}

static void numbers_reach_the_ends_of_int64(void **state)
{
    (void)state;
    log_info("e", log_i("min", INT64_MIN), log_i("max", INT64_MAX));
    assert_string_equal(heard_after_time(),
                        "level=info event=e min=-9223372036854775808 max=9223372036854775807");
}

static void an_absent_string_is_an_empty_one(void **state)
{
    (void)state;
    log_info("e", log_s("v", NULL));
    assert_string_equal(heard_after_time(), "level=info event=e v=\"\"");
}

static size_t times_in(const char *line, char wanted)
{
    size_t times = 0;
    for (; *line; line++) {
        times += *line == wanted;
    }
    return times;
}

/* A value of each length around the room of the line, with characters of one byte and of three. */
static void a_long_line_is_cut_to_4_kib_and_still_whole(void **state)
{
    (void)state;
    char value[6001];
    for (int json = 0; json <= 1; json++) {
        log_setup(LOG_INFO, json ? LOG_FORMAT_JSON : LOG_FORMAT_LOGFMT);
        for (size_t len = 3900; len <= 4200; len++) {
            for (size_t i = 0; i < len; i += 3) {
                memcpy(value + i, len % 2 ? "\xe2\x82\xac" : "x y", 3);
            }
            value[len / 3 * 3] = '\0';
            log_info("e", log_s("v", value), log_i("n", 1234567));
            const char *line = heard();
            size_t got = strlen(line);
            assert_in_range(got, 3000, 4096);
            assert_string_equal(line + got - (json ? 2 : 1), json ? "}\n" : "\n");
            assert_non_null(strchr(json ? "\"7" : "\"7\xac", line[got - (json ? 3 : 2)]));
            assert_int_equal(times_in(line, '\xe2'), times_in(line, '\xac'));
        }
    }
}

static void a_field_that_finds_no_room_is_left_out_whole(void **state)
{
    (void)state;
    char value[4001];
    for (size_t len = 3990; len <= 4000; len++) {
        memset(value, 'x', len);
        value[len] = '\0';
        log_info("e", log_s("v", value), log_s("word", "seventeen letters"), log_i("n", 1));
        const char *line = heard();
        assert_in_range(strlen(line), 4000, 4096);
        const char *word = strstr(line, " word=");
        assert_true(!word || word[6] == '"');
    }
}

static void an_endless_event_is_cut_as_well(void **state)
{
    (void)state;
    char event[6001];
    memset(event, 'x', sizeof event - 1);
    event[sizeof event - 1] = '\0';
    log_info(event, log_i("n", 1));
    const char *line = heard();
    assert_in_range(strlen(line), 4000, 4096);
    assert_string_equal(line + strlen(line) - 3, "x\"\n");
}

static void a_warning_repeated_without_end_is_suppressed(void **state)
{
    (void)state;
    for (int i = 0; i < 25; i++) {
        log_warning("again and again", log_i("i", i));
        log_info("a life event", log_i("i", i));
    }
    int warnings = 0, infos = 0;
    for (const char *line = heard(); *line; line = heard()) {
        warnings += strstr(line, "again and again") != NULL;
        infos += strstr(line, "a life event") != NULL;
    }
    assert_int_equal(warnings, 10);
    assert_int_equal(infos, 25);
    log_error("again and again"); /* another level, another event */
    assert_string_equal(heard_after_time(), "level=error event=\"again and again\"");
    log_warning("again and again", log_s("why", "another")); /* another word, no repeat */
    assert_string_equal(heard_after_time(),
                        "level=warning event=\"again and again\" why=another");
}

static void what_was_suppressed_is_told_the_next_time(void **state)
{
    (void)state;
    static struct repeats repeats;
    int64_t suppressed;
    for (int i = 0; i < 25; i++) {
        assert_int_equal(repeats_may(&repeats, 7, 1000 + i, &suppressed), i < REPEATS_MAX);
        assert_int_equal(suppressed, 0);
    }
    assert_true(repeats_may(&repeats, 8, 1025, &suppressed));
    assert_true(repeats_may(&repeats, 7, 1000 + REPEATS_MS, &suppressed));
    assert_int_equal(suppressed, 15);
    assert_true(repeats_may(&repeats, 7, 1001 + REPEATS_MS, &suppressed));
    assert_int_equal(suppressed, 0);
}

static void the_oldest_is_forgotten_when_there_are_too_many(void **state)
{
    (void)state;
    static struct repeats repeats;
    int64_t suppressed;
    for (uint64_t key = 0; key < 10 * REPEATS_KEPT; key++) {
        assert_true(repeats_may(&repeats, key, (int64_t)key, &suppressed));
    }
    assert_int_equal(repeats.count, REPEATS_KEPT);
}

static void writing_leaves_errno_alone(void **state)
{
    (void)state;
    close(listener); /* every write fails now */
    listener = -1;
    errno = ENOENT;
    log_info("e");
    assert_int_equal(errno, ENOENT);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
#define TEST(name) cmocka_unit_test_setup_teardown(name, listen_to_stderr, give_stderr_back)
    const struct CMUnitTest tests[] = {
        TEST(a_line_has_time_level_event_and_fields),
        TEST(the_time_is_utc_in_milliseconds),
        TEST(lines_above_the_level_are_not_written),
        TEST(fields_are_not_asked_for_when_debug_is_off),
        TEST(logfmt_quotes_what_would_be_read_otherwise),
        TEST(json_lines_are_objects),
        TEST(json_replaces_bytes_that_are_no_utf8),
        TEST(numbers_reach_the_ends_of_int64),
        TEST(an_absent_string_is_an_empty_one),
        TEST(a_long_line_is_cut_to_4_kib_and_still_whole),
        TEST(a_field_that_finds_no_room_is_left_out_whole),
        TEST(an_endless_event_is_cut_as_well),
        TEST(a_warning_repeated_without_end_is_suppressed),
        TEST(what_was_suppressed_is_told_the_next_time),
        TEST(the_oldest_is_forgotten_when_there_are_too_many),
        TEST(writing_leaves_errno_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/redis_url.h"

#include <stdbool.h>
#include <string.h>

struct good {
    const char *text;
    bool tls;
    const char *path, *host;
    int port, database;
    const char *user, *password, *address;
};

static const struct good GOOD[] = {
    {"redis://localhost", false, NULL, "localhost", 6379, 0, NULL, NULL, "localhost:6379"},
    {"redis://127.0.0.1:6380", false, NULL, "127.0.0.1", 6380, 0, NULL, NULL, "127.0.0.1:6380"},
    {"redis://h/", false, NULL, "h", 6379, 0, NULL, NULL, "h:6379"},
    {"redis://h:1/15", false, NULL, "h", 1, 15, NULL, NULL, "h:1"},
    {"redis://h?db=3", false, NULL, "h", 6379, 3, NULL, NULL, "h:6379"},
    {"rediss://h:65535", true, NULL, "h", 65535, 0, NULL, NULL, "h:65535"},
    {"redis://", false, NULL, "localhost", 6379, 0, NULL, NULL, "localhost:6379"},
    {"redis://:secret@h", false, NULL, "h", 6379, 0, NULL, "secret", "h:6379"},
    {"redis://ana:s%3Aec%40%2fr%25et@h:7/2", false, NULL, "h", 7, 2, "ana", "s:ec@/r%et", "h:7"},
    {"redis://ana:p@ss@h", false, NULL, "h", 6379, 0, "ana", "p@ss", "h:6379"},
    {"redis://a%20b:%C8%99@h", false, NULL, "h", 6379, 0, "a b", "\xc8\x99", "h:6379"},
    {"redis://ana@h", false, NULL, "h", 6379, 0, "ana", NULL, "h:6379"},
    {"redis://ana:@h", false, NULL, "h", 6379, 0, "ana", "", "h:6379"},
    {"redis://[::1]:6380/1", false, NULL, "::1", 6380, 1, NULL, NULL, "[::1]:6380"},
    {"redis://[fe80::1]", false, NULL, "fe80::1", 6379, 0, NULL, NULL, "[fe80::1]:6379"},
    {"unix:///run/redis.sock", false, "/run/redis.sock", "", 0, 0, NULL, NULL, "/run/redis.sock"},
    {"unix://u:p@/run/a%20b?db=4", false, "/run/a b", "", 0, 4, "u", "p", "/run/a b"},
};

static const char *const BAD[] = {
    "",
    "localhost:6379",
    "http://h",
    "redis:/h",
    "redis://h:",
    "redis://h:0",
    "redis://h:65536",
    "redis://h:12x",
    "redis://h:99999999999999999999",
    "redis://h/x",
    "redis://h/-1",
    "redis://h/99999",
    "redis://h?x=1",
    "redis://h?db=",
    "redis://[::1",
    "redis://[::1]x",
    "redis://:%zz@h",
    "redis://:%4@h",
    "redis://:%@h",
    "redis://:%00@h",
    "unix://",
    "unix:///",
    "unix://relative",
    "unix:///s?database=1",
};

struct sentinels {
    const char *text, *master, *password;
    int database, count;
    const char *last_host;
    int last_port;
};

static const struct sentinels SENTINELS[] = {
    {"redis+sentinel://h/mymaster", "mymaster", NULL, 0, 1, "h", 26379},
    {"redis+sentinel://h:1/m", "m", NULL, 0, 1, "h", 1},
    {"redis+sentinel://a:1,b,c:3/my-master_1.x/15", "my-master_1.x", NULL, 15, 3, "c", 3},
    {"redis+sentinel://ana:p%40ss@a:1,[::1]:2/m/", "m", "p@ss", 0, 2, "::1", 2},
    {"redis+sentinel://:secret@a,b/m", "m", "secret", 0, 2, "b", 26379},
};

static const char *const BAD_SENTINELS[] = {
    "redis+sentinel://",         "redis+sentinel://h",
    "redis+sentinel://h/",       "redis+sentinel:///m",
    "redis+sentinel://a,,b/m",   "redis+sentinel://a,/m",
    "redis+sentinel://a:0/m",    "redis+sentinel://a:x/m",
    "redis+sentinel://a/m/x",    "redis+sentinel://a/m/99999",
    "redis+sentinel://a/m?db=1", "redis+sentinel://a/m m",
    "rediss+sentinel://a/m",     "redis+sentinel://h,h,h,h,h,h,h,h,h,h,h,h,h,h,h,h,h/m",
};

static void same(const char *got, const char *want)
{
    assert_int_equal(got == NULL, want == NULL);
    if (want) {
        assert_string_equal(got, want);
    }
}

static void every_form_of_a_url_is_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
        const struct good *g = &GOOD[i];
        struct redis_url url;
        struct error err = {0};
        print_message("%s\n", g->text);
        assert_int_equal(redis_url_parse(&url, g->text, &err), 0);
        assert_int_equal(url.tls, g->tls);
        same(url.path, g->path);
        assert_string_equal(url.host, g->host);
        assert_int_equal(url.port, g->port);
        assert_int_equal(url.database, g->database);
        same(url.user, g->user);
        same(url.password, g->password);
        assert_string_equal(url.address, g->address);
        redis_url_clear(&url);
    }
}

static void a_wrong_url_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct redis_url url;
        struct error err = {0};
        print_message("%s\n", BAD[i]);
        assert_int_equal(redis_url_parse(&url, BAD[i], &err), -1);
        assert_int_equal(err.code, ERROR_USAGE);
        assert_null(url.password);
    }
}

static void sentinels_and_the_name_of_their_master_are_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof SENTINELS / sizeof *SENTINELS; i++) {
        const struct sentinels *want = &SENTINELS[i];
        struct redis_url url;
        print_message("%s\n", want->text);
        assert_int_equal(redis_url_parse(&url, want->text, NULL), 0);
        assert_string_equal(url.master, want->master);
        assert_string_equal(url.address, want->master);
        same(url.password, want->password);
        assert_int_equal(url.database, want->database);
        assert_int_equal(url.sentinel_count, want->count);
        assert_string_equal(url.sentinels[want->count - 1].host, want->last_host);
        assert_int_equal(url.sentinels[want->count - 1].port, want->last_port);
        redis_url_clear(&url);
    }
}

static void a_wrong_url_of_sentinels_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof BAD_SENTINELS / sizeof *BAD_SENTINELS; i++) {
        struct redis_url url;
        struct error err = {0};
        print_message("%s\n", BAD_SENTINELS[i]);
        assert_int_equal(redis_url_parse(&url, BAD_SENTINELS[i], &err), -1);
        assert_int_equal(err.code, ERROR_USAGE);
        assert_null(url.sentinels);
    }
}

static void the_place_of_a_master_becomes_the_address(void **state)
{
    (void)state;
    struct redis_url url;
    assert_int_equal(redis_url_parse(&url, "redis+sentinel://h/m", NULL), 0);
    redis_url_place(&url, text_of("10.0.0.7"), 6380);
    assert_string_equal(url.host, "10.0.0.7");
    assert_string_equal(url.address, "10.0.0.7:6380");
    redis_url_place(&url, text_of("::1"), 1);
    assert_string_equal(url.address, "[::1]:1");
    redis_url_clear(&url);
}

static void a_host_of_256_bytes_is_too_long(void **state)
{
    (void)state;
    char text[300] = "redis://";
    memset(text + 8, 'h', 255);
    struct redis_url url;
    assert_int_equal(redis_url_parse(&url, text, NULL), 0);
    redis_url_clear(&url);
    text[8 + 255] = 'h';
    assert_int_equal(redis_url_parse(&url, text, NULL), -1);
}

static void neither_address_nor_error_tells_the_password(void **state)
{
    (void)state;
    struct redis_url url;
    struct error err = {0};
    assert_int_equal(redis_url_parse(&url, "redis://ana:hunter2@h:1", &err), 0);
    assert_null(strstr(url.address, "hunter2"));
    redis_url_clear(&url);
    assert_int_equal(redis_url_parse(&url, "redis://ana:hunter2@h:x", &err), -1);
    assert_null(strstr(err.text, "hunter2"));
    assert_int_equal(redis_url_parse(&url, "redis://ana:hunter2%zz@h", &err), -1);
    assert_null(strstr(err.text, "hunter2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_a_url_is_taken_apart),
        cmocka_unit_test(a_wrong_url_is_refused),
        cmocka_unit_test(sentinels_and_the_name_of_their_master_are_taken_apart),
        cmocka_unit_test(a_wrong_url_of_sentinels_is_refused),
        cmocka_unit_test(the_place_of_a_master_becomes_the_address),
        cmocka_unit_test(a_host_of_256_bytes_is_too_long),
        cmocka_unit_test(neither_address_nor_error_tells_the_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

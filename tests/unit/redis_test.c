#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/redis.h"
#include "common/redis_moved.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct sorted {
    const char *text;
    enum redis_answer answer;
};

static const struct sorted SORTED[] = {
    {"NOSCRIPT No matching script. Please use EVAL.", REDIS_NOSCRIPT},
    {"BUSY Redis is busy running a script.", REDIS_BUSY},
    {"LOADING Redis is loading the dataset in memory", REDIS_BUSY},
    {"OOM command not allowed when used memory > 'maxmemory'.", REDIS_BUSY},
    {"MISCONF Redis is configured to save RDB snapshots", REDIS_BUSY},
    {"NOREPLICAS Not enough good replicas to write.", REDIS_BUSY},
    {"TRYAGAIN Multiple keys request during rehashing of slot", REDIS_BUSY},
    {"CLUSTERDOWN The cluster is down", REDIS_BUSY},
    {"CLUSTERDOWN", REDIS_BUSY},
    {"READONLY You can't write against a read only replica.", REDIS_UNKNOWN},
    {"MASTERDOWN Link with MASTER is down", REDIS_UNKNOWN},
    {"MOVED 3999 127.0.0.1:6381", REDIS_UNKNOWN},
    {"ASK 3999 127.0.0.1:6381", REDIS_UNKNOWN},
    {"WRONGTYPE Operation against a key holding the wrong kind of value", REDIS_PERMANENT},
    {"ERR increment or decrement would overflow", REDIS_PERMANENT},
    {"BUSYKEY Target key name already exists.", REDIS_PERMANENT},
    {"NOAUTH Authentication required.", REDIS_PERMANENT},
    {"ERR the text says READONLY and BUSY", REDIS_PERMANENT},
    {"", REDIS_PERMANENT},
    {"ERR Error running script (call to f_12): @user_script:1: -OOM command not allowed",
     REDIS_BUSY},
    {"ERR Error running script (call to f_12): @user_script:1: -READONLY You can't write",
     REDIS_UNKNOWN},
    {"ERR Error running script (call to f_12): @user_script:1: WRONGTYPE Operation",
     REDIS_PERMANENT},
};

static void every_answer_of_redis_has_its_meaning(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof SORTED / sizeof *SORTED; i++) {
        print_message("%s\n", SORTED[i].text);
        assert_int_equal(redis_sort(SORTED[i].text), SORTED[i].answer);
    }
}

static void a_script_is_known_by_the_digest_of_its_text(void **state)
{
    (void)state;
    struct redis_script script;
    redis_script_init(&script, "return 1");
    assert_string_equal(script.sha, "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
}

/* A server of a few lines: takes one connection, answers each chunk it reads with the next text of
 * the list, then closes; so often as it is visited, each time with a list of its own. */
struct peer {
    int listener, port;
    int visits; /* 0: one */
    const char *const *answers;
    pthread_t thread;
};

static void serve_visit(int fd, const char *const *answer)
{
    char chunk[4096];
    for (; fd >= 0 && *answer; answer++) {
        if (read(fd, chunk, sizeof chunk) <= 0 || write(fd, *answer, strlen(*answer)) < 0) {
            break;
        }
    }
    /* Waits for the other side to close, so that a silent server is silent, not gone. */
    while (fd >= 0 && read(fd, chunk, sizeof chunk) > 0) {
    }
    close(fd);
}

static void *serve(void *arg)
{
    struct peer *peer = arg;
    const char *const *answers = peer->answers;
    for (int visit = 0; visit == 0 || visit < peer->visits; visit++) {
        serve_visit(accept(peer->listener, NULL, NULL), answers);
        while (*answers++) {
        }
    }
    return NULL;
}

static void listen_on(struct peer *peer, const char *const *answers)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    peer->answers = answers;
    peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(peer->listener, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(peer->listener, 1), 0);
    assert_int_equal(getsockname(peer->listener, (struct sockaddr *)&at, &len), 0);
    peer->port = ntohs(at.sin_port);
}

static void begin_serving(struct peer *peer)
{
    assert_int_equal(pthread_create(&peer->thread, NULL, serve, peer), 0);
}

static struct config config_of(char *url)
{
    static char empty[1] = "";
    return (struct config){.redis = url,
                           .redis_password_file = empty,
                           .redis_ca_file = empty,
                           .redis_cert_file = empty,
                           .redis_key_file = empty,
                           .redis_timeout_ms = 200};
}

static struct redis *client_of(char *url)
{
    struct config config = config_of(url);
    struct redis *redis = NULL;
    struct error err;
    assert_int_equal(redis_open(&redis, &config, &err), 0);
    return redis;
}

static struct redis *meet(struct peer *peer, const char *const *answers)
{
    char url[64];
    listen_on(peer, answers);
    begin_serving(peer);
    snprintf(url, sizeof url, "redis://127.0.0.1:%d", peer->port);
    return client_of(url);
}

static void part(struct peer *peer, struct redis *redis)
{
    redis_free(redis);
    pthread_join(peer->thread, NULL);
    close(peer->listener);
}

static void silence_is_an_unknown_answer_and_ends_the_connection(void **state)
{
    (void)state;
    struct peer peer = {0};
    struct redis *redis = meet(&peer, (const char *const[]){"+PONG\r\n", NULL});
    struct error err;
    redisReply *reply = NULL;
    assert_int_equal(redis_connect(redis, &err), 0);
    assert_int_equal(redis_callf(redis, &reply, &err, "GET x"), REDIS_UNKNOWN);
    assert_null(reply);
    assert_non_null(strstr(err.text, "no answer within 200 ms"));
    assert_true(err.retry);
    assert_false(redis_connected(redis));
    assert_int_equal(redis_callf(redis, &reply, &err, "GET x"), REDIS_UNKNOWN);
    part(&peer, redis);
}

static void a_permanent_error_keeps_the_connection(void **state)
{
    (void)state;
    struct peer peer = {0};
    struct redis *redis =
        meet(&peer, (const char *const[]){"+PONG\r\n", "-WRONGTYPE no\r\n", ":7\r\n", NULL});
    struct error err;
    redisReply *reply = NULL;
    assert_int_equal(redis_connect(redis, &err), 0);
    assert_int_equal(redis_callf(redis, &reply, &err, "INCR x"), REDIS_PERMANENT);
    assert_false(err.retry);
    assert_int_equal(redis_callf(redis, &reply, &err, "INCR %s", "y"), REDIS_OK);
    assert_int_equal(reply->integer, 7);
    freeReplyObject(reply);
    part(&peer, redis);
}

static void a_read_only_server_is_left(void **state)
{
    (void)state;
    struct peer peer = {0};
    struct redis *redis =
        meet(&peer, (const char *const[]){"+PONG\r\n", "-READONLY replica\r\n", NULL});
    struct error err;
    redisReply *reply = NULL;
    assert_int_equal(redis_connect(redis, &err), 0);
    assert_int_equal(redis_callf(redis, &reply, &err, "INCR x"), REDIS_UNKNOWN);
    assert_false(redis_connected(redis));
    part(&peer, redis);
}

static void an_unknown_script_is_loaded_and_sent_once_more(void **state)
{
    (void)state;
    struct peer peer = {0};
    struct redis *redis =
        meet(&peer, (const char *const[]){"+PONG\r\n", "-NOSCRIPT no\r\n",
                                          "$40\r\ne0e1f9fabfc9d4800c877a703b823ac0578ff8db\r\n",
                                          ":1\r\n", NULL});
    struct error err;
    redisReply *reply = NULL;
    struct redis_script script;
    redis_script_init(&script, "return 1");
    assert_int_equal(redis_connect(redis, &err), 0);
    assert_int_equal(
        redis_eval(redis, &script, 1, &reply, &err, 2, (const char *[]){"key", "word"}, NULL),
        REDIS_OK);
    assert_int_equal(reply->integer, 1);
    freeReplyObject(reply);
    part(&peer, redis);
}

static void the_halves_of_a_call_tell_when_the_answer_is_there(void **state)
{
    (void)state;
    struct peer peer = {0};
    struct redis *redis = meet(&peer, (const char *const[]){"+PONG\r\n", ":1\r\n:2\r\n", NULL});
    struct error err;
    redisReply *reply = NULL;
    assert_int_equal(redis_connect(redis, &err), 0);
    assert_false(redis_received(redis, 0));
    const char *argv[] = {"INCR", "x"};
    assert_int_equal(redis_send(redis, &err, 2, argv, NULL), REDIS_OK);
    assert_true(redis_received(redis, 5000));
    assert_true(redis_received(redis, 0));
    for (int64_t i = 1; i <= 2; i++) {
        assert_int_equal(redis_receive(redis, &reply, &err), REDIS_OK);
        assert_int_equal(reply->integer, i);
        freeReplyObject(reply);
    }
    part(&peer, redis);
}

static void a_loading_server_may_be_asked_again(void **state)
{
    (void)state;
    struct peer peer = {0};
    struct redis *redis = meet(&peer, (const char *const[]){"-LOADING wait\r\n", NULL});
    struct error err;
    assert_int_equal(redis_connect(redis, &err), -1);
    assert_true(err.retry);
    assert_false(redis_connected(redis));
    part(&peer, redis);
}

static void a_missing_password_is_for_people_to_mend(void **state)
{
    (void)state;
    struct peer peer = {0};
    struct redis *redis = meet(&peer, (const char *const[]){"-NOAUTH log in\r\n", NULL});
    struct error err;
    assert_int_equal(redis_connect(redis, &err), -1);
    assert_false(err.retry);
    part(&peer, redis);
}

/* A sentinel that says where `master` is, behind one that is not there. */
static struct redis *meet_by_sentinel(struct peer *sentinel, struct peer *master,
                                      const char *const *answers)
{
    static char place[96];
    static const char *const said[] = {place, NULL};
    char url[96];
    listen_on(master, answers);
    listen_on(sentinel, said);
    snprintf(place, sizeof place, "*2\r\n$9\r\n127.0.0.1\r\n$5\r\n%05d\r\n", master->port);
    begin_serving(master);
    begin_serving(sentinel);
    snprintf(url, sizeof url, "redis+sentinel://127.0.0.1:1,127.0.0.1:%d/mine", sentinel->port);
    return client_of(url);
}

static void the_master_is_asked_of_the_sentinels(void **state)
{
    (void)state;
    struct peer sentinel = {0}, master = {0};
    struct redis *redis = meet_by_sentinel(
        &sentinel, &master,
        (const char *const[]){"*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n", "+PONG\r\n", NULL});
    struct error err;
    char address[32];
    assert_string_equal(redis_address(redis), "mine");
    assert_int_equal(redis_connect(redis, &err), 0);
    snprintf(address, sizeof address, "127.0.0.1:%d", master.port);
    assert_string_equal(redis_address(redis), address);
    part(&master, redis);
    part(&sentinel, NULL);
}

static void a_master_that_calls_itself_a_replica_is_left(void **state)
{
    (void)state;
    struct peer sentinel = {0}, master = {0};
    struct redis *redis = meet_by_sentinel(
        &sentinel, &master, (const char *const[]){"*1\r\n$5\r\nslave\r\n", "+PONG\r\n", NULL});
    struct error err;
    assert_int_equal(redis_connect(redis, &err), -1);
    assert_true(err.retry);
    assert_non_null(strstr(err.text, "master of mine, itself says slave"));
    assert_false(redis_connected(redis));
    part(&master, redis);
    part(&sentinel, NULL);
}

static void an_unknown_name_of_a_master_is_for_people_to_mend(void **state)
{
    (void)state;
    struct peer sentinel = {0};
    char url[64];
    listen_on(&sentinel, (const char *const[]){"*-1\r\n", NULL});
    begin_serving(&sentinel);
    snprintf(url, sizeof url, "redis+sentinel://127.0.0.1:%d/mine", sentinel.port);
    struct redis *redis = client_of(url);
    struct error err;
    assert_int_equal(redis_connect(redis, &err), -1);
    assert_false(err.retry);
    assert_non_null(strstr(err.text, "knows no master named mine"));
    part(&sentinel, redis);
}

static void sentinels_that_are_away_may_come_back(void **state)
{
    (void)state;
    char url[] = "redis+sentinel://127.0.0.1:1,127.0.0.1:2/mine";
    struct redis *redis = client_of(url);
    struct error err;
    assert_int_equal(redis_connect(redis, &err), -1);
    assert_true(err.retry);
    assert_non_null(strstr(err.text, "sentinel 127.0.0.1:2"));
    redis_free(redis);
}

static void a_sentinel_that_wants_a_password_is_given_the_urls(void **state)
{
    (void)state;
    struct peer sentinel = {0};
    char url[64];
    listen_on(&sentinel, (const char *const[]){"-NOAUTH log in\r\n", "+OK\r\n", "*-1\r\n", NULL});
    begin_serving(&sentinel);
    snprintf(url, sizeof url, "redis+sentinel://:secret@127.0.0.1:%d/mine", sentinel.port);
    struct redis *redis = client_of(url);
    struct error err;
    assert_int_equal(redis_connect(redis, &err), -1);
    assert_non_null(strstr(err.text, "knows no master named mine"));
    assert_null(strstr(err.text, "secret"));
    part(&sentinel, redis);
}

struct moved {
    const char *text, *host;
    int port;
};

static void a_node_is_read_from_what_another_says(void **state)
{
    (void)state;
    static const struct moved good[] = {
        {"MOVED 3999 10.0.0.7:6381", "10.0.0.7", 6381},
        {"MOVED 0 ::1:7000", "::1", 7000},
        {"MOVED 16383 node-3.example:65535", "node-3.example", 65535},
        {"MOVED 3999 :6381", "", 6381}};
    static const char *const bad[] = {
        "ASK 3999 10.0.0.7:6381", "MOVED",         "MOVED 3999",        "MOVED 3999 10.0.0.7",
        "MOVED 3999 ?:6381",      "MOVED 1 a:0",   "MOVED 1 a:65536",   "MOVED 1 a:",
        "MOVED 1 a:-1",           "MOVED 1 a: 12", "MOVED 1 a:6381 xx", "READONLY a b:1"};
    struct redis_node node;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(redis_moved_parse(good[i].text, &node));
        assert_string_equal(node.host, good[i].host);
        assert_int_equal(node.port, good[i].port);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        print_message("%s\n", bad[i]);
        node.port = -7;
        assert_false(redis_moved_parse(bad[i], &node));
        assert_int_equal(node.port, -7);
    }
}

static void a_host_too_long_to_be_one_is_not_read(void **state)
{
    (void)state;
    char text[400];
    struct redis_node node;
    for (int len = 255; len <= 256; len++) {
        snprintf(text, sizeof text, "MOVED 1 %0*d:1", len, 0);
        assert_int_equal(redis_moved_parse(text, &node), len == 255);
    }
}

/* `home` gives its answers, "moved" among them as: it is with `other`, at `host`. */
static struct redis *meet_a_cluster(struct peer *home, struct peer *other, const char *host,
                                    const char *url_format, const char *const *answers,
                                    const char *const *there)
{
    static char moved[64], url[64];
    static const char *said[8];
    size_t i = 0;
    listen_on(other, there);
    snprintf(moved, sizeof moved, "-MOVED 3999 %s:%d\r\n", host, other->port);
    for (; answers[i]; i++) {
        said[i] = strcmp(answers[i], "moved") == 0 ? moved : answers[i];
    }
    said[i] = NULL;
    listen_on(home, said);
    begin_serving(home);
    begin_serving(other);
    snprintf(url, sizeof url, url_format, home->port);
    return client_of(url);
}

static void expect_at(struct redis *redis, const struct peer *peer)
{
    char address[32];
    struct error err;
    assert_int_equal(redis_connect(redis, &err), 0);
    snprintf(address, sizeof address, "127.0.0.1:%d", peer->port);
    assert_string_equal(redis_address(redis), address);
}

static void expect_unknown(struct redis *redis)
{
    struct error err;
    redisReply *reply;
    assert_int_equal(redis_callf(redis, &reply, &err, "INCR x"), REDIS_UNKNOWN);
    assert_true(err.retry);
    assert_false(redis_connected(redis));
}

static void expect_7(struct redis *redis)
{
    struct error err;
    redisReply *reply = NULL;
    assert_int_equal(redis_callf(redis, &reply, &err, "INCR x"), REDIS_OK);
    assert_int_equal(reply->integer, 7);
    freeReplyObject(reply);
}

static void the_node_that_a_cluster_names_is_connected_to_next(void **state)
{
    (void)state;
    struct peer home = {0}, other = {0};
    struct redis *redis = meet_a_cluster(&home, &other, "127.0.0.1", "redis://127.0.0.1:%d",
                                         (const char *const[]){"+PONG\r\n", "moved", NULL},
                                         (const char *const[]){"+PONG\r\n", ":7\r\n", NULL});
    expect_at(redis, &home);
    expect_unknown(redis);
    expect_at(redis, &other);
    expect_7(redis);
    part(&other, redis);
    part(&home, NULL);
}

static void a_node_without_a_host_is_on_the_same(void **state)
{
    (void)state;
    struct peer home = {0}, other = {0};
    struct redis *redis = meet_a_cluster(&home, &other, "", "redis://127.0.0.1:%d",
                                         (const char *const[]){"+PONG\r\n", "moved", NULL},
                                         (const char *const[]){"+PONG\r\n", NULL});
    expect_at(redis, &home);
    expect_unknown(redis);
    expect_at(redis, &other);
    part(&other, redis);
    part(&home, NULL);
}

static void a_node_is_given_the_password_of_the_url(void **state)
{
    (void)state;
    struct peer home = {0}, other = {0};
    struct redis *redis =
        meet_a_cluster(&home, &other, "127.0.0.1", "redis://:secret@127.0.0.1:%d",
                       (const char *const[]){"+OK\r\n", "+PONG\r\n", "moved", NULL},
                       (const char *const[]){"+OK\r\n", "+PONG\r\n", ":7\r\n", NULL});
    expect_at(redis, &home);
    expect_unknown(redis);
    expect_at(redis, &other);
    expect_7(redis);
    part(&other, redis);
    part(&home, NULL);
}

static void a_node_that_is_gone_is_forgotten_for_the_url(void **state)
{
    (void)state;
    struct peer home = {.visits = 2};
    char url[64];
    struct error err;
    listen_on(&home, (const char *const[]){"+PONG\r\n", "-MOVED 3999 127.0.0.1:1\r\n", NULL,
                                           "+PONG\r\n", ":7\r\n", NULL});
    begin_serving(&home);
    snprintf(url, sizeof url, "redis://127.0.0.1:%d", home.port);
    struct redis *redis = client_of(url);
    expect_at(redis, &home);
    expect_unknown(redis);
    assert_int_equal(redis_connect(redis, &err), -1);
    assert_true(err.retry);
    assert_non_null(strstr(err.text, "127.0.0.1:1:"));
    expect_at(redis, &home);
    expect_7(redis);
    part(&home, redis);
}

static void a_slot_on_the_move_is_looked_for_at_the_same_node(void **state)
{
    (void)state;
    struct peer home = {.visits = 2};
    char url[64];
    listen_on(&home, (const char *const[]){"+PONG\r\n", "-ASK 3999 127.0.0.1:1\r\n", NULL,
                                           "+PONG\r\n", NULL});
    begin_serving(&home);
    snprintf(url, sizeof url, "redis://127.0.0.1:%d", home.port);
    struct redis *redis = client_of(url);
    expect_at(redis, &home);
    expect_unknown(redis);
    expect_at(redis, &home);
    part(&home, redis);
}

static void waiting_for_a_key_ends_at_its_node(void **state)
{
    (void)state;
    struct peer home = {0}, other = {0};
    char empty[1] = "";
    struct redis *redis =
        meet_a_cluster(&home, &other, "127.0.0.1", "redis://127.0.0.1:%d",
                       (const char *const[]){"+PONG\r\n", "moved", NULL},
                       (const char *const[]){"+PONG\r\n", ":0\r\n", ":7\r\n", NULL});
    struct config config = config_of(empty);
    struct error err;
    assert_int_equal(redis_wait_for(redis, &config, "x", &err), 0);
    expect_7(redis);
    part(&other, redis);
    part(&home, NULL);
}

static void a_cluster_that_sends_one_round_in_circles_is_left(void **state)
{
    (void)state;
    struct peer home = {.visits = 5};
    static char moved[64];
    char url[64], empty[1] = "";
    static const char *said[16];
    struct config config = config_of(empty);
    struct error err;
    for (int i = 0; i < 15; i++) {
        said[i] = i % 3 == 0 ? "+PONG\r\n" : i % 3 == 1 ? moved : NULL;
    }
    listen_on(&home, said);
    snprintf(moved, sizeof moved, "-MOVED 3999 :%d\r\n", home.port);
    begin_serving(&home);
    snprintf(url, sizeof url, "redis://127.0.0.1:%d", home.port);
    struct redis *redis = client_of(url);
    assert_int_equal(redis_wait_for(redis, &config, "x", &err), -1);
    assert_non_null(strstr(err.text, "MOVED 3999"));
    part(&home, redis);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_of_redis_has_its_meaning),
        cmocka_unit_test(a_script_is_known_by_the_digest_of_its_text),
        cmocka_unit_test(silence_is_an_unknown_answer_and_ends_the_connection),
        cmocka_unit_test(a_permanent_error_keeps_the_connection),
        cmocka_unit_test(a_read_only_server_is_left),
        cmocka_unit_test(an_unknown_script_is_loaded_and_sent_once_more),
        cmocka_unit_test(the_halves_of_a_call_tell_when_the_answer_is_there),
        cmocka_unit_test(a_loading_server_may_be_asked_again),
        cmocka_unit_test(a_missing_password_is_for_people_to_mend),
        cmocka_unit_test(the_master_is_asked_of_the_sentinels),
        cmocka_unit_test(a_master_that_calls_itself_a_replica_is_left),
        cmocka_unit_test(an_unknown_name_of_a_master_is_for_people_to_mend),
        cmocka_unit_test(sentinels_that_are_away_may_come_back),
        cmocka_unit_test(a_sentinel_that_wants_a_password_is_given_the_urls),
        cmocka_unit_test(a_node_is_read_from_what_another_says),
        cmocka_unit_test(a_host_too_long_to_be_one_is_not_read),
        cmocka_unit_test(the_node_that_a_cluster_names_is_connected_to_next),
        cmocka_unit_test(a_node_without_a_host_is_on_the_same),
        cmocka_unit_test(a_node_is_given_the_password_of_the_url),
        cmocka_unit_test(a_node_that_is_gone_is_forgotten_for_the_url),
        cmocka_unit_test(a_slot_on_the_move_is_looked_for_at_the_same_node),
        cmocka_unit_test(waiting_for_a_key_ends_at_its_node),
        cmocka_unit_test(a_cluster_that_sends_one_round_in_circles_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What makes this more than hiredis: one place that says what an answer means for a caller who
 * must not apply anything twice. A broken connection is never mended behind the caller's back,
 * because whatever was under way may or may not have been applied. */
#include "common/redis.h"

#include "common/clock.h"
#include "common/command.h"
#include "common/log.h"
#include "common/redis_moved.h"
#include "common/redis_sentinel.h"
#include "common/redis_tls.h"
#include "common/redis_url.h"
#include "common/secret.h"

#include <errno.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BACK_OFF_MIN_MS = 100, BACK_OFF_MAX_MS = 5000, HOPS_MAX = 5 };

struct redis {
    struct redis_url url;
    struct redis_node home;  /* what the URL names */
    struct redis_node moved; /* what a node of a cluster named last; port 0: none has */
    struct redis_tls tls;
    int64_t timeout_ms;
    redisContext *context; /* NULL: not connected */
    redisReply *early;     /* taken by redis_received(), due at the next receive */
};

static int read_password(struct redis *redis, const char *path, struct error *err)
{
    char *password = NULL;
    if (secret_read(&password, path, "redis.password.file", err) != 0) {
        return -1;
    }
    secret_free(redis->url.password);
    redis->url.password = password;
    return 0;
}

static int take_settings(struct redis *redis, const struct config *config, struct error *err)
{
    redis->timeout_ms = config->redis_timeout_ms;
    /* The settings outlive the connection. */
    redis->tls =
        (struct redis_tls){config->redis_ca_file, config->redis_cert_file, config->redis_key_file};
    if (!redis->tls.cert_file[0] != !redis->tls.key_file[0]) {
        return error_set(err, ERROR_USAGE,
                         "redis.cert.file and redis.key.file: one is set without the other");
    }
    if (redis_url_parse(&redis->url, config->redis, err) != 0) {
        return -1;
    }
    memcpy(redis->home.host, redis->url.host, sizeof redis->home.host);
    redis->home.port = redis->url.port;
    if (config->redis_password_file[0] &&
        read_password(redis, config->redis_password_file, err) != 0) {
        return -1;
    }
    if (redis->url.user && !redis->url.password) {
        return error_set(err, ERROR_USAGE,
                         "redis URL: a user without a password "
                         "(write user:password@ or :password@, or set redis.password.file)");
    }
    return 0;
}

int redis_open(struct redis **out, const struct config *config, struct error *err)
{
    struct redis *redis = calloc(1, sizeof *redis);
    if (!redis) {
        return error_memory(err);
    }
    if (take_settings(redis, config, err) != 0) {
        redis_free(redis);
        return -1;
    }
    *out = redis;
    return 0;
}

void redis_free(struct redis *redis)
{
    if (!redis) {
        return;
    }
    redis_disconnect(redis);
    redis_url_clear(&redis->url);
    free(redis);
}

const char *redis_address(const struct redis *redis)
{
    return redis->url.address;
}

bool redis_connected(const struct redis *redis)
{
    return redis->context != NULL;
}

int redis_fd(const struct redis *redis)
{
    return redis->context ? redis->context->fd : -1;
}

void redis_disconnect(struct redis *redis)
{
    if (redis->early) {
        freeReplyObject(redis->early);
        redis->early = NULL;
    }
    redisFree(redis->context);
    redis->context = NULL;
}

/* What hiredis says of its connection, in words. */
static int connection_failed(const struct redis *redis, const char *what, struct error *err)
{
    const redisContext *c = redis->context;
    if (!c) {
        return error_memory(err);
    }
    if (c->err == REDIS_ERR_OOM) {
        return error_memory(err);
    }
    if (c->err == REDIS_ERR_TIMEOUT ||
        (c->err == REDIS_ERR_IO && (errno == EAGAIN || errno == EWOULDBLOCK))) {
        return error_retry(err, ERROR_REDIS, "redis %s: %s: no answer within %lld ms",
                           redis->url.address, what, (long long)redis->timeout_ms);
    }
    return error_retry(err, ERROR_REDIS, "redis %s: %s: %s", redis->url.address, what,
                       c->errstr[0] ? c->errstr : "connection lost");
}

static int dial(struct redis *redis, struct error *err)
{
    struct timeval limit = {.tv_sec = redis->timeout_ms / 1000,
                            .tv_usec = (redis->timeout_ms % 1000) * 1000};
    redisOptions options = {0};
    if (redis->url.path) {
        REDIS_OPTIONS_SET_UNIX(&options, redis->url.path);
    } else {
        REDIS_OPTIONS_SET_TCP(&options, redis->url.host, redis->url.port);
    }
    options.connect_timeout = &limit;
    options.command_timeout = &limit;
    redis->context = redisConnectWithOptions(&options);
    if (!redis->context || redis->context->err) {
        return connection_failed(redis, "cannot connect", err);
    }
    if (!redis->url.path) {
        redisEnableKeepAlive(redis->context); /* a silent peer is noticed; failing is harmless */
    }
    if (redis->url.tls && redis_tls_start(redis->context, redis->url.host, &redis->tls, err) != 0) {
        return error_prefix(err, "redis %s", redis->url.address);
    }
    return 0;
}

/* Puts behind an error of Redis which setting to look at. */
static void add_hint(struct error *err)
{
    static const char *const hints[][2] = {
        {"WRONGPASS", "; see the user in the setting redis, and redis.password.file"},
        {"NOAUTH",
         "; it wants a user and a password: see the setting redis, and redis.password.file"},
        {"NOPERM", "; this user's ACL lacks it (deploy/redis/users.acl, docs/security.md)"},
        {"ACL failure", "; this user's ACL lacks it (deploy/redis/users.acl, docs/security.md)"},
        {"ser executing the script",
         "; this user's ACL lacks it (deploy/redis/users.acl, docs/security.md)"},
    };
    for (size_t i = 0; err && i < sizeof hints / sizeof hints[0]; i++) {
        if (strstr(err->text, hints[i][0])) {
            size_t len = strlen(err->text);
            snprintf(err->text + len, sizeof err->text - len, "%s", hints[i][1]);
            return;
        }
    }
}

/* One command of the greeting. What passes by itself (a server that is loading, full of clients,
 * or has lost its master) is marked as such, so that redis_wait() goes on. */
static int greet(struct redis *redis, int argc, const char *const *argv, struct error *err)
{
    enum redis_answer answer = redis_send(redis, err, argc, argv, NULL);
    redisReply *reply = NULL;
    if (answer == REDIS_OK) {
        answer = redis_receive(redis, &reply, err);
    }
    if (answer == REDIS_OK) {
        freeReplyObject(reply);
        return 0;
    }
    bool hung_up =
        err && !redis->context &&
        (strstr(err->text, "closed the connection") || strstr(err->text, "reset by peer"));
    if (hung_up && !redis->url.tls && !redis->url.path) {
        error_retry(err, ERROR_REDIS,
                    "redis %s: closed the connection at the first word; perhaps it speaks TLS only "
                    "(rediss://)",
                    redis->url.address);
    } else if (err) {
        err->retry = answer != REDIS_PERMANENT || strstr(err->text, "max number of clients");
    }
    return -1;
}

static int authenticate(struct redis *redis, struct error *err)
{
    const char *argv[3] = {"AUTH"};
    int argc = 1;
    if (redis->url.user) {
        argv[argc++] = redis->url.user;
    }
    argv[argc++] = redis->url.password;
    return greet(redis, argc, argv, err);
}

/* Sentinels may lag behind a fail-over, and a master that was stopped does not know of it yet:
 * one that calls itself a replica is never written to. */
static int expect_master(struct redis *redis, struct error *err)
{
    redisReply *reply = NULL;
    enum redis_answer answer = redis_callf(redis, &reply, err, "ROLE");
    if (answer != REDIS_OK) {
        return answer == REDIS_PERMANENT ? error_prefix(err, "cannot ask for its role") : -1;
    }
    const char *role =
        reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 && reply->element[0]->str
            ? reply->element[0]->str
            : "nothing";
    int rc = 0;
    if (strcmp(role, "master") != 0) {
        rc = error_retry(err, ERROR_REDIS,
                         "redis %s: the sentinels call it the master of %s, itself says %s",
                         redis->url.address, redis->url.master, role);
    }
    freeReplyObject(reply);
    return rc;
}

static int begin(struct redis *redis, struct error *err)
{
    if (redis->url.sentinels && redis_sentinel_find(&redis->url, redis->timeout_ms, err) != 0) {
        return -1;
    }
    if (dial(redis, err) != 0) {
        return -1;
    }
    if (redis->url.password && authenticate(redis, err) != 0) {
        return -1;
    }
    if (redis->url.sentinels && expect_master(redis, err) != 0) {
        return -1;
    }
    if (redis->url.database != 0) {
        char database[16];
        snprintf(database, sizeof database, "%d", redis->url.database);
        if (greet(redis, 2, (const char *[]){"SELECT", database}, err) != 0) {
            return -1;
        }
    }
    return greet(redis, 1, (const char *[]){"PING"}, err);
}

/* A cluster has no sentinels and no databases, and its nodes are told by host and port. */
static bool may_move(const struct redis *redis)
{
    return !redis->url.sentinels && !redis->url.path;
}

/* Where the next connection goes. */
static void aim(struct redis *redis)
{
    const struct redis_node *node = redis->moved.port ? &redis->moved : &redis->home;
    if (may_move(redis)) {
        redis_url_place(&redis->url, text_of(node->host), node->port);
    }
}

int redis_connect(struct redis *redis, struct error *err)
{
    redis_disconnect(redis);
    aim(redis);
    if (begin(redis, err) != 0) {
        redis_disconnect(redis);
        redis->moved.port = 0; /* perhaps it is gone: the next try asks the URL's node again */
        return -1;
    }
    return 0;
}

static int gave_up(const struct config *config, int64_t since_ms, struct error *err)
{
    if (command_stopping()) {
        return error_set(err, ERROR_STOPPED, "stopped while waiting for Redis");
    }
    if (config->connect_timeout_ms > 0 &&
        clock_mono_ms() - since_ms >= config->connect_timeout_ms) {
        err->retry = false;
        return error_prefix(err, "gave up after %lld ms", (long long)config->connect_timeout_ms);
    }
    return 0;
}

int redis_wait(struct redis *redis, const struct config *config, struct error *err)
{
    struct error own;
    err = err ? err : &own;
    int64_t since_ms = clock_mono_ms(), pause_ms = BACK_OFF_MIN_MS;
    bool said = false;
    while (redis_connect(redis, err) != 0) {
        if (!err->retry || gave_up(config, since_ms, err) != 0) {
            return -1;
        }
        if (!said) {
            log_warning("waiting for redis", log_s("address", redis->url.address),
                        log_s("why", err->text));
            said = true;
        }
        clock_sleep_ms(pause_ms);
        pause_ms = pause_ms * 2 < BACK_OFF_MAX_MS ? pause_ms * 2 : BACK_OFF_MAX_MS;
    }
    if (said) {
        log_info("redis is there", log_s("address", redis->url.address),
                 log_i("waited_ms", clock_mono_ms() - since_ms));
    }
    return 0;
}

int redis_wait_for(struct redis *redis, const struct config *config, const char *key,
                   struct error *err)
{
    enum redis_answer answer = REDIS_UNKNOWN;
    /* One hop does, two while slots are moving; more is a cluster that does not know itself. */
    for (int hop = 0; hop < HOPS_MAX && answer == REDIS_UNKNOWN; hop++) {
        redisReply *reply;
        if (redis_wait(redis, config, err) != 0) {
            return -1;
        }
        answer = redis_callf(redis, &reply, err, "EXISTS %s", key);
        freeReplyObject(reply);
    }
    return answer == REDIS_OK ? 0 : -1;
}

static bool begins_with_word(const char *text, const char *const *words)
{
    for (; *words; words++) {
        size_t len = strlen(*words);
        if (strncmp(text, *words, len) == 0 && (text[len] == ' ' || text[len] == '\0')) {
            return true;
        }
    }
    return false;
}

/* Redis before 7 wraps what a script's command answered: "ERR Error running script (call to
 * f_..): @user_script:1: -OOM command not allowed". */
static const char *unwrap(const char *text)
{
    const char *inner = NULL;
    if (strncmp(text, "ERR Error running script", 24) == 0) {
        inner = strstr(text, ": -");
    }
    return inner ? inner + 3 : text;
}

enum redis_answer redis_sort(const char *error_text)
{
    static const char *const noscript[] = {"NOSCRIPT", NULL};
    static const char *const busy[] = {"BUSY",       "LOADING",  "OOM",         "MISCONF",
                                       "NOREPLICAS", "TRYAGAIN", "CLUSTERDOWN", NULL};
    /* ASK and MOVED come from a cluster that is moving slots: look again for the owner. */
    static const char *const unknown[] = {"READONLY", "MASTERDOWN", "MOVED", "ASK", NULL};
    const char *text = unwrap(error_text);
    if (begins_with_word(text, noscript)) {
        return REDIS_NOSCRIPT;
    }
    if (begins_with_word(text, busy)) {
        return REDIS_BUSY;
    }
    return begins_with_word(text, unknown) ? REDIS_UNKNOWN : REDIS_PERMANENT;
}

static enum redis_answer lost(struct redis *redis, const char *what, struct error *err)
{
    if (redis->context) {
        connection_failed(redis, what, err);
    } else {
        error_retry(err, ERROR_REDIS, "redis %s: not connected", redis->url.address);
    }
    redis_disconnect(redis);
    return REDIS_UNKNOWN;
}

/* Puts the whole output on the wire. */
static enum redis_answer push(struct redis *redis, struct error *err)
{
    int done = 0;
    while (!done) {
        if (redisBufferWrite(redis->context, &done) != REDIS_OK) {
            return lost(redis, "cannot send", err);
        }
    }
    return REDIS_OK;
}

enum redis_answer redis_send(struct redis *redis, struct error *err, int argc,
                             const char *const *argv, const size_t *lengths)
{
    if (!redis->context) {
        return lost(redis, "cannot send", err);
    }
    /* hiredis only reads argv; its signature forgot to say so. */
    const char **words = (const char **)(uintptr_t)argv;
    if (redisAppendCommandArgv(redis->context, argc, words, lengths) != REDIS_OK) {
        return lost(redis, "cannot send", err);
    }
    return push(redis, err);
}

/* Takes one whole answer out of what was read, if it is there. */
static bool take_early(struct redis *redis)
{
    void *reply = NULL;
    if (redisGetReplyFromReader(redis->context, &reply) != REDIS_OK) {
        return false;
    }
    redis->early = reply;
    return reply != NULL;
}

bool redis_received(struct redis *redis, int64_t wait_ms)
{
    int64_t end_ms = clock_mono_ms() + wait_ms;
    for (;;) {
        /* A broken connection counts as received: the receive then says what is wrong. */
        if (redis->early || !redis->context || take_early(redis) || redis->context->err) {
            return true;
        }
        int64_t left_ms = end_ms - clock_mono_ms();
        struct pollfd fd = {.fd = redis->context->fd, .events = POLLIN};
        int ready = poll(&fd, 1, (int)(left_ms > 0 ? left_ms : 0));
        if (ready <= 0) {
            return false;
        }
        if (redisBufferRead(redis->context) != REDIS_OK) {
            return true;
        }
    }
}

/* The node of a cluster that has the key which was asked for, so that the caller finds it by
 * connecting anew. */
static void note_moved(struct redis *redis, const char *error_text)
{
    struct redis_node node;
    if (!may_move(redis) || !redis_moved_parse(error_text, &node)) {
        return;
    }
    if (!node.host[0]) {
        memcpy(node.host, redis->url.host, sizeof node.host);
    }
    redis->moved = node;
}

/* An error answer in words; connections that lead nowhere are closed. */
static enum redis_answer refused(struct redis *redis, redisReply *reply, struct error *err)
{
    enum redis_answer answer = redis_sort(reply->str);
    note_moved(redis, reply->str);
    if (answer == REDIS_PERMANENT) {
        error_set(err, ERROR_REDIS, "redis %s: %s", redis->url.address, reply->str);
        add_hint(err);
    } else {
        error_retry(err, ERROR_REDIS, "redis %s: %s", redis->url.address, reply->str);
    }
    freeReplyObject(reply);
    if (answer == REDIS_UNKNOWN) {
        redis_disconnect(redis);
    }
    return answer;
}

enum redis_answer redis_receive(struct redis *redis, redisReply **reply, struct error *err)
{
    *reply = NULL;
    if (!redis->context) {
        return lost(redis, "cannot receive", err);
    }
    void *got = redis->early;
    redis->early = NULL;
    errno = 0;
    if (!got && redisGetReply(redis->context, &got) != REDIS_OK) {
        return lost(redis, "cannot receive", err);
    }
    if (((redisReply *)got)->type == REDIS_REPLY_ERROR) {
        return refused(redis, got, err);
    }
    *reply = got;
    return REDIS_OK;
}

enum redis_answer redis_call(struct redis *redis, redisReply **reply, struct error *err, int argc,
                             const char *const *argv, const size_t *lengths)
{
    *reply = NULL;
    enum redis_answer answer = redis_send(redis, err, argc, argv, lengths);
    return answer == REDIS_OK ? redis_receive(redis, reply, err) : answer;
}

enum redis_answer redis_callf(struct redis *redis, redisReply **reply, struct error *err,
                              const char *format, ...)
{
    *reply = NULL;
    if (!redis->context) {
        return lost(redis, "cannot send", err);
    }
    va_list args;
    va_start(args, format);
    int rc = redisvAppendCommand(redis->context, format, args);
    va_end(args);
    if (rc != REDIS_OK) {
        return lost(redis, "cannot send", err);
    }
    enum redis_answer answer = push(redis, err);
    return answer == REDIS_OK ? redis_receive(redis, reply, err) : answer;
}

void redis_script_init(struct redis_script *script, const char *source)
{
    unsigned char digest[EVP_MAX_MD_SIZE] = {0};
    unsigned int len = 0;
    script->source = source;
    script->sha[0] = '\0';
    /* Where the system forbids SHA-1 the digest stays unknown to Redis: NOSCRIPT each time, and
     * redis_eval() then takes the digest that Redis itself tells. */
    if (EVP_Digest(source, strlen(source), digest, &len, EVP_sha1(), NULL) != 1 || len != 20) {
        memset(digest, 0, sizeof digest);
    }
    for (size_t i = 0; i < 20; i++) {
        snprintf(script->sha + 2 * i, 3, "%02x", digest[i]);
    }
}

/* EVALSHA digest keys, then the caller's words. */
static enum redis_answer evaluate(struct redis *redis, const char *sha, int keys,
                                  redisReply **reply, struct error *err, int argc,
                                  const char *const *argv, const size_t *lengths)
{
    size_t count = (size_t)argc + 3;
    const char **words = calloc(count, sizeof *words);
    size_t *sizes = calloc(count, sizeof *sizes);
    enum redis_answer answer = REDIS_PERMANENT;
    if (!words || !sizes) {
        error_memory(err);
    } else {
        char number[16];
        snprintf(number, sizeof number, "%d", keys);
        words[0] = "EVALSHA";
        words[1] = sha;
        words[2] = number;
        for (size_t i = 0; i < count; i++) {
            words[i] = i < 3 ? words[i] : argv[i - 3];
            sizes[i] = i >= 3 && lengths ? lengths[i - 3] : strlen(words[i]);
        }
        answer = redis_call(redis, reply, err, (int)count, words, sizes);
    }
    free(words);
    free(sizes);
    return answer;
}

enum redis_answer redis_eval(struct redis *redis, const struct redis_script *script, int keys,
                             redisReply **reply, struct error *err, int argc,
                             const char *const *argv, const size_t *lengths)
{
    *reply = NULL;
    enum redis_answer answer = evaluate(redis, script->sha, keys, reply, err, argc, argv, lengths);
    if (answer != REDIS_NOSCRIPT) {
        return answer;
    }
    redisReply *loaded = NULL;
    answer = redis_callf(redis, &loaded, err, "SCRIPT LOAD %s", script->source);
    if (answer != REDIS_OK) {
        return answer;
    }
    if (loaded->type == REDIS_REPLY_STRING) {
        answer = evaluate(redis, loaded->str, keys, reply, err, argc, argv, lengths);
    } else {
        error_set(err, ERROR_REDIS, "redis %s: SCRIPT LOAD gave no digest", redis->url.address);
        answer = REDIS_PERMANENT;
    }
    freeReplyObject(loaded);
    return answer;
}

/* redis.h - one connection to Redis: URL, answers, and what they mean.
 *
 * Every call has a time limit. Errors are sorted into what a caller can do about them
 * (docs/guarantees.md, "What Redis may answer"). Use from one thread. */
#ifndef TANDEM_REDIS_H
#define TANDEM_REDIS_H

#include "common/config.h"
#include "common/error.h"
#include "common/text.h"

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdint.h>

enum redis_answer {
    REDIS_ANSWERED = REDIS_OK, /* REDIS_OK is hiredis' word for 0, and the one used here too */
    REDIS_NOSCRIPT,            /* not applied: load the script, send again */
    REDIS_BUSY,     /* not applied, try later: BUSY LOADING OOM MISCONF NOREPLICAS TRYAGAIN
                         CLUSTERDOWN */
    REDIS_UNKNOWN,  /* READONLY MASTERDOWN MOVED ASK, timeout, reset: applied or not; connect
                         anew and look */
    REDIS_PERMANENT /* WRONGTYPE, overflow, anything else: sending again cannot help */
};

struct redis;

/* Reads the URL and secrets; does not connect yet. 0, caller owns *out until redis_free(). */
int redis_open(struct redis **out, const struct config *config, struct error *err);
void redis_free(struct redis *redis);
/* "127.0.0.1:6379", for messages; no secret in it. */
const char *redis_address(const struct redis *redis);

/* Connects (or connects anew), authenticates, selects the database. One try. With Sentinels it asks
 * them for the master each time, and takes only one that calls itself so. After a node of a Redis
 * Cluster has answered MOVED it goes to the node that was named, with the URL's user, password and
 * TLS; a try that fails there forgets it, and the next one goes to the URL's node. So one connection
 * serves the keys of one slot. */
int redis_connect(struct redis *redis, struct error *err);
bool redis_connected(const struct redis *redis);
int redis_fd(const struct redis *redis); /* to poll for answers; -1: not connected */
void redis_disconnect(struct redis *redis);
/* As redis_connect(), but waits with back-off, says so once, gives up after connect.timeout if
 * that is set or when a signal asks to stop. */
int redis_wait(struct redis *redis, const struct config *config, struct error *err);
/* The same; in a Redis Cluster it ends at the node that has `key`. */
int redis_wait_for(struct redis *redis, const struct config *config, const char *key,
                   struct error *err);

/* One command, one answer. On REDIS_OK *reply is the caller's (freeReplyObject); else it is NULL and
 * err says what was answered. REDIS_UNKNOWN closes the connection. */
enum redis_answer redis_call(struct redis *redis, redisReply **reply, struct error *err, int argc,
                             const char *const *argv, const size_t *lengths);
/* The same from a printf-like format of hiredis (%s, %b, %lld). */
enum redis_answer redis_callf(struct redis *redis, redisReply **reply, struct error *err,
                              const char *format, ...);

/* A script that is sent by its digest and loaded when the server does not know it. */
struct redis_script {
    const char *source;
    char sha[41]; /* filled by redis_script_init() */
};
void redis_script_init(struct redis_script *script, const char *source);
/* EVALSHA with `keys` keys among argv; loads on NOSCRIPT and sends once more. */
enum redis_answer redis_eval(struct redis *redis, const struct redis_script *script, int keys,
                             redisReply **reply, struct error *err, int argc,
                             const char *const *argv, const size_t *lengths);

/* Sorts an error text of Redis ("READONLY You can't write ..."). */
enum redis_answer redis_sort(const char *error_text);

/* The two halves of redis_call(), for one batch in flight: send returns at once, received() says
 * whether an answer can be taken without waiting, receive takes it (waits up to redis.timeout). */
enum redis_answer redis_send(struct redis *redis, struct error *err, int argc,
                             const char *const *argv, const size_t *lengths);
bool redis_received(struct redis *redis, int64_t wait_ms);
enum redis_answer redis_receive(struct redis *redis, redisReply **reply, struct error *err);

#endif

#include "consumers/reporter/lease.h"

#include "common/clock.h"
#include "consumers/reporter/key.h"
#include "lease_lua.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct lease {
    struct redis_script script;
    char key[KEY_MAX];
    char token[33];
    int64_t renewed_ms; /* when it was last known to be mine; 0: not mine */
};

static int make_token(char out[33], struct error *err)
{
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
        return error_set(err, ERROR_SYSTEM, "getrandom: %s", strerror(errno));
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    }
    return 0;
}

int lease_open(struct lease **out, const char *business, struct error *err)
{
    struct lease *lease = calloc(1, sizeof *lease);
    if (!lease) {
        return error_memory(err);
    }
    if (make_token(lease->token, err) != 0) {
        free(lease);
        return -1;
    }
    key_format(lease->key, business, "reporter");
    redis_script_init(&lease->script, lease_lua);
    *out = lease;
    return 0;
}

void lease_free(struct lease *lease)
{
    free(lease);
}

static int run(struct lease *lease, struct redis *redis, int ms, long long *answer,
               struct error *err)
{
    char lasting[16];
    snprintf(lasting, sizeof lasting, "%d", ms);
    const char *argv[] = {lease->key, lease->token, lasting};
    redisReply *reply = NULL;
    if (redis_eval(redis, &lease->script, 1, &reply, err, 3, argv, NULL) != REDIS_OK) {
        return -1;
    }
    *answer = reply->type == REDIS_REPLY_INTEGER ? reply->integer : 0;
    freeReplyObject(reply);
    return 0;
}

int lease_take(struct lease *lease, struct redis *redis, enum lease_state *state, struct error *err)
{
    int64_t asked_ms = clock_mono_ms();
    long long answer = 0;
    if (run(lease, redis, LEASE_MS, &answer, err) != 0) {
        return -1;
    }
    /* Only a lease that this process has known since is kept; one left over from a lost answer
     * counts as new. */
    bool known = lease->renewed_ms != 0;
    *state = answer == 0 ? LEASE_OTHERS : answer == 1 && known ? LEASE_KEPT : LEASE_TAKEN;
    lease->renewed_ms = answer == 0 ? 0 : asked_ms;
    return 0;
}

int lease_renew(struct lease *lease, struct redis *redis, enum lease_state *state,
                struct error *err)
{
    if (lease->renewed_ms != 0 && clock_mono_ms() - lease->renewed_ms < LEASE_MS / 3) {
        *state = LEASE_KEPT;
        return 0;
    }
    return lease_take(lease, redis, state, err);
}

void lease_lost(struct lease *lease)
{
    lease->renewed_ms = 0;
}

void lease_release(struct lease *lease, struct redis *redis)
{
    long long answer;
    if (lease->renewed_ms != 0 && redis_connected(redis)) {
        run(lease, redis, 0, &answer, NULL);
    }
    lease->renewed_ms = 0;
}

const char *lease_token(const struct lease *lease)
{
    return lease->token;
}

const char *lease_key(const struct lease *lease)
{
    return lease->key;
}

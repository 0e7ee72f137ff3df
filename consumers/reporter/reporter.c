/* The life of a reporter: connect, hold the lease, publish what is due, again. */
#include "consumers/reporter/reporter.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/redis.h"
#include "common/zone.h"
#include "consumers/reporter/dispatch.h"
#include "consumers/reporter/herald.h"
#include "consumers/reporter/keeper.h"
#include "consumers/reporter/lease.h"
#include "consumers/reporter/publication.h"
#include "consumers/reporter/round.h"

#include <signal.h>
#include <stdlib.h>

enum {
    POLL_MS = 100, /* between two looks for something to do */
    WAIT_MS = 500, /* between two looks for the lease or for a store */
    BACK_OFF_MAX_MS = 5000,
    FLUSH_ONCE_MS = 60000, /* --once: for what Kafka has not taken yet */
    FLUSH_END_MS = 500     /* at a signal; what is left is sent by the next reporter */
};

struct reporter_options {
    bool once;
};

struct reporter {
    const struct config *config;
    struct config later; /* the same, but waits for ever: it was all there once */
    bool once, done;
    struct zone *zone;
    struct redis *redis;
    struct lease *lease;
    struct dispatch *dispatch;
    struct herald *herald;
    struct keeper *keeper;
    struct rounds *rounds;
    struct bulletin *bulletin;
    bool leading, said_waiting, said_no_store;
    int64_t waiting_since_ms; /* for the lease */
    int64_t pause_ms;         /* after a failure; 0: all is well */
};

/* A signal handler can reach nothing else. */
static volatile sig_atomic_t hangup;

static void on_hangup(int signal)
{
    (void)signal;
    hangup = 1;
}

static void catch_hangup(void)
{
    struct sigaction action = {.sa_handler = on_hangup};
    sigemptyset(&action.sa_mask);
    sigaction(SIGHUP, &action, NULL);
}

static void reporter_close(struct reporter *r)
{
    rounds_free(r->rounds);
    keeper_free(r->keeper);
    herald_free(r->herald);
    dispatch_free(r->dispatch);
    lease_free(r->lease);
    redis_free(r->redis);
    zone_free(r->zone);
}

static int reporter_open(struct reporter *r, struct error *err)
{
    const struct config *config = r->config;
    if (zone_open(&r->zone, config->timezone, err) != 0 ||
        redis_open(&r->redis, config, err) != 0 ||
        lease_open(&r->lease, config->business, err) != 0 ||
        dispatch_open(&r->dispatch, config, err) != 0 ||
        herald_open(&r->herald, config, err) != 0 || keeper_open(&r->keeper, config, err) != 0) {
        return -1;
    }
    return rounds_open(&r->rounds, config, r->zone, r->redis, r->lease, r->dispatch, r->keeper,
                       r->bulletin, err);
}

static int wait_for_redis(struct reporter *r, const struct config *config, struct error *err)
{
    return redis_wait_for(r->redis, config, lease_key(r->lease), err);
}

/* Everything that must be right before the first publication. */
static int reporter_begin(struct reporter *r, struct error *err)
{
    if (keeper_read_file(r->keeper, err) != 0 || wait_for_redis(r, r->config, err) != 0 ||
        dispatch_wait(r->dispatch, err) != 0 || herald_wait(r->herald, err) != 0) {
        return -1;
    }
    return publication_load(r->redis, err);
}

static int reconnect(struct reporter *r, struct error *err)
{
    struct error away;
    r->leading = false;
    error_retry(&away, ERROR_REDIS, "redis is away");
    bulletin_beat(r->bulletin, false);
    bulletin_trouble(r->bulletin, &away);
    if (wait_for_redis(r, &r->later, err) != 0) {
        return -1;
    }
    return publication_load(r->redis, err);
}

static void reread_targets(struct reporter *r)
{
    struct error err;
    hangup = 0;
    if (keeper_read_file(r->keeper, &err) != 0) {
        log_error("targets refused, the old ones stay", log_s("why", err.text));
    }
    rounds_look_at_targets(r->rounds);
}

static int lead(struct reporter *r, struct error *err)
{
    log_info("publishing", log_s("business", r->config->business),
             log_s("redis", redis_address(r->redis)));
    r->leading = true;
    r->said_waiting = false;
    rounds_begin(r->rounds);
    if (herald_begin(r->herald, r->redis, r->lease, err) != 0) {
        return -1;
    }
    return dispatch_resend(r->dispatch, r->redis, err);
}

/* Another one publishes. With --once there is nothing to wait for when it keeps its lease and has
 * left nothing dirty. */
static int stand_by(struct reporter *r, struct error *err)
{
    if (!r->said_waiting) {
        log_info("another reporter publishes, waiting for its lease");
        r->said_waiting = true;
        r->waiting_since_ms = clock_mono_ms();
    }
    r->leading = false;
    bulletin_standby(r->bulletin);
    if (r->once && clock_mono_ms() - r->waiting_since_ms > LEASE_MS + WAIT_MS) {
        bool waiting;
        if (rounds_waiting(r->rounds, &waiting, err) != 0) {
            return -1;
        }
        r->done = !waiting;
    }
    clock_sleep_ms(WAIT_MS);
    return 0;
}

static int no_store(struct reporter *r, struct error *err)
{
    if (r->once) {
        return error_set(err, ERROR_STORE,
                         "business %s: nothing was counted yet (no worker has made a store)",
                         r->config->business);
    }
    if (!r->said_no_store) {
        log_info("nothing was counted yet, waiting for a worker",
                 log_s("business", r->config->business));
        r->said_no_store = true;
    }
    bulletin_fresh(r->bulletin); /* of nothing, everything is published */
    clock_sleep_ms(WAIT_MS);
    return 0;
}

/* With --once nothing may be left; a shard of the ledger that is away is waited for as for Redis. */
static int rest(struct reporter *r, bool complete, struct error *err)
{
    int64_t away_ms;
    bool pending = rounds_pending(r->rounds, &away_ms);
    if (complete && away_ms == 0) {
        bulletin_fresh(r->bulletin);
    }
    r->done = r->once && complete && !pending;
    if (r->once && away_ms != 0 && r->config->connect_timeout_ms > 0 &&
        clock_mono_ms() - away_ms > r->config->connect_timeout_ms) {
        return error_set(err, ERROR_REDIS, "a shard of the ledger is away: gave up after %lld ms",
                         (long long)r->config->connect_timeout_ms);
    }
    if (complete && !r->done) {
        clock_sleep_ms(POLL_MS);
    }
    return 0;
}

static int publish_due(struct reporter *r, struct error *err)
{
    bool due = false;
    struct round_result result = {.complete = true, .store = true};
    if (rounds_due(r->rounds, &due, err) != 0) {
        return -1;
    }
    if (due && rounds_run(r->rounds, &result, err) != 0) {
        return -1;
    }
    if (!result.store) {
        return no_store(r, err);
    }
    if (result.lost) {
        log_warning("the lease was lost");
        lease_lost(r->lease);
        r->leading = false;
        return 0;
    }
    if (dispatch_serve(r->dispatch, r->redis, r->lease, err) != 0 ||
        herald_serve(r->herald, r->redis, r->lease, err) != 0) {
        return -1;
    }
    return rest(r, result.complete, err);
}

/* One turn of the loop. */
static int turn(struct reporter *r, struct error *err)
{
    bulletin_beat(r->bulletin, r->leading);
    if (!redis_connected(r->redis) && reconnect(r, err) != 0) {
        return -1;
    }
    enum lease_state state;
    if (lease_renew(r->lease, r->redis, &state, err) != 0) {
        return -1;
    }
    if (state == LEASE_OTHERS) {
        return stand_by(r, err);
    }
    if ((state == LEASE_TAKEN || !r->leading) && lead(r, err) != 0) {
        return -1;
    }
    if (hangup) {
        reread_targets(r);
    }
    return publish_due(r, err);
}

/* What may pass is waited for, with growing pauses; said once until all is well again. */
static int endure(struct reporter *r, struct error *err)
{
    if (!err->retry) {
        return -1;
    }
    bulletin_trouble(r->bulletin, err);
    if (r->pause_ms == 0) {
        log_warning("cannot publish, trying again", log_s("why", err->text));
    }
    r->pause_ms = r->pause_ms ? r->pause_ms * 2 : POLL_MS;
    if (r->pause_ms > BACK_OFF_MAX_MS) {
        r->pause_ms = BACK_OFF_MAX_MS;
    }
    r->leading = false; /* what is remembered may be wrong now */
    clock_sleep_ms(r->pause_ms);
    return 0;
}

static int loop(struct reporter *r, struct error *err)
{
    while (!command_stopping() && !r->done) {
        if (turn(r, err) == 0) {
            if (r->pause_ms) {
                log_info("publishing goes on");
            }
            r->pause_ms = 0;
        } else if (err->code == ERROR_STOPPED) {
            return 0;
        } else if (endure(r, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int finish(struct reporter *r, struct error *err)
{
    int rc = 0;
    if (redis_connected(r->redis) && r->leading) {
        rc = dispatch_flush(r->dispatch, r->redis, r->lease, r->done ? FLUSH_ONCE_MS : FLUSH_END_MS,
                            err);
        if (rc == 0) {
            rc = herald_flush(r->herald, r->redis, r->lease, r->done ? FLUSH_ONCE_MS : FLUSH_END_MS,
                              err);
        }
    }
    lease_release(r->lease, r->redis);
    if (!r->done) {
        rc = 0; /* what was not delivered is noted in the outbox, for the next reporter */
    }
    if (rc == 0 && r->once && !r->done) {
        rc = error_set(err, ERROR_STOPPED, "stopped before everything was published");
    }
    return rc;
}

/* From the first connection to the last. */
static int live(struct reporter *r, struct error *err)
{
    int rc = reporter_open(r, err);
    if (rc == 0 && (rc = reporter_begin(r, err)) == 0 && (rc = loop(r, err)) == 0) {
        rc = finish(r, err);
    } else if (r->lease) {
        lease_release(r->lease, r->redis);
        rc = err->code == ERROR_STOPPED && !r->once ? 0 : rc;
    }
    reporter_close(r);
    return rc;
}

static int run_reporter(const struct config *config, const void *options, int argc, char **argv,
                        struct error *err)
{
    (void)argc;
    (void)argv;
    struct reporter r = {.config = config, .later = *config};
    struct listen *listen = NULL;
    r.once = ((const struct reporter_options *)options)->once;
    r.later.connect_timeout_ms = 0;
    command_catch_signals();
    catch_hangup();
    if (bulletin_open(&r.bulletin, config, err) != 0) {
        return 1;
    }
    const struct listen_route routes[] = {{"/metrics", bulletin_metrics, r.bulletin},
                                          {"/healthz", bulletin_health, r.bulletin},
                                          {"/readyz", bulletin_ready, r.bulletin},
                                          {0}};
    int rc = 0;
    if (config->listen[0]) {
        rc = listen_open(&listen, config->listen, routes, err);
    }
    rc = rc == 0 ? live(&r, err) : rc;
    listen_close(listen);
    bulletin_free(r.bulletin);
    return rc == 0 ? 0 : 1;
}

static const struct command_option reporter_words[] = {
    {.name = "once",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct reporter_options, once),
     .help = "publish everything that waits and the running periods, then end"},
    {0},
};

static const char *const reporter_settings[] = {
    "brokers",
    "redis",
    "redis.password.file",
    "redis.ca.file",
    "redis.cert.file",
    "redis.key.file",
    "redis.timeout",
    "business",
    "timezone",
    "topics.comparison",
    "scopes",
    "targets",
    "history.length",
    "connect.timeout",
    "listen",
    "topics.verdicts",
    "webhook.url",
    "webhook.secret.file",
    "webhook.periods",
    "webhook.scopes",
    "log.level",
    "log.format",
    NULL,
};

const struct command reporter_command = {
    .name = "reporter",
    .args = "",
    .summary = "Publish the comparison of sale and service",
    .about = "Sums the days that workers count into weeks, months, quarters and years,\n"
             "compares sale with service, and publishes the result: hashes, tables and\n"
             "a history in Redis, a message on a channel, records on the comparison\n"
             "topic. docs/redis.md lists every key and field.\n\n"
             "A verdict that changes is announced on the topic of topics.verdicts and, with\n"
             "--webhook-url, to a webhook: docs/verdicts.md.\n\n"
             "Several may run: one publishes, the others wait for its lease. With\n"
             "--targets FILE the file is checked, kept in Redis, and read again on\n"
             "SIGHUP; one with mistakes is refused whole and the old one stays.\n\n"
             "  tandem reporter --targets targets.json\n"
             "  tandem reporter --once\n",
    .options = reporter_words,
    .settings = reporter_settings,
    .options_size = sizeof(struct reporter_options),
    .run = run_reporter,
};

#include "consumers/reporter/bulletin.h"

#include "common/clock.h"
#include "common/exposition.h"
#include "common/kafka.h"
#include "common/process.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    TURN_MAX_MS = 60000, /* and twice redis.timeout: a round and its waits are much shorter */
    STALE_MS = 30000     /* a reporter that has not published all for longer is not ready */
};

static const char *const severities[] = {"ok", "notice", "warning", "critical"};

#define SEVERITIES ((int)(sizeof severities / sizeof severities[0]))

struct bulletin {
    const struct config *config;
    pthread_mutex_t lock; /* what follows */
    bool leading, standby;
    int64_t beat_ms, fresh_ms, fresh_wall_ms, published_wall_ms; /* 0: never */
    int64_t publications, redis_errors;
    int severity[PERIOD_KINDS]; /* place in severities; -1: not known */
    char trouble[256];
};

int bulletin_open(struct bulletin **out, const struct config *config, struct error *err)
{
    struct bulletin *b = calloc(1, sizeof *b);
    *out = b;
    if (!b) {
        return error_memory(err);
    }
    b->config = config;
    for (int kind = 0; kind < PERIOD_KINDS; kind++) {
        b->severity[kind] = -1;
    }
    pthread_mutex_init(&b->lock, NULL);
    return 0;
}

void bulletin_free(struct bulletin *bulletin)
{
    if (bulletin) {
        pthread_mutex_destroy(&bulletin->lock);
    }
    free(bulletin);
}

/* ---- the reporter's thread ---- */

void bulletin_beat(struct bulletin *b, bool leading)
{
    pthread_mutex_lock(&b->lock);
    b->beat_ms = clock_mono_ms();
    b->leading = leading;
    pthread_mutex_unlock(&b->lock);
}

void bulletin_standby(struct bulletin *b)
{
    pthread_mutex_lock(&b->lock);
    b->standby = true;
    b->trouble[0] = '\0';
    for (int kind = 0; kind < PERIOD_KINDS; kind++) {
        b->severity[kind] = -1; /* whoever publishes knows */
    }
    pthread_mutex_unlock(&b->lock);
}

void bulletin_fresh(struct bulletin *b)
{
    pthread_mutex_lock(&b->lock);
    b->standby = false;
    b->fresh_ms = clock_mono_ms();
    b->fresh_wall_ms = clock_wall_ms();
    b->trouble[0] = '\0';
    pthread_mutex_unlock(&b->lock);
}

void bulletin_trouble(struct bulletin *b, const struct error *why)
{
    pthread_mutex_lock(&b->lock);
    b->standby = false;
    b->redis_errors += why->code == ERROR_REDIS;
    snprintf(b->trouble, sizeof b->trouble, "%.*s", (int)sizeof b->trouble - 1, why->text);
    pthread_mutex_unlock(&b->lock);
}

static int severity_of(const struct publication *publication)
{
    const char *word = fields_value(publication->fields, "severity");
    for (int i = 0; i < SEVERITIES; i++) {
        if (strcmp(word, severities[i]) == 0) {
            return i;
        }
    }
    return -1;
}

void bulletin_take(struct bulletin *b, const struct publication *publication)
{
    pthread_mutex_lock(&b->lock);
    b->publications++;
    b->published_wall_ms = clock_wall_ms();
    if (publication->running && strcmp(publication->scope, "all") == 0) {
        b->severity[publication->period.kind] = severity_of(publication);
    }
    pthread_mutex_unlock(&b->lock);
}

/* ---- the listener's thread ---- */

static void gauge_ms(FILE *out, const char *name, const char *help, int64_t ms)
{
    exposition_family(out, name, "gauge", help);
    exposition_ms(out, name, ms, NULL);
}

static void counter(FILE *out, const char *name, const char *help, int64_t value)
{
    exposition_family(out, name, "counter", help);
    exposition_int(out, name, value, NULL);
}

static void verdict_metrics(const struct bulletin *b, FILE *out)
{
    exposition_family(out, "tandem_verdict", "gauge",
                      "1 for the severity of scope all's running period, as last published here.");
    for (int kind = 0; kind < PERIOD_KINDS; kind++) {
        for (int s = 0; s < SEVERITIES && b->severity[kind] >= 0; s++) {
            exposition_int(out, "tandem_verdict", b->severity[kind] == s, "period",
                           period_kind_name((enum period_kind)kind), "severity", severities[s],
                           NULL);
        }
    }
}

void bulletin_metrics(void *own, struct listen_reply *reply)
{
    struct bulletin *b = own;
    FILE *out = reply->body;
    reply->type = "text/plain; version=0.0.4; charset=utf-8";
    process_metrics("reporter", out);
    pthread_mutex_lock(&b->lock);
    exposition_family(out, "tandem_reporter_leading", "gauge",
                      "1 while this reporter holds the lease and publishes.");
    exposition_int(out, "tandem_reporter_leading", b->leading, NULL);
    counter(out, "tandem_publications_total", "Comparisons published.", b->publications);
    gauge_ms(out, "tandem_last_publication_timestamp_seconds",
             "When this reporter last published; 0: never.", b->published_wall_ms);
    gauge_ms(out, "tandem_publication_age_seconds",
             "How long ago this reporter last published; 0: never.",
             b->published_wall_ms ? clock_wall_ms() - b->published_wall_ms : 0);
    gauge_ms(out, "tandem_report_fresh_timestamp_seconds",
             "When this reporter last saw everything counted published; 0: never.",
             b->fresh_wall_ms);
    counter(out, "tandem_redis_errors_total", "Calls that Redis failed, refused or put off.",
            b->redis_errors);
    counter(out, "tandem_kafka_errors_total", "Errors that the Kafka client told of.",
            kafka_errors());
    verdict_metrics(b, out);
    pthread_mutex_unlock(&b->lock);
}

void bulletin_health(void *own, struct listen_reply *reply)
{
    struct bulletin *b = own;
    pthread_mutex_lock(&b->lock);
    int64_t beat_ms = b->beat_ms, quiet_ms = clock_mono_ms() - beat_ms;
    bool waits = b->trouble[0] != '\0';
    pthread_mutex_unlock(&b->lock);
    /* One that waits for Redis sits in one turn for as long as that takes: to end it would not help. */
    if (beat_ms && !waits && b->config->redis_timeout_ms * 2 + TURN_MAX_MS < quiet_ms) {
        reply->status = 503;
        fprintf(reply->body, "the loop has not turned for %lld s\n", (long long)quiet_ms / 1000);
        return;
    }
    fputs(beat_ms ? "ok\n" : "ok, starting\n", reply->body);
}

void bulletin_ready(void *own, struct listen_reply *reply)
{
    struct bulletin *b = own;
    pthread_mutex_lock(&b->lock);
    bool fresh = b->fresh_ms && clock_mono_ms() - b->fresh_ms <= STALE_MS;
    if (fresh && !b->trouble[0]) {
        fputs("ready, publishing\n", reply->body);
    } else if (b->standby && !b->trouble[0]) {
        fputs("ready, standing by: another reporter publishes\n", reply->body);
    } else {
        reply->status = 503;
        fprintf(reply->body, "%s\n",
                b->trouble[0] ? b->trouble : "not everything that was counted is published yet");
    }
    pthread_mutex_unlock(&b->lock);
}

#include "common/kafka.h"

#include "common/clock.h"
#include "common/command.h"
#include "common/log.h"
#include "common/secret.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum roles {
    WORKER = 1,
    READER = 2,
    PRODUCER = 4,
    ADMIN = 8,
    CONSUMERS = WORKER | READER,
    ALL = 15
};

/* What the promise hangs on. kafka.<name> is refused, whatever its value is. */
static const struct fixed {
    const char *name;
    const char *value; /* NULL: tandem sets it from a setting of its own, or not at all */
    unsigned roles;
    const char *why;
} fixed[] = {
    {"auto.offset.reset", "error", CONSUMERS,
     "an offset that the log no longer holds must stop a worker, never move it"},
    {"enable.auto.commit", "false", CONSUMERS,
     "the position lies in Redis beside the counters; offsets in Kafka are only for lag tools"},
    {"auto.commit.enable", NULL, 0, "the position lies in Redis beside the counters"},
    {"enable.auto.offset.store", "false", CONSUMERS,
     "only what Redis holds is stored, not what was merely read"},
    {"enable.partition.eof", "true", CONSUMERS,
     "the end of a partition moves the position past control records"},
    {"isolation.level", "read_committed", CONSUMERS, "what was aborted must not be counted"},
    {"group.protocol", "classic", WORKER,
     "rebalances are handled as the classic protocol gives them"},
    {"partition.assignment.strategy", "range", WORKER,
     "a customer's two sides meet in one process only when partitions are assigned by range"},
    {"check.crcs", "true", CONSUMERS, "a record damaged on the way must not be counted"},
    {"acks", "all", PRODUCER, "a record that one broker alone holds may be lost"},
    {"request.required.acks", NULL, 0, "a record that one broker alone holds may be lost"},
    {"enable.idempotence", "true", PRODUCER,
     "a retry must neither double a record nor change the order"},
    {"transactional.id", NULL, 0, "tandem's producers are idempotent, not transactional"},
    {"partitioner", "murmur2_random", PRODUCER,
     "a customer's events must land where clients of other languages put them"},
    {"bootstrap.servers", NULL, 0, "that is the setting `brokers`"},
    {"metadata.broker.list", NULL, 0, "that is the setting `brokers`"},
    {"group.id", NULL, 0, "that is made from the setting `group`"},
};

#define FIXED (sizeof fixed / sizeof fixed[0])

/* tandem's own defaults, which kafka.<name> may change. */
static const struct preset {
    const char *name, *value;
    unsigned roles;
} presets[] = {
    {"client.id", "tandem", ALL},
    {"socket.keepalive.enable", "true", ALL},
    {"log.connection.close", "false", ALL},     /* brokers close idle connections: no news */
    {"reconnect.backoff.max.ms", "2000", ALL},  /* not 10 s: be back soon after a restart */
    {"allow.auto.create.topics", "false", ALL}, /* a wrong name is an error, not a new topic */
    {"session.timeout.ms", "10000", WORKER},    /* a killed worker's partitions move in 10 s */
    /* A rebalance is told with the answer to a heartbeat, and all partitions stand still meanwhile. */
    {"heartbeat.interval.ms", "500", WORKER},
    {"max.poll.interval.ms", "60000", WORKER},
    /* Some 10,000 records wait: four times as many were no faster and took 30 MB more. Far from the
     * broker, where a fetch takes long, larger ones help. */
    {"queued.min.messages", "20000", CONSUMERS},
    {"fetch.message.max.bytes", "262144", CONSUMERS},
    {"queued.max.messages.kbytes", "4096", CONSUMERS},
    {"fetch.queue.backoff.ms", "1", CONSUMERS}, /* a full queue must not stop fetching for 1 s */
    {"fetch.wait.max.ms", "50", CONSUMERS},     /* the broker's wait for more is part of lag */
    {"fetch.error.backoff.ms", "100", CONSUMERS},
    {"linger.ms", "5", PRODUCER},               /* batches fill, and nobody feels 5 ms */
    {"message.timeout.ms", "120000", PRODUCER}, /* a broker may restart meanwhile */
    {"queue.buffering.max.messages", "200000", PRODUCER},
    {"queue.buffering.max.kbytes", "65536", PRODUCER},
};

#define PRESETS (sizeof presets / sizeof presets[0])

static unsigned role_bit(enum kafka_role role)
{
    static const unsigned bits[] = {WORKER, READER, PRODUCER, ADMIN};
    return bits[role];
}

static int set(rd_kafka_conf_t *conf, const char *name, const char *value, struct error *err)
{
    char text[512];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) != RD_KAFKA_CONF_OK) {
        return error_set(err, ERROR_USAGE, "%s", text);
    }
    return 0;
}

static const struct fixed *find_fixed(const char *name)
{
    for (size_t i = 0; i < FIXED; i++) {
        if (strcmp(fixed[i].name, name) == 0) {
            return &fixed[i];
        }
    }
    return NULL;
}

/* kafka.sasl.password.file names a file that holds sasl.password; no name of librdkafka's ends so. */
static bool names_file(const char *name, char plain[128])
{
    size_t len = strlen(name);
    if (len <= 5 || len >= 128 || strcmp(name + len - 5, ".file") != 0) {
        return false;
    }
    snprintf(plain, 128, "%.*s", (int)(len - 5), name);
    return true;
}

static int set_from_file(rd_kafka_conf_t *conf, const char *name, const struct config_pass *pass,
                         struct error *err)
{
    char what[160], *secret = NULL;
    snprintf(what, sizeof what, "kafka.%s", pass->name);
    if (secret_read(&secret, pass->value, what, err) != 0) {
        return -1;
    }
    int rc = set(conf, name, secret, err);
    secret_free(secret);
    return rc ? error_prefix(err, "%s (from %s)", what, pass->source) : 0;
}

static int set_given(rd_kafka_conf_t *conf, const struct config *config, struct error *err)
{
    char plain[128];
    for (size_t i = 0; i < config->kafka_count; i++) {
        const struct config_pass *pass = &config->kafka[i];
        const struct fixed *rule = find_fixed(pass->name);
        if (rule && rule->value) {
            return error_set(err, ERROR_USAGE,
                             "kafka.%s: is always %s and cannot be changed: %s "
                             "(from %s)",
                             pass->name, rule->value, rule->why, pass->source);
        }
        if (rule) {
            return error_set(err, ERROR_USAGE, "kafka.%s: cannot be set: %s (from %s)", pass->name,
                             rule->why, pass->source);
        }
        if (names_file(pass->name, plain)) {
            if (set_from_file(conf, plain, pass, err)) {
                return -1;
            }
        } else if (set(conf, pass->name, pass->value, err)) {
            return error_prefix(err, "kafka.%s (from %s)", pass->name, pass->source);
        }
    }
    return 0;
}

static int set_presets(rd_kafka_conf_t *conf, unsigned bit, struct error *err)
{
    for (size_t i = 0; i < PRESETS; i++) {
        if ((presets[i].roles & bit) && set(conf, presets[i].name, presets[i].value, err)) {
            return error_prefix(err, "librdkafka %s", rd_kafka_version_str());
        }
    }
    return 0;
}

/* One that pushes its metrics to the brokers, as librdkafka does since 2.5, waits for up to 1 s for
 * them when it ends, whether or not anybody asked for metrics. */
static int set_metrics(rd_kafka_conf_t *conf, struct error *err)
{
    return rd_kafka_version() >= 0x02050000 ? set(conf, "enable.metrics.push", "false", err) : 0;
}

static int set_fixed(rd_kafka_conf_t *conf, unsigned bit, struct error *err)
{
    for (size_t i = 0; i < FIXED; i++) {
        if ((fixed[i].roles & bit) && set(conf, fixed[i].name, fixed[i].value, err)) {
            return error_prefix(err, "librdkafka %s", rd_kafka_version_str());
        }
    }
    return 0;
}

static int set_group(rd_kafka_conf_t *conf, const struct config *config, const char *kind,
                     struct error *err)
{
    char group[256];
    if (!kind) {
        return 0;
    }
    snprintf(group, sizeof group, "%s.%s", config->group[0] ? config->group : config->business,
             kind);
    return set(conf, "group.id", group, err);
}

/* At most LINES lines of librdkafka in a while; it repeats itself on each retry. The state is the
 * process's, as its stderr is. */
static bool may_log(void)
{
    enum { LINES = 10, WHILE_MS = 10000 };
    static _Atomic int64_t since_ms;
    static _Atomic int lines, dropped;
    int64_t now_ms = clock_mono_ms();
    if (now_ms - since_ms >= WHILE_MS) {
        since_ms = now_ms;
        lines = 0;
        int lost = atomic_exchange(&dropped, 0);
        if (lost > 0) {
            log_info("librdkafka lines not shown", log_i("lines", lost));
        }
    }
    if (atomic_fetch_add(&lines, 1) < LINES) {
        return true;
    }
    atomic_fetch_add(&dropped, 1);
    return false;
}

/* What a broker last said to this process instead of letting it in. All clients of a process have
 * the same brokers and credentials, so the state is the process's. */
static struct {
    pthread_mutex_t lock;
    int code; /* 0: nothing since a broker answered */
    char text[512];
} trouble = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void note_trouble(int code, const char *reason)
{
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        return; /* says less than what came before it */
    }
    pthread_mutex_lock(&trouble.lock);
    trouble.code = code;
    snprintf(trouble.text, sizeof trouble.text, "%s", reason);
    pthread_mutex_unlock(&trouble.lock);
}

static void forget_trouble(void)
{
    note_trouble(0, "");
}

/* The text of the trouble in `out` ("" for none); true when waiting cannot mend it: a password, a
 * certificate, or a protocol that the two sides do not share. */
static bool read_trouble(char out[512])
{
    pthread_mutex_lock(&trouble.lock);
    int code = trouble.code;
    snprintf(out, 512, "%s", trouble.text);
    pthread_mutex_unlock(&trouble.lock);
    return code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL ||
           code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED;
}

/* Which settings to look at. */
static const char *hint_of(const char *text)
{
    static const char *const hints[][2] = {
        {"PLAINTEXT broker listener", "; the port speaks no TLS: see kafka.security.protocol and "
                                      "brokers"},
        {"expired", "; renew the certificate"},
        {"certificate verify failed", "; see kafka.ssl.ca.location"},
        {"alert",
         "; the broker refuses this side's certificate: see kafka.ssl.certificate.location"},
        {"SASL", "; see kafka.sasl.username and kafka.sasl.password.file"},
    };
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++) {
        if (strstr(text, hints[i][0])) {
            return hints[i][1];
        }
    }
    return "";
}

static void on_log(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    /* CONFWARN: kafka.* goes to every role, so consumer settings reach producers too. FAIL: a
     * connection failed, which on_error() tells. GETPID: a young broker, tried again. */
    bool quiet = level >= 7 || strcmp(facility, "CONFWARN") == 0 || strcmp(facility, "FAIL") == 0 ||
                 strcmp(facility, "GETPID") == 0;
    const char *name = client ? rd_kafka_name(client) : "";
    if (quiet) {
        log_debug("librdkafka", log_s("client", name), log_s("facility", facility),
                  log_s("text", text));
        return;
    }
    if (may_log()) {
        /* Its errors are mostly retried by itself: a warning. Fatal ones come by on_error(). */
        const struct log_field fields[] = {
            log_s("client", name), log_s("facility", facility), log_s("text", text), {0, 0, 0}};
        log_write(level <= 4 ? LOG_WARNING : LOG_INFO, "librdkafka", fields);
    }
}

static _Atomic int64_t errors;

int64_t kafka_errors(void)
{
    return errors;
}

void kafka_note_error(void)
{
    errors++;
}

static void on_error(rd_kafka_t *client, int code, const char *reason, void *opaque)
{
    (void)opaque;
    note_trouble(code, reason);
    kafka_note_error();
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        char text[512];
        rd_kafka_fatal_error(client, text, sizeof text);
        log_error("Kafka client failed for good", log_s("text", text));
    } else if (may_log()) {
        log_warning("Kafka", log_s("text", reason));
    }
}

rd_kafka_conf_t *kafka_conf(const struct config *config, enum kafka_role role, const char *kind,
                            struct error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    unsigned bit = role_bit(role);
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
    if (set(conf, "bootstrap.servers", config->brokers, err)) {
        error_prefix(err, "brokers");
    } else if (!set_presets(conf, bit, err) && !set_metrics(conf, err) &&
               !set_given(conf, config, err) && !set_fixed(conf, bit, err) &&
               !set_group(conf, config, kind, err)) {
        return conf;
    }
    rd_kafka_conf_destroy(conf);
    return NULL;
}

rd_kafka_t *kafka_open(const struct config *config, enum kafka_role role, const char *kind,
                       void *opaque, void (*adjust)(rd_kafka_conf_t *conf), struct error *err)
{
    rd_kafka_conf_t *conf = kafka_conf(config, role, kind, err);
    if (!conf) {
        return NULL;
    }
    rd_kafka_conf_set_opaque(conf, opaque);
    if (adjust) {
        adjust(conf);
    }
    bool consumes = role == KAFKA_WORKER || role == KAFKA_READER;
    char text[512];
    rd_kafka_t *client =
        rd_kafka_new(consumes ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!client) {
        rd_kafka_conf_destroy(conf); /* rd_kafka_new() takes it only when it succeeds */
        error_set(err, ERROR_USAGE, "Kafka: %s", text);
    }
    return client;
}

/* One question to any broker; 0 when one answered. */
static int ask(rd_kafka_t *client, int timeout_ms, struct error *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(client, 0, NULL, &metadata, timeout_ms);
    if (code) {
        return error_retry(err, ERROR_KAFKA, "%s", rd_kafka_err2str(code));
    }
    rd_kafka_metadata_destroy(metadata);
    return 0;
}

int kafka_wait(rd_kafka_t *client, const struct config *config, struct error *err)
{
    int64_t begin_ms = clock_mono_ms(), pause_ms = 100;
    for (bool said = false;; said = true) {
        int64_t left_ms = config->connect_timeout_ms - (clock_mono_ms() - begin_ms);
        bool limited = config->connect_timeout_ms > 0;
        int timeout_ms = limited && left_ms < 1000 ? (left_ms > 50 ? (int)left_ms : 50) : 1000;
        if (ask(client, timeout_ms, err) == 0) {
            forget_trouble();
            if (said) {
                log_info("Kafka answers", log_s("brokers", config->brokers));
            }
            return 0;
        }
        if (!said) {
            log_warning("Kafka does not answer; trying again", log_s("brokers", config->brokers));
        }
        rd_kafka_poll(client, 0); /* on_error() tells which broker failed and why */
        char why[512];
        if (read_trouble(why)) {
            return error_set(err, ERROR_KAFKA, "Kafka at %s lets nobody in: %s%s", config->brokers,
                             why, hint_of(why));
        }
        if (command_stopping()) {
            return error_set(err, ERROR_STOPPED, "stopped while waiting for Kafka at %s",
                             config->brokers);
        }
        left_ms = config->connect_timeout_ms - (clock_mono_ms() - begin_ms);
        if (limited && left_ms <= 0) {
            return error_retry(err, ERROR_KAFKA,
                               "Kafka at %s did not answer within %lld ms (connect.timeout): %s%s",
                               config->brokers, (long long)config->connect_timeout_ms,
                               why[0] ? why : err->text,
                               why[0] ? hint_of(why)
                                      : "; if it speaks TLS only, see "
                                        "kafka.security.protocol");
        }
        clock_sleep_ms(limited && left_ms < pause_ms ? left_ms : pause_ms);
        pause_ms = pause_ms < 2000 ? pause_ms * 2 : 2000;
    }
}

int kafka_refused(rd_kafka_resp_err_t code, const char *what, struct error *err)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
        return error_set(err, ERROR_KAFKA,
                         "%s: %s: this user lacks an ACL for it (deploy/kafka/acls.txt, "
                         "docs/security.md)",
                         what, rd_kafka_err2str(code));
    default:
        return error_retry(err, ERROR_KAFKA, "%s: %s", what, rd_kafka_err2str(code));
    }
}

static int topic_refused(rd_kafka_resp_err_t code, const char *topic, struct error *err)
{
    char what[300];
    snprintf(what, sizeof what, "topic %s", topic);
    return kafka_refused(code, what, err);
}

int kafka_partitions(rd_kafka_t *client, const char *topic, struct error *err)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client, topic, NULL);
    if (!handle) {
        return error_set(err, ERROR_KAFKA, "topic %s: %s", topic,
                         rd_kafka_err2str(rd_kafka_last_error()));
    }
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(client, 0, handle, &metadata, 10000);
    rd_kafka_topic_destroy(handle);
    if (code) {
        return topic_refused(code, topic, err);
    }
    int count = 0;
    if (metadata->topic_cnt == 1 && !metadata->topics[0].err) {
        count = metadata->topics[0].partition_cnt;
    } else if (metadata->topic_cnt == 1 &&
               metadata->topics[0].err != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART &&
               metadata->topics[0].err != RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC) {
        count = topic_refused(metadata->topics[0].err, topic, err);
    }
    rd_kafka_metadata_destroy(metadata);
    return count;
}

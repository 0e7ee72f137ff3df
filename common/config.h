/* config.h - every setting of tandem, in one table.
 *
 * The table CONFIG_SETTINGS makes the struct, the parser, --help and docs/settings.md. A setting
 * comes from, the later winning: default, properties file (-F), environment (TANDEM_TOPICS_SALES
 * for topics.sales), option (--topics-sales or -X topics.sales=...). An unknown key or a bad value
 * is an error that names it and where it stood. */
#ifndef TANDEM_CONFIG_H
#define TANDEM_CONFIG_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* X(key, field, kind, default, min, max, word, help)
 * kind: STRING, INT, BOOL, WORD (word = "a|b|c"); min and max bound an INT, or a STRING's bytes. */
#define CONFIG_SETTINGS(X)                                                                      \
    X("brokers", brokers, STRING, "localhost:9092", 1, 4096, "HOST:PORT,...",                   \
      "Kafka's bootstrap servers")                                                              \
    X("redis", redis, STRING, "redis://localhost:6379", 1, 4096, "URL",                         \
      "Redis: redis://, rediss:// (TLS) or unix://, with user, password and database; or by "   \
      "Sentinels redis+sentinel://HOST:PORT,HOST:PORT/MASTER")                                  \
    X("redis.password.file", redis_password_file, STRING, "", 0, 4096, "FILE",                  \
      "file that holds the password of Redis")                                                  \
    X("redis.ca.file", redis_ca_file, STRING, "", 0, 4096, "FILE",                              \
      "certificates to trust for rediss:// (default: the system's)")                            \
    X("redis.cert.file", redis_cert_file, STRING, "", 0, 4096, "FILE",                          \
      "certificate to show to a Redis that asks for one")                                       \
    X("redis.key.file", redis_key_file, STRING, "", 0, 4096, "FILE",                            \
      "private key of redis.cert.file")                                                         \
    X("redis.timeout", redis_timeout_ms, INT, "5000", 50, 600000, "MS",                         \
      "longest wait for one answer of Redis")                                                   \
    X("business", business, STRING, "main", 1, 32, "NAME",                                      \
      "name of the business: [a-z0-9-], the hash tag of its keys")                              \
    X("timezone", timezone, STRING, "UTC", 1, 64, "NAME", "IANA time zone in which days begin") \
    X("topics.sales", topics_sales, STRING, "tandem.sales", 1, 249, "TOPIC",                    \
      "topic of sale events")                                                                   \
    X("topics.service", topics_service, STRING, "tandem.service", 1, 249, "TOPIC",              \
      "topic of service events")                                                                \
    X("topics.rejected", topics_rejected, STRING, "tandem.rejected", 1, 249, "TOPIC",           \
      "topic of records that cannot be counted")                                                \
    X("topics.comparison", topics_comparison, STRING, "tandem.comparison", 1, 249, "TOPIC",     \
      "compacted topic of published comparisons")                                               \
    X("topics.verdicts", topics_verdicts, STRING, "tandem.verdicts", 1, 249, "TOPIC",           \
      "topic of changes of verdicts")                                                           \
    X("type.prefix", type_prefix, STRING, "tandem.", 0, 64, "PREFIX",                           \
      "what the type of an event begins with")                                                  \
    X("group", group, STRING, "", 0, 128, "NAME",                                               \
      "prefix of the consumer groups (default: the business)")                                  \
    X("scopes", scopes, STRING, "region,channel,rep,line", 0, 1024, "DIM,...",                  \
      "dimensions counted beside `all`: region channel rep line labels.NAME")                   \
    X("scope.limit", scope_limit, INT, "1000", 1, 1000000, "N",                                 \
      "most values of one dimension; further ones count as __other__")                          \
    X("flush.ms", flush_ms, INT, "100", 1, 60000, "MS", "longest time a sum waits in memory")   \
    X("flush.cells", flush_cells, INT, "4000", 1, 5000, "N", "most sums of one batch")          \
    X("dedup.window", dedup_window, INT, "100000", 1, 100000000, "OFFSETS",                     \
      "offsets of a partition in which a repeated source+id is a duplicate")                    \
    X("ledger.shards", ledger_shards, INT, "1", 1, 64, "N",                                     \
      "parts that the customers' state is kept in; fixed once counting began")                  \
    X("ledger.from", ledger_from, STRING, "", 0, 10, "YYYY-MM-DD",                              \
      "what customers did before this day only tells new from returning (default: all counts)") \
    X("ledger.limit", ledger_limit, INT, "2000", 1, 100000, "N",                                \
      "most sales and ratings of one customer; above it is a house account, not a person")      \
    X("history.length", history_length, INT, "10000", 1, 10000000, "N",                         \
      "entries kept in a history stream")                                                       \
    X("connect.timeout", connect_timeout_ms, INT, "0", 0, 86400000, "MS",                       \
      "give up when Kafka or Redis is not there at start (0: never)")                           \
    X("topic.id.check", topic_id_check, BOOL, "true", 0, 0, "",                                 \
      "compare the topic's id with the store's (false only for mock brokers)")                  \
    X("targets", targets, STRING, "", 0, 4096, "FILE", "targets file of the reporter")          \
    X("listen", listen, STRING, "", 0, 64, "ADDRESS",                                           \
      "where /metrics, /healthz and /readyz are answered: 127.0.0.1:PORT, [::1]:PORT, or :PORT" \
      " for every address; port 0 takes a free one and logs it (default: nowhere)")             \
    X("webhook.url", webhook_url, STRING, "", 0, 2048, "URL",                                   \
      "https:// or http://: where the reporter posts changes of verdicts")                      \
    X("webhook.secret.file", webhook_secret_file, STRING, "", 0, 4096, "FILE",                  \
      "file that holds the secret that posts are signed with")                                  \
    X("webhook.periods", webhook_periods, STRING, "", 0, 64, "KIND,...",                        \
      "kinds of periods that are posted: day week month quarter year (default: all)")           \
    X("webhook.scopes", webhook_scopes, STRING, "", 0, 1024, "SCOPE,...",                       \
      "scopes that are posted: all, region=north ... (default: every one)")                     \
    X("log.level", log_level, WORD, "info", 0, 0, "error|warning|info|debug",                   \
      "least level logged")                                                                     \
    X("log.format", log_format, WORD, "logfmt", 0, 0, "logfmt|json", "form of a log line")

struct config {
#define X_STRING(field)          char *field;
#define X_WORD(field)            char *field;
#define X_INT(field)             int64_t field;
#define X_BOOL(field)            bool field;
#define X(key, field, kind, ...) X_##kind(field)
    CONFIG_SETTINGS(X)
#undef X
#undef X_STRING
#undef X_WORD
#undef X_INT
#undef X_BOOL
    struct config_pass *kafka; /* kafka.<name>, given through to librdkafka */
    size_t kafka_count;
};

/* Where a value came from, by rising rank. */
enum config_rank { CONFIG_DEFAULT, CONFIG_FILE, CONFIG_ENVIRONMENT, CONFIG_OPTION };

struct config_pass {
    char *name, *value; /* name without "kafka." */
    char *source;       /* where it stood, for errors */
    enum config_rank rank;
};

/* Defaults, then the environment: TANDEM_FLUSH_MS is flush.ms, TANDEM_KAFKA_SOCKET_TIMEOUT_MS is
 * kafka.socket.timeout.ms; an empty variable counts as absent. Another TANDEM_* variable is warned
 * about, except those of the build and the tests (TANDEM_BIN, TANDEM_BUILD, TANDEM_STACK*,
 * TANDEM_TEST*). 0, caller owns *out until config_free(). */
int config_open(struct config **out, struct error *err);
void config_free(struct config *config);

/* Sets one key from `source` (shown in errors, e.g. "-X", "tandem.conf:3"). A value of a higher rank
 * already seen for that key stays; of equal rank the later counts. A value is checked even when it
 * does not count. -1 ERROR_USAGE. */
int config_set(struct config *config, const char *key, const char *value, enum config_rank rank,
               const char *source, struct error *err);

/* Reads a properties file: key=value lines, # begins a comment line, blanks trimmed. */
int config_read(struct config *config, const char *path, struct error *err);

/* Checks what the table cannot say (names of business, topics and scopes) and makes `group` the
 * business when it is empty. Call it after the last set. */
int config_check(struct config *config, struct error *err);

struct config_setting {
    const char *key, *kind, *fallback, *word, *help;
    int64_t min, max;
};
/* The table, for help and docs; ends with key == NULL. */
const struct config_setting *config_settings(void);

/* The name of the environment variable of a key: "TANDEM_FLUSH_MS". Returns out. */
char *config_variable(const char *key, char *out, size_t room);

/* Every setting with its present value, as a properties file; passwords are masked. */
void config_write(const struct config *config, FILE *out);
/* docs/settings.md, whole, as Markdown. */
void config_write_docs(FILE *out);

#endif

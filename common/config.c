#include "common/config.h"

#include "common/calendar.h"
#include "common/log.h"
#include "common/suggest.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

enum kind { STRING, INT, BOOL, WORD };

static const struct config_setting settings[] = {
#define X(key, field, kind, fallback, min, max, word, help) \
    {key, #kind, fallback, word, help, min, max},
    CONFIG_SETTINGS(X)
#undef X
        {0}};

static const struct place {
    enum kind kind;
    size_t offset;
} places[] = {
#define X(key, field, kind, ...) {kind, offsetof(struct config, field)},
    CONFIG_SETTINGS(X)
#undef X
};

#define SETTINGS (sizeof places / sizeof places[0])

/* What callers see comes first; the ranks stay in this file. */
struct whole {
    struct config config;
    enum config_rank ranks[SETTINGS];
};

const struct config_setting *config_settings(void)
{
    return settings;
}

static void *field(struct config *config, size_t i)
{
    return (char *)config + places[i].offset;
}

static int bad_key(const char *key, const char *source, struct error *err)
{
    struct suggest suggest = {.word = key};
    for (size_t i = 0; i < SETTINGS; i++) {
        suggest_offer(&suggest, settings[i].key);
    }
    if (suggest.best) {
        return error_set(err, ERROR_USAGE, "%.100s: no such setting (from %s); did you mean %s?",
                         key, source, suggest.best);
    }
    return error_set(err, ERROR_USAGE,
                     "%.100s: no such setting (from %s); `tandem settings` lists "
                     "them",
                     key, source);
}

static int parse_int(const struct config_setting *setting, const char *value, int64_t *out,
                     const char *source, struct error *err)
{
    char *end = NULL;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    bool digits = isdigit((unsigned char)value[0]) || (value[0] == '-' && value[1]);
    if (!digits || *end) {
        return error_set(err, ERROR_USAGE, "%s: \"%.100s\" is not a number (from %s)", setting->key,
                         value, source);
    }
    if (errno || number < setting->min || number > setting->max) {
        return error_set(err, ERROR_USAGE, "%s: %.100s is outside %lld..%lld (from %s)",
                         setting->key, value, (long long)setting->min, (long long)setting->max,
                         source);
    }
    *out = number;
    return 0;
}

static int parse_bool(const struct config_setting *setting, const char *value, bool *out,
                      const char *source, struct error *err)
{
    *out = strcmp(value, "true") == 0;
    if (!*out && strcmp(value, "false") != 0) {
        return error_set(err, ERROR_USAGE, "%s: \"%.100s\" is neither true nor false (from %s)",
                         setting->key, value, source);
    }
    return 0;
}

/* The value is left out of the message: an address may hold a password. */
static int check_string(const struct config_setting *setting, const char *value, const char *source,
                        struct error *err)
{
    size_t len = strlen(value);
    if (len < (size_t)setting->min) {
        return error_set(err, ERROR_USAGE, "%s: must not be empty (from %s)", setting->key, source);
    }
    if (len > (size_t)setting->max) {
        return error_set(err, ERROR_USAGE,
                         "%s: is %zu bytes long, at most %lld are allowed "
                         "(from %s)",
                         setting->key, len, (long long)setting->max, source);
    }
    for (size_t i = 0; i < len; i++) {
        if (iscntrl((unsigned char)value[i])) {
            return error_set(err, ERROR_USAGE, "%s: holds a control character (from %s)",
                             setting->key, source);
        }
    }
    return 0;
}

static int check_word(const struct config_setting *setting, const char *value, const char *source,
                      struct error *err)
{
    size_t len = strlen(value);
    const char *at = setting->word;
    while (len > 0 && *at) {
        size_t word_len = strcspn(at, "|");
        if (word_len == len && memcmp(at, value, len) == 0) {
            return 0;
        }
        at += word_len + (at[word_len] == '|');
    }
    return error_set(err, ERROR_USAGE, "%s: \"%.100s\" is none of %s (from %s)", setting->key,
                     value, setting->word, source);
}

static int set_text(char **slot, const char *value, struct error *err)
{
    char *copy = strdup(value);
    if (!copy) {
        return error_memory(err);
    }
    free(*slot);
    *slot = copy;
    return 0;
}

/* Checks the value, and stores it when `store` says so. */
static int set_place(struct config *config, size_t i, const char *value, bool store,
                     const char *source, struct error *err)
{
    int64_t number = 0;
    bool truth = false;
    int rc = places[i].kind == INT    ? parse_int(&settings[i], value, &number, source, err)
             : places[i].kind == BOOL ? parse_bool(&settings[i], value, &truth, source, err)
             : places[i].kind == WORD ? check_word(&settings[i], value, source, err)
                                      : check_string(&settings[i], value, source, err);
    if (rc || !store) {
        return rc;
    }
    if (places[i].kind == INT) {
        *(int64_t *)field(config, i) = number;
    } else if (places[i].kind == BOOL) {
        *(bool *)field(config, i) = truth;
    } else {
        return set_text(field(config, i), value, err);
    }
    return 0;
}

static struct config_pass *find_pass(struct config *config, const char *name)
{
    for (size_t i = 0; i < config->kafka_count; i++) {
        if (strcmp(config->kafka[i].name, name) == 0) {
            return &config->kafka[i];
        }
    }
    return NULL;
}

static struct config_pass *add_pass(struct config *config, const char *name)
{
    size_t bytes = (config->kafka_count + 1) * sizeof *config->kafka;
    struct config_pass *grown = realloc(config->kafka, bytes);
    if (!grown) {
        return NULL;
    }
    config->kafka = grown;
    struct config_pass *pass = &grown[config->kafka_count];
    *pass = (struct config_pass){.name = strdup(name)};
    if (!pass->name) {
        return NULL;
    }
    config->kafka_count++;
    return pass;
}

static bool ends_in(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* kafka.sasl.password.file only names a file. */
static bool secret_name(const char *name)
{
    return !ends_in(name, ".file") &&
           (strstr(name, "password") || strstr(name, "secret") || ends_in(name, "key.pem") ||
            strstr(name, "sasl.oauthbearer.config"));
}

/* "user:" or ":" before the '@' of a URL. */
static bool has_password(const char *url)
{
    const char *host = strrchr(url, '@'), *user = strstr(url, "://");
    const char *colon = user ? strchr(user + 3, ':') : NULL;
    return host && colon && colon < host;
}

/* Everybody on this machine sees the words of a command line. */
static int not_in_words(const char *key, const char *source, struct error *err)
{
    return error_set(err, ERROR_USAGE,
                     "%s: a password does not belong on the command line, where everybody sees it "
                     "(from %s); put it into a file that %s names, the environment, or a "
                     "properties file (-F)",
                     key, source,
                     strcmp(key, "redis") == 0 ? "redis.password.file" : "the same key with .file");
}

static int set_pass(struct config *config, const char *name, const char *value,
                    enum config_rank rank, const char *source, struct error *err)
{
    if (!*name) {
        return error_set(err, ERROR_USAGE, "kafka.: names no setting of librdkafka (from %s)",
                         source);
    }
    if (rank == CONFIG_OPTION && secret_name(name)) {
        char key[160];
        snprintf(key, sizeof key, "kafka.%s", name);
        return not_in_words(key, source, err);
    }
    struct config_pass *pass = find_pass(config, name);
    if (pass && pass->rank > rank) {
        return 0;
    }
    if (!pass && !(pass = add_pass(config, name))) {
        return error_memory(err);
    }
    pass->rank = rank;
    return set_text(&pass->value, value, err) || set_text(&pass->source, source, err) ? -1 : 0;
}

int config_set(struct config *config, const char *key, const char *value, enum config_rank rank,
               const char *source, struct error *err)
{
    if (strncmp(key, "kafka.", 6) == 0) {
        return set_pass(config, key + 6, value, rank, source, err);
    }
    if (rank == CONFIG_OPTION && strcmp(key, "redis") == 0 && has_password(value)) {
        return not_in_words(key, source, err);
    }
    enum config_rank *ranks = ((struct whole *)config)->ranks;
    for (size_t i = 0; i < SETTINGS; i++) {
        if (strcmp(settings[i].key, key) == 0) {
            bool store = rank >= ranks[i];
            if (set_place(config, i, value, store, source, err)) {
                return -1;
            }
            ranks[i] = store ? rank : ranks[i];
            return 0;
        }
    }
    return bad_key(key, source, err);
}

char *config_variable(const char *key, char *out, size_t room)
{
    int len = snprintf(out, room, "TANDEM_%s", key);
    for (int i = 7; i < len && (size_t)i < room; i++) {
        out[i] = out[i] == '.' ? '_' : (char)toupper((unsigned char)out[i]);
    }
    return out;
}

static const char *key_of_variable(const char *variable)
{
    char name[128];
    for (size_t i = 0; i < SETTINGS; i++) {
        if (strcmp(config_variable(settings[i].key, name, sizeof name), variable) == 0) {
            return settings[i].key;
        }
    }
    return NULL;
}

/* TANDEM_KAFKA_SOCKET_TIMEOUT_MS -> kafka.socket.timeout.ms */
static bool kafka_key_of_variable(const char *variable, char *key, size_t room)
{
    if (strncmp(variable, "TANDEM_KAFKA_", 13) != 0 || !variable[13]) {
        return false;
    }
    int len = snprintf(key, room, "%s", variable + 7);
    for (int i = 0; i < len && (size_t)i < room; i++) {
        key[i] = key[i] == '_' ? '.' : (char)tolower((unsigned char)key[i]);
    }
    return true;
}

/* The build and the tests name their own things with the same prefix. */
static bool not_ours(const char *variable)
{
    static const char *const prefixes[] = {"TANDEM_BIN", "TANDEM_BUILD", "TANDEM_STACK",
                                           "TANDEM_TEST"};
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (strncmp(variable, prefixes[i], strlen(prefixes[i])) == 0) {
            return true;
        }
    }
    return false;
}

static int set_variable(struct config *config, const char *variable, const char *value,
                        struct error *err)
{
    char kafka_key[128];
    const char *key = key_of_variable(variable);
    if (!key && kafka_key_of_variable(variable, kafka_key, sizeof kafka_key)) {
        key = kafka_key;
    }
    if (!*value || (!key && not_ours(variable))) {
        return 0;
    }
    if (!key) {
        log_warning("environment variable names no setting", log_s("variable", variable));
        return 0;
    }
    return config_set(config, key, value, CONFIG_ENVIRONMENT, variable, err);
}

static int read_environment(struct config *config, struct error *err)
{
    for (char **entry = environ; entry && *entry; entry++) {
        const char *equals = strchr(*entry, '=');
        char variable[128];
        if (!equals || strncmp(*entry, "TANDEM_", 7) != 0) {
            continue;
        }
        int len = (int)(equals - *entry < 127 ? equals - *entry : 127);
        snprintf(variable, sizeof variable, "%.*s", len, *entry);
        if (set_variable(config, variable, equals + 1, err)) {
            return -1;
        }
    }
    return 0;
}

int config_open(struct config **out, struct error *err)
{
    struct whole *whole = calloc(1, sizeof *whole);
    if (!whole) {
        return error_memory(err);
    }
    struct config *config = &whole->config;
    for (size_t i = 0; i < SETTINGS; i++) {
        if (set_place(config, i, settings[i].fallback, true, "the defaults", err)) {
            config_free(config);
            return -1;
        }
    }
    if (read_environment(config, err)) {
        config_free(config);
        return -1;
    }
    *out = config;
    return 0;
}

void config_free(struct config *config)
{
    if (!config) {
        return;
    }
    for (size_t i = 0; i < SETTINGS; i++) {
        if (places[i].kind == STRING || places[i].kind == WORD) {
            free(*(char **)field(config, i));
        }
    }
    for (size_t i = 0; i < config->kafka_count; i++) {
        free(config->kafka[i].name);
        free(config->kafka[i].value);
        free(config->kafka[i].source);
    }
    free(config->kafka);
    free((struct whole *)config);
}

static char *trim(char *text)
{
    while (isspace((unsigned char)*text)) {
        text++;
    }
    size_t len = strlen(text);
    while (len > 0 && isspace((unsigned char)text[len - 1])) {
        text[--len] = '\0';
    }
    return text;
}

static int read_line(struct config *config, char *line, const char *path, int number,
                     struct error *err)
{
    char source[PATH_MAX + 16];
    snprintf(source, sizeof source, "%s:%d", path, number);
    char *key = trim(line);
    if (!*key || *key == '#') {
        return 0;
    }
    char *equals = strchr(key, '=');
    if (!equals) {
        return error_set(err, ERROR_USAGE, "%s: not of the form key=value", source);
    }
    *equals = '\0';
    return config_set(config, trim(key), trim(equals + 1), CONFIG_FILE, source, err);
}

int config_read(struct config *config, const char *path, struct error *err)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        return error_set(err, ERROR_USAGE, "%s: %s", path, strerror(errno));
    }
    char *line = NULL;
    size_t room = 0;
    ssize_t len = 0;
    int rc = 0;
    for (int number = 1; !rc && (len = getline(&line, &room, file)) >= 0; number++) {
        if (strlen(line) != (size_t)len) {
            rc = error_set(err, ERROR_USAGE, "%s:%d: holds a zero byte", path, number);
        } else {
            rc = read_line(config, line, path, number, err);
        }
    }
    if (!rc && ferror(file)) {
        rc = error_set(err, ERROR_USAGE, "%s: %s", path, strerror(errno));
    }
    free(line);
    fclose(file);
    return rc;
}

static bool only(const char *text, const char *signs)
{
    return text[strspn(text, signs)] == '\0';
}

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static int check_topics(const struct config *config, struct error *err)
{
    const char *const topics[][2] = {
        {"topics.sales", config->topics_sales},
        {"topics.service", config->topics_service},
        {"topics.rejected", config->topics_rejected},
        {"topics.comparison", config->topics_comparison},
        {"topics.verdicts", config->topics_verdicts},
    };
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        const char *name = topics[i][1];
        if (!only(name, LOWER UPPER DIGITS "._-") || !strcmp(name, ".") || !strcmp(name, "..")) {
            return error_set(err, ERROR_USAGE,
                             "%s: \"%s\" is no name of a topic: only letters, "
                             "digits, dot, underscore and dash",
                             topics[i][0], name);
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(name, topics[j][1]) == 0) {
                return error_set(err, ERROR_USAGE, "%s and %s: both are \"%s\"", topics[j][0],
                                 topics[i][0], name);
            }
        }
    }
    return 0;
}

/* One dimension of `scopes`: a known name, or labels.NAME with NAME a slug. */
static bool good_dimension(const char *name)
{
    static const char *const known[] = {"region", "channel", "rep", "line"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(name, known[i]) == 0) {
            return true;
        }
    }
    size_t len = strlen(name);
    return strncmp(name, "labels.", 7) == 0 && len > 7 && len <= 7 + 64 &&
           only(name + 7, LOWER UPPER DIGITS "._-");
}

/* True when `name` stands in the first `len` bytes of a comma-separated list. */
static bool stands_in(const char *list, size_t len, const char *name)
{
    size_t name_len = strlen(name);
    for (size_t at = 0; at < len; at += strcspn(list + at, ",") + 1) {
        if (strcspn(list + at, ",") == name_len && memcmp(list + at, name, name_len) == 0) {
            return true;
        }
    }
    return false;
}

static int check_scopes(const char *scopes, struct error *err)
{
    for (size_t at = 0; scopes[0]; at++) {
        char name[128];
        size_t len = strcspn(scopes + at, ",");
        snprintf(name, sizeof name, "%.*s", (int)(len < 127 ? len : 127), scopes + at);
        if (!good_dimension(name)) {
            return error_set(err, ERROR_USAGE,
                             "scopes: \"%s\" is no dimension: region, channel, "
                             "rep, line or labels.NAME, separated by commas without blanks",
                             name);
        }
        if (stands_in(scopes, at, name)) {
            return error_set(err, ERROR_USAGE, "scopes: \"%s\" stands twice", name);
        }
        at += len;
        if (!scopes[at]) {
            break;
        }
    }
    return 0;
}

/* Kinds of periods, separated by commas. */
static int check_periods(const char *list, struct error *err)
{
    for (size_t len = 0; *list; list += len + (list[len] == ',')) {
        enum period_kind kind;
        len = strcspn(list, ",");
        if (!period_kind_parse((struct text){list, len}, &kind)) {
            return error_set(err, ERROR_USAGE,
                             "webhook.periods: \"%.*s\" is none of day, week, month, quarter, year",
                             (int)len, list);
        }
    }
    return 0;
}

int config_check(struct config *config, struct error *err)
{
    if (!only(config->business, LOWER DIGITS "-")) {
        return error_set(err, ERROR_USAGE, "business: \"%s\" may hold only a-z, 0-9 and -",
                         config->business);
    }
    if (check_topics(config, err) || check_scopes(config->scopes, err) ||
        check_periods(config->webhook_periods, err)) {
        return -1;
    }
    int32_t day;
    if (config->ledger_from[0] && !calendar_parse_date(text_of(config->ledger_from), &day)) {
        return error_set(err, ERROR_USAGE, "ledger.from: \"%s\" is no day; write it YYYY-MM-DD",
                         config->ledger_from);
    }
    if (!config->group[0]) {
        return set_text(&config->group, config->business, err);
    }
    return 0;
}

/* redis://user:secret@host -> redis://user:***@host */
static void write_url(const char *url, FILE *out)
{
    const char *host = strrchr(url, '@');
    const char *user = strstr(url, "://");
    const char *colon = user ? strchr(user + 3, ':') : NULL;
    if (host && colon && colon < host) {
        fprintf(out, "%.*s:***%s\n", (int)(colon - url), url, host);
    } else {
        fprintf(out, "%s\n", url);
    }
}

void config_write(const struct config *config, FILE *out)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        const void *at = (const char *)config + places[i].offset;
        fprintf(out, "%s=", settings[i].key);
        if (places[i].kind == INT) {
            fprintf(out, "%lld\n", (long long)*(const int64_t *)at);
        } else if (places[i].kind == BOOL) {
            fprintf(out, "%s\n", *(const bool *)at ? "true" : "false");
        } else if (strcmp(settings[i].key, "redis") == 0 ||
                   strcmp(settings[i].key, "webhook.url") == 0) {
            write_url(*(char *const *)at, out);
        } else {
            fprintf(out, "%s\n", *(char *const *)at);
        }
    }
    for (size_t i = 0; i < config->kafka_count; i++) {
        const struct config_pass *pass = &config->kafka[i];
        fprintf(out, "kafka.%s=%s\n", pass->name, secret_name(pass->name) ? "***" : pass->value);
    }
}

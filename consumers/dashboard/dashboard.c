/* The life of a dashboard: listen, then one loop over those who ask, those who listen, and Redis. */
#include "consumers/dashboard/dashboard.h"

#include "common/clock.h"
#include "common/log.h"
#include "consumers/dashboard/address.h"
#include "consumers/dashboard/door.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { PEM_MAX = 1024 * 1024, REDIS_TIMEOUT_MS = 2000, SPARE_FILES = 64 };

struct dashboard_options {
    const char *listen, *user, *password_file, *tls_cert, *tls_key;
    int64_t connections, per_address, rate, patience;
};

struct dashboard {
    struct config config; /* the caller's, with a shorter patience for Redis */
    struct door_settings settings;
    struct zone *zone;
    struct redis *redis;
    struct streams *streams;
    struct feed *feed;
    struct door *door;
    struct source source;
};

static int read_pem(char **out, const char *path, struct error *err)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        return error_set(err, ERROR_USAGE, "%s: %s", path, strerror(errno));
    }
    *out = calloc(1, PEM_MAX + 1);
    size_t length = *out ? fread(*out, 1, PEM_MAX, file) : 0;
    fclose(file);
    return length > 0 ? 0 : error_set(err, ERROR_USAGE, "%s: cannot read it", path);
}

static int take_options(struct dashboard *d, const struct dashboard_options *options,
                        struct error *err)
{
    d->settings.connections = options->connections;
    d->settings.per_address = options->per_address;
    d->settings.rate = options->rate;
    d->settings.patience_ms = options->patience * 1000;
    if (!options->user != !options->password_file) {
        return error_set(err, ERROR_USAGE, "--user and --password-file belong together");
    }
    if (!options->tls_cert != !options->tls_key) {
        return error_set(err, ERROR_USAGE, "--tls-cert and --tls-key belong together");
    }
    if (options->user &&
        password_read(&d->settings.password, options->user, options->password_file, err) != 0) {
        return -1;
    }
    if (!options->tls_cert) {
        return 0;
    }
    return read_pem(&d->settings.certificate, options->tls_cert, err) != 0
               ? -1
               : read_pem(&d->settings.key, options->tls_key, err);
}

/* Each connection is an open file. */
static int raise_files(int64_t connections, struct error *err)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)connections + SPARE_FILES;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted) {
        limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
        if (limit.rlim_cur < wanted || setrlimit(RLIMIT_NOFILE, &limit) != 0) {
            return error_set(err, ERROR_SYSTEM,
                             "--connections %lld: this process may open only %llu files",
                             (long long)connections, (unsigned long long)limit.rlim_max);
        }
    }
    return 0;
}

static int open_parts(struct dashboard *d, struct error *err)
{
    size_t listeners = (size_t)d->settings.connections * 3 / 4 + 1; /* the rest is for questions */
    if (zone_open(&d->zone, d->config.timezone, err) != 0 ||
        redis_open(&d->redis, &d->config, err) != 0 ||
        streams_open(&d->streams, listeners, err) != 0 ||
        feed_open(&d->feed, &d->config, d->redis, d->streams, err) != 0) {
        return -1;
    }
    d->source = (struct source){d->redis, &d->config, d->zone};
    return raise_files(d->settings.connections, err);
}

static int open_door(struct dashboard *d, const char *listen, struct error *err)
{
    int fd = -1;
    bool local = false;
    char shown[ADDRESS_MAX];
    if (address_listen(listen, &fd, shown, &local, err) != 0 ||
        door_open(&d->door, fd, &d->settings, &d->source, d->feed, d->streams, err) != 0) {
        return -1;
    }
    if (!local && !d->settings.password.wanted) {
        log_warning("whoever reaches this address sees the page: no password is set");
    }
    char url[ADDRESS_MAX + 16];
    snprintf(url, sizeof url, "http%s://%s/", d->settings.certificate ? "s" : "", shown);
    log_info("listening", log_s("page", url));
    return 0;
}

static void close_all(struct dashboard *d)
{
    door_free(d->door);
    feed_free(d->feed);
    streams_free(d->streams);
    redis_free(d->redis);
    zone_free(d->zone);
    if (d->settings.key) {
        explicit_bzero(d->settings.key, strlen(d->settings.key));
    }
    free(d->settings.key);
    free(d->settings.certificate);
}

static void loop(struct dashboard *d)
{
    while (!command_stopping()) {
        struct pollfd fds[] = {{.fd = door_fd(d->door), .events = POLLIN},
                               {.fd = feed_fd(d->feed), .events = POLLIN}};
        poll(fds, 2, (int)door_wait_ms(d->door));
        int64_t now_ms = clock_mono_ms();
        feed_turn(d->feed, now_ms);
        streams_wake(d->streams);
        door_turn(d->door, now_ms);
    }
}

static int run_dashboard(const struct config *config, const void *options, int argc, char **argv,
                         struct error *err)
{
    (void)argc;
    (void)argv;
    const struct dashboard_options *own = options;
    struct dashboard d = {.config = *config};
    if (d.config.redis_timeout_ms > REDIS_TIMEOUT_MS) {
        d.config.redis_timeout_ms = REDIS_TIMEOUT_MS; /* everybody waits meanwhile */
    }
    command_catch_signals();
    int rc = take_options(&d, own, err);
    if (rc == 0 && (rc = open_parts(&d, err)) == 0 && (rc = open_door(&d, own->listen, err)) == 0) {
        loop(&d);
    }
    close_all(&d);
    return rc == 0 ? 0 : err->code == ERROR_USAGE ? 2 : 1;
}

#define OPTION(field) offsetof(struct dashboard_options, field)

static const struct command_option dashboard_words[] = {
    {.name = "listen",
     .kind = OPTION_STRING,
     .word = "ADDRESS",
     .offset = OPTION(listen),
     .help = "HOST:PORT; :PORT is every address (default: 127.0.0.1:8080)"},
    {.name = "user",
     .kind = OPTION_STRING,
     .word = "NAME",
     .offset = OPTION(user),
     .help = "ask for this user's password"},
    {.name = "password-file",
     .kind = OPTION_STRING,
     .word = "FILE",
     .offset = OPTION(password_file),
     .help = "its first line is the password"},
    {.name = "tls-cert",
     .kind = OPTION_STRING,
     .word = "FILE",
     .offset = OPTION(tls_cert),
     .help = "serve by TLS: the certificate and its chain, PEM"},
    {.name = "tls-key",
     .kind = OPTION_STRING,
     .word = "FILE",
     .offset = OPTION(tls_key),
     .help = "its key, PEM"},
    {.name = "connections",
     .kind = OPTION_INT,
     .word = "N",
     .offset = OPTION(connections),
     .min = 8,
     .max = 100000,
     .help = "most connections at once (default: 1000)"},
    {.name = "per-address",
     .kind = OPTION_INT,
     .word = "N",
     .offset = OPTION(per_address),
     .min = 4,
     .max = 100000,
     .help = "most of them from one address (default: 600)"},
    {.name = "rate",
     .kind = OPTION_INT,
     .word = "N",
     .offset = OPTION(rate),
     .min = 0,
     .max = 1000000,
     .help = "most requests a second of one address, 0: any (default: 200)"},
    {.name = "patience",
     .kind = OPTION_INT,
     .word = "SECONDS",
     .offset = OPTION(patience),
     .min = 1,
     .max = 600,
     .help = "longest time for one request or answer (default: 15)"},
    {0},
};

static const char *const dashboard_settings[] = {
    "redis",         "redis.password.file",
    "redis.ca.file", "redis.timeout",
    "business",      "timezone",
    "scopes",        "log.level",
    "log.format",    NULL,
};

static const struct dashboard_options dashboard_defaults = {
    .listen = "127.0.0.1:8080",
    .connections = 1000,
    .per_address = 600,
    .rate = 200,
    .patience = 15,
};

const struct command dashboard_command = {
    .name = "dashboard",
    .args = "",
    .summary = "Show the comparison as a page, live",
    .about = "Serves one page that shows what the reporter publishes, as it changes, and\n"
             "the same as JSON under /api/v1/. Reads Redis only and writes nothing.\n"
             "docs/dashboards.md tells of the page, of TLS and of reverse proxies.\n\n"
             "  tandem dashboard\n"
             "  tandem dashboard --listen :8443 --tls-cert page.pem --tls-key page.key \\\n"
             "      --user ana --password-file password\n",
    .options = dashboard_words,
    .settings = dashboard_settings,
    .options_size = sizeof(struct dashboard_options),
    .defaults = &dashboard_defaults,
    .run = run_dashboard,
};

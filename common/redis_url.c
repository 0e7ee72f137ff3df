#include "common/redis_url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_PORT = 6379, SENTINEL_PORT = 26379, DATABASE_MAX = 16383 };

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Percent-decodes into a new string. A decoded zero byte would cut a password short: refused. */
static int decode(char **out, struct text text, const char *what, struct error *err)
{
    char *plain = malloc(text.len + 1);
    if (!plain) {
        return error_memory(err);
    }
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] != '%') {
            plain[len++] = text.at[i];
            continue;
        }
        int high = i + 2 < text.len ? hex_digit(text.at[i + 1]) : -1;
        int low = i + 2 < text.len ? hex_digit(text.at[i + 2]) : -1;
        if (high < 0 || low < 0 || (high == 0 && low == 0)) {
            free(plain);
            return error_set(err, ERROR_USAGE, "redis URL: bad %%XX in the %s", what);
        }
        plain[len++] = (char)(high * 16 + low);
        i += 2;
    }
    plain[len] = '\0';
    *out = plain;
    return 0;
}

static int number(struct text text, int max, const char *what, int *out, struct error *err)
{
    long value = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9' || value > max) {
            return error_set(err, ERROR_USAGE, "redis URL: the %s is not a number", what);
        }
        value = value * 10 + (text.at[i] - '0');
    }
    if (text.len == 0 || value > max) {
        return error_set(err, ERROR_USAGE, "redis URL: the %s is not in 0-%d", what, max);
    }
    *out = (int)value;
    return 0;
}

static struct text from(struct text text, size_t start)
{
    return (struct text){text.at + start, text.len - start};
}

static struct text until(struct text text, const char *found)
{
    return (struct text){text.at, found ? (size_t)(found - text.at) : text.len};
}

static const char *find(struct text text, char c)
{
    return text.len ? memchr(text.at, c, text.len) : NULL;
}

/* Takes "user:password@" off the front. The last '@' ends it: one inside a password is often
 * written plainly. */
static int take_user(struct redis_url *url, struct text *rest, struct error *err)
{
    const char *at = NULL;
    for (size_t i = 0; i < rest->len; i++) {
        if (rest->at[i] == '@') {
            at = rest->at + i;
        }
    }
    if (!at) {
        return 0;
    }
    struct text who = until(*rest, at);
    *rest = from(*rest, who.len + 1);
    const char *colon = find(who, ':');
    struct text user = until(who, colon);
    if (user.len > 0 && decode(&url->user, user, "user", err) != 0) {
        return -1;
    }
    if (!colon) {
        return 0;
    }
    return decode(&url->password, from(who, user.len + 1), "password", err);
}

/* "host:port", "[::1]:port", each part may be left out. */
static int split_place(struct text place, int default_port, struct text *host, int *port_out,
                       struct error *err)
{
    struct text port = {NULL, 0};
    *host = place;
    if (place.len > 0 && place.at[0] == '[') {
        const char *close = find(place, ']');
        if (!close) {
            return error_set(err, ERROR_USAGE, "redis URL: a '[' without ']' in the host");
        }
        *host = until(from(place, 1), close);
        port = from(place, (size_t)(close - place.at) + 1);
        if (port.len > 0 && port.at[0] != ':') {
            return error_set(err, ERROR_USAGE, "redis URL: letters behind ']' in the host");
        }
    } else if (find(place, ':')) {
        *host = until(place, find(place, ':'));
        port = from(place, host->len);
    }
    *port_out = default_port;
    if (port.len > 0 && number(from(port, 1), 65535, "port", port_out, err) != 0) {
        return -1;
    }
    if (*port_out == 0) {
        return error_set(err, ERROR_USAGE, "redis URL: port 0");
    }
    if (host->len >= sizeof((struct redis_url *)NULL)->host) {
        return error_set(err, ERROR_USAGE, "redis URL: the host is longer than %zu bytes",
                         sizeof((struct redis_url *)NULL)->host - 1);
    }
    return 0;
}

void redis_url_place(struct redis_url *url, struct text host, int port)
{
    memcpy(url->host, host.at, host.len);
    url->host[host.len] = '\0';
    url->port = port;
    snprintf(url->address, sizeof url->address, find(host, ':') ? "[%s]:%d" : "%s:%d", url->host,
             port);
}

static int take_host(struct redis_url *url, struct text place, struct error *err)
{
    struct text host;
    int port;
    if (split_place(place, DEFAULT_PORT, &host, &port, err) != 0) {
        return -1;
    }
    redis_url_place(url, host.len > 0 ? host : text_of("localhost"), port);
    return 0;
}

static int take_sentinels(struct redis_url *url, struct text list, struct error *err)
{
    url->sentinels = calloc(REDIS_SENTINELS_MAX, sizeof *url->sentinels);
    if (!url->sentinels) {
        return error_memory(err);
    }
    for (bool more = true; more;) {
        const char *comma = find(list, ',');
        struct text place = until(list, comma), host;
        if (url->sentinel_count == REDIS_SENTINELS_MAX) {
            return error_set(err, ERROR_USAGE, "redis URL: more than %d sentinels",
                             REDIS_SENTINELS_MAX);
        }
        struct redis_sentinel *sentinel = &url->sentinels[url->sentinel_count++];
        if (split_place(place, SENTINEL_PORT, &host, &sentinel->port, err) != 0) {
            return -1;
        }
        if (host.len == 0) {
            return error_set(err, ERROR_USAGE, "redis URL: a sentinel without a host");
        }
        memcpy(sentinel->host, host.at, host.len);
        more = comma != NULL;
        list = more ? from(list, place.len + 1) : list;
    }
    return 0;
}

/* What Sentinel itself allows in a name. */
static int take_master(struct redis_url *url, struct text name, struct error *err)
{
    if (name.len == 0 || name.len >= sizeof url->master) {
        return error_set(err, ERROR_USAGE,
                         "redis URL: the sentinels' name of the master is missing or longer than "
                         "%zu bytes (redis+sentinel://host1,host2/mymaster)",
                         sizeof url->master - 1);
    }
    for (size_t i = 0; i < name.len; i++) {
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_",
                    name.at[i])) {
            return error_set(err, ERROR_USAGE,
                             "redis URL: a name of a master holds A-Z a-z 0-9 . - _ only");
        }
    }
    memcpy(url->master, name.at, name.len);
    snprintf(url->address, sizeof url->address, "%s", url->master);
    return 0;
}

/* "?db=3", the only thing that may be asked for. */
static int take_query(struct redis_url *url, struct text query, struct error *err)
{
    if (query.len < 4 || memcmp(query.at, "?db=", 4) != 0) {
        return error_set(err, ERROR_USAGE, "redis URL: only ?db=N may follow a '?'");
    }
    return number(from(query, 4), DATABASE_MAX, "database", &url->database, err);
}

static int parse_network(struct redis_url *url, struct text rest, struct error *err)
{
    const char *mark = find(rest, '?');
    struct text query = mark ? from(rest, (size_t)(mark - rest.at)) : (struct text){NULL, 0};
    rest = until(rest, mark);
    const char *slash = find(rest, '/');
    struct text path = slash ? from(rest, (size_t)(slash - rest.at) + 1) : (struct text){NULL, 0};
    if (take_host(url, until(rest, slash), err) != 0) {
        return -1;
    }
    if (path.len > 0 && number(path, DATABASE_MAX, "database", &url->database, err) != 0) {
        return -1;
    }
    return query.len > 0 ? take_query(url, query, err) : 0;
}

static int parse_sentinel(struct redis_url *url, struct text rest, struct error *err)
{
    const char *slash = find(rest, '/');
    if (take_sentinels(url, until(rest, slash), err) != 0) {
        return -1;
    }
    rest = slash ? from(rest, (size_t)(slash - rest.at) + 1) : text_of("");
    const char *second = find(rest, '/');
    if (take_master(url, until(rest, second), err) != 0) {
        return -1;
    }
    rest = second ? from(rest, (size_t)(second - rest.at) + 1) : text_of("");
    return rest.len > 0 ? number(rest, DATABASE_MAX, "database", &url->database, err) : 0;
}

static int parse_socket(struct redis_url *url, struct text rest, struct error *err)
{
    const char *mark = find(rest, '?');
    struct text path = until(rest, mark);
    if (path.len < 2 || path.at[0] != '/') {
        return error_set(
            err, ERROR_USAGE,
            "redis URL: unix:// wants the whole path of a socket (unix:///run/redis.sock)");
    }
    if (decode(&url->path, path, "path", err) != 0) {
        return -1;
    }
    snprintf(url->address, sizeof url->address, "%s", url->path);
    return mark ? take_query(url, from(rest, path.len), err) : 0;
}

static bool take_prefix(struct text *rest, const char *prefix)
{
    size_t len = strlen(prefix);
    if (rest->len < len || memcmp(rest->at, prefix, len) != 0) {
        return false;
    }
    *rest = from(*rest, len);
    return true;
}

static const struct form {
    const char *prefix;
    int (*parse)(struct redis_url *url, struct text rest, struct error *err);
    bool tls;
} FORMS[] = {
    {"redis://", parse_network, false},
    {"rediss://", parse_network, true},
    {"unix://", parse_socket, false},
    {"redis+sentinel://", parse_sentinel, false},
};

static int parse(struct redis_url *url, struct text rest, struct error *err)
{
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++) {
        if (take_prefix(&rest, FORMS[i].prefix)) {
            url->tls = FORMS[i].tls;
            return take_user(url, &rest, err) == 0 ? FORMS[i].parse(url, rest, err) : -1;
        }
    }
    return error_set(
        err, ERROR_USAGE,
        "redis URL: begins with none of redis://, rediss://, unix://, redis+sentinel://");
}

int redis_url_parse(struct redis_url *out, const char *text, struct error *err)
{
    memset(out, 0, sizeof *out);
    if (parse(out, text_of(text), err) != 0) {
        redis_url_clear(out);
        return -1;
    }
    return 0;
}

void redis_url_clear(struct redis_url *url)
{
    if (url->password) {
        explicit_bzero(url->password, strlen(url->password));
    }
    free(url->password);
    free(url->user);
    free(url->path);
    free(url->sentinels);
    memset(url, 0, sizeof *url);
}

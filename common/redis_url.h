/* redis_url.h - where a Redis is and who asks: one URL taken apart.
 *
 *     redis://[user:password@]host[:port][/database]        rediss:// the same over TLS
 *     unix://[user:password@]/path/of/socket[?db=database]
 *     redis+sentinel://[user:password@]host[:port],host[:port].../master[/database]
 *
 * The last names Sentinels (port 26379 if none is given) and what they call the master; user and
 * password are the master's. User, password and path may hold %XX. A password may come without a user (`:secret@`). Pure. */
#ifndef TANDEM_REDIS_URL_H
#define TANDEM_REDIS_URL_H

#include "common/error.h"
#include "common/text.h"

#include <stdbool.h>

enum { REDIS_SENTINELS_MAX = 16 };

struct redis_sentinel {
    char host[256]; /* an IPv6 address without its brackets */
    int port;
};

struct redis_url {
    bool tls;
    char *path;     /* of a unix socket; NULL: host and port count */
    char host[256]; /* an IPv6 address without its brackets */
    int port;
    int database;
    char *user;        /* NULL: the default user */
    char *password;    /* NULL: none */
    char address[300]; /* "127.0.0.1:6379", "[::1]:6379", "/run/redis.sock": never a secret */
    struct redis_sentinel *sentinels; /* NULL: none. With them host and port are empty until ... */
    int sentinel_count;
    char master[128]; /* ... somebody has asked where this one is; address is this till then */
};

/* 0, and the caller owns what *out holds until redis_url_clear(). -1 (ERROR_USAGE) says what is
 * wrong without showing any of the text before the '@'. */
int redis_url_parse(struct redis_url *out, const char *text, struct error *err);

/* Sets host, port and address; the host has less than 256 bytes. */
void redis_url_place(struct redis_url *url, struct text host, int port);

/* Overwrites the password, frees; a zeroed struct is fine. */
void redis_url_clear(struct redis_url *url);

#endif

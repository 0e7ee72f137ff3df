/* redis_url.h - where a Redis is and who asks: one URL taken apart.
 *
 *     redis://[user:password@]host[:port][/database]        rediss:// the same over TLS
 *     unix://[user:password@]/path/of/socket[?db=database]
 *
 * User, password and path may hold %XX. A password may come without a user (`:secret@`). Pure. */
#ifndef TANDEM_REDIS_URL_H
#define TANDEM_REDIS_URL_H

#include "common/error.h"

#include <stdbool.h>

struct redis_url {
    bool tls;
    char *path;     /* of a unix socket; NULL: host and port count */
    char host[256]; /* an IPv6 address without its brackets */
    int port;
    int database;
    char *user;        /* NULL: the default user */
    char *password;    /* NULL: none */
    char address[300]; /* "127.0.0.1:6379", "[::1]:6379", "/run/redis.sock": never a secret */
};

/* 0, and the caller owns what *out holds until redis_url_clear(). -1 (ERROR_USAGE) says what is
 * wrong without showing any of the text before the '@'. */
int redis_url_parse(struct redis_url *out, const char *text, struct error *err);

/* Overwrites the password, frees; a zeroed struct is fine. */
void redis_url_clear(struct redis_url *url);

#endif

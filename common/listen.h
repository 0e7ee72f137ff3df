/* listen.h - answers GET on one address: metrics, health, whatever has a path.
 *
 * One thread of its own serves at most 16 connections, each for at most 5 s without a move; nothing
 * of a request but its path is used. Handlers run on that thread, and must not wait. */
#ifndef TANDEM_LISTEN_H
#define TANDEM_LISTEN_H

#include "common/error.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

struct listen;

struct listen_reply {
    int status;       /* 200 unless set */
    const char *type; /* text/plain; charset=utf-8 unless set; static */
    FILE *body;       /* to be written to */
};

struct listen_route {
    const char *path; /* "/metrics"; NULL ends a list */
    void (*answer)(void *own, struct listen_reply *reply);
    void *own;
};

/* An address of IPv4 or IPv6, without names: "127.0.0.1:9100", "[::1]:9100"; ":9100" is every
 * address of the machine. */
struct listen_address {
    struct sockaddr_storage at;
    socklen_t length;
    int port;
};
int listen_parse(const char *text, struct listen_address *out, struct error *err);

/* Binds only `address` (port 0: a free one), logs where it listens. The routes stay the caller's
 * until listen_close(). 0, caller owns *out. */
int listen_open(struct listen **out, const char *address, const struct listen_route *routes,
                struct error *err);
int listen_port(const struct listen *listen);
void listen_close(struct listen *listen); /* NULL is fine; waits for answers under way */

#endif

#include "common/listen.h"

#include "common/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECTIONS_MAX = 16, QUIET_S = 5, CONNECTION_BYTES = 16384 };

struct listen {
    struct MHD_Daemon *daemon;
    const struct listen_route *routes;
    int port;
};

/* ---- addresses ---- */

static int parse_port(const char *text, int *port)
{
    char *end;
    long number = strtol(text, &end, 10);
    *port = (int)number;
    return *text < '0' || *text > '9' || *end || number > 65535 ? -1 : 0;
}

static int parse_ipv6(const char *host, struct listen_address *out)
{
    struct sockaddr_in6 *at = (struct sockaddr_in6 *)&out->at;
    at->sin6_family = AF_INET6;
    at->sin6_port = htons((uint16_t)out->port);
    out->length = sizeof *at;
    return inet_pton(AF_INET6, host, &at->sin6_addr) == 1 ? 0 : -1;
}

static int parse_ipv4(const char *host, struct listen_address *out)
{
    struct sockaddr_in *at = (struct sockaddr_in *)&out->at;
    at->sin_family = AF_INET;
    at->sin_port = htons((uint16_t)out->port);
    out->length = sizeof *at;
    return inet_pton(AF_INET, *host ? host : "0.0.0.0", &at->sin_addr) == 1 ? 0 : -1;
}

int listen_parse(const char *text, struct listen_address *out, struct error *err)
{
    char host[64];
    const char *colon = strrchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : 0;
    int rc = colon && len < sizeof host ? parse_port(colon + 1, &out->port) : -1;
    memset(&out->at, 0, sizeof out->at);
    if (rc == 0 && len >= 2 && text[0] == '[' && text[len - 1] == ']') {
        snprintf(host, sizeof host, "%.*s", (int)len - 2, text + 1);
        rc = parse_ipv6(host, out);
    } else if (rc == 0) {
        snprintf(host, sizeof host, "%.*s", (int)len, text);
        rc = parse_ipv4(host, out);
    }
    if (rc != 0) {
        return error_set(err, ERROR_USAGE,
                         "listen: \"%.100s\" is no address; write 127.0.0.1:PORT, [::1]:PORT or "
                         ":PORT",
                         text);
    }
    return 0;
}

/* ---- answering ---- */

static const struct listen_route *route_of(const struct listen *l, const char *path)
{
    for (const struct listen_route *at = l->routes; at->path; at++) {
        if (strcmp(at->path, path) == 0) {
            return at;
        }
    }
    return NULL;
}

static void write_reply(const struct listen *l, const char *path, const char *method,
                        struct listen_reply *reply)
{
    const struct listen_route *route = route_of(l, path);
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        reply->status = 405;
        fputs("only GET\n", reply->body);
    } else if (!route) {
        reply->status = 404;
        fputs("no such page\n", reply->body);
    } else {
        route->answer(route->own, reply);
    }
}

static enum MHD_Result queue_reply(struct MHD_Connection *connection,
                                   const struct listen_reply *reply, char *body, size_t length)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, body, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        free(body);
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", reply->type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    enum MHD_Result rc = MHD_queue_response(connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return rc;
}

/* A request comes at least twice: headers, end. What it brings besides is not kept. */
static enum MHD_Result on_request(void *own, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **seen)
{
    static int mark;
    char *body = NULL;
    size_t length = 0;
    (void)version;
    (void)upload;
    if (!*seen) {
        *seen = &mark;
        return MHD_YES;
    }
    if (*upload_size) {
        *upload_size = 0;
        return MHD_YES;
    }
    struct listen_reply reply = {200, "text/plain; charset=utf-8", open_memstream(&body, &length)};
    if (!reply.body) {
        return MHD_NO;
    }
    write_reply(own, path, method, &reply);
    if (fclose(reply.body) != 0) {
        free(body);
        return MHD_NO;
    }
    return queue_reply(connection, &reply, body, length);
}

/* What clients do wrong is no news. */
static void no_log(void *own, const char *format, va_list args)
{
    (void)own;
    (void)format;
    (void)args;
}

static int start(struct listen *l, const struct listen_address *address, struct error *err)
{
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO | MHD_USE_ERROR_LOG;
    if (address->at.ss_family == AF_INET6) {
        flags |= MHD_USE_IPv6;
    }
    errno = 0;
    l->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, l, MHD_OPTION_EXTERNAL_LOGGER, no_log, NULL,
        MHD_OPTION_SOCK_ADDR, (const struct sockaddr *)&address->at, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)QUIET_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_END);
    if (!l->daemon) {
        return error_set(err, ERROR_SYSTEM, "cannot listen: %s", strerror(errno));
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_BIND_PORT);
    l->port = info && info->port ? info->port : address->port;
    return 0;
}

int listen_open(struct listen **out, const char *address, const struct listen_route *routes,
                struct error *err)
{
    struct listen_address parsed;
    *out = NULL;
    if (listen_parse(address, &parsed, err) != 0) {
        return -1;
    }
    struct listen *l = calloc(1, sizeof *l);
    if (!l) {
        return error_memory(err);
    }
    l->routes = routes;
    if (start(l, &parsed, err) != 0) {
        free(l);
        return error_prefix(err, "%s", address);
    }
    log_info("listening", log_s("address", address), log_i("port", l->port));
    *out = l;
    return 0;
}

int listen_port(const struct listen *listen)
{
    return listen->port;
}

void listen_close(struct listen *listen)
{
    if (!listen) {
        return;
    }
    MHD_stop_daemon(listen->daemon);
    free(listen);
}

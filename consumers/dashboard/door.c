#include "consumers/dashboard/door.h"

#include "common/clock.h"
#include "common/log.h"
#include "consumers/dashboard/files.h"
#include "consumers/dashboard/limits.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xxhash.h>
#include <yyjson.h>

enum {
    MEMORY_PER_CONNECTION = 16 * 1024, /* request line and headers have to fit in */
    BODY_MAX = 64 * 1024,              /* nobody needs to send any */
    SILENCE_S = 30,                    /* of a stream whose listener does not read */
    SWEEP_MS = 250
};

/* One connection, from its beginning to its end. */
struct visitor {
    struct visitor *previous, *next;
    int fd;
    uint64_t address;
    bool streaming;
    int64_t since_ms; /* it connected, asked, or was answered */
    size_t body;
};

struct door {
    struct MHD_Daemon *daemon;
    const struct door_settings *settings;
    const struct source *source;
    struct feed *feed;
    struct streams *streams;
    struct visitor *first;
    int64_t swept_ms;
    struct limits limits;
};

/* Headers */

static const char *const always[][2] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
     "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
};

static enum MHD_Result send_response(struct MHD_Connection *connection, unsigned status,
                                     const char *type, struct MHD_Response *response)
{
    if (!response) {
        return MHD_NO;
    }
    for (size_t i = 0; i < sizeof always / sizeof *always; i++) {
        MHD_add_response_header(response, always[i][0], always[i][1]);
    }
    if (type) {
        MHD_add_response_header(response, "Content-Type", type);
    }
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

/* A mistake, as RFC 9457 has it. */
static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status, const char *title,
                              const char *detail, const char *header, const char *value)
{
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_uint(doc, root, "status", status);
    yyjson_mut_obj_add_str(doc, root, "title", title);
    yyjson_mut_obj_add_str(doc, root, "detail", detail);
    size_t length = 0;
    char *body = yyjson_mut_write(doc, YYJSON_WRITE_ALLOW_INVALID_UNICODE, &length);
    yyjson_mut_doc_free(doc);
    if (!body) {
        return MHD_NO;
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, body, MHD_RESPMEM_MUST_FREE);
    if (response && header) {
        MHD_add_response_header(response, header, value);
    }
    if (response) {
        MHD_add_response_header(response, "Cache-Control", "no-store");
    }
    return send_response(connection, status, "application/problem+json", response);
}

/* Sends bytes, or says that the asker has them already. */
static enum MHD_Result send_bytes(struct MHD_Connection *connection, const char *type,
                                  const char *bytes, size_t length,
                                  enum MHD_ResponseMemoryMode mode)
{
    char tag[24];
    snprintf(tag, sizeof tag, "\"%016llx\"", (unsigned long long)XXH3_64bits(bytes, length));
    const char *known = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "If-None-Match");
    bool same = known && strstr(known, tag);
    struct MHD_Response *response =
        same ? MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT)
             : MHD_create_response_from_buffer(length, (void *)(uintptr_t)bytes, mode);
    if ((same || !response) && mode == MHD_RESPMEM_MUST_FREE) {
        free((void *)(uintptr_t)bytes);
    }
    if (response) {
        MHD_add_response_header(response, "ETag", tag);
        MHD_add_response_header(response, "Cache-Control", "private, no-cache");
    }
    return send_response(connection, same ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, same ? NULL : type,
                         response);
}

/* Questions */

static const struct route {
    const char *path;
    unsigned allowed;
    answer *answer; /* NULL: the stream */
} routes[] = {
    {"/api/v1/comparison", ASK_PERIOD | ASK_SCOPE | ASK_LANG, answer_comparison},
    {"/api/v1/history", ASK_PERIOD | ASK_SCOPE | ASK_LANG | ASK_METRICS | ASK_COUNT,
     answer_history},
    {"/api/v1/breakdown", ASK_PERIOD | ASK_DIMENSION | ASK_LANG | ASK_METRICS, answer_breakdown},
    {"/api/v1/ratings", ASK_PERIOD | ASK_SCOPE, answer_ratings},
    {"/api/v1/hours", ASK_PERIOD, answer_hours},
    {"/api/v1/scopes", 0, answer_scopes},
    {"/api/v1/targets", 0, answer_targets},
    {"/api/v1/events", ASK_SCOPE, NULL},
};

struct parameters {
    struct question question;
    unsigned allowed;
    struct error err;
};

static enum MHD_Result take_parameter(void *cls, enum MHD_ValueKind kind, const char *name,
                                      size_t name_len, const char *value, size_t value_len)
{
    struct parameters *parameters = cls;
    (void)kind;
    (void)name_len;
    return question_take(&parameters->question, parameters->allowed, name,
                         (struct text){value, value_len}, &parameters->err) == 0
               ? MHD_YES
               : MHD_NO;
}

static enum MHD_Result refuse_for(struct MHD_Connection *connection, const struct error *err)
{
    if (err->code == ERROR_USAGE) {
        return refuse(connection, 400, "Bad request", err->text, NULL, NULL);
    }
    if (err->code == ERROR_INPUT) {
        return refuse(connection, 404, "Not found", err->text, NULL, NULL);
    }
    log_warning("cannot answer", log_s("why", err->text));
    if (err->code == ERROR_REDIS) {
        return refuse(connection, 503, "Redis is away", "Redis does not answer", "Retry-After",
                      "1");
    }
    return refuse(connection, 500, "Cannot answer", "see the log of tandem dashboard", NULL, NULL);
}

static enum MHD_Result open_stream(struct door *door, struct visitor *visitor,
                                   struct MHD_Connection *connection,
                                   const struct parameters *parameters)
{
    char state[160], hello[200];
    snprintf(hello, sizeof hello, "retry: 1000\nevent: beat\ndata: %s\n\n",
             feed_state(door->feed, state));
    struct MHD_Response *response = streams_listen(
        door->streams, connection,
        parameters->question.seen & ASK_SCOPE ? parameters->question.scope : "", hello);
    if (!response) {
        return refuse(connection, 503, "Too many listeners", "all streams are taken", "Retry-After",
                      "5");
    }
    visitor->streaming = true;
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Accel-Buffering", "no");
    return send_response(connection, 200, "text/event-stream", response);
}

static enum MHD_Result answer_route(struct door *door, struct visitor *visitor,
                                    struct MHD_Connection *connection, const struct route *route)
{
    struct parameters parameters = {.allowed = route->allowed};
    char *body = NULL;
    size_t length = 0;
    question_begin(&parameters.question);
    MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, take_parameter, &parameters);
    if (parameters.err.code) {
        return refuse_for(connection, &parameters.err);
    }
    if (!route->answer) {
        return open_stream(door, visitor, connection, &parameters);
    }
    if (!feed_ready(door->feed, clock_mono_ms())) {
        error_set(&parameters.err, ERROR_REDIS, "not connected");
        return refuse_for(connection, &parameters.err);
    }
    if (route->answer(door->source, &parameters.question, &body, &length, &parameters.err) != 0) {
        return refuse_for(connection, &parameters.err);
    }
    return send_bytes(connection, "application/json", body, length, MHD_RESPMEM_MUST_FREE);
}

static enum MHD_Result answer_health(struct door *door, struct MHD_Connection *connection,
                                     bool ready)
{
    if (ready && !feed_hears(door->feed)) {
        return refuse(connection, 503, "Not ready", "Redis does not answer", "Retry-After", "1");
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(3, "ok\n", MHD_RESPMEM_PERSISTENT);
    return send_response(connection, 200, "text/plain", response);
}

static enum MHD_Result answer_path(struct door *door, struct visitor *visitor,
                                   struct MHD_Connection *connection, const char *path)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (strcmp(routes[i].path, path) == 0) {
            return answer_route(door, visitor, connection, &routes[i]);
        }
    }
    const struct file *file = files_find(path);
    if (file) {
        return send_bytes(connection, file->type, file->data, file->length, MHD_RESPMEM_PERSISTENT);
    }
    return refuse(connection, 404, "Not found", "there is nothing at this path", NULL, NULL);
}

static enum MHD_Result answer_request(struct door *door, struct visitor *visitor,
                                      struct MHD_Connection *connection, const char *path)
{
    if (strcmp(path, "/healthz") == 0 || strcmp(path, "/readyz") == 0) {
        return answer_health(door, connection, path[1] == 'r');
    }
    if (!limits_take(&door->limits, visitor->address, visitor->since_ms)) {
        return refuse(connection, 429, "Too many requests", "this address asks too often",
                      "Retry-After", "1");
    }
    if (!password_fits(&door->settings->password,
                       MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Authorization"))) {
        return refuse(connection, 401, "Unauthorized", "a user and a password are needed",
                      "WWW-Authenticate", "Basic realm=\"tandem\", charset=\"UTF-8\"");
    }
    return answer_path(door, visitor, connection, path);
}

/* Called when the headers are there, then for each part of a body, then at the end. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **begun)
{
    static char mark;
    struct door *door = cls;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct visitor *visitor = info ? info->socket_context : NULL;
    (void)version;
    (void)data;
    if (!visitor) {
        return MHD_NO;
    }
    if (!*begun) {
        *begun = &mark;
        visitor->body = 0;
        if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
            return refuse(connection, 405, "Method not allowed", "there is nothing to change here",
                          "Allow", "GET, HEAD");
        }
        return MHD_YES;
    }
    if (*size) {
        visitor->body += *size;
        *size = 0;
        return visitor->body > BODY_MAX ? MHD_NO : MHD_YES;
    }
    visitor->since_ms = clock_mono_ms();
    return answer_request(door, visitor, connection, path);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **begun,
                         enum MHD_RequestTerminationCode why)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct visitor *visitor = info ? info->socket_context : NULL;
    (void)cls;
    (void)begun;
    (void)why;
    if (visitor) {
        visitor->streaming = false;
        visitor->since_ms = clock_mono_ms();
    }
}

/* Visitors */

static uint64_t address_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *at = info ? info->client_addr : NULL;
    if (at && at->sa_family == AF_INET) {
        return XXH3_64bits(&((const struct sockaddr_in *)at)->sin_addr, 4);
    }
    /* Whoever has one address of a network of IPv6 has all of them. */
    return at ? XXH3_64bits(&((const struct sockaddr_in6 *)at)->sin6_addr, 8) : 1;
}

static void enter(struct door *door, struct MHD_Connection *connection, void **context)
{
    struct visitor *visitor = calloc(1, sizeof *visitor);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    *context = visitor;
    if (!visitor) {
        return; /* its requests will be refused */
    }
    visitor->fd = info ? info->connect_fd : -1;
    visitor->address = address_of(connection);
    visitor->since_ms = clock_mono_ms();
    visitor->next = door->first;
    if (door->first) {
        door->first->previous = visitor;
    }
    door->first = visitor;
}

static void leave(struct door *door, struct visitor *visitor)
{
    if (visitor->previous) {
        visitor->previous->next = visitor->next;
    } else {
        door->first = visitor->next;
    }
    if (visitor->next) {
        visitor->next->previous = visitor->previous;
    }
    free(visitor);
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        enter(cls, connection, context);
    } else if (*context) {
        leave(cls, *context);
        *context = NULL;
    }
}

/* Sees those off that are at their request, or at their answer, for too long. The daemon finds the
 * connection closed and forgets it. */
static void sweep(struct door *door, int64_t now_ms)
{
    if (now_ms - door->swept_ms < SWEEP_MS) {
        return;
    }
    door->swept_ms = now_ms;
    for (struct visitor *at = door->first; at; at = at->next) {
        if (!at->streaming && now_ms - at->since_ms > door->settings->patience_ms) {
            shutdown(at->fd, SHUT_RDWR);
        }
    }
}

/* The daemon */

static void ignore_log(void *cls, const char *format, va_list args)
{
    (void)cls;
    (void)format;
    (void)args; /* it tells what is wrong with what a stranger sent */
}

static struct MHD_Daemon *start(struct door *door, int fd)
{
    const struct door_settings *settings = door->settings;
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
                     (settings->certificate ? MHD_USE_TLS : 0);
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, settings->certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, settings->key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0,
         (void *)(uintptr_t) "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, door, MHD_OPTION_EXTERNAL_LOGGER, ignore_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)settings->connections,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)settings->per_address,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_PER_CONNECTION,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENCE_S, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, door,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, settings->certificate ? tls : tls + 3,
        MHD_OPTION_END);
}

int door_open(struct door **out, int fd, const struct door_settings *settings,
              const struct source *source, struct feed *feed, struct streams *streams,
              struct error *err)
{
    struct door *door = calloc(1, sizeof *door);
    if (!door) {
        close(fd);
        return error_memory(err);
    }
    door->settings = settings;
    door->source = source;
    door->feed = feed;
    door->streams = streams;
    door->limits.rate = settings->rate;
    door->daemon = start(door, fd);
    if (!door->daemon) {
        free(door);
        close(fd);
        return error_set(err, ERROR_SYSTEM, "the HTTP server does not start%s",
                         settings->certificate ? " (do certificate and key belong together?)" : "");
    }
    *out = door;
    return 0;
}

void door_free(struct door *door)
{
    if (!door) {
        return;
    }
    streams_end(door->streams);
    MHD_run(door->daemon);
    MHD_stop_daemon(door->daemon);
    free(door);
}

int door_fd(const struct door *door)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(door->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    return info ? info->epoll_fd : -1;
}

int64_t door_wait_ms(const struct door *door)
{
    MHD_UNSIGNED_LONG_LONG wait_ms;
    if (MHD_get_timeout(door->daemon, &wait_ms) != MHD_YES || wait_ms > SWEEP_MS) {
        return SWEEP_MS;
    }
    return (int64_t)wait_ms;
}

void door_turn(struct door *door, int64_t now_ms)
{
    MHD_run(door->daemon);
    sweep(door, now_ms);
}

#include "consumers/health/health.h"

#include "common/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { WAIT_S = 3, ANSWER_BYTES = 4096 };

struct health_options {
    const char *url;
    bool ready;
};

/* Where --url or the setting says. Asked for on every address, it is asked for on this machine. */
static int address_of(const struct config *config, const char *url, struct listen_address *at,
                      struct error *err)
{
    char text[80];
    const char *begin = url ? url : config->listen;
    if (!*begin)
        return error_set(err, ERROR_USAGE, "nobody to ask: set listen (TANDEM_LISTEN) or --url");
    if (url && strncmp(url, "http://", 7) == 0)
        begin += 7;
    size_t len = strcspn(begin, "/");
    snprintf(text, sizeof text, "%.*s", (int)(len < 79 ? len : 79), begin);
    if (listen_parse(text, at, err) != 0)
        return -1;
    struct sockaddr_in *v4 = (struct sockaddr_in *)&at->at;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&at->at;
    if (at->at.ss_family == AF_INET && v4->sin_addr.s_addr == htonl(INADDR_ANY))
        v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (at->at.ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
        v6->sin6_addr = in6addr_loopback;
    return 0;
}

/* Each step waits WAIT_S at most, and there are but a few: connect, send, some receives. */
static int talk(int fd, const struct listen_address *at, const char *path, char *answer,
                struct error *err)
{
    char request[128];
    struct timeval wait = {.tv_sec = WAIT_S};
    size_t got = 0;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    int len = snprintf(request, sizeof request,
                       "GET %s HTTP/1.0\r\nHost: tandem\r\nConnection: close\r\n\r\n", path);
    if (connect(fd, (const struct sockaddr *)&at->at, at->length) != 0 ||
        send(fd, request, (size_t)len, MSG_NOSIGNAL) != len)
        return error_set(err, ERROR_SYSTEM, "cannot ask port %d: %s", at->port, strerror(errno));
    for (int reads = 0; got < ANSWER_BYTES - 1 && reads < 4; reads++) {
        ssize_t n = recv(fd, answer + got, ANSWER_BYTES - 1 - got, 0);
        if (n < 0)
            return error_set(err, ERROR_SYSTEM, "no answer from port %d within %d s", at->port,
                             WAIT_S);
        if (n == 0)
            break;
        got += (size_t)n;
    }
    answer[got] = '\0';
    return 0;
}

/* Prints what was said. The exit status. */
static int judge(const char *answer, struct error *err)
{
    int code = 0;
    const char *body = strstr(answer, "\r\n\r\n");
    if (sscanf(answer, "HTTP/1.%*d %d", &code) != 1 || !body)
        return error_set(err, ERROR_INPUT, "the answer is no HTTP");
    body += 4;
    int len = (int)strcspn(body, "\r\n");
    if (code != 200)
        return error_set(err, ERROR_SYSTEM, "%d: %.*s", code, len, body);
    printf("%.*s\n", len, body);
    return 0;
}

static int run_health(const struct config *config, const void *own, int argc, char **argv,
                      struct error *err)
{
    const struct health_options *options = own;
    struct listen_address at;
    char answer[ANSWER_BYTES];
    (void)argc;
    (void)argv;
    if (address_of(config, options->url, &at, err) != 0)
        return -1;
    int fd = socket(at.at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set(err, ERROR_SYSTEM, "socket: %s", strerror(errno));
    int rc = talk(fd, &at, options->ready ? "/readyz" : "/healthz", answer, err);
    close(fd);
    return rc == 0 ? judge(answer, err) : rc;
}

static const struct command_option words[] = {
    {.name = "url",
     .kind = OPTION_STRING,
     .word = "URL",
     .offset = offsetof(struct health_options, url),
     .help = "ask there: http://127.0.0.1:PORT, without names (default: where `listen` says)"},
    {.name = "ready",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct health_options, ready),
     .help = "ask whether it is ready (/readyz), not only alive (/healthz)"},
    {0},
};

static const char *const settings[] = {"listen", NULL};

const struct command health_command = {
    .name = "health",
    .args = "",
    .summary = "Ask a running worker or reporter how it is",
    .about = "Asks the address that a role was started with (--listen) whether it is alive, and\n"
             "ends with status 0 when it is, else with 1 and the reason. For the HEALTHCHECK of a\n"
             "container, where the same TANDEM_LISTEN serves both; it needs no shell, and waits a\n"
             "few seconds at most.\n"
             "\n"
             "  tandem health\n"
             "  tandem health --ready --url http://127.0.0.1:9464\n",
    .options = words,
    .settings = settings,
    .options_size = sizeof(struct health_options),
    .run = run_health,
};

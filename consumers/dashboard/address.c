#include "consumers/dashboard/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* "[::1]:8080" -> "::1" and "8080". */
static bool split(const char *text, char host[256], char port[16])
{
    const char *colon = strrchr(text, ':');
    if (!colon || strlen(colon + 1) == 0 || strlen(colon + 1) > 5 ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1)) {
        return false;
    }
    size_t len = (size_t)(colon - text);
    bool bracketed = len > 2 && text[0] == '[' && colon[-1] == ']';
    if (len >= 256 || (!bracketed && memchr(text, ':', len))) {
        return false;
    }
    snprintf(host, 256, "%.*s", (int)(bracketed ? len - 2 : len), bracketed ? text + 1 : text);
    snprintf(port, 16, "%s", colon + 1);
    return true;
}

static bool is_local(const struct sockaddr_storage *at)
{
    if (at->ss_family == AF_INET) {
        return (ntohl(((const struct sockaddr_in *)at)->sin_addr.s_addr) >> 24) == 127;
    }
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)at)->sin6_addr);
}

static void show(int fd, char shown[ADDRESS_MAX], bool *local)
{
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof at;
    char host[256] = "", port[16] = "";
    getsockname(fd, (struct sockaddr *)&at, &len);
    getnameinfo((struct sockaddr *)&at, len, host, sizeof host, port, sizeof port,
                NI_NUMERICHOST | NI_NUMERICSERV);
    *local = is_local(&at);
    snprintf(shown, ADDRESS_MAX, at.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

static int listen_at(const struct addrinfo *at)
{
    int on = 1;
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, at->ai_addr, at->ai_addrlen) != 0 || listen(fd, 512) != 0) {
        int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

int address_listen(const char *text, int *fd, char shown[ADDRESS_MAX], bool *local,
                   struct error *err)
{
    char host[256], port[16];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
    if (!split(text, host, port) || atoi(port) > 65535 ||
        getaddrinfo(*host ? host : NULL, port, &hints, &found) != 0) {
        return error_set(
            err, ERROR_USAGE,
            "--listen %.200s: no address; write it 127.0.0.1:8080, [::1]:8080 or :8080", text);
    }
    *fd = -1;
    for (struct addrinfo *at = found; at && *fd < 0; at = at->ai_next) {
        *fd = listen_at(at);
    }
    int why = errno;
    freeaddrinfo(found);
    if (*fd < 0) {
        return error_set(err, ERROR_SYSTEM, "--listen %.200s: %s", text, strerror(why));
    }
    show(*fd, shown, local);
    return 0;
}

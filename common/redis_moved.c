#include "common/redis_moved.h"

#include <stdlib.h>
#include <string.h>

/* 1 to 65535, to the end of the text. */
static bool take_port(const char *text, int *port)
{
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    long value = strtol(text, &end, 10);
    *port = (int)value;
    return *end == '\0' && value >= 1 && value <= 65535;
}

bool redis_moved_parse(const char *error_text, struct redis_node *out)
{
    struct redis_node node = {0};
    if (strncmp(error_text, "MOVED ", 6) != 0)
        return false;
    const char *host = strchr(error_text + 6, ' ');
    /* The last colon: an IPv6 address has more of them, and no brackets. */
    const char *colon = host ? strrchr(host, ':') : NULL;
    if (!colon || !take_port(colon + 1, &node.port))
        return false;
    size_t len = (size_t)(colon - ++host);
    if (len >= sizeof node.host || (len == 1 && *host == '?'))
        return false;
    memcpy(node.host, host, len);
    *out = node;
    return true;
}

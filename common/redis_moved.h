/* redis_moved.h - where a node of a Redis Cluster says that a slot lives. Pure. */
#ifndef TANDEM_REDIS_MOVED_H
#define TANDEM_REDIS_MOVED_H

#include <stdbool.h>

struct redis_node {
    char host[256]; /* without brackets; "": the host of the node that said it */
    int port;       /* 0: none is known */
};

/* Reads "MOVED 3999 10.0.0.7:6381". False, and *out is left alone, for any other text and for a
 * node that does not know its own name ("?"). */
bool redis_moved_parse(const char *error_text, struct redis_node *out);

#endif

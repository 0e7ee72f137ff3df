/* streams.h - what is sent to those who listen: one ring of messages, one place in it a listener.
 *
 * A message is made once whoever listens. One who is further behind than the ring is long is told
 * so by the event `reset`, after which it reads everything anew: so memory is bounded and nothing
 * is lost. Use from one thread. */
#ifndef TANDEM_STREAMS_H
#define TANDEM_STREAMS_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct MHD_Connection;
struct MHD_Response;
struct streams;

/* At most `limit` listeners. 0, caller owns *out until streams_free(). */
int streams_open(struct streams **out, size_t limit, struct error *err);
void streams_free(struct streams *streams);
size_t streams_count(const struct streams *streams);

/* A response that goes on for ever, of the messages of `scope` ("": of every scope), beginning with
 * `hello`, a whole event. NULL: there are too many, or memory is short. */
struct MHD_Response *streams_listen(struct streams *streams, struct MHD_Connection *connection,
                                    const char *scope, const char *hello);
/* An event for those who listen to `scope`; NULL: for all. Cut at 600 bytes. */
void streams_say(struct streams *streams, const char *scope, const char *event, const char *data);
/* Lets those listeners go on for whom there is something. */
void streams_wake(struct streams *streams);
/* Ends all of them: before the daemon stops. */
void streams_end(struct streams *streams);

#endif

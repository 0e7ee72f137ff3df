/* bulletin.h - what the world may know of a reporter: metrics, health, readiness.
 *
 * Written by the reporter's thread, read by that of common/listen.h. docs/metrics.md lists it. */
#ifndef TANDEM_BULLETIN_H
#define TANDEM_BULLETIN_H

#include "common/config.h"
#include "common/listen.h"
#include "consumers/reporter/publication.h"

struct bulletin;

/* 0, caller owns *out; it outlives the listener. */
int bulletin_open(struct bulletin **out, const struct config *config, struct error *err);
void bulletin_free(struct bulletin *bulletin);

/* From the reporter's thread. */
void bulletin_beat(struct bulletin *bulletin, bool leading); /* a turn begins */
void bulletin_standby(struct bulletin *bulletin);            /* another one publishes */
void bulletin_fresh(struct bulletin *bulletin);   /* everything counted is published */
void bulletin_trouble(struct bulletin *bulletin, const struct error *why);
/* One was published: of scope `all`'s running periods the verdict is kept. */
void bulletin_take(struct bulletin *bulletin, const struct publication *publication);

/* From the listener's thread; `own` is the bulletin. */
void bulletin_metrics(void *own, struct listen_reply *reply);
void bulletin_health(void *own, struct listen_reply *reply);
void bulletin_ready(void *own, struct listen_reply *reply);

#endif

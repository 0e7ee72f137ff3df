/* outbox.h - events on their way to Kafka, each once.
 *
 * Writes an event as CloudEvent JSON, has the decoder of the workers judge it, skips what the run
 * itself or the topic already had, sends the rest. Or prints it (dry run). */
#ifndef TANDEM_OUTBOX_H
#define TANDEM_OUTBOX_H

#include "common/config.h"
#include "common/event.h"

struct outbox;

struct outbox_options {
    bool dry_run;      /* print to stdout; Kafka is never asked */
    bool scan;         /* read the topics first and skip what stands there */
    bool sides[SIDES]; /* which topics the events are for */
    bool progress;     /* tell on stderr how far the reading of the topics is */
};

/* Told of each event that is refused or was not delivered, with the line it came from. */
typedef void outbox_refused(void *context, uint64_t line, const char *type, const char *text);

struct outbox_counts {
    int64_t sent; /* printed, in a dry run */
    int64_t delivered;
    int64_t there;    /* stood in the topic already */
    int64_t repeated; /* were made before in this run, with the same content */
    int64_t refused, failed;
};

/* 0, caller owns *out until outbox_free(). Does not connect yet. */
int outbox_open(struct outbox **out, const struct config *config,
                const struct outbox_options *options, outbox_refused *refused, void *context,
                struct error *err);
void outbox_free(struct outbox *outbox);

/* Connects and reads the topics, unless the options say otherwise. -1 Kafka, a topic is not there,
 * or ERROR_STOPPED. */
int outbox_connect(struct outbox *outbox, struct error *err);
/* One event, not kept. -1 only when going on is useless: Kafka, memory, a signal. A refusal is 0
 * and is told. */
int outbox_add(struct outbox *outbox, const struct event *event, uint64_t line, struct error *err);
/* Waits until all that was sent is delivered or failed, or a signal asks to stop. */
int outbox_flush(struct outbox *outbox, struct error *err);
/* `delivered` and `failed` are as of the last reports. */
struct outbox_counts outbox_counts(const struct outbox *outbox);

#endif

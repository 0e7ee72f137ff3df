#include "producers/import/outbox.h"

#include "common/clock.h"
#include "common/command.h"
#include "common/publisher.h"
#include "producers/import/index.h"
#include "producers/known.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define POLL_EVERY 512
#define WAIT_MS    500
#define LINE_BITS  40

static const char content_type[] = "application/cloudevents+json; charset=UTF-8";

struct outbox {
    const struct config *config;
    struct outbox_options options;
    outbox_refused *refused;
    void *context;
    struct decoder *decoder;
    struct publisher *publisher;
    struct known *known[SIDES];
    struct index *made; /* id -> content_mark() and line of each event of this run */
    struct outbox_counts counts;
    char json[EVENT_BYTES_MAX];
};

int outbox_open(struct outbox **out, const struct config *config,
                const struct outbox_options *options, outbox_refused *refused, void *context,
                struct error *err)
{
    struct outbox *outbox = calloc(1, sizeof *outbox);
    if (!outbox) {
        return error_memory(err);
    }
    outbox->config = config;
    outbox->options = *options;
    outbox->refused = refused;
    outbox->context = context;
    outbox->made = index_open();
    if (!outbox->made) {
        error_memory(err);
    }
    if (!outbox->made || decoder_open(&outbox->decoder, config->type_prefix, err) != 0) {
        outbox_free(outbox);
        return -1;
    }
    *out = outbox;
    return 0;
}

void outbox_free(struct outbox *outbox)
{
    if (outbox) {
        publisher_free(outbox->publisher);
        decoder_free(outbox->decoder);
        known_free(outbox->known[SIDE_SALE]);
        known_free(outbox->known[SIDE_SERVICE]);
        index_free(outbox->made);
        free(outbox);
    }
}

static const char *topic_of(const struct outbox *outbox, enum side side)
{
    return side == SIDE_SALE ? outbox->config->topics_sales : outbox->config->topics_service;
}

/* The line of the file travels with the record as its cookie. */
static void on_report(void *context, void *cookie, const char *failure)
{
    struct outbox *outbox = context;
    if (!failure) {
        outbox->counts.delivered++;
        return;
    }
    char text[300];
    snprintf(text, sizeof text, "not delivered: %s", failure);
    outbox->counts.failed++;
    outbox->refused(outbox->context, (uint64_t)(uintptr_t)cookie, "", text);
}

int outbox_connect(struct outbox *outbox, struct error *err)
{
    if (outbox->options.dry_run) {
        return 0;
    }
    if (publisher_open(&outbox->publisher, outbox->config, on_report, outbox, err) != 0) {
        return -1;
    }
    for (enum side side = 0; side < SIDES; side++) {
        if (outbox->options.sides[side] &&
            publisher_wait(outbox->publisher, topic_of(outbox, side), err) != 0) {
            return -1;
        }
    }
    for (enum side side = 0; side < SIDES && outbox->options.scan; side++) {
        if (outbox->options.sides[side] &&
            known_open(&outbox->known[side], outbox->config, topic_of(outbox, side), side,
                       outbox->options.progress, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static void refuse(struct outbox *outbox, const struct event *event, uint64_t line,
                   const char *text)
{
    outbox->counts.refused++;
    outbox->refused(outbox->context, line, event_type_name(event->type), text);
}

/* The same judgement that the workers will pass, so that nothing is sent that they reject. */
static bool judge(struct outbox *outbox, const struct event *event, struct text json, uint64_t line)
{
    struct record_header header = {text_of("content-type"), text_of(content_type)};
    struct record record = {.timestamp_ms = clock_wall_ms(),
                            .key = event_key(event),
                            .value = json,
                            .headers = &header,
                            .header_count = 1};
    struct event decoded;
    struct rejection why;
    char text[sizeof why.field + sizeof why.detail + 64];
    if (json.len == 0) {
        refuse(outbox, event, line, "too_large: an event has at most 65536 bytes");
        return false;
    }
    enum verdict verdict =
        decoder_decode(outbox->decoder, &record, event_side(event->type), &decoded, &why);
    if (verdict == VERDICT_VALID) {
        return true;
    }
    snprintf(text, sizeof text, "%s: %s%s%s", reject_name(why.reason), why.field,
             why.field[0] ? ": " : "", why.detail);
    refuse(outbox, event, line, text);
    return false;
}

/* 24 bits of the content: enough to tell a row that stands twice in a file from two rows that a
 * mapping gives one id. The line shares the number, for the message. */
static uint64_t content_mark(struct text json)
{
    return (XXH3_64bits(json.at, json.len) | UINT64_C(1)) << LINE_BITS;
}

/* Was an event of this id made in this run already? 1 yes (counted or refused), 0, -1 memory. */
static int made_before(struct outbox *outbox, const struct event *event, XXH128_hash_t hash,
                       struct text json, uint64_t line)
{
    const uint64_t lines = (UINT64_C(1) << LINE_BITS) - 1;
    bool fresh;
    char text[256];
    uint64_t *made = index_put(outbox->made, hash, &fresh);
    if (!made) {
        return -1;
    }
    if (fresh) {
        *made = content_mark(json) | (line & lines);
        return 0;
    }
    if ((*made & ~lines) == content_mark(json)) {
        outbox->counts.repeated++;
        return 1;
    }
    snprintf(text, sizeof text,
             "id \"%.*s\" was given to line %" PRIu64 " already, whose event is another",
             event->id.len < 100 ? (int)event->id.len : 100, event->id.at, *made & lines);
    refuse(outbox, event, line, text);
    return 1;
}

/* A full queue means that the brokers are slow or away: the client's own time limit ends that. */
static int send(struct outbox *outbox, const struct event *event, struct text json, uint64_t line,
                struct error *err)
{
    struct record_header header = {text_of("content-type"), text_of(content_type)};
    while (publisher_send(outbox->publisher, topic_of(outbox, event_side(event->type)),
                          event_key(event), json, &header, 1, (void *)(uintptr_t)line, WAIT_MS,
                          err) != 0) {
        if (!err->retry) {
            return -1;
        }
        if (command_stopping()) {
            return error_set(err, ERROR_STOPPED, "stopped by a signal");
        }
    }
    if (++outbox->counts.sent % POLL_EVERY == 0) {
        publisher_poll(outbox->publisher, 0);
    }
    return 0;
}

static int print(struct outbox *outbox, struct text json, struct error *err)
{
    outbox->counts.sent++;
    if (fwrite(json.at, 1, json.len, stdout) != json.len || putchar('\n') == EOF) {
        return error_set(err, ERROR_SYSTEM, "standard output takes nothing more");
    }
    return 0;
}

int outbox_add(struct outbox *outbox, const struct event *event, uint64_t line, struct error *err)
{
    struct text json = {outbox->json, 0};
    json.len = event_encode(event, outbox->config->type_prefix, outbox->json, sizeof outbox->json);
    if (command_stopping()) {
        return error_set(err, ERROR_STOPPED, "stopped by a signal");
    }
    if (!judge(outbox, event, json, line)) {
        return 0;
    }
    XXH128_hash_t hash = event_hash(event);
    int made = made_before(outbox, event, hash, json, line);
    if (made != 0) {
        return made < 0 ? error_memory(err) : 0;
    }
    if (outbox->options.dry_run) {
        return print(outbox, json, err);
    }
    struct known *known = outbox->known[event_side(event->type)];
    if (known && known_has(known, hash)) {
        outbox->counts.there++;
        return 0;
    }
    return send(outbox, event, json, line, err);
}

int outbox_flush(struct outbox *outbox, struct error *err)
{
    if (outbox->options.dry_run && fflush(stdout) != 0) {
        return error_set(err, ERROR_SYSTEM, "standard output takes nothing more");
    }
    while (outbox->publisher && publisher_pending(outbox->publisher) > 0) {
        if (command_stopping()) {
            return error_set(err, ERROR_STOPPED, "stopped by a signal");
        }
        publisher_flush(outbox->publisher, WAIT_MS, NULL);
    }
    return 0;
}

struct outbox_counts outbox_counts(const struct outbox *outbox)
{
    return outbox->counts;
}

#include "producers/emit.h"

#include "common/clock.h"
#include "common/event.h"
#include "common/publisher.h"
#include "producers/known.h"
#include "producers/lines.h"
#include "producers/progress.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { WAIT_MS = 100, POLL_EVERY = 512, LAST_FLUSH_MS = 10000 };

static const char content_type[] = "application/cloudevents+json; charset=UTF-8";

struct emit_options {
    bool strict, once, dry_run;
};

struct emit {
    const struct config *config;
    const struct emit_options *options;
    struct lines *lines;
    struct decoder *decoder;
    struct publisher *publisher;
    struct known *known[SIDES]; /* with --once, from the first event of a side on */
    struct progress progress;
    int64_t began_ms;
    int64_t sent, refused, skipped;
    struct record_header header;
};

static void say(struct emit *emit, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct emit *emit, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    progress_clear(&emit->progress);
    fputs("tandem emit: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

/* The line number travels with the record. */
static void on_report(void *context, void *cookie, const char *failure)
{
    if (failure) {
        say(context, "line %" PRIuPTR ": not delivered: %s", (uintptr_t)cookie, failure);
    }
}

static void refuse(struct emit *emit, const char *reason, const char *field, const char *detail)
{
    emit->refused++;
    say(emit, "line %" PRIu64 ": %s%s%s: %s", lines_number(emit->lines), reason,
        field[0] ? " " : "", field, detail);
}

static void refuse_unknown_type(struct emit *emit)
{
    char detail[160];
    snprintf(detail, sizeof detail, "a worker would ignore it (type.prefix is \"%s\")",
             emit->config->type_prefix);
    refuse(emit, "unknown type", "", detail);
}

/* The judgement that the workers will pass. The key is added to what they measure. */
static bool check(struct emit *emit, struct text line, struct event *event)
{
    struct rejection why;
    struct record record = {
        .timestamp_ms = clock_wall_ms(),
        .value = line,
        .headers = &emit->header,
        .header_count = 1,
    };
    enum verdict verdict = decoder_decode(emit->decoder, &record, SIDES, event, &why);
    if (verdict == VERDICT_REJECTED) {
        refuse(emit, reject_name(why.reason), why.field, why.detail);
        return false;
    }
    if (verdict != VERDICT_VALID) {
        refuse_unknown_type(emit);
        return false;
    }
    size_t bytes = event_key(event).len + line.len + emit->header.name.len + emit->header.value.len;
    if (bytes > EVENT_BYTES_MAX) {
        refuse(emit, reject_name(REJECT_TOO_LARGE), "", "with key and headers above 65536 bytes");
        return false;
    }
    return true;
}

static const char *topic_of(const struct emit *emit, enum side side)
{
    return side == SIDE_SALE ? emit->config->topics_sales : emit->config->topics_service;
}

/* 1: stands in the topic, or in an earlier line; 0: not; -1: cannot be known. */
static int is_known(struct emit *emit, const struct event *event, struct error *err)
{
    enum side side = event_side(event->type);
    XXH128_hash_t id = event_hash(event);
    if (!emit->options->once) {
        return 0;
    }
    if (!emit->known[side] &&
        known_open(&emit->known[side], emit->config, topic_of(emit, side), side, true, err)) {
        return -1;
    }
    if (known_has(emit->known[side], id)) {
        emit->skipped++;
        return 1;
    }
    return known_add(emit->known[side], id, err);
}

/* A full queue means that the brokers are slow or away; message.timeout.ms ends that. */
static int send(struct emit *emit, struct text line, const struct event *event, struct error *err)
{
    void *cookie = (void *)(uintptr_t)lines_number(emit->lines);
    while (publisher_send(emit->publisher, topic_of(emit, event_side(event->type)),
                          event_key(event), line, &emit->header, 1, cookie, WAIT_MS, err)) {
        if (!err->retry) {
            return -1;
        }
        if (command_stopping()) {
            return error_set(err, ERROR_STOPPED, "stopped");
        }
    }
    return 0;
}

static bool blank(struct text line)
{
    size_t i = 0;
    while (i < line.len && (line.at[i] == ' ' || line.at[i] == '\t')) {
        i++;
    }
    return i == line.len;
}

/* -1 only when going on is useless. */
static int emit_line(struct emit *emit, struct text line, struct error *err)
{
    struct event event;
    if (blank(line) || !check(emit, line, &event)) {
        return 0;
    }
    int known = is_known(emit, &event, err);
    if (known) {
        return known < 0 ? -1 : 0;
    }
    if (!emit->options->dry_run && send(emit, line, &event, err)) {
        return -1;
    }
    emit->sent++;
    return 0;
}

static void look_around(struct emit *emit)
{
    if (emit->publisher) {
        publisher_poll(emit->publisher, 0);
    }
    if (progress_due(&emit->progress)) {
        int64_t ms = clock_mono_ms() - emit->began_ms;
        progress_show(&emit->progress,
                      "%" PRId64 " sent, %" PRId64 "/s, %" PRId64 " refused, %" PRId64 " skipped",
                      emit->sent, ms > 0 ? emit->sent * 1000 / ms : 0, emit->refused,
                      emit->skipped);
    }
}

/* Until the end, a signal, with --strict a refused line, or -1. */
static int emit_lines(struct emit *emit, struct error *err)
{
    struct text line;
    while (!command_stopping() && !(emit->options->strict && emit->refused > 0)) {
        enum lines_answer answer = lines_next(emit->lines, &line, WAIT_MS, err);
        if (answer == LINES_END) {
            return 0;
        }
        if (answer == LINES_ERROR || (answer == LINES_LINE && emit_line(emit, line, err))) {
            return -1;
        }
        if (answer == LINES_TOO_LONG) {
            refuse(emit, reject_name(REJECT_TOO_LARGE), "", "longer than 65536 bytes");
        }
        if (answer == LINES_WAIT || lines_number(emit->lines) % POLL_EVERY == 0) {
            look_around(emit);
        }
    }
    return 0;
}

/* Everything is delivered or has failed; after a signal, as far as ten seconds go. */
static void flush(struct emit *emit)
{
    int64_t end_ms = 0;
    while (emit->publisher && publisher_pending(emit->publisher) > 0) {
        if (command_stopping() && end_ms == 0) {
            end_ms = clock_mono_ms() + LAST_FLUSH_MS;
        }
        if (end_ms && clock_mono_ms() > end_ms) {
            return;
        }
        publisher_flush(emit->publisher, WAIT_MS, NULL);
        look_around(emit);
    }
}

static int connect(struct emit *emit, struct error *err)
{
    if (emit->options->dry_run) {
        return 0;
    }
    if (publisher_open(&emit->publisher, emit->config, on_report, emit, err)) {
        return -1;
    }
    if (publisher_wait(emit->publisher, emit->config->topics_sales, err)) {
        return -1;
    }
    return publisher_wait(emit->publisher, emit->config->topics_service, err);
}

/* Always the last line. Returns the exit status. */
static int sum_up(struct emit *emit, int rc, const struct error *err)
{
    int64_t delivered = emit->publisher ? publisher_delivered(emit->publisher) : 0;
    bool whole = !rc && emit->refused == 0 && (emit->options->dry_run || delivered == emit->sent);
    int signal = command_stopping();
    if (signal) {
        say(emit, "stopped by a signal after line %" PRIu64, lines_number(emit->lines));
    } else if (rc) {
        say(emit, "%s", err->text);
    }
    progress_clear(&emit->progress);
    if (emit->options->dry_run) {
        fprintf(stderr, "good %" PRId64 ", refused %" PRId64 ", skipped %" PRId64 " (dry run)\n",
                emit->sent, emit->refused, emit->skipped);
    } else {
        fprintf(stderr,
                "sent %" PRId64 ", delivered %" PRId64 ", refused %" PRId64 ", skipped %" PRId64
                "\n",
                emit->sent, delivered, emit->refused, emit->skipped);
    }
    return signal ? 128 + signal : !whole;
}

static void close_emit(struct emit *emit)
{
    publisher_free(emit->publisher);
    known_free(emit->known[SIDE_SALE]);
    known_free(emit->known[SIDE_SERVICE]);
    decoder_free(emit->decoder);
    lines_free(emit->lines);
}

static int run(const struct config *config, const void *options, int argc, char **argv,
               struct error *err)
{
    struct emit emit = {
        .config = config,
        .options = options,
        .began_ms = clock_mono_ms(),
        .header = {text_of("content-type"), text_of(content_type)},
    };
    struct error failed = {0}; /* said before the last line, so not handed on */
    int status = 1;
    command_catch_signals();
    progress_start(&emit.progress, true);
    if (lines_open(&emit.lines, argc > 0 ? argv[0] : NULL, EVENT_BYTES_MAX, err) == 0 &&
        decoder_open(&emit.decoder, config->type_prefix, err) == 0 && connect(&emit, err) == 0) {
        int rc = emit_lines(&emit, &failed);
        flush(&emit);
        status = sum_up(&emit, rc, &failed);
    }
    close_emit(&emit);
    return status;
}

static const struct command_option words[] = {
    {.name = "strict",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct emit_options, strict),
     .help = "stop at the first line that is refused"},
    {.name = "once",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct emit_options, once),
     .help = "read the topics first and skip events that stand there, and those that an earlier "
             "line has sent"},
    {.name = "dry-run",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct emit_options, dry_run),
     .help = "check the lines, send nothing"},
    {0},
};

static const char *const settings[] = {
    "brokers",         "topics.sales", "topics.service", "type.prefix",
    "connect.timeout", "log.level",    "log.format",     NULL};

const struct command emit_command = {
    .name = "emit",
    .args = "[FILE]",
    .summary = "Send events, one CloudEvent in JSON a line",
    .about = "Reads FILE, or standard input when it is - or left out. Each line is one event,\n"
             "as docs/events.md says, checked as the workers check it, and sent unchanged to\n"
             "the topic of its type under its customer's key. A line that is refused is told\n"
             "with its number, reason and field, and does not stop the others; blank lines\n"
             "are skipped.\n\n"
             "  tandem emit events.ndjson\n"
             "  tandem emit --once events.ndjson       again, without doubling anything\n"
             "  generate | tandem emit --strict\n\n"
             "All that it says goes to standard error; the last line is\n"
             "  sent 1200, delivered 1200, refused 3, skipped 0\n"
             "Ends with 0 when every line was delivered or skipped, 1 when not, 130 after\n"
             "Ctrl-C, when it delivers what it has taken and says how far it came.\n",
    .options = words,
    .settings = settings,
    .options_size = sizeof(struct emit_options),
    .max_args = 1,
    .run = run,
};

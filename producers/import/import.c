#include "producers/import/import.h"

#include "common/calendar.h"
#include "common/money.h"
#include "producers/import/drafter.h"
#include "producers/import/outbox.h"
#include "producers/progress.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define PROGRESS_EVERY 1024

struct import_options {
    const char *mapping, *shift_to;
    bool dry_run, no_sort, no_scan, strict;
};

/* An event that waits for the others to be sorted. */
struct waiting {
    struct event *event;
    int64_t time_ms;
    uint64_t line, number; /* number: the order of making, it decides between equal times */
};

struct import {
    const struct import_options *options;
    const char *path;
    struct mapping *mapping;
    struct zone *zone;
    struct table *table;
    struct drafter *drafter;
    struct outbox *outbox;
    struct waiting *waiting;
    size_t waiting_count, waiting_room;
    int64_t refused_events, refused_rows;
    uint64_t refused_line; /* the last one counted in refused_rows */
    bool stopped;          /* by --strict */
    struct progress progress;
    int64_t steps;     /* rows or events, so that the clock is not asked for each */
    struct error *err; /* why a sink said stop */
};

static const char *grouped(int64_t n, char out[40])
{
    return money_format(n, 0, '.', ',', out, 40);
}

static void show_progress(struct import *import, const char *what, int64_t done)
{
    char number[40];
    if (++import->steps % PROGRESS_EVERY == 0 && progress_due(&import->progress)) {
        progress_show(&import->progress, "import: %s %s", grouped(done, number), what);
    }
}

static void count_refused_row(struct import *import, uint64_t line)
{
    import->refused_rows += line != import->refused_line;
    import->refused_line = line;
}

/* ": lines 3, 17-19" */
static void print_lines(const uint64_t *lines, size_t count)
{
    fputs(": lines ", stderr);
    for (size_t i = 0; i < count;) {
        size_t last = i;
        while (last + 1 < count && lines[last + 1] == lines[last] + 1) {
            last++;
        }
        fprintf(stderr, "%s%" PRIu64, i ? ", " : "", lines[i]);
        if (last > i) {
            fprintf(stderr, "%s%" PRIu64, last > i + 1 ? "-" : ", ", lines[last]);
        }
        i = last + 1;
    }
}

static bool on_refused(void *context, const struct refusal *refusal)
{
    struct import *import = context;
    progress_clear(&import->progress);
    fprintf(stderr, "%s:%" PRIu64 ": %s", import->path, refusal->lines[0], refusal->text);
    if (refusal->line_count > 1) {
        print_lines(refusal->lines, refusal->line_count);
    }
    fprintf(stderr, refusal->type[0] ? " (%s)\n" : "%s\n", refusal->type);
    import->refused_events += refusal->event;
    for (size_t i = 0; refusal->event && i < refusal->line_count; i++) {
        count_refused_row(import, refusal->lines[i]);
    }
    import->stopped = import->options->strict;
    return !import->stopped;
}

/* What the decoder refuses, and what Kafka did not take. */
static void on_outbox_refused(void *context, uint64_t line, const char *type, const char *text)
{
    struct refusal refusal = {text, type, &line, 1, true};
    on_refused(context, &refusal);
}

static bool send_now(void *context, struct event *event, uint64_t line)
{
    struct import *import = context;
    show_progress(import, "events", outbox_counts(import->outbox).sent);
    return outbox_add(import->outbox, event, line, import->err) == 0 && !import->stopped;
}

static bool keep(void *context, struct event *event, uint64_t line)
{
    struct import *import = context;
    if (import->waiting_count == import->waiting_room) {
        size_t room = import->waiting_room ? import->waiting_room * 2 : 4096;
        struct waiting *waiting = realloc(import->waiting, room * sizeof *waiting);
        if (!waiting) {
            return false;
        }
        import->waiting = waiting;
        import->waiting_room = room;
    }
    import->waiting[import->waiting_count] =
        (struct waiting){event, event->time_ms, line, import->waiting_count};
    import->waiting_count++;
    return true;
}

static int by_time(const void *left, const void *right)
{
    const struct waiting *a = left, *b = right;
    if (a->time_ms != b->time_ms) {
        return a->time_ms < b->time_ms ? -1 : 1;
    }
    return a->number < b->number ? -1 : a->number > b->number;
}

static int64_t floor_seconds(int64_t ms)
{
    return ms >= 0 ? ms / 1000 : -((999 - ms) / 1000);
}

static void shift_event(const struct zone *zone, struct waiting *waiting, int32_t days)
{
    struct event *event = waiting->event;
    int64_t second = floor_seconds(event->time_ms);
    int64_t local = zone_local(zone, second) + (int64_t)days * 86400;
    event->time_ms = zone_utc(zone, local) * 1000 + (event->time_ms - second * 1000);
    waiting->time_ms = event->time_ms;
    if (event->type == EVENT_SERVICE_CLAIMED) {
        event->claimed.purchased += days; /* else the warranty would run out on the way */
    }
}

/* Moves all events by whole local days, so that the last one falls on `day`. */
static void shift_to(struct import *import, int32_t day)
{
    int64_t last_ms = INT64_MIN;
    for (size_t i = 0; i < import->waiting_count; i++) {
        if (import->waiting[i].time_ms > last_ms) {
            last_ms = import->waiting[i].time_ms;
        }
    }
    int32_t days = import->waiting_count ? day - zone_day(import->zone, floor_seconds(last_ms)) : 0;
    for (size_t i = 0; i < import->waiting_count; i++) {
        shift_event(import->zone, &import->waiting[i], days);
    }
}

static int check_options(const struct import_options *options, int32_t *day, struct error *err)
{
    if (!options->mapping) {
        return error_set(err, ERROR_USAGE, "--mapping is missing");
    }
    if (!options->shift_to) {
        return 0;
    }
    if (options->no_sort) {
        return error_set(err, ERROR_USAGE,
                         "--shift-to needs the whole file, --no-sort does without: take one");
    }
    if (!calendar_parse_date(text_of(options->shift_to), day) || *day < CALENDAR_DAY_MIN ||
        *day > CALENDAR_DAY_MAX) {
        return error_set(err, ERROR_USAGE, "--shift-to %s: not a date YYYY-MM-DD of 2000-2099",
                         options->shift_to);
    }
    return 0;
}

static int open_mapping(struct import *import, struct error *err)
{
    const char *path = import->options->mapping;
    struct mistakes *mistakes = mistakes_open();
    if (!mistakes) {
        return error_memory(err);
    }
    int result = mapping_read(&import->mapping, path, mistakes, err);
    mistakes_print(mistakes, path, stderr);
    mistakes_free(mistakes);
    if (result != 0) {
        return -1;
    }
    if (zone_open(&import->zone, import->mapping->zone.at, err) != 0) {
        return error_prefix(err, "%s: zone", path);
    }
    return 0;
}

static int open_table(struct import *import, struct error *err)
{
    struct row header;
    struct drafter_sink sink = {import, import->options->no_sort ? send_now : keep, on_refused};
    if (table_open(&import->table, import->path, import->mapping->delimiter, err) != 0) {
        return -1;
    }
    int found = table_next(import->table, &header, err);
    if (found == 0) {
        error_set(err, ERROR_INPUT, "%s: empty, not even a header", import->path);
    }
    if (found <= 0) {
        return -1;
    }
    if (drafter_open(&import->drafter, import->mapping, import->zone, &header,
                     import->options->no_sort, &sink, err) != 0) {
        return error_prefix(err, "%s:%" PRIu64, import->path, header.line);
    }
    return 0;
}

static int open_outbox(struct import *import, const struct config *config, struct error *err)
{
    struct outbox_options options = {
        .dry_run = import->options->dry_run, .scan = !import->options->no_scan, .progress = true};
    for (size_t i = 0; i < import->mapping->spec_count; i++) {
        options.sides[event_side(import->mapping->specs[i].type)] = true;
    }
    return outbox_open(&import->outbox, config, &options, on_outbox_refused, import, err);
}

/* Why the drafter stopped: --strict, what a sink noted, else memory. */
static int stopped(const struct import *import, struct error *err)
{
    if (import->stopped) {
        return error_set(err, ERROR_INPUT, "stopped at the first refusal (--strict)");
    }
    return err->code != ERROR_NONE ? -1 : error_memory(err);
}

static int read_rows(struct import *import, struct error *err)
{
    struct row row;
    int found;
    while ((found = table_next(import->table, &row, err)) > 0) {
        if (command_stopping()) {
            return error_set(err, ERROR_STOPPED, "stopped by a signal");
        }
        if (!import->options->no_sort) {
            show_progress(import, "rows read", drafter_rows(import->drafter));
        }
        if (!drafter_row(import->drafter, &row)) {
            return stopped(import, err);
        }
    }
    if (found < 0) {
        return -1;
    }
    return drafter_end(import->drafter) ? 0 : stopped(import, err);
}

static int send_sorted(struct import *import, struct error *err)
{
    if (import->waiting_count > 0) {
        qsort(import->waiting, import->waiting_count, sizeof *import->waiting, by_time);
    }
    for (size_t i = 0; i < import->waiting_count; i++) {
        show_progress(import, "events", (int64_t)i);
        if (outbox_add(import->outbox, import->waiting[i].event, import->waiting[i].line, err) !=
            0) {
            return -1;
        }
        if (import->stopped) {
            return stopped(import, err);
        }
    }
    return 0;
}

static int work(struct import *import, const struct config *config, int32_t day, struct error *err)
{
    const bool sort = !import->options->no_sort;
    if (open_mapping(import, err) != 0 || open_table(import, err) != 0 ||
        open_outbox(import, config, err) != 0) {
        return -1;
    }
    if (!sort && outbox_connect(import->outbox, err) != 0) {
        return -1;
    }
    if (read_rows(import, err) != 0) {
        return -1;
    }
    if (import->options->shift_to) {
        shift_to(import, day);
    }
    if (sort && (outbox_connect(import->outbox, err) != 0 || send_sorted(import, err) != 0)) {
        return -1;
    }
    return 0;
}

/* "<before>5,009 events<after>", nothing when there are none unless it is `always` said. */
static void part(const char *before, int64_t n, const char *what, const char *after, bool always)
{
    char number[40];
    if (n || always) {
        const bool plural = what[0] && n != 1;
        fprintf(stderr, "%s%s%s%s%s%s", before, grouped(n, number), what[0] ? " " : "", what,
                plural ? "s" : "", after);
    }
}

static void summarize(struct import *import)
{
    struct outbox_counts counts = outbox_counts(import->outbox);
    int64_t undelivered = counts.sent - counts.delivered - counts.failed;
    progress_clear(&import->progress);
    fprintf(stderr, "import: %s:", import->path);
    part(" ", drafter_rows(import->drafter), "row", "", true);
    part(" (", drafter_skipped(import->drafter), "", " gave no event)", false);
    part(": ", import->options->dry_run ? counts.sent : counts.delivered, "event",
         import->options->dry_run ? " printed" : " delivered", true);
    part(", ", counts.there, "", " already there", !import->options->dry_run);
    part(", ", import->options->dry_run ? 0 : undelivered, "", " sent but not confirmed", false);
    part(", ", counts.repeated, "", " repeated in the file", false);
    part(", ", import->refused_events, "", " refused", true);
    part(" (", import->refused_rows, "row", ")", false);
    fputc('\n', stderr);
}

static void close_all(struct import *import)
{
    outbox_free(import->outbox);
    drafter_free(import->drafter);
    table_free(import->table);
    zone_free(import->zone);
    mapping_free(import->mapping);
    free(import->waiting);
}

static int run(const struct config *config, const void *own, int argc, char **argv,
               struct error *err)
{
    (void)argc;
    int32_t day = 0;
    struct import import = {.options = own, .path = argv[0], .err = err};
    if (check_options(own, &day, err) != 0) {
        return 2;
    }
    command_catch_signals();
    progress_start(&import.progress, true);
    int result = work(&import, config, day, err);
    if (import.outbox) {
        /* what was sent before something failed still arrives, and is counted */
        struct error late = {0};
        if (outbox_flush(import.outbox, &late) != 0 && result == 0) {
            *err = late;
            result = -1;
        }
        if (result == 0 || outbox_counts(import.outbox).sent > 0) {
            summarize(&import);
        }
    }
    if (result == 0) {
        *err = (struct error){0}; /* of a wait that ended well */
    }
    int64_t refused = import.refused_events;
    close_all(&import);
    return result != 0 || refused > 0 ? 1 : 0;
}

#define OPTION(member) offsetof(struct import_options, member)

static const struct command_option words[] = {
    {"mapping", 'm', OPTION_STRING, "FILE", OPTION(mapping), 0, 0,
     "how rows become events (JSON, docs/import.md)"},
    {"dry-run", 'n', OPTION_FLAG, NULL, OPTION(dry_run), 0, 0,
     "print the events instead of sending them; needs no Kafka"},
    {"strict", 0, OPTION_FLAG, NULL, OPTION(strict), 0, 0,
     "stop at the first row that is refused; nothing is sent then, unless --no-sort"},
    {"shift-to", 0, OPTION_STRING, "DATE", OPTION(shift_to), 0, 0,
     "move all times by whole days so that the last falls on DATE"},
    {"no-sort", 0, OPTION_FLAG, NULL, OPTION(no_sort), 0, 0,
     "send in the order of the file, in little memory: rows of an order must be neighbours"},
    {"no-scan", 0, OPTION_FLAG, NULL, OPTION(no_scan), 0, 0,
     "do not look first at what the topics hold: events there are sent again"},
    {NULL, 0, OPTION_FLAG, NULL, 0, 0, 0, NULL},
};

static const char *const settings[] = {"brokers",     "topics.sales",    "topics.service",
                                       "type.prefix", "connect.timeout", NULL};

const struct command import_command = {
    .name = "import",
    .args = "FILE.csv",
    .summary = "Make events of a CSV file",
    .about = "Reads FILE.csv (- is standard input), makes events of its rows as the mapping\n"
             "says, and sends them in the order of their times. What stands in the topics\n"
             "already is skipped, so an import can be repeated or resumed.\n\n"
             "A row that cannot be used is told with its line and column, and everything\n"
             "else goes on. The last line counts rows, delivered, already there, refused;\n"
             "the exit status is 0 only when nothing was refused and all of it is there.\n\n"
             "  tandem import --mapping shop.json --dry-run orders.csv\n"
             "  tandem import --mapping shop.json orders.csv\n"
             "  zcat orders.csv.gz | tandem import --mapping shop.json -\n",
    .options = words,
    .settings = settings,
    .options_size = sizeof(struct import_options),
    .min_args = 1,
    .max_args = 1,
    .run = run,
};

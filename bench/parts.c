/* parts - what one event costs in each part of a worker, apart from Kafka and Redis.
 *
 *     parts                ns an event, best of some rounds, for both sets
 *     parts plain|mixed    every part once over the set, in count_all(): for callgrind, which is
 *                          told to count nothing else. Prints the number of events
 *
 *     decode   from bytes to a checked event (decoder_decode)
 *     window   identity, look-up among the last 100,000, forgetting (event_hash, seen)
 *     fold     into the sums of day and hour in all default scopes (fold_event), key checked
 *     flush    from sums to the batch that Redis gets (flush_tally), once a round
 *
 * The times are those of warm caches: what a worker reads has just come from the network. */
#include "bench/generator.h"
#include "common/partitioner.h"
#include "common/seen.h"
#include "consumers/worker/flush.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    EVENTS = 4000,   /* of a round */
    WINDOW = 100000, /* the default of dedup.window */
    POLL = 2000,     /* records between two commits of the window */
    BEST_OF = 25,
    ROOM = 4096,
    FIRST_DAY = 20758 /* 2026-11-01 */
};

struct bench {
    struct generator set;
    struct made *made;
    struct record *records;
    char *bytes;
    size_t total_bytes;
    struct decoder *decoder;
    struct seen *seen;
    int64_t offset;
    struct zone *zone;
    struct scopes *scopes;
    struct tally *sale, *service;
    struct batch batch;
    uint64_t sink; /* what keeps the compiler from leaving work out */
};

static _Noreturn void die(const char *why)
{
    fprintf(stderr, "parts: %s\n", why);
    exit(1);
}

/* ---- the parts ---- */

/* bench/parts.py looks for their calls by name, so the optimizer of the whole leaves them alone. */
#define PART static __attribute__((noinline))

PART void run_decode(struct bench *b)
{
    struct event event;
    struct rejection why;
    for (size_t i = 0; i < EVENTS; i++) {
        if (decoder_decode(b->decoder, &b->records[i], SIDES, &event, &why) != VERDICT_VALID)
            die(why.detail);
        b->sink += (uint64_t)event.time_ms;
    }
}

/* Every round brings ids that were not there before, as a log does. */
PART void run_window(struct bench *b)
{
    for (size_t i = 0; i < EVENTS; i++) {
        XXH128_hash_t id = event_hash(&b->made[i].event);
        id.low64 += (uint64_t)b->offset * UINT64_C(0x9e3779b97f4a7c15);
        b->sink += seen_stage(b->seen, id, b->offset++);
        if (b->offset % POLL == 0)
            seen_commit(b->seen, b->offset);
    }
}

static struct fold fold_of(const struct bench *b, enum side side)
{
    return (struct fold){side == SIDE_SALE ? &sales_kind : &service_kind,
                         side == SIDE_SALE ? b->sale : b->service,
                         b->scopes,
                         b->zone,
                         INT32_MIN,
                         (int64_t)FIRST_DAY * 86400};
}

PART void run_fold(struct bench *b)
{
    struct fold folds[] = {fold_of(b, SIDE_SALE), fold_of(b, SIDE_SERVICE)};
    for (size_t i = 0; i < EVENTS; i++) {
        const struct event *event = &b->made[i].event;
        struct fold *fold = &folds[event_side(event->type)];
        struct text key = event_key(event);
        b->sink +=
            (uint64_t)partition_of(b->records[i].key, 4) + text_equal(key, event->partitionkey);
        if (fold_counts(fold, event))
            fold_event(fold, event);
    }
}

PART void run_flush(struct bench *b)
{
    struct fold sale = fold_of(b, SIDE_SALE), service = fold_of(b, SIDE_SERVICE);
    batch_clear(&b->batch);
    flush_tally(&sale, "main", (int64_t)FIRST_DAY * 86400, &b->batch);
    flush_tally(&service, "main", (int64_t)FIRST_DAY * 86400, &b->batch);
    b->sink += b->batch.cell_count;
}

static const struct part {
    const char *name;
    void (*run)(struct bench *b);
} parts[] = {
    {"decode", run_decode}, {"window", run_window}, {"fold", run_fold}, {"flush", run_flush}};

#define PARTS (sizeof parts / sizeof *parts)

/* ---- the set ---- */

static void make_records(struct bench *b)
{
    size_t at = 0;
    for (int64_t n = 0; n < EVENTS; n++) {
        struct made *made = &b->made[n];
        generator_make(&b->set, n, made);
        size_t len = event_encode(&made->event, "tandem.", b->bytes + at, ROOM);
        if (!len)
            die("an event does not fit");
        b->records[n] = (struct record){.timestamp_ms = made->event.time_ms,
                                        .offset = n,
                                        .leader_epoch = 0,
                                        .key = event_key(&made->event),
                                        .value = {b->bytes + at, len}};
        at += len;
        b->total_bytes += len;
    }
}

static void open_bench(struct bench *b, bool mixed)
{
    struct error err;
    /* A tenth of a day: what a batch holds while a worker catches up. */
    *b = (struct bench){
        .set = {
            .seed = 1, .count = EVENTS * 10, .first_day = FIRST_DAY, .days = 1, .mixed = mixed}};
    b->made = calloc(EVENTS, sizeof *b->made);
    b->records = calloc(EVENTS, sizeof *b->records);
    b->bytes = malloc((size_t)EVENTS * ROOM);
    if (!b->made || !b->records || !b->bytes)
        die("out of memory");
    make_records(b);
    batch_init(&b->batch);
    if (decoder_open(&b->decoder, "tandem.", &err) != 0 ||
        seen_open(&b->seen, WINDOW, 0, &err) != 0 ||
        zone_open(&b->zone, "Europe/Bucharest", &err) != 0 ||
        scopes_open(&b->scopes, "region,channel,rep,line", &err) != 0 ||
        tally_open(&b->sale, &sales_kind.layout, &err) != 0 ||
        tally_open(&b->service, &service_kind.layout, &err) != 0)
        die(err.text);
    while (b->offset < WINDOW + EVENTS)
        run_window(b);
    run_fold(b); /* so that a flush has something, and rows are there as in the middle of one */
}

static void close_bench(struct bench *b)
{
    batch_free(&b->batch);
    tally_free(b->service);
    tally_free(b->sale);
    scopes_free(b->scopes);
    zone_free(b->zone);
    seen_free(b->seen);
    decoder_free(b->decoder);
    free(b->bytes);
    free(b->records);
    free(b->made);
}

/* ---- the ways to run ---- */

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double best_ns(struct bench *b, const struct part *part)
{
    double best = 0;
    for (int i = 0; i < BEST_OF; i++) {
        double begin = now_ns();
        part->run(b);
        double took = (now_ns() - begin) / EVENTS;
        if (i == 0 || took < best)
            best = took;
    }
    return best;
}

static void tell_times(bool mixed)
{
    struct bench b;
    double total = 0;
    open_bench(&b, mixed);
    printf("%s events, mean size %.0f bytes\n", mixed ? "mixed" : "plain sale",
           (double)b.total_bytes / EVENTS);
    for (size_t p = 0; p < PARTS; p++) {
        double ns = best_ns(&b, &parts[p]);
        total += ns;
        printf("  %-8s %8.1f ns an event\n", parts[p].name, ns);
    }
    printf("  %-8s %8.1f ns an event; %zu sums a flush of %d events\n", "all", total,
           b.batch.cell_count, EVENTS);
    close_bench(&b);
}

PART void count_all(struct bench *b)
{
    for (size_t p = 0; p < PARTS; p++)
        parts[p].run(b);
}

int main(int argc, char **argv)
{
    bool mixed = argc == 2 && strcmp(argv[1], "mixed") == 0;
    if (mixed || (argc == 2 && strcmp(argv[1], "plain") == 0)) {
        struct bench b;
        open_bench(&b, mixed);
        count_all(&b);
        printf("%d\n", EVENTS);
        close_bench(&b);
        return 0;
    }
    if (argc != 1) {
        fputs("usage: parts [plain|mixed]\n", stderr);
        return 2;
    }
    tell_times(false);
    tell_times(true);
    return 0;
}

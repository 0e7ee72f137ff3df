#include "consumers/worker/worker_command.h"

#include "common/clock.h"
#include "common/log.h"
#include "consumers/worker/watch.h"
#include "consumers/worker/worker.h"

enum {
    TURN_MS = 100,         /* longest wait of one turn: how soon a signal is seen */
    STOP_MS = 2000,        /* for the last batch, once asked to stop */
    REPORT_MS = 60000      /* a line about progress this often */
};

const struct command_option worker_command_options[] = {
    {"exit-at-end", 0, OPTION_FLAG, NULL, offsetof(struct worker_options, exit_at_end), 0, 0,
     "end with status 0 when everything that is in the topic now is counted"},
    {"accept-gap", 0, OPTION_FLAG, NULL, offsetof(struct worker_options, accept_gap), 0, 0,
     "count a log that has lost its beginning; every report says from where"},
    {0},
};

static const char *const settings[] = {
    "brokers", "redis", "redis.password.file", "redis.ca.file", "redis.cert.file", "redis.key.file", "redis.timeout", "business",
    "timezone", "topics.sales", "topics.service", "topics.rejected", "type.prefix", "group",
    "scopes", "scope.limit", "flush.ms", "flush.cells", "dedup.window", "connect.timeout",
    "topic.id.check", "listen", "log.level", "log.format", NULL,
};

/* From the turn that brought the first record to the one that saw the last batch applied: what a
 * rate is to be divided by, without start and joining. */
struct span {
    int64_t first_ms, last_ms, batches;
};

static void stretch(struct span *span, const struct worker *worker)
{
    struct worker_totals t = worker_totals(worker);
    if (!span->first_ms && t.records)
        span->first_ms = span->last_ms = clock_mono_ms();
    if (span->batches != t.batches)
        span->last_ms = clock_mono_ms();
    span->batches = t.batches;
}

static void report(const struct worker *worker, const struct span *span, const char *event)
{
    struct worker_totals t = worker_totals(worker);
    log_info(event, log_i("records", t.records), log_i("counted", t.counted),
             log_i("duplicates", t.duplicates), log_i("rejected", t.rejected),
             log_i("ignored", t.ignored), log_i("tombstones", t.tombstones),
             log_i("batches", t.batches), log_i("cells", t.cells), log_i("dropped", t.dropped),
             log_i("rebalances", t.rebalances), log_i("span_ms", span->last_ms - span->first_ms));
}

static int loop(struct worker *worker, struct span *span, struct error *err)
{
    int64_t report_ms = clock_mono_ms() + REPORT_MS, reported = 0;
    while (!command_stopping()) {
        enum worker_turn turn = worker_step(worker, TURN_MS, err);
        stretch(span, worker);
        if (turn != WORKER_GOES_ON)
            return turn == WORKER_DONE ? 0 : 1;
        if (clock_mono_ms() < report_ms)
            continue;
        if (worker_totals(worker).records != reported)
            report(worker, span, "counting");
        reported = worker_totals(worker).records;
        report_ms = clock_mono_ms() + REPORT_MS;
    }
    return 0;
}

/* From the first line to the last, with what watches it. */
static int run_watched(const struct config *config, const struct kind *kind,
                       struct worker_options options, struct error *err)
{
    struct worker *worker;
    struct span span = {0};
    if (worker_open(&worker, config, kind, options, err) != 0)
        return err->code == ERROR_STOPPED ? 0 : 1;
    log_info("worker started", log_s("kind", kind->name), log_s("business", config->business));
    int status = loop(worker, &span, err);
    worker_stop(worker, STOP_MS);
    stretch(&span, worker);
    report(worker, &span, "worker stopped");
    worker_free(worker);
    return status;
}

int worker_run(const struct config *config, const struct kind *kind, const void *own,
               struct error *err)
{
    struct worker_options options = *(const struct worker_options *)own;
    struct listen *listen = NULL;
    command_catch_signals();
    if (watch_open(&options.watch, config, kind, err) != 0)
        return 1;
    const struct listen_route routes[] = {{"/metrics", watch_metrics, options.watch},
                                          {"/healthz", watch_health, options.watch},
                                          {"/readyz", watch_ready, options.watch},
                                          {0}};
    int status = 1;
    if (!config->listen[0] || listen_open(&listen, config->listen, routes, err) == 0)
        status = run_watched(config, kind, options, err);
    listen_close(listen);
    watch_free(options.watch);
    return status;
}

static int run_sales(const struct config *config, const void *own, int argc, char **argv,
                     struct error *err)
{
    (void)argc;
    (void)argv;
    return worker_run(config, &sales_worker_kind, own, err);
}

static int run_service(const struct config *config, const void *own, int argc, char **argv,
                       struct error *err)
{
    (void)argc;
    (void)argv;
    return worker_run(config, &service_worker_kind, own, err);
}

#define ABOUT(side, topic)                                                                         \
    "Reads the topic of " side " events (" topic ") and adds them to the counters in Redis, each\n"\
    "event exactly once: sums and the position in the log move in one step. Several may run;\n"    \
    "Kafka shares the partitions out. It waits for Kafka and Redis when they are away, and goes\n" \
    "on where the store says, after any stop. Records that cannot be counted go to the topic of\n" \
    "rejected records with their reason.\n"                                                        \
    "\n"                                                                                           \
    "  tandem " side "-worker -b kafka:9092 -r redis://redis:6379 --timezone Europe/Bucharest\n"   \
    "  tandem " side "-worker --exit-at-end      count what is there, then end\n"

const struct command sales_worker_command = {
    .name = "sales-worker",
    .args = "",
    .summary = "Count sale events into Redis",
    .about = ABOUT("sales", "tandem.sales"),
    .options = worker_command_options,
    .settings = settings,
    .options_size = sizeof(struct worker_options),
    .run = run_sales,
};

const struct command service_worker_command = {
    .name = "service-worker",
    .args = "",
    .summary = "Count service events into Redis",
    .about = ABOUT("service", "tandem.service"),
    .options = worker_command_options,
    .settings = settings,
    .options_size = sizeof(struct worker_options),
    .run = run_service,
};

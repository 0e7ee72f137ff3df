#include "consumers/customers/customers.h"

#include "consumers/worker/worker.h"
#include "consumers/worker/worker_command.h"

static const char *const settings[] = {
    "brokers", "redis", "redis.password.file", "redis.ca.file", "redis.cert.file", "redis.key.file", "redis.timeout", "business",
    "timezone", "topics.sales", "topics.service", "type.prefix", "group", "scopes", "scope.limit",
    "ledger.shards", "ledger.from", "ledger.limit", "flush.ms", "flush.cells", "dedup.window",
    "connect.timeout", "topic.id.check", "listen", "log.level", "log.format", NULL,
};

static int run_customers(const struct config *config, const void *own, int argc, char **argv,
                         struct error *err)
{
    (void)argc;
    (void)argv;
    return worker_run(config, &customers_worker_kind, own, err);
}

const struct command customers_worker_command = {
    .name = "customers-worker",
    .args = "",
    .summary = "Count what sale and service have in common: customers",
    .about =
        "Reads both topics and counts what depends on a customer's past on both sides: who is\n"
        "new, who bought again, after a service contact too, who came back after a good or a bad\n"
        "rating, who was referred. The result depends on the events alone, in whatever order\n"
        "they come. What is known of a customer is kept in Redis, about 150 bytes each, in\n"
        "--ledger-shards shards; each moves with its positions, as the other counters do.\n"
        "Both topics must have the same number of partitions. Several workers may run.\n"
        "\n"
        "  tandem customers-worker -b kafka:9092 -r redis://redis:6379 --timezone Europe/Bucharest\n"
        "  tandem customers-worker --exit-at-end     count what is there, then end\n"
        "  tandem customer c-8841                    what is known of one\n",
    .options = worker_command_options,
    .settings = settings,
    .options_size = sizeof(struct worker_options),
    .run = run_customers,
};

#include "producers/topics.h"

#include "common/kafka.h"
#include "producers/admin.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SALES, SERVICE, REJECTED, COMPARISON, VERDICTS, TOPICS };
/* When nothing else is said and enough brokers are there. */
enum { PARTITIONS = 4, REPLICATION = 3 };

struct topics_options {
    int64_t partitions, replication; /* 0: not given */
    bool check;
};

struct topics {
    const struct topics_options *options;
    rd_kafka_t *client;
    struct admin_topic found[TOPICS];
    bool made[TOPICS];
    int wrong;
};

static void say(struct topics *topics, bool wrong, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void say(struct topics *topics, bool wrong, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs(wrong ? "wrong: " : "note: ", stdout);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
    topics->wrong += wrong;
}

static bool counted(int i)
{
    return i == SALES || i == SERVICE;
}

/* A sale and a service topic must be equal, so one that is missing follows the other. */
static int wanted_partitions(const struct topics *topics, int i)
{
    if (!counted(i)) {
        return 1;
    }
    int other = topics->found[i == SALES ? SERVICE : SALES].partitions;
    return topics->options->partitions ? (int)topics->options->partitions
           : other                     ? other
                                       : PARTITIONS;
}

static int wanted_replication(const struct topics *topics, struct error *err)
{
    if (topics->options->replication) {
        return (int)topics->options->replication;
    }
    int brokers = admin_brokers(topics->client, err);
    return brokers < REPLICATION ? brokers : REPLICATION;
}

static int make(struct topics *topics, int i, int replication, struct error *err)
{
    char min_insync[16];
    snprintf(min_insync, sizeof min_insync, "%d", replication > 2 ? replication - 1 : 1);
    const struct admin_setting settings[] = {
        {"cleanup.policy", i == COMPARISON ? "compact" : "delete"},
        {"retention.ms", "-1"},
        {"min.insync.replicas", min_insync},
        {"unclean.leader.election.enable", "false"},
        {0},
    };
    topics->made[i] = true;
    return admin_create(topics->client, topics->found[i].name, wanted_partitions(topics, i),
                        replication, settings, err);
}

/* Nothing is made while the topics that are there contradict what was asked for: the new ones
 * would contradict it too. */
static bool may_make(struct topics *topics)
{
    int asked = (int)topics->options->partitions;
    for (int i = SALES; asked && i <= SERVICE; i++) {
        const struct admin_topic *found = &topics->found[i];
        if (found->partitions && found->partitions != asked) {
            say(topics, true,
                "%s has %d partitions, --partitions asks for %d; their number cannot "
                "change once events are counted",
                found->name, found->partitions, asked);
        }
    }
    return topics->wrong == 0;
}

static int make_missing(struct topics *topics, struct error *err)
{
    int replication = 0;
    for (int i = 0; i < TOPICS; i++) {
        if (topics->found[i].partitions > 0) {
            continue;
        }
        if (!replication && (replication = wanted_replication(topics, err)) < 0) {
            return -1;
        }
        if (make(topics, i, replication, err)) {
            return -1;
        }
    }
    return 0;
}

static void judge_settings(struct topics *topics, int i)
{
    const struct admin_topic *found = &topics->found[i];
    bool compacts = strstr(found->cleanup, "compact") != NULL;
    if (!found->settings_known) {
        say(topics, false, "%s: the brokers do not tell its settings", found->name);
        return;
    }
    if (i == COMPARISON && strcmp(found->cleanup, "compact") != 0) {
        say(topics, true,
            "%s: cleanup.policy is %s, must be compact: the last comparison of every "
            "period stays",
            found->name, found->cleanup);
    } else if (i != COMPARISON && compacts) {
        say(topics, true, "%s: cleanup.policy is %s, must be delete: compaction takes events away",
            found->name, found->cleanup);
    }
    if (i != COMPARISON && (found->retention_ms >= 0 || found->retention_bytes >= 0)) {
        say(topics, false,
            "%s: Kafka forgets records (retention.ms=%" PRId64 ", retention.bytes=%" PRId64
            "): counters cannot be rebuilt from what is gone",
            found->name, found->retention_ms, found->retention_bytes);
    }
    if (found->unclean) {
        say(topics, false,
            "%s: unclean.leader.election.enable is true: acknowledged records may "
            "vanish",
            found->name);
    }
    if (found->min_insync < found->replication - 1) {
        say(topics, false,
            "%s: min.insync.replicas is %" PRId64 " of %d replicas: a record that "
            "few brokers hold counts as safe",
            found->name, found->min_insync, found->replication);
    }
}

static void judge(struct topics *topics)
{
    const struct admin_topic *sales = &topics->found[SALES], *service = &topics->found[SERVICE];
    for (int i = 0; i < TOPICS; i++) {
        if (topics->found[i].partitions == 0) {
            say(topics, true, "%s does not exist", topics->found[i].name);
        } else {
            judge_settings(topics, i);
        }
    }
    if (sales->partitions && service->partitions && sales->partitions != service->partitions) {
        say(topics, true,
            "%s has %d partitions and %s has %d: both must have as many, or a "
            "customer's two sides never meet",
            sales->name, sales->partitions, service->name, service->partitions);
    }
}

static void format_retention(const struct admin_topic *topic, char out[32])
{
    if (topic->retention_ms < 0) {
        snprintf(out, 32, "forever");
    } else if (topic->retention_ms % 3600000 == 0) {
        snprintf(out, 32, "%" PRId64 " h", topic->retention_ms / 3600000);
    } else {
        snprintf(out, 32, "%" PRId64 " ms", topic->retention_ms);
    }
}

static void print_table(const struct topics *topics)
{
    int width = 5;
    for (int i = 0; i < TOPICS; i++) {
        int len = (int)strlen(topics->found[i].name);
        width = len > width ? len : width;
    }
    printf("%-*s  partitions  replicas  in sync  cleanup  retention\n", width, "topic");
    for (int i = 0; i < TOPICS; i++) {
        const struct admin_topic *found = &topics->found[i];
        char retention[32];
        const char *state = topics->made[i] ? "made" : "there";
        if (found->partitions == 0) {
            printf("%-*s  %10s  %8s  %7s  %-7s  %-9s  missing\n", width, found->name, "-", "-", "-",
                   "-", "-");
        } else if (!found->settings_known) {
            printf("%-*s  %10d  %8d  %7s  %-7s  %-9s  %s\n", width, found->name, found->partitions,
                   found->replication, "?", "?", "?", state);
        } else {
            format_retention(found, retention);
            printf("%-*s  %10d  %8d  %7" PRId64 "  %-7s  %-9s  %s\n", width, found->name,
                   found->partitions, found->replication, found->min_insync, found->cleanup,
                   retention, state);
        }
    }
}

static int run_topics(struct topics *topics, const struct config *config, struct error *err)
{
    if (kafka_wait(topics->client, config, err) ||
        admin_look(topics->client, topics->found, TOPICS, err)) {
        return 1;
    }
    struct error failed = {0}; /* told last: what is there is worth seeing all the same */
    if (!topics->options->check && may_make(topics) && make_missing(topics, &failed) &&
        failed.code == ERROR_STOPPED) {
        *err = failed;
        return 1;
    }
    if (admin_look(topics->client, topics->found, TOPICS, err)) {
        return 1;
    }
    print_table(topics);
    judge(topics);
    if (failed.code) {
        *err = failed;
    } else if (topics->wrong) {
        error_set(err, ERROR_KAFKA, "%d wrong", topics->wrong);
    }
    return topics->wrong > 0 || failed.code ? 1 : 0;
}

static int run(const struct config *config, const void *options, int argc, char **argv,
               struct error *err)
{
    (void)argc;
    (void)argv;
    struct topics topics = {
        .options = options,
        .found = {{.name = config->topics_sales},
                  {.name = config->topics_service},
                  {.name = config->topics_rejected},
                  {.name = config->topics_comparison},
                  {.name = config->topics_verdicts}},
    };
    command_catch_signals();
    topics.client = kafka_open(config, KAFKA_ADMIN, NULL, NULL, NULL, err);
    if (!topics.client) {
        return 1;
    }
    int status = run_topics(&topics, config, err);
    rd_kafka_destroy(topics.client);
    return status;
}

static const struct command_option words[] = {
    {.name = "partitions",
     .kind = OPTION_INT,
     .word = "N",
     .min = 1,
     .max = 10000,
     .offset = offsetof(struct topics_options, partitions),
     .help = "partitions of the sales and the service topic, the same for both [4, or as many as "
             "the one that is there]"},
    {.name = "replication",
     .kind = OPTION_INT,
     .word = "N",
     .min = 1,
     .max = 100,
     .offset = offsetof(struct topics_options, replication),
     .help = "brokers that hold each record [3, or as many as there are]"},
    {.name = "check",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct topics_options, check),
     .help = "make nothing, only say what is there"},
    {0},
};

static const char *const settings[] = {
    "brokers",         "topics.sales",    "topics.service", "topics.rejected", "topics.comparison",
    "topics.verdicts", "connect.timeout", "log.level",      "log.format",      NULL};

const struct command topics_command = {
    .name = "topics",
    .args = "",
    .summary = "Make the topics in Kafka and check them",
    .about = "Makes those of the five topics that do not exist, prints what is there, and says\n"
             "what is wrong. Running it again changes nothing.\n\n"
             "  sales, service   the events. Both have the same number of partitions, so that\n"
             "                   a customer's two sides meet; it cannot change later. Kept\n"
             "                   for ever: the counters can be made again from them\n"
             "  rejected         what could not be counted, 1 partition, kept for ever\n"
             "  comparison       the last published comparison of each period, 1 partition,\n"
             "                   compacted\n"
             "  verdicts         changes of verdicts, 1 partition, kept for ever\n\n"
             "  tandem topics --partitions 12 --replication 3\n"
             "  tandem topics --check               changes nothing\n\n"
             "Ends with 0 when all is well, 1 when something is wrong or Kafka refuses.\n",
    .options = words,
    .settings = settings,
    .options_size = sizeof(struct topics_options),
    .run = run,
};

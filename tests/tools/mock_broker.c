/* mock_broker [--partitions N] [--brokers N] [--stay] TOPIC... - librdkafka's mock cluster as a
 * process: for a demonstration on a machine with neither Java nor Docker.
 *
 * Makes the topics (a mock makes none on request), prints its bootstrap servers as the first
 * line and runs until its standard input ends, or, with --stay, until SIGTERM or SIGINT.
 * It keeps 5 MB or 100,000 records a partition and forgets all when it ends. */

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

struct options {
    int partitions;
    int brokers;
    bool stay;
    char **topics; /* NULL-terminated, of argv */
};

static volatile sig_atomic_t asked_to_end;

static void on_signal(int signal_number)
{
    (void)signal_number;
    asked_to_end = 1;
}

static int usage(void)
{
    fprintf(stderr, "usage: mock_broker [--partitions N] [--brokers N] [--stay] TOPIC...\n");
    return -1;
}

static int read_count(const char *text, int *out)
{
    char *end = NULL;
    long count = text != NULL ? strtol(text, &end, 10) : 0;

    if (count < 1 || count > 1000 || *end != '\0')
        return -1;
    *out = (int)count;
    return 0;
}

static int read_options(char **argv, struct options *options)
{
    *options = (struct options){.partitions = 4, .brokers = 1};
    for (argv++; *argv != NULL && strncmp(*argv, "--", 2) == 0; argv++) {
        if (strcmp(*argv, "--stay") == 0)
            options->stay = true;
        else if (strcmp(*argv, "--partitions") == 0 && read_count(argv[1], &options->partitions) == 0)
            argv++;
        else if (strcmp(*argv, "--brokers") == 0 && read_count(argv[1], &options->brokers) == 0)
            argv++;
        else
            return usage();
    }
    options->topics = argv;
    return 0;
}

/* It connects to nobody, and says at level 5 that it has no address to connect to. */
static rd_kafka_t *open_client(void)
{
    char text[512] = "";
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_t *client = NULL;

    rd_kafka_conf_set(conf, "log_level", "4", text, sizeof(text));
    client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
    if (client == NULL) {
        fprintf(stderr, "mock_broker: %s\n", text);
        rd_kafka_conf_destroy(conf);
    }
    return client;
}

static int make_topics(rd_kafka_mock_cluster_t *cluster, const struct options *options)
{
    for (char **topic = options->topics; *topic != NULL; topic++) {
        rd_kafka_resp_err_t err =
            rd_kafka_mock_topic_create(cluster, *topic, options->partitions, options->brokers);
        if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            fprintf(stderr, "mock_broker: topic %s: %s\n", *topic, rd_kafka_err2str(err));
            return -1;
        }
    }
    return 0;
}

/* poll() without a time limit: a signal ends it with EINTR, its handler has no SA_RESTART.
 * One that came between the check and the poll would be missed, so it is blocked outside. */
static void wait_for_the_end(bool stay)
{
    char ignored[512];
    sigset_t unblocked;
    struct pollfd input = {.fd = stay ? -1 : STDIN_FILENO, .events = POLLIN};

    sigprocmask(SIG_SETMASK, NULL, &unblocked);
    sigdelset(&unblocked, SIGTERM);
    sigdelset(&unblocked, SIGINT);
    while (!asked_to_end) {
        if (ppoll(&input, 1, NULL, &unblocked) > 0 &&
            read(STDIN_FILENO, ignored, sizeof(ignored)) <= 0)
            return;
    }
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t blocked;

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGINT);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
}

static int serve(rd_kafka_t *client, const struct options *options)
{
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(client, options->brokers);
    int result = -1;

    if (cluster == NULL)
        return -1;
    if (make_topics(cluster, options) == 0) {
        printf("%s\n", rd_kafka_mock_cluster_bootstraps(cluster));
        fflush(stdout);
        wait_for_the_end(options->stay);
        result = 0;
    }
    rd_kafka_mock_cluster_destroy(cluster);
    return result;
}

int main(int argc, char **argv)
{
    struct options options;
    rd_kafka_t *client = NULL;
    int result = -1;

    (void)argc;
    if (read_options(argv, &options) != 0)
        return 2;
    catch_signals(); /* before librdkafka starts its threads: they inherit the mask */
    client = open_client();
    if (client != NULL) {
        result = serve(client, &options);
        rd_kafka_destroy(client);
    }
    return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

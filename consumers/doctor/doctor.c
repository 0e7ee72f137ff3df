#include "consumers/doctor/doctor.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/zone.h"
#include "consumers/customers/customers.h"
#include "consumers/doctor/exam.h"
#include "consumers/doctor/look.h"
#include "consumers/worker/opening.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ALL_WELL = 0, SOME_ERROR = 1, SOME_WARNING = 3 };
/* Twice what a sum may wait in memory, within these. */
enum { AGAIN_MIN_MS = 1000, AGAIN_MAX_MS = 4000 };

struct doctor_options {
    bool json;
};

static int define(struct facts *facts, const struct config *config, struct error *err)
{
    static const struct kind *const kinds[] = {&sales_worker_kind, &service_worker_kind,
                                               &customers_worker_kind};
    _Static_assert(sizeof facts->definitions[0] >= DEFINITION_BYTES, "a definition fits");
    struct zone *zone;
    if (zone_open(&zone, config->timezone, err) != 0)
        return -1;
    for (int k = 0; k < FACTS_KINDS; k++)
        opening_define(kinds[k], config, zone, facts->definitions[k]);
    zone_free(zone);
    return 0;
}

static bool behind(const struct facts *facts)
{
    for (int k = 0; k < FACTS_KINDS; k++)
        if (facts_lag(facts, k) > 0)
            return true;
    return false;
}

static int collect(struct facts *facts, const struct config *config, struct error *err)
{
    if (look_stores(facts, config, err) != 0 || look_kafka(facts, config, err) != 0)
        return -1;
    facts->now_s = clock_wall_ms() / 1000;
    if (behind(facts)) {
        int64_t wait_ms = 2 * config->flush_ms;
        clock_sleep_ms(wait_ms < AGAIN_MIN_MS   ? AGAIN_MIN_MS
                       : wait_ms > AGAIN_MAX_MS ? AGAIN_MAX_MS
                                                : wait_ms);
        look_again(facts, config);
    }
    return 0;
}

/* A person looks on, and did not ask for none (https://no-color.org). */
static bool wants_colour(void)
{
    const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return isatty(STDOUT_FILENO) && (!no || !*no) && (!terminal || strcmp(terminal, "dumb") != 0);
}

static int print(const struct diagnosis *d, bool json, struct error *err)
{
    if (d->failed)
        return error_memory(err);
    if (json && diagnosis_print_json(d, stdout) != 0)
        return error_set(err, ERROR_SYSTEM, "cannot write to standard output");
    if (!json)
        diagnosis_print(d, wants_colour(), stdout);
    return fflush(stdout) == 0 ? 0
                               : error_set(err, ERROR_SYSTEM, "cannot write to standard output");
}

/* What the libraries say of a server that is away is told by a line. */
static void be_quiet(const struct config *config)
{
    if (strcmp(config->log_level, "debug") != 0)
        log_setup(LOG_ERROR,
                  strcmp(config->log_format, "json") == 0 ? LOG_FORMAT_JSON : LOG_FORMAT_LOGFMT);
}

static int run(const struct config *config, const void *options, int argc, char **argv,
               struct error *err)
{
    const struct doctor_options *own = options;
    struct diagnosis diagnosis = {0};
    struct facts *facts = calloc(1, sizeof *facts);
    struct config bounded = *config; /* borrows all that it points to */
    (void)argc;
    (void)argv;
    if (!facts)
        return error_memory(err), SOME_ERROR;
    if (bounded.redis_timeout_ms > LOOK_WAIT_MS)
        bounded.redis_timeout_ms = LOOK_WAIT_MS;
    command_catch_signals();
    be_quiet(config);
    int status = define(facts, config, err) == 0 ? SOME_ERROR : 2;
    int rc = status == 2 ? -1 : collect(facts, &bounded, err);
    if (rc == 0) {
        exam_kafka(&diagnosis, config, facts);
        exam_groups(&diagnosis, facts);
        exam_redis(&diagnosis, facts);
        exam_stores(&diagnosis, config, facts);
        exam_report(&diagnosis, facts);
        rc = print(&diagnosis, own->json, err);
    }
    enum finding_level worst = diagnosis.worst;
    diagnosis_clear(&diagnosis);
    facts_clear(facts);
    free(facts);
    if (rc != 0)
        return err->code == ERROR_USAGE ? 2 : status;
    return worst == FINDING_ERROR ? SOME_ERROR : worst == FINDING_WARNING ? SOME_WARNING : ALL_WELL;
}

static const struct command_option words[] = {
    {"json", 0, OPTION_FLAG, NULL, offsetof(struct doctor_options, json), 0, 0,
     "print JSON instead: status, and checks with area, level, text and mend"},
    {0},
};

const struct command doctor_command = {
    .name = "doctor",
    .args = "",
    .summary = "Look at everything, name what is wrong and what mends it",
    .about =
        "Looks at brokers, topics, groups and their lag, Redis, clocks, the stored counters,\n"
        "their positions against the log, and the publications. Prints a line for each, ok,\n"
        "warning or error, and below one that is not ok what mends it. It takes the settings of\n"
        "the workers and changes nothing. A server that is away is named after a few seconds,\n"
        "and the other is looked at all the same.\n"
        "\n"
        "  tandem doctor\n"
        "  tandem doctor --json | jq '.checks[] | select(.level != \"ok\")'\n"
        "\n"
        "Ends with 0 when all is ok, with 3 when the worst is a warning, with 1 when something\n"
        "is an error, with 2 when a setting or option is wrong. Colours on a terminal, unless\n"
        "NO_COLOR is set.\n",
    .options = words,
    .options_size = sizeof(struct doctor_options),
    .run = run,
};

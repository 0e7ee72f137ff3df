#include "consumers/privacy/customer_command.h"

#include "common/event_data.h"
#include "common/redis_layout.h"
#include "consumers/privacy/dossier_print.h"

#include <inttypes.h>

struct customer_options {
    const char *format;
};

int customer_command_check(const char *id, struct error *err)
{
    if (event_is_slug(text_of(id)))
        return 0;
    return error_set(err, ERROR_USAGE, "\"%.80s\" is no customer: 1-64 of A-Z a-z 0-9 . _ -", id);
}

int customer_command_unknown(const struct dossier *dossier, struct error *err)
{
    return error_set(err, ERROR_INPUT,
                     "nothing is known of customer %s in business %s (partition %" PRId32
                     " of %" PRId32 ", and no other)",
                     dossier->id, dossier->business, dossier->home, dossier->partitions);
}

static int print(const struct dossier *dossier, const struct zone *zone, bool json,
                 struct error *err)
{
    bool empty = dossier_empty(dossier);
    if (json && dossier_json(dossier, zone, stdout, err) != 0)
        return -1;
    if (!json && !empty)
        dossier_text(dossier, zone, stdout);
    if (fflush(stdout) != 0)
        return error_set(err, ERROR_SYSTEM, "cannot write to standard output");
    return empty ? customer_command_unknown(dossier, err) : 0;
}

static int answer(const struct config *config, const char *id, const struct zone *zone, bool json,
                  struct error *err)
{
    struct redis *redis;
    struct dossier dossier = {0};
    if (redis_open(&redis, config, err) != 0)
        return -1;
    int rc = redis_layout(redis, config, false, err);
    if (rc == 0)
        rc = dossier_read(&dossier, config, redis, id, err);
    if (rc == 0)
        rc = print(&dossier, zone, json, err);
    dossier_clear(&dossier);
    redis_free(redis);
    return rc;
}

static int run(const struct config *config, const void *options, int argc, char **argv,
               struct error *err)
{
    const struct customer_options *own = options;
    struct zone *zone;
    bool json = strcmp(own->format, "json") == 0;
    (void)argc;
    if (!json && strcmp(own->format, "text") != 0) {
        error_set(err, ERROR_USAGE, "--format %.40s: not one of text, json", own->format);
        return 2;
    }
    if (customer_command_check(argv[0], err) != 0 || zone_open(&zone, config->timezone, err) != 0)
        return 2;
    command_catch_signals();
    int rc = answer(config, argv[0], zone, json, err);
    zone_free(zone);
    return rc == 0 ? 0 : 1;
}

static const struct command_option words[] = {
    {"format", 0, OPTION_STRING, "FORMAT", offsetof(struct customer_options, format), 0, 0,
     "text or json (default: text)"},
    {0},
};

static const char *const settings[] = {
    "redis",           "redis.password.file",
    "redis.ca.file",   "redis.cert.file",
    "redis.key.file",  "redis.timeout",
    "business",        "timezone",
    "connect.timeout", NULL,
};

const struct command customer_command = {
    .name = "customer",
    .args = "ID",
    .summary = "Print what is known of one customer",
    .about = "Prints what the ledger of customers holds under an id: first purchase, months with\n"
             "purchases, purchases, ratings, service contacts, interactions, and who recommended\n"
             "them; or that the customer was forgotten. It reads Redis only, in the partition of\n"
             "the id and in all others. What events said beyond that lies in Kafka alone\n"
             "(docs/privacy.md). Where nothing is known it says so, with status 1.\n"
             "\n"
             "  tandem customer c-1042\n"
             "  tandem customer c-1042 --format json\n",
    .options = words,
    .settings = settings,
    .options_size = sizeof(struct customer_options),
    .defaults = &(const struct customer_options){.format = "text"},
    .min_args = 1,
    .max_args = 1,
    .run = run,
};

#include "producers/rejected/rejected.h"

#include "common/clock.h"
#include "common/event.h"
#include "common/suggest.h"
#include "producers/rejected/rejected_verbs.h"
#include "producers/rejected/since.h"

#include <stdlib.h>

void rejected_print(struct text bytes, FILE *out)
{
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.at[i];
        unsigned char next = i + 1 < bytes.len ? (unsigned char)bytes.at[i + 1] : 0;
        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f) {
            fprintf(out, "\\x%02x", c);
        } else if (c == 0xc2 && next >= 0x80 && next < 0xa0) { /* the same in UTF-8 */
            fprintf(out, "\\u00%02x", next);
            i++;
        } else {
            putc(c, out);
        }
    }
}

int rejected_read_known(const struct config *config, struct known *known[SIDES], struct error *err)
{
    const char *topics[SIDES] = {config->topics_sales, config->topics_service};
    for (int side = 0; side < SIDES; side++) {
        if (known_open(&known[side], config, topics[side], (enum side)side, true, err)) {
            return -1;
        }
    }
    return 0;
}

/* ---- the words ---- */

static int check_reason(const char *reason, struct error *err)
{
    struct suggest suggest = {.word = reason};
    for (int i = 0; i < REJECTS; i++) {
        if (strcmp(reason, reject_name((enum reject)i)) == 0) {
            return 0;
        }
        suggest_offer(&suggest, reject_name((enum reject)i));
    }
    return error_set(err, ERROR_USAGE,
                     "--reason %.60s: no such reason%s%s%s; docs/events.md lists "
                     "them",
                     reason, suggest.best ? " (did you mean " : "",
                     suggest.best ? suggest.best : "", suggest.best ? "?)" : "");
}

static int take_format(struct rejected *rejected, struct error *err)
{
    static const char *const names[] = {"table", "json", "ndjson"};
    for (int i = 0; i < (int)(sizeof names / sizeof *names); i++) {
        if (strcmp(rejected->words->format, names[i]) == 0) {
            rejected->format = (enum rejected_format)i;
            return 0;
        }
    }
    return error_set(err, ERROR_USAGE, "--format %.60s: not one of table, json, ndjson",
                     rejected->words->format);
}

static int take_since(struct rejected *rejected, struct error *err)
{
    struct zone *zone = NULL;
    rejected->filter.since_ms = LETTERS_ALWAYS;
    if (!rejected->words->since) {
        return 0;
    }
    int rc = zone_open(&zone, rejected->config->timezone, err);
    if (!rc) {
        rc = since_parse(rejected->words->since, zone, clock_wall_ms(), &rejected->filter.since_ms,
                         err);
    }
    zone_free(zone);
    return rc;
}

/* What one verb takes another might pass over in silence, so it is refused. */
static int check_words(const struct rejected_words *words, const char *verb, struct error *err)
{
    bool list = strcmp(verb, "list") == 0, show = strcmp(verb, "show") == 0;
    const struct {
        bool given, fits;
        const char *name;
    } checks[] = {
        {words->limit >= 0, list, "--limit"},
        {words->open, list, "--open"},
        {words->values, list, "--values"},
        {words->raw, show, "--raw"},
        {words->dry_run, !list && !show, "--dry-run"},
        {words->reason != NULL, !show, "--reason"},
        {words->since != NULL, !show, "--since"},
        {strcmp(words->format, "table") != 0, list || show, "--format"},
    };
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        if (checks[i].given && !checks[i].fits) {
            return error_set(err, ERROR_USAGE, "%s does not go with %s", checks[i].name, verb);
        }
    }
    return 0;
}

static int run_resend(const struct rejected *rejected, int argc, char **argv, struct error *err)
{
    bool all = rejected->words->reason != NULL;
    if (all == (argc > 0) || (argc > 0 && rejected->words->since)) {
        error_set(err, ERROR_USAGE,
                  "which letters? keys, one key and a file, a file, or --reason "
                  "(and --since) without them");
        return 2;
    }
    return rejected_resend(rejected, argc, argv, err);
}

static int run_verb(const struct rejected *rejected, int argc, char **argv, struct error *err)
{
    if (strcmp(argv[0], "resend") == 0) {
        return run_resend(rejected, argc - 1, argv + 1, err);
    }
    bool show = strcmp(argv[0], "show") == 0;
    if (argc != 1 + show) {
        error_set(err, ERROR_USAGE,
                  show ? "show takes one KEY: topic/partition/offset"
                       : "list takes no further words");
        return 2;
    }
    int status = show ? rejected_show(rejected, argv[1], err) : rejected_list(rejected, err);
    if (status == 0 && fflush(stdout) != 0) {
        error_set(err, ERROR_SYSTEM, "cannot write to standard output");
        return 1;
    }
    return status;
}

static int run(const struct config *config, const void *options, int argc, char **argv,
               struct error *err)
{
    struct rejected rejected = {.config = config, .words = options};
    const char *verb = argv[0];
    rejected.filter.reason = rejected.words->reason;
    if (strcmp(verb, "list") != 0 && strcmp(verb, "show") != 0 && strcmp(verb, "resend") != 0) {
        error_set(err, ERROR_USAGE, "%.60s: not one of list, show, resend", verb);
        return 2;
    }
    if (check_words(rejected.words, verb, err) || take_format(&rejected, err) ||
        take_since(&rejected, err) ||
        (rejected.words->reason && check_reason(rejected.words->reason, err))) {
        return 2;
    }
    command_catch_signals();
    return run_verb(&rejected, argc, argv, err);
}

#define WORD(member) offsetof(struct rejected_words, member)

static const struct command_option words[] = {
    {.name = "reason",
     .kind = OPTION_STRING,
     .word = "REASON",
     .offset = WORD(reason),
     .help = "only letters of this reason: bad_field, amount_mismatch, ..."},
    {.name = "since",
     .kind = OPTION_STRING,
     .word = "WHEN",
     .offset = WORD(since),
     .help = "only what was rejected since: 90m, 24h, 7d, 2026-11-23, 2026-11-23T14:00:00Z"},
    {.name = "format",
     .kind = OPTION_STRING,
     .word = "FORMAT",
     .offset = WORD(format),
     .help = "list, show: table, json or ndjson [table]"},
    {.name = "limit",
     .kind = OPTION_INT,
     .word = "N",
     .offset = WORD(limit),
     .min = 0,
     .max = 100000000,
     .help = "list: at most N letters, the newest (of ndjson the first); 0: all [a table 20, "
             "else all]"},
    {.name = "open",
     .kind = OPTION_FLAG,
     .offset = WORD(open),
     .help = "list: leave out those whose source and id stand in their topic, valid; reads it"},
    {.name = "values",
     .kind = OPTION_FLAG,
     .offset = WORD(values),
     .help = "list: with key, headers and value of each record, in json and ndjson"},
    {.name = "raw",
     .kind = OPTION_FLAG,
     .offset = WORD(raw),
     .help = "show: the value alone, byte by byte, to correct and send again"},
    {.name = "dry-run",
     .kind = OPTION_FLAG,
     .offset = WORD(dry_run),
     .help = "resend: check, send nothing"},
    {0},
};

static const char *const settings[] = {
    "brokers",  "topics.rejected", "topics.sales", "topics.service", "type.prefix",
    "timezone", "connect.timeout", "log.level",    "log.format",     NULL};

static const struct rejected_words defaults = {.format = "table", .limit = -1};

const struct command rejected_command = {
    .name = "rejected",
    .args = "list | show KEY | resend [KEY... | KEY FILE | FILE]",
    .summary = "List, show and send again what could not be counted",
    .about =
        "A record that cannot be counted is kept as a letter in the topic of rejected records,\n"
        "with its reason. The letter's key says where the record stands in the log:\n"
        "topic/partition/offset. A letter that came twice is shown once.\n\n"
        "  tandem rejected list                        the newest, and how many of each reason\n"
        "  tandem rejected list --open --since 24h     only what nobody has sent again\n"
        "  tandem rejected show tandem.sales/2/17      one record whole\n\n"
        "One is corrected and sent again so:\n"
        "  tandem rejected show --raw tandem.sales/2/17 > f\n"
        "  edit f\n"
        "  tandem rejected resend tandem.sales/2/17 f\n"
        "many so (each line's `value` is the record, a text or an object):\n"
        "  tandem rejected list --reason bad_field --values --format ndjson > f\n"
        "  edit f\n"
        "  tandem rejected resend f\n"
        "and those that were only too early, or in the wrong topic, unchanged:\n"
        "  tandem rejected resend --reason time_future --dry-run\n"
        "  tandem rejected resend --reason time_future\n\n"
        "What is sent is checked first as the workers check it, keeps its source and id, and goes\n"
        "to the topic of its type under its customer's key. Before sending, the topics are read:\n"
        "what stands there already, valid, is skipped, so resending twice doubles nothing.\n\n"
        "Nothing is ever removed from the topic of rejected records: list goes on showing a\n"
        "letter after its record was sent again, list --open does not. (A record that states no\n"
        "source and id, as bad JSON, cannot be recognised and stays open.)\n\n"
        "Ends with 0 when all was shown, delivered or skipped, 1 when something was refused or\n"
        "there is no such letter, 2 when the words are wrong, 130 after Ctrl-C.\n",
    .options = words,
    .settings = settings,
    .options_size = sizeof(struct rejected_words),
    .defaults = &defaults,
    .min_args = 1,
    .max_args = -1,
    .run = run,
};

#include "consumers/recount/audit.h"

#include "common/calendar.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/redis.h"
#include "common/zone.h"
#include "consumers/recount/audit_compare.h"
#include "consumers/recount/audit_customers.h"
#include "consumers/recount/audit_gap.h"
#include "consumers/recount/glance.h"
#include "consumers/recount/shape.h"
#include "consumers/reporter/key.h"
#include "consumers/worker/definition.h"
#include "consumers/worker/opening.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    MOST_TOLD = 100, /* differences printed without --all */
    TRIES_MAX = 5,   /* a store that is set back again and again cannot be audited */
    ROUNDS_MAX = 20, /* keys that come while the audit runs */
    TELL_MS = 250
};

struct audit_options {
    const char *days, *side;
    bool all;
};

struct audit {
    const struct config *config;
    struct zone *zone;
    struct redis *redis;
    char prefix[64], definition[DEFINITION_BYTES];
    int32_t from, until;
    bool sides[SIDES];
    bool customers; /* wanted, though there may be no ledger */
    bool only_customers;
    struct customers_audit ledger;
    int shards;
    struct findings findings;
    char upto[SIDES][2048]; /* "tandem.sales 0:1220 1:1325" */
    /* progress, on a terminal */
    bool terminal;
    int64_t told_ms, done, total;
    const char *side;
};

/* One side, from the opening to its last slice. */
struct pass {
    struct audit *audit;
    const struct fold_kind *kind;
    struct store_state state;
    struct recount *recount;
    struct admissions scopes, currencies;
    struct slice slice;
    struct comparison comparison;
};

/* ---- words ---- */

bool audit_parse_days(struct text text, int32_t *from, int32_t *until)
{
    *from = INT32_MIN;
    *until = INT32_MAX;
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.at[i] != '.' || text.at[i + 1] != '.')
            continue;
        struct text first = {text.at, i}, last = {text.at + i + 2, text.len - i - 2};
        return (first.len || last.len) && (!first.len || calendar_parse_date(first, from)) &&
               (!last.len || calendar_parse_date(last, until)) && *from <= *until;
    }
    return false;
}

static void tell(struct audit *a, int64_t offsets)
{
    int64_t now_ms = clock_mono_ms(), done = a->done + offsets;
    if (!a->terminal || now_ms - a->told_ms < TELL_MS)
        return;
    a->told_ms = now_ms;
    int64_t percent = a->total > 0 ? 100 * done / a->total : 100;
    fprintf(stderr, "\r%s: %" PRId64 " offsets read, %" PRId64 " %% ", a->side, offsets,
            percent > 100 ? 100 : percent);
}

static void on_tick(void *context, int64_t offsets)
{
    tell(context, offsets);
}

static void clear_line(const struct audit *a)
{
    if (a->terminal)
        fputs("\r\033[K", stderr);
}

/* ---- may this store be audited? ---- */

static int look(struct audit *a, const struct fold_kind *kind, struct store_state *state,
                struct error *err)
{
    const char *words[] = {kind->name};
    struct store_kind which = {
        .name = kind->name, .words = words, .word_count = 1, .generation = ""};
    if (glance(a->config, &which, state, err) != 0)
        return -1;
    if (!state->exists)
        return error_set(err, ERROR_STORE, "business %s has no store of %s: nothing was counted",
                         a->config->business, kind->name);
    return 0;
}

static int check_store(struct audit *a, const struct fold_kind *kind,
                       const struct store_state *state, struct error *err)
{
    const char *topic =
        kind->side == SIDE_SALE ? a->config->topics_sales : a->config->topics_service;
    if (opening_definition(a->definition, state, err) != 0)
        return -1;
    if (strcmp(topic, state->topics[0].name) != 0)
        return error_set(err, ERROR_LOG, "the store counts topic %s, not %s", state->topics[0].name,
                         topic);
    return audit_gap_check(a->redis, a->prefix, topic, err);
}

/* ---- slices ---- */

static bool wanted(const void *context, const char *rest)
{
    return compare_wants(context, rest);
}

/* Reads keys of one moment, and walks the recount to it. */
static enum audit_outcome audit_slice(struct pass *p, char *const *keys, size_t count,
                                      struct error *err)
{
    struct audit *a = p->audit;
    if (command_stopping()) {
        error_set(err, ERROR_STOPPED, "stopped: nothing is proven");
        return AUDIT_FAILED;
    }
    if (slice_read(&p->slice, a->redis, keys, count, err) != 0)
        return AUDIT_FAILED;
    if (strcmp(p->slice.token, p->state.token) != 0 ||
        recount_passed(p->recount, p->slice.positions))
        return AUDIT_AGAIN;
    if (recount_walk(p->recount, p->slice.positions, &p->slice.floors, on_tick, a, err) != 0 ||
        compare_slice(&p->comparison, err) != 0)
        return AUDIT_FAILED;
    return AUDIT_DONE;
}

static enum audit_outcome audit_keys(struct pass *p, const struct keylist *keys, struct error *err)
{
    for (size_t at = 0, count; at < keys->count; at += count) {
        if (slice_fit(p->audit->redis, keys->list + at, keys->count - at, &count, err) != 0)
            return AUDIT_FAILED;
        enum audit_outcome outcome = audit_slice(p, keys->list + at, count, err);
        if (outcome != AUDIT_DONE)
            return outcome;
    }
    return AUDIT_DONE;
}

/* Then those that the log says but Redis did not show, until there are none: also keys that were
 * made since the first look. */
static enum audit_outcome audit_missing(struct pass *p, struct keylist *known, struct error *err)
{
    enum audit_outcome outcome = AUDIT_DONE;
    for (int round = 0; round < ROUNDS_MAX && outcome == AUDIT_DONE; round++) {
        struct keylist missing = {0};
        int rc = compare_missing(&p->comparison, known, &missing, err);
        size_t count = missing.count;
        if (rc == 0)
            outcome = audit_keys(p, &missing, err);
        for (size_t i = 0; i < count && rc == 0; i++)
            rc = keylist_add(known, text_of(missing.list[i]), err);
        keylist_sort(known);
        keylist_clear(&missing);
        if (rc != 0)
            return AUDIT_FAILED;
        if (count == 0)
            break;
    }
    return outcome;
}

/* ---- one side ---- */

static int open_pass(struct pass *p, struct error *err)
{
    struct audit *a = p->audit;
    const struct config *c = a->config;
    if (check_store(a, p->kind, &p->state, err) != 0 ||
        admissions_open(&p->scopes, c->scopes, c->scope_limit, err) != 0 ||
        admissions_open(&p->currencies, "currency", INT64_MAX, err) != 0 ||
        slice_open(&p->slice, c->business, p->kind->name, p->state.topics[0].partitions, &p->scopes,
                   &p->currencies, err) != 0 ||
        recount_open(&p->recount, c, p->kind, a->zone, &p->state, clock_wall_ms() / 1000, err) != 0)
        return -1;
    p->comparison =
        (struct comparison){p->recount, &p->slice, a->prefix, a->from, a->until, &a->findings};
    return 0;
}

static void close_pass(struct pass *p)
{
    recount_free(p->recount);
    slice_clear(&p->slice);
    admissions_clear(&p->scopes);
    admissions_clear(&p->currencies);
}

static int64_t offsets_of(const struct store_state *state)
{
    int64_t sum = 0;
    for (size_t i = 0; i < state->position_count; i++)
        sum += state->positions[i].at.offset - state->positions[i].begin;
    return sum;
}

static void write_upto(const struct pass *p, char *out, size_t room)
{
    size_t len = (size_t)snprintf(out, room, "%s", p->state.topics[0].name);
    for (int32_t i = 0; i < p->slice.partitions && len < room; i++)
        len += (size_t)snprintf(out + len, room - len, " %" PRId32 ":%" PRId64, i,
                                p->slice.positions[i]);
}

static enum audit_outcome audit_side(struct pass *p, struct error *err)
{
    struct audit *a = p->audit;
    struct keylist keys = {0};
    a->side = p->kind->name;
    if (open_pass(p, err) != 0)
        return AUDIT_FAILED;
    /* An empty slice first: the floor and Redis' clock decide which keys are wanted. */
    enum audit_outcome outcome = audit_slice(p, NULL, 0, err);
    if (outcome == AUDIT_DONE &&
        keylist_scan(&keys, a->redis, a->prefix, wanted, &p->comparison, err) != 0)
        outcome = AUDIT_FAILED;
    if (outcome == AUDIT_DONE)
        outcome = audit_keys(p, &keys, err);
    if (outcome == AUDIT_DONE)
        outcome = audit_missing(p, &keys, err);
    if (outcome == AUDIT_DONE && compare_sets(&p->comparison, err) != 0)
        outcome = AUDIT_FAILED;
    if (outcome == AUDIT_DONE)
        write_upto(p, a->upto[p->kind->side], sizeof a->upto[0]);
    keylist_clear(&keys);
    a->done += offsets_of(&p->state);
    return outcome;
}

/* ---- customers ---- */

/* Shard after shard: memory holds the customers of one. */
static enum audit_outcome audit_customers(struct audit *a, struct error *err)
{
    enum audit_outcome outcome = AUDIT_DONE;
    a->side = "customers";
    a->done = a->total = 0;
    for (int shard = 0; shard < a->shards && outcome == AUDIT_DONE; shard++)
        outcome = customers_audit_shard(&a->ledger, shard, a->shards, err);
    return outcome;
}

/* ---- the whole ---- */

static int find_ledger(struct audit *a, struct error *err)
{
    a->shards = 0;
    if (!a->customers)
        return 0;
    if (shape_shards(a->redis, a->config, "", &a->shards, err) != 0)
        return -1;
    if (a->only_customers && a->shards == 0)
        return error_set(err, ERROR_STORE,
                         "business %s has no ledger of customers: nothing was counted",
                         a->config->business);
    return 0;
}

/* To the node that has the business's own keys. */
static int go_home(struct audit *a, struct error *err)
{
    char key[KEY_MAX];
    return redis_wait_for(a->redis, a->config, key_format(key, a->config->business, "floor"), err);
}

static enum audit_outcome audit_once(struct audit *a, struct error *err)
{
    const struct fold_kind *kinds[SIDES] = {&sales_kind, &service_kind};
    struct store_state states[SIDES] = {{.floor = STORE_NO_FLOOR}, {.floor = STORE_NO_FLOOR}};
    enum audit_outcome outcome = AUDIT_DONE;
    findings_clear(&a->findings);
    a->done = a->total = 0;
    if (find_ledger(a, err) != 0 || go_home(a, err) != 0)
        return AUDIT_FAILED;
    for (int s = 0; s < SIDES && outcome == AUDIT_DONE; s++) {
        if (a->sides[s] && look(a, kinds[s], &states[s], err) != 0)
            outcome = AUDIT_FAILED;
        a->total += offsets_of(&states[s]);
    }
    for (int s = 0; s < SIDES && outcome == AUDIT_DONE; s++) {
        struct pass pass = {.audit = a, .kind = kinds[s], .state = states[s]};
        if (!a->sides[s])
            continue;
        outcome = audit_side(&pass, err);
        close_pass(&pass);
    }
    for (int s = 0; s < SIDES; s++)
        store_state_clear(&states[s]);
    return outcome == AUDIT_DONE ? audit_customers(a, err) : outcome;
}

static void print_upto(const struct audit *a)
{
    const char *between = "";
    for (int s = 0; s < SIDES; s++) {
        if (!a->sides[s])
            continue;
        printf("%s%s", between, a->upto[s]);
        between = ", ";
    }
    if (a->shards) {
        printf("%s", *between ? "; customers up to " : "");
        customers_audit_print(&a->ledger, stdout);
    }
    putchar('\n');
}

static int print(const struct audit *a, struct error *err)
{
    const struct findings *f = &a->findings;
    findings_print(f, stdout);
    if (f->differences > (int64_t)f->count)
        printf("... and %" PRId64 " more; --all prints them\n", f->differences - (int64_t)f->count);
    if (f->differences)
        printf("%" PRId64 " differences in ", f->differences);
    printf("%" PRId64 " counters of %" PRId64 " keys", f->counters, f->keys);
    if (a->shards && a->from == INT32_MIN && a->until == INT32_MAX)
        printf(" and %" PRId64 " customers", f->customers);
    printf("%s up to ", f->differences ? "," : " equal the log");
    print_upto(a);
    if (fflush(stdout) != 0)
        return error_set(err, ERROR_SYSTEM, "cannot write to standard output"), 1;
    return f->differences ? 1 : 0;
}

static int audit(struct audit *a, struct error *err)
{
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        enum audit_outcome outcome = audit_once(a, err);
        clear_line(a);
        if (outcome == AUDIT_DONE)
            return print(a, err);
        if (outcome == AUDIT_FAILED)
            return 1;
        log_info("the store was set back or made anew; the audit starts again");
    }
    error_set(err, ERROR_STORE, "the store was set back or made anew %d times running", TRIES_MAX);
    return 1;
}

static int take_options(struct audit *a, const struct audit_options *own, struct error *err)
{
    a->from = INT32_MIN;
    a->until = INT32_MAX;
    if (own->days && !audit_parse_days(text_of(own->days), &a->from, &a->until))
        return error_set(err, ERROR_USAGE,
                         "--days %.60s: must be FROM..TO, such as 2026-01-01..2026-01-31",
                         own->days);
    for (int s = 0; s < SIDES; s++)
        a->sides[s] = !own->side || strcmp(own->side, side_name((enum side)s)) == 0;
    a->only_customers = own->side && strcmp(own->side, "customer") == 0;
    a->customers = !own->side || a->only_customers;
    if (!a->sides[SIDE_SALE] && !a->sides[SIDE_SERVICE] && !a->customers)
        return error_set(err, ERROR_USAGE, "--side %.60s: must be sale, service or customer",
                         own->side);
    a->findings.most = own->all ? SIZE_MAX : MOST_TOLD;
    return 0;
}

static int open_audit(struct audit *a, struct error *err)
{
    const struct config *c = a->config;
    if (zone_open(&a->zone, c->timezone, err) != 0 || redis_open(&a->redis, c, err) != 0 ||
        redis_wait(a->redis, c, err) != 0)
        return -1;
    snprintf(a->prefix, sizeof a->prefix, "tandem:{%s}:", c->business);
    definition_write(c, a->zone, a->definition);
    a->terminal = isatty(STDERR_FILENO);
    a->ledger = (struct customers_audit){.config = c,
                                         .zone = a->zone,
                                         .redis = a->redis,
                                         .from = a->from,
                                         .until = a->until,
                                         .findings = &a->findings,
                                         .tick = on_tick,
                                         .context = a};
    return 0;
}

static int run(const struct config *config, const void *options, int argc, char **argv,
               struct error *err)
{
    struct audit a = {.config = config};
    (void)argc;
    (void)argv;
    if (take_options(&a, options, err) != 0)
        return 2;
    command_catch_signals();
    int status = open_audit(&a, err) == 0 ? audit(&a, err) : 1;
    findings_clear(&a.findings);
    customers_audit_clear(&a.ledger);
    redis_free(a.redis);
    zone_free(a.zone);
    return status;
}

static const struct command_option words[] = {
    {"days", 0, OPTION_STRING, "FROM..TO", offsetof(struct audit_options, days), 0, 0,
     "compare only these days, and their hours; either end may be left out"},
    {"side", 0, OPTION_STRING, "SIDE", offsetof(struct audit_options, side), 0, 0,
     "compare only sale, service or customer"},
    {"all", 0, OPTION_FLAG, NULL, offsetof(struct audit_options, all), 0, 0,
     "print every difference, not only the first 100"},
    {0},
};

static const char *const settings[] = {
    "brokers",         "redis",           "redis.password.file",
    "redis.ca.file",   "redis.cert.file", "redis.key.file",
    "redis.timeout",   "business",        "timezone",
    "topics.sales",    "topics.service",  "type.prefix",
    "scopes",          "scope.limit",     "ledger.shards",
    "ledger.from",     "ledger.limit",    "dedup.window",
    "connect.timeout", "topic.id.check",  NULL,
};

const struct command audit_command = {
    .name = "audit",
    .args = "",
    .summary = "Prove that the counters equal the log",
    .about =
        "Counts the log again in memory, up to exactly where the counters stand, and compares\n"
        "every field with Redis; where customers are counted, their counters and what is known\n"
        "of each, too. Workers and traffic may go on. It takes the settings of the\n"
        "workers. What it cannot speak for it refuses: a log that no longer reaches back to\n"
        "where counting began, or one with an accepted gap. Skipped are days before the floor\n"
        "(`tandem trim`) and hours about to expire.\n"
        "\n"
        "  tandem audit\n"
        "  tandem audit --side sale --days 2026-01-01..2026-01-31\n"
        "\n"
        "Ends with 0 when everything is equal; with 1 and a line for each field that differs,\n"
        "or when it could not compare.\n",
    .options = words,
    .settings = settings,
    .options_size = sizeof(struct audit_options),
    .run = run,
};

#include "consumers/recount/audit_customers.h"

#include "common/calendar.h"
#include "common/command.h"
#include "common/redis.h"
#include "common/scope.h"
#include "consumers/customers/contribution.h"
#include "consumers/customers/customers.h"
#include "consumers/recount/audit_gap.h"
#include "consumers/recount/audit_ledger.h"
#include "consumers/recount/audit_shard.h"
#include "consumers/recount/audit_slice.h"
#include "consumers/recount/glance.h"
#include "consumers/recount/keylist.h"
#include "consumers/reporter/key.h"
#include "consumers/worker/opening.h"

#include <inttypes.h>
#include <stdlib.h>
#include <xxhash.h>

enum { TOPICS = 2, ROUNDS_MAX = 20 };

/* One shard, from the look at its store to its last slice. */
struct pass {
    struct customers_audit *audit;
    char prefix[LEDGER_PREFIX_MAX];
    struct store_state state;
    struct audit_ledger *ledger;
    struct shard_slice slice;
};

/* ---- opening ---- */

static int check_store(const struct pass *p, struct error *err)
{
    const struct customers_audit *a = p->audit;
    char definition[DEFINITION_BYTES];
    if (!p->state.exists)
        return error_set(err, ERROR_STORE, "the ledger lacks this shard: it is damaged");
    opening_define(&customers_worker_kind, a->config, a->zone, definition);
    if (opening_definition(definition, &p->state, err) != 0)
        return -1;
    for (int t = 0; t < TOPICS; t++) {
        const char *topic = kind_topic(a->config, customers_worker_kind.sides[t]);
        if (strcmp(topic, p->state.topics[t].name) != 0)
            return error_set(err, ERROR_LOG, "the store counts topic %s, not %s",
                             p->state.topics[t].name, topic);
        if (audit_gap_check(a->redis, p->prefix, topic, err) != 0)
            return -1;
    }
    return 0;
}

static int look(struct pass *p, int shard, int shards, struct error *err)
{
    const char *words[] = {kind_word(SIDE_SALE), kind_word(SIDE_SERVICE)};
    struct store_kind which = {.name = customers_worker_kind.name,
                               .words = words,
                               .word_count = TOPICS,
                               .generation = "",
                               .shard = shard,
                               .shards = shards};
    char key[LEDGER_KEY_MAX];
    ledger_prefix(p->prefix, p->audit->config->business, shard);
    snprintf(key, sizeof key, "%sposition:customers", p->prefix);
    if (redis_wait_for(p->audit->redis, p->audit->config, key, err) != 0 ||
        glance(p->audit->config, &which, &p->state, err) != 0)
        return -1;
    return check_store(p, err);
}

static int open_pass(struct pass *p, int shard, int shards, struct error *err)
{
    struct customers_audit *a = p->audit;
    if (look(p, shard, shards, err) != 0 ||
        shard_slice_open(&p->slice, p->prefix, shard, shards, &p->state, err) != 0 ||
        audit_ledger_open(&p->ledger, a->config, a->zone, &p->state, p->slice.names,
                          &p->slice.tombs, err) != 0)
        return -1;
    a->partitions = p->slice.partitions;
    for (int t = 0; t < TOPICS; t++)
        if (!a->upto[t] && !(a->upto[t] = calloc((size_t)a->partitions, sizeof *a->upto[t])))
            return error_memory(err);
    return 0;
}

static void close_pass(struct pass *p)
{
    audit_ledger_free(p->ledger);
    shard_slice_clear(&p->slice);
    store_state_clear(&p->state);
}

/* ---- which keys ---- */

static bool all_days(const struct customers_audit *a)
{
    return a->from == INT32_MIN && a->until == INT32_MAX;
}

static bool wants_time(const struct pass *p, enum tally_time time, int32_t slot)
{
    const struct customers_audit *a = p->audit;
    if (time == TALLY_UNDATED)
        return all_days(a);
    return slot >= p->slice.floor && slot >= a->from && slot <= a->until;
}

static bool wants_counters(const void *context, const char *rest)
{
    struct counter_key key;
    return counter_key_parse(rest, &key) && key.side == SIDES && key.time != TALLY_HOUR &&
           wants_time(context, key.time, key.slot);
}

static bool wants_states(const void *context, const char *rest)
{
    const struct pass *p = context;
    return all_days(p->audit) && strncmp(rest, "c:", 2) == 0;
}

/* The key under which a row counts. */
static void write_key(const struct pass *p, const struct tally_view *row, char out[KEY_MAX])
{
    char date[11];
    struct text scope =
        row->scope == SCOPE_ALL ? text_of("all") : dictionary_name(p->slice.names, row->scope);
    if (row->time == TALLY_UNDATED)
        snprintf(out, KEY_MAX, "%scustomer:undated", p->prefix);
    else
        snprintf(out, KEY_MAX, "%scustomer:day:%s:%.*s", p->prefix,
                 calendar_format_date(row->slot, date), TEXT_ARG(scope));
}

/* ---- a key of counters ---- */

static bool is_scope(const struct pass *p, const struct counter_key *key, uint32_t scope)
{
    if (scope == SCOPE_ALL)
        return key->time == TALLY_UNDATED || text_is(key->scope, "all");
    return text_equal(key->scope, dictionary_name(p->slice.names, scope));
}

/* The fields that the log gives a key; their number. */
static size_t fields_of(const struct pass *p, const struct counter_key *key,
                        struct finding_field fields[CUSTOMER_FIELDS])
{
    const struct rows *rows = audit_ledger_rows(p->ledger);
    size_t count = 0;
    for (size_t at = rows_first(rows, key->time, key->slot); at != ROWS_NONE;
         at = rows_next(rows, at)) {
        struct tally_view row = tally_view(audit_ledger_tally(p->ledger), at);
        if (!is_scope(p, key, row.scope))
            continue;
        for (int i = 0; i < row.width && count < CUSTOMER_FIELDS; i++) {
            if (row.sums[i] == 0)
                continue;
            snprintf(fields[count].name, sizeof fields->name, "%s", contribution_layout.fields[i]);
            fields[count++].sum = row.sums[i];
        }
    }
    return count;
}

static int compare_counters(const struct pass *p, size_t k, struct error *err)
{
    struct finding_field fields[CUSTOMER_FIELDS];
    struct counter_key key;
    const char *name = p->slice.keys[k], *rest = name + strlen(p->prefix);
    /* Meanwhile it may have been forgotten. */
    if (!wants_counters(p, rest) || !counter_key_parse(rest, &key))
        return 0;
    return findings_hash(p->audit->findings, name, fields, fields_of(p, &key, fields),
                         shard_slice_value(&p->slice, k), err);
}

/* ---- a state ---- */

/* "3:c-8841", written as a worker writes it. */
static bool parse_customer(const char *rest, int32_t *partition, struct text *id)
{
    char written[16], *end;
    long number = strtol(rest, &end, 10);
    if (*end != ':' || number < 0 || number > INT32_MAX)
        return false;
    *partition = (int32_t)number;
    *id = text_of(end + 1);
    int len = snprintf(written, sizeof written, "%" PRId32 ":", *partition);
    return strncmp(rest, written, (size_t)len) == 0;
}

/* What is said of a state: it is as little for other eyes as its customer. */
static char *describe(struct text state, char out[48])
{
    if (state.len == 0)
        snprintf(out, 48, "nothing");
    else
        snprintf(out, 48, "%zu bytes (%016" PRIx64 ")", state.len,
                 (uint64_t)XXH3_64bits(state.at, state.len));
    return out;
}

static int compare_state(const struct pass *p, size_t k, struct error *err)
{
    struct findings *findings = p->audit->findings;
    const redisReply *value = shard_slice_value(&p->slice, k);
    const char *key = p->slice.keys[k];
    struct text id, log = text_of(""), found = {value->str, value->str ? value->len : 0};
    int32_t partition;
    char expected[48], there[48];
    if (value->type == REDIS_REPLY_ARRAY)
        return findings_add(findings, key, text_of("(type)"), "string", text_of("another type"),
                            err);
    bool known = parse_customer(key + strlen(p->prefix) + strlen("c:"), &partition, &id);
    if (known)
        log = states_get(audit_ledger_states(p->ledger), partition, id);
    /* Of a forgotten customer there is none, or, after a rebuild, that of before. */
    if (known && !found.len && tombs_find(&p->slice.tombs, partition, id))
        return 0;
    findings->customers++;
    if (text_equal(log, found))
        return 0;
    return findings_add(findings, key, text_of("(state)"), describe(log, expected),
                        text_of(describe(found, there)), err);
}

/* ---- slices ---- */

/* Reads keys of one moment, walks the recount to it, and compares them. */
static enum audit_outcome audit_slice(struct pass *p, enum shard_part part, char *const *keys,
                                      size_t count, struct error *err)
{
    struct customers_audit *a = p->audit;
    int rc = 0;
    if (command_stopping()) {
        error_set(err, ERROR_STOPPED, "stopped: nothing is proven");
        return AUDIT_FAILED;
    }
    if (shard_slice_read(&p->slice, a->redis, part, keys, count, err) != 0)
        return AUDIT_FAILED;
    if (p->slice.anew || audit_ledger_passed(p->ledger, p->slice.positions))
        return AUDIT_AGAIN;
    if (audit_ledger_walk(p->ledger, p->slice.positions, a->tick, a->context, err) != 0)
        return AUDIT_FAILED;
    for (size_t k = 0; k < count && rc == 0; k++)
        rc = part == SHARD_STATES ? compare_state(p, k, err) : compare_counters(p, k, err);
    return rc == 0 ? AUDIT_DONE : AUDIT_FAILED;
}

static int fit(struct pass *p, enum shard_part part, char *const *keys, size_t left, size_t *count,
               struct error *err)
{
    if (part == SHARD_COUNTERS)
        return slice_fit(p->audit->redis, keys, left, count, err);
    *count = left < SLICE_KEYS ? left : SLICE_KEYS;
    return 0;
}

static enum audit_outcome audit_keys(struct pass *p, enum shard_part part,
                                     const struct keylist *keys, struct error *err)
{
    enum audit_outcome outcome = AUDIT_DONE;
    for (size_t at = 0, count; at < keys->count && outcome == AUDIT_DONE; at += count) {
        if (fit(p, part, keys->list + at, keys->count - at, &count, err) != 0)
            return AUDIT_FAILED;
        outcome = audit_slice(p, part, keys->list + at, count, err);
    }
    return outcome;
}

/* ---- what Redis lacks ---- */

static bool is_zero(const struct tally_view *row)
{
    for (int i = 0; i < row->width; i++)
        if (row->sums[i] != 0)
            return false;
    return true;
}

static int miss(const struct keylist *known, const char *key, struct keylist *missing,
                struct error *err)
{
    return keylist_has(known, key) ? 0 : keylist_add(missing, text_of(key), err);
}

static int missing_counters(const struct pass *p, const struct keylist *known,
                            struct keylist *missing, struct error *err)
{
    const struct tally *tally = audit_ledger_tally(p->ledger);
    char key[KEY_MAX];
    for (size_t r = 0; r < tally_rows(tally); r++) {
        struct tally_view row = tally_view(tally, r);
        if (!wants_time(p, row.time, row.slot) || is_zero(&row))
            continue;
        write_key(p, &row, key);
        if (miss(known, key, missing, err) != 0)
            return -1;
    }
    return 0;
}

static int missing_states(const struct pass *p, const struct keylist *known,
                          struct keylist *missing, struct error *err)
{
    struct states_customer customer;
    char key[LEDGER_KEY_MAX];
    size_t at = 0;
    while (all_days(p->audit) && states_next(audit_ledger_states(p->ledger), &at, &customer)) {
        ledger_state_key(key, p->prefix, customer.partition, customer.id);
        if (miss(known, key, missing, err) != 0)
            return -1;
    }
    return 0;
}

/* Keys that the log says but Redis did not show are looked at, until there are none: also those that
 * were made since the first look. */
static enum audit_outcome audit_missing(struct pass *p, enum shard_part part, struct keylist *known,
                                        struct error *err)
{
    enum audit_outcome outcome = AUDIT_DONE;
    for (int round = 0; round < ROUNDS_MAX && outcome == AUDIT_DONE; round++) {
        struct keylist missing = {0};
        int rc = part == SHARD_STATES ? missing_states(p, known, &missing, err)
                                      : missing_counters(p, known, &missing, err);
        keylist_sort(&missing);
        size_t count = missing.count;
        if (rc == 0)
            outcome = audit_keys(p, part, &missing, err);
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

/* ---- a shard ---- */

static enum audit_outcome audit_part(struct pass *p, enum shard_part part, struct error *err)
{
    struct keylist keys = {0};
    keylist_wants *wants = part == SHARD_STATES ? wants_states : wants_counters;
    enum audit_outcome outcome = AUDIT_FAILED;
    if (keylist_scan(&keys, p->audit->redis, p->prefix, wants, p, err) == 0)
        outcome = audit_keys(p, part, &keys, err);
    if (outcome == AUDIT_DONE)
        outcome = audit_missing(p, part, &keys, err);
    keylist_clear(&keys);
    return outcome;
}

static void note_upto(struct pass *p)
{
    for (int t = 0; t < TOPICS; t++)
        for (int32_t i = p->slice.shard; i < p->slice.partitions; i += p->slice.shards)
            p->audit->upto[t][i] = p->slice.positions[t][i];
}

enum audit_outcome customers_audit_shard(struct customers_audit *audit, int shard, int shards,
                                         struct error *err)
{
    struct pass pass = {.audit = audit, .state.floor = STORE_NO_FLOOR};
    enum audit_outcome outcome = AUDIT_FAILED;
    /* An empty slice first: the floor decides which keys are wanted. */
    if (open_pass(&pass, shard, shards, err) == 0)
        outcome = audit_slice(&pass, SHARD_COUNTERS, NULL, 0, err);
    if (outcome == AUDIT_DONE)
        outcome = audit_part(&pass, SHARD_COUNTERS, err);
    if (outcome == AUDIT_DONE && all_days(audit))
        outcome = audit_part(&pass, SHARD_STATES, err);
    if (outcome == AUDIT_DONE)
        note_upto(&pass);
    if (outcome == AUDIT_FAILED)
        error_prefix(err, "shard %d of the ledger", shard);
    close_pass(&pass);
    return outcome;
}

void customers_audit_print(const struct customers_audit *audit, FILE *out)
{
    for (int t = 0; t < TOPICS; t++) {
        fprintf(out, "%s%s", t ? ", " : "",
                kind_topic(audit->config, customers_worker_kind.sides[t]));
        for (int32_t p = 0; p < audit->partitions; p++)
            fprintf(out, " %" PRId32 ":%" PRId64, p, audit->upto[t][p]);
    }
}

void customers_audit_clear(struct customers_audit *audit)
{
    for (int t = 0; t < TOPICS; t++) {
        free(audit->upto[t]);
        audit->upto[t] = NULL;
    }
}

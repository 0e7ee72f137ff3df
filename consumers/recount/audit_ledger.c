#include "consumers/recount/audit_ledger.h"

#include "common/calendar.h"
#include "common/seen.h"
#include "consumers/customers/customers.h"
#include "consumers/customers/ledger.h"
#include "consumers/recount/audit_log.h"

#include <stdlib.h>

enum { TOPICS = 2, EVENTS_MAX = 4096, TICK_RECORDS = 4096 };

/* One topic of the shard. */
struct side_log {
    struct audit_ledger *owner;
    enum side side;
    struct audit_log *log;
    struct seen **seen; /* by partition; NULL: another shard's */
    int64_t *begins, *walked, *at;
};

struct audit_ledger {
    struct side_log logs[TOPICS];
    int32_t partitions;
    struct decoder *decoder;
    struct customer_rules rules;
    struct ledger *ledger;
    struct tally *tally;
    struct rows rows;
    struct states *states;
    const struct tombs *tombs;
    /* of the walk under way */
    recount_tick *tick;
    void *context;
    int records;
};

/* ---- opening ---- */

static int open_log(struct side_log *log, const struct config *config,
                    const struct store_state *state, int topic, struct error *err)
{
    size_t count = (size_t)state->topics[topic].partitions;
    log->side = customers_worker_kind.sides[topic];
    log->seen = calloc(count, sizeof(struct seen *));
    log->begins = calloc(count, sizeof *log->begins);
    log->walked = calloc(count, sizeof *log->walked);
    log->at = calloc(count, sizeof *log->at);
    if (!log->seen || !log->begins || !log->walked || !log->at)
        return error_memory(err);
    for (size_t i = 0; i < state->position_count; i++) {
        const struct store_position *p = &state->positions[i];
        if (p->topic != topic)
            continue;
        log->begins[p->partition] = log->walked[p->partition] = log->at[p->partition] = p->begin;
        if (seen_open(&log->seen[p->partition], config->dedup_window, p->begin, err) != 0)
            return -1;
    }
    return audit_log_open(&log->log, config, state, topic, err);
}

static void close_log(struct side_log *log, int32_t partitions)
{
    audit_log_free(log->log);
    for (int32_t p = 0; log->seen && p < partitions; p++)
        seen_free(log->seen[p]);
    free(log->seen);
    free(log->begins);
    free(log->walked);
    free(log->at);
}

int audit_ledger_open(struct audit_ledger **out, const struct config *config,
                      const struct zone *zone, const struct store_state *state,
                      struct dictionary *names, const struct tombs *tombs, struct error *err)
{
    struct audit_ledger *l = calloc(1, sizeof *l);
    int32_t from_day = INT32_MIN;
    *out = NULL;
    if (!l)
        return error_memory(err);
    if (config->ledger_from[0])
        calendar_parse_date(text_of(config->ledger_from), &from_day);
    l->rules = (struct customer_rules){zone, from_day, (uint32_t)config->ledger_limit};
    l->partitions = state->topics[0].partitions;
    l->tombs = tombs;
    int rc = tally_open(&l->tally, &contribution_layout, err);
    if (rc == 0)
        rc = ledger_open(&l->ledger, &l->rules, config->scopes, names, err);
    if (rc == 0)
        rc = states_open(&l->states, err);
    if (rc == 0)
        rc = decoder_open(&l->decoder, config->type_prefix, err);
    for (int t = 0; t < TOPICS && rc == 0; t++) {
        l->logs[t].owner = l;
        rc = open_log(&l->logs[t], config, state, t, err);
    }
    if (rc != 0) {
        audit_ledger_free(l);
        return -1;
    }
    *out = l;
    return 0;
}

void audit_ledger_free(struct audit_ledger *ledger)
{
    if (!ledger)
        return;
    for (int t = 0; t < TOPICS; t++)
        close_log(&ledger->logs[t], ledger->partitions);
    decoder_free(ledger->decoder);
    states_free(ledger->states);
    ledger_free(ledger->ledger);
    rows_clear(&ledger->rows);
    tally_free(ledger->tally);
    free(ledger);
}

/* ---- a batch ---- */

static void look_up(struct audit_ledger *l, size_t i)
{
    struct ledger_customer customer = ledger_customer(l->ledger, i);
    const struct tomb *tomb = tombs_find(l->tombs, customer.partition, customer.id);
    ledger_known(l->ledger, i, states_get(l->states, customer.partition, customer.id));
    if (tomb)
        ledger_forgotten(l->ledger, i, tomb->from[SIDE_SALE], tomb->from[SIDE_SERVICE]);
}

static int apply(struct audit_ledger *l, struct error *err)
{
    for (size_t i = 0; i < ledger_customers(l->ledger); i++)
        look_up(l, i);
    if (ledger_apply(l->ledger, l->tally, err) != 0)
        return -1;
    for (size_t i = 0; i < ledger_customers(l->ledger); i++) {
        struct ledger_customer customer = ledger_customer(l->ledger, i);
        struct text state;
        if (ledger_state(l->ledger, i, &state) &&
            states_put(l->states, customer.partition, customer.id, state, err) != 0)
            return -1;
    }
    ledger_reset(l->ledger);
    return 0;
}

/* ---- walking ---- */

static void tick(struct audit_ledger *l)
{
    int64_t offsets = 0;
    if (!l->tick)
        return;
    for (int t = 0; t < TOPICS; t++)
        for (int32_t p = 0; p < l->partitions; p++)
            offsets += l->logs[t].at[p] - l->logs[t].begins[p];
    l->tick(l->context, offsets);
}

/* As the worker takes it: what is no valid event, or a repeated one, is nothing here. */
static int take_record(void *context, const struct record *record, struct error *err)
{
    struct side_log *log = context;
    struct audit_ledger *l = log->owner;
    struct seen *seen = log->seen[record->partition];
    struct rejection why;
    struct event event;
    /* All before it is decided: the window ends here. */
    seen_commit(seen, record->offset);
    if (decoder_decode(l->decoder, record, log->side, &event, &why) == VERDICT_VALID &&
        !seen_stage(seen, event_hash(&event), record->offset))
        ledger_add(l->ledger, record->partition, record->offset, &event);
    log->at[record->partition] = record->offset + 1;
    if (++l->records % TICK_RECORDS == 0)
        tick(l);
    return ledger_events(l->ledger) >= EVENTS_MAX ? apply(l, err) : 0;
}

int audit_ledger_walk(struct audit_ledger *ledger, int64_t *const *positions, recount_tick *told,
                      void *context, struct error *err)
{
    ledger->tick = told;
    ledger->context = context;
    for (int t = 0; t < TOPICS; t++) {
        struct side_log *log = &ledger->logs[t];
        if (audit_log_walk(log->log, positions[t], take_record, log, err) != 0)
            return -1;
        for (int32_t p = 0; p < ledger->partitions; p++)
            log->walked[p] = log->at[p] = positions[t][p];
    }
    if (apply(ledger, err) != 0)
        return -1;
    tick(ledger);
    return rows_link(&ledger->rows, ledger->tally, err);
}

bool audit_ledger_passed(const struct audit_ledger *ledger, int64_t *const *positions)
{
    for (int t = 0; t < TOPICS; t++)
        for (int32_t p = 0; p < ledger->partitions; p++)
            if (positions[t][p] < ledger->logs[t].walked[p])
                return true;
    return false;
}

const struct tally *audit_ledger_tally(const struct audit_ledger *ledger)
{
    return ledger->tally;
}

const struct rows *audit_ledger_rows(const struct audit_ledger *ledger)
{
    return &ledger->rows;
}

const struct states *audit_ledger_states(const struct audit_ledger *ledger)
{
    return ledger->states;
}

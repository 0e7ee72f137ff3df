#include "consumers/customers/customers.h"

#include "common/calendar.h"
#include "consumers/customers/ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Raised whenever the same events would come to other customer counters. */
#define LEDGER_VERSION 1

/* Events of one batch. How many sums they come to depends on how far they reach back: a batch is
 * cut so that the last one would have stayed within a part of flush.cells, as the script's time
 * wants it. A sum and a state of a history cost Redis some four times what a sum of today costs,
 * since most have a key to themselves (bench/customers.py). */
enum { EVENTS_FIRST = 128, EVENTS_MIN = 16, EVENTS_MAX = 4096, CELLS_PART = 4 };

struct shard {
    const struct kind_lane *lane;
    struct customer_rules rules;
    struct dictionary *names;
    struct ledger *ledger;
    struct tally *tally;
    int32_t floor;
    bool loaded;           /* names and the next two are the shard's */
    bool forgotten;        /* it has tombstones */
    uint64_t version;      /* of names and tombstones; 0: it has none yet */
    bool in_doubt;         /* the last batch met a state that its names do not fit */
    uint64_t doubted;      /* the version of these names */
    uint32_t numbers;      /* the largest given */
    size_t events_max;
    struct store_customer *asked;
    size_t asked_room;
};

static void shard_free(void *own)
{
    struct shard *s = own;
    if (!s)
        return;
    ledger_free(s->ledger);
    dictionary_free(s->names);
    tally_free(s->tally);
    free(s->asked);
    free(s);
}

static int shard_open(void **own, const struct kind_lane *lane, struct error *err)
{
    struct shard *s = calloc(1, sizeof *s);
    int32_t from_day = INT32_MIN;
    *own = NULL;
    if (!s)
        return error_memory(err);
    if (lane->config->ledger_from[0])
        calendar_parse_date(text_of(lane->config->ledger_from), &from_day);
    s->lane = lane;
    s->floor = STORE_NO_FLOOR;
    s->rules = (struct customer_rules){lane->zone, from_day, (uint32_t)lane->config->ledger_limit};
    s->events_max = EVENTS_FIRST;
    if (tally_open(&s->tally, &contribution_layout, err) != 0 ||
        dictionary_open(&s->names, err) != 0 ||
        ledger_open(&s->ledger, &s->rules, lane->config->scopes, s->names, err) != 0) {
        shard_free(s);
        return -1;
    }
    *own = s;
    return 0;
}

/* ---- what the shard knows ---- */

static int learn(struct shard *s, const struct store_names *names, struct error *err)
{
    struct dictionary *dictionary = NULL;
    struct ledger *ledger = NULL;
    uint32_t numbers = 0;
    int rc = dictionary_open(&dictionary, err);
    for (size_t i = 0; i < names->count && rc == 0; i++) {
        rc = dictionary_learn(dictionary, names->list[i].name, names->list[i].number, err);
        numbers = names->list[i].number > numbers ? names->list[i].number : numbers;
    }
    if (rc == 0)
        rc = ledger_open(&ledger, &s->rules, s->lane->config->scopes, dictionary, err);
    if (rc != 0) {
        dictionary_free(dictionary);
        return -1;
    }
    ledger_free(s->ledger);
    dictionary_free(s->names);
    s->ledger = ledger;
    s->names = dictionary;
    s->numbers = numbers;
    return 0;
}

/* Another version is another store, or one with more in it: what was remembered goes. */
static enum store_answer shard_place(void *own, const struct store_state *state, struct error *err)
{
    struct shard *s = own;
    struct store_names names;
    enum store_answer answer = store_names(s->lane->store, &names, err);
    s->floor = state->floor;
    if (answer == STORE_DONE && (!s->loaded || names.version != s->version)) {
        if (learn(s, &names, err) != 0)
            answer = STORE_BROKEN;
        s->loaded = answer == STORE_DONE;
        s->version = names.version;
        s->forgotten = names.forgotten;
    }
    store_names_clear(&names);
    return answer;
}

/* ---- records ---- */

static enum judged take_valid(struct shard *s, struct seen *seen, const struct record *record,
                              const struct event *event)
{
    if (seen_stage(seen, event_hash(event), record->offset))
        return JUDGED_DUPLICATE;
    ledger_add(s->ledger, record->partition, record->offset, event);
    return JUDGED_COUNTED;
}

static enum judged shard_take(void *own, int topic, struct seen *seen, const struct record *record,
                              struct rejection *why)
{
    struct shard *s = own;
    struct event event;
    switch (decoder_decode(s->lane->decoder, record, customers_worker_kind.sides[topic], &event,
                           why)) {
    case VERDICT_VALID:
        return take_valid(s, seen, record, &event);
    case VERDICT_IGNORED:
        return JUDGED_IGNORED;
    case VERDICT_TOMBSTONE:
        return JUDGED_TOMBSTONE;
    case VERDICT_REJECTED:
        break;
    }
    return JUDGED_REJECTED; /* the workers of sales and service write the letter */
}

static bool shard_full(const void *own)
{
    const struct shard *s = own;
    return ledger_events(s->ledger) >= s->events_max;
}

static bool shard_empty(const void *own)
{
    return ledger_events(((const struct shard *)own)->ledger) == 0;
}

static void shard_drop(void *own)
{
    struct shard *s = own;
    ledger_reset(s->ledger);
    tally_reset(s->tally);
}

/* ---- the batch ---- */

static enum store_answer ask(struct shard *s, struct error *err)
{
    size_t count = ledger_customers(s->ledger);
    if (count > s->asked_room) {
        free(s->asked);
        s->asked = malloc(count * sizeof *s->asked);
        s->asked_room = s->asked ? count : 0;
        if (!s->asked) {
            error_memory(err);
            return STORE_BROKEN;
        }
    }
    for (size_t i = 0; i < count; i++) {
        struct ledger_customer customer = ledger_customer(s->ledger, i);
        s->asked[i] = (struct store_customer){.partition = customer.partition, .id = customer.id};
    }
    enum store_answer answer = store_fetch(s->lane->store, s->asked, count, s->forgotten, err);
    for (size_t i = 0; i < count && answer == STORE_DONE; i++) {
        ledger_known(s->ledger, i, s->asked[i].state);
        if (s->forgotten)
            ledger_forgotten(s->ledger, i, s->asked[i].forgotten[SIDE_SALE],
                             s->asked[i].forgotten[SIDE_SERVICE]);
    }
    return answer;
}

/* New scopes get the next numbers, in the step that first writes a state with them. */
static int number_names(struct shard *s, struct batch *batch, struct error *err)
{
    batch->ledger = s->version;
    for (uint32_t id = dictionary_unnumbered(s->names, 0); id;
         id = dictionary_unnumbered(s->names, id)) {
        struct text name = dictionary_name(s->names, id);
        batch_add_name(batch, name, ++s->numbers);
        if (dictionary_learn(s->names, name, s->numbers, err) != 0)
            return -1;
    }
    if (batch->name_count)
        s->version = batch->mark;
    return 0;
}

/* A state says numbers that the names do not have, or have for other scopes. The names may be of
 * before that state, or of a store that was set back or made anew since: then they are read again.
 * Else the shard is damaged. */
static enum store_answer doubt(struct shard *s, uint64_t version, const struct error *err)
{
    if (err->code != ERROR_STORE || (s->in_doubt && s->doubted == version))
        return STORE_BROKEN;
    s->in_doubt = true;
    s->doubted = version;
    s->loaded = false;
    return STORE_MOVED;
}

static void add_states(const struct shard *s, struct batch *batch)
{
    for (size_t i = 0; i < ledger_customers(s->ledger); i++) {
        struct ledger_customer customer = ledger_customer(s->ledger, i);
        struct text state;
        if (ledger_state(s->ledger, i, &state))
            batch_add_state(batch, customer.partition, customer.id, state);
    }
}

static void cut_to(struct shard *s, const struct batch *batch)
{
    size_t cells = batch->cell_count + batch->state_count + 1;
    size_t most = (size_t)s->lane->config->flush_cells / CELLS_PART + 1;
    if (ledger_events(s->ledger) < s->events_max && cells <= most)
        return; /* it was time, not size, that cut it */
    s->events_max = s->events_max * most / cells;
    if (s->events_max > EVENTS_MAX)
        s->events_max = EVENTS_MAX;
    if (s->events_max < EVENTS_MIN)
        s->events_max = EVENTS_MIN;
}

static enum store_answer shard_fill(void *own, struct batch *batch, struct error *err)
{
    struct shard *s = own;
    uint64_t version = s->version;
    enum store_answer answer = ask(s, err);
    if (answer != STORE_DONE)
        return answer;
    if (number_names(s, batch, err) != 0)
        return STORE_BROKEN;
    if (ledger_apply(s->ledger, s->tally, err) != 0)
        return doubt(s, version, err);
    s->in_doubt = false;
    add_states(s, batch);
    ledger_flush(s->names, s->tally, s->lane->prefix, s->floor, batch);
    cut_to(s, batch);
    shard_drop(s);
    return STORE_DONE;
}

static void define(const struct config *config, char *out, size_t room)
{
    snprintf(out, room,
             "ledger=%d\nledger.from=%s\nledger.limit=%" PRId64 "\nledger.shards=%" PRId64
             "\nledger.windows=%d,%d,%d,%d\n",
             LEDGER_VERSION, config->ledger_from, config->ledger_limit, config->ledger_shards,
             CUSTOMER_CONTACT_S, CUSTOMER_INTERACTION_S, CUSTOMER_REFERRAL_S, CUSTOMER_RETURN_S);
}

const struct kind customers_worker_kind = {
    .name = "customers",
    .topic_count = 2,
    .sides = {SIDE_SALE, SIDE_SERVICE},
    .sharded = true,
    .define = define,
    .open = shard_open,
    .free = shard_free,
    .place = shard_place,
    .take = shard_take,
    .full = shard_full,
    .empty = shard_empty,
    .drop = shard_drop,
    .fill = shard_fill,
};

/* The plain recount of a shard of the ledger: the events of each customer that lie below the
 * positions, by the rules (customer_rules.h), and its state made at once of all of them. */
#include "common/calendar.h"
#include "consumers/customers/ledger.h"
#include "customer_rules.h"
#include "world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Days before the world's that have counters; scopes by region, and of all. */
enum { SPAN = 200, ALL = REGIONS, SCOPES, EVENTS_MAX = TOPICS * PARTITIONS_MAX * LOG_MAX };

static const char *const field_names[CUSTOMER_FIELDS] = {
    "customers_new",
    "customers_new_by_sale",
    "customers_new_by_service",
    "orders_identified",
    "orders_returning",
    "orders_after_interaction",
    "orders_after_service",
    "month_buyers",
    "retained",
    "satisfied",
    "satisfied_returned",
    "dissatisfied",
    "dissatisfied_returned",
    "ledger_too_old",
    "ledger_overflow",
};

/* "__odd" is no value that anything is counted under. */
static const char *const scope_lists[REGIONS][2] = {{"region=north"},
                                                    {"region=south"},
                                                    {"region=east"},
                                                    {"region=west"},
                                                    {"region=__other__"}};
static const char *const no_scopes[1];

/* ---- gathering ---- */

struct deed_of {
    int partition, customer;
    bool parted; /* its customer was forgotten: the state that comes knows nothing of it */
    struct rules_event event;
};

struct gathered {
    struct deed_of *list;
    int count;
};

/* What was counted before an accepted damage. */
static struct gathered kept;

static void add(struct gathered *to, struct deed_of deed)
{
    if (!to->list)
        to->list = malloc(2 * EVENTS_MAX * sizeof *to->list);
    if (!to->list || to->count == 2 * EVENTS_MAX)
        abort();
    to->list[to->count++] = deed;
}

static struct rules_event event_of(const struct entry *e)
{
    return (struct rules_event){
        .type = e->type,
        .time_s = e->time_s,
        .day = (int32_t)(e->time_s / 86400), /* of UTC */
        .scopes = e->region < 0 ? no_scopes : scope_lists[e->region],
        .ref = e->ref,
        .score = e->amount,
        .scale = e->scale,
    };
}

/* From where on a customer is nobody, in a topic. */
static int64_t forgotten_at(const struct memory *m, int topic, int partition, int customer)
{
    int64_t offsets[SIDES];
    if (!memory_tomb(m, partition, text_of(log_customers[customer]), offsets))
        return INT64_MAX;
    return offsets[world.kind->sides[topic]];
}

static void gather_partition(struct gathered *to, const struct server *server,
                             const struct memory *m, const struct store_position *at)
{
    int t = at->topic, p = at->partition;
    const struct partition *log = &world.logs[t][p];
    int64_t from = server->base ? world.base_from[t][p] : at->begin;
    int64_t back = server->base ? world.base_back[t][p] : at->begin;
    int64_t forgotten[LOG_CUSTOMERS];
    for (int c = 0; c < LOG_CUSTOMERS; c++)
        forgotten[c] = forgotten_at(m, t, p, c);
    if (at->at.offset > log_stable_end(t, p)) {
        world_fail("topic %d partition %d: position %lld lies beyond the log's end", t, p,
                   (long long)at->at.offset);
        return;
    }
    for (int64_t i = from; i < at->at.offset; i++) {
        const struct entry *e = &log->entries[i];
        if (log_counts(e) && e->customer >= 0 && i < forgotten[e->customer] &&
            !log_is_duplicate(log, (int)i, back))
            add(to, (struct deed_of){p, e->customer, false, event_of(e)});
    }
}

static void gather(struct gathered *to, const struct server *server, const struct memory *m)
{
    for (int i = 0; i < kept.count && server->base; i++)
        if (world_server(kept.list[i].partition) == server)
            add(to, kept.list[i]);
    for (size_t i = 0; i < m->position_count; i++)
        gather_partition(to, server, m, &m->positions[i]);
}

static bool is_parted(const struct deed_of *deed)
{
    int64_t offsets[SIDES];
    struct text id = text_of(log_customers[deed->customer]);
    const struct memory *m = world_server(deed->partition)->master;
    return memory_tomb(m, deed->partition, id, offsets) &&
           memory_state(m, deed->partition, id).len == 0;
}

void recount_customers_keep(void)
{
    struct gathered now = {0};
    for (int i = 0; i < world.server_count; i++)
        gather(&now, &world.servers[i], world.servers[i].master);
    /* The marks are offsets of this log. Another one's records below them are counted as those of a
     * new customer. */
    for (int i = 0; i < now.count; i++)
        now.list[i].parted = is_parted(&now.list[i]);
    recount_customers_forget();
    kept = now;
}

void recount_customers_forget(void)
{
    free(kept.list);
    kept = (struct gathered){0};
}

/* ---- counters ---- */

struct expected {
    int64_t days[SPAN][SCOPES][CUSTOMER_FIELDS], overflowed;
    int32_t floor;
};

static int32_t date_of(int back)
{
    return (int32_t)(WORLD_EPOCH_MS / 86400000) - back;
}

static int scope_of(const char *scope)
{
    for (int r = 0; r < REGIONS && scope; r++)
        if (strcmp(scope_lists[r][0], scope) == 0)
            return r;
    return ALL;
}

static void count_one(void *context, enum customer_field field, int32_t day, const char *scope)
{
    struct expected *x = context;
    if (field == LEDGER_OVERFLOW)
        x->overflowed++;
    else if (day >= x->floor)
        x->days[date_of(0) - day][scope_of(scope)][field]++;
}

/* Of the customer of a partition. */
static int number_of(const struct deed_of *deed)
{
    return (deed->partition * LOG_CUSTOMERS + deed->customer) * 2 + deed->parted;
}

static void begin(struct expected *x, const struct memory *m, const struct gathered *all)
{
    static struct rules_event events[2 * EVENTS_MAX];
    const struct customer_rules bounds = {.from_day = world.ledger_from,
                                          .limit = (uint32_t)world.ledger_limit};
    memset(x, 0, sizeof *x);
    x->floor = STORE_NO_FLOOR;
    if (m->floor[0])
        calendar_parse_date(text_of(m->floor), &x->floor);
    for (int who = 0; who < 2 * PARTITIONS_MAX * LOG_CUSTOMERS; who++) {
        int count = 0;
        for (int i = 0; i < all->count; i++)
            if (number_of(&all->list[i]) == who)
                events[count++] = all->list[i].event;
        if (count)
            rules_judge(events, count, &bounds, count_one, x);
    }
}

/* "customer:2026-11-23:region=north", as the reporter is told of it. */
static void day_mark(char *out, size_t room, int back, int scope)
{
    char date[11];
    calendar_format_date(date_of(back), date);
    snprintf(out, room, "customer:%s:%s", date, scope == ALL ? "all" : scope_lists[scope][0]);
}

static void day_key(const struct memory *m, char *out, size_t room, int back, int scope)
{
    char mark[80];
    day_mark(mark, sizeof mark, back, scope);
    snprintf(out, room, "%scustomer:day:%s", m->prefix, mark + strlen("customer:"));
}

static bool any(const int64_t *fields)
{
    for (int f = 0; f < CUSTOMER_FIELDS; f++)
        if (fields[f])
            return true;
    return false;
}

/* Returns how many of them are not 0. */
static size_t compare(const struct memory *m, const char *key, const int64_t *fields)
{
    size_t found = 0;
    for (int f = 0; f < CUSTOMER_FIELDS; f++) {
        int64_t held = memory_get(m, MEMORY_CELL, key, field_names[f]);
        found += held != 0;
        if (held != fields[f])
            world_fail("%s %s: the store has %" PRId64 ", the log says %" PRId64, key,
                       field_names[f], held, fields[f]);
    }
    return found;
}

static size_t compare_day(const struct memory *m, const struct expected *x, int back, int scope)
{
    char key[160], dirty[80], mark[80];
    if (!any(x->days[back][scope]))
        return 0;
    day_key(m, key, sizeof key, back, scope);
    day_mark(mark, sizeof mark, back, scope);
    snprintf(dirty, sizeof dirty, "%sdirty", m->prefix);
    if (memory_get(m, MEMORY_MARK, dirty, mark) == 0)
        world_fail("%s%s changed and is not marked", m->prefix, mark);
    return compare(m, key, x->days[back][scope]);
}

static void compare_all(const struct memory *m, const struct expected *x)
{
    char key[160];
    size_t found = 0, held = 0;
    int64_t undated[CUSTOMER_FIELDS] = {[LEDGER_OVERFLOW] = x->overflowed};
    for (int back = 0; back < SPAN; back++)
        for (int scope = 0; scope < SCOPES; scope++)
            found += compare_day(m, x, back, scope);
    snprintf(key, sizeof key, "%scustomer:undated", m->prefix);
    found += compare(m, key, undated);
    /* And nothing else: what the log does not say is not in the store either. */
    for (size_t i = 0; i < memory_names() && i < m->room; i++)
        held += memory_name(i)->kind == MEMORY_CELL && m->values[i] != 0;
    if (held != found)
        world_fail("%s has %zu counters that are not 0, the log says %zu", m->prefix, held, found);
}

/* ---- states ---- */

/* A ledger of its own, which takes all events at once. */
struct maker {
    struct customer_rules rules;
    struct dictionary *names;
    struct ledger *ledger;
    struct tally *tally;
};

static void must(int rc, const struct error *err)
{
    if (rc != 0)
        world_fail("a state cannot be made: %s", err->text);
}

static void maker_open(struct maker *maker)
{
    struct error err = {0};
    struct zone *zone;
    must(zone_open(&zone, "UTC", &err), &err);
    maker->rules = (struct customer_rules){zone, world.ledger_from, (uint32_t)world.ledger_limit};
    must(dictionary_open(&maker->names, &err), &err);
    must(ledger_open(&maker->ledger, &maker->rules, "region", maker->names, &err), &err);
    must(tally_open(&maker->tally, &contribution_layout, &err), &err);
}

static void maker_free(struct maker *maker)
{
    tally_free(maker->tally);
    ledger_free(maker->ledger);
    dictionary_free(maker->names);
}

static void take(struct maker *maker, const struct deed_of *deed)
{
    char ref[16];
    const struct rules_event *e = &deed->event;
    struct event event = {.type = e->type,
                          .time_ms = e->time_s * 1000,
                          .customer = text_of(log_customers[deed->customer])};
    snprintf(ref, sizeof ref, "r%d", e->ref);
    event.ref = text_of(ref);
    if (e->scopes[0])
        event.region = text_of(strchr(e->scopes[0], '=') + 1);
    if (e->type == EVENT_SERVICE_RATED)
        event.rated = (struct event_rated){.scale = e->scale, .score = e->score};
    ledger_add(maker->ledger, deed->partition, 0, &event);
}

static void take_all(struct maker *maker, const struct gathered *all)
{
    for (int i = 0; i < all->count; i++)
        if (!all->list[i].parted)
            take(maker, &all->list[i]);
}

static void learn_names(struct maker *maker, const struct memory *m)
{
    struct error err = {0};
    for (size_t i = 0; i < memory_names() && i < m->room; i++)
        if (memory_name(i)->kind == MEMORY_NUMBER && m->values[i])
            must(dictionary_learn(maker->names, text_of(memory_name(i)->field),
                                  (uint32_t)m->values[i], &err),
                 &err);
}

/* Of a forgotten customer nothing is known, or after a recount what was before the mark. */
static void compare_state(const struct memory *m, const struct ledger_customer *customer,
                          struct text made)
{
    int64_t offsets[SIDES];
    struct text held = memory_state(m, customer->partition, customer->id);
    if (text_equal(held, made) ||
        (!held.len && memory_tomb(m, customer->partition, customer->id, offsets)))
        return;
    world_fail("%s: the state of customer %.*s of partition %d is not what its events come to",
               m->prefix, TEXT_ARG(customer->id), customer->partition);
}

static void compare_states(const struct memory *m, const struct gathered *all)
{
    struct maker maker = {0};
    struct error err = {0};
    size_t found = 0, held = 0;
    maker_open(&maker);
    learn_names(&maker, m);
    take_all(&maker, all);
    must(ledger_apply(maker.ledger, maker.tally, &err), &err);
    for (size_t i = 0; i < ledger_customers(maker.ledger) && !world.verdict[0]; i++) {
        struct ledger_customer customer = ledger_customer(maker.ledger, i);
        struct text made;
        ledger_state(maker.ledger, i, &made);
        compare_state(m, &customer, made);
        found += memory_state(m, customer.partition, customer.id).len > 0;
    }
    for (size_t i = 0; i < memory_names() && i < m->room; i++)
        held += memory_name(i)->kind == MEMORY_STATE && m->values[i] != 0;
    if (held != found)
        world_fail("%s holds %zu states, the log has %zu customers", m->prefix, held, found);
    maker_free(&maker);
}

void recount_customers_check(const struct server *server)
{
    static struct expected x;
    struct gathered all = {0};
    gather(&all, server, server->master);
    begin(&x, server->master, &all);
    compare_all(server->master, &x);
    compare_states(server->master, &all);
    free(all.list);
}

/* ---- writing ---- */

static void write_fields(struct memory *m, const char *key, const int64_t *fields)
{
    for (int f = 0; f < CUSTOMER_FIELDS; f++)
        if (fields[f])
            memory_put(m, key, field_names[f], fields[f]);
}

static void write_counters(struct memory *m, const struct expected *x)
{
    char key[160];
    int64_t undated[CUSTOMER_FIELDS] = {[LEDGER_OVERFLOW] = x->overflowed};
    for (int back = 0; back < SPAN; back++) {
        for (int scope = 0; scope < SCOPES; scope++) {
            if (!any(x->days[back][scope]))
                continue;
            day_key(m, key, sizeof key, back, scope);
            write_fields(m, key, x->days[back][scope]);
            day_mark(key, sizeof key, back, scope);
            memory_mark(m, key, 1 + dice(1 << 30));
        }
    }
    snprintf(key, sizeof key, "%scustomer:undated", m->prefix);
    write_fields(m, key, undated);
}

/* Names get other numbers than they had. */
static void write_names(struct memory *m, struct maker *maker)
{
    struct error err = {0};
    uint32_t number = (uint32_t)dice(4);
    for (uint32_t id = dictionary_count(maker->names); id > 0; id--) {
        struct text name = dictionary_name(maker->names, id);
        memory_put_number(m, name, ++number);
        must(dictionary_learn(maker->names, name, number, &err), &err);
    }
    m->ledger = (uint64_t)dice(1 << 30) << 32 | (unsigned)dice(1 << 30) | 1;
}

static void write_states(struct memory *m, const struct gathered *all)
{
    struct maker maker = {0};
    struct error err = {0};
    maker_open(&maker);
    take_all(&maker, all);
    write_names(m, &maker);
    must(ledger_apply(maker.ledger, maker.tally, &err), &err);
    for (size_t i = 0; i < ledger_customers(maker.ledger); i++) {
        struct ledger_customer customer = ledger_customer(maker.ledger, i);
        struct text state;
        ledger_state(maker.ledger, i, &state);
        memory_put_state(m, customer.partition, customer.id, state);
    }
    maker_free(&maker);
}

void recount_customers_write(const struct server *server, struct memory *m)
{
    static struct expected x;
    struct gathered all = {0};
    gather(&all, server, m);
    memory_forget_counters(m, "");
    begin(&x, m, &all);
    write_counters(m, &x);
    write_states(m, &all);
    free(all.list);
}

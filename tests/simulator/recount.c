/* The plain recount: what the log means up to the positions, by the rules as people say them.
 *
 * Shares nothing with the fold, the window or the store: it knows what every entry means because
 * the world made it, and looks back over the log for duplicates one by one. */
#include "common/calendar.h"
#include "common/partitioner.h"
#include "world.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum field {
    ORDERS,
    UNITS,
    REFUNDS,
    REFUND_RETURNS,
    INTERACTIONS,
    LEADS,
    ORDERS_EUR,
    NET_EUR,
    REVENUE_EUR,
    REFUND_NET_EUR,
    ORDERS_USD,
    NET_USD,
    REVENUE_USD,
    REFUND_NET_USD,
    OPENED,
    OPENED_AFTER,
    QUESTIONS,
    RATED,
    SCORES,
    SCORE_1,
    SCORE_2,
    SCORE_3,
    SCORE_4,
    SCORE_5,
    RESOLVED,
    CONTACTS_KNOWN,
    FIRST_CONTACT,
    REJECTED,
    DUPLICATES,
    IGNORED,
    TOMBSTONES,
    MISPLACED,
    BEFORE_FLOOR,
    FIELDS
};

static const char *const names[FIELDS] = {
    "orders",
    "units",
    "refunds",
    "refund_return",
    "interactions",
    "interaction_lead",
    "orders:EUR",
    "net:EUR",
    "revenue:EUR",
    "refund_net:EUR",
    "orders:USD",
    "net:USD",
    "revenue:USD",
    "refund_net:USD",
    "opened",
    "opened_after",
    "category_question",
    "csat_n",
    "csat_sum",
    "csat_1",
    "csat_2",
    "csat_3",
    "csat_4",
    "csat_5",
    "resolved",
    "contacts_known",
    "first_contact",
    "rejected_missing_field",
    "duplicates",
    "ignored",
    "tombstones",
    "misplaced",
    "before_floor",
};

#define REGION_SET "tandem:{main}:scope:region"

enum { ALL = REGIONS, SCOPES = REGIONS + 1 }; /* the last region is never admitted by its name */

struct expected {
    const struct memory *memory;
    int64_t days[DAYS][SCOPES][FIELDS], hours[DAYS][FIELDS], undated[FIELDS];
    bool admitted[REGIONS];
    bool euros, dollars;
};

static void add_sale(struct expected *x, int64_t *f, const struct entry *e)
{
    int money = e->dollars ? ORDERS_USD - ORDERS_EUR : 0;
    if (e->kind == ENTRY_SECOND) {
        f[INTERACTIONS]++;
        f[LEADS]++;
        return;
    }
    x->euros = x->euros || !e->dollars;
    x->dollars = x->dollars || e->dollars;
    if (e->kind == ENTRY_THIRD) {
        f[REFUNDS]++;
        f[REFUND_RETURNS]++;
        f[REVENUE_EUR + money] -= e->amount;
        f[REFUND_NET_EUR + money] += e->amount;
        return;
    }
    f[ORDERS]++;
    f[UNITS]++;
    f[ORDERS_EUR + money]++;
    f[NET_EUR + money] += e->amount;
    f[REVENUE_EUR + money] += e->amount;
}

static void add_service(int64_t *f, const struct entry *e)
{
    if (e->kind == ENTRY_FIRST) {
        f[OPENED]++;
        f[OPENED_AFTER]++;
        f[QUESTIONS]++;
    } else if (e->kind == ENTRY_SECOND) {
        f[RATED] += e->previous ? 0 : 1;
        f[SCORES] += e->amount - e->previous;
        f[SCORE_1 + e->amount - 1]++;
        if (e->previous)
            f[SCORE_1 + e->previous - 1]--;
    } else {
        f[RESOLVED]++;
        f[CONTACTS_KNOWN]++;
        f[FIRST_CONTACT]++;
    }
}

static void add_event(struct expected *x, int64_t *f, const struct entry *e)
{
    if (world.kind->sides[0] == SIDE_SALE)
        add_sale(x, f, e);
    else
        add_service(f, e);
}

static void add_counted(struct expected *x, const struct entry *e)
{
    add_event(x, x->days[e->day][ALL], e);
    add_event(x, x->hours[e->day], e);
    /* Whichever values were admitted is not for the log to say: the set is taken as it is. */
    if (e->region >= 0)
        add_event(x, x->days[e->day][x->admitted[e->region] ? e->region : REGIONS - 1], e);
}

static int32_t date_of(int day)
{
    return (int32_t)((WORLD_EPOCH_MS - (int64_t)day * 86400000) / 86400000);
}

static int32_t floor_now(const struct memory *m)
{
    return m->trim_count ? m->trims[m->trim_count - 1].floor : STORE_NO_FLOOR;
}

/* The floor that a record at this offset met. */
static int32_t floor_at(const struct memory *m, int p, int64_t offset)
{
    int32_t floor = STORE_NO_FLOOR;
    /* Its offsets may be those of another log, and no floor moved since. */
    if (world.servers[0].base)
        return floor_now(m);
    for (int i = 0; i < m->trim_count; i++)
        if (m->trims[i].at[p] <= offset)
            floor = m->trims[i].floor;
    return floor;
}

static void add_record(struct expected *x, const struct entry *e, enum field field, int32_t floor)
{
    int day = (int)((WORLD_EPOCH_MS - e->timestamp_ms) / 86400000);
    if (e->timestamp_ms < 0 || date_of(day) < floor)
        x->undated[field]++;
    else if (date_of(day) >= floor_now(x->memory))
        x->days[day][ALL][field]++;
}

static void recount_record(struct expected *x, int p, int offset, int64_t back)
{
    const struct partition *log = &world.logs[0][p];
    const struct entry *e = &log->entries[offset];
    int32_t floor = floor_at(x->memory, p, offset);
    if (e->kind == ENTRY_BAD) {
        add_record(x, e, REJECTED, floor);
        if (!log->letters[offset])
            world_fail("partition %d: the position passes record %d, whose dead letter is not "
                       "acknowledged",
                       p, offset);
    } else if (e->kind == ENTRY_IGNORED) {
        add_record(x, e, IGNORED, floor);
    } else if (e->kind == ENTRY_TOMBSTONE) {
        add_record(x, e, TOMBSTONES, floor);
    } else if (log_is_duplicate(log, offset, back)) {
        add_record(x, e, DUPLICATES, floor);
    } else if (date_of(e->day) < floor) {
        add_record(x, e, BEFORE_FLOOR, floor);
    } else {
        if (date_of(e->day) >= floor_now(x->memory))
            add_counted(x, e);
        if (partition_of(text_of(e->key), world.described_partitions[0]) != p)
            add_record(x, e, MISPLACED, floor);
    }
}

static void recount_partition(struct expected *x, const struct store_position *at, bool whole)
{
    int p = at->partition;
    int64_t end = log_stable_end(0, p), from = at->begin, back = at->begin;
    if (world.servers[0].base) {
        from = world.base_from[0][p];
        back = world.base_back[0][p];
    }
    if (at->at.offset > end) {
        world_fail("partition %d: position %lld lies beyond the log's end %lld", p,
                   (long long)at->at.offset, (long long)end);
        return;
    }
    if (whole && at->at.offset != end)
        world_fail("partition %d: position %lld, the log ends at %lld", p, (long long)at->at.offset,
                   (long long)end);
    for (int64_t i = from; i < at->at.offset; i++)
        if (world.logs[0][p].entries[i].state == ENTRY_COMMITTED)
            recount_record(x, p, (int)i, back);
}

/* What all partitions come to, by the sets that the memory has. */
static void begin(struct expected *x, const struct memory *m, bool whole)
{
    memset(x, 0, sizeof *x);
    x->memory = m;
    for (int r = 0; r < REGIONS - 1; r++)
        x->admitted[r] = memory_has(m, REGION_SET, log_regions[r]);
    for (size_t i = 0; i < m->position_count; i++)
        recount_partition(x, &m->positions[i], whole);
}

/* ---- names ---- */

static const char *side(void)
{
    return side_name(world.kind->sides[0]);
}

/* "sale:2026-11-23:region=north", as the reporter is told of it. */
static void day_mark(char *out, size_t room, int day, int scope)
{
    char date[11];
    calendar_format_date(date_of(day), date);
    const char *value = scope == REGIONS - 1 ? "__other__" : log_regions[scope % REGIONS];
    snprintf(out, room, "%s:%s:%s%s", side(), date,
             scope == ALL ? "all" : "region=", scope == ALL ? "" : value);
}

static void day_key(char *out, size_t room, int day, int scope)
{
    char mark[96];
    day_mark(mark, sizeof mark, day, scope);
    const char *rest = strchr(mark, ':');
    snprintf(out, room, "tandem:{main}:%.*s:day%s", (int)(rest - mark), mark, rest);
}

static void hour_key(char *out, size_t room, int day)
{
    char date[11];
    calendar_format_date(date_of(day), date);
    snprintf(out, room, "tandem:{main}:%s:hour:%sT11:all", side(), date);
}

static void undated_key(char *out, size_t room)
{
    snprintf(out, room, "tandem:{main}:%s:undated", side());
}

/* ---- comparing ---- */

/* One cell; `found` counts those that are not 0. */
static void compare(const struct expected *x, const char *key, int field, int64_t expected,
                    size_t *found)
{
    if (world.servers[0].base)
        expected += memory_get(world.servers[0].base, MEMORY_CELL, key, names[field]);
    if (expected == 0 && !world.servers[0].base)
        return;
    int64_t held = memory_get(x->memory, MEMORY_CELL, key, names[field]);
    *found += held != 0;
    if (held != expected)
        world_fail("%s %s: the store has %" PRId64 ", the log says %" PRId64, key, names[field],
                   held, expected);
}

static bool compare_all(const struct expected *x, const char *key, const int64_t *fields,
                        size_t *found)
{
    bool any = false;
    for (int f = 0; f < FIELDS; f++) {
        compare(x, key, f, fields[f], found);
        any = any || fields[f];
    }
    return any;
}

/* A day that changed is marked for the reporter, in every scope. */
static void check_mark(const struct expected *x, const char *day)
{
    if (memory_get(x->memory, MEMORY_MARK, "tandem:{main}:dirty", day) == 0)
        world_fail("%s changed and is not marked", day);
}

static void compare_day(const struct expected *x, int day, size_t *found)
{
    char key[96], mark[96];
    for (int s = 0; s < SCOPES; s++) {
        day_key(key, sizeof key, day, s);
        day_mark(mark, sizeof mark, day, s);
        if (compare_all(x, key, x->days[day][s], found))
            check_mark(x, mark);
    }
    hour_key(key, sizeof key, day);
    compare_all(x, key, x->hours[day], found);
}

static void check_sets(const struct expected *x)
{
    int64_t size = memory_get(x->memory, MEMORY_SIZE, REGION_SET, "");
    size -= memory_has(x->memory, REGION_SET, "__other__");
    if (size > world.scope_limit)
        world_fail("%lld regions are admitted, the limit is %d", (long long)size,
                   world.scope_limit);
    if ((x->euros && !memory_has(x->memory, "tandem:{main}:currency", "EUR")) ||
        (x->dollars && !memory_has(x->memory, "tandem:{main}:currency", "USD")))
        world_fail("a currency was counted and is not in the set");
}

/* ---- writing ---- */

static bool counts_anything(const struct expected *x, int scope)
{
    for (int day = 0; day < DAYS; day++)
        for (int f = 0; f < FIELDS; f++)
            if (x->days[day][scope][f])
                return true;
    return false;
}

/* Values that are met and not known are admitted while there is room. */
static void admit(struct memory *m)
{
    static struct expected x;
    memset(&x, 0, sizeof x);
    x.memory = m;
    memset(x.admitted, true, sizeof x.admitted);
    for (size_t i = 0; i < m->position_count; i++)
        recount_partition(&x, &m->positions[i], false);
    for (int r = 0; r < REGIONS - 1; r++) {
        int64_t size = memory_get(m, MEMORY_SIZE, REGION_SET, "");
        size -= memory_has(m, REGION_SET, "__other__");
        if (counts_anything(&x, r) && size < world.scope_limit)
            memory_join(m, REGION_SET, log_regions[r]);
    }
}

static void write_fields(struct memory *m, const char *key, const int64_t *fields)
{
    for (int f = 0; f < FIELDS; f++)
        if (fields[f])
            memory_put(m, key, names[f], fields[f]);
}

static void write_day(struct memory *m, const struct expected *x, int day)
{
    char key[96];
    for (int s = 0; s < SCOPES; s++) {
        day_key(key, sizeof key, day, s);
        write_fields(m, key, x->days[day][s]);
        day_mark(key, sizeof key, day, s);
        memory_mark(m, key, 1 + dice(1 << 30));
    }
    hour_key(key, sizeof key, day);
    write_fields(m, key, x->hours[day]);
}

void recount_write(struct memory *m)
{
    static struct expected x;
    char key[96];
    memory_forget_counters(m, REGION_SET);
    admit(m);
    begin(&x, m, false);
    for (int day = 0; day < DAYS; day++)
        write_day(m, &x, day);
    undated_key(key, sizeof key);
    write_fields(m, key, x.undated);
    if (counts_anything(&x, REGIONS - 1))
        memory_join(m, REGION_SET, "__other__");
    if (x.euros)
        memory_join(m, "tandem:{main}:currency", "EUR");
    if (x.dollars)
        memory_join(m, "tandem:{main}:currency", "USD");
}

/* ---- checking ---- */

static void check_sums(const struct memory *m, bool whole)
{
    static struct expected x;
    char key[96];
    size_t found = 0, held = 0;
    begin(&x, m, whole);
    for (int day = 0; day < DAYS; day++)
        compare_day(&x, day, &found);
    undated_key(key, sizeof key);
    compare_all(&x, key, x.undated, &found);
    check_sets(&x);
    /* And nothing else: what the log does not say is not in the store either. */
    for (size_t i = 0; i < memory_names() && i < m->room; i++)
        held += memory_name(i)->kind == MEMORY_CELL && m->values[i] != 0;
    if (held != found)
        world_fail("the store has %zu counters that are not 0, the log says %zu", held, found);
}

void recount_check(const struct server *server, bool whole)
{
    if (!world.kind->sharded)
        check_sums(server->master, whole);
    else
        recount_customers_check(server);
}

static void check_end(const struct store_position *at)
{
    int64_t end = log_stable_end(at->topic, at->partition);
    if (at->at.offset != end)
        world_fail("topic %d partition %d: position %lld, the log ends at %lld", at->topic,
                   at->partition, (long long)at->at.offset, (long long)end);
}

void recount_check_all(void)
{
    for (int i = 0; i < world.server_count; i++) {
        const struct memory *m = world.servers[i].master;
        for (size_t k = 0; k < m->position_count; k++)
            check_end(&m->positions[k]);
        recount_check(&world.servers[i], true);
    }
}

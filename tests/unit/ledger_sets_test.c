/* Random sets of events: whatever their order, their batches and what was dropped and read again,
 * counters and states end the same, and as the rules say when each is asked for itself. */
#include "tests/unit/shelf.h"

#include "common/scope.h"
#include "tests/simulator/customer_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SETS = 6000, WAYS = 5, EVENTS_MAX = 30, PARTITIONS = 2, CUSTOMERS = 2 };

#define DAY_S INT64_C(86400)

/* Where an event was counted: its members, and the names of its scopes in their order. */
struct spot {
    const char *region, *rep, *lines[3], *names[5];
};

static const struct spot sale_spots[] = {
    {NULL, NULL, {0}, {0}},
    {"a", NULL, {0}, {"region=a"}},
    {"b", NULL, {0}, {"region=b"}},
    {"a", "x", {0}, {"region=a", "rep=x"}},
    {"a", NULL, {"m", "l", "m"}, {"line=l", "line=m", "region=a"}},
    {"a", NULL, {"l"}, {"line=l", "region=a"}},
    {"__q", NULL, {"__p", "__r"}, {"line=__other__", "region=__other__"}},
};
enum { RATING_SPOTS = 4, SALE_SPOTS = sizeof sale_spots / sizeof *sale_spots };

struct happening {
    enum event_type type;
    int64_t time_s;
    int customer, partition;
    const struct spot *spot;
    int ref, score;
    enum event_scale scale;
};

struct set {
    struct customer_rules rules;
    struct happening events[EVENTS_MAX];
    int count;
    unsigned seed;
};

static int below(struct set *set, int limit)
{
    return rand_r(&set->seed) % limit;
}

/* --- making sets --------------------------------------------------------------------------- */

/* Mostly at the edge of a window from what is there: that is where mistakes are. */
static int64_t roll_time(struct set *set)
{
    static const int64_t steps[] = {
        0,    1,     30 * DAY_S, 30 * DAY_S + 1, 90 * DAY_S, 90 * DAY_S + 1, 90 * DAY_S - 1,
        3600, DAY_S, 15 * DAY_S, 31 * DAY_S};
    int64_t start = INT64_C(1772323200); /* 2026-03-01T00:00:00Z */
    if (set->count == 0 || below(set, 4) == 0)
        return start + below(set, 200 * 86400);
    int64_t step = steps[below(set, sizeof steps / sizeof *steps)];
    return set->events[below(set, set->count)].time_s + (below(set, 2) ? step : -step);
}

static struct happening roll_event(struct set *set)
{
    static const enum event_type types[] = {
        EVENT_SALE_COMPLETED,   EVENT_SALE_COMPLETED, EVENT_SALE_COMPLETED, EVENT_SALE_INTERACTION,
        EVENT_SERVICE_OPENED,   EVENT_SERVICE_RATED,  EVENT_SERVICE_RATED,  EVENT_SALE_REFERRED,
        EVENT_SERVICE_REFERRED, EVENT_SALE_REFUNDED,
    };
    struct happening h = {.type = types[below(set, sizeof types / sizeof *types)],
                          .time_s = roll_time(set),
                          .customer = below(set, CUSTOMERS + 1) % CUSTOMERS,
                          .partition = below(set, 5) == 0,
                          .ref = below(set, 3),
                          .scale = (enum event_scale)below(set, SCALES)};
    h.spot = &sale_spots[below(set, h.type == EVENT_SERVICE_RATED ? RATING_SPOTS : SALE_SPOTS)];
    h.score = event_scale_min[h.scale] +
              below(set, event_scale_max[h.scale] - event_scale_min[h.scale] + 1);
    return h;
}

static void roll(struct set *set, unsigned seed, struct zone *const *zones, int zone_count)
{
    *set = (struct set){.seed = seed};
    set->rules = (struct customer_rules){zones[below(set, zone_count)], INT32_MIN, 2000};
    int count = below(set, EVENTS_MAX + 1);
    while (set->count < count) {
        set->events[set->count] = roll_event(set);
        set->count++;
    }
    if (count && below(set, 3) == 0)
        set->rules.from_day =
            zone_day(set->rules.zone, set->events[below(set, count)].time_s) + below(set, 2);
    if (below(set, 3) == 0)
        set->rules.limit = (uint32_t)below(set, 10);
}

/* --- the rules, each asked of all events ---------------------------------------------------- */

struct book_of_rules {
    struct tally *tally;
    struct dictionary *names;
};

static void count_one(void *context, enum customer_field field, int32_t day, const char *scope)
{
    struct book_of_rules *book = context;
    bool dated = field != LEDGER_OVERFLOW;
    uint32_t id = scope ? dictionary_id(book->names, text_of(scope)) : SCOPE_ALL;
    int64_t *row = tally_row(book->tally, dated ? TALLY_DAY : TALLY_UNDATED, dated ? day : 0, id,
                             TALLY_FIELDS);
    tally_add(book->tally, &row[field], 1);
}

static void judge_customer(const struct set *set, int partition, int customer,
                           struct book_of_rules *book)
{
    struct rules_event events[EVENTS_MAX];
    int count = 0;
    for (int i = 0; i < set->count; i++) {
        const struct happening *h = &set->events[i];
        if (h->partition == partition && h->customer == customer)
            events[count++] = (struct rules_event){.type = h->type,
                                                   .time_s = h->time_s,
                                                   .day = zone_day(set->rules.zone, h->time_s),
                                                   .scopes = h->spot->names,
                                                   .ref = h->ref,
                                                   .score = h->score,
                                                   .scale = h->scale};
    }
    rules_judge(events, count, &set->rules, count_one, book);
}

static struct tally *judge_all(const struct set *set, struct dictionary *names)
{
    struct book_of_rules book = {.names = names};
    assert_int_equal(tally_open(&book.tally, &contribution_layout, NULL), 0);
    for (int partition = 0; partition < PARTITIONS; partition++)
        for (int customer = 0; customer < CUSTOMERS; customer++)
            judge_customer(set, partition, customer, &book);
    return book.tally;
}

/* --- the same through the ledger -------------------------------------------------------------- */

static const char *const customer_names[CUSTOMERS] = {"c", "d"};
static const char *const ref_names[] = {"r/1", "r/2", "#3"};

static void take(struct shelf *shelf, const struct happening *h)
{
    struct event_item items[4] = {0};
    struct event event = {.type = h->type,
                          .time_ms = h->time_s * 1000 + 999,
                          .customer = text_of(customer_names[h->customer]),
                          .region = text_of(h->spot->region),
                          .rep = text_of(h->spot->rep),
                          .ref = text_of(ref_names[h->ref])};
    if (h->type == EVENT_SERVICE_RATED)
        event.rated = (struct event_rated){.scale = h->scale, .score = h->score};
    if (h->type == EVENT_SALE_COMPLETED) {
        event.sale.items = items;
        for (int i = 0; i < 3 && h->spot->lines[i]; i++)
            items[event.sale.item_count++].line = text_of(h->spot->lines[i]);
        items[event.sale.item_count++].line = (struct text){0};
    }
    shelf_event(shelf, h->partition, &event);
}

static enum side side_of(const struct happening *h)
{
    return event_side(h->type);
}

/* Way 0: in its order. Ways 1 and 2: one topic wholly before the other. Otherwise shuffled. */
static void arrange(struct set *set, int way, int *order)
{
    for (int i = 0; i < set->count; i++)
        order[i] = i;
    for (int i = set->count - 1; i > 0 && way > 0; i--) {
        int k = below(set, i + 1), kept = order[i];
        order[i] = order[k];
        order[k] = kept;
    }
    if (way != 1 && way != 2)
        return;
    int sorted[EVENTS_MAX], count = 0;
    for (int turn = 0; turn < 2; turn++)
        for (int i = 0; i < set->count; i++)
            if ((side_of(&set->events[order[i]]) == SIDE_SALE) == ((way == 1) == (turn == 0)))
                sorted[count++] = order[i];
    memcpy(order, sorted, (size_t)count * sizeof *order);
}

/* In the same order each time, so that states are the same bytes. */
static void number_names(struct shelf *shelf)
{
    struct dictionary *names = shelf_names(shelf);
    for (int s = SALE_SPOTS - 1; s >= 0; s--)
        for (int n = 0; n < 4 && sale_spots[s].names[n]; n++) {
            uint32_t id = dictionary_id(names, text_of(sale_spots[s].names[n]));
            if (!dictionary_number(names, id))
                shelf_number(shelf, sale_spots[s].names[n]);
        }
}

/* A batch that was dropped is read again, perhaps cut elsewhere. In the last way names get their
 * numbers as they come. */
static struct shelf *play(struct set *set, int way)
{
    struct shelf *shelf = shelf_open(&set->rules, "region,rep,line");
    int order[EVENTS_MAX] = {0}, most = 1 + below(set, 8), done = 0;
    if (way < WAYS - 1)
        number_names(shelf);
    arrange(set, way, order);
    while (done < set->count) {
        int count = 1 + below(set, most);
        for (int i = done; i < set->count && i < done + count; i++)
            take(shelf, &set->events[order[i]]);
        if (below(set, 4) == 0) {
            shelf_drop(shelf);
            continue;
        }
        shelf_apply(shelf);
        done += count;
    }
    return shelf;
}

static void expect_judged(const struct set *set, struct shelf *shelf, unsigned seed, int way)
{
    struct tally *judged = judge_all(set, shelf_names(shelf));
    if (!shelf_equal(shelf_sums(shelf), judged)) {
        char *found = shelf_print(shelf, true);
        fail_msg("set %u, way %d: not what the rules say: %s", seed, way, found);
    }
    tally_free(judged);
}

static void expect_same_states(const struct shelf *a, const struct shelf *b, unsigned seed)
{
    for (int partition = 0; partition < PARTITIONS; partition++)
        for (int c = 0; c < CUSTOMERS; c++)
            if (!text_equal(shelf_state(a, partition, customer_names[c]),
                            shelf_state(b, partition, customer_names[c])))
                fail_msg("set %u: two states of %s", seed, customer_names[c]);
}

static void each(const char *name, void (*check)(struct set *set, unsigned seed))
{
    static const char *const zone_names[] = {"Europe/Bucharest", "UTC", "America/Sao_Paulo"};
    struct zone *zones[3];
    struct set set;
    for (int i = 0; i < 3; i++)
        assert_int_equal(zone_open(&zones[i], zone_names[i], NULL), 0);
    for (unsigned seed = 1; seed <= SETS; seed++) {
        roll(&set, seed, zones, 3);
        check(&set, seed);
    }
    for (int i = 0; i < 3; i++)
        zone_free(zones[i]);
    print_message("%s: %d sets\n", name, SETS);
}

static void check_counters(struct set *set, unsigned seed)
{
    for (int way = 0; way < WAYS; way++) {
        struct shelf *shelf = play(set, way);
        expect_judged(set, shelf, seed, way);
        shelf_free(shelf);
    }
}

static void counters_are_what_the_rules_say_in_any_order_and_cut(void **state)
{
    (void)state;
    each("counters", check_counters);
}

/* Without the last way, in which names have other numbers. */
static void check_states(struct set *set, unsigned seed)
{
    struct shelf *one = play(set, 0);
    for (int way = 1; way < WAYS - 1; way++) {
        struct shelf *other = play(set, way);
        expect_same_states(one, other, seed);
        shelf_free(other);
    }
    shelf_free(one);
}

static void states_are_the_same_bytes_in_any_order_and_cut(void **state)
{
    (void)state;
    each("states", check_states);
}

static void nothing_is_below_zero_and_every_part_is_within_its_whole(struct set *set, unsigned seed)
{
    struct shelf *shelf = play(set, WAYS - 1);
    const struct tally *sums = shelf_sums(shelf);
    for (size_t r = 0; r < tally_rows(sums); r++) {
        const int64_t *row = tally_view(sums, r).sums;
        bool whole =
            row[CUSTOMERS_NEW] + row[ORDERS_RETURNING] == row[ORDERS_IDENTIFIED] &&
            row[ORDERS_AFTER_SERVICE] <= row[ORDERS_RETURNING] &&
            row[ORDERS_AFTER_INTERACTION] <= row[ORDERS_IDENTIFIED] &&
            row[CUSTOMERS_NEW_BY_SALE] + row[CUSTOMERS_NEW_BY_SERVICE] <= row[CUSTOMERS_NEW] &&
            row[SATISFIED_RETURNED] <= row[SATISFIED] &&
            row[DISSATISFIED_RETURNED] <= row[DISSATISFIED] && row[RETAINED] <= row[MONTH_BUYERS];
        for (int f = 0; f < CUSTOMER_FIELDS; f++)
            whole &= row[f] >= 0;
        if (!whole)
            fail_msg("set %u: a row that cannot be", seed);
    }
    shelf_free(shelf);
}

static void the_counters_of_a_day_and_scope_fit_together(void **state)
{
    (void)state;
    each("invariants", nothing_is_below_zero_and_every_part_is_within_its_whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_are_what_the_rules_say_in_any_order_and_cut),
        cmocka_unit_test(states_are_the_same_bytes_in_any_order_and_cut),
        cmocka_unit_test(the_counters_of_a_day_and_scope_fit_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "producers/import/orders.h"

#include "common/money.h"
#include "producers/import/draft.h"
#include "producers/import/index.h"

#include <inttypes.h>
#include <stdlib.h>

struct order {
    struct order *next;
    struct text number; /* the group's first column, for messages */
    XXH128_hash_t hash;
    struct event event;
    bool drafted, bad; /* drafted: `event` holds a row */
    uint64_t drafted_line;
    uint64_t *lines;
    size_t line_count, line_room;
    struct event_item *items;
    size_t item_count, item_room;
};

struct orders {
    const struct spec *spec;
    const struct drafter_sink *sink;
    bool neighbours;
    struct arena *arena, *scratch;
    struct index *index; /* order's address, or the first line of one that is done */
    struct order *first, *last;
};

struct orders *orders_open(const struct spec *spec, const struct drafter_sink *sink,
                           bool neighbours)
{
    struct orders *orders = calloc(1, sizeof *orders);
    if (!orders) {
        return NULL;
    }
    *orders = (struct orders){.spec = spec,
                              .sink = sink,
                              .neighbours = neighbours,
                              .arena = arena_open(),
                              .scratch = arena_open(),
                              .index = index_open()};
    if (!orders->arena || !orders->scratch || !orders->index) {
        orders_free(orders);
        return NULL;
    }
    return orders;
}

void orders_free(struct orders *orders)
{
    if (orders) {
        arena_free(orders->arena);
        arena_free(orders->scratch);
        index_free(orders->index);
        free(orders);
    }
}

static bool refuse(const struct orders *orders, const char *text, const uint64_t *lines, size_t n,
                   bool event)
{
    struct refusal refusal = {text, event_type_name(orders->spec->type), lines, n, event};
    return orders->sink->refused(orders->sink->context, &refusal);
}

/* Room for one more element; the old room stays behind in the arena. */
static void *grow(struct arena *arena, void *old, size_t count, size_t *room, size_t size)
{
    if (count < *room) {
        return old;
    }
    size_t more = *room ? *room * 2 : 4;
    void *larger = arena_take(arena, more * size);
    if (larger && count) {
        memcpy(larger, old, count * size);
    }
    *room = larger ? more : *room;
    return larger;
}

static bool note_line(struct orders *orders, struct order *order, uint64_t line)
{
    uint64_t *lines =
        grow(orders->arena, order->lines, order->line_count, &order->line_room, sizeof *lines);
    if (lines) {
        order->lines = lines;
        lines[order->line_count++] = line;
    }
    return lines != NULL;
}

/* The hash of the columns that name the order; false when one is empty. */
static bool hash_of(const struct orders *orders, struct extract *x, XXH128_hash_t *out)
{
    const struct spec *spec = orders->spec;
    struct text text = x->columns[spec->group_by[0]];
    *out = XXH3_128bits(text.at, text.len);
    for (size_t i = 0; i < spec->group_count; i++) {
        text = x->columns[spec->group_by[i]];
        if (text.len == 0) {
            struct template_piece piece = {{NULL, 0}, spec->group_by[i]};
            extract_fail(x, &(struct template){&piece, 1}, "is empty");
            return false;
        }
        if (i > 0) {
            XXH128_hash_t pair[2] = {*out, XXH3_128bits(text.at, text.len)};
            *out = XXH3_128bits(pair, sizeof pair);
        }
    }
    return true;
}

static struct order *begin(struct orders *orders, struct extract *x, XXH128_hash_t hash)
{
    struct order *order = arena_take(orders->arena, sizeof *order);
    if (!order) {
        return NULL;
    }
    memset(order, 0, sizeof *order);
    order->hash = hash;
    order->number = arena_copy(orders->arena, x->columns[orders->spec->group_by[0]]);
    if (orders->last) {
        orders->last->next = order;
    } else {
        orders->first = order;
    }
    orders->last = order;
    return order->number.at ? order : NULL;
}

static bool refuse_order(struct orders *orders, struct order *order)
{
    char text[200];
    snprintf(text, sizeof text, "order \"%.*s\" is refused whole",
             order->number.len < 100 ? (int)order->number.len : 100, order->number.at);
    return refuse(orders, text, order->lines, order->line_count, true);
}

static bool finish(struct orders *orders, struct order *order)
{
    if (order->bad) {
        return refuse_order(orders, order);
    }
    if (orders->spec->has_items) {
        draft_items(&order->event, order->items, order->item_count);
    }
    return orders->sink->event(orders->sink->context, &order->event, order->lines[0]);
}

/* With neighbours only, the order at hand is done when another one begins. */
static bool close_neighbour(struct orders *orders)
{
    struct order *order = orders->last;
    if (!order) {
        return true;
    }
    bool fresh;
    uint64_t *done = index_put(orders->index, order->hash, &fresh);
    if (done) {
        *done = order->lines[0];
    }
    bool go_on = done && finish(orders, order);
    orders->first = orders->last = NULL;
    arena_reset(orders->arena);
    return go_on;
}

static void say_met_again(struct orders *orders, struct extract *x, uint64_t line)
{
    struct template_piece piece = {{NULL, 0}, orders->spec->group_by[0]};
    struct text number = x->columns[piece.column];
    extract_fail(x, &(struct template){&piece, 1},
                 "order \"%.*s\" of line %" PRIu64
                 " is met again after others; without --no-sort its rows may lie apart",
                 number.len < 60 ? (int)number.len : 60, number.at, line);
}

/* The order of the row, made when it is the first. NULL: *go_on tells whether only this row is
 * refused. */
static struct order *find(struct orders *orders, struct extract *x, uint64_t line, bool *go_on)
{
    XXH128_hash_t hash;
    bool fresh;
    *go_on = true;
    if (!hash_of(orders, x, &hash)) {
        *go_on = refuse(orders, x->problem, &line, 1, true);
        return NULL;
    }
    if (orders->neighbours && orders->last && XXH128_isEqual(orders->last->hash, hash)) {
        return orders->last;
    }
    if (orders->neighbours && !close_neighbour(orders)) {
        *go_on = false;
        return NULL;
    }
    uint64_t *place = index_put(orders->index, hash, &fresh);
    if (place && !fresh && orders->neighbours) {
        say_met_again(orders, x, *place);
        *go_on = refuse(orders, x->problem, &line, 1, true);
        return NULL;
    }
    if (place && !fresh) {
        return (struct order *)(uintptr_t)*place;
    }
    struct order *order = place ? begin(orders, x, hash) : NULL;
    if (order && !orders->neighbours) {
        *place = (uint64_t)(uintptr_t)order;
    }
    *go_on = order != NULL;
    return order;
}

static bool same_labels(const struct event *a, const struct event *b)
{
    bool same = a->label_count == b->label_count;
    for (size_t i = 0; same && i < a->label_count; i++) {
        same = text_equal(a->labels[i].name, b->labels[i].name) &&
               text_equal(a->labels[i].value, b->labels[i].value);
    }
    return same;
}

static bool differs(struct extract *x, const struct order *order, const struct template *template,
                    const char *name)
{
    extract_fail(x, template, "%s differs from that of line %" PRIu64 ", of the same order", name,
                 order->drafted_line);
    return false;
}

/* Everything but sums and the time must be one and the same. */
static bool agrees(struct extract *x, const struct spec *spec, const struct order *order,
                   const struct event *row)
{
    static const struct template none = {NULL, 0};
    const struct field *fields = field_list(spec->type);
    if (!text_equal(order->event.id, row->id)) {
        return differs(x, order, &spec->id, "id");
    }
    for (size_t i = 0; fields[i].name; i++) {
        struct value a, b;
        if (fields[i].summed || spec->fields[i].kind == SOURCE_CONSTANT) {
            continue;
        }
        bool has_a = field_load(&fields[i], &order->event, &a);
        bool has_b = field_load(&fields[i], row, &b);
        if (has_a != has_b || a.number != b.number || !text_equal(a.text, b.text)) {
            return differs(x, order, &spec->fields[i].template, fields[i].name);
        }
    }
    return same_labels(&order->event, row) || differs(x, order, &none, "a label");
}

/* What a row adds. A cost is known only when every row knows it. */
static bool add_sums(struct extract *x, struct order *order, const struct event *row)
{
    static const struct template none = {NULL, 0};
    struct event_sale *sum = &order->event.sale;
    const struct event_sale *more = &row->sale;
    sum->net += more->net;
    sum->discount += more->discount;
    sum->cost += more->cost;
    sum->units += more->units;
    sum->warranty_units += more->warranty_units;
    sum->has_discount |= more->has_discount;
    sum->has_cost &= more->has_cost;
    sum->has_units |= more->has_units;
    sum->has_warranty_units |= more->has_warranty_units;
    if (row->time_ms < order->event.time_ms) {
        order->event.time_ms = row->time_ms;
    }
    if (sum->net > MONEY_MAX || sum->discount > MONEY_MAX || sum->cost > MONEY_MAX) {
        extract_fail(x, &none, "the order's sum is larger than an amount may be");
        return false;
    }
    return true;
}

static bool add_row(struct orders *orders, struct extract *x, struct order *order, uint64_t line)
{
    struct event row;
    if (!order->drafted) {
        order->drafted = draft_event(x, orders->arena, orders->spec, &order->event);
        order->drafted_line = line;
        return order->drafted;
    }
    arena_reset(orders->scratch);
    return draft_event(x, orders->scratch, orders->spec, &row) &&
           agrees(x, orders->spec, order, &row) && add_sums(x, order, &row);
}

static bool add_item(struct orders *orders, struct extract *x, struct order *order)
{
    static const struct template none = {NULL, 0};
    if (order->item_count == EVENT_ITEMS_MAX) {
        extract_fail(x, &none, "the order has more than %d items", EVENT_ITEMS_MAX);
        return false;
    }
    struct event_item *items =
        grow(orders->arena, order->items, order->item_count, &order->item_room, sizeof *items);
    if (!items) {
        extract_fail(x, &none, "out of memory");
        return false;
    }
    order->items = items;
    if (!draft_item(x, orders->arena, orders->spec, &items[order->item_count])) {
        return false;
    }
    order->item_count++;
    return true;
}

bool orders_add(struct orders *orders, struct extract *x, uint64_t line)
{
    bool go_on;
    struct order *order = find(orders, x, line, &go_on);
    if (!order) {
        return go_on;
    }
    if (!note_line(orders, order, line)) {
        return false;
    }
    if (add_row(orders, x, order, line) &&
        (!orders->spec->has_items || add_item(orders, x, order))) {
        return true;
    }
    order->bad = true;
    return refuse(orders, x->problem, &line, 1, false);
}

bool orders_spoil(struct orders *orders, struct extract *x, uint64_t line)
{
    bool go_on;
    XXH128_hash_t hash;
    if (!hash_of(orders, x, &hash)) {
        return true;
    }
    struct order *order = find(orders, x, line, &go_on);
    if (order) {
        order->bad = true;
        go_on = note_line(orders, order, line);
    }
    return go_on;
}

bool orders_end(struct orders *orders)
{
    if (orders->neighbours) {
        return close_neighbour(orders);
    }
    for (struct order *order = orders->first; order; order = order->next) {
        if (!finish(orders, order)) {
            return false;
        }
    }
    return true;
}

#include "consumers/worker/fold.h"

enum sale_field {
    S_ORDERS, S_UNITS, S_WARRANTY_UNITS, S_ASSISTED_ORDERS, S_REFUNDS, S_REFUND_FULL,
    S_REFUND_REASON, S_INTERACTIONS = S_REFUND_REASON + REFUND_REASONS, S_INTERACTIONS_PROSPECT,
    S_INTERACTION_KIND, S_REFERRED = S_INTERACTION_KIND + KINDS
};

static const char *const fields[] = {
    "orders", "units", "warranty_units", "assisted_orders", "refunds", "refund_full",
    "refund_return", "refund_cancelled", "refund_chargeback", "refund_price", "refund_warranty",
    "refund_other", "interactions", "interactions_prospect", "interaction_lead",
    "interaction_quote", "interaction_demo", "interaction_visit", "interaction_call",
    "interaction_other", "referred", NULL,
};

enum currency_field {
    C_ORDERS, C_REVENUE, C_PROFIT, C_NET, C_NET_COSTED, C_COST, C_DISCOUNT, C_ASSISTED_NET,
    C_REFUND_NET, C_REFUND_NET_COSTED, C_REFUND_COST, C_REFUND_ASSISTED_NET
};

static const char *const currency_fields[] = {
    "orders", "revenue", "profit", "net", "net_costed", "cost", "discount", "assisted_net",
    "refund_net", "refund_net_costed", "refund_cost", "refund_assisted_net", NULL,
};

/* The two rows an order or refund adds to in one scope. */
struct rows {
    struct tally *tally;
    int64_t *plain, *money;
};

static struct rows rows_of(struct tally *tally, enum tally_time time, int32_t slot, uint32_t scope,
                           int currency)
{
    return (struct rows){tally, tally_row(tally, time, slot, scope, TALLY_FIELDS),
                         tally_row(tally, time, slot, scope, TALLY_CURRENCY + currency)};
}

static void add(const struct rows *rows, enum sale_field field, int64_t value)
{
    tally_add(rows->tally, &rows->plain[field], value);
}

static void add_money(const struct rows *rows, enum currency_field field, int64_t value)
{
    tally_add(rows->tally, &rows->money[field], value);
}

static void add_amounts(const struct rows *rows, int64_t net, int64_t cost, bool has_cost)
{
    add_money(rows, C_REVENUE, net);
    add_money(rows, C_NET, net);
    if (!has_cost)
        return;
    add_money(rows, C_PROFIT, net - cost);
    add_money(rows, C_NET_COSTED, net);
    add_money(rows, C_COST, cost);
}

static void add_order(const struct rows *rows, const struct event_sale *sale)
{
    add(rows, S_ORDERS, 1);
    add_money(rows, C_ORDERS, 1);
    add(rows, S_UNITS, sale->units);
    add(rows, S_WARRANTY_UNITS, sale->warranty_units);
    add_amounts(rows, sale->net, sale->cost, sale->has_cost);
    add_money(rows, C_DISCOUNT, sale->discount);
    if (!sale->assist_ticket.at)
        return;
    add(rows, S_ASSISTED_ORDERS, 1);
    add_money(rows, C_ASSISTED_NET, sale->net);
}

static bool first_of_line(const struct event_sale *sale, size_t place)
{
    for (size_t i = 0; i < place; i++)
        if (sale->items[i].line.at && text_equal(sale->items[i].line, sale->items[place].line))
            return false;
    return true;
}

/* A line is counted from the items: its order once, its units and amounts item by item. */
static void add_lines(struct tally *tally, enum tally_time time, int32_t slot,
                      struct scopes *scopes, const struct event_sale *sale)
{
    for (size_t i = 0; i < sale->item_count; i++) {
        const struct event_item *item = &sale->items[i];
        uint32_t scope = scopes_line(scopes, item->line);
        if (scope == SCOPE_ALL)
            continue;
        struct rows rows = rows_of(tally, time, slot, scope, sale->currency);
        if (first_of_line(sale, i)) {
            add(&rows, S_ORDERS, 1);
            add_money(&rows, C_ORDERS, 1);
            add(&rows, S_ASSISTED_ORDERS, sale->assist_ticket.at ? 1 : 0);
        }
        add(&rows, S_UNITS, item->qty);
        add_amounts(&rows, item->net, item->cost, item->has_cost);
        if (sale->assist_ticket.at)
            add_money(&rows, C_ASSISTED_NET, item->net);
    }
}

static void add_refund(const struct rows *rows, const struct event_refund *refund)
{
    add(rows, S_REFUNDS, 1);
    add(rows, S_REFUND_FULL, refund->full ? 1 : 0);
    add(rows, S_REFUND_REASON + refund->reason, 1);
    add_money(rows, C_REVENUE, -refund->net);
    add_money(rows, C_REFUND_NET, refund->net);
    if (refund->has_cost) {
        add_money(rows, C_PROFIT, refund->cost - refund->net);
        add_money(rows, C_REFUND_NET_COSTED, refund->net);
        add_money(rows, C_REFUND_COST, refund->cost);
    }
    if (refund->assist_ticket.at)
        add_money(rows, C_REFUND_ASSISTED_NET, refund->net);
}

static void add_refunds(struct tally *tally, enum tally_time time, int32_t slot,
                        struct scopes *scopes, const uint32_t *ids, int count,
                        const struct event_refund *refund)
{
    for (int i = 0; i < count; i++) {
        struct rows rows = rows_of(tally, time, slot, ids[i], refund->currency);
        add_refund(&rows, refund);
    }
    uint32_t line = scopes ? scopes_line(scopes, refund->line) : SCOPE_ALL;
    if (line == SCOPE_ALL)
        return;
    struct rows rows = rows_of(tally, time, slot, line, refund->currency);
    add_refund(&rows, refund);
}

static void add_interaction(struct tally *tally, int64_t *row,
                            const struct event_interaction *interaction)
{
    tally_add(tally, &row[S_INTERACTIONS], 1);
    tally_add(tally, &row[S_INTERACTIONS_PROSPECT], interaction->prospect ? 1 : 0);
    tally_add(tally, &row[S_INTERACTION_KIND + interaction->kind], 1);
}

/* `scopes` is NULL for hours, which know no lines. */
static void sales_add(struct tally *tally, enum tally_time time, int32_t slot,
                      struct scopes *scopes, const uint32_t *ids, int count,
                      const struct event *event, int32_t local_day)
{
    (void)local_day;
    if (event->type == EVENT_SALE_REFUNDED) {
        add_refunds(tally, time, slot, scopes, ids, count, &event->refund);
        return;
    }
    for (int i = 0; i < count; i++) {
        if (event->type == EVENT_SALE_COMPLETED) {
            struct rows rows = rows_of(tally, time, slot, ids[i], event->sale.currency);
            add_order(&rows, &event->sale);
            continue;
        }
        int64_t *row = tally_row(tally, time, slot, ids[i], TALLY_FIELDS);
        if (event->type == EVENT_SALE_INTERACTION)
            add_interaction(tally, row, &event->interaction);
        else
            tally_add(tally, &row[S_REFERRED], 1);
    }
    if (event->type == EVENT_SALE_COMPLETED && scopes)
        add_lines(tally, time, slot, scopes, &event->sale);
}

const struct fold_kind sales_kind = {
    .name = "sales",
    .side = SIDE_SALE,
    .layout = {fields, fold_record_fields, currency_fields, NULL},
    .add = sales_add,
};

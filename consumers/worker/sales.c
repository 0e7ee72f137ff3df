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

/* The two shares of an order, a refund or an item. */
struct shares {
    struct tally_share *plain, *money;
};

static struct shares open_shares(struct tally_share *shares, int currency)
{
    tally_share_open(&shares[0], TALLY_FIELDS);
    tally_share_open(&shares[1], TALLY_CURRENCY + currency);
    return (struct shares){&shares[0], &shares[1]};
}

static void put_amounts(struct tally_share *money, int64_t net, int64_t cost, bool has_cost)
{
    tally_share_put(money, C_REVENUE, net);
    tally_share_put(money, C_NET, net);
    if (!has_cost)
        return;
    tally_share_put(money, C_PROFIT, net - cost);
    tally_share_put(money, C_NET_COSTED, net);
    tally_share_put(money, C_COST, cost);
}

static int share_order(const struct event_sale *sale, struct tally_share *shares)
{
    struct shares to = open_shares(shares, sale->currency);
    tally_share_put(to.plain, S_ORDERS, 1);
    tally_share_put(to.money, C_ORDERS, 1);
    tally_share_put(to.plain, S_UNITS, sale->units);
    tally_share_put(to.plain, S_WARRANTY_UNITS, sale->warranty_units);
    put_amounts(to.money, sale->net, sale->cost, sale->has_cost);
    tally_share_put(to.money, C_DISCOUNT, sale->discount);
    if (sale->assist_ticket.at) {
        tally_share_put(to.plain, S_ASSISTED_ORDERS, 1);
        tally_share_put(to.money, C_ASSISTED_NET, sale->net);
    }
    return 2;
}

static int share_refund(const struct event_refund *refund, struct tally_share *shares)
{
    struct shares to = open_shares(shares, refund->currency);
    tally_share_put(to.plain, S_REFUNDS, 1);
    tally_share_put(to.plain, S_REFUND_FULL, refund->full);
    tally_share_put(to.plain, S_REFUND_REASON + refund->reason, 1);
    tally_share_put(to.money, C_REVENUE, -refund->net);
    tally_share_put(to.money, C_REFUND_NET, refund->net);
    if (refund->has_cost) {
        tally_share_put(to.money, C_PROFIT, refund->cost - refund->net);
        tally_share_put(to.money, C_REFUND_NET_COSTED, refund->net);
        tally_share_put(to.money, C_REFUND_COST, refund->cost);
    }
    if (refund->assist_ticket.at)
        tally_share_put(to.money, C_REFUND_ASSISTED_NET, refund->net);
    return 2;
}

static int share_interaction(const struct event_interaction *interaction,
                             struct tally_share *shares)
{
    tally_share_open(shares, TALLY_FIELDS);
    tally_share_put(shares, S_INTERACTIONS, 1);
    tally_share_put(shares, S_INTERACTIONS_PROSPECT, interaction->prospect);
    tally_share_put(shares, S_INTERACTION_KIND + interaction->kind, 1);
    return 1;
}

static int sales_share(const struct event *event, int32_t local_day, struct tally_share *shares)
{
    (void)local_day;
    switch (event->type) {
    case EVENT_SALE_COMPLETED:
        return share_order(&event->sale, shares);
    case EVENT_SALE_REFUNDED:
        return share_refund(&event->refund, shares);
    case EVENT_SALE_INTERACTION:
        return share_interaction(&event->interaction, shares);
    default: /* sale.referred: the topic lets no other type through */
        tally_share_open(shares, TALLY_FIELDS);
        tally_share_put(shares, S_REFERRED, 1);
        return 1;
    }
}

static bool first_of_line(const struct event_sale *sale, size_t place)
{
    for (size_t i = 0; i < place; i++)
        if (sale->items[i].line.at && text_equal(sale->items[i].line, sale->items[place].line))
            return false;
    return true;
}

/* A line is counted from the items: its order once, its units and amounts item by item. */
static void share_item(const struct event_sale *sale, size_t place, struct tally_share *shares)
{
    const struct event_item *item = &sale->items[place];
    struct shares to = open_shares(shares, sale->currency);
    if (first_of_line(sale, place)) {
        tally_share_put(to.plain, S_ORDERS, 1);
        tally_share_put(to.money, C_ORDERS, 1);
        tally_share_put(to.plain, S_ASSISTED_ORDERS, sale->assist_ticket.at ? 1 : 0);
    }
    tally_share_put(to.plain, S_UNITS, item->qty);
    put_amounts(to.money, item->net, item->cost, item->has_cost);
    if (sale->assist_ticket.at)
        tally_share_put(to.money, C_ASSISTED_NET, item->net);
}

static void add_to_line(struct tally *tally, int32_t day, struct scopes *scopes, struct text line,
                        const struct tally_share *shares)
{
    uint32_t scope = scopes_line(scopes, line);
    if (scope != SCOPE_ALL)
        tally_add_shares(tally, TALLY_DAY, day, scope, shares, 2);
}

static void sales_add_lines(struct tally *tally, int32_t day, struct scopes *scopes,
                            const struct event *event, const struct tally_share *shares, int count)
{
    (void)count;
    if (event->type == EVENT_SALE_REFUNDED)
        add_to_line(tally, day, scopes, event->refund.line, shares);
    if (event->type != EVENT_SALE_COMPLETED)
        return;
    for (size_t i = 0; i < event->sale.item_count; i++) {
        struct tally_share item[2];
        share_item(&event->sale, i, item);
        add_to_line(tally, day, scopes, event->sale.items[i].line, item);
    }
}

const struct fold_kind sales_kind = {
    .name = "sales",
    .side = SIDE_SALE,
    .layout = {fields, fold_record_fields, currency_fields, NULL},
    .share = sales_share,
    .add_lines = sales_add_lines,
};

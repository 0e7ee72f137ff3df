/* goods.h - what the simulated shop sells, and to whom: pure functions of seed and number.
 *
 * An order or a customer is drawn again whenever it is needed, so nothing of it is stored. */
#ifndef TANDEM_GOODS_H
#define TANDEM_GOODS_H

#include "common/event.h"
#include "producers/simulate/dice.h"

#define GOODS_ITEMS_MAX      5
#define GOODS_CURRENCIES_MAX 8

/* The seed and the currencies (places in common/currency.h) of the regions in turn. */
struct goods {
    uint64_t seed;
    int currencies[GOODS_CURRENCIES_MAX];
    int currency_count;
};

/* What happens to an order after it was paid. */
enum goods_fate { FATE_KEPT, FATE_REFUNDED, FATE_CLAIMED };

struct goods_person {
    int region;          /* place in the list of regions */
    const char *segment; /* NULL: not known */
};

struct goods_order {
    struct event_item items[GOODS_ITEMS_MAX];
    int item_count;
    int currency, region;
    int warranty_months; /* of warranty_product; 0: nothing has a warranty */
    const char *warranty_product;
    int64_t net, cost, discount, units, warranty_units;
    bool listed; /* its items are in the event */
    bool has_cost;
    enum goods_fate fate;
    const char *channel, *rep, *campaign; /* campaign NULL: none */
    const char *segment;                  /* NULL: not known */
};

/* customer 0: nobody in particular, at a till. */
struct goods_person goods_person(const struct goods *goods, uint32_t customer);
void goods_order(const struct goods *goods, uint32_t number, uint32_t customer,
                 struct goods_order *order);

const char *goods_region(int region);
/* Somebody who sells or who helps, in a region. */
const char *goods_seller(int region, struct dice *dice);
const char *goods_helper(struct dice *dice);
const char *goods_channel(struct dice *dice);
const char *goods_help_channel(struct dice *dice);
/* A product with a warranty, and its months. */
const char *goods_product(struct dice *dice, int *warranty_months);

#endif

#include "producers/simulate/goods.h"

#include "common/currency.h"

#define LENGTH(list) ((int)(sizeof(list) / sizeof((list)[0])))

enum topic { TOPIC_PERSON = 1, TOPIC_ORDER };

struct product {
    const char *sku, *line;
    int price, cost; /* hundredths of a euro; cost 0: nobody knows it */
    int warranty_months;
    int weight;
};

static const struct product products[] = {
    {"phone-lite", "phones", 19900, 15100, 24, 60},
    {"phone-x1", "phones", 49900, 38600, 24, 50},
    {"phone-max", "phones", 99900, 74900, 24, 20},
    {"laptop-13", "laptops", 79900, 64300, 24, 25},
    {"laptop-15-pro", "laptops", 149900, 118800, 36, 10},
    {"tablet-10", "tablets", 29900, 23100, 24, 30},
    {"buds", "audio", 5990, 3320, 12, 70},
    {"headphones", "audio", 14900, 8940, 24, 40},
    {"speaker", "audio", 8990, 5410, 24, 35},
    {"case", "accessories", 1990, 540, 0, 120},
    {"charger", "accessories", 2490, 910, 12, 100},
    {"cable", "accessories", 990, 180, 0, 130},
    {"screen-protector", "accessories", 1490, 260, 0, 80},
    {"set-up-at-home", "services", 4900, 0, 0, 8},
};

static const char *const regions[] = {"north", "south", "east", "west", "centre", "coast"};
static const int region_weights[] = {26, 18, 14, 17, 30, 9};
static const char *const sellers[][2] = {{"ana", "bogdan"},   {"carmen", "dan"},
                                         {"elena", "florin"}, {"gina", "horia"},
                                         {"ioana", "lucian"}, {"maria", "nicu"}};
static const char *const helpers[] = {"oana", "paul", "raluca", "sorin", "teodora"};
static const char *const channels[] = {"online", "store", "phone", "partner"};
static const int channel_weights[] = {55, 30, 8, 7};
static const char *const help_channels[] = {"phone", "chat", "email", "store"};
static const int help_channel_weights[] = {40, 30, 20, 10};
static const char *const segments[] = {"consumer", "business", "public"};
static const int segment_weights[] = {70, 25, 5};
static const char *const campaigns[] = {"newsletter", "autumn", "friends"};

_Static_assert(LENGTH(regions) == LENGTH(region_weights), "a weight for each region");
_Static_assert(LENGTH(regions) == LENGTH(sellers), "sellers for each region");

/* What a euro costs, roughly, where a price in other money would look odd with the same number. */
static const struct {
    const char *code;
    int rate;
} rates[] = {{"RON", 5},    {"CZK", 25}, {"DKK", 7}, {"HUF", 400}, {"ISK", 150}, {"JPY", 160},
             {"KRW", 1500}, {"NOK", 12}, {"PLN", 4}, {"RSD", 117}, {"SEK", 11},  {"TRY", 45}};

static int64_t in_currency(int64_t euro_cents, int currency)
{
    static const int64_t powers[] = {1, 10, 100, 1000, 10000};
    int64_t rate = 1;
    for (int i = 0; i < LENGTH(rates); i++) {
        if (text_is(text_of(currency_code(currency)), rates[i].code)) {
            rate = rates[i].rate;
        }
    }
    return euro_cents * rate * powers[currency_exponent(currency)] / 100;
}

static const struct product *draw_product(struct dice *dice)
{
    int weights[LENGTH(products)];
    for (int i = 0; i < LENGTH(products); i++) {
        weights[i] = products[i].weight;
    }
    return &products[dice_weighted(dice, weights, LENGTH(products))];
}

struct goods_person goods_person(const struct goods *goods, uint32_t customer)
{
    struct dice dice = dice_of(goods->seed, TOPIC_PERSON, customer);
    struct goods_person person = {
        .region = dice_weighted(&dice, region_weights, LENGTH(regions)),
        .segment = segments[dice_weighted(&dice, segment_weights, LENGTH(segments))],
    };
    if (dice_chance(&dice, 300)) {
        person.segment = NULL;
    }
    return person;
}

static void add_item(struct goods_order *order, struct dice *dice, int discount_pct)
{
    const struct product *product = draw_product(dice);
    int64_t qty = product->price < 10000 && dice_chance(dice, 250) ? dice_between(dice, 2, 4) : 1;
    int64_t full = qty * in_currency(product->price, order->currency);
    int64_t off = full * discount_pct / 100;
    struct event_item item = {.sku = text_of(product->sku),
                              .line = text_of(product->line),
                              .qty = qty,
                              .net = full - off,
                              .has_cost = product->cost > 0,
                              .cost = qty * in_currency(product->cost, order->currency)};
    order->items[order->item_count++] = item;
    order->net += item.net;
    order->cost += item.cost;
    order->discount += off;
    order->units += qty;
    order->has_cost = order->has_cost && item.has_cost;
    if (product->warranty_months) {
        order->warranty_units += qty;
        order->warranty_months = product->warranty_months;
        order->warranty_product = product->sku;
    }
}

static enum goods_fate draw_fate(const struct goods_order *order, struct dice *dice)
{
    static const int weights[] = {870, 70, 60};
    int fate = dice_weighted(dice, weights, 3);
    return fate == FATE_CLAIMED && !order->warranty_product ? FATE_KEPT : (enum goods_fate)fate;
}

void goods_order(const struct goods *goods, uint32_t number, uint32_t customer,
                 struct goods_order *order)
{
    static const int item_weights[GOODS_ITEMS_MAX] = {50, 28, 13, 6, 3};
    struct dice dice = dice_of(goods->seed, TOPIC_ORDER, number);
    struct goods_person person = goods_person(goods, customer);
    *order = (struct goods_order){.has_cost = true, .region = person.region};
    if (!customer) {
        order->region = dice_weighted(&dice, region_weights, LENGTH(regions));
    } else {
        order->segment = person.segment;
    }
    order->currency = goods->currencies[order->region % goods->currency_count];
    order->channel = customer ? goods_channel(&dice) : "till";
    order->rep = goods_seller(order->region, &dice);
    order->campaign =
        dice_chance(&dice, 80) ? campaigns[dice_below(&dice, LENGTH(campaigns))] : NULL;
    order->listed = !dice_chance(&dice, customer ? 50 : 400);
    int discount_pct = dice_chance(&dice, 150) ? (int)dice_between(&dice, 1, 4) * 5 : 0;
    int items = dice_weighted(&dice, item_weights, GOODS_ITEMS_MAX) + 1;
    for (int i = 0; i < items; i++) {
        add_item(order, &dice, discount_pct);
    }
    order->fate = draw_fate(order, &dice);
}

const char *goods_region(int region)
{
    return regions[region];
}

const char *goods_seller(int region, struct dice *dice)
{
    return sellers[region][dice_below(dice, 2)];
}

const char *goods_helper(struct dice *dice)
{
    return helpers[dice_below(dice, LENGTH(helpers))];
}

const char *goods_channel(struct dice *dice)
{
    return channels[dice_weighted(dice, channel_weights, LENGTH(channels))];
}

const char *goods_help_channel(struct dice *dice)
{
    return help_channels[dice_weighted(dice, help_channel_weights, LENGTH(help_channels))];
}

const char *goods_product(struct dice *dice, int *warranty_months)
{
    const struct product *product;
    do {
        product = draw_product(dice);
    } while (!product->warranty_months);
    *warranty_months = product->warranty_months;
    return product->sku;
}

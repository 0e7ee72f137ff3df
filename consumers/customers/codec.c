#include "consumers/customers/codec.h"

#include <stdlib.h>

enum { VERSION = 1, VERSION_SHIFT = 5 };
enum { HEAD_REFERRAL = 3, HEAD_SALE = 4, HEAD_FIRST_APART = 8, HEAD_OVERFLOWED = 16 };

#define LIST_MAX 1024 /* scopes of one list: 200 lines of an order and the dimensions are fewer */

/* Where a list was first written in the state at hand. */
struct place {
    uint32_t state; /* which state; another: not yet in this one */
    uint32_t place; /* from 1 */
};

struct codec {
    const struct dictionary *names;
    struct lists *lists;
    struct place *places; /* by list */
    uint32_t place_room;
    uint32_t state, seen_count; /* seen_count: lists met in this state */
    uint32_t *seen, seen_room;  /* reading: list, by place - 1 */
    char *bytes;                /* writing */
    size_t len, room;
    const unsigned char *at, *end; /* reading */
    bool failed, unnumbered;       /* memory; writing: a scope without a number */
    uint32_t unknown;              /* reading: a number without a scope */
};

int codec_open(struct codec **out, const struct dictionary *names, struct lists *lists,
               struct error *err)
{
    struct codec *c = calloc(1, sizeof *c);
    *out = NULL;
    if (!c)
        return error_memory(err);
    c->names = names;
    c->lists = lists;
    c->room = 256;
    c->bytes = malloc(c->room);
    if (!c->bytes) {
        codec_free(c);
        return error_memory(err);
    }
    *out = c;
    return 0;
}

void codec_free(struct codec *codec)
{
    if (!codec)
        return;
    free(codec->places);
    free(codec->seen);
    free(codec->bytes);
    free(codec);
}

static bool reserve(struct codec *c, void **list, uint32_t count, uint32_t *room, size_t size)
{
    uint32_t more = *room ? *room : 64;
    if (count <= *room)
        return true;
    while (more < count)
        more *= 2;
    void *grown = realloc(*list, more * size);
    if (!grown) {
        c->failed = true;
        return false;
    }
    memset((char *)grown + *room * size, 0, (more - *room) * size);
    *list = grown;
    *room = more;
    return true;
}

/* Starts another state: no list has been met in it. */
static void begin(struct codec *c)
{
    if (++c->state == 0) { /* after 2^32 states the marks of the first would look new */
        if (c->places)
            memset(c->places, 0, c->place_room * sizeof *c->places);
        c->state = 1;
    }
    c->seen_count = 0;
    c->len = 0;
    c->failed = c->unnumbered = false;
    c->unknown = 0;
}

static void put_byte(struct codec *c, unsigned byte)
{
    if (c->len == c->room) {
        size_t room = 2 * c->room + 64;
        char *bytes = realloc(c->bytes, room);
        if (!bytes) {
            c->failed = true;
            return;
        }
        c->bytes = bytes;
        c->room = room;
    }
    c->bytes[c->len++] = (char)byte;
}

static void put(struct codec *c, uint64_t value)
{
    for (; value >= 128; value >>= 7)
        put_byte(c, (unsigned)(value & 127) | 128);
    put_byte(c, (unsigned)value);
}

/* Seconds since *before, which becomes the time. */
static void put_time(struct codec *c, int64_t *before, int64_t time_s)
{
    put(c, (uint64_t)(time_s - *before));
    *before = time_s;
}

static void put_list(struct codec *c, uint32_t list)
{
    size_t count;
    if (!reserve(c, (void **)&c->places, lists_count(c->lists), &c->place_room, sizeof *c->places))
        return;
    struct place *place = &c->places[list];
    if (place->state == c->state) {
        put(c, place->place);
        return;
    }
    *place = (struct place){c->state, ++c->seen_count};
    const uint32_t *ids = lists_ids(c->lists, list, &count);
    put(c, 0);
    put(c, count);
    for (size_t i = 0; i < count; i++) {
        uint32_t number = dictionary_number(c->names, ids[i]);
        c->unnumbered |= number == 0;
        put(c, number);
    }
}

static void put_months(struct codec *c, const struct customer *customer)
{
    int first = 0, last = CUSTOMER_MONTHS - 1;
    while (first + 8 < last && customer->months[first / 8] == 0)
        first += 8;
    while (last - 8 > first && customer->months[last / 8] == 0)
        last -= 8;
    while (first < last && !customer_has_month(customer, first))
        first++;
    while (last > first && !customer_has_month(customer, last))
        last--;
    put(c, (uint64_t)first);
    put(c, (uint64_t)(last - first) / 8 + 1);
    for (int month = first; month <= last; month += 8) {
        unsigned bits = 0;
        for (int i = 0; i < 8; i++)
            bits |= (unsigned)customer_has_month(customer, month + i) << i;
        put_byte(c, bits);
    }
}

static void put_sales(struct codec *c, const struct customer *customer, int64_t time_s)
{
    put(c, customer->sale_count);
    for (size_t i = 0; i < customer->sale_count; i++) {
        put_time(c, &time_s, customer->sales[i].time_s);
        put_list(c, customer->sales[i].list);
    }
}

static void put_ratings(struct codec *c, const struct customer *customer, int64_t time_s)
{
    put(c, customer->rating_count);
    for (size_t i = 0; i < customer->rating_count; i++) {
        const struct rating *rating = &customer->ratings[i];
        put_time(c, &time_s, rating->time_s);
        put_byte(c, (unsigned)rating->scale << 4 | rating->score);
        for (int shift = 0; shift < 64; shift += 8)
            put_byte(c, (unsigned)(rating->ref >> shift & 255));
        put_list(c, rating->list);
    }
    put(c, customer->replaced);
}

static void put_runs(struct codec *c, const struct runs *runs, int64_t time_s)
{
    put(c, runs->count);
    for (size_t i = 0; i < runs->count; i++) {
        put_time(c, &time_s, runs->at[i].first_s);
        put_time(c, &time_s, runs->at[i].last_s);
    }
}

static bool first_apart(const struct customer *customer)
{
    return customer->has_sale &&
           (!customer->sale_count || customer->sales[0].time_s != customer->first.time_s ||
            customer->sales[0].list != customer->first.list);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The earliest time of what is stored; CUSTOMER_TIME_MIN_S when there is no time at all. */
static int64_t base_of(const struct customer *customer)
{
    int64_t base = INT64_MAX;
    if (customer->has_sale)
        base = customer->first.time_s;
    if (customer->referral)
        base = earlier(base, customer->referral_s);
    if (customer->rating_count)
        base = earlier(base, customer->ratings[0].time_s);
    if (customer->contacts.count)
        base = earlier(base, customer->contacts.at[0].first_s);
    if (customer->interactions.count)
        base = earlier(base, customer->interactions.at[0].first_s);
    return base == INT64_MAX ? CUSTOMER_TIME_MIN_S : base;
}

static unsigned head_of(const struct customer *customer)
{
    return VERSION << VERSION_SHIFT | (unsigned)customer->referral |
           (customer->has_sale ? HEAD_SALE : 0u) | (first_apart(customer) ? HEAD_FIRST_APART : 0u) |
           (customer->overflowed ? HEAD_OVERFLOWED : 0u);
}

static void put_customer(struct codec *c, const struct customer *customer)
{
    unsigned head = head_of(customer);
    int64_t base = base_of(customer);
    put_byte(c, head);
    put(c, (uint64_t)(base - CUSTOMER_TIME_MIN_S));
    if (head & HEAD_FIRST_APART) {
        put_time(c, &(int64_t){base}, customer->first.time_s);
        put_list(c, customer->first.list);
    }
    if (head & HEAD_SALE)
        put_months(c, customer);
    if (head & HEAD_REFERRAL)
        put_time(c, &(int64_t){base}, customer->referral_s);
    if (head & HEAD_OVERFLOWED)
        return;
    if (head & HEAD_SALE)
        put_sales(c, customer, base);
    put_ratings(c, customer, base);
    put_runs(c, &customer->contacts, base);
    put_runs(c, &customer->interactions, base);
}

int codec_encode(struct codec *codec, const struct customer *customer, struct text *out,
                 struct error *err)
{
    begin(codec);
    if (!customer_empty(customer))
        put_customer(codec, customer);
    if (codec->failed)
        return error_memory(err);
    if (codec->unnumbered)
        return error_set(err, ERROR_STORE, "a scope has no number in the shard's dictionary yet");
    *out = (struct text){codec->bytes, codec->len};
    return 0;
}

/* From here on: reading. Each get_ is false when the bytes are wrong. */

static bool get_byte(struct codec *c, unsigned *byte)
{
    if (c->at == c->end)
        return false;
    *byte = *c->at++;
    return true;
}

/* At most `max`, and written as short as can be. */
static bool get(struct codec *c, uint64_t *value, uint64_t max)
{
    unsigned byte = 128;
    *value = 0;
    for (int shift = 0; byte & 128; shift += 7) {
        if (shift > 56 || !get_byte(c, &byte) || (byte == 0 && shift > 0))
            return false;
        *value |= (uint64_t)(byte & 127) << shift;
    }
    return *value <= max;
}

/* How many elements follow, each of at least `size` bytes: so no count is larger than the bytes. */
static bool get_count(struct codec *c, size_t *count, size_t size)
{
    uint64_t value;
    if (!get(c, &value, (uint64_t)(c->end - c->at) / size))
        return false;
    *count = (size_t)value;
    return true;
}

/* Lies at or behind *before, which becomes the time. */
static bool get_time(struct codec *c, int64_t *before, int64_t *time_s)
{
    uint64_t gap;
    if (!get(c, &gap, (uint64_t)(CUSTOMER_TIME_MAX_S - *before)))
        return false;
    *time_s = *before += (int64_t)gap;
    return true;
}

static bool get_names(struct codec *c, uint32_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t number;
        if (!get(c, &number, DICTIONARY_NUMBER_MAX) || number == 0)
            return false;
        ids[i] = dictionary_numbered(c->names, (uint32_t)number);
        if (ids[i] == 0) {
            c->unknown = (uint32_t)number;
            return false;
        }
        if (i > 0 && dictionary_compare(c->names, ids[i - 1], ids[i]) >= 0)
            return false;
    }
    return true;
}

static bool seen_before(const struct codec *c, uint32_t list)
{
    return list < c->place_room && c->places[list].state == c->state;
}

static bool get_new_list(struct codec *c, uint32_t *list)
{
    uint32_t ids[LIST_MAX];
    size_t count;
    if (!get_count(c, &count, 1) || count > LIST_MAX || !get_names(c, ids, count))
        return false;
    *list = lists_add(c->lists, ids, count);
    if (lists_failed(c->lists))
        c->failed = true;
    if (c->failed || seen_before(c, *list) ||
        !reserve(c, (void **)&c->places, lists_count(c->lists), &c->place_room,
                 sizeof *c->places) ||
        !reserve(c, (void **)&c->seen, c->seen_count + 1, &c->seen_room, sizeof *c->seen))
        return false;
    c->seen[c->seen_count++] = *list;
    c->places[*list] = (struct place){c->state, c->seen_count};
    return true;
}

static bool get_list(struct codec *c, uint32_t *list)
{
    uint64_t place;
    if (!get(c, &place, c->seen_count))
        return false;
    if (place == 0)
        return get_new_list(c, list);
    *list = c->seen[place - 1];
    return true;
}

static bool get_months(struct codec *c, struct customer *customer)
{
    uint64_t first, bytes;
    unsigned bits = 0;
    if (!get(c, &first, CUSTOMER_MONTHS - 1) || !get(c, &bytes, sizeof customer->months) ||
        bytes == 0)
        return false;
    for (uint64_t month = first; month < first + 8 * bytes; month += 8) {
        if (!get_byte(c, &bits) || (month == first && !(bits & 1)))
            return false;
        for (unsigned i = 0; i < 8; i++) {
            if (!(bits >> i & 1))
                continue;
            if (month + i >= CUSTOMER_MONTHS)
                return false;
            customer->months[(month + i) / 8] |= (uint8_t)(1u << ((month + i) % 8));
        }
    }
    return bits != 0;
}

static bool grown(struct codec *c, void **list, size_t count, size_t *room, size_t size)
{
    if (count <= *room)
        return true;
    void *more = realloc(*list, count * size);
    if (!more) {
        c->failed = true;
        return false;
    }
    *list = more;
    *room = count;
    return true;
}

static bool get_sales(struct codec *c, struct customer *customer, int64_t time_s)
{
    size_t count;
    if (!get_count(c, &count, 2) ||
        !grown(c, (void **)&customer->sales, count, &customer->sale_room, sizeof *customer->sales))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct sale *sale = &customer->sales[i];
        if (!get_time(c, &time_s, &sale->time_s) || !get_list(c, &sale->list) ||
            (i > 0 && sale_compare(c->lists, sale - 1, sale) > 0))
            return false;
        customer->sale_count++;
    }
    return true;
}

static bool get_score(struct codec *c, struct rating *rating)
{
    unsigned byte;
    if (!get_byte(c, &byte))
        return false;
    rating->scale = (uint8_t)(byte >> 4);
    rating->score = (uint8_t)(byte & 15);
    return (rating->scale == SCALE_CSAT || rating->scale == SCALE_NPS) &&
           rating->score >= event_scale_min[rating->scale] &&
           rating->score <= event_scale_max[rating->scale];
}

static bool get_ref(struct codec *c, uint64_t *ref)
{
    if (c->end - c->at < 8)
        return false;
    *ref = 0;
    for (int shift = 0; shift < 64; shift += 8)
        *ref |= (uint64_t)*c->at++ << shift;
    return true;
}

static bool get_ratings(struct codec *c, struct customer *customer, int64_t time_s)
{
    size_t count;
    uint64_t replaced;
    if (!get_count(c, &count, 11) || !grown(c, (void **)&customer->ratings, count,
                                            &customer->rating_room, sizeof *customer->ratings))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct rating *rating = &customer->ratings[i];
        if (!get_time(c, &time_s, &rating->time_s) || !get_score(c, rating) ||
            !get_ref(c, &rating->ref) || !get_list(c, &rating->list) ||
            (i > 0 && rating_compare(rating - 1, rating) >= 0))
            return false;
        customer->rating_count++;
    }
    if (!get(c, &replaced, UINT32_MAX))
        return false;
    customer->replaced = (uint32_t)replaced;
    return count > 0 || replaced == 0;
}

static bool get_runs(struct codec *c, struct runs *runs, int64_t time_s, int64_t window_s)
{
    size_t count;
    if (!get_count(c, &count, 2))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct run run;
        int64_t last_s = time_s;
        if (!get_time(c, &time_s, &run.first_s) || !get_time(c, &time_s, &run.last_s) ||
            (i > 0 && run.first_s - last_s <= window_s))
            return false;
        if (!runs_append(runs, run)) {
            c->failed = true;
            return false;
        }
    }
    return true;
}

static bool get_first(struct codec *c, unsigned head, struct customer *customer, int64_t base)
{
    if (!(head & HEAD_FIRST_APART))
        return true;
    return (head & HEAD_SALE) && get_time(c, &base, &customer->first.time_s) &&
           get_list(c, &customer->first.list);
}

static bool get_referral(struct codec *c, unsigned head, struct customer *customer, int64_t base)
{
    customer->referral = (enum referral)(head & HEAD_REFERRAL);
    return !customer->referral ||
           (customer->referral <= REFERRAL_BY_SERVICE && get_time(c, &base, &customer->referral_s));
}

static bool get_rest(struct codec *c, unsigned head, struct customer *customer, int64_t base)
{
    if (head & HEAD_OVERFLOWED)
        return true;
    return (!(head & HEAD_SALE) || get_sales(c, customer, base)) &&
           get_ratings(c, customer, base) &&
           get_runs(c, &customer->contacts, base, CUSTOMER_CONTACT_S) &&
           get_runs(c, &customer->interactions, base, CUSTOMER_INTERACTION_S);
}

/* The first sale stands apart exactly when it is not among the sales, and is never behind one. */
static bool settle_first(const struct codec *c, unsigned head, struct customer *customer)
{
    if (!customer->has_sale)
        return true;
    if (!(head & HEAD_FIRST_APART)) {
        if (!customer->sale_count)
            return false;
        customer->first = customer->sales[0];
        return true;
    }
    return !customer->sale_count ||
           sale_compare(c->lists, &customer->first, &customer->sales[0]) < 0;
}

static bool get_customer(struct codec *c, struct customer *customer)
{
    unsigned head;
    int64_t base = CUSTOMER_TIME_MIN_S;
    if (!get_byte(c, &head) || head >> VERSION_SHIFT != VERSION || !get_time(c, &base, &base))
        return false;
    customer->has_sale = head & HEAD_SALE;
    customer->overflowed = head & HEAD_OVERFLOWED;
    return get_first(c, head, customer, base) && (!customer->has_sale || get_months(c, customer)) &&
           get_referral(c, head, customer, base) && get_rest(c, head, customer, base) &&
           settle_first(c, head, customer) && c->at == c->end && !customer_empty(customer) &&
           base_of(customer) == base;
}

int codec_decode(struct codec *codec, struct text bytes, struct customer *customer,
                 struct error *err)
{
    begin(codec);
    customer_clear(customer);
    codec->at = (const unsigned char *)bytes.at;
    codec->end = codec->at + bytes.len;
    if (bytes.len == 0 || get_customer(codec, customer))
        return 0;
    customer_clear(customer);
    if (codec->failed)
        return error_memory(err);
    if (codec->unknown)
        return error_retry(err, ERROR_STORE, "scope number %u is not in the shard's dictionary",
                           codec->unknown);
    return error_set(err, ERROR_STORE, "%zu bytes that are no customer's state", bytes.len);
}

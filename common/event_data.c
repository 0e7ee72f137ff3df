#include "common/event_data.h"

#include "common/calendar.h"
#include "common/currency.h"
#include "common/money.h"

#include <stdarg.h>
#include <stdio.h>

#define EVENT_NAME(name) #name,
const char *const event_names[EVENT_NAME_COUNT] = {EVENT_NAMES(EVENT_NAME)};
#undef EVENT_NAME

#define DATA_FIRST  N_customer
#define DATA_FIELDS (N_cost + 1 - DATA_FIRST)
#define ITEM_FIRST  N_line
#define ITEM_FIELDS (N_qty + 1 - ITEM_FIRST)

/* What is being read: one object's known members, and where to say what is wrong with it. */
struct reading {
    struct event_data *reader;
    struct rejection *why;
    const struct document_value *const *values; /* of the names from `first` on */
    enum event_name first;
    int item;                                   /* of data.items; -1: data itself */
};

enum need { OPTIONAL, REQUIRED };

bool event_refuse(struct rejection *why, enum reject reason, const char *field,
                  const char *format, ...)
{
    va_list args;
    va_start(args, format);
    why->reason = reason;
    snprintf(why->field, sizeof why->field, "%s", field);
    vsnprintf(why->detail, sizeof why->detail, format, args);
    va_end(args);
    return false;
}

static const struct document_value *value_of(const struct reading *r, enum event_name field)
{
    return r->values[field - r->first];
}

static bool refuse(const struct reading *r, enum event_name field, enum reject reason, const char *detail)
{
    char path[96];
    if (r->item < 0)
        snprintf(path, sizeof path, "data.%s", event_names[field]);
    else
        snprintf(path, sizeof path, "data.items[%d].%s", r->item, event_names[field]);
    return event_refuse(r->why, reason, path, "%s", detail);
}

/* Of a value that is not there: whether that is fine. */
static bool may_miss(const struct reading *r, enum event_name field, enum need need)
{
    return need == OPTIONAL || refuse(r, field, REJECT_MISSING_FIELD, "is required");
}

bool event_is_slug(struct text text)
{
    /* One table look-up a byte: every event has several slugs. */
    static const bool allowed[256] = {
        ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['0' ... '9'] = true,
        ['.'] = true, ['_'] = true, ['-'] = true,
    };
    if (text.len < 1 || text.len > 64)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!allowed[(unsigned char)text.at[i]])
            return false;
    return true;
}

bool event_is_ref(struct text text, size_t max_bytes)
{
    if (text.len < 1 || text.len > max_bytes)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c < 0x20 || c == 0x7f)
            return false;
        /* U+0080-U+009F are two bytes in UTF-8, C2 80 to C2 9F. */
        if (c == 0xc2 && i + 1 < text.len && (unsigned char)text.at[i + 1] < 0xa0)
            return false;
    }
    return true;
}

static bool read_slug(const struct reading *r, enum event_name field, enum need need, struct text *out)
{
    const struct document_value *value = value_of(r, field);
    struct text text = document_text(value);
    *out = (struct text){0};
    if (!value)
        return may_miss(r, field, need);
    if (!event_is_slug(text))
        return refuse(r, field, REJECT_BAD_FIELD, "must be 1-64 of A-Z a-z 0-9 . _ -");
    *out = text;
    return true;
}

static bool read_ref(const struct reading *r, enum event_name field, enum need need, struct text *out)
{
    const struct document_value *value = value_of(r, field);
    struct text text = document_text(value);
    *out = (struct text){0};
    if (!value)
        return may_miss(r, field, need);
    if (value->type != DOCUMENT_STRING || !event_value_is_ref(value, 128))
        return refuse(r, field, REJECT_BAD_FIELD,
                      "must be a string of 1-128 bytes without control characters");
    *out = text;
    return true;
}

static bool read_bool(const struct reading *r, enum event_name field, enum need need, bool *out, bool *has)
{
    const struct document_value *value = value_of(r, field);
    *out = *has = false;
    if (!value)
        return may_miss(r, field, need);
    *out = value->type == DOCUMENT_TRUE;
    if (!*out && value->type != DOCUMENT_FALSE)
        return refuse(r, field, REJECT_BAD_FIELD, "must be true or false");
    *has = true;
    return true;
}

static bool refuse_range(const struct reading *r, enum event_name field, enum reject reason,
                         int64_t min, int64_t max)
{
    char detail[96];
    snprintf(detail, sizeof detail, "must be %lld to %lld", (long long)min, (long long)max);
    return refuse(r, field, reason, detail);
}

/* An integer of [min, max]; outside it the reason is `outside`. */
static bool read_int(const struct reading *r, enum event_name field, enum need need, int64_t min, int64_t max,
                     enum reject outside, int64_t *out, bool *has)
{
    const struct document_value *value = value_of(r, field);
    *out = 0;
    *has = false;
    if (!value)
        return may_miss(r, field, need);
    if (value->type != DOCUMENT_INT)
        return refuse(r, field, REJECT_BAD_FIELD, "must be an integer");
    if (value->integer < min || value->integer > max)
        return refuse_range(r, field, outside, min, max);
    *out = value->integer;
    *has = true;
    return true;
}

static bool read_money(const struct reading *r, enum event_name field, enum need need, int64_t *out, bool *has)
{
    return read_int(r, field, need, 0, MONEY_MAX, REJECT_AMOUNT_RANGE, out, has);
}

static bool read_count(const struct reading *r, enum event_name field, enum need need, int64_t *out, bool *has)
{
    return read_int(r, field, need, 0, 1000000, REJECT_BAD_FIELD, out, has);
}

static bool read_secs(const struct reading *r, enum event_name field, int64_t *out, bool *has)
{
    return read_int(r, field, OPTIONAL, 0, 315360000, REJECT_BAD_FIELD, out, has);
}

/* The place of a word in its vocabulary; `fallback` when absent and optional. */
static bool read_word(const struct reading *r, enum event_name field, enum need need,
                      const char *const *words, int fallback, int *out)
{
    struct text text = document_text(value_of(r, field));
    *out = fallback;
    if (!value_of(r, field))
        return may_miss(r, field, need);
    for (int i = 0; text.at && words[i]; i++) {
        if (text_is(text, words[i])) {
            *out = i;
            return true;
        }
    }
    return refuse(r, field, REJECT_BAD_FIELD, "is none of the words allowed here");
}

static bool read_currency(const struct reading *r, int *out)
{
    struct text code = document_text(value_of(r, N_currency));
    if (!value_of(r, N_currency))
        return may_miss(r, N_currency, REQUIRED);
    bool capitals = code.len == 3;
    for (size_t i = 0; capitals && i < 3; i++)
        capitals = code.at[i] >= 'A' && code.at[i] <= 'Z';
    if (!capitals)
        return refuse(r, N_currency, REJECT_BAD_FIELD, "must be three capital letters");
    *out = currency_find(code);
    if (*out < 0)
        return refuse(r, N_currency, REJECT_CURRENCY_UNKNOWN,
                      "is not an ISO 4217 currency with minor units");
    return true;
}

static bool read_date(const struct reading *r, enum event_name field, int32_t *out)
{
    if (!value_of(r, field))
        return may_miss(r, field, REQUIRED);
    struct text text = document_text(value_of(r, field));
    if (!text.at || !calendar_parse_date(text, out))
        return refuse(r, field, REJECT_BAD_FIELD, "must be a date YYYY-MM-DD");
    return true;
}

static bool read_labels(const struct reading *r, struct event *event)
{
    const struct document_value *labels = value_of(r, N_labels), *name;
    event->label_count = 0;
    if (!labels)
        return true;
    if (!document_is(labels, DOCUMENT_OBJECT) || labels->integer > EVENT_LABELS_MAX)
        return refuse(r, N_labels, REJECT_BAD_FIELD, "must be an object of at most 8 members");
    for (name = labels + 1; name < document_next(labels); name = document_next(name + 1)) {
        struct event_label label = {document_text(name), document_text(name + 1)};
        if (!event_is_slug(label.name))
            return refuse(r, N_labels, REJECT_BAD_FIELD, "has a name that is not a slug");
        if (!event_is_slug(label.value)) {
            char path[96];
            snprintf(path, sizeof path, "data.labels.%.*s", TEXT_ARG(label.name));
            return event_refuse(r->why, REJECT_BAD_FIELD, path,
                                "must be 1-64 of A-Z a-z 0-9 . _ -");
        }
        event->labels[event->label_count++] = label;
    }
    return true;
}

static bool read_common(const struct reading *r, struct event *event)
{
    enum need customer = event->type == EVENT_SALE_REFERRED || event->type == EVENT_SERVICE_REFERRED
                             ? REQUIRED : OPTIONAL;
    return read_slug(r, N_customer, customer, &event->customer) &&
           read_slug(r, N_region, OPTIONAL, &event->region) &&
           read_slug(r, N_rep, OPTIONAL, &event->rep) &&
           read_slug(r, N_channel, OPTIONAL, &event->channel) && read_labels(r, event);
}

static bool read_interaction(const struct reading *r, struct event *event)
{
    int kind;
    struct event_interaction *out = &event->interaction;
    if (!read_ref(r, N_interaction, REQUIRED, &event->ref) ||
        !read_word(r, N_kind, REQUIRED, event_kind_words, 0, &kind) ||
        !read_bool(r, N_prospect, OPTIONAL, &out->prospect, &out->has_prospect))
        return false;
    out->kind = (enum event_kind)kind;
    return true;
}

static bool read_item(const struct reading *data, size_t place, const struct document_value *value,
                      struct event_item *item)
{
    bool has;
    const struct document_value *values[ITEM_FIELDS];
    struct reading r = {data->reader, data->why, values, ITEM_FIRST, (int)place};
    if (!document_is(value, DOCUMENT_OBJECT)) {
        char path[40];
        snprintf(path, sizeof path, "data.items[%zu]", place);
        return event_refuse(data->why, REJECT_BAD_FIELD, path, "must be an object");
    }
    document_members(value, ITEM_FIRST, ITEM_FIELDS, values);
    return read_ref(&r, N_sku, REQUIRED, &item->sku) &&
           read_slug(&r, N_line, OPTIONAL, &item->line) &&
           read_count(&r, N_qty, REQUIRED, &item->qty, &has) &&
           read_money(&r, N_net, REQUIRED, &item->net, &has) &&
           read_money(&r, N_cost, OPTIONAL, &item->cost, &item->has_cost);
}

static bool read_items(const struct reading *r, struct event_sale *sale)
{
    const struct document_value *items = value_of(r, N_items), *value;
    sale->items = r->reader->items;
    sale->item_count = 0;
    if (!items)
        return true;
    if (!document_is(items, DOCUMENT_ARRAY) || items->integer > EVENT_ITEMS_MAX)
        return refuse(r, N_items, REJECT_BAD_FIELD, "must be an array of at most 200 items");
    for (value = items + 1; value < document_next(items); value = document_next(value)) {
        if (!read_item(r, sale->item_count, value, &r->reader->items[sale->item_count]))
            return false;
        sale->item_count++;
    }
    return true;
}

struct item_sums {
    int64_t qty, net, cost;  /* 200 items of at most 10^12 each: far from int64's end */
    bool all_cost;
};

static struct item_sums sum_items(const struct event_sale *sale)
{
    struct item_sums sums = {.all_cost = true};
    for (size_t i = 0; i < sale->item_count; i++) {
        sums.qty += sale->items[i].qty;
        sums.net += sale->items[i].net;
        sums.cost += sale->items[i].cost;
        sums.all_cost = sums.all_cost && sale->items[i].has_cost;
    }
    return sums;
}

/* What the items add to the order, and whether they agree with it. */
static bool settle_items(const struct reading *r, struct event_sale *sale,
                         const struct item_sums *sums)
{
    if (sale->item_count == 0)
        return true;
    if (sums->net != sale->net)
        return refuse(r, N_net, REJECT_AMOUNT_MISMATCH, "is not the sum of the items' net");
    if (!sums->all_cost)
        return true;
    if (sale->has_cost && sums->cost != sale->cost)
        return refuse(r, N_cost, REJECT_AMOUNT_MISMATCH, "is not the sum of the items' cost");
    sale->cost = sums->cost;
    sale->has_cost = true;
    return true;
}

static bool read_sale(const struct reading *r, struct event *event)
{
    bool has;
    struct event_sale *s = &event->sale;
    return read_ref(r, N_order, REQUIRED, &event->ref) && read_currency(r, &s->currency) &&
           read_money(r, N_net, REQUIRED, &s->net, &has) &&
           read_money(r, N_discount, OPTIONAL, &s->discount, &s->has_discount) &&
           read_money(r, N_cost, OPTIONAL, &s->cost, &s->has_cost) &&
           read_count(r, N_units, OPTIONAL, &s->units, &s->has_units) &&
           read_count(r, N_warranty_units, OPTIONAL, &s->warranty_units, &s->has_warranty_units) &&
           read_ref(r, N_assist_ticket, OPTIONAL, &s->assist_ticket) && read_items(r, s);
}

static bool settle_units(const struct reading *r, struct event_sale *sale,
                         const struct item_sums *sums)
{
    if (!sale->has_units)
        sale->units = sale->item_count ? sums->qty : 1;
    if (sale->warranty_units > sale->units)
        return refuse(r, N_warranty_units, REJECT_BAD_FIELD, "must not be more than units");
    return true;
}

static bool read_refund(const struct reading *r, struct event *event)
{
    int reason;
    bool has;
    struct event_refund *f = &event->refund;
    if (!read_ref(r, N_refund, REQUIRED, &event->ref) ||
        !read_ref(r, N_order, REQUIRED, &f->order) || !read_currency(r, &f->currency) ||
        !read_money(r, N_net, REQUIRED, &f->net, &has) ||
        !read_money(r, N_cost, OPTIONAL, &f->cost, &f->has_cost) ||
        !read_count(r, N_units, OPTIONAL, &f->units, &f->has_units) ||
        !read_bool(r, N_full, OPTIONAL, &f->full, &f->has_full) ||
        !read_word(r, N_reason, REQUIRED, event_refund_reason_words, 0, &reason) ||
        !read_ref(r, N_assist_ticket, OPTIONAL, &f->assist_ticket) ||
        !read_slug(r, N_line, OPTIONAL, &f->line))
        return false;
    f->reason = (enum event_refund_reason)reason;
    /* No goods come back with a price reduction or a charge-back: their cost is known, it is 0. */
    if (f->reason == REFUND_PRICE || f->reason == REFUND_CHARGEBACK)
        f->has_cost = true;
    return true;
}

static bool read_referral(const struct reading *r, struct event *event)
{
    return read_ref(r, N_referral, REQUIRED, &event->ref) &&
           read_slug(r, N_referrer, OPTIONAL, &event->referral.referrer);
}

static bool read_opened(const struct reading *r, struct event *event)
{
    int phase, category, by;
    if (!read_ref(r, N_ticket, REQUIRED, &event->ref) ||
        !read_word(r, N_phase, REQUIRED, event_phase_words, 0, &phase) ||
        !read_word(r, N_category, REQUIRED, event_category_words, 0, &category) ||
        !read_word(r, N_by, OPTIONAL, event_by_words, BY_CUSTOMER, &by))
        return false;
    event->opened = (struct event_opened){(enum event_phase)phase, (enum event_category)category,
                                          (enum event_by)by};
    return true;
}

static bool read_resolved(const struct reading *r, struct event *event)
{
    struct event_resolved *s = &event->resolved;
    return read_ref(r, N_ticket, REQUIRED, &event->ref) &&
           read_int(r, N_contacts, OPTIONAL, 1, 1000000, REJECT_BAD_FIELD, &s->contacts,
                    &s->has_contacts) &&
           read_secs(r, N_resolution, &s->resolution_s, &s->has_resolution) &&
           read_secs(r, N_first_response, &s->first_response_s, &s->has_first_response);
}

static bool read_reopened(const struct reading *r, struct event *event)
{
    struct event_reopened *o = &event->reopened;
    return read_ref(r, N_ticket, REQUIRED, &event->ref) &&
           read_bool(r, N_was_first_contact, OPTIONAL, &o->was_first_contact,
                     &o->has_was_first_contact);
}

static bool read_rated(const struct reading *r, struct event *event)
{
    int scale;
    bool has;
    int64_t score, previous;
    struct event_rated *o = &event->rated;
    if (!read_ref(r, N_rating, REQUIRED, &event->ref) ||
        !read_ref(r, N_ticket, OPTIONAL, &o->ticket) ||
        !read_word(r, N_scale, REQUIRED, event_scale_words, 0, &scale) ||
        !read_int(r, N_score, REQUIRED, event_scale_min[scale], event_scale_max[scale],
                  REJECT_BAD_FIELD, &score, &has) ||
        !read_int(r, N_previous, OPTIONAL, event_scale_min[scale], event_scale_max[scale],
                  REJECT_BAD_FIELD, &previous, &o->has_previous))
        return false;
    o->scale = (enum event_scale)scale;
    o->score = (int)score;
    o->previous = (int)previous;
    return true;
}

static bool read_claimed(const struct reading *r, struct event *event)
{
    bool has;
    int64_t months;
    struct event_claimed *o = &event->claimed;
    if (!read_ref(r, N_claim, REQUIRED, &event->ref) ||
        !read_ref(r, N_product, REQUIRED, &o->product) ||
        !read_date(r, N_purchased, &o->purchased) ||
        !read_int(r, N_warranty_months, REQUIRED, 0, 600, REJECT_BAD_FIELD, &months, &has) ||
        !read_ref(r, N_ticket, OPTIONAL, &o->ticket))
        return false;
    o->warranty_months = (int)months;
    return true;
}

static bool read_settled(const struct reading *r, struct event *event)
{
    int outcome;
    bool has;
    struct event_settled *o = &event->settled;
    if (!read_ref(r, N_claim, REQUIRED, &event->ref) ||
        !read_word(r, N_outcome, REQUIRED, event_outcome_words, 0, &outcome) ||
        !read_bool(r, N_in_warranty, REQUIRED, &o->in_warranty, &has) ||
        !read_secs(r, N_turnaround, &o->turnaround_s, &o->has_turnaround))
        return false;
    o->outcome = (enum event_outcome)outcome;
    return true;
}

static bool (*const readers[EVENT_TYPES])(const struct reading *, struct event *) = {
    [EVENT_SALE_INTERACTION] = read_interaction, [EVENT_SALE_COMPLETED] = read_sale,
    [EVENT_SALE_REFUNDED] = read_refund,         [EVENT_SALE_REFERRED] = read_referral,
    [EVENT_SERVICE_OPENED] = read_opened,        [EVENT_SERVICE_RESOLVED] = read_resolved,
    [EVENT_SERVICE_REOPENED] = read_reopened,    [EVENT_SERVICE_RATED] = read_rated,
    [EVENT_SERVICE_CLAIMED] = read_claimed,      [EVENT_SERVICE_SETTLED] = read_settled,
    [EVENT_SERVICE_REFERRED] = read_referral,
};

bool event_data_read(struct event_data *reader, const struct document_value *data, struct event *event,
                     struct rejection *why)
{
    const struct document_value *values[DATA_FIELDS];
    struct reading r = {reader, why, values, DATA_FIRST, -1};
    struct item_sums sums = {0};
    bool sale = event->type == EVENT_SALE_COMPLETED;
    document_members(data, DATA_FIRST, DATA_FIELDS, values);
    if (!read_common(&r, event) || !readers[event->type](&r, event))
        return false;
    if (sale) {
        sums = sum_items(&event->sale);
        if (!settle_units(&r, &event->sale, &sums))
            return false;
    }
    if (!text_equal(event->ref, event->subject))
        return event_refuse(why, REJECT_SUBJECT_MISMATCH, "subject", "is not data.%s",
                            event_ref_name(event->type));
    return !sale || settle_items(&r, &event->sale, &sums);
}

#include "producers/import/field.h"

#include "common/money.h"

#include <stddef.h>

#define AT(member) offsetof(struct event, member)
#define MONEY      0, MONEY_MAX
#define COUNTS     0, 1000000
#define SECONDS    0, 315360000

#define REF(name, member)                                                   \
    {                                                                       \
        name, FIELD_REF, true, false, AT(member), FIELD_NO_FLAG, NULL, 0, 0 \
    }
#define REF_MAYBE(name, member)                                              \
    {                                                                        \
        name, FIELD_REF, false, false, AT(member), FIELD_NO_FLAG, NULL, 0, 0 \
    }
#define SLUG_MAYBE(name, member)                                              \
    {                                                                         \
        name, FIELD_SLUG, false, false, AT(member), FIELD_NO_FLAG, NULL, 0, 0 \
    }
#define WORD(name, member, words)                                             \
    {                                                                         \
        name, FIELD_WORD, true, false, AT(member), FIELD_NO_FLAG, words, 0, 0 \
    }

/* An event's own number comes first, then what all types share. */
#define COMMON(name)                                                                \
    REF(name, ref), SLUG_MAYBE("customer", customer), SLUG_MAYBE("region", region), \
        SLUG_MAYBE("rep", rep), SLUG_MAYBE("channel", channel)
#define END                                                         \
    {                                                               \
        NULL, FIELD_REF, false, false, 0, FIELD_NO_FLAG, NULL, 0, 0 \
    }

static const struct field interaction[] = {
    COMMON("interaction"),
    WORD("kind", interaction.kind, event_kind_words),
    {"prospect", FIELD_BOOL, false, false, AT(interaction.prospect), AT(interaction.has_prospect),
     NULL, 0, 0},
    END,
};

/* The currency stands before the amounts, which need its decimals. */
static const struct field sale[] = {
    COMMON("order"),
    {"currency", FIELD_CURRENCY, true, false, AT(sale.currency), FIELD_NO_FLAG, NULL, 0, 0},
    {"net", FIELD_MONEY, true, true, AT(sale.net), FIELD_NO_FLAG, NULL, MONEY},
    {"discount", FIELD_MONEY, false, true, AT(sale.discount), AT(sale.has_discount), NULL, MONEY},
    {"cost", FIELD_MONEY, false, true, AT(sale.cost), AT(sale.has_cost), NULL, MONEY},
    {"units", FIELD_COUNT, false, true, AT(sale.units), AT(sale.has_units), NULL, COUNTS},
    {"warranty_units", FIELD_COUNT, false, true, AT(sale.warranty_units),
     AT(sale.has_warranty_units), NULL, COUNTS},
    REF_MAYBE("assist_ticket", sale.assist_ticket),
    END,
};

static const struct field refund[] = {
    COMMON("refund"),
    REF("order", refund.order),
    {"currency", FIELD_CURRENCY, true, false, AT(refund.currency), FIELD_NO_FLAG, NULL, 0, 0},
    {"net", FIELD_MONEY, true, false, AT(refund.net), FIELD_NO_FLAG, NULL, MONEY},
    {"cost", FIELD_MONEY, false, false, AT(refund.cost), AT(refund.has_cost), NULL, MONEY},
    {"units", FIELD_COUNT, false, false, AT(refund.units), AT(refund.has_units), NULL, COUNTS},
    {"full", FIELD_BOOL, false, false, AT(refund.full), AT(refund.has_full), NULL, 0, 0},
    WORD("reason", refund.reason, event_refund_reason_words),
    REF_MAYBE("assist_ticket", refund.assist_ticket),
    SLUG_MAYBE("line", refund.line),
    END,
};

/* Here the customer is the one who came, so it must be known. */
static const struct field referral[] = {
    REF("referral", ref),
    {"customer", FIELD_SLUG, true, false, AT(customer), FIELD_NO_FLAG, NULL, 0, 0},
    SLUG_MAYBE("region", region),
    SLUG_MAYBE("rep", rep),
    SLUG_MAYBE("channel", channel),
    SLUG_MAYBE("referrer", referral.referrer),
    END,
};

static const struct field opened[] = {
    COMMON("ticket"),
    WORD("phase", opened.phase, event_phase_words),
    WORD("category", opened.category, event_category_words),
    {"by", FIELD_WORD, false, false, AT(opened.by), FIELD_NO_FLAG, event_by_words, 0, 0},
    END,
};

static const struct field resolved[] = {
    COMMON("ticket"),
    {"contacts", FIELD_COUNT, false, false, AT(resolved.contacts), AT(resolved.has_contacts), NULL,
     1, 1000000},
    {"resolution", FIELD_SECONDS, false, false, AT(resolved.resolution_s),
     AT(resolved.has_resolution), NULL, SECONDS},
    {"first_response", FIELD_SECONDS, false, false, AT(resolved.first_response_s),
     AT(resolved.has_first_response), NULL, SECONDS},
    END,
};

static const struct field reopened[] = {
    COMMON("ticket"),
    {"was_first_contact", FIELD_BOOL, false, false, AT(reopened.was_first_contact),
     AT(reopened.has_was_first_contact), NULL, 0, 0},
    END,
};

/* The decoder knows which scores the scale allows; 0-10 holds them all. */
static const struct field rated[] = {
    COMMON("rating"),
    REF_MAYBE("ticket", rated.ticket),
    WORD("scale", rated.scale, event_scale_words),
    {"score", FIELD_NUMBER, true, false, AT(rated.score), FIELD_NO_FLAG, NULL, 0, 10},
    {"previous", FIELD_NUMBER, false, false, AT(rated.previous), AT(rated.has_previous), NULL, 0,
     10},
    END,
};

static const struct field claimed[] = {
    COMMON("claim"),
    REF("product", claimed.product),
    {"purchased", FIELD_DATE, true, false, AT(claimed.purchased), FIELD_NO_FLAG, NULL, 0, 0},
    {"warranty_months", FIELD_NUMBER, true, false, AT(claimed.warranty_months), FIELD_NO_FLAG, NULL,
     0, 600},
    REF_MAYBE("ticket", claimed.ticket),
    END,
};

static const struct field settled[] = {
    COMMON("claim"),
    WORD("outcome", settled.outcome, event_outcome_words),
    {"in_warranty", FIELD_BOOL, true, false, AT(settled.in_warranty), FIELD_NO_FLAG, NULL, 0, 0},
    {"turnaround", FIELD_SECONDS, false, false, AT(settled.turnaround_s),
     AT(settled.has_turnaround), NULL, SECONDS},
    END,
};

static const struct field *const lists[EVENT_TYPES] = {
    [EVENT_SALE_INTERACTION] = interaction, [EVENT_SALE_COMPLETED] = sale,
    [EVENT_SALE_REFUNDED] = refund,         [EVENT_SALE_REFERRED] = referral,
    [EVENT_SERVICE_OPENED] = opened,        [EVENT_SERVICE_RESOLVED] = resolved,
    [EVENT_SERVICE_REOPENED] = reopened,    [EVENT_SERVICE_RATED] = rated,
    [EVENT_SERVICE_CLAIMED] = claimed,      [EVENT_SERVICE_SETTLED] = settled,
    [EVENT_SERVICE_REFERRED] = referral,
};

#define ITEM(member) offsetof(struct event_item, member)

static const struct field items[] = {
    {"sku", FIELD_REF, true, false, ITEM(sku), FIELD_NO_FLAG, NULL, 0, 0},
    {"line", FIELD_SLUG, false, false, ITEM(line), FIELD_NO_FLAG, NULL, 0, 0},
    {"qty", FIELD_COUNT, true, false, ITEM(qty), FIELD_NO_FLAG, NULL, COUNTS},
    {"net", FIELD_MONEY, true, false, ITEM(net), FIELD_NO_FLAG, NULL, MONEY},
    {"cost", FIELD_MONEY, false, false, ITEM(cost), ITEM(has_cost), NULL, MONEY},
    END,
};

const struct field *field_list(enum event_type type)
{
    return lists[type];
}

const struct field *field_item_list(void)
{
    return items;
}

/* How a kind is kept in the structs of common/event.h. */
enum storage { STORED_TEXT, STORED_INT64, STORED_INT, STORED_BOOL };

static enum storage storage_of(enum field_kind kind)
{
    switch (kind) {
    case FIELD_REF:
    case FIELD_SLUG:
        return STORED_TEXT;
    case FIELD_MONEY:
    case FIELD_COUNT:
    case FIELD_SECONDS:
        return STORED_INT64;
    case FIELD_BOOL:
        return STORED_BOOL;
    default:
        return STORED_INT;
    }
}

_Static_assert(sizeof(enum event_category) == sizeof(int), "words are stored as ints");

void field_store(const struct field *field, void *base, struct value value)
{
    char *at = (char *)base + field->at;
    const int small = (int)value.number;
    const bool truth = value.number != 0, yes = true;
    switch (storage_of(field->kind)) {
    case STORED_TEXT:
        memcpy(at, &value.text, sizeof value.text);
        break;
    case STORED_INT64:
        memcpy(at, &value.number, sizeof value.number);
        break;
    case STORED_INT:
        memcpy(at, &small, sizeof small);
        break;
    case STORED_BOOL:
        memcpy(at, &truth, sizeof truth);
        break;
    }
    if (field->flag != FIELD_NO_FLAG) {
        memcpy((char *)base + field->flag, &yes, sizeof yes);
    }
}

bool field_load(const struct field *field, const void *base, struct value *out)
{
    const char *at = (const char *)base + field->at;
    int small;
    bool truth, present = true;
    *out = (struct value){{NULL, 0}, 0};
    if (field->flag != FIELD_NO_FLAG) {
        memcpy(&present, (const char *)base + field->flag, sizeof present);
    }
    switch (storage_of(field->kind)) {
    case STORED_TEXT:
        memcpy(&out->text, at, sizeof out->text);
        return out->text.at != NULL;
    case STORED_INT64:
        memcpy(&out->number, at, sizeof out->number);
        break;
    case STORED_INT:
        memcpy(&small, at, sizeof small);
        out->number = small;
        break;
    case STORED_BOOL:
        memcpy(&truth, at, sizeof truth);
        out->number = truth;
        break;
    }
    return present;
}

enum event_type field_type(struct text name)
{
    enum event_type type = 0;
    while (type < EVENT_TYPES && !text_is(name, event_type_name(type))) {
        type++;
    }
    return type;
}

#define XXH_INLINE_ALL /* values and ids are short: a call would cost more than the hash */
#include "common/event.h"

const char *const event_kind_words[] = {"lead", "quote", "demo", "visit", "call", "other", NULL};
const char *const event_refund_reason_words[] = {"return", "cancelled", "chargeback", "price",
                                                 "warranty", "other", NULL};
const char *const event_phase_words[] = {"before", "during", "after", NULL};
const char *const event_category_words[] = {"question", "problem", "guidance", "prevention",
                                            "upsell", "bond", "warranty", "complaint", "other",
                                            NULL};
const char *const event_by_words[] = {"customer", "company", NULL};
const char *const event_scale_words[] = {"csat", "nps", "ces", NULL};
const char *const event_outcome_words[] = {"replaced", "repaired", "refunded", "rejected", NULL};

const int event_scale_min[SCALES] = {1, 0, 1};
const int event_scale_max[SCALES] = {5, 10, 7};

static const struct {
    const char *name, *ref;
    enum side side;
} types[EVENT_TYPES] = {
    [EVENT_SALE_INTERACTION] = {"sale.interaction", "interaction", SIDE_SALE},
    [EVENT_SALE_COMPLETED] = {"sale.completed", "order", SIDE_SALE},
    [EVENT_SALE_REFUNDED] = {"sale.refunded", "refund", SIDE_SALE},
    [EVENT_SALE_REFERRED] = {"sale.referred", "referral", SIDE_SALE},
    [EVENT_SERVICE_OPENED] = {"service.opened", "ticket", SIDE_SERVICE},
    [EVENT_SERVICE_RESOLVED] = {"service.resolved", "ticket", SIDE_SERVICE},
    [EVENT_SERVICE_REOPENED] = {"service.reopened", "ticket", SIDE_SERVICE},
    [EVENT_SERVICE_RATED] = {"service.rated", "rating", SIDE_SERVICE},
    [EVENT_SERVICE_CLAIMED] = {"service.claimed", "claim", SIDE_SERVICE},
    [EVENT_SERVICE_SETTLED] = {"service.settled", "claim", SIDE_SERVICE},
    [EVENT_SERVICE_REFERRED] = {"service.referred", "referral", SIDE_SERVICE},
};

static const char *const verdict_names[] = {"valid", "rejected", "ignored", "tombstone"};

static const char *const reject_names[REJECTS] = {
    "not_cloudevent", "format_unsupported", "too_large", "bad_json", "duplicate_key",
    "missing_field", "bad_field", "data_missing", "amount_range", "amount_mismatch",
    "currency_unknown", "time_future", "subject_mismatch", "version_unsupported", "wrong_topic",
};

enum side event_side(enum event_type type)
{
    return types[type].side;
}

const char *event_type_name(enum event_type type)
{
    return types[type].name;
}

const char *event_ref_name(enum event_type type)
{
    return types[type].ref;
}

const char *verdict_name(enum verdict verdict)
{
    return verdict_names[verdict];
}

const char *reject_name(enum reject reject)
{
    return reject_names[reject];
}

struct text event_key(const struct event *event)
{
    return event->customer.at ? event->customer : event->subject;
}

XXH128_hash_t event_hash(const struct event *event)
{
    /* source (256) and id (128) are bounded by decoding: both fit, and one call hashes them. */
    char joined[256 + 1 + 128];
    size_t source = event->source.len, id = event->id.len;
    memcpy(joined, event->source.at, source);
    joined[source] = 0;
    memcpy(joined + source + 1, event->id.at, id);
    return XXH3_128bits(joined, source + 1 + id);
}

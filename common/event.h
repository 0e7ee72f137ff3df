/* event.h - one sale or service event: what it may hold, and how bytes become one.
 *
 * docs/events.md is the contract in words, schemas/ the same as JSON Schema. Decoding is total:
 * whatever the bytes are, the answer is a verdict, and a rejected record has one reason of a
 * closed list and says where. Pure: no I/O, no Kafka library. */
#ifndef TANDEM_EVENT_H
#define TANDEM_EVENT_H

#include "common/error.h"
#include "common/record.h"

#include <stdbool.h>
#include <stdint.h>
#include <xxhash.h>

#define EVENT_ITEMS_MAX 200
#define EVENT_LABELS_MAX 8
#define EVENT_BYTES_MAX 65536 /* key + headers + value */
#define EVENT_DEPTH_MAX 8

enum event_type {
    EVENT_SALE_INTERACTION,
    EVENT_SALE_COMPLETED,
    EVENT_SALE_REFUNDED,
    EVENT_SALE_REFERRED,
    EVENT_SERVICE_OPENED,
    EVENT_SERVICE_RESOLVED,
    EVENT_SERVICE_REOPENED,
    EVENT_SERVICE_RATED,
    EVENT_SERVICE_CLAIMED,
    EVENT_SERVICE_SETTLED,
    EVENT_SERVICE_REFERRED,
    EVENT_TYPES
};

enum event_kind { KIND_LEAD, KIND_QUOTE, KIND_DEMO, KIND_VISIT, KIND_CALL, KIND_OTHER, KINDS };
enum event_refund_reason {
    REFUND_RETURN, REFUND_CANCELLED, REFUND_CHARGEBACK, REFUND_PRICE, REFUND_WARRANTY,
    REFUND_OTHER, REFUND_REASONS
};
enum event_phase { PHASE_BEFORE, PHASE_DURING, PHASE_AFTER, PHASES };
enum event_category {
    CATEGORY_QUESTION, CATEGORY_PROBLEM, CATEGORY_GUIDANCE, CATEGORY_PREVENTION, CATEGORY_UPSELL,
    CATEGORY_BOND, CATEGORY_WARRANTY, CATEGORY_COMPLAINT, CATEGORY_OTHER, CATEGORIES
};
enum event_by { BY_CUSTOMER, BY_COMPANY, BYS };
enum event_scale { SCALE_CSAT, SCALE_NPS, SCALE_CES, SCALES };
enum event_outcome { OUTCOME_REPLACED, OUTCOME_REPAIRED, OUTCOME_REFUNDED, OUTCOME_REJECTED, OUTCOMES };

/* The words of each vocabulary, in the order of the enums; each list ends with NULL. */
extern const char *const event_kind_words[];
extern const char *const event_refund_reason_words[];
extern const char *const event_phase_words[];
extern const char *const event_category_words[];
extern const char *const event_by_words[];
extern const char *const event_scale_words[];
extern const char *const event_outcome_words[];

/* Smallest and largest score of each scale: csat 1-5, nps 0-10, ces 1-7. */
extern const int event_scale_min[SCALES], event_scale_max[SCALES];

struct event_item {
    struct text sku, line;     /* line.at NULL: none */
    int64_t qty, net, cost;    /* minor units */
    bool has_cost;
};

struct event_sale {            /* EVENT_SALE_COMPLETED */
    int currency;              /* common/currency.h */
    int64_t net, discount, cost, units, warranty_units;
    bool has_discount, has_cost, has_units, has_warranty_units; /* has_cost: given, or all items have it */
    struct text assist_ticket; /* at NULL: none */
    const struct event_item *items;
    size_t item_count;
};

struct event_refund {          /* EVENT_SALE_REFUNDED */
    struct text order, assist_ticket, line;
    int currency;
    int64_t net, cost, units;
    bool has_cost, has_units, full, has_full; /* has_cost: given, or 0 by its reason */
    enum event_refund_reason reason;
};

struct event_interaction { enum event_kind kind; bool prospect, has_prospect; };
struct event_referral { struct text referrer; };
struct event_opened { enum event_phase phase; enum event_category category; enum event_by by; };
struct event_resolved {
    int64_t contacts, resolution_s, first_response_s;
    bool has_contacts, has_resolution, has_first_response;
};
struct event_reopened { bool was_first_contact, has_was_first_contact; };
struct event_rated {
    struct text ticket;
    enum event_scale scale;
    int score, previous;
    bool has_previous;
};
struct event_claimed {
    struct text product, ticket;
    int32_t purchased;         /* day, common/calendar.h */
    int warranty_months;
};
struct event_settled { enum event_outcome outcome; bool in_warranty; int64_t turnaround_s; bool has_turnaround; };

struct event_label { struct text name, value; };

/* An event's texts point into the record it came from or into the decoder: they are valid until the
 * decoder's next record, and no longer than the record. */
struct event {
    enum event_type type;
    int64_t time_ms;           /* epoch milliseconds, cut */
    struct text id, source, subject;
    struct text partitionkey;  /* the attribute; at NULL: absent */
    struct text customer, region, rep, channel;  /* at NULL: absent */
    struct event_label labels[EVENT_LABELS_MAX];
    size_t label_count;
    struct text ref;           /* the id field of data (order, ticket, ...), equal to subject */
    union {
        struct event_interaction interaction;
        struct event_sale sale;
        struct event_refund refund;
        struct event_referral referral;
        struct event_opened opened;
        struct event_resolved resolved;
        struct event_reopened reopened;
        struct event_rated rated;
        struct event_claimed claimed;
        struct event_settled settled;
    };
};

enum side event_side(enum event_type type);
const char *event_type_name(enum event_type type);   /* "sale.completed" */
/* The member of `data` that is the event's object id: "order", "ticket", ... */
const char *event_ref_name(enum event_type type);
/* What the Kafka key must be: the customer, else the subject. */
struct text event_key(const struct event *event);
/* XXH3-128 over source, one 0 byte, id: the identity that makes a duplicate. */
XXH128_hash_t event_hash(const struct event *event);

enum verdict { VERDICT_VALID, VERDICT_REJECTED, VERDICT_IGNORED, VERDICT_TOMBSTONE };

enum reject {
    REJECT_NOT_CLOUDEVENT, REJECT_FORMAT_UNSUPPORTED, REJECT_TOO_LARGE, REJECT_BAD_JSON,
    REJECT_DUPLICATE_KEY, REJECT_MISSING_FIELD, REJECT_BAD_FIELD, REJECT_DATA_MISSING,
    REJECT_AMOUNT_RANGE, REJECT_AMOUNT_MISMATCH, REJECT_CURRENCY_UNKNOWN, REJECT_TIME_FUTURE,
    REJECT_SUBJECT_MISMATCH, REJECT_VERSION_UNSUPPORTED, REJECT_WRONG_TOPIC, REJECTS
};

const char *verdict_name(enum verdict verdict);      /* "valid", ... */
const char *reject_name(enum reject reject);         /* "not_cloudevent", ... */

/* Why a record was rejected: `field` is the attribute or the path in data ("data.items[2].net"),
 * empty where the whole record is meant; `detail` one sentence fragment for people. */
struct rejection {
    enum reject reason;
    char field[96];
    char detail[160];
};

struct decoder;

/* A decoder for types that begin with `type_prefix` ("tandem."). Keeps the memory it needs from
 * record to record; use it from one thread. 0, caller owns *out until decoder_free(). */
int decoder_open(struct decoder **out, const char *type_prefix, struct error *err);
void decoder_free(struct decoder *decoder);

/* Decides one record of the topic of `side` (SIDES: any topic will do). Fills *event on
 * VERDICT_VALID, *why on VERDICT_REJECTED. Never fails: no memory is a bad_json that says so,
 * and cannot happen (the decoder's pool holds any record of EVENT_BYTES_MAX). */
enum verdict decoder_decode(struct decoder *decoder, const struct record *record, enum side side,
                            struct event *event, struct rejection *why);

/* From now on, and until it is called with NULL: the identity of each event will be looked for in
 * `seen`, which is told of it as soon as it is known, half a decoding ahead. */
struct seen;
void decoder_expect(struct decoder *decoder, const struct seen *seen);
/* event_hash() of the valid event decoded last, while a window expects them. */
XXH128_hash_t decoder_identity(const struct decoder *decoder);

/* The event as a structured CloudEvent, one line of JSON without a line end, into `out`. Returns
 * its length; 0 when it does not fit into `room`. What decoded from near EVENT_BYTES_MAX may need
 * more than that: escapes and what was left out are written in full.
 * The inverse of decoding: what it writes decodes to an equal event. */
size_t event_encode(const struct event *event, const char *type_prefix, char *out, size_t room);

#endif

#include "producers/simulate/spoilt.h"

#include "common/calendar.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct spoilt {
    const char *prefix, *source;
    uint32_t tag;
    char ref[48];
    char value[EVENT_BYTES_MAX + 4096];
};

/* An event in words, so that each kind can spoil one of them. */
struct words {
    const char *prefix, *name, *version, *time, *subject;
    const char *data; /* NULL: no such member */
};

struct spoilt *spoilt_open(const char *type_prefix, const char *source, uint32_t tag)
{
    struct spoilt *spoilt = calloc(1, sizeof *spoilt);
    if (spoilt) {
        spoilt->prefix = type_prefix;
        spoilt->source = source;
        spoilt->tag = tag;
    }
    return spoilt;
}

void spoilt_free(struct spoilt *spoilt)
{
    free(spoilt);
}

static struct text write_event(struct spoilt *spoilt, const struct words *w)
{
    int len =
        snprintf(spoilt->value, sizeof spoilt->value,
                 "{\"specversion\":\"1.0\",\"id\":\"bad:%s\",\"source\":\"%s\","
                 "\"type\":\"%s%s.%s\",\"time\":\"%s\",\"subject\":\"%s\","
                 "\"partitionkey\":\"%s\"%s%s}",
                 spoilt->ref, spoilt->source, w->prefix, w->name, w->version, w->time, w->subject,
                 spoilt->ref, w->data ? ",\"data\":" : "", w->data ? w->data : "");
    return (struct text){spoilt->value, (size_t)len};
}

/* {"<member>":"<ref>",<rest>} */
static const char *data_of(const struct spoilt *spoilt, char out[512], const char *member,
                           const char *rest)
{
    snprintf(out, 512, "{\"%s\":\"%s\",%s}", member, spoilt->ref, rest);
    return out;
}

/* What stands in an order's data beside its number, in two variants. */
static const char *const spoilt_orders[SPOILT_KINDS][2] = {
    [REJECT_DUPLICATE_KEY] = {"\"currency\":\"EUR\",\"net\":1,\"net\":1",
                              "\"currency\":\"EUR\",\"net\":1,\"n\\u0065t\":1"},
    [REJECT_MISSING_FIELD] = {"\"net\":1990", "\"currency\":\"EUR\""},
    [REJECT_BAD_FIELD] = {"\"currency\":\"EUR\",\"net\":\"19.90\"",
                          "\"currency\":\"EUR\",\"net\":19.90"},
    [REJECT_AMOUNT_RANGE] = {"\"currency\":\"EUR\",\"net\":-5",
                             "\"currency\":\"EUR\",\"net\":10000000000000"},
    [REJECT_AMOUNT_MISMATCH] = {"\"currency\":\"EUR\",\"net\":3000,\"items\":["
                                "{\"sku\":\"case\",\"qty\":1,\"net\":1990},"
                                "{\"sku\":\"cable\",\"qty\":1,\"net\":990}]",
                                "\"currency\":\"EUR\",\"net\":990,\"cost\":200,\"items\":["
                                "{\"sku\":\"cable\",\"qty\":1,\"net\":990,\"cost\":180}]"},
    [REJECT_CURRENCY_UNKNOWN] = {"\"currency\":\"XXX\",\"net\":1990",
                                 "\"currency\":\"BTC\",\"net\":1990"},
};
/* Everything that is wrong inside a structured event. */
static struct text spoil_event(struct spoilt *spoilt, uint64_t kind, bool other, const char *time,
                               enum side *side)
{
    char data[512];
    const char *order = spoilt_orders[kind][other];
    struct words w = {spoilt->prefix, "sale.completed", "v1", time, spoilt->ref, NULL};
    w.data = data_of(spoilt, data, "order", order ? order : "\"currency\":\"EUR\",\"net\":1990");
    *side = SIDE_SALE;
    if (other && !order) {
        w.name = "service.opened";
        w.data = data_of(spoilt, data, "ticket", "\"phase\":\"after\",\"category\":\"question\"");
        *side = SIDE_SERVICE;
    }
    switch (kind) {
    case REJECT_DATA_MISSING:
        w.data = other ? "null" : NULL;
        break;
    case REJECT_TIME_FUTURE:
        w.time = "2099-12-31T23:59:59Z";
        break;
    case REJECT_SUBJECT_MISMATCH:
        w.subject = "another";
        break;
    case REJECT_VERSION_UNSUPPORTED:
        w.version = other ? "v99" : "v2";
        break;
    case REJECT_WRONG_TOPIC:
        *side = other ? SIDE_SALE : SIDE_SERVICE;
        break;
    case SPOILT_UNKNOWN_TYPE:
        w.name = other ? "service.forgotten" : "sale.dreamt";
        break;
    case SPOILT_FOREIGN_TYPE:
        w.prefix = "com.example.elsewhere.";
        break;
    default:
        break;
    }
    return write_event(spoilt, &w);
}

/* What is wrong with the bytes of a whole record. */
static void spoil_bytes(struct spoilt *spoilt, uint64_t kind, bool other, struct parcel *parcel)
{
    switch (kind) {
    case REJECT_NOT_CLOUDEVENT:
        parcel->header_count = 0;
        parcel->value = text_of(other ? "order 17, 19.90 euro" : "{\"order\":17,\"net\":1990}");
        break;
    case REJECT_FORMAT_UNSUPPORTED:
        parcel->headers[0].value =
            text_of(other ? "application/cloudevents-batch+json" : "application/cloudevents+avro");
        break;
    case REJECT_TOO_LARGE:
        memset(spoilt->value + parcel->value.len, ' ', sizeof spoilt->value - parcel->value.len);
        parcel->value.len = EVENT_BYTES_MAX + 1;
        break;
    case REJECT_BAD_JSON:
        if (other) {
            spoilt->value[parcel->value.len / 2] = '\xff';
        } else {
            parcel->value.len /= 2;
        }
        break;
    case SPOILT_TOMBSTONE:
        parcel->value = (struct text){0};
        break;
    default:
        break;
    }
}

void spoilt_make(struct spoilt *spoilt, uint64_t number, int64_t time_ms, struct parcel *parcel)
{
    char time[32];
    uint64_t kind = number % SPOILT_KINDS;
    bool other = number / SPOILT_KINDS % 2;
    int len = snprintf(spoilt->ref, sizeof spoilt->ref, "b-%06" PRIx32 "-%" PRIu64, spoilt->tag,
                       number + 1);
    *parcel =
        (struct parcel){.kind = PARCEL_BAD,
                        .key = {spoilt->ref, (size_t)len},
                        .header_count = 1,
                        .headers = {{text_of("content-type"),
                                     text_of("application/cloudevents+json; charset=UTF-8")}}};
    parcel->value =
        spoil_event(spoilt, kind, other, calendar_format_time(time_ms, time), &parcel->side);
    spoil_bytes(spoilt, kind, other, parcel);
}

#include "producers/simulate/traffic.h"

#include "common/calendar.h"
#include "producers/simulate/spoilt.h"

#include <stdio.h>
#include <stdlib.h>

enum { KEPT_BYTES = 4096, TOPIC_TRAFFIC = 4 };

static const char structured_type[] = "application/cloudevents+json; charset=UTF-8";

/* A record that may come again, with all its bytes. */
struct kept {
    struct parcel parcel;
    char bytes[KEPT_BYTES];
};

struct traffic {
    struct shop *shop;
    struct traffic_options options;
    struct spoilt *spoilt;
    struct dice dice;
    struct kept *kept;                        /* a ring; NULL: nothing comes twice */
    uint64_t kept_count;                      /* ever kept */
    int again_share, bad_share, binary_share; /* hundredths carried from record to record */
    int64_t counts[PARCEL_KINDS];
    int64_t first_ms, last_ms;
    char time[32], type[160];
    char value[EVENT_BYTES_MAX];
};

int64_t traffic_events(const struct traffic_options *options)
{
    int64_t n = options->records;
    /* one more, for a repetition that the end cuts off */
    return n - n * options->duplicates_pct / 100 - n * options->bad_pct / 100 + 1;
}

int traffic_open(struct traffic **out, struct shop *shop, const struct shop_options *of,
                 const struct traffic_options *options, struct error *err)
{
    struct traffic *traffic = calloc(1, sizeof *traffic);
    if (!traffic) {
        return error_memory(err);
    }
    traffic->shop = shop;
    traffic->options = *options;
    traffic->dice = dice_of(of->seed, TOPIC_TRAFFIC, 0);
    traffic->first_ms = INT64_MAX;
    traffic->last_ms = INT64_MIN;
    traffic->spoilt = spoilt_open(options->type_prefix, of->source, shop_tag(shop));
    if (options->duplicates_pct) {
        traffic->kept = calloc(TRAFFIC_AGAIN_WITHIN, sizeof *traffic->kept);
    }
    if (!traffic->spoilt || (options->duplicates_pct && !traffic->kept)) {
        traffic_free(traffic);
        return error_memory(err);
    }
    *out = traffic;
    return 0;
}

void traffic_free(struct traffic *traffic)
{
    if (traffic) {
        spoilt_free(traffic->spoilt);
        free(traffic->kept);
        free(traffic);
    }
}

/* True for `pct` of a hundred calls, evenly; while it must not be, it stays due. */
static bool share_due(int *share, int pct)
{
    *share += pct;
    return *share >= 100;
}

static struct text keep_text(struct kept *kept, size_t *used, struct text text)
{
    if (!text.at) {
        return text;
    }
    memcpy(kept->bytes + *used, text.at, text.len);
    *used += text.len;
    return (struct text){kept->bytes + *used - text.len, text.len};
}

/* A record too large for its place in the ring never comes again. */
static void keep(struct traffic *traffic, const struct parcel *parcel)
{
    size_t used = 0, bytes = parcel->key.len + parcel->value.len;
    for (size_t i = 0; i < parcel->header_count; i++) {
        bytes += parcel->headers[i].value.len;
    }
    if (!traffic->kept || bytes > KEPT_BYTES) {
        return;
    }
    struct kept *kept = &traffic->kept[traffic->kept_count++ % TRAFFIC_AGAIN_WITHIN];
    kept->parcel = *parcel;
    kept->parcel.key = keep_text(kept, &used, parcel->key);
    kept->parcel.value = keep_text(kept, &used, parcel->value);
    for (size_t i = 0; i < parcel->header_count; i++) {
        kept->parcel.headers[i].value = keep_text(kept, &used, parcel->headers[i].value);
    }
}

static void add_header(struct parcel *parcel, const char *name, struct text value)
{
    parcel->headers[parcel->header_count++] = (struct record_header){text_of(name), value};
}

/* The same event in binary mode: attributes in headers, the value is `data`, which the structured
 * form writes last. A quote inside a text is escaped there, so what is found is the member. */
static void make_binary(struct traffic *traffic, const struct event *event, struct parcel *parcel)
{
    static const char mark[] = ",\"data\":{";
    const char *found = memmem(parcel->value.at, parcel->value.len, mark, sizeof mark - 1);
    if (!found) {
        return;
    }
    const char *end = parcel->value.at + parcel->value.len;
    const char *data = found + sizeof mark - 2;
    parcel->value = (struct text){data, (size_t)(end - data) - 1};
    snprintf(traffic->type, sizeof traffic->type, "%s%s.v1", traffic->options.type_prefix,
             event_type_name(event->type));
    parcel->header_count = 0;
    add_header(parcel, "content-type", text_of("application/json"));
    add_header(parcel, "ce_specversion", text_of("1.0"));
    add_header(parcel, "ce_id", event->id);
    add_header(parcel, "ce_source", event->source);
    add_header(parcel, "ce_type", text_of(traffic->type));
    add_header(parcel, "ce_time", text_of(calendar_format_time(event->time_ms, traffic->time)));
    add_header(parcel, "ce_subject", event->subject);
    add_header(parcel, "ce_partitionkey", event->partitionkey);
}

static int next_event(struct traffic *traffic, int64_t live_ms, struct parcel *parcel,
                      struct error *err)
{
    const struct event *event = NULL;
    int found = shop_next(traffic->shop, live_ms, &event, err);
    if (found <= 0) {
        return found;
    }
    *parcel = (struct parcel){.side = event_side(event->type), .key = event_key(event)};
    parcel->value.at = traffic->value;
    parcel->value.len =
        event_encode(event, traffic->options.type_prefix, traffic->value, sizeof traffic->value);
    add_header(parcel, "content-type", text_of(structured_type));
    if (share_due(&traffic->binary_share, traffic->options.binary_pct)) {
        traffic->binary_share -= 100;
        make_binary(traffic, event, parcel);
    }
    if (traffic->counts[PARCEL_GOOD] == 0) {
        traffic->first_ms = event->time_ms;
    }
    traffic->last_ms = event->time_ms;
    keep(traffic, parcel);
    return 1;
}

static void send_again(struct traffic *traffic, struct parcel *parcel)
{
    uint64_t room =
        traffic->kept_count < TRAFFIC_AGAIN_WITHIN ? traffic->kept_count : TRAFFIC_AGAIN_WITHIN;
    *parcel = traffic->kept[dice_below(&traffic->dice, (uint32_t)room)].parcel;
    parcel->kind = PARCEL_AGAIN;
}

int traffic_next(struct traffic *traffic, int64_t live_ms, struct parcel *parcel, struct error *err)
{
    const struct traffic_options *options = &traffic->options;
    const int64_t *counts = traffic->counts;
    int64_t all = counts[PARCEL_GOOD] + counts[PARCEL_AGAIN] + counts[PARCEL_BAD];
    if (options->records && all == options->records) {
        return 0;
    }
    bool bad = share_due(&traffic->bad_share, options->bad_pct);
    bool again = share_due(&traffic->again_share, options->duplicates_pct);
    int found = 1;
    if (bad && all > 0) {
        traffic->bad_share -= 100;
        spoilt_make(traffic->spoilt, (uint64_t)counts[PARCEL_BAD], traffic->last_ms, parcel);
    } else if (again && traffic->kept_count > 0) {
        traffic->again_share -= 100;
        send_again(traffic, parcel);
    } else {
        found = next_event(traffic, live_ms, parcel, err);
    }
    if (found == 1) {
        traffic->counts[parcel->kind]++;
    }
    return found;
}

int64_t traffic_count(const struct traffic *traffic, enum parcel_kind kind)
{
    return traffic->counts[kind];
}

void traffic_span(const struct traffic *traffic, int64_t *first_ms, int64_t *last_ms)
{
    *first_ms = traffic->first_ms;
    *last_ms = traffic->last_ms;
}

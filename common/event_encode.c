#include "common/calendar.h"
#include "common/currency.h"
#include "common/event.h"

#include <inttypes.h>
#include <stdio.h>

/* Where the line grows. Once something did not fit, `full` stays and nothing more is written. */
struct writer {
    char *out;
    size_t len, room;
    bool full, comma;
};

static void put(struct writer *w, const char *bytes, size_t len)
{
    if (w->full || len > w->room - w->len) {
        w->full = true;
        return;
    }
    memcpy(w->out + w->len, bytes, len);
    w->len += len;
}

static void put_string(struct writer *w, struct text text)
{
    put(w, "\"", 1);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        char escape[8];
        if (c == '"' || c == '\\')
            put(w, escape, (size_t)snprintf(escape, sizeof escape, "\\%c", c));
        else if (c < 0x20)
            put(w, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", c));
        else
            put(w, text.at + i, 1);
    }
    put(w, "\"", 1);
}

static void put_name(struct writer *w, const char *name)
{
    if (w->comma)
        put(w, ",", 1);
    put(w, "\"", 1);
    put(w, name, strlen(name));
    put(w, "\":", 2);
    w->comma = true;
}

static void put_text(struct writer *w, const char *name, struct text text)
{
    if (!text.at)
        return;
    put_name(w, name);
    put_string(w, text);
}

static void put_int(struct writer *w, const char *name, int64_t value, bool has)
{
    char digits[24];
    if (!has)
        return;
    put_name(w, name);
    put(w, digits, (size_t)snprintf(digits, sizeof digits, "%" PRId64, value));
}

static void put_bool(struct writer *w, const char *name, bool value, bool has)
{
    if (!has)
        return;
    put_name(w, name);
    put(w, value ? "true" : "false", value ? 4 : 5);
}

static void put_word(struct writer *w, const char *name, const char *word)
{
    put_text(w, name, text_of(word));
}

static void open_object(struct writer *w, const char *name)
{
    if (name)
        put_name(w, name);
    put(w, "{", 1);
    w->comma = false;
}

static void close_object(struct writer *w)
{
    put(w, "}", 1);
    w->comma = true;
}

static void put_items(struct writer *w, const struct event_sale *sale)
{
    if (sale->item_count == 0)
        return;
    put_name(w, "items");
    put(w, "[", 1);
    for (size_t i = 0; i < sale->item_count; i++) {
        const struct event_item *item = &sale->items[i];
        if (i)
            put(w, ",", 1);
        open_object(w, NULL);
        put_text(w, "sku", item->sku);
        put_text(w, "line", item->line);
        put_int(w, "qty", item->qty, true);
        put_int(w, "net", item->net, true);
        put_int(w, "cost", item->cost, item->has_cost);
        close_object(w);
    }
    put(w, "]", 1);
}

static void put_sale(struct writer *w, const struct event_sale *s)
{
    put_word(w, "currency", currency_code(s->currency));
    put_int(w, "net", s->net, true);
    put_int(w, "discount", s->discount, s->has_discount);
    put_int(w, "cost", s->cost, s->has_cost);
    put_int(w, "units", s->units, s->has_units);
    put_int(w, "warranty_units", s->warranty_units, s->has_warranty_units);
    put_text(w, "assist_ticket", s->assist_ticket);
    put_items(w, s);
}

static void put_refund(struct writer *w, const struct event_refund *f)
{
    put_text(w, "order", f->order);
    put_word(w, "currency", currency_code(f->currency));
    put_int(w, "net", f->net, true);
    put_int(w, "cost", f->cost, f->has_cost);
    put_int(w, "units", f->units, f->has_units);
    put_bool(w, "full", f->full, f->has_full);
    put_word(w, "reason", event_refund_reason_words[f->reason]);
    put_text(w, "assist_ticket", f->assist_ticket);
    put_text(w, "line", f->line);
}

static void put_resolved(struct writer *w, const struct event_resolved *s)
{
    put_int(w, "contacts", s->contacts, s->has_contacts);
    put_int(w, "resolution", s->resolution_s, s->has_resolution);
    put_int(w, "first_response", s->first_response_s, s->has_first_response);
}

static void put_rated(struct writer *w, const struct event_rated *o)
{
    put_text(w, "ticket", o->ticket);
    put_word(w, "scale", event_scale_words[o->scale]);
    put_int(w, "score", o->score, true);
    put_int(w, "previous", o->previous, o->has_previous);
}

static void put_claimed(struct writer *w, const struct event_claimed *o)
{
    char date[11];
    put_text(w, "product", o->product);
    put_word(w, "purchased", calendar_format_date(o->purchased, date));
    put_int(w, "warranty_months", o->warranty_months, true);
    put_text(w, "ticket", o->ticket);
}

static void put_own_fields(struct writer *w, const struct event *event)
{
    switch (event->type) {
    case EVENT_SALE_INTERACTION:
        put_word(w, "kind", event_kind_words[event->interaction.kind]);
        put_bool(w, "prospect", event->interaction.prospect, event->interaction.has_prospect);
        break;
    case EVENT_SALE_COMPLETED:
        put_sale(w, &event->sale);
        break;
    case EVENT_SALE_REFUNDED:
        put_refund(w, &event->refund);
        break;
    case EVENT_SALE_REFERRED:
    case EVENT_SERVICE_REFERRED:
        put_text(w, "referrer", event->referral.referrer);
        break;
    case EVENT_SERVICE_OPENED:
        put_word(w, "phase", event_phase_words[event->opened.phase]);
        put_word(w, "category", event_category_words[event->opened.category]);
        put_word(w, "by", event_by_words[event->opened.by]);
        break;
    case EVENT_SERVICE_RESOLVED:
        put_resolved(w, &event->resolved);
        break;
    case EVENT_SERVICE_REOPENED:
        put_bool(w, "was_first_contact", event->reopened.was_first_contact,
                 event->reopened.has_was_first_contact);
        break;
    case EVENT_SERVICE_RATED:
        put_rated(w, &event->rated);
        break;
    case EVENT_SERVICE_CLAIMED:
        put_claimed(w, &event->claimed);
        break;
    case EVENT_SERVICE_SETTLED:
        put_word(w, "outcome", event_outcome_words[event->settled.outcome]);
        put_bool(w, "in_warranty", event->settled.in_warranty, true);
        put_int(w, "turnaround", event->settled.turnaround_s, event->settled.has_turnaround);
        break;
    case EVENT_TYPES:
        break;
    }
}

static void put_data(struct writer *w, const struct event *event)
{
    open_object(w, "data");
    put_text(w, "customer", event->customer);
    put_text(w, "region", event->region);
    put_text(w, "rep", event->rep);
    put_text(w, "channel", event->channel);
    if (event->label_count) {
        open_object(w, "labels");
        for (size_t i = 0; i < event->label_count; i++) {
            char name[65];
            snprintf(name, sizeof name, "%.*s", TEXT_ARG(event->labels[i].name));
            put_text(w, name, event->labels[i].value);
        }
        close_object(w);
    }
    put_text(w, event_ref_name(event->type), event->ref);
    put_own_fields(w, event);
    close_object(w);
}

/* In UTC; but a time that lies in the years 2000-2099 only by its offset is written with the
 * largest one, or it would not decode. */
static void put_time(struct writer *w, int64_t time_ms)
{
    char time[48];
    int64_t shift_ms = 0;
    if (time_ms < (int64_t)CALENDAR_DAY_MIN * 86400000)
        shift_ms = 86340000;
    if (time_ms >= (int64_t)(CALENDAR_DAY_MAX + 1) * 86400000)
        shift_ms = -86340000;
    calendar_format_time(time_ms + shift_ms, time);
    if (shift_ms)
        memcpy(strchr(time, 'Z'), shift_ms > 0 ? "+23:59" : "-23:59", sizeof "+23:59");
    put_word(w, "time", time);
}

size_t event_encode(const struct event *event, const char *type_prefix, char *out, size_t room)
{
    struct writer w = {.out = out, .room = room};
    char type[160];
    snprintf(type, sizeof type, "%s%s.v1", type_prefix, event_type_name(event->type));
    open_object(&w, NULL);
    put_word(&w, "specversion", "1.0");
    put_text(&w, "id", event->id);
    put_text(&w, "source", event->source);
    put_word(&w, "type", type);
    put_time(&w, event->time_ms);
    put_text(&w, "subject", event->subject);
    put_text(&w, "partitionkey", event->partitionkey);
    put_word(&w, "datacontenttype", "application/json");
    put_data(&w, event);
    close_object(&w);
    return w.full ? 0 : w.len;
}

/* Events of customers: few of them, in both topics, at the edges of the windows that the rules
 * have, in any order. */
#include "common/calendar.h"
#include "world.h"

#include <stdio.h>

const char *const log_customers[LOG_CUSTOMERS] = {"c-1", "c-2", "c-3"};

static const enum event_type sales[] = {
    EVENT_SALE_COMPLETED,   EVENT_SALE_COMPLETED,   EVENT_SALE_COMPLETED, EVENT_SALE_COMPLETED,
    EVENT_SALE_INTERACTION, EVENT_SALE_INTERACTION, EVENT_SALE_REFERRED,  EVENT_SALE_REFUNDED,
};
static const enum event_type services[] = {
    EVENT_SERVICE_OPENED, EVENT_SERVICE_OPENED, EVENT_SERVICE_OPENED,   EVENT_SERVICE_RATED,
    EVENT_SERVICE_RATED,  EVENT_SERVICE_RATED,  EVENT_SERVICE_REFERRED, EVENT_SERVICE_RESOLVED,
};
/* Days before the world's: 30 and 90 lie between many of them, and there are five months. */
static const int days[] = {0, 1, 2, 15, 29, 30, 31, 32, 60, 61, 62, 89, 90, 91, 92, 120, 150};

/* Numbers of the event's own, so that its copy is the same. */
static unsigned draw(unsigned *mix, unsigned n)
{
    *mix = *mix * 1664525u + 1013904223u;
    return (*mix >> 16) % n;
}

void log_give_customer(struct entry *e, int topic, int partition)
{
    unsigned mix = (unsigned)(e->id * 7919 + partition * 104729 + topic * 1299709 + 1);
    draw(&mix, 2);
    e->kind = ENTRY_FIRST;
    e->type = topic == 0 ? sales[draw(&mix, 8)] : services[draw(&mix, 8)];
    e->customer = (int)draw(&mix, 16);
    e->customer = e->customer == 15 ? -1 : e->customer % LOG_CUSTOMERS;
    if (e->customer < 0 && (e->type == EVENT_SALE_REFERRED || e->type == EVENT_SERVICE_REFERRED))
        e->customer = 0;
    e->region = (int)draw(&mix, REGIONS + 2) - 2;
    e->region = e->region < 0 ? -1 : e->region;
    e->day = days[draw(&mix, sizeof days / sizeof *days)];
    e->time_s = WORLD_EPOCH_MS / 1000 - (int64_t)e->day * 86400 - 3600 + (int)draw(&mix, 3) - 1;
    e->ref = (int)draw(&mix, 4);
    e->scale = (enum event_scale)(draw(&mix, 8) % SCALES);
    e->amount = event_scale_min[e->scale] +
                (int)draw(&mix, (unsigned)(event_scale_max[e->scale] -
                                           event_scale_min[e->scale] + 1));
}

static void write_data(const struct entry *e, char *out, size_t room)
{
    switch (e->type) {
    case EVENT_SALE_COMPLETED:
        snprintf(out, room, "\"order\":\"o%d\",\"currency\":\"EUR\",\"net\":100", e->id);
        break;
    case EVENT_SALE_INTERACTION:
        snprintf(out, room, "\"interaction\":\"o%d\",\"kind\":\"lead\"", e->id);
        break;
    case EVENT_SALE_REFUNDED:
        snprintf(out, room,
                 "\"refund\":\"o%d\",\"order\":\"x\",\"currency\":\"EUR\",\"net\":1,"
                 "\"reason\":\"return\"",
                 e->id);
        break;
    case EVENT_SERVICE_OPENED:
        snprintf(out, room, "\"ticket\":\"o%d\",\"phase\":\"after\",\"category\":\"question\"",
                 e->id);
        break;
    case EVENT_SERVICE_RATED:
        snprintf(out, room, "\"rating\":\"r%d\",\"scale\":\"%s\",\"score\":%d", e->ref,
                 event_scale_words[e->scale], e->amount);
        break;
    case EVENT_SERVICE_RESOLVED:
        snprintf(out, room, "\"ticket\":\"o%d\"", e->id);
        break;
    default:
        snprintf(out, room, "\"referral\":\"o%d\"", e->id);
    }
}

void log_write_customer(struct entry *e, int partition)
{
    char time[32], data[160], customer[40] = "", region[40] = "", subject[16];
    bool rated = e->type == EVENT_SERVICE_RATED;
    calendar_format_time(e->time_s * 1000, time);
    write_data(e, data, sizeof data);
    snprintf(subject, sizeof subject, "%c%d", rated ? 'r' : 'o', rated ? e->ref : e->id);
    if (e->customer >= 0)
        snprintf(customer, sizeof customer, "\"customer\":\"%s\",", log_customers[e->customer]);
    if (e->region >= 0)
        snprintf(region, sizeof region, "\"region\":\"%s\",", log_regions[e->region]);
    snprintf(e->key, sizeof e->key, "%s", e->customer >= 0 ? log_customers[e->customer] : subject);
    snprintf(
        e->value, sizeof e->value,
        "{\"specversion\":\"1.0\",\"source\":\"/sim\",\"id\":\"%d-%d\",\"type\":\"tandem.%s.v1\","
        "\"time\":\"%s\",\"subject\":\"%s\",\"data\":{%s%s%s}}",
        partition, e->id, event_type_name(e->type), time, subject, customer, region, data);
}

/* What is written to the log: events of known meaning, copies of them, transactions, rubbish. */
#include "common/calendar.h"
#include "world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const log_regions[REGIONS] = {"north", "south", "east", "west", "__odd"};

static void write_event(struct entry *e, int partition, const char *type, const char *data)
{
    char time[32], region[40] = "";
    int64_t ms = WORLD_EPOCH_MS - (int64_t)e->day * 86400000 - 3600000;
    calendar_format_time(ms, time);
    if (e->region >= 0)
        snprintf(region, sizeof region, "\"region\":\"%s\",", log_regions[e->region]);
    snprintf(
        e->value, sizeof e->value,
        "{\"specversion\":\"1.0\",\"source\":\"/sim\",\"id\":\"%d-%d\",\"type\":\"tandem.%s.v1\","
        "\"time\":\"%s\",\"subject\":\"o%d\",\"data\":{%s%s}}",
        partition, e->id, type, time, e->id, region, data);
}

static void write_sale(struct entry *e, int partition)
{
    char data[160];
    const char *currency = e->dollars ? "USD" : "EUR";
    if (e->kind == ENTRY_FIRST) {
        snprintf(data, sizeof data, "\"order\":\"o%d\",\"currency\":\"%s\",\"net\":%d", e->id,
                 currency, e->amount);
        write_event(e, partition, "sale.completed", data);
    } else if (e->kind == ENTRY_SECOND) {
        snprintf(data, sizeof data, "\"interaction\":\"o%d\",\"kind\":\"lead\"", e->id);
        write_event(e, partition, "sale.interaction", data);
    } else {
        snprintf(data, sizeof data,
                 "\"refund\":\"o%d\",\"order\":\"x\",\"currency\":\"%s\",\"net\":%d,"
                 "\"reason\":\"return\"",
                 e->id, currency, e->amount);
        write_event(e, partition, "sale.refunded", data);
    }
}

static void write_service(struct entry *e, int partition)
{
    char data[160], previous[24] = "";
    if (e->kind == ENTRY_FIRST) {
        snprintf(data, sizeof data,
                 "\"ticket\":\"o%d\",\"phase\":\"after\",\"category\":\"question\"", e->id);
        write_event(e, partition, "service.opened", data);
    } else if (e->kind == ENTRY_SECOND) {
        if (e->previous)
            snprintf(previous, sizeof previous, ",\"previous\":%d", e->previous);
        snprintf(data, sizeof data, "\"rating\":\"o%d\",\"scale\":\"csat\",\"score\":%d%s", e->id,
                 e->amount, previous);
        write_event(e, partition, "service.rated", data);
    } else {
        snprintf(data, sizeof data, "\"ticket\":\"o%d\",\"contacts\":1", e->id);
        write_event(e, partition, "service.resolved", data);
    }
}

static void write_value(struct entry *e, int topic, int partition)
{
    enum side side = world.kind->sides[topic];
    snprintf(e->key, sizeof e->key, "o%d", e->id);
    switch (e->kind) {
    case ENTRY_FIRST:
    case ENTRY_SECOND:
    case ENTRY_THIRD:
        (world.topic_count > 1 ? log_write_customer
         : side == SIDE_SALE   ? write_sale
                               : write_service)(e, partition);
        break;
    case ENTRY_BAD: /* whole but for its data: its id is no reason to call another a duplicate */
        write_event(e, partition,
                    side == SIDE_SALE ? "sale.completed" : "service.opened", "\"x\":1");
        break;
    case ENTRY_IGNORED:
        snprintf(
            e->value, sizeof e->value,
            "{\"specversion\":\"1.0\",\"source\":\"/sim\",\"id\":\"%d-%d\",\"type\":\"other.v1\"}",
            partition, e->id);
        break;
    case ENTRY_TOMBSTONE:
        break;
    }
}

/* An event and its copy have the same content: what an id means is fixed by the id. */
static void give_meaning(struct entry *e, int partition)
{
    unsigned mix = (unsigned)(e->id * 7919 + partition * 104729);
    bool rated = world.kind->sides[0] == SIDE_SERVICE;
    e->kind = mix % 5 == 0 ? ENTRY_SECOND : mix % 5 == 1 ? ENTRY_THIRD : ENTRY_FIRST;
    e->amount = (int)(rated ? 1 + mix % 5 : 1 + mix % 1000);
    e->previous = rated && mix % 3 == 0 ? 1 + (int)(mix / 11 % 5) : 0;
    e->dollars = mix % 9 == 0;
    e->region = (int)(mix % 6) - 1;
    e->day = (int)(mix / 7 % 4);
}

static struct entry *room(struct partition *p)
{
    if (p->count == LOG_MAX)
        return NULL;
    memset(&p->entries[p->count], 0, sizeof p->entries[0]);
    return &p->entries[p->count++];
}

bool log_counts(const struct entry *e)
{
    return e->state == ENTRY_COMMITTED && e->kind <= ENTRY_THIRD;
}

/* The offset of the last earlier event of this id within the window; -1: none. Open transactions
 * may still become part of it. */
static int last_of(const struct partition *log, int at, int id)
{
    for (int i = at - 1; i >= 0 && i >= at - world.window; i--)
        if (log->entries[i].id == id && log->entries[i].kind <= ENTRY_THIRD &&
            log->entries[i].state <= ENTRY_PENDING)
            return i;
    return -1;
}

static void append(int topic, int partition, enum entry_state state)
{
    struct partition *log = &world.logs[topic][partition];
    struct entry *e = room(log);
    if (!e)
        return;
    e->state = state;
    /* Near the window's edge a copy is or is not a duplicate: ids come from a range as wide. */
    e->id = chance(600) ? dice(world.window * 2 + 2) : 100000 + world.next_id++;
    /* Whether the copy of a record that retention removed is known is nobody's promise. */
    int last = last_of(log, log->count - 1, e->id);
    if (last >= 0 && last < log->start)
        e->id = 100000 + world.next_id++;
    if (world.topic_count > 1)
        log_give_customer(e, topic, partition);
    else
        give_meaning(e, partition);
    int odd = dice(100);
    if (odd < 4)
        e->kind = ENTRY_BAD;
    else if (odd < 6)
        e->kind = ENTRY_IGNORED;
    else if (odd < 8)
        e->kind = ENTRY_TOMBSTONE;
    /* Not before the event's own time: that would be a time in the future. */
    e->timestamp_ms = chance(50) ? -1 : WORLD_EPOCH_MS - dice(e->day + 1) * INT64_C(86400000);
    write_value(e, topic, partition);
}

void log_append(int topic, int partition)
{
    append(topic, partition, ENTRY_COMMITTED);
}

void log_append_transaction(int topic, int partition)
{
    for (int n = 1 + dice(4); n > 0; n--)
        append(topic, partition, ENTRY_PENDING);
}

static void resolve(struct partition *log)
{
    bool commit = chance(500), any = false;
    for (int i = log->settled; i < log->count; i++) {
        if (log->entries[i].state != ENTRY_PENDING)
            continue;
        log->entries[i].state = commit ? ENTRY_COMMITTED : ENTRY_ABORTED;
        any = true;
    }
    struct entry *marker = any ? room(log) : NULL;
    if (marker)
        marker->state = ENTRY_CONTROL;
}

void log_resolve(void)
{
    for (int t = 0; t < world.topic_count; t++)
        for (int p = 0; p < world.partition_count; p++)
            resolve(&world.logs[t][p]);
}

int64_t log_stable_end(int topic, int partition)
{
    struct partition *log = &world.logs[topic][partition];
    while (log->settled < log->count && log->entries[log->settled].state != ENTRY_PENDING)
        log->settled++;
    return log->settled;
}

bool log_is_duplicate(const struct partition *log, int offset, int64_t back)
{
    for (int i = offset - 1; i >= back && i >= offset - world.window; i--)
        if (log->entries[i].id == log->entries[offset].id && log_counts(&log->entries[i]))
            return true;
    return false;
}

bool log_is_whole(void)
{
    for (int t = 0; t < world.topic_count; t++)
        for (int p = 0; p < world.partition_count; p++)
            if (world.logs[t][p].start > 0)
                return false;
    return true;
}

void log_retain(int topic, int partition, int64_t start)
{
    struct partition *log = &world.logs[topic][partition];
    if (start <= log->start)
        return;
    /* Records from `start` on must find their earlier copies in what stays. */
    for (int i = (int)start; i < log->count; i++) {
        if (log->entries[i].kind > ENTRY_THIRD || log->entries[i].state > ENTRY_PENDING)
            continue;
        int last = last_of(log, i, log->entries[i].id);
        if (last >= 0 && last < start)
            start = last;
    }
    if (start > log->start)
        log->start = (int)start;
}

void log_make_anew(int topic)
{
    for (int p = 0; p < world.partition_count; p++) {
        struct partition *log = &world.logs[topic][p];
        memset(log->letters, 0, LOG_MAX * sizeof *log->letters);
        log->count = log->start = log->settled = 0;
    }
    snprintf(world.topic_ids[topic], sizeof world.topic_ids[topic], "topic-2");
    for (int n = dice(300); n > 0; n--)
        log_append(topic, dice(world.partition_count));
}

/* What is written to the log: events of known meaning, copies of them, transactions, rubbish. */
#include "common/calendar.h"
#include "world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const regions[] = {"north", "south", "east", "west", "__odd"};

static void write_value(struct entry *e, int partition)
{
    char time[32], region[40] = "";
    int64_t ms = WORLD_EPOCH_MS - (int64_t)e->day * 86400000 - 3600000;
    calendar_format_time(ms, time);
    if (e->region >= 0)
        snprintf(region, sizeof region, "\"region\":\"%s\",", regions[e->region]);
    const char *head = "\"specversion\":\"1.0\",\"source\":\"/sim\"";
    switch (e->kind) {
    case ENTRY_SALE:
        snprintf(e->value, sizeof e->value,
                 "{%s,\"id\":\"%d-%d\",\"type\":\"tandem.sale.completed.v1\",\"time\":\"%s\","
                 "\"subject\":\"o%d\",\"data\":{%s\"order\":\"o%d\",\"currency\":\"EUR\","
                 "\"net\":%" PRId64 "}}", head, partition, e->id, time, e->id, region, e->id,
                 e->net);
        break;
    case ENTRY_LEAD:
        snprintf(e->value, sizeof e->value,
                 "{%s,\"id\":\"%d-%d\",\"type\":\"tandem.sale.interaction.v1\",\"time\":\"%s\","
                 "\"subject\":\"o%d\",\"data\":{%s\"interaction\":\"o%d\",\"kind\":\"lead\"}}",
                 head, partition, e->id, time, e->id, region, e->id);
        break;
    case ENTRY_BAD:
        snprintf(e->value, sizeof e->value, "{%s,\"id\":\"%d-%d\"}", head, partition, e->id);
        break;
    case ENTRY_IGNORED:
        snprintf(e->value, sizeof e->value, "{%s,\"id\":\"x\",\"type\":\"other.v1\"}", head);
        break;
    case ENTRY_TOMBSTONE:
        break;
    }
    snprintf(e->key, sizeof e->key, "o%d", e->id);
}

/* A sale and its copy have the same content: what an id means is fixed by the id. */
static void give_meaning(struct entry *e, int partition)
{
    unsigned mix = (unsigned)(e->id * 7919 + partition * 104729);
    e->kind = mix % 5 == 0 ? ENTRY_LEAD : ENTRY_SALE;
    e->net = 1 + mix % 1000;
    e->region = (int)(mix % 6) - 1;
    e->day = (int)(mix / 7 % 4);
}

static struct entry *room(int partition)
{
    struct partition *p = &world.partitions[partition];
    if (p->count == LOG_MAX)
        return NULL;
    memset(&p->entries[p->count], 0, sizeof p->entries[0]);
    return &p->entries[p->count++];
}

static void append(int partition, enum entry_state state)
{
    struct entry *e = room(partition);
    if (!e)
        return;
    e->state = state;
    /* Near the window's edge a copy is or is not a duplicate: ids come from a range as wide. */
    e->id = chance(600) ? dice(world.window * 2 + 2) : 100000 + world.next_id++;
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
    write_value(e, partition);
}

void log_append(int partition)
{
    append(partition, ENTRY_COMMITTED);
}

void log_append_transaction(int partition)
{
    for (int n = 1 + dice(4); n > 0; n--)
        append(partition, ENTRY_PENDING);
}

void log_resolve(void)
{
    for (int p = 0; p < world.partition_count; p++) {
        struct partition *log = &world.partitions[p];
        bool commit = chance(500), any = false;
        for (int i = 0; i < log->count; i++) {
            if (log->entries[i].state != ENTRY_PENDING)
                continue;
            log->entries[i].state = commit ? ENTRY_COMMITTED : ENTRY_ABORTED;
            any = true;
        }
        struct entry *marker = any ? room(p) : NULL;
        if (marker)
            marker->state = ENTRY_CONTROL;
    }
}

int64_t log_stable_end(int partition)
{
    const struct partition *log = &world.partitions[partition];
    for (int i = 0; i < log->count; i++)
        if (log->entries[i].state == ENTRY_PENDING)
            return i;
    return log->count;
}

/* The plain recount: what the log means up to the positions, by the rules as people say them.
 *
 * Shares nothing with the fold, the window or the store: it knows what every entry means because
 * the world made it, and looks back over the log for duplicates one by one. */
#include "common/calendar.h"
#include "common/partitioner.h"
#include "world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const regions[] = {"north", "south", "east", "west", "__odd"};

struct expected {
    struct { char key[96], field[32]; int64_t value; uint64_t hash; } *list;
    size_t count, room;
};

static uint64_t hash_of(const char *a, const char *b)
{
    uint64_t h = 1469598103934665603u;
    for (; *a; a++)
        h = (h ^ (unsigned char)*a) * 1099511628211u;
    h = (h ^ 255) * 1099511628211u;
    for (; *b; b++)
        h = (h ^ (unsigned char)*b) * 1099511628211u;
    return h;
}

static void add(struct expected *e, const char *key, const char *field, int64_t value)
{
    uint64_t hash = hash_of(key, field);
    for (size_t i = 0; i < e->count; i++) {
        if (e->list[i].hash == hash) {
            e->list[i].value += value;
            return;
        }
    }
    if (e->count == e->room) {
        e->room = e->room ? e->room * 2 : 256;
        e->list = realloc(e->list, e->room * sizeof *e->list);
        if (!e->list)
            abort();
    }
    snprintf(e->list[e->count].key, sizeof e->list[0].key, "%s", key);
    snprintf(e->list[e->count].field, sizeof e->list[0].field, "%s", field);
    e->list[e->count].hash = hash;
    e->list[e->count++].value = value;
}

static bool counts(const struct entry *e)
{
    return e->state == ENTRY_COMMITTED && (e->kind == ENTRY_SALE || e->kind == ENTRY_LEAD);
}

static bool is_duplicate(const struct partition *log, int at, int64_t begin)
{
    for (int i = at - 1; i >= begin && i >= at - world.window; i--)
        if (counts(&log->entries[i]) && log->entries[i].id == log->entries[at].id)
            return true;
    return false;
}

static void add_event(struct expected *x, const char *key, const struct entry *e)
{
    if (e->kind == ENTRY_LEAD) {
        add(x, key, "interactions", 1);
        add(x, key, "interaction_lead", 1);
        return;
    }
    add(x, key, "orders", 1);
    add(x, key, "units", 1);
    add(x, key, "orders:EUR", 1);
    add(x, key, "net:EUR", e->net);
    add(x, key, "revenue:EUR", e->net);
}

/* Whichever values were admitted is not for the log to say: the set is taken as it is. */
static const char *counted_under(const struct memory *m, int region)
{
    const char *name = regions[region];
    return name[0] == '_' || !memory_has(m, "tandem:{main}:scope:region", name) ? "__other__"
                                                                                 : name;
}

static void add_counted(struct expected *x, const struct memory *m, const struct entry *e)
{
    char key[96], date[11];
    int64_t ms = WORLD_EPOCH_MS - (int64_t)e->day * 86400000 - 3600000;
    calendar_format_date((int32_t)(ms / 86400000), date);
    snprintf(key, sizeof key, "tandem:{main}:sale:day:%s:all", date);
    add_event(x, key, e);
    if (e->region >= 0) {
        snprintf(key, sizeof key, "tandem:{main}:sale:day:%s:region=%s", date,
                 counted_under(m, e->region));
        add_event(x, key, e);
    }
    snprintf(key, sizeof key, "tandem:{main}:sale:hour:%sT%02d:all", date,
             (int)(ms / 3600000 % 24));
    add_event(x, key, e);
}

static void add_record(struct expected *x, const struct entry *e, const char *field)
{
    char key[96] = "tandem:{main}:sale:undated", date[11];
    if (e->timestamp_ms >= 0) {
        calendar_format_date((int32_t)(e->timestamp_ms / 86400000), date);
        snprintf(key, sizeof key, "tandem:{main}:sale:day:%s:all", date);
    }
    add(x, key, field, 1);
}

static void recount_partition(struct expected *x, const struct memory *m, int p, int64_t begin,
                              int64_t end)
{
    const struct partition *log = &world.partitions[p];
    for (int i = (int)begin; i < end; i++) {
        const struct entry *e = &log->entries[i];
        if (e->state != ENTRY_COMMITTED)
            continue;
        if (e->kind == ENTRY_BAD) {
            add_record(x, e, "rejected_missing_field");
            if (!world.letters[p][i])
                world_fail("partition %d: position %lld passes record %d, whose dead letter is "
                           "not acknowledged", p, (long long)end, i);
        } else if (e->kind == ENTRY_IGNORED) {
            add_record(x, e, "ignored");
        } else if (e->kind == ENTRY_TOMBSTONE) {
            add_record(x, e, "tombstones");
        } else if (is_duplicate(log, i, begin)) {
            add_record(x, e, "duplicates");
        } else {
            add_counted(x, m, e);
            if (partition_of(text_of(e->key), world.partition_count) != p)
                add_record(x, e, "misplaced");
        }
    }
}

void recount_check(const struct memory *m, bool whole)
{
    struct expected x = {0};
    int64_t total = 0, held = 0;
    for (size_t i = 0; i < m->position_count; i++) {
        const struct store_position *at = &m->positions[i];
        int64_t end = log_stable_end(at->partition);
        if (at->at.offset > end)
            world_fail("partition %d: position %lld lies beyond the log's end %lld",
                       at->partition, (long long)at->at.offset, (long long)end);
        else
            recount_partition(&x, m, at->partition, at->begin, at->at.offset);
        if (whole && at->at.offset != end)
            world_fail("partition %d: position %lld, the log ends at %lld", at->partition,
                       (long long)at->at.offset, (long long)end);
    }
    for (size_t i = 0; i < x.count; i++) {
        int64_t found = memory_get(m, x.list[i].key, x.list[i].field);
        total += x.list[i].value;
        if (found != x.list[i].value)
            world_fail("%s %s: the store has %" PRId64 ", the log says %" PRId64, x.list[i].key,
                       x.list[i].field, found, x.list[i].value);
    }
    /* And nothing else: what the log does not say is not in the store either. */
    for (size_t i = 0; i < m->cell_count; i++)
        held += m->cells[i].value;
    if (held != total)
        world_fail("the store's cells sum up to %" PRId64 ", the log's to %" PRId64, held, total);
    free(x.list);
}

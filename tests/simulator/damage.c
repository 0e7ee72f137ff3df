/* What no worker may go on with: another log, a log that lost something, a store that lost
 * something. Each worker has to end and say why, and nothing may have been changed by then. Where
 * an operator accepted gaps, the damage is stepped over instead, noted, and all else is counted. */
#include "world.h"

#include <stdio.h>
#include <string.h>

enum { IMPOSSIBLE_MS = 30000, EXAM_MS = 10 * 60 * 1000, EXAM_TURNS = 100000 };

static void says(const char *format, long long number)
{
    for (int i = 0; i < 4; i++) {
        if (world.says[i][0])
            continue;
        snprintf(world.says[i], sizeof world.says[i], format, number);
        return;
    }
}

static bool waits_first(void)
{
    return world.damage == F_OVERRUN || world.damage == F_BEYOND;
}

bool damage_explains(const struct worker_process *p)
{
    if (waits_first() && world.now_ms - p->started_ms < IMPOSSIBLE_MS)
        return false; /* a new leader may trail for a while */
    for (int i = 0; i < 4; i++)
        if (!strstr(p->why, world.says[i]))
            return false;
    return true;
}

static void kill_all(void)
{
    for (int i = 0; i < PROCESSES_MAX; i++)
        if (world.processes[i].used)
            process_crash(&world.processes[i]);
}

/* Nobody reads the log before it was given out anew. */
static void all_rejoin(void)
{
    world.generation++;
    for (int g = 0; g < GROUPS; g++)
        group_rebalance(g);
}

/* ---- the log ---- */

static bool make_topic_anew(int t)
{
    log_make_anew(t);
    all_rejoin();
    says("topic-1", 0);
    says("topic-2", 0);
    for (int p = 0; p < PARTITIONS_MAX; p++)
        world.base_from[t][p] = world.base_back[t][p] = 0;
    return true;
}

static bool change_cluster(void)
{
    snprintf(world.cluster_id, sizeof world.cluster_id, "cluster-2");
    all_rejoin();
    says("cluster-1", 0);
    says("cluster-2", 0);
    for (int t = 0; t < world.topic_count; t++)
        for (int p = 0; p < world.partition_count; p++)
            world.base_from[t][p] = world.base_back[t][p] = world.logs[t][p].start;
    return true;
}

/* Of one topic only, they are no longer alike. */
static bool add_partitions(int t)
{
    bool both = world.topic_count > 1 && chance(500);
    says("has %lld", world.described_partitions[t] + 1);
    if (world.topic_count > 1 && !both)
        says("both must have as many", 0);
    else
        says("counts %lld", world.described_partitions[t]);
    world.described_partitions[t]++;
    if (both)
        world.described_partitions[1 - t]++;
    all_rejoin();
    return true;
}

static bool overrun(int t, int p, const struct store_position *at)
{
    struct partition *log = &world.logs[t][p];
    int more = 2 + dice(20);
    if (log->count + more > LOG_MAX)
        return false;
    kill_all();
    for (int i = 0; i < more; i++)
        log_append(t, p);
    log->start = (int)at->at.offset + 1 + dice(more - 1);
    world.base_from[t][p] = world.base_back[t][p] = log->start;
    says("offset %lld", at->at.offset);
    says("%lld", log->start);
    return true;
}

static bool lose_end(int t, int p, const struct store_position *at)
{
    struct partition *log = &world.logs[t][p];
    int most = (int)at->at.offset - log->start;
    if (most < 1)
        return false;
    kill_all();
    log->count = (int)at->at.offset - 1 - dice(most < 30 ? most : 30);
    log->settled = 0;
    memset(log->letters + log->count, 0, (size_t)(LOG_MAX - log->count) * sizeof *log->letters);
    world.base_from[t][p] = log->count;
    says("offset %lld", at->at.offset);
    says("%lld", log->count);
    return true;
}

/* The broker tells by the epoch of what was read last. */
static bool cut_back(int t, int p, const struct store_position *at)
{
    struct partition *log = &world.logs[t][p];
    if (at->at.epoch < 0 || !log->count || log->entries[log->count - 1].state != ENTRY_COMMITTED)
        return false;
    kill_all();
    log->cut_back = true;
    says("offset %lld", at->at.offset);
    return true;
}

/* ---- the store ---- */

static bool lose_position(int t, int p)
{
    struct memory *m = world_server(p)->master;
    *memory_position(m, t, p) = m->positions[m->position_count - 1];
    m->position_count--;
    says("no position", 0);
    says("partition %lld", p);
    return true;
}

/* A shard of the ledger holds nothing by which this could be told from an empty one. */
static bool lose_hash(struct memory *m)
{
    if (!m->others)
        return false;
    m->exists = false;
    says("lacks the positions", 0);
    return true;
}

static bool lose_hashes(struct memory *m)
{
    if (!memory_orphans(m))
        return false;
    m->exists = m->others = false;
    says("day counters", 0);
    return true;
}

static bool lose_beginning(int t, int p, const struct store_position *at)
{
    log_retain(t, p, at->at.offset);
    if (world.accept_gap || !world.logs[t][p].start)
        return false;
    kill_all();
    memory_clear(world_server(p)->master);
    says("begins at offset", 0);
    return true;
}

static bool do_damage(int t, int p)
{
    struct memory *m = world_server(p)->master;
    const struct store_position *at = memory_position(m, t, p);
    switch (world.damage) {
    case F_TOPIC_ANEW:
        return make_topic_anew(t);
    case F_OTHER_CLUSTER:
        return change_cluster();
    case F_MORE_PARTITIONS:
        return add_partitions(t);
    case F_OVERRUN:
        return overrun(t, p, at);
    case F_BEYOND:
        return lose_end(t, p, at);
    case F_CUT_BACK:
        return cut_back(t, p, at);
    case F_POSITION_GONE:
        return lose_position(t, p);
    case F_HASH_GONE:
        return lose_hash(m);
    case F_ORPHANS:
        return lose_hashes(m);
    default:
        return lose_beginning(t, p, at);
    }
}

/* ---- the exam ---- */

static int used(void)
{
    int count = 0;
    for (int i = 0; i < PROCESSES_MAX; i++)
        count += world.processes[i].used;
    return count;
}

static bool too_long(int turns)
{
    return turns > EXAM_TURNS || world.now_ms - world.damage_ms > EXAM_MS;
}

/* A shard without partitions holds nothing; a worker may make it at any time. */
static void check_unchanged(struct memory *const *before)
{
    char why[400];
    for (int i = 0; i < world.server_count && i < world.partition_count; i++)
        if (!memory_equal(before[i], world.servers[i].master, why, sizeof why))
            world_fail("%s: the store was changed: %s", fault_names[world.damage], why);
}

static void copy_all(struct memory **copies)
{
    for (int i = 0; i < world.server_count; i++)
        copies[i] = memory_copy(world.servers[i].master);
}

static void free_all(struct memory *const *copies)
{
    for (int i = 0; i < world.server_count; i++)
        memory_free(copies[i]);
}

static void all_must_end(void)
{
    struct memory *before[SERVERS_MAX];
    copy_all(before);
    for (int i = 0; used() && !world.verdict[0]; i++) {
        schedule_turn();
        if (too_long(i))
            world_fail("%s: a worker goes on", fault_names[world.damage]);
    }
    check_unchanged(before);
    free_all(before);
}

/* Of gaps; a duplicate window that is short is noted too, before a gap is accepted or after. */
static int64_t notes(const struct server *server)
{
    int64_t count = 0;
    for (size_t i = 0; i < memory_names(); i++)
        if (memory_name(i)->kind == MEMORY_NOTE &&
            strncmp(memory_name(i)->field, "window:", 7) != 0)
            count += memory_value(server->master, i);
    return count;
}

/* Every store with partitions of what was damaged says so: all, or that of partition p. */
static bool all_noted(const int64_t *noted, int p)
{
    bool all = world.damage == F_TOPIC_ANEW || world.damage == F_OTHER_CLUSTER;
    for (int i = 0; i < world.server_count; i++) {
        const struct server *server = &world.servers[i];
        int topics = world.damage == F_OTHER_CLUSTER ? world.topic_count : 1;
        int64_t least = noted[i] + (all ? (int64_t)server->master->position_count * topics /
                                              world.topic_count
                                        : server == world_server(p));
        if (notes(server) < least)
            return false;
    }
    return true;
}

static void all_must_go_on(struct memory *const *before, int p)
{
    int64_t noted[SERVERS_MAX];
    for (int i = 0; i < world.server_count; i++) {
        noted[i] = notes(&world.servers[i]);
        world.servers[i].base = before[i];
    }
    for (int i = 0; !all_noted(noted, p) && !world.verdict[0]; i++) {
        if (!used())
            process_start(0, false);
        schedule_turn();
        if (too_long(i))
            world_fail("%s: nothing was noted", fault_names[world.damage]);
    }
    for (int n = dice(30); n > 0; n--)
        log_append(dice(world.topic_count), dice(world.partition_count));
    schedule_settle();
    if (!world.verdict[0])
        recount_check_all();
    for (int i = 0; i < world.server_count; i++)
        world.servers[i].base = NULL;
}

static bool acceptable(void)
{
    return world.damage == F_TOPIC_ANEW || world.damage == F_OTHER_CLUSTER ||
           world.damage == F_OVERRUN || world.damage == F_BEYOND || world.damage == F_CUT_BACK;
}

/* Only plain workers take part. */
static void dismiss_others(void)
{
    for (int i = 0; i < PROCESSES_MAX; i++) {
        struct worker_process *p = &world.processes[i];
        if (p->used && (p->other_settings || p->exit_at_end || p->stop))
            process_crash(p);
    }
}

/* Where all partitions stand, and how far back copies are known. */
static void remember_places(void)
{
    for (int t = 0; t < world.topic_count; t++) {
        for (int p = 0; p < world.partition_count; p++) {
            const struct store_position *at = memory_position(world_server(p)->master, t, p);
            int64_t start = world.logs[t][p].start;
            world.base_from[t][p] = at->at.offset;
            world.base_back[t][p] = at->begin > start ? at->begin : start;
        }
    }
    if (world.kind->sharded)
        recount_customers_keep();
}

void damage_exam(void)
{
    struct memory *before[SERVERS_MAX];
    int t = dice(world.topic_count), p = dice(world.partition_count);
    copy_all(before);
    remember_places();
    dismiss_others();
    world.damage = (enum fault)(F_DAMAGE + dice(FAULTS - F_DAMAGE));
    world.damage_ms = world.now_ms;
    world_trace("%s: topic %d partition %d", fault_names[world.damage], t, p);
    if (do_damage(t, p)) {
        world_happened(world.damage);
        for (int n = used() ? dice(2) : 1 + dice(2); n > 0; n--)
            process_start(0, false);
        if (world.accept_gap && acceptable())
            all_must_go_on(before, p);
        else
            all_must_end();
    }
    free_all(before);
}

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

static bool make_topic_anew(void)
{
    log_make_anew();
    all_rejoin();
    says("topic-1", 0);
    says("topic-2", 0);
    for (int p = 0; p < PARTITIONS_MAX; p++)
        world.base_from[p] = world.base_back[p] = 0;
    return true;
}

static bool change_cluster(void)
{
    snprintf(world.cluster_id, sizeof world.cluster_id, "cluster-2");
    all_rejoin();
    says("cluster-1", 0);
    says("cluster-2", 0);
    for (int p = 0; p < world.partition_count; p++)
        world.base_from[p] = world.base_back[p] = world.partitions[p].start;
    return true;
}

static bool add_partitions(void)
{
    says("has %lld partitions", world.described_partitions + 1);
    says("counts %lld", world.described_partitions);
    world.described_partitions++;
    all_rejoin();
    return true;
}

static bool overrun(int p, const struct store_position *at)
{
    struct partition *log = &world.partitions[p];
    int more = 2 + dice(20);
    if (log->count + more > LOG_MAX)
        return false;
    kill_all();
    for (int i = 0; i < more; i++)
        log_append(p);
    log->start = (int)at->at.offset + 1 + dice(more - 1);
    world.base_from[p] = world.base_back[p] = log->start;
    says("offset %lld", at->at.offset);
    says("%lld", log->start);
    return true;
}

static bool lose_end(int p, const struct store_position *at)
{
    struct partition *log = &world.partitions[p];
    int most = (int)at->at.offset - log->start;
    if (most < 1)
        return false;
    kill_all();
    log->count = (int)at->at.offset - 1 - dice(most < 30 ? most : 30);
    log->settled = 0;
    memset(log->letters + log->count, 0, (size_t)(LOG_MAX - log->count) * sizeof *log->letters);
    world.base_from[p] = log->count;
    says("offset %lld", at->at.offset);
    says("%lld", log->count);
    return true;
}

/* The broker tells by the epoch of what was read last. */
static bool cut_back(int p, const struct store_position *at)
{
    struct partition *log = &world.partitions[p];
    if (at->at.epoch < 0 || !log->count || log->entries[log->count - 1].state != ENTRY_COMMITTED)
        return false;
    kill_all();
    log->cut_back = true;
    says("offset %lld", at->at.offset);
    return true;
}

/* ---- the store ---- */

static bool lose_position(int p)
{
    struct memory *m = world.master;
    *memory_position(m, 0, p) = m->positions[m->position_count - 1];
    m->position_count--;
    says("no position", 0);
    says("partition %lld", p);
    return true;
}

static bool lose_hash(void)
{
    world.master->exists = false;
    says("lacks the positions", 0);
    return true;
}

static bool lose_hashes(void)
{
    if (!world.master->counted)
        return false;
    world.master->exists = world.master->others = false;
    says("day counters", 0);
    return true;
}

static bool lose_beginning(int p, const struct store_position *at)
{
    log_retain(p, at->at.offset);
    if (world.accept_gap || !world.partitions[p].start)
        return false;
    kill_all();
    memory_clear(world.master);
    says("begins at offset", 0);
    return true;
}

static bool do_damage(int p)
{
    const struct store_position *at = memory_position(world.master, 0, p);
    switch (world.damage) {
    case F_TOPIC_ANEW:
        return make_topic_anew();
    case F_OTHER_CLUSTER:
        return change_cluster();
    case F_MORE_PARTITIONS:
        return add_partitions();
    case F_OVERRUN:
        return overrun(p, at);
    case F_BEYOND:
        return lose_end(p, at);
    case F_CUT_BACK:
        return cut_back(p, at);
    case F_POSITION_GONE:
        return lose_position(p);
    case F_HASH_GONE:
        return lose_hash();
    case F_ORPHANS:
        return lose_hashes();
    default:
        return lose_beginning(p, at);
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

static void all_must_end(void)
{
    char why[400];
    struct memory *before = memory_copy(world.master);
    for (int i = 0; used() && !world.verdict[0]; i++) {
        schedule_turn();
        if (too_long(i))
            world_fail("%s: a worker goes on", fault_names[world.damage]);
    }
    if (!memory_equal(before, world.master, why, sizeof why))
        world_fail("%s: the store was changed: %s", fault_names[world.damage], why);
    memory_free(before);
}

static int64_t notes(void)
{
    int64_t count = 0;
    for (size_t i = 0; i < memory_names(); i++)
        if (memory_name(i)->kind == MEMORY_NOTE)
            count += memory_value(world.master, i);
    return count;
}

static void all_must_go_on(struct memory *before)
{
    int64_t noted = notes();
    world.base = before;
    for (int i = 0; notes() == noted && !world.verdict[0]; i++) {
        if (!used())
            process_start(0, false);
        schedule_turn();
        if (too_long(i))
            world_fail("%s: nothing was noted", fault_names[world.damage]);
    }
    for (int n = dice(30); n > 0; n--)
        log_append(dice(world.partition_count));
    schedule_settle();
    if (!world.verdict[0])
        recount_check(world.master, true);
    world.base = NULL;
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

void damage_exam(void)
{
    struct memory *before = memory_copy(world.master);
    for (int p = 0; p < world.partition_count; p++) {
        const struct store_position *at = memory_position(world.master, 0, p);
        world.base_from[p] = at->at.offset;
        world.base_back[p] =
            at->begin > world.partitions[p].start ? at->begin : world.partitions[p].start;
    }
    dismiss_others();
    world.damage = (enum fault)(F_DAMAGE + dice(FAULTS - F_DAMAGE));
    world.damage_ms = world.now_ms;
    world_trace("%s", fault_names[world.damage]);
    if (do_damage(dice(world.partition_count))) {
        world_happened(world.damage);
        for (int n = used() ? dice(2) : 1 + dice(2); n > 0; n--)
            process_start(0, false);
        if (world.accept_gap && acceptable())
            all_must_go_on(before);
        else
            all_must_end();
    }
    memory_free(before);
}

/* One schedule: a log, some workers, a time of faults, and then the question whether all is
 * counted. */
#include "world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct world world;

enum { TURNS_MAX = 400000, HEAL_MS = 30 * 60 * 1000 };

/* ---- chance, time, trace ---- */

int dice(int n)
{
    world.dice ^= world.dice << 13;
    world.dice ^= world.dice >> 7;
    world.dice ^= world.dice << 17;
    return n > 1 ? (int)(world.dice % (unsigned)n) : 0;
}

bool chance(int per_mille)
{
    return dice(1000) < per_mille;
}

void world_trace(const char *format, ...)
{
    va_list args;
    if (!world.trace)
        return;
    struct fiber *fiber = fiber_current();
    int who = fiber ? (int)((struct worker_process *)fiber_context(fiber) - world.processes) : -1;
    printf("%8lld ms  ", (long long)world.now_ms);
    if (who >= 0)
        printf("worker %d  ", who);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

void world_fail(const char *format, ...)
{
    va_list args;
    if (world.verdict[0])
        return;
    va_start(args, format);
    vsnprintf(world.verdict, sizeof world.verdict, format, args);
    va_end(args);
    world_trace("FAILED: %s", world.verdict);
}

void world_sleep(int64_t ms)
{
    struct fiber *fiber = fiber_current();
    if (!fiber)
        return;
    ((struct worker_process *)fiber_context(fiber))->wake_ms = world.now_ms + ms;
    fiber_sleep();
}

/* ---- what holds after each batch ---- */

/* Dead letters come first. */
static void check_letters(const struct batch_move *move)
{
    const struct partition *log = &world.partitions[move->partition];
    for (int64_t i = move->from.offset; i < move->to.offset && i < log->count; i++)
        if (log->entries[i].kind == ENTRY_BAD && log->entries[i].state == ENTRY_COMMITTED &&
            !log->letters[i])
            world_fail("partition %d: the position passes record %lld, whose dead letter is not "
                       "acknowledged",
                       move->partition, (long long)i);
}

void world_applied(const struct batch *batch)
{
    world.applied++;
    for (size_t i = 0; i < batch->move_count; i++) {
        const struct batch_move *move = &batch->moves[i];
        if (move->to.offset <= move->from.offset)
            world_fail("partition %d goes back from %lld to %lld", move->partition,
                       (long long)move->from.offset, (long long)move->to.offset);
        check_letters(move);
    }
    if (chance(250))
        recount_check(world.master, false);
}

/* ---- turns ---- */

void schedule_turn(void)
{
    int64_t soonest_ms = INT64_MAX;
    int first = dice(PROCESSES_MAX);
    world.steps++;
    group_tick();
    store_tick();
    for (int i = 0; i < PROCESSES_MAX; i++) {
        struct worker_process *p = &world.processes[(first + i) % PROCESSES_MAX];
        if (!p->used)
            continue;
        if (p->wake_ms > world.now_ms) {
            soonest_ms = p->wake_ms < soonest_ms ? p->wake_ms : soonest_ms;
            continue;
        }
        fiber_resume(p->fiber);
        if (fiber_ended(p->fiber))
            process_end(p);
        return;
    }
    world.now_ms = soonest_ms == INT64_MAX ? world.now_ms + 10 : soonest_ms;
}

int schedule_snapshot(void)
{
    bool room = world.snapshot_count < SNAPSHOTS_MAX;
    int slot = room ? world.snapshot_count++ : dice(SNAPSHOTS_MAX);
    if (!room)
        memory_free(world.snapshots[slot]);
    world.snapshots[slot] = memory_copy(world.master);
    return slot;
}

/* ---- one schedule ---- */

static void write_some(int most)
{
    for (int n = dice(most + 1); n > 0; n--)
        log_append(dice(world.partition_count));
}

static void begin(uint64_t seed)
{
    world = (struct world){
        .seed = seed, .dice = seed * UINT64_C(0x9e3779b97f4a7c15) + 1, .trace = world.trace};
    for (int i = 0; i < 8; i++)
        dice(2);
    world.kind = chance(600) ? &sales_worker_kind : &service_worker_kind;
    world.partition_count = world.described_partitions = 1 + dice(PARTITIONS_MAX);
    world.window = 1 + dice(40);
    world.scope_limit = 1 + dice(6);
    world.accept_gap = chance(300);
    world.master = memory_new("tandem:{main}:");
    world.faults = true;
    snprintf(world.topic_id, sizeof world.topic_id, "topic-1");
    snprintf(world.cluster_id, sizeof world.cluster_id, "cluster-1");
    for (int p = 0; p < world.partition_count; p++) {
        world.partitions[p].entries = calloc(LOG_MAX, sizeof(struct entry));
        world.partitions[p].letters = calloc(LOG_MAX, sizeof(bool));
        if (!world.partitions[p].entries || !world.partitions[p].letters)
            abort();
    }
}

static void end(void)
{
    for (int i = 0; i < PROCESSES_MAX; i++)
        if (world.processes[i].used)
            process_crash(&world.processes[i]);
    store_forget_errands();
    for (int i = 0; i < MEMBERS_MAX; i++) {
        free(world.members[i]);
        world.members[i] = NULL;
    }
    for (int i = 0; i < world.snapshot_count; i++)
        memory_free(world.snapshots[i]);
    memory_free(world.master);
    memory_free(world.split);
    memory_forget_names();
    for (int p = 0; p < world.partition_count; p++) {
        free(world.partitions[p].entries);
        free(world.partitions[p].letters);
    }
}

static void fault_time(void)
{
    int length = 200 + dice(1500), fault_rate = 2 + dice(25);
    for (int i = 0; i < length && !world.verdict[0]; i++) {
        if (chance(60))
            write_some(12);
        if (chance(fault_rate))
            fault_inject();
        if (chance(15))
            schedule_snapshot();
        if (chance(20) && !processes_running())
            process_start(0, false);
        if (chance(30))
            log_resolve();
        schedule_turn();
    }
}

static bool all_counted(void)
{
    if (!world.master->exists)
        return false;
    for (int p = 0; p < world.partition_count; p++) {
        struct store_position *at = memory_position(world.master, 0, p);
        if (!at || at->at.offset < log_stable_end(p))
            return false;
    }
    return true;
}

void schedule_settle(void)
{
    int64_t end_ms = world.now_ms + HEAL_MS;
    for (int i = 0; !world.verdict[0] && !all_counted(); i++) {
        if (!processes_running())
            process_start(0, false);
        schedule_turn();
        if (i > TURNS_MAX || world.now_ms > end_ms)
            world_fail("hangs: %d turns and %lld minutes after everything healed the log is not "
                       "counted",
                       i, (long long)(world.now_ms - end_ms + HEAL_MS) / 60000);
    }
}

/* A worker that is to end at the log's end does, whatever stands there. */
static void exit_at_end(void)
{
    int64_t end_ms = world.now_ms + HEAL_MS;
    struct worker_process *p = process_start(0, false);
    if (!p)
        return;
    p->exit_at_end = true;
    for (int i = 0; p->used && !world.verdict[0]; i++) {
        schedule_turn();
        if (i > TURNS_MAX || world.now_ms > end_ms)
            world_fail("a worker does not end at the end of the log");
    }
}

void schedule_run(uint64_t seed)
{
    begin(seed);
    write_some(60);
    process_start(0, false);
    if (chance(500))
        process_start(0, false);
    fault_time();
    schedule_heal();
    schedule_settle();
    if (!world.verdict[0])
        recount_check(world.master, true);
    if (!world.verdict[0] && chance(200))
        exit_at_end();
    if (!world.verdict[0] && chance(500))
        damage_exam();
    end();
}

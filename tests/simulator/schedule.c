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
    const struct partition *log = &world.logs[move->topic][move->partition];
    for (int64_t i = move->from.offset; i < move->to.offset && i < log->count; i++)
        if (log->entries[i].kind == ENTRY_BAD && log->entries[i].state == ENTRY_COMMITTED &&
            !log->letters[i])
            world_fail("partition %d: the position passes record %lld, whose dead letter is not "
                       "acknowledged",
                       move->partition, (long long)i);
}

void world_applied(const struct server *server, const struct batch *batch)
{
    bool moved = false;
    world.applied++;
    for (size_t i = 0; i < batch->move_count; i++) {
        const struct batch_move *move = &batch->moves[i];
        moved = moved || move->to.offset > move->from.offset;
        if (move->to.offset < move->from.offset)
            world_fail("partition %d goes back from %lld to %lld", move->partition,
                       (long long)move->from.offset, (long long)move->to.offset);
        if (world.kind->letters)
            check_letters(move);
    }
    if (!moved)
        world_fail("a batch moves nothing");
    if (chance(250))
        recount_check(server, false);
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

struct server *world_server(int partition)
{
    return &world.servers[partition % world.server_count];
}

int schedule_snapshot(struct server *server)
{
    bool room = server->snapshot_count < SNAPSHOTS_MAX;
    int slot = room ? server->snapshot_count++ : dice(SNAPSHOTS_MAX);
    if (!room)
        memory_free(server->snapshots[slot]);
    server->snapshots[slot] = memory_copy(server->master);
    return slot;
}

/* ---- one schedule ---- */

static void write_some(int most)
{
    for (int n = dice(most + 1); n > 0; n--)
        log_append(dice(world.topic_count), dice(world.partition_count));
}

/* Both topics and a few shards, in about every third world. */
static void begin_customers(void)
{
    char prefix[32];
    world.kind = &customers_worker_kind;
    world.server_count = 1 + dice(SERVERS_MAX);
    world.apart = chance(300);
    world.ledger_limit = chance(300) ? 1 + dice(12) : 2000;
    world.ledger_from =
        chance(300) ? (int32_t)(WORLD_EPOCH_MS / 86400000) - 1 - dice(100) : INT32_MIN;
    for (int i = 0; i < world.server_count; i++) {
        snprintf(prefix, sizeof prefix, "tandem:{main.%d}:", i);
        world.servers[i].master = memory_new(prefix, true);
    }
}

static void begin_log(int topic)
{
    world.described_partitions[topic] = world.partition_count;
    snprintf(world.topic_ids[topic], sizeof world.topic_ids[topic], "topic-1");
    for (int p = 0; p < world.partition_count; p++) {
        struct partition *log = &world.logs[topic][p];
        log->entries = calloc(LOG_MAX, sizeof *log->entries);
        log->letters = calloc(LOG_MAX, sizeof *log->letters);
        if (!log->entries || !log->letters)
            abort();
    }
}

static void begin(uint64_t seed)
{
    world = (struct world){
        .seed = seed, .dice = seed * UINT64_C(0x9e3779b97f4a7c15) + 1, .trace = world.trace};
    for (int i = 0; i < 8; i++)
        dice(2);
    world.partition_count = 1 + dice(PARTITIONS_MAX);
    world.window = 1 + dice(40);
    world.scope_limit = 1 + dice(6);
    world.accept_gap = chance(300);
    if (chance(333)) {
        begin_customers();
    } else {
        world.kind = chance(600) ? &sales_worker_kind : &service_worker_kind;
        world.server_count = 1;
        world.servers[0].master = memory_new("tandem:{main}:", false);
    }
    world.topic_count = world.kind->topic_count;
    world.faults = true;
    snprintf(world.cluster_id, sizeof world.cluster_id, "cluster-1");
    for (int t = 0; t < world.topic_count; t++)
        begin_log(t);
}

static void end_server(struct server *server)
{
    for (int i = 0; i < server->snapshot_count; i++)
        memory_free(server->snapshots[i]);
    memory_free(server->master);
    memory_free(server->split);
}

static void end(void)
{
    for (int i = 0; i < PROCESSES_MAX; i++)
        if (world.processes[i].used)
            process_crash(&world.processes[i]);
    for (int i = 0; i < world.server_count; i++)
        store_forget_errands(&world.servers[i]);
    for (int i = 0; i < MEMBERS_MAX; i++) {
        free(world.members[i]);
        world.members[i] = NULL;
    }
    for (int i = 0; i < world.server_count; i++)
        end_server(&world.servers[i]);
    memory_forget_names();
    recount_customers_forget();
    for (int t = 0; t < world.topic_count; t++) {
        for (int p = 0; p < world.partition_count; p++) {
            free(world.logs[t][p].entries);
            free(world.logs[t][p].letters);
        }
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
            schedule_snapshot(&world.servers[dice(world.server_count)]);
        if (chance(20) && !processes_running())
            process_start(0, false);
        if (chance(30))
            log_resolve();
        schedule_turn();
    }
}

static bool counted(int topic, int partition)
{
    const struct memory *m = world_server(partition)->master;
    const struct store_position *at = m->exists ? memory_position(m, topic, partition) : NULL;
    return at && at->at.offset >= log_stable_end(topic, partition);
}

static bool all_counted(void)
{
    for (int t = 0; t < world.topic_count; t++)
        for (int p = 0; p < world.partition_count; p++)
            if (!counted(t, p))
                return false;
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
        recount_check_all();
    if (!world.verdict[0] && chance(200))
        exit_at_end();
    if (!world.verdict[0] && chance(500))
        damage_exam();
    end();
}

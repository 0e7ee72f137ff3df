/* One fault after the other, by chance. All of them can be lived with: when they end, everything
 * is counted. */
#include "world.h"

#include <stdio.h>
#include <string.h>

const char *const fault_names[FAULTS] = {
    [F_CRASH] = "worker killed",
    [F_STOP] = "worker stopped in good order",
    [F_START] = "worker started",
    [F_REBALANCE] = "rebalance",
    [F_STALL] = "worker stalls up to 90 s",
    [F_REDIS_AWAY] = "Redis away, or back",
    [F_LATER] = "Redis says later, or not",
    [F_RESET] = "all connections reset",
    [F_SET_BACK] = "store set back",
    [F_FAIL_OVER] = "fail-over to a lagging replica",
    [F_EMPTY] = "store emptied",
    [F_SPLIT] = "two masters, or one again",
    [F_WRONG_TYPE] = "key of a wrong type, or mended",
    [F_LETTERS] = "rejected topic away, or back",
    [F_KAFKA] = "Kafka away, or back",
    [F_TRANSACTION] = "open transaction",
    [F_SETTINGS] = "worker with other settings",
    [F_GROUP] = "worker of a second group",
    [F_TRIM] = "floor moved",
    [F_RETENTION] = "log forgets its beginning",
    [F_TRAILS] = "new leader trails",
    [F_REBUILD] = "store switched to a recount, or fenced",
    [F_REFUSED] = "connection refused",
    [F_REQUEST_LOST] = "request lost",
    [F_REPLY_LOST] = "reply lost",
    [F_SLOW] = "script runs late",
    [F_ANSWER_LATER] = "answer BUSY, OOM ...",
    [F_ANSWER_UNKNOWN] = "answer READONLY ...",
    [F_MADE_UNKNOWN] = "reply lost when the store was made",
    [F_QUEUE_FULL] = "dead letter not queued",
    [F_LETTER_FAILED] = "dead letter not delivered",
    [F_PUT_OUT] = "member put out: two owners at once",
    [F_TOPIC_ANEW] = "damage: topic made anew",
    [F_OTHER_CLUSTER] = "damage: another Kafka",
    [F_MORE_PARTITIONS] = "damage: partitions added",
    [F_OVERRUN] = "damage: retention passed the position",
    [F_BEYOND] = "damage: position beyond the log",
    [F_CUT_BACK] = "damage: log cut back",
    [F_POSITION_GONE] = "damage: one position gone",
    [F_HASH_GONE] = "damage: one side's positions gone",
    [F_ORPHANS] = "damage: counters without positions",
    [F_BEGINNING_GONE] = "damage: emptied, log begins late",
};

void world_happened(enum fault fault)
{
    world.injected[fault]++;
}

static void drop_snapshots(void)
{
    for (int i = 0; i < world.snapshot_count; i++)
        memory_free(world.snapshots[i]);
    world.snapshot_count = 0;
}

static void take_state(int slot)
{
    store_forget_errands();
    store_reset_all();
    memory_free(world.master);
    world.master = memory_copy(world.snapshots[slot]);
    world.master->broken_key[0] = 0;
}

static void set_back(void)
{
    if (world.snapshot_count)
        take_state(dice(world.snapshot_count));
}

/* The replica was a little behind. */
static void fail_over(void)
{
    int slot = schedule_snapshot();
    for (int turns = dice(60); turns > 0 && !world.verdict[0]; turns--)
        schedule_turn();
    take_state(slot);
}

static void end_split(void)
{
    world.split_on = false;
    store_tick();
    memory_free(world.split);
    world.split = NULL;
}

static void split_or_not(void)
{
    if (world.split_on) {
        end_split();
        return;
    }
    world.split = memory_copy(world.master);
    world.split_on = true;
    store_reset_all();
}

static bool log_is_whole(void)
{
    for (int p = 0; p < world.partition_count; p++)
        if (world.partitions[p].start > 0)
            return false;
    return true;
}

/* A log that lost its beginning cannot be counted anew, unless an operator says so. */
static void empty(void)
{
    if (!world.accept_gap && !log_is_whole())
        return;
    store_forget_errands();
    memory_clear(world.master);
}

/* A key becomes one of another type, in the middle of what a batch changes or before it. */
static void break_a_key(void)
{
    int places[512], count = 0;
    char *key = world.master->broken_key;
    if (key[0]) {
        key[0] = 0;
        return;
    }
    if (chance(150)) {
        snprintf(key, sizeof world.master->broken_key, "tandem:{main}:%s",
                 (const char *[]){"scope:region", "currency", "dirty"}[dice(3)]);
        return;
    }
    for (size_t i = 0; i < memory_names() && count < 512; i++)
        if (memory_name(i)->kind == MEMORY_CELL && memory_value(world.master, i))
            places[count++] = (int)i;
    if (count)
        snprintf(key, sizeof world.master->broken_key, "%s",
                 memory_name((size_t)places[dice(count)])->key);
}

static void stall(struct worker_process *p)
{
    if (p)
        p->wake_ms = world.now_ms + dice(90000);
}

static void trim(void)
{
    if (world.master->exists)
        memory_trim(world.master, (int32_t)(WORLD_EPOCH_MS / 86400000) - dice(4));
}

/* Never beyond a position that the store may still return to. */
static void retention(void)
{
    int p = dice(world.partition_count);
    const struct store_position *at = memory_position(world.master, 0, p);
    if (!at || !world.master->exists || world.split_on)
        return;
    drop_snapshots();
    log_retain(p, at->at.offset - dice(world.window + 20));
}

static void trail(void)
{
    struct partition *log = &world.partitions[dice(world.partition_count)];
    if (world.now_ms > log->trails_until_ms + 15000)
        log->trails_until_ms = world.now_ms + dice(20000);
}

static void start(int group)
{
    if (processes_running() < 5)
        process_start(group, false);
}

static void inject_into_workers(enum fault fault, struct worker_process *p)
{
    if (fault == F_CRASH && p)
        process_crash(p);
    else if (fault == F_STOP && p)
        p->stop = true;
    else if (fault == F_STALL)
        stall(p);
    else if (fault == F_START)
        start(0);
    else if (fault == F_GROUP)
        start(1);
    else if (fault == F_SETTINGS)
        process_start(0, true);
}

static void inject_into_store(enum fault fault)
{
    static void (*const actions[FAULTS])(void) = {
        [F_RESET] = store_reset_all,
        [F_SET_BACK] = set_back,
        [F_FAIL_OVER] = fail_over,
        [F_EMPTY] = empty,
        [F_SPLIT] = split_or_not,
        [F_WRONG_TYPE] = break_a_key,
        [F_TRIM] = trim,
        [F_RETENTION] = retention,
        [F_TRAILS] = trail,
        [F_REBUILD] = rebuild_run,
    };
    if (actions[fault])
        actions[fault]();
}

void fault_inject(void)
{
    struct worker_process *p = process_any();
    enum fault fault = (enum fault)dice(F_INJECTED);
    world_happened(fault);
    world_trace("fault: %s", fault_names[fault]);
    inject_into_workers(fault, p);
    inject_into_store(fault);
    if (fault == F_REBALANCE)
        group_rebalance(dice(GROUPS));
    else if (fault == F_REDIS_AWAY)
        world.redis_away = !world.redis_away;
    else if (fault == F_LATER)
        world.redis_later = !world.redis_later;
    else if (fault == F_LETTERS)
        world.letters_away = !world.letters_away;
    else if (fault == F_KAFKA)
        world.kafka_away = !world.kafka_away;
    else if (fault == F_TRANSACTION)
        log_append_transaction(dice(world.partition_count));
}

void schedule_heal(void)
{
    world.faults = world.redis_away = world.redis_later = world.letters_away = world.kafka_away =
        false;
    if (world.split_on)
        end_split();
    world.master->broken_key[0] = 0;
    memory_fence(world.master, false);
    log_resolve();
    for (int p = 0; p < world.partition_count; p++)
        world.partitions[p].trails_until_ms = 0;
    for (int i = 0; i < PROCESSES_MAX; i++)
        if (world.processes[i].used && world.processes[i].wake_ms > world.now_ms + 1000)
            world.processes[i].wake_ms = world.now_ms + 1000;
    world_trace("everything heals");
}

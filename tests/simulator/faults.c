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
    [F_FORGET] = "customer forgotten",
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

static void drop_snapshots(struct server *server)
{
    for (int i = 0; i < server->snapshot_count; i++)
        memory_free(server->snapshots[i]);
    server->snapshot_count = 0;
}

static void take_state(struct server *server, int slot)
{
    store_forget_errands(server);
    store_reset_all(server);
    memory_free(server->master);
    server->master = memory_copy(server->snapshots[slot]);
    server->master->broken_key[0] = 0;
}

static void set_back(struct server *server)
{
    if (server->snapshot_count)
        take_state(server, dice(server->snapshot_count));
}

/* The replica was a little behind. */
static void fail_over(struct server *server)
{
    int slot = schedule_snapshot(server);
    for (int turns = dice(60); turns > 0 && !world.verdict[0]; turns--)
        schedule_turn();
    take_state(server, slot);
}

static void end_split(struct server *server)
{
    server->split_on = false;
    store_tick();
    memory_free(server->split);
    server->split = NULL;
}

static void split_or_not(struct server *server)
{
    if (server->split_on) {
        end_split(server);
        return;
    }
    server->split = memory_copy(server->master);
    server->split_on = true;
    store_reset_all(server);
}

/* A log that lost its beginning cannot be counted anew, unless an operator says so. */
static void empty(struct server *server)
{
    if (!world.accept_gap && !log_is_whole())
        return;
    store_forget_errands(server);
    memory_clear(server->master);
}

static const char *any_small_key(void)
{
    static const char *const of_all[] = {"scope:region", "currency", "dirty"};
    static const char *const of_shard[] = {"names", "dirty"};
    return world.kind->sharded ? of_shard[dice(2)] : of_all[dice(3)];
}

/* A key becomes one of another type, in the middle of what a batch changes or before it. */
static void break_a_key(struct server *server)
{
    int places[512], count = 0;
    char *key = server->master->broken_key;
    if (key[0]) {
        key[0] = 0;
        return;
    }
    if (chance(150)) {
        snprintf(key, sizeof server->master->broken_key, "%s%s", server->master->prefix,
                 any_small_key());
        return;
    }
    for (size_t i = 0; i < memory_names() && count < 512; i++)
        if (memory_name(i)->kind == MEMORY_CELL && memory_value(server->master, i))
            places[count++] = (int)i;
    if (count)
        snprintf(key, sizeof server->master->broken_key, "%s",
                 memory_name((size_t)places[dice(count)])->key);
}

/* As `tandem forget` does it: one customer of one partition, in one step. */
static void forget_a_customer(struct server *server)
{
    int partition = dice(world.partition_count), customer = dice(LOG_CUSTOMERS);
    uint64_t fresh = (uint64_t)dice(1 << 30) << 32 | (unsigned)dice(1 << 30) | 1;
    if (!world.kind->sharded || server != world_server(partition) || server->away ||
        memory_fenced(server->master))
        return;
    world_trace("  customer %s of partition %d: %s", log_customers[customer], partition,
                memory_forget(server->master, server->master->token, partition,
                              text_of(log_customers[customer]), fresh));
}

static void stall(struct worker_process *p)
{
    if (p)
        p->wake_ms = world.now_ms + dice(90000);
}

static void trim(struct server *server)
{
    if (server->master->exists)
        memory_trim(server->master, (int32_t)(WORLD_EPOCH_MS / 86400000) -
                                        dice(world.kind->sharded ? 100 : 4));
}

/* Never beyond a position that the store may still return to. */
static void retention(void)
{
    int t = dice(world.topic_count), p = dice(world.partition_count);
    struct server *server = world_server(p);
    const struct store_position *at = memory_position(server->master, t, p);
    if (!at || !server->master->exists || server->split_on)
        return;
    drop_snapshots(server);
    log_retain(t, p, at->at.offset - dice(world.window + 20));
}

static void trail(void)
{
    struct partition *log = &world.logs[dice(world.topic_count)][dice(world.partition_count)];
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

static void inject_into_store(enum fault fault, struct server *server)
{
    static void (*const actions[FAULTS])(struct server *) = {
        [F_SET_BACK] = set_back,     [F_FAIL_OVER] = fail_over,
        [F_EMPTY] = empty,           [F_SPLIT] = split_or_not,
        [F_WRONG_TYPE] = break_a_key, [F_TRIM] = trim,
        [F_REBUILD] = rebuild_run,   [F_FORGET] = forget_a_customer,
    };
    if (fault == F_RESET)
        store_reset_all(server);
    else if (fault == F_REDIS_AWAY)
        server->away = !server->away;
    else if (fault == F_LATER)
        server->later = !server->later;
    else if (actions[fault])
        actions[fault](server);
}

void fault_inject(void)
{
    struct worker_process *p = process_any();
    enum fault fault = (enum fault)dice(F_INJECTED);
    world_happened(fault);
    world_trace("fault: %s", fault_names[fault]);
    inject_into_workers(fault, p);
    inject_into_store(fault, &world.servers[dice(world.server_count)]);
    if (fault == F_REBALANCE)
        group_rebalance(dice(GROUPS));
    else if (fault == F_RETENTION)
        retention();
    else if (fault == F_TRAILS)
        trail();
    else if (fault == F_LETTERS)
        world.letters_away = !world.letters_away;
    else if (fault == F_KAFKA)
        world.kafka_away = !world.kafka_away;
    else if (fault == F_TRANSACTION)
        log_append_transaction(dice(world.topic_count), dice(world.partition_count));
}

static void heal_server(struct server *server)
{
    server->away = server->later = false;
    if (server->split_on)
        end_split(server);
    server->master->broken_key[0] = 0;
    memory_fence(server->master, false);
}

void schedule_heal(void)
{
    world.faults = world.letters_away = world.kafka_away = false;
    for (int i = 0; i < world.server_count; i++)
        heal_server(&world.servers[i]);
    log_resolve();
    for (int t = 0; t < world.topic_count; t++)
        for (int p = 0; p < world.partition_count; p++)
            world.logs[t][p].trails_until_ms = 0;
    for (int i = 0; i < PROCESSES_MAX; i++)
        if (world.processes[i].used && world.processes[i].wake_ms > world.now_ms + 1000)
            world.processes[i].wake_ms = world.now_ms + 1000;
    world_trace("everything heals");
}

/* Kafka's consumer side: a log read by groups whose members come, go, stall and overlap. */
#include "common/broker.h"
#include "world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SESSION_MS = 10000,  /* a dead member is noticed after this */
    POLL_MAX_MS = 60000, /* a member that does not poll is put out */
    ANSWER_MS = 60000    /* a rebalance waits this long for a member */
};

int broker_open(struct broker **out, const struct config *config, const char *kind,
                const char *const *topics, int topic_count, struct error *err)
{
    struct worker_process *process = fiber_context(fiber_current());
    struct broker *b = calloc(1, sizeof *b);
    (void)config;
    (void)kind;
    (void)topics;
    (void)topic_count;
    (void)err;
    if (!b)
        abort();
    b->group = process->group;
    b->alive = true;
    b->process = process;
    if (chance(100))
        world_sleep(dice(20));
    b->polled_ms = world.now_ms;
    b->state = OUT;
    process->broker = b;
    *out = b;
    for (int i = 0; i < MEMBERS_MAX; i++) {
        if (world.members[i])
            continue;
        world.members[i] = b;
        return 0;
    }
    world_fail("more members than the world has room for");
    return 0;
}

int broker_wait(struct broker *broker, struct error *err)
{
    (void)err;
    while (world.kafka_away)
        world_sleep(100);
    broker->state = JOINING; /* subscribed: the group hears of it */
    return 0;
}

static void let_go(struct broker *b)
{
    for (int i = 0; i < MEMBERS_MAX; i++)
        if (world.members[i] == b)
            world.members[i] = NULL;
}

void broker_free(struct broker *broker)
{
    if (!broker)
        return;
    int group = broker->group;
    let_go(broker);
    if (broker->process)
        broker->process->broker = NULL;
    free(broker);
    group_rebalance(group);
}

/* The process is gone; the group notices when the session times out. */
void member_dies(struct broker *member)
{
    member->alive = false;
    member->process = NULL;
    member->polled_ms = world.now_ms;
}

/* ---- the coordinator ---- */

void group_rebalance(int group)
{
    struct group *g = &world.groups[group];
    if (g->rebalancing)
        return;
    g->rebalancing = true;
    g->deadline_ms = world.now_ms + ANSWER_MS;
    /* The coordinator waits for others that may join. */
    g->earliest_ms = world.now_ms + (chance(300) ? dice(8000) : 0);
    for (int i = 0; i < MEMBERS_MAX; i++) {
        struct broker *b = world.members[i];
        if (b && b->group == group && b->state == STEADY) {
            b->state = REVOKING;
            b->change = BROKER_REVOKED;
            b->place_count = 0;
        }
    }
}

static void put_out(struct broker *b)
{
    world_trace("group %d puts a member out", b->group);
    world_happened(F_PUT_OUT);
    b->state = OUT;
    b->lost = true;
}

static bool all_answered(int group)
{
    bool all = true;
    for (int i = 0; i < MEMBERS_MAX; i++) {
        struct broker *b = world.members[i];
        if (!b || b->group != group || b->state == OUT)
            continue;
        if (!b->alive && world.now_ms - b->polled_ms > SESSION_MS) {
            let_go(b);
            free(b);
            continue;
        }
        all = all && (b->state == WAITING || b->state == JOINING);
    }
    return all;
}

static void hand_out(int group)
{
    struct broker *ready[MEMBERS_MAX];
    struct group *g = &world.groups[group];
    int count = 0;
    for (int i = 0; i < MEMBERS_MAX; i++) {
        struct broker *b = world.members[i];
        if (!b || b->group != group || b->state == OUT)
            continue;
        if (b->state != WAITING && b->state != JOINING) {
            put_out(b);
            continue;
        }
        b->state = ASSIGNING;
        b->generation = world.generation;
        b->change = BROKER_ASSIGNED;
        b->place_count = 0;
        ready[count++] = b;
    }
    /* By range, a partition of both topics goes to one member; other assignors part them. */
    int turn = dice(count);
    for (int t = 0; t < world.topic_count && count; t++) {
        for (int p = 0; p < world.partition_count; p++) {
            struct broker *b = ready[(turn + p) % count];
            b->places[b->place_count++] = (struct broker_place){t, p, {-1, -1}};
        }
        turn = world.apart ? dice(count) : turn;
    }
    g->rebalancing = false;
    world_trace("group %d hands partitions to %d members", group, count);
}

void group_tick(void)
{
    for (int group = 0; group < GROUPS; group++) {
        struct group *g = &world.groups[group];
        for (int i = 0; i < MEMBERS_MAX; i++) {
            struct broker *b = world.members[i];
            if (!b || b->group != group)
                continue;
            bool dead = !b->alive && world.now_ms - b->polled_ms > SESSION_MS;
            bool stuck = b->alive && world.now_ms - b->polled_ms > POLL_MAX_MS && b->state != OUT;
            if (dead) {
                let_go(b);
                free(b);
                group_rebalance(group);
            } else if (stuck) {
                put_out(b);
                group_rebalance(group);
            } else if (b->state == JOINING && !g->rebalancing) {
                group_rebalance(group);
            }
        }
        if (g->rebalancing && world.now_ms >= g->earliest_ms &&
            (all_answered(group) || world.now_ms > g->deadline_ms))
            hand_out(group);
    }
}

/* ---- reading ---- */

static void add_item(struct broker *b, struct broker_item item)
{
    if (b->item_count < (int)(sizeof b->items / sizeof *b->items))
        b->items[b->item_count++] = item;
}

static void refuse(struct broker *b, int t, int p, enum broker_what what, const char *text)
{
    if (chance(200))
        add_item(b, (struct broker_item){.what = what,
                                         .topic = t,
                                         .partition = p,
                                         .offset = b->parts[t][p].offset,
                                         .text = text});
}

static void read_partition(struct broker *b, int t, int p, int most)
{
    struct partition *log = &world.logs[t][p];
    int64_t *offset = &b->parts[t][p].offset, end = log_stable_end(t, p);
    if (log->cut_back && *offset >= log->count && b->parts[t][p].epoch >= 0) {
        refuse(b, t, p, BROKER_TRUNCATED, "cut back");
        return;
    }
    if (*offset < log->start || *offset > log->count ||
        (world.now_ms<log->trails_until_ms && * offset> log->start)) {
        refuse(b, t, p, BROKER_IMPOSSIBLE, "offset out of range");
        return;
    }
    for (; most > 0 && *offset < end; ++*offset) {
        const struct entry *e = &log->entries[*offset];
        if (e->state != ENTRY_COMMITTED)
            continue;
        most--;
        bool tombstone = e->kind == ENTRY_TOMBSTONE;
        add_item(b, (struct broker_item){
                        .what = BROKER_RECORD,
                        .topic = t,
                        .partition = p,
                        .offset = *offset,
                        .record = {.partition = p,
                                   .leader_epoch = 0,
                                   .offset = *offset,
                                   .timestamp_ms = e->timestamp_ms,
                                   .key = text_of(e->key),
                                   .value = tombstone ? (struct text){0} : text_of(e->value)}});
        b->parts[t][p].epoch = 0;
    }
    if (*offset >= end && b->parts[t][p].told_end != *offset) {
        add_item(b, (struct broker_item){
                        .what = BROKER_END, .topic = t, .partition = p, .offset = *offset});
        b->parts[t][p].told_end = *offset;
    }
}

int broker_poll(struct broker *broker, int64_t wait_ms)
{
    world_sleep(wait_ms > 0 && chance(700) ? dice((int)wait_ms + 1) : 0);
    broker->polled_ms = world.now_ms;
    broker->item_count = broker->item_next = 0;
    if (broker->lost) {
        /* Put out of the group: told now, and joins again after it let go. */
        broker->change = BROKER_LOST;
        broker->state = REVOKING;
        broker->lost = false;
        return 0;
    }
    if (world.kafka_away || broker->generation != world.generation)
        return 0;
    int count = world.topic_count * world.partition_count, first = dice(count);
    for (int i = 0; i < count; i++) {
        int t = (first + i) % count / world.partition_count;
        int p = (first + i) % world.partition_count;
        if (broker->parts[t][p].assigned && !broker->parts[t][p].paused)
            read_partition(broker, t, p, 1 + dice(12));
    }
    return broker->item_count;
}

bool broker_next(struct broker *broker, struct broker_item *item)
{
    if (broker->item_next >= broker->item_count)
        return false;
    *item = broker->items[broker->item_next++];
    return true;
}

enum broker_change broker_change(struct broker *broker, const struct broker_place **places,
                                 int *count)
{
    *places = broker->places;
    *count = broker->place_count;
    return broker->change;
}

/* A worker that let its partitions go waits for others to be given. */
static void check_given(const struct broker *b, const struct broker_place *places, int count)
{
    if (count && (b->state == WAITING || b->state == JOINING))
        world_fail("a worker reads partitions that it was not given");
    for (int i = 0; i < count; i++) {
        bool given = false;
        for (int k = 0; k < b->place_count; k++)
            given = given || (b->places[k].partition == places[i].partition &&
                              b->places[k].topic == places[i].topic);
        if (!given && b->state == ASSIGNING)
            world_fail("partition %d is read, and others were given", places[i].partition);
    }
}

int broker_assign(struct broker *broker, const struct broker_place *places, const bool *paused,
                  int count, struct error *err)
{
    (void)err;
    check_given(broker, places, count);
    memset(broker->parts, 0, sizeof broker->parts);
    broker->item_count = broker->item_next = 0;
    for (int i = 0; i < count; i++) {
        int t = places[i].topic, p = places[i].partition;
        broker->parts[t][p].assigned = true;
        broker->parts[t][p].paused = paused && paused[i];
        broker->parts[t][p].offset = places[i].at.offset;
        broker->parts[t][p].epoch = places[i].at.epoch;
        broker->parts[t][p].told_end = -1;
        if (places[i].at.offset < 0)
            world_fail("partition %d is to be read from no offset", p);
    }
    broker->change = BROKER_STAYS;
    if (broker->state == ASSIGNING)
        broker->state = STEADY;
    if (broker->state == STEADY && world.groups[broker->group].rebalancing) {
        broker->state = REVOKING;
        broker->change = BROKER_REVOKED;
    }
    return 0;
}

int broker_unassign(struct broker *broker, struct error *err)
{
    bool was_lost = broker->change == BROKER_LOST;
    (void)err;
    memset(broker->parts, 0, sizeof broker->parts);
    broker->item_count = broker->item_next = 0;
    broker->change = BROKER_STAYS;
    broker->state = was_lost ? JOINING : WAITING;
    return 0;
}

void broker_pause(struct broker *broker)
{
    for (int t = 0; t < world.topic_count; t++)
        for (int p = 0; p < world.partition_count; p++)
            broker->parts[t][p].paused = true;
}

void broker_commit(struct broker *broker, const struct broker_place *places, int count)
{
    (void)broker;
    (void)places;
    (void)count;
}

int64_t broker_end(const struct broker *broker, int topic, int32_t partition)
{
    (void)broker;
    return log_stable_end(topic, partition);
}

/* The worlds of sales and service have one topic, which stands for both. */
static int topic_of(const char *name)
{
    return world.topic_count > 1 && strcmp(name, "tandem.service") == 0 ? 1 : 0;
}

int broker_describe(struct broker *broker, const char *name, struct broker_topic *out,
                    struct error *err)
{
    int topic = topic_of(name), count = world.described_partitions[topic];
    (void)broker;
    broker_topic_clear(out);
    world_sleep(chance(300) ? dice(20) : 0);
    if (world.kafka_away)
        return error_retry(err, ERROR_KAFKA, "no broker answers for %s", name);
    out->partitions = count;
    snprintf(out->cluster, sizeof out->cluster, "%s", world.cluster_id);
    snprintf(out->id, sizeof out->id, "%s", world.topic_ids[topic]);
    out->starts = calloc((size_t)count, sizeof *out->starts);
    out->ends = calloc((size_t)count, sizeof *out->ends);
    if (!out->starts || !out->ends)
        abort();
    for (int p = 0; p < count && p < world.partition_count; p++) {
        out->starts[p] = world.logs[topic][p].start;
        out->ends[p] = log_stable_end(topic, p);
    }
    return 0;
}

void broker_topic_clear(struct broker_topic *topic)
{
    free(topic->starts);
    free(topic->ends);
    *topic = (struct broker_topic){.retention_ms = -1};
}

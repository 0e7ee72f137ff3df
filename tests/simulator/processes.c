/* Worker processes: started, killed, ended. */
#include "common/calendar.h"
#include "consumers/worker/worker.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void take_targets(struct worker_process *p)
{
    for (int t = 0; t < world.topic_count; t++)
        for (int i = 0; i < world.partition_count; i++)
            p->targets[t][i] = log_stable_end(t, i);
}

static void worker_body(void *context)
{
    struct worker_process *p = context;
    struct worker *worker = NULL;
    struct error err = {0};
    struct worker_options options = {.exit_at_end = p->exit_at_end, .accept_gap = p->accept_gap};
    enum worker_turn turn = WORKER_GOES_ON;
    take_targets(p);
    if (worker_open(&worker, p->config, world.kind, options, &err) != 0)
        turn = WORKER_FAILED;
    while (turn == WORKER_GOES_ON && !p->stop)
        turn = worker_step(worker, 100, &err);
    p->failed = turn == WORKER_FAILED;
    p->done = turn == WORKER_DONE;
    snprintf(p->why, sizeof p->why, "%s", p->failed ? err.text : "");
    if (worker) {
        worker_stop(worker, 3000);
        memset(p->stores, 0, sizeof p->stores);
        worker_free(worker);
    }
    memset(p->stores, 0, sizeof p->stores);
}

static char *word(const char *text)
{
    return (char *)(uintptr_t)text;
}

static struct config *make_config(bool other_settings)
{
    static char ledger_from[11];
    struct config *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    c->brokers = c->redis = word("simulated");
    c->business = word("main");
    c->timezone = word("UTC");
    c->group = c->redis_password_file = c->redis_ca_file = c->redis_cert_file = c->redis_key_file =
        c->targets = word("");
    c->topics_sales = word("tandem.sales");
    c->topics_service = word("tandem.service");
    c->topics_rejected = word("tandem.rejected");
    c->type_prefix = word("tandem.");
    c->scopes = word("region");
    c->scope_limit = world.scope_limit;
    c->flush_ms = 1 + dice(200);
    c->flush_cells = 1 + dice(80);
    c->dedup_window = other_settings ? world.window + 1 : world.window;
    c->ledger_shards = world.server_count;
    c->ledger_limit = world.ledger_limit;
    c->ledger_from = world.ledger_from == INT32_MIN
                         ? word("")
                         : calendar_format_date(world.ledger_from, ledger_from);
    c->redis_timeout_ms = 500 + dice(3000);
    c->topic_id_check = true;
    return c;
}

struct worker_process *process_start(int group, bool other_settings)
{
    for (int i = 0; i < PROCESSES_MAX; i++) {
        struct worker_process *p = &world.processes[i];
        if (p->used)
            continue;
        *p = (struct worker_process){.used = true,
                                     .group = group,
                                     .other_settings = other_settings,
                                     .exit_at_end = !world.damage && chance(60),
                                     .accept_gap = world.accept_gap,
                                     .sound = !world.faults,
                                     .started_ms = world.now_ms,
                                     .wake_ms = world.now_ms};
        p->config = make_config(other_settings);
        p->fiber = fiber_new(worker_body, p);
        world_trace("starts worker %d in group %d%s", i, group,
                    other_settings ? " with other settings" : "");
        return p;
    }
    return NULL;
}

static void bury(struct worker_process *p)
{
    fiber_free(p->fiber);
    free(p->config);
    *p = (struct worker_process){0};
}

/* Cut off where it stands: what it had sent may still arrive. */
void process_crash(struct worker_process *p)
{
    world_trace("worker %d is killed", (int)(p - world.processes));
    if (p->broker)
        member_dies(p->broker);
    for (int i = 0; i < SERVERS_MAX; i++)
        if (p->stores[i])
            store_dies(p->stores[i]);
    bury(p);
}

int processes_running(void)
{
    int count = 0;
    for (int i = 0; i < PROCESSES_MAX; i++)
        count += world.processes[i].used && !world.processes[i].other_settings;
    return count;
}

struct worker_process *process_any(void)
{
    int first = dice(PROCESSES_MAX);
    for (int i = 0; i < PROCESSES_MAX; i++)
        if (world.processes[(first + i) % PROCESSES_MAX].used)
            return &world.processes[(first + i) % PROCESSES_MAX];
    return NULL;
}

/* A worker may give up only for what somebody has to mend. */
static bool may_fail(const struct worker_process *p)
{
    if (p->other_settings)
        return strstr(p->why, "other settings") != NULL;
    if (world.damage)
        return damage_explains(p);
    return strstr(p->why, "cannot add to") && world.injected[F_WRONG_TYPE];
}

static void check_target(int topic, int partition, int64_t target)
{
    const struct store_position *at =
        memory_position(world_server(partition)->master, topic, partition);
    if (!at || at->at.offset < target)
        world_fail("a worker ended at the end of the log, but partition %d is at %lld, not %lld",
                   partition, at ? (long long)at->at.offset : -1, (long long)target);
}

/* --exit-at-end promises that all of it is counted, also what others read. */
static void check_done(const struct worker_process *p)
{
    for (int t = 0; t < world.topic_count && p->sound && !world.damage; t++)
        for (int i = 0; i < world.partition_count; i++)
            check_target(t, i, p->targets[t][i]);
}

void process_end(struct worker_process *p)
{
    if (p->failed)
        world_trace("worker %d ended: %s", (int)(p - world.processes), p->why);
    if (p->failed && !may_fail(p))
        world_fail("a worker gave up: %s", p->why);
    if (p->other_settings && !p->failed && !p->stop)
        world_fail("a worker with other settings was let in");
    if (p->done)
        check_done(p);
    bury(p);
}

/* simulate - the worker's real code under thousands of seeded schedules of faults.
 *
 * usage: simulate [--seeds N] [--from SEED] [--seed SEED] [--trace]
 *
 * Each seed makes a log, some workers, and a time of faults; then everything heals, and within a
 * bounded time every counter must equal a plain recount of the log. The same seed does the same
 * again: --seed N --trace shows it step by step. Ends with 0 only if every seed agreed. */
#include "common/calendar.h"
#include "consumers/worker.h"
#include "world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct world world;

enum { PROCESSES = 16, STEPS_MAX = 400000, HEAL_MS = 30 * 60 * 1000 };

static const char *const fault_names[] = {
    "crash", "stop in good order", "start", "rebalance", "member stalls", "redis away",
    "redis says later", "reset connections", "set back to an earlier state", "emptied",
    "two masters", "wrong type half-way", "dead letters away", "kafka away", "open transaction",
    "other settings", "second group", NULL,
};
enum fault {
    F_CRASH, F_STOP, F_START, F_REBALANCE, F_STALL, F_REDIS_AWAY, F_LATER, F_RESET, F_SET_BACK,
    F_EMPTY, F_SPLIT, F_WRONG_TYPE, F_LETTERS, F_KAFKA, F_TRANSACTION, F_SETTINGS, F_GROUP, FAULTS
};

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

void world_applied(const struct batch *batch)
{
    (void)batch;
    world.applied++;
    if (chance(250))
        recount_check(world.master, false);
}

/* ---- worker processes ---- */

static void worker_body(void *context)
{
    struct worker_process *p = context;
    struct worker *worker = NULL;
    struct error err = {0};
    struct worker_options options = {0};
    enum worker_turn turn = WORKER_GOES_ON;
    if (worker_open(&worker, p->config, &sales_kind, options, &err) != 0)
        turn = WORKER_FAILED;
    while (turn == WORKER_GOES_ON && !p->stop)
        turn = worker_step(worker, 100, &err);
    p->failed = turn == WORKER_FAILED;
    snprintf(p->why, sizeof p->why, "%s", p->failed ? err.text : "");
    if (worker) {
        worker_stop(worker, 3000);
        p->store = NULL;
        worker_free(worker);
    }
    p->store = NULL;
}

static struct config *make_config(bool other_settings)
{
    struct config *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    c->brokers = c->redis = (char *)(uintptr_t)"simulated";
    c->business = (char *)(uintptr_t)"main";
    c->timezone = (char *)(uintptr_t)"UTC";
    c->group = c->redis_password_file = c->redis_ca_file = c->targets = (char *)(uintptr_t)"";
    c->topics_sales = (char *)(uintptr_t)"tandem.sales";
    c->topics_service = (char *)(uintptr_t)"tandem.service";
    c->topics_rejected = (char *)(uintptr_t)"tandem.rejected";
    c->type_prefix = (char *)(uintptr_t)"tandem.";
    c->scopes = (char *)(uintptr_t)"region";
    c->scope_limit = world.scope_limit;
    c->flush_ms = 1 + dice(200);
    c->flush_cells = 1 + dice(80);
    c->dedup_window = other_settings ? world.window + 1 : world.window;
    c->redis_timeout_ms = 500 + dice(3000);
    c->topic_id_check = true;
    return c;
}

static void start_worker(int group, bool other_settings)
{
    for (int i = 0; i < PROCESSES; i++) {
        struct worker_process *p = &world.processes[i];
        if (p->used)
            continue;
        *p = (struct worker_process){.used = true, .running = true, .group = group,
                                     .other_settings = other_settings, .wake_ms = world.now_ms};
        p->config = make_config(other_settings);
        p->fiber = fiber_new(worker_body, p);
        world_trace("starts worker %d in group %d%s", i, group,
                    other_settings ? " with other settings" : "");
        return;
    }
}

static void bury(struct worker_process *p)
{
    fiber_free(p->fiber);
    free(p->config);
    *p = (struct worker_process){0};
}

/* Cut off where it stands: what it had sent may still arrive. */
static void crash(struct worker_process *p)
{
    world_trace("worker %d is killed", (int)(p - world.processes));
    if (p->broker)
        member_dies(p->broker);
    if (p->store)
        store_dies(p->store);
    bury(p);
}

static int running(void)
{
    int count = 0;
    for (int i = 0; i < PROCESSES; i++)
        count += world.processes[i].used && !world.processes[i].other_settings;
    return count;
}

static struct worker_process *any_worker(void)
{
    int first = dice(PROCESSES);
    for (int i = 0; i < PROCESSES; i++)
        if (world.processes[(first + i) % PROCESSES].used)
            return &world.processes[(first + i) % PROCESSES];
    return NULL;
}

static bool may_fail(const struct worker_process *p)
{
    return p->other_settings || world.master->broken_key[0] || strstr(p->why, "day counters");
}

static void take_end(struct worker_process *p)
{
    if (p->failed)
        world_trace("worker %d ended: %s", (int)(p - world.processes), p->why);
    if (p->failed && !may_fail(p) && !strstr(p->why, "cannot add to"))
        world_fail("a worker gave up: %s", p->why);
    if (p->other_settings && !p->failed && !p->stop)
        world_fail("a worker with other settings was let in");
    bury(p);
}

/* Runs one worker that is due; lets time pass when none is. */
static void run_one(void)
{
    int64_t soonest_ms = INT64_MAX;
    int first = dice(PROCESSES);
    group_tick();
    store_tick();
    for (int i = 0; i < PROCESSES; i++) {
        struct worker_process *p = &world.processes[(first + i) % PROCESSES];
        if (!p->used)
            continue;
        if (p->wake_ms > world.now_ms) {
            soonest_ms = p->wake_ms < soonest_ms ? p->wake_ms : soonest_ms;
            continue;
        }
        fiber_resume(p->fiber);
        if (fiber_ended(p->fiber))
            take_end(p);
        return;
    }
    world.now_ms = soonest_ms == INT64_MAX ? world.now_ms + 10 : soonest_ms;
}

/* ---- faults ---- */

static void snapshot(void)
{
    int slot = world.snapshot_count < SNAPSHOTS_MAX ? world.snapshot_count++ : dice(SNAPSHOTS_MAX);
    memory_free(world.snapshots[slot]);
    world.snapshots[slot] = memory_copy(world.master);
}

static void set_back(void)
{
    if (!world.snapshot_count)
        return;
    store_forget_errands();
    store_reset_all();
    memory_free(world.master);
    world.master = memory_copy(world.snapshots[dice(world.snapshot_count)]);
    world.master->broken_key[0] = 0;
}

static void end_split(void)
{
    world.split_on = false;
    store_tick();
    memory_free(world.split);
    world.split = NULL;
}

static void begin_split(void)
{
    if (world.split_on) {
        end_split();
        return;
    }
    world.split = memory_copy(world.master);
    world.split_on = true;
    store_reset_all();
}

static void break_a_key(void)
{
    if (!world.master->cell_count)
        return;
    snprintf(world.master->broken_key, sizeof world.master->broken_key, "%s",
             world.master->cells[dice((int)world.master->cell_count)].key);
}

static void stall_somebody(void)
{
    struct worker_process *p = any_worker();
    if (p)
        p->wake_ms = world.now_ms + dice(90000);
}

static void inject(void)
{
    struct worker_process *p = any_worker();
    enum fault fault = (enum fault)dice(FAULTS);
    world.injected[fault]++;
    world_trace("fault: %s", fault_names[fault]);
    switch (fault) {
    case F_CRASH:
        if (p)
            crash(p);
        break;
    case F_STOP:
        if (p)
            p->stop = true;
        break;
    case F_START:
        if (running() < 5)
            start_worker(0, false);
        break;
    case F_REBALANCE:
        group_rebalance(dice(GROUPS));
        break;
    case F_STALL:
        stall_somebody();
        break;
    case F_REDIS_AWAY:
        world.redis_away = !world.redis_away;
        break;
    case F_LATER:
        world.redis_later = !world.redis_later;
        break;
    case F_RESET:
        store_reset_all();
        break;
    case F_SET_BACK:
        set_back();
        break;
    case F_EMPTY:
        store_forget_errands();
        memory_clear(world.master);
        break;
    case F_SPLIT:
        begin_split();
        break;
    case F_WRONG_TYPE:
        break_a_key();
        break;
    case F_LETTERS:
        world.letters_away = !world.letters_away;
        break;
    case F_KAFKA:
        world.kafka_away = !world.kafka_away;
        break;
    case F_TRANSACTION:
        log_append_transaction(dice(world.partition_count));
        break;
    case F_SETTINGS:
        start_worker(0, true);
        break;
    case F_GROUP:
        if (running() < 5)
            start_worker(1, false);
        break;
    case FAULTS:
        break;
    }
}

static void heal(void)
{
    world.faults = world.redis_away = world.redis_later = world.letters_away = world.kafka_away =
        false;
    end_split();
    world.master->broken_key[0] = 0;
    log_resolve();
    for (int i = 0; i < PROCESSES; i++)
        if (world.processes[i].used && world.processes[i].wake_ms > world.now_ms + 1000)
            world.processes[i].wake_ms = world.now_ms + 1000;
    world_trace("everything heals");
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

/* ---- one schedule ---- */

static void write_some(int most)
{
    for (int n = dice(most + 1); n > 0; n--)
        log_append(dice(world.partition_count));
}

static void begin(uint64_t seed)
{
    world = (struct world){.seed = seed, .dice = seed * UINT64_C(0x9e3779b97f4a7c15) + 1,
                           .trace = world.trace};
    for (int i = 0; i < 8; i++)
        dice(2);
    world.partition_count = 1 + dice(PARTITIONS_MAX);
    world.window = 1 + dice(40);
    world.scope_limit = 1 + dice(6);
    world.master = memory_new();
    world.faults = true;
    snprintf(world.topic_id, sizeof world.topic_id, "topic-1");
    for (int p = 0; p < world.partition_count; p++) {
        world.partitions[p].entries = calloc(LOG_MAX, sizeof(struct entry));
        world.letters[p] = calloc(LOG_MAX, sizeof(bool));
        if (!world.partitions[p].entries || !world.letters[p])
            abort();
        for (int g = 0; g < GROUPS; g++)
            world.groups[g].owner[p] = -1;
    }
}

static void end(void)
{
    for (int i = 0; i < PROCESSES; i++)
        if (world.processes[i].used)
            crash(&world.processes[i]);
    store_forget_errands();
    for (int i = 0; i < MEMBERS_MAX; i++) {
        free(world.members[i]);
        world.members[i] = NULL;
    }
    for (int i = 0; i < world.snapshot_count; i++)
        memory_free(world.snapshots[i]);
    memory_free(world.master);
    memory_free(world.split);
    for (int p = 0; p < world.partition_count; p++) {
        free(world.partitions[p].entries);
        free(world.letters[p]);
    }
}

static void fault_time(void)
{
    int length = 200 + dice(1500), fault_rate = 2 + dice(25);
    for (int i = 0; i < length && !world.verdict[0]; i++) {
        if (chance(60))
            write_some(12);
        if (chance(fault_rate))
            inject();
        if (chance(15))
            snapshot();
        if (chance(20) && !running())
            start_worker(0, false);
        if (chance(30))
            log_resolve();
        run_one();
        world.steps++;
    }
}

static void healing_time(void)
{
    int64_t end_ms = world.now_ms + HEAL_MS;
    heal();
    for (int i = 0; !world.verdict[0] && !all_counted(); i++) {
        if (!running())
            start_worker(0, false);
        run_one();
        if (i > STEPS_MAX || world.now_ms > end_ms)
            world_fail("hangs: %d steps and %lld minutes after everything healed the log is not "
                       "counted", i, (long long)(world.now_ms - end_ms + HEAL_MS) / 60000);
        world.steps++;
    }
}

static bool run_seed(uint64_t seed)
{
    begin(seed);
    write_some(60);
    start_worker(0, false);
    if (chance(500))
        start_worker(0, false);
    fault_time();
    healing_time();
    if (!world.verdict[0])
        recount_check(world.master, true);
    end();
    if (world.verdict[0])
        printf("seed %" PRIu64 ": %s\n", seed, world.verdict);
    return !world.verdict[0];
}

/* ---- many schedules ---- */

struct tally_of_seeds {
    uint64_t seeds, failed;
    int64_t steps, applied, injected[FAULTS];
};

/* A chunk of seeds in a process of its own: what killed workers leave behind ends with it. */
static void run_chunk(uint64_t from, uint64_t to, int out)
{
    struct tally_of_seeds t = {0};
    for (uint64_t seed = from; seed < to; seed++) {
        t.failed += !run_seed(seed);
        t.seeds++;
        t.steps += world.steps;
        t.applied += world.applied;
        for (int f = 0; f < FAULTS; f++)
            t.injected[f] += world.injected[f];
    }
    fflush(stdout);
    if (write(out, &t, sizeof t) != (ssize_t)sizeof t)
        _exit(1);
    _exit(0);
}

static void print_table(const struct tally_of_seeds *t, double seconds)
{
    printf("%-32s %10s\n", "fault", "injected");
    for (int f = 0; f < FAULTS; f++)
        printf("%-32s %10lld\n", fault_names[f], (long long)t->injected[f]);
    printf("%" PRIu64 " schedules, %" PRId64 " steps, %" PRId64 " batches applied in %.1f s: %" PRIu64
           " disagree\n", t->seeds, t->steps, t->applied, seconds, t->failed);
}

static int run_many(uint64_t from, uint64_t count)
{
    enum { CHUNK = 25 };
    int pipes[2], children = 0, jobs = (int)sysconf(_SC_NPROCESSORS_ONLN), lost = 0;
    struct tally_of_seeds all = {0}, part;
    struct timespec begin_time, end_time;
    uint64_t next = from, last = from + count;
    clock_gettime(CLOCK_MONOTONIC, &begin_time);
    if (pipe(pipes) != 0)
        return 1;
    while (next < last || children) {
        if (next < last && children < jobs) {
            uint64_t to = next + CHUNK < last ? next + CHUNK : last;
            fflush(stdout);
            pid_t pid = fork();
            if (pid == 0)
                run_chunk(next, to, pipes[1]);
            if (pid < 0)
                return 1;
            children++;
            next = to;
            continue;
        }
        int status;
        pid_t pid = wait(&status);
        children--;
        if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            printf("a chunk of seeds below %" PRIu64 " did not end well\n", next);
            lost++;
            continue;
        }
        if (read(pipes[0], &part, sizeof part) != (ssize_t)sizeof part)
            return 1;
        all.seeds += part.seeds;
        all.failed += part.failed;
        all.steps += part.steps;
        all.applied += part.applied;
        for (int f = 0; f < FAULTS; f++)
            all.injected[f] += part.injected[f];
    }
    clock_gettime(CLOCK_MONOTONIC, &end_time);
    print_table(&all, (double)(end_time.tv_sec - begin_time.tv_sec) +
                          (double)(end_time.tv_nsec - begin_time.tv_nsec) / 1e9);
    return all.failed || lost || all.seeds != count ? 1 : 0;
}

int main(int argc, char **argv)
{
    uint64_t from = 1, seeds = 2000, one = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--trace") == 0)
            world.trace = true;
        else if (i + 1 < argc && strcmp(argv[i], "--seeds") == 0)
            seeds = strtoull(argv[++i], NULL, 10);
        else if (i + 1 < argc && strcmp(argv[i], "--from") == 0)
            from = strtoull(argv[++i], NULL, 10);
        else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0)
            one = strtoull(argv[++i], NULL, 10);
        else {
            fprintf(stderr, "usage: simulate [--seeds N] [--from SEED] [--seed SEED] [--trace]\n");
            return 2;
        }
    }
    if (one) {
        bool agreed = run_seed(one);
        printf("seed %" PRIu64 ": %s\n", one, agreed ? "agrees" : "disagrees");
        return agreed ? 0 : 1;
    }
    return run_many(from, seeds);
}

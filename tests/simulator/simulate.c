/* simulate - the worker's real code under thousands of seeded schedules of faults.
 *
 * usage: simulate [--seeds N] [--from SEED] [--first] [--seed SEED [--trace]]
 *
 * Each seed makes a log, some workers, and a time of faults; then everything heals, and within a
 * bounded time every counter must equal a plain recount of the log. The same seed does the same
 * again: --seed N --trace shows it step by step. --first ends at the first seed that disagrees.
 * Ends with 0 only if every seed agreed. */
#include "world.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Of processor time; most need some milliseconds. */
enum { SEED_SECONDS = 20 };

struct options {
    uint64_t from, seeds, one;
    bool first;
};

struct tally_of_seeds {
    uint64_t seeds, failed;
    int64_t steps, applied, injected[FAULTS];
};

#if defined(__SANITIZE_ADDRESS__)
/* What a killed worker held is not given back, as in a real process. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return 1;
}
#endif

/* A worker that turns round and round at one instant: no number of turns would end that. */
static void on_alarm(int signal_number)
{
    static const char text[] = "a schedule does not come back: a worker never waits\n";
    (void)signal_number;
    if (write(STDOUT_FILENO, text, sizeof text - 1) < 0)
        _exit(4);
    _exit(3);
}

static bool run_seed(uint64_t seed)
{
    signal(SIGVTALRM, on_alarm);
    setitimer(ITIMER_VIRTUAL, &(struct itimerval){.it_value = {.tv_sec = SEED_SECONDS}}, NULL);
    schedule_run(seed);
    setitimer(ITIMER_VIRTUAL, &(struct itimerval){0}, NULL);
    if (world.verdict[0])
        printf("seed %" PRIu64 ": %s\n", seed, world.verdict);
    return !world.verdict[0];
}

/* A chunk of seeds in a process of its own: what killed workers leave behind ends with it. */
static void run_chunk(uint64_t from, uint64_t to, bool first, int out)
{
    struct tally_of_seeds t = {0};
    for (uint64_t seed = from; seed < to && !(first && t.failed); seed++) {
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
    printf("%-40s %10s\n", "fault", "happened");
    for (int f = 0; f < FAULTS; f++)
        printf("%-40s %10lld\n", fault_names[f], (long long)t->injected[f]);
    printf("%" PRIu64 " schedules, %" PRId64 " steps, %" PRId64
           " batches applied in %.1f s: %" PRIu64 " disagree\n",
           t->seeds, t->steps, t->applied, seconds, t->failed);
}

static void add_tally(struct tally_of_seeds *all, const struct tally_of_seeds *part)
{
    all->seeds += part->seeds;
    all->failed += part->failed;
    all->steps += part->steps;
    all->applied += part->applied;
    for (int f = 0; f < FAULTS; f++)
        all->injected[f] += part->injected[f];
}

static double seconds_since(const struct timespec *begin)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - begin->tv_sec) + (double)(now.tv_nsec - begin->tv_nsec) / 1e9;
}

/* Waits for one child. False when it did not end well. */
static bool take_child(int from, uint64_t below, struct tally_of_seeds *all)
{
    int status;
    struct tally_of_seeds part;
    pid_t pid = wait(&status);
    if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        printf("a chunk of seeds below %" PRIu64 " did not end well\n", below);
        return false;
    }
    if (read(from, &part, sizeof part) != (ssize_t)sizeof part)
        return false;
    add_tally(all, &part);
    return true;
}

static int run_many(const struct options *options)
{
    enum { CHUNK = 20 };
    int pipes[2], children = 0, jobs = (int)sysconf(_SC_NPROCESSORS_ONLN);
    bool well = true;
    struct tally_of_seeds all = {0};
    struct timespec begin;
    uint64_t next = options->from, last = options->from + options->seeds;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    if (pipe(pipes) != 0)
        return 1;
    while (next < last || children) {
        bool enough = options->first && (all.failed || !well);
        if (next < last && children < jobs && !enough) {
            uint64_t to = next + CHUNK < last ? next + CHUNK : last;
            fflush(stdout);
            pid_t pid = fork();
            if (pid == 0)
                run_chunk(next, to, options->first, pipes[1]);
            if (pid < 0)
                return 1;
            children++;
            next = to;
            continue;
        }
        if (!children)
            break;
        well = take_child(pipes[0], next, &all) && well;
        children--;
    }
    print_table(&all, seconds_since(&begin));
    return all.failed || !well || all.seeds != options->seeds;
}

static int usage(void)
{
    fprintf(stderr, "usage: simulate [--seeds N] [--from SEED] [--first] "
                    "[--seed SEED [--trace]]\n");
    return 2;
}

int main(int argc, char **argv)
{
    struct options options = {.from = 1, .seeds = 2000};
    for (int i = 1; i < argc; i++) {
        uint64_t *number = strcmp(argv[i], "--seeds") == 0  ? &options.seeds
                           : strcmp(argv[i], "--from") == 0 ? &options.from
                           : strcmp(argv[i], "--seed") == 0 ? &options.one
                                                            : NULL;
        if (number && i + 1 < argc)
            *number = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--trace") == 0)
            world.trace = true;
        else if (strcmp(argv[i], "--first") == 0)
            options.first = true;
        else
            return usage();
    }
    if (!options.one)
        return run_many(&options);
    setvbuf(stdout, NULL, _IOLBF, 0);
    bool agreed = run_seed(options.one);
    printf("seed %" PRIu64 ": %s\n", options.one, agreed ? "agrees" : "disagrees");
    return agreed ? 0 : 1;
}

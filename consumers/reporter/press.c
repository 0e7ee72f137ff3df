#include "consumers/reporter/press.h"

#include "common/command.h"
#include "consumers/comparison/comparison.h"
#include "consumers/reporter/publication.h"

#include <string.h>

enum { IN_FLIGHT = 8 };

/* Publications under way, the oldest at `first`. */
struct queue {
    struct publication list[IN_FLIGHT];
    size_t first, count;
};

struct run {
    const struct press *press;
    const struct press_job *job;
    struct press_result *result;
    struct queue queue;
};

static int receive_one(struct run *run, struct error *err)
{
    struct publication *p = &run->queue.list[run->queue.first];
    enum publication_result answer;
    if (publication_receive(p, run->press->redis, &answer, err) != 0) {
        return -1;
    }
    int rc = 0;
    if (answer == PUBLICATION_MADE) {
        run->result->made++;
        bulletin_take(run->press->bulletin, p);
        rc = dispatch_send(run->press->dispatch, p, err);
    } else if (answer == PUBLICATION_STALE) {
        run->result->stale++;
    } else {
        run->result->lost = true;
    }
    publication_clear(p);
    run->queue.first = (run->queue.first + 1) % IN_FLIGHT;
    run->queue.count--;
    return rc;
}

static int drain(struct run *run, struct error *err)
{
    while (run->queue.count > 0) {
        if (receive_one(run, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static void drop(struct run *run)
{
    for (size_t i = 0; i < IN_FLIGHT; i++) {
        publication_clear(&run->queue.list[i]);
    }
}

/* The previous period counts only when all of it is kept. */
static bool looks_back(const struct press *press, struct period period)
{
    return period_previous(period).first >= press->business->floor;
}

static struct comparison_counters counters_of(const struct sums *sums)
{
    return (struct comparison_counters){sums->sale, sums->service, sums->customer};
}

static int compute(const struct run *run, struct period period, struct fields **out,
                   struct error *err)
{
    const struct press *press = run->press;
    const struct sums *now, *before;
    struct comparison_counters previous;
    if (days_sum(press->days, period, &now, err) != 0) {
        return -1;
    }
    struct comparison_input input = {
        .business = press->config->business,
        .scope = run->job->scope,
        .period = period,
        .now = counters_of(now),
        .targets = press->targets,
        .zone = press->zone,
        .as_of_s = press->as_of_s,
        .currencies = (const char *const *)press->business->currencies.list,
        .currency_count = press->business->currencies.count,
        .ledger_from = press->business->ledger_from,
        .store = press->business->store,
    };
    if (looks_back(press, period)) {
        if (days_sum(press->days, period_previous(period), &before, err) != 0) {
            return -1;
        }
        previous = counters_of(before);
        input.previous = &previous;
    }
    return comparison_compute(&input, out, err);
}

/* The marks of the days that a period and the one before it hold. */
static void take_marks(const struct run *run, struct publication *p)
{
    const struct press_job *job = run->job;
    if (job->regardless) {
        return;
    }
    int32_t from = period_previous(p->period).first;
    size_t low = job->mark_from, end = job->mark_from + job->mark_count;
    while (low < end && dirty_at(run->press->dirty, low)->day < from) {
        low++;
    }
    size_t high = low;
    while (high < end && dirty_at(run->press->dirty, high)->day <= p->period.last) {
        high++;
    }
    p->dirty = run->press->dirty;
    p->mark_from = low;
    p->mark_count = high - low;
}

/* A verdict of long ago that changes while a history is being imported is nobody's news. */
static bool is_news(const struct press *press, struct period period)
{
    return period.first <= press->today && press->today <= period_next(period).last;
}

static int publish(struct run *run, struct period period, struct error *err)
{
    const struct press *press = run->press;
    struct queue *queue = &run->queue;
    if (queue->count == IN_FLIGHT && receive_one(run, err) != 0) {
        return -1;
    }
    struct publication *p = &queue->list[(queue->first + queue->count) % IN_FLIGHT];
    *p = (struct publication){
        .scope = run->job->scope,
        .period = period,
        .running = period.first <= press->today && press->today <= period.last,
        .announce = is_news(press, period),
    };
    take_marks(run, p);
    if (compute(run, period, &p->fields, err) != 0 ||
        publication_send(p, press->redis, press->config, press->lease, err) != 0) {
        return -1;
    }
    queue->count++;
    return 0;
}

/* Reads what the periods [from, to) need, in as few round trips as possible. */
static int load(const struct run *run, size_t from, size_t to, struct error *err)
{
    const struct press *press = run->press;
    if (days_begin(press->days, run->job->scope, err) != 0) {
        return -1;
    }
    for (size_t i = from; i < to; i++) {
        struct period period = plan_at(run->job->plan, i);
        if (days_want(press->days, period, err) != 0) {
            return -1;
        }
        if (looks_back(press, period) &&
            days_want(press->days, period_previous(period), err) != 0) {
            return -1;
        }
    }
    return days_load(press->days, press->redis, err);
}

/* What is under way is waited for, so that the connection can still let the lease go. */
static int stop(struct run *run, struct error *err)
{
    return drain(run, err) != 0 ? -1 : error_set(err, ERROR_STOPPED, "stopped");
}

/* Year by year, so that memory holds the days of two years at most, however long the history. */
static int publish_all(struct run *run, struct error *err)
{
    const struct plan *plan = run->job->plan;
    size_t count = plan_count(plan), to;
    for (size_t from = 0; from < count && !run->result->lost; from = to) {
        for (to = from;
             to < count && plan_year(plan_at(plan, to)) == plan_year(plan_at(plan, from));) {
            to++;
        }
        /* Answers come in the order of asking: none may be under way while days are read. */
        if (drain(run, err) != 0 || load(run, from, to, err) != 0) {
            return -1;
        }
        for (size_t i = from; i < to && !run->result->lost; i++) {
            if (command_stopping()) {
                return stop(run, err);
            }
            if (publish(run, plan_at(plan, i), err) != 0) {
                return -1;
            }
        }
    }
    return drain(run, err);
}

int press_scope(const struct press *press, const struct press_job *job, struct press_result *result,
                struct error *err)
{
    struct run run = {.press = press, .job = job, .result = result};
    *result = (struct press_result){0};
    if (dirty_refresh(press->dirty, press->redis, job->mark_from, job->mark_count, err) != 0) {
        return -1;
    }
    if (publish_all(&run, err) != 0) {
        if (run.queue.count > 0) {
            redis_disconnect(press->redis); /* answers nobody waits for any more */
        }
        drop(&run);
        return -1;
    }
    if (result->lost || job->regardless || job->mark_count == 0) {
        return 0;
    }
    /* A publication that was refused left a mark that changed, and that one stays: the next round
     * publishes all that it touches. So every mark that is still the same is done with. */
    bool held;
    if (dirty_settle(press->dirty, press->redis, press->lease, job->mark_from, job->mark_count,
                     &held, err) != 0) {
        return -1;
    }
    result->lost = !held;
    return 0;
}

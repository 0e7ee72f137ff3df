#include "consumers/reporter/round.h"

#include "common/clock.h"
#include "common/log.h"
#include "consumers/reporter/agenda.h"
#include "consumers/reporter/gather.h"
#include "consumers/reporter/key.h"
#include "consumers/reporter/press.h"
#include "consumers/reporter/published.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { SLICE_MS = 3000, GATHER_MS = 1000, MISSES_MAX = 3, DIGEST = 33 };

struct rounds {
    const struct config *config;
    const struct zone *zone;
    struct redis *redis;
    const struct lease *lease;
    struct dispatch *dispatch;
    struct keeper *keeper;
    struct bulletin *bulletin;
    struct gather *gather;
    struct days *days;
    struct dirty *dirty;
    struct plan *plan;
    struct agenda *agenda;
    struct business business;
    int64_t as_of_s, minute;  /* of the last round */
    int32_t today, ended_day; /* ended_day: the day reported before today; INT32_MIN: none */
    bool fresh, sync;         /* a new beginning; targets may have changed */
    bool report_day;          /* noted_day is to be noted once its errands are done */
    int32_t noted_day;
    char settings[DIGEST];    /* to be noted once its errands are done; "": nothing to note */
    char last[KEY_SCOPE_MAX]; /* the scope whose marks were last published */
};

int rounds_open(struct rounds **out, const struct config *config, const struct zone *zone,
                struct redis *redis, const struct lease *lease, struct dispatch *dispatch,
                struct keeper *keeper, struct bulletin *bulletin, struct error *err)
{
    struct rounds *r = calloc(1, sizeof *r);
    if (!r) {
        return error_memory(err);
    }
    r->config = config;
    r->zone = zone;
    r->redis = redis;
    r->lease = lease;
    r->dispatch = dispatch;
    r->keeper = keeper;
    r->bulletin = bulletin;
    r->ended_day = INT32_MIN;
    if (gather_open(&r->gather, config, redis, lease, err) != 0 ||
        days_open(&r->days, config->business, err) != 0 ||
        dirty_open(&r->dirty, config->business, err) != 0 || plan_open(&r->plan, err) != 0 ||
        agenda_open(&r->agenda, err) != 0) {
        rounds_free(r);
        return -1;
    }
    rounds_begin(r);
    *out = r;
    return 0;
}

void rounds_free(struct rounds *r)
{
    if (!r) {
        return;
    }
    business_clear(&r->business);
    agenda_free(r->agenda);
    plan_free(r->plan);
    dirty_free(r->dirty);
    days_free(r->days);
    gather_free(r->gather);
    free(r);
}

void rounds_begin(struct rounds *r)
{
    days_clear(r->days);
    gather_begin(r->gather);
    r->fresh = true;
    r->sync = true;
    r->report_day = false;
    r->settings[0] = '\0';
}

void rounds_look_at_targets(struct rounds *r)
{
    r->sync = true;
}

static void take_time(struct rounds *r)
{
    r->as_of_s = clock_wall_ms() / 1000;
    r->today = zone_day(r->zone, r->as_of_s);
}

int rounds_waiting(struct rounds *r, bool *waiting, struct error *err)
{
    int64_t count = dirty_waiting(r->dirty, r->redis, err);
    *waiting = count > 0;
    if (count != 0) {
        return count < 0 ? -1 : 0;
    }
    return gather_marked(r->gather, waiting, err);
}

bool rounds_pending(const struct rounds *r, int64_t *away_ms)
{
    *away_ms = gather_away_ms(r->gather);
    return gather_pending(r->gather);
}

int rounds_due(struct rounds *r, bool *due, struct error *err)
{
    int64_t now_s = clock_wall_ms() / 1000;
    *due = true;
    if (r->fresh || r->sync || now_s / 60 != r->minute || agenda_first(r->agenda)) {
        return 0;
    }
    int64_t count = dirty_waiting(r->dirty, r->redis, err);
    if (count != 0) {
        return count < 0 ? -1 : 0;
    }
    return gather_due(r->gather, due, err);
}

static int add_to_all(struct rounds *r, unsigned errands, struct error *err)
{
    for (size_t i = 0; i < r->business.scopes.count; i++) {
        if (agenda_add(r->agenda, r->business.scopes.list[i], errands, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Scopes with a target: all of them, or those one of whose targets runs today. */
static int add_to_targets(struct rounds *r, unsigned errands, bool running, struct error *err)
{
    const struct targets *targets = keeper_targets(r->keeper);
    for (size_t i = 0; i < targets_count(targets); i++) {
        const struct target *t = targets_at(targets, i);
        bool runs = t->period.first <= r->today && r->today <= t->period.last;
        if ((runs || !running) && agenda_add(r->agenda, t->scope, errands, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Everything that changes what is published of unchanged counters, as one word. */
static void digest_settings(const struct rounds *r, char out[DIGEST])
{
    const char *targets = keeper_text(r->keeper);
    XXH64_hash_t a = XXH3_64bits(targets, strlen(targets)), b = a;
    for (size_t i = 0; i < r->business.currencies.count; i++) {
        const char *code = r->business.currencies.list[i];
        b = XXH3_64bits_withSeed(code, strlen(code), b);
    }
    b = XXH3_64bits_withSeed(&r->business.floor, sizeof r->business.floor, b);
    b = XXH3_64bits_withSeed(&r->business.customers, sizeof r->business.customers, b);
    b = XXH3_64bits_withSeed(&r->business.ledger_from, sizeof r->business.ledger_from, b);
    b = XXH3_64bits_withSeed(r->business.store, strlen(r->business.store), b);
    snprintf(out, DIGEST, "%016" PRIx64 "%016" PRIx64, (uint64_t)a, (uint64_t)b);
}

static int note_settings(struct rounds *r, struct error *err)
{
    char digest[DIGEST];
    digest_settings(r, digest);
    if (strcmp(digest, r->business.settings) == 0 || strcmp(digest, r->settings) == 0) {
        return 0;
    }
    if (r->business.settings[0]) {
        log_info("targets or settings are new: publishing again what they touch");
    }
    days_clear(r->days); /* days may be gone below a new floor */
    memcpy(r->settings, digest, sizeof digest);
    if (r->business.has_range && add_to_all(r, ERRAND_EVERYTHING, err) != 0) {
        return -1;
    }
    return add_to_targets(r, ERRAND_EVERYTHING, false, err);
}

static int note_day(struct rounds *r, struct error *err)
{
    bool reported = r->business.has_day && r->business.day == r->today;
    if (reported || (r->report_day && r->noted_day == r->today)) {
        return 0;
    }
    r->report_day = true;
    r->noted_day = r->today;
    r->ended_day = r->business.has_day ? r->business.day : INT32_MIN;
    return add_to_all(r, ERRAND_RUNNING | ERRAND_ENDED, err);
}

static int note(struct rounds *r, const char *field, const char *value, struct error *err)
{
    char key[KEY_MAX];
    redisReply *reply = NULL;
    key_format(key, r->config->business, "reported");
    if (redis_callf(r->redis, &reply, err, "HSET %s %s %s", key, field, value) != REDIS_OK) {
        return -1;
    }
    freeReplyObject(reply);
    return 0;
}

static bool customers_marked(const struct rounds *r)
{
    for (size_t i = 0; i < dirty_count(r->dirty); i++) {
        if (strncmp(dirty_at(r->dirty, i)->field, "customer:", 9) == 0) {
            return true;
        }
    }
    return false;
}

/* A ledger, or the mark of a customer counter, tells that customers are counted: from then on what
 * nobody did is 0, not undefined. */
static int note_customers(struct rounds *r, struct error *err)
{
    if (!r->business.customers && (gather_ledger(r->gather) || customers_marked(r))) {
        r->business.customers = true;
        if (note(r, "customers", "1", err) != 0) {
            return -1;
        }
    }
    days_read_customers(r->days, r->business.customers);
    return 0;
}

/* Fills the agenda by the clock, the settings and a new beginning. */
static int note_errands(struct rounds *r, struct error *err)
{
    if (note_settings(r, err) != 0 || note_day(r, err) != 0) {
        return -1;
    }
    if (r->fresh && add_to_all(r, ERRAND_RUNNING, err) != 0) {
        return -1;
    }
    if (r->as_of_s / 60 != r->minute && add_to_targets(r, ERRAND_RUNNING, true, err) != 0) {
        return -1;
    }
    r->minute = r->as_of_s / 60;
    r->fresh = false;
    return 0;
}

static int plan_everything(struct rounds *r, const char *scope, struct error *err)
{
    for (int kind = 0; r->business.has_range && kind < PERIOD_KINDS; kind++) {
        struct period *list = NULL;
        size_t count = 0;
        if (published_periods(r->redis, r->config->business, scope, (enum period_kind)kind,
                              r->business.from, r->business.until, &list, &count, err) != 0) {
            return -1;
        }
        int rc = 0;
        for (size_t i = 0; i < count && rc == 0; i++) {
            rc = plan_add(r->plan, list[i], err);
        }
        free(list);
        if (rc != 0) {
            return -1;
        }
    }
    const struct targets *targets = keeper_targets(r->keeper);
    for (size_t i = 0; i < targets_count(targets); i++) {
        const struct target *t = targets_at(targets, i);
        if (strcmp(t->scope, scope) == 0 && plan_add(r->plan, t->period, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int plan_ended(struct rounds *r, struct error *err)
{
    for (int kind = 0; r->ended_day != INT32_MIN && kind < PERIOD_KINDS; kind++) {
        struct period period = period_of((enum period_kind)kind, r->ended_day);
        if (period.last < r->today && plan_add(r->plan, period, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int plan_scope(struct rounds *r, const char *scope, unsigned errands, size_t from,
                      size_t count, struct error *err)
{
    plan_clear(r->plan, r->today, r->business.floor);
    for (size_t i = 0; i < count; i++) {
        const struct mark *mark = dirty_at(r->dirty, from + i);
        bool again = i > 0 && mark->day == dirty_at(r->dirty, from + i - 1)->day;
        if (!again && plan_add_changed(r->plan, mark->day, err) != 0) {
            return -1;
        }
    }
    if ((errands & ERRAND_RUNNING) && plan_add_around(r->plan, r->today, err) != 0) {
        return -1;
    }
    if ((errands & ERRAND_ENDED) && plan_ended(r, err) != 0) {
        return -1;
    }
    if ((errands & ERRAND_EVERYTHING) && plan_everything(r, scope, err) != 0) {
        return -1;
    }
    plan_finish(r->plan);
    return 0;
}

/* Publishes one scope: what its marks and its errands ask for. */
static int run_scope(struct rounds *r, const char *scope, unsigned errands, size_t from,
                     size_t count, struct round_result *result, struct error *err)
{
    struct press press = {
        .config = r->config,
        .zone = r->zone,
        .redis = r->redis,
        .lease = r->lease,
        .dispatch = r->dispatch,
        .bulletin = r->bulletin,
        .days = r->days,
        .dirty = r->dirty,
        .targets = keeper_targets(r->keeper),
        .business = &r->business,
        .as_of_s = r->as_of_s,
        .today = r->today,
    };
    /* Where something is counted faster than it can be read and published, the newest sums are
     * published all the same now and then, and the marks stay. */
    bool regardless = agenda_misses(r->agenda, scope) >= MISSES_MAX;
    struct press_result pressed;
    if (plan_scope(r, scope, errands, from, count, err) != 0) {
        return -1;
    }
    struct press_job job = {scope, r->plan, from, count, regardless};
    if (press_scope(&press, &job, &pressed, err) != 0) {
        return -1;
    }
    result->made += pressed.made;
    result->lost = pressed.lost;
    if (pressed.lost) {
        return 0;
    }
    agenda_done(r->agenda, scope, errands);
    if (pressed.stale == 0) {
        agenda_met(r->agenda, scope);
        return 0;
    }
    result->complete = false;
    return agenda_missed(r->agenda, scope, err);
}

/* One past the last mark of the scope that mark `from` belongs to. */
static size_t scope_end(const struct rounds *r, size_t from)
{
    size_t end = from + 1;
    const char *scope = dirty_at(r->dirty, from)->scope;
    while (end < dirty_count(r->dirty) && strcmp(dirty_at(r->dirty, end)->scope, scope) == 0) {
        end++;
    }
    return end;
}

static int run_marks(struct rounds *r, size_t from, struct round_result *result, struct error *err)
{
    const char *scope = dirty_at(r->dirty, from)->scope;
    unsigned errands = agenda_of(r->agenda, scope) & ~ERRAND_EVERYTHING;
    snprintf(r->last, sizeof r->last, "%s", scope);
    if (run_scope(r, scope, errands, from, scope_end(r, from) - from, result, err) != 0) {
        return -1;
    }
    return dispatch_serve(r->dispatch, r->redis, r->lease, err);
}

static bool over(const struct round_result *result, int64_t end_ms)
{
    return result->lost || clock_mono_ms() >= end_ms;
}

/* The scopes with marks: `all` first, then on from where the last round was cut short, so that
 * none waits for ever. */
static int run_all_marks(struct rounds *r, int64_t end_ms, struct round_result *result,
                         struct error *err)
{
    size_t count = dirty_count(r->dirty), start = 0, i = 0;
    if (count > 0 && strcmp(dirty_at(r->dirty, 0)->scope, "all") == 0) {
        char last[KEY_SCOPE_MAX];
        memcpy(last, r->last, sizeof last);
        if (run_marks(r, 0, result, err) != 0) {
            return -1;
        }
        memcpy(r->last, last, sizeof last);
        start = scope_end(r, 0);
    }
    while (i < count && dirty_compare_scopes(dirty_at(r->dirty, i)->scope, r->last) <= 0) {
        i++;
    }
    size_t split = i > start ? i : start;
    for (int turn = 0; turn < 2; turn++) {
        size_t to = turn == 0 ? count : split;
        for (i = turn == 0 ? split : start; i < to; i = scope_end(r, i)) {
            if (over(result, end_ms)) {
                result->complete = false;
                return 0;
            }
            if (run_marks(r, i, result, err) != 0) {
                return -1;
            }
        }
    }
    r->last[0] = '\0';
    return 0;
}

/* At least one scope each round, else marks could hold errands off for ever. */
static int run_errands(struct rounds *r, int64_t end_ms, struct round_result *result,
                       struct error *err)
{
    const char *scope;
    while (!result->lost && (scope = agenda_first(r->agenda))) {
        if (run_scope(r, scope, agenda_of(r->agenda, scope), 0, 0, result, err) != 0 ||
            dispatch_serve(r->dispatch, r->redis, r->lease, err) != 0) {
            return -1;
        }
        if (over(result, end_ms)) {
            break;
        }
    }
    result->complete = result->complete && !agenda_first(r->agenda);
    return 0;
}

/* What is done needs not be done again by a later reporter. */
static int note_done(struct rounds *r, struct error *err)
{
    if (r->report_day && !agenda_left(r->agenda, ERRAND_RUNNING | ERRAND_ENDED)) {
        char date[11];
        if (note(r, "day", calendar_format_date(r->noted_day, date), err) != 0) {
            return -1;
        }
        r->report_day = false;
    }
    if (r->settings[0] && !agenda_left(r->agenda, ERRAND_EVERYTHING)) {
        if (note(r, "settings", r->settings, err) != 0) {
            return -1;
        }
        r->settings[0] = '\0';
    }
    return 0;
}

static int publish(struct rounds *r, int64_t end_ms, struct round_result *result, struct error *err)
{
    if (dirty_read(r->dirty, r->redis, err) != 0 || note_customers(r, err) != 0 ||
        note_errands(r, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < dirty_count(r->dirty); i++) {
        days_forget(r->days, dirty_at(r->dirty, i)->scope, dirty_at(r->dirty, i)->day);
    }
    result->complete = result->complete && dirty_count(r->dirty) < DIRTY_MAX;
    if (run_all_marks(r, end_ms, result, err) != 0) {
        return -1;
    }
    if (!result->lost && run_errands(r, end_ms, result, err) != 0) {
        return -1;
    }
    return result->lost ? 0 : note_done(r, err);
}

/* What is published depends on it also while the ledger is away. */
static int note_ledger(struct rounds *r, struct error *err)
{
    int32_t from = gather_from(r->gather);
    char date[11] = "";
    if (!gather_ledger(r->gather) || from == r->business.ledger_from) {
        return 0;
    }
    r->business.ledger_from = from;
    return note(r, "ledger_from", from == INT32_MIN ? "all" : calendar_format_date(from, date),
                err);
}

/* The sums of customers, before marks are read: they leave marks of their own. */
static int gather(struct rounds *r, int64_t end_ms, struct round_result *result, struct error *err)
{
    struct gather_result gathered;
    if (gather_run(r->gather, r->business.store, r->business.floor, end_ms, &gathered, err) != 0) {
        return -1;
    }
    result->complete = gathered.complete;
    result->lost = gathered.lost;
    return gathered.lost ? 0 : note_ledger(r, err);
}

static void tell(const struct round_result *result, int64_t begun_ms)
{
    int64_t took_ms = clock_mono_ms() - begun_ms;
    if (took_ms >= 1000) {
        log_info("published", log_i("comparisons", result->made), log_i("ms", took_ms));
    } else {
        log_debug("published", log_i("comparisons", result->made), log_i("ms", took_ms));
    }
}

int rounds_run(struct rounds *r, struct round_result *result, struct error *err)
{
    int64_t begun_ms = clock_mono_ms();
    *result = (struct round_result){.complete = true};
    if (r->sync || clock_wall_ms() / 60000 != r->minute) {
        if (keeper_sync(r->keeper, r->redis, err) != 0) {
            return -1;
        }
        r->sync = false;
    }
    business_clear(&r->business);
    if (business_read(&r->business, r->redis, r->config, err) != 0) {
        return -1;
    }
    result->store = r->business.store[0] != '\0';
    if (!result->store) {
        return 0;
    }
    take_time(r);
    if (gather(r, begun_ms + GATHER_MS, result, err) != 0) {
        return -1;
    }
    if (!result->lost && publish(r, begun_ms + SLICE_MS, result, err) != 0) {
        return -1;
    }
    tell(result, begun_ms);
    return 0;
}

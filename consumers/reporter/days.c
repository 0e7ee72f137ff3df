#include "consumers/reporter/days.h"

#include "consumers/reporter/key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIDES_READ = 3, /* sale, service, customer */
    CUSTOMER = 2,
    IN_FLIGHT = 100, /* days asked for in one round trip */
    KEPT_MAX = 8192  /* sums of months and years kept; then all are let go */
};

struct entry {
    struct period period;
    struct sums sums;
};

/* Sums in the order of kind and first day. */
struct shelf {
    struct entry **list;
    size_t count, room;
};

struct scope_shelf {
    char *scope;
    struct shelf shelf;
};

struct days {
    char business[64];
    struct scope_shelf **scopes; /* sorted */
    size_t scope_count, scope_room, kept;
    int sides; /* how many of the sides are read */
    struct scope_shelf *current;
    struct shelf passing; /* days, weeks and quarters of the current scope */
    int32_t *wanted;
    size_t wanted_count, wanted_room;
};

static void sums_free(struct sums *sums)
{
    counters_free(sums->sale);
    counters_free(sums->service);
    counters_free(sums->customer);
}

static struct counters **side_of(struct sums *sums, int side)
{
    struct counters **const sides[SIDES_READ] = {&sums->sale, &sums->service, &sums->customer};
    return sides[side];
}

static void shelf_clear(struct shelf *shelf)
{
    for (size_t i = 0; i < shelf->count; i++) {
        sums_free(&shelf->list[i]->sums);
        free(shelf->list[i]);
    }
    free(shelf->list);
    *shelf = (struct shelf){0};
}

/* Where a period stands, or where it would. */
static size_t shelf_place(const struct shelf *shelf, struct period period, bool *found)
{
    size_t low = 0, high = shelf->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct period *p = &shelf->list[middle]->period;
        bool less = p->kind != period.kind ? p->kind < period.kind : p->first < period.first;
        if (less) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *found = low < shelf->count && shelf->list[low]->period.kind == period.kind &&
             shelf->list[low]->period.first == period.first;
    return low;
}

static struct entry *shelf_find(const struct shelf *shelf, struct period period)
{
    bool found;
    size_t at = shelf_place(shelf, period, &found);
    return found ? shelf->list[at] : NULL;
}

/* A new, empty entry of a period that is not there. NULL when memory is short. */
static struct entry *shelf_add(struct shelf *shelf, struct period period)
{
    if (shelf->count == shelf->room) {
        size_t room = shelf->room ? shelf->room * 2 : 16;
        struct entry **list = realloc(shelf->list, room * sizeof *list);
        if (!list) {
            return NULL;
        }
        shelf->list = list;
        shelf->room = room;
    }
    struct entry *entry = calloc(1, sizeof *entry);
    if (!entry) {
        return NULL;
    }
    bool found;
    size_t at = shelf_place(shelf, period, &found);
    memmove(shelf->list + at + 1, shelf->list + at, (shelf->count - at) * sizeof *shelf->list);
    shelf->list[at] = entry;
    shelf->count++;
    entry->period = period;
    return entry;
}

static bool shelf_drop(struct shelf *shelf, struct period period)
{
    bool found;
    size_t at = shelf_place(shelf, period, &found);
    if (!found) {
        return false;
    }
    sums_free(&shelf->list[at]->sums);
    free(shelf->list[at]);
    shelf->count--;
    memmove(shelf->list + at, shelf->list + at + 1, (shelf->count - at) * sizeof *shelf->list);
    return true;
}

int days_open(struct days **out, const char *business, struct error *err)
{
    struct days *days = calloc(1, sizeof *days);
    if (!days) {
        return error_memory(err);
    }
    snprintf(days->business, sizeof days->business, "%s", business);
    days->sides = CUSTOMER;
    *out = days;
    return 0;
}

void days_clear(struct days *days)
{
    shelf_clear(&days->passing);
    for (size_t i = 0; i < days->scope_count; i++) {
        shelf_clear(&days->scopes[i]->shelf);
        free(days->scopes[i]->scope);
        free(days->scopes[i]);
    }
    days->scope_count = 0;
    days->kept = 0;
    days->current = NULL;
    days->wanted_count = 0;
}

void days_free(struct days *days)
{
    if (days) {
        days_clear(days);
        free(days->scopes);
        free(days->wanted);
        free(days);
    }
}

void days_read_customers(struct days *days, bool customers)
{
    int sides = customers ? SIDES_READ : CUSTOMER;
    if (days->sides != sides) {
        days_clear(days);
        days->sides = sides;
    }
}

static size_t scope_place(const struct days *days, const char *scope, bool *found)
{
    size_t low = 0, high = days->scope_count;
    int order = 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        order = strcmp(days->scopes[middle]->scope, scope);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *found = false;
    return low;
}

void days_forget(struct days *days, const char *scope, int32_t day)
{
    bool found;
    size_t at = scope_place(days, scope, &found);
    if (!found) {
        return;
    }
    struct shelf *shelf = &days->scopes[at]->shelf;
    days->kept -= shelf_drop(shelf, period_of(PERIOD_MONTH, day));
    days->kept -= shelf_drop(shelf, period_of(PERIOD_YEAR, day));
}

static struct scope_shelf *scope_add(struct days *days, size_t at, const char *scope)
{
    if (days->scope_count == days->scope_room) {
        size_t room = days->scope_room ? days->scope_room * 2 : 64;
        struct scope_shelf **list = realloc(days->scopes, room * sizeof *list);
        if (!list) {
            return NULL;
        }
        days->scopes = list;
        days->scope_room = room;
    }
    struct scope_shelf *shelf = calloc(1, sizeof *shelf);
    if (!shelf || !(shelf->scope = strdup(scope))) {
        free(shelf);
        return NULL;
    }
    memmove(days->scopes + at + 1, days->scopes + at,
            (days->scope_count - at) * sizeof *days->scopes);
    days->scopes[at] = shelf;
    days->scope_count++;
    return shelf;
}

int days_begin(struct days *days, const char *scope, struct error *err)
{
    shelf_clear(&days->passing);
    days->wanted_count = 0;
    if (days->kept > KEPT_MAX) {
        days_clear(days);
    }
    bool found;
    size_t at = scope_place(days, scope, &found);
    days->current = found ? days->scopes[at] : scope_add(days, at, scope);
    return days->current ? 0 : error_memory(err);
}

/* Months and years stay, the rest passes. */
static bool is_kept(struct period period)
{
    return period.kind == PERIOD_MONTH || period.kind == PERIOD_YEAR;
}

static struct shelf *shelf_of(struct days *days, struct period period)
{
    return is_kept(period) ? &days->current->shelf : &days->passing;
}

/* What a period is summed from: days, or months for the long ones. */
static enum period_kind part_kind(enum period_kind kind)
{
    return kind == PERIOD_QUARTER || kind == PERIOD_YEAR ? PERIOD_MONTH : PERIOD_DAY;
}

static int want_day(struct days *days, int32_t day, struct error *err)
{
    if (days->wanted_count == days->wanted_room) {
        size_t room = days->wanted_room ? days->wanted_room * 2 : 512;
        int32_t *list = realloc(days->wanted, room * sizeof *list);
        if (!list) {
            return error_memory(err);
        }
        days->wanted = list;
        days->wanted_room = room;
    }
    days->wanted[days->wanted_count++] = day;
    return 0;
}

int days_want(struct days *days, struct period period, struct error *err)
{
    if (shelf_find(shelf_of(days, period), period)) {
        return 0;
    }
    if (period.kind == PERIOD_DAY) {
        return want_day(days, period.first, err);
    }
    struct period part = period_of(part_kind(period.kind), period.first);
    for (; part.first <= period.last; part = period_next(part)) {
        if (days_want(days, part, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static const char *const SIDE_NAMES[SIDES_READ] = {"sale", "service", "customer"};

static char *day_key(const struct days *days, int side, int32_t day, char out[KEY_MAX])
{
    char date[11];
    return key_format(out, days->business, "%s:day:%s:%s", SIDE_NAMES[side],
                      calendar_format_date(day, date), days->current->scope);
}

static int fill(struct counters **out, const redisReply *reply, bool even_empty, struct error *err)
{
    if (reply->elements == 0 && !even_empty) {
        return 0;
    }
    if (counters_open(out, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i + 1 < reply->elements; i += 2) {
        const redisReply *name = reply->element[i], *value = reply->element[i + 1];
        if (counters_add_field(*out, (struct text){name->str, name->len},
                               (struct text){value->str, value->len}, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int receive_side(struct days *days, struct redis *redis, struct entry *entry, int side,
                        struct error *err)
{
    char key[KEY_MAX];
    redisReply *reply = NULL;
    int rc = -1;
    if (redis_receive(redis, &reply, err) == REDIS_OK) {
        rc = fill(side_of(&entry->sums, side), reply, side == CUSTOMER, err);
        freeReplyObject(reply);
    }
    return rc == 0 ? 0 : error_prefix(err, "%s", day_key(days, side, entry->period.first, key));
}

static int ask(const struct days *days, struct redis *redis, int32_t day, struct error *err)
{
    for (int side = 0; side < SIDES_READ && side < days->sides; side++) {
        char key[KEY_MAX];
        const char *argv[] = {"HGETALL", day_key(days, side, day, key)};
        if (redis_send(redis, err, 2, argv, NULL) != REDIS_OK) {
            return -1;
        }
    }
    return 0;
}

static int load_step(struct days *days, struct redis *redis, const int32_t *list, size_t count,
                     struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (ask(days, redis, list[i], err) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < count; i++) {
        struct entry *entry = shelf_add(&days->passing, period_of(PERIOD_DAY, list[i]));
        if (!entry) {
            return error_memory(err);
        }
        for (int side = 0; side < SIDES_READ && side < days->sides; side++) {
            if (receive_side(days, redis, entry, side, err) != 0) {
                return -1;
            }
        }
    }
    return 0;
}

static int compare_days(const void *left, const void *right)
{
    int32_t a = *(const int32_t *)left, b = *(const int32_t *)right;
    return (a > b) - (a < b);
}

int days_load(struct days *days, struct redis *redis, struct error *err)
{
    size_t count = 0;
    if (days->wanted_count > 0) {
        qsort(days->wanted, days->wanted_count, sizeof *days->wanted, compare_days);
        for (size_t i = 0; i < days->wanted_count; i++) {
            if (i == 0 || days->wanted[i] != days->wanted[count - 1]) {
                days->wanted[count++] = days->wanted[i];
            }
        }
    }
    days->wanted_count = 0;
    for (size_t i = 0; i < count; i += IN_FLIGHT) {
        size_t step = count - i < IN_FLIGHT ? count - i : IN_FLIGHT;
        if (load_step(days, redis, days->wanted + i, step, err) != 0) {
            /* Answers may still be under way: they must not be taken for those of a later call. */
            redis_disconnect(redis);
            return -1;
        }
    }
    return 0;
}

static int add_sums(struct sums *sums, const struct sums *more, struct error *err)
{
    struct sums from = *more;
    for (int side = 0; side < SIDES_READ; side++) {
        const struct counters *part = *side_of(&from, side);
        struct counters **whole = side_of(sums, side);
        if (!part) {
            continue;
        }
        if (!*whole && counters_open(whole, err) != 0) {
            return -1;
        }
        if (counters_add_all(*whole, part, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int sum_parts(struct days *days, struct period period, struct sums *out, struct error *err)
{
    struct period part = period_of(part_kind(period.kind), period.first);
    for (; part.first <= period.last; part = period_next(part)) {
        const struct sums *sums;
        if (days_sum(days, part, &sums, err) != 0 || add_sums(out, sums, err) != 0) {
            return -1;
        }
    }
    return 0;
}

int days_sum(struct days *days, struct period period, const struct sums **out, struct error *err)
{
    struct shelf *shelf = shelf_of(days, period);
    struct entry *entry = shelf_find(shelf, period);
    if (!entry) {
        if (period.kind == PERIOD_DAY) {
            error_set(err, ERROR_SYSTEM, "a day that was not loaded");
            return -1;
        }
        struct sums sums = {0};
        if (sum_parts(days, period, &sums, err) != 0) {
            sums_free(&sums);
            return -1;
        }
        entry = shelf_add(shelf, period);
        if (!entry) {
            sums_free(&sums);
            error_memory(err);
            return -1;
        }
        entry->sums = sums;
        days->kept += is_kept(period);
    }
    *out = &entry->sums;
    return 0;
}

#include "consumers/reporter/plan.h"

#include <stdlib.h>

struct plan {
    struct period *list;
    size_t count, room;
    int32_t today, floor;
};

int plan_open(struct plan **out, struct error *err)
{
    struct plan *plan = calloc(1, sizeof *plan);
    if (!plan) {
        return error_memory(err);
    }
    plan_clear(plan, 0, INT32_MIN);
    *out = plan;
    return 0;
}

void plan_free(struct plan *plan)
{
    if (plan) {
        free(plan->list);
        free(plan);
    }
}

void plan_clear(struct plan *plan, int32_t today, int32_t floor)
{
    plan->count = 0;
    plan->today = today;
    plan->floor = floor;
}

int plan_add(struct plan *plan, struct period period, struct error *err)
{
    if (period.first < plan->floor || period.first < CALENDAR_DAY_MIN ||
        period.last > CALENDAR_DAY_MAX) {
        return 0; /* before the floor, or without a name */
    }
    if (plan->count == plan->room) {
        size_t room = plan->room ? plan->room * 2 : 64;
        struct period *list = realloc(plan->list, room * sizeof *list);
        if (!list) {
            return error_memory(err);
        }
        plan->list = list;
        plan->room = room;
    }
    plan->list[plan->count++] = period;
    return 0;
}

int plan_add_around(struct plan *plan, int32_t day, struct error *err)
{
    for (int kind = 0; kind < PERIOD_KINDS; kind++) {
        if (plan_add(plan, period_of((enum period_kind)kind, day), err) != 0) {
            return -1;
        }
    }
    return 0;
}

int plan_add_changed(struct plan *plan, int32_t day, struct error *err)
{
    for (int kind = 0; kind < PERIOD_KINDS; kind++) {
        struct period next = period_next(period_of((enum period_kind)kind, day));
        if (next.first <= plan->today && plan_add(plan, next, err) != 0) {
            return -1;
        }
    }
    return plan_add_around(plan, day, err);
}

int plan_year(struct period period)
{
    int year, month, dom;
    calendar_civil(period.first, &year, &month, &dom);
    return year;
}

static int compare(const void *left, const void *right)
{
    const struct period *a = left, *b = right;
    int years = plan_year(*a) - plan_year(*b);
    if (years != 0) {
        return years;
    }
    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    return a->first < b->first ? -1 : a->first > b->first;
}

void plan_finish(struct plan *plan)
{
    if (plan->count == 0) {
        return;
    }
    qsort(plan->list, plan->count, sizeof *plan->list, compare);
    size_t kept = 1;
    for (size_t i = 1; i < plan->count; i++) {
        if (compare(&plan->list[kept - 1], &plan->list[i]) != 0) {
            plan->list[kept++] = plan->list[i];
        }
    }
    plan->count = kept;
}

size_t plan_count(const struct plan *plan)
{
    return plan->count;
}

struct period plan_at(const struct plan *plan, size_t i)
{
    return plan->list[i];
}

#include "consumers/recount/audit_compare.h"

#include "common/calendar.h"
#include "common/currency.h"
#include "consumers/reporter/key.h"

#include <stdio.h>
#include <stdlib.h>

/* Counters of an hour are left alone from so long before they expire: clocks differ. */
enum { EXPIRY_SLACK_S = 60 };

/* ---- which keys ---- */

static bool wants_time(const struct comparison *c, enum tally_time time, int32_t slot)
{
    const struct fold *fold = recount_fold(c->recount);
    if (time == TALLY_UNDATED)
        return c->from == INT32_MIN && c->until == INT32_MAX;
    int32_t day = time == TALLY_HOUR ? slot / 24 : slot;
    if (day < c->slice->floors.now || day < c->from || day > c->until)
        return false;
    return time == TALLY_DAY ||
           fold_hour_expiry(fold->zone, slot) > c->slice->now_s + EXPIRY_SLACK_S;
}

bool compare_wants(const struct comparison *c, const char *rest)
{
    struct counter_key key;
    return counter_key_parse(rest, &key) && key.side == recount_fold(c->recount)->kind->side &&
           wants_time(c, key.time, key.slot);
}

/* The key under which a row counts. */
static void write_key(const struct comparison *c, const struct tally_view *row, char out[KEY_MAX])
{
    const struct fold *fold = recount_fold(c->recount);
    const char *side = side_name(fold->kind->side);
    char date[11], scope[KEY_SCOPE_MAX] = "all";
    if (row->scope != SCOPE_ALL)
        snprintf(scope, sizeof scope, "%s=%.*s", scope_dimension(fold->scopes, row->scope),
                 TEXT_ARG(admissions_name(c->slice->scopes, fold->scopes, row->scope)));
    if (row->time == TALLY_UNDATED)
        snprintf(out, KEY_MAX, "%s%s:undated", c->prefix, side);
    else if (row->time == TALLY_DAY)
        snprintf(out, KEY_MAX, "%s%s:day:%s:%s", c->prefix, side,
                 calendar_format_date(row->slot, date), scope);
    else
        snprintf(out, KEY_MAX, "%s%s:hour:%sT%02d:%s", c->prefix, side,
                 calendar_format_date(row->slot / 24, date), row->slot % 24, scope);
}

/* ---- what the log says of a slice ---- */

struct cell {
    size_t key; /* place in the slice */
    int block, place;
    int64_t sum;
};

struct cells {
    struct cell *list;
    size_t count, room;
};

static int add_cell(struct cells *cells, struct cell cell, struct error *err)
{
    if (cells->count == cells->room) {
        size_t room = cells->room ? 2 * cells->room : 4096;
        struct cell *list = realloc(cells->list, room * sizeof *list);
        if (!list)
            return error_memory(err);
        cells->list = list;
        cells->room = room;
    }
    cells->list[cells->count++] = cell;
    return 0;
}

static int compare_names(const void *name, const void *key)
{
    return strcmp(name, *(char *const *)key);
}

static int add_row(const struct comparison *c, const struct tally_view *row, struct cells *cells,
                   struct error *err)
{
    char name[KEY_MAX];
    char *const *keys = c->slice->keys;
    write_key(c, row, name);
    char *const *found = bsearch(name, keys, c->slice->key_count, sizeof *keys, compare_names);
    for (int i = 0; found && i < row->width; i++)
        if (row->sums[i] != 0 &&
            add_cell(cells, (struct cell){(size_t)(found - keys), row->block, i, row->sums[i]},
                     err) != 0)
            return -1;
    return 0;
}

static int compare_cells(const void *left, const void *right)
{
    const struct cell *a = left, *b = right;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    if (a->block != b->block)
        return a->block < b->block ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

/* Several values may count together in __other__. */
static void sum_equal_cells(struct cells *cells)
{
    size_t kept = 0;
    if (cells->count)
        qsort(cells->list, cells->count, sizeof *cells->list, compare_cells);
    for (size_t i = 0; i < cells->count; i++) {
        if (kept && compare_cells(&cells->list[kept - 1], &cells->list[i]) == 0)
            cells->list[kept - 1].sum += cells->list[i].sum;
        else
            cells->list[kept++] = cells->list[i];
    }
    cells->count = kept;
}

/* Keys are sorted: those of one day or hour stand together, and its rows are walked once. */
static int gather(const struct comparison *c, struct cells *cells, struct error *err)
{
    struct counter_key before = {.slot = INT32_MIN}, key;
    const struct fold *fold = recount_fold(c->recount);
    const struct rows *rows = recount_rows(c->recount);
    for (size_t k = 0; k < c->slice->key_count; k++) {
        if (!counter_key_parse(c->slice->keys[k] + strlen(c->prefix), &key) ||
            (key.time == before.time && key.slot == before.slot))
            continue;
        before = key;
        for (size_t row = rows_first(rows, key.time, key.slot); row != ROWS_NONE;
             row = rows_next(rows, row)) {
            struct tally_view view = tally_view(fold->tally, row);
            if (add_row(c, &view, cells, err) != 0)
                return -1;
        }
    }
    sum_equal_cells(cells);
    return 0;
}

/* ---- one key ---- */

static int compare_key(const struct comparison *c, size_t k, const struct cell *cells, size_t count,
                       struct error *err)
{
    const struct tally_layout *layout = &recount_fold(c->recount)->kind->layout;
    struct finding_field *fields = calloc(count + 1, sizeof *fields);
    if (!fields)
        return error_memory(err);
    for (size_t i = 0; i < count; i++) {
        tally_name(layout, cells[i].block, cells[i].place, fields[i].name, sizeof fields->name);
        fields[i].sum = cells[i].sum;
    }
    int rc =
        findings_hash(c->findings, c->slice->keys[k], fields, count, slice_value(c->slice, k), err);
    free(fields);
    return rc;
}

int compare_slice(const struct comparison *c, struct error *err)
{
    struct cells cells = {0};
    int rc = gather(c, &cells, err);
    size_t at = 0;
    for (size_t k = 0; k < c->slice->key_count && rc == 0; k++) {
        size_t first = at;
        while (at < cells.count && cells.list[at].key == k)
            at++;
        /* Meanwhile it may have expired, or been forgotten. */
        if (compare_wants(c, c->slice->keys[k] + strlen(c->prefix)))
            rc = compare_key(c, k, cells.list + first, at - first, err);
    }
    free(cells.list);
    return rc;
}

/* ---- what Redis lacks ---- */

static bool is_zero(const struct tally_view *row)
{
    for (int i = 0; i < row->width; i++)
        if (row->sums[i] != 0)
            return false;
    return true;
}

int compare_missing(const struct comparison *c, const struct keylist *known,
                    struct keylist *missing, struct error *err)
{
    const struct tally *tally = recount_fold(c->recount)->tally;
    for (size_t r = 0; r < tally_rows(tally); r++) {
        struct tally_view row = tally_view(tally, r);
        char key[KEY_MAX];
        if (!wants_time(c, row.time, row.slot) || is_zero(&row))
            continue;
        write_key(c, &row, key);
        if (keylist_has(known, key))
            continue;
        if (keylist_add(missing, text_of(key), err) != 0)
            return -1;
    }
    keylist_sort(missing);
    return 0;
}

/* ---- sets ---- */

static int miss_member(const struct comparison *c, const char *set, struct text member,
                       struct error *err)
{
    char key[KEY_MAX];
    snprintf(key, sizeof key, "%s%s", c->prefix, set);
    return findings_add(c->findings, key, member, "member", text_of("nothing"), err);
}

/* seen: by scope; others: by dimension, as many values share the one name. */
static int check_value(const struct comparison *c, const struct tally_view *row, bool *seen,
                       bool *others, struct error *err)
{
    const struct scopes *scopes = recount_fold(c->recount)->scopes;
    const char *dimension = scope_dimension(scopes, row->scope);
    struct text name = admissions_name(c->slice->scopes, scopes, row->scope);
    int d = admissions_dimension(c->slice->scopes, dimension);
    char set[KEY_MAX];
    if (seen[row->scope] || d < 0 || is_zero(row))
        return 0;
    seen[row->scope] = true;
    bool other = text_is(name, SCOPE_OTHER);
    if (admissions_has(c->slice->scopes, d, name) || (other && others[d]))
        return 0;
    others[d] = others[d] || other;
    snprintf(set, sizeof set, "scope:%s", dimension);
    return miss_member(c, set, name, err);
}

static int check_currency(const struct comparison *c, int currency, bool *seen, struct error *err)
{
    struct text code = text_of(currency_code(currency));
    if (seen[currency])
        return 0;
    seen[currency] = true;
    return admissions_has(c->slice->currencies, 0, code) ? 0
                                                         : miss_member(c, "currency", code, err);
}

int compare_sets(const struct comparison *c, struct error *err)
{
    const struct fold *fold = recount_fold(c->recount);
    bool others[SCOPE_DIMENSIONS_MAX] = {false};
    bool *values = calloc(scopes_count(fold->scopes) + 1, sizeof *values);
    bool *currencies = calloc((size_t)currency_count(), sizeof *currencies);
    int rc = 0;
    if (!values || !currencies) {
        error_memory(err);
        rc = -1;
    }
    for (size_t r = 0; r < tally_rows(fold->tally) && rc == 0; r++) {
        struct tally_view row = tally_view(fold->tally, r);
        if (!wants_time(c, row.time, row.slot) || row.time != TALLY_DAY)
            continue;
        if (row.scope != SCOPE_ALL)
            rc = check_value(c, &row, values, others, err);
        else if (row.block >= TALLY_CURRENCY && row.block < TALLY_HISTOGRAM)
            rc = check_currency(c, row.block - TALLY_CURRENCY, currencies, err);
    }
    free(values);
    free(currencies);
    return rc;
}

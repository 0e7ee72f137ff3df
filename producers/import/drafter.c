#include "producers/import/drafter.h"

#include "producers/import/draft.h"

#include <stdlib.h>

struct drafter {
    const struct mapping *mapping;
    struct drafter_sink sink;
    bool neighbours;
    size_t *places; /* of each column of the mapping in a row */
    struct text *columns;
    size_t width; /* fields of the header, and so of every row */
    struct extract x;
    struct arena *arena;
    struct orders **orders; /* of each spec that groups, else NULL */
    int64_t rows, skipped;
};

/* Blanks around a value are never part of it. */
static struct text trim(struct text text)
{
    while (text.len > 0 && (text.at[0] == ' ' || text.at[0] == '\t')) {
        text.at++;
        text.len--;
    }
    while (text.len > 0 && (text.at[text.len - 1] == ' ' || text.at[text.len - 1] == '\t')) {
        text.len--;
    }
    return text;
}

static int find_columns(struct drafter *drafter, const struct row *header, struct error *err)
{
    char missing[600] = "", twice[300] = "";
    for (size_t i = 0; i < drafter->mapping->column_count; i++) {
        struct text name = drafter->mapping->columns[i];
        size_t found = 0;
        for (size_t k = 0; k < header->count; k++) {
            if (text_equal(trim(header->fields[k]), name)) {
                drafter->places[i] = k;
                found++;
            }
        }
        char *list = found ? twice : missing;
        size_t room = found ? sizeof twice : sizeof missing, len = strlen(list);
        if (found != 1) {
            snprintf(list + len, room - len, "%s\"%.60s\"", len ? ", " : "", name.at);
        }
    }
    if (missing[0]) {
        return error_set(err, ERROR_INPUT, "the header has no column %s", missing);
    }
    if (twice[0]) {
        return error_set(err, ERROR_INPUT, "the header has more than one column %s", twice);
    }
    return 0;
}

static bool open_orders(struct drafter *drafter)
{
    for (size_t i = 0; i < drafter->mapping->spec_count; i++) {
        const struct spec *spec = &drafter->mapping->specs[i];
        if (spec->group_by) {
            drafter->orders[i] = orders_open(spec, &drafter->sink, drafter->neighbours);
            if (!drafter->orders[i]) {
                return false;
            }
        }
    }
    return true;
}

static struct drafter *drafter_new(const struct mapping *mapping)
{
    struct drafter *drafter = calloc(1, sizeof *drafter);
    if (!drafter) {
        return NULL;
    }
    drafter->mapping = mapping;
    drafter->places = calloc(mapping->column_count + 1, sizeof *drafter->places);
    drafter->columns = calloc(mapping->column_count + 1, sizeof *drafter->columns);
    drafter->orders = calloc(mapping->spec_count, sizeof *drafter->orders);
    drafter->arena = arena_open();
    if (!drafter->places || !drafter->columns || !drafter->orders || !drafter->arena) {
        drafter_free(drafter);
        return NULL;
    }
    return drafter;
}

int drafter_open(struct drafter **out, const struct mapping *mapping, const struct zone *zone,
                 const struct row *header, bool neighbours, const struct drafter_sink *sink,
                 struct error *err)
{
    struct drafter *drafter = drafter_new(mapping);
    if (!drafter) {
        return error_memory(err);
    }
    drafter->sink = *sink;
    drafter->neighbours = neighbours;
    drafter->width = header->count;
    drafter->x.mapping = mapping;
    drafter->x.zone = zone;
    drafter->x.columns = drafter->columns;
    if (!open_orders(drafter)) {
        drafter_free(drafter);
        return error_memory(err);
    }
    if (find_columns(drafter, header, err) != 0) {
        drafter_free(drafter);
        return -1;
    }
    *out = drafter;
    return 0;
}

void drafter_free(struct drafter *drafter)
{
    if (!drafter) {
        return;
    }
    for (size_t i = 0; drafter->orders && i < drafter->mapping->spec_count; i++) {
        orders_free(drafter->orders[i]);
    }
    free(drafter->orders);
    free(drafter->places);
    free(drafter->columns);
    arena_free(drafter->arena);
    free(drafter);
}

static void take_columns(struct drafter *drafter, const struct row *row)
{
    for (size_t i = 0; i < drafter->mapping->column_count; i++) {
        size_t place = drafter->places[i];
        drafter->columns[i] = place < row->count ? trim(row->fields[place]) : (struct text){"", 0};
    }
}

static bool refuse(struct drafter *drafter, const char *text, const char *type, uint64_t line,
                   bool event)
{
    struct refusal refusal = {text, type, &line, 1, event};
    return drafter->sink.refused(drafter->sink.context, &refusal);
}

/* A row of another width cannot be trusted, and the order it may belong to lacks it. */
static bool broken_row(struct drafter *drafter, const struct row *row)
{
    char text[100];
    snprintf(text, sizeof text, "%zu fields, but the header has %zu", row->count, drafter->width);
    bool go_on = refuse(drafter, text, "", row->line, true);
    for (size_t i = 0; go_on && i < drafter->mapping->spec_count; i++) {
        if (drafter->orders[i]) {
            go_on = orders_spoil(drafter->orders[i], &drafter->x, row->line);
        }
    }
    return go_on;
}

/* A row that is an event by itself, with one item where the mapping has items. */
static bool single_event(struct drafter *drafter, const struct spec *spec, uint64_t line)
{
    if (drafter->neighbours) {
        arena_reset(drafter->arena);
    }
    struct extract *x = &drafter->x;
    struct event *event = arena_take(drafter->arena, sizeof *event);
    struct event_item *item = spec->has_items ? arena_take(drafter->arena, sizeof *item) : NULL;
    if (!event || (spec->has_items && !item)) {
        return false;
    }
    if (!draft_event(x, drafter->arena, spec, event) ||
        (item && !draft_item(x, drafter->arena, spec, item))) {
        return refuse(drafter, x->problem, event_type_name(spec->type), line, true);
    }
    if (item) {
        draft_items(event, item, 1);
    }
    return drafter->sink.event(drafter->sink.context, event, line);
}

bool drafter_row(struct drafter *drafter, const struct row *row)
{
    const struct mapping *mapping = drafter->mapping;
    drafter->rows++;
    take_columns(drafter, row);
    if (row->count != drafter->width) {
        return broken_row(drafter, row);
    }
    bool used = false, go_on = true;
    if (!extract_any(&drafter->x, &mapping->skip)) {
        for (size_t i = 0; go_on && i < mapping->spec_count; i++) {
            if (extract_all(&drafter->x, &mapping->specs[i].when)) {
                used = true;
                go_on = drafter->orders[i] ? orders_add(drafter->orders[i], &drafter->x, row->line)
                                           : single_event(drafter, &mapping->specs[i], row->line);
            }
        }
    }
    drafter->skipped += !used;
    return go_on;
}

bool drafter_end(struct drafter *drafter)
{
    for (size_t i = 0; i < drafter->mapping->spec_count; i++) {
        if (drafter->orders[i] && !orders_end(drafter->orders[i])) {
            return false;
        }
    }
    return true;
}

int64_t drafter_rows(const struct drafter *drafter)
{
    return drafter->rows;
}

int64_t drafter_skipped(const struct drafter *drafter)
{
    return drafter->skipped;
}

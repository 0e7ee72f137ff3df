#include "tests/unit/shelf.h"

#include "common/calendar.h"
#include "common/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct stored {
    int32_t partition;
    char id[65];
    char *state;
    size_t len;
    bool forgotten;
    int64_t offset; /* from which on it is */
};

struct shelf {
    struct dictionary *names;
    struct ledger *ledger;
    struct tally *batch, *sums;
    struct stored *stored;
    size_t stored_count, stored_room;
    uint32_t numbers;
    int64_t offset;
};

struct shelf *shelf_open(const struct customer_rules *rules, const char *scopes)
{
    struct shelf *shelf = calloc(1, sizeof *shelf);
    struct error err = {0};
    if (!shelf || dictionary_open(&shelf->names, &err) != 0 ||
        ledger_open(&shelf->ledger, rules, scopes, shelf->names, &err) != 0 ||
        tally_open(&shelf->batch, &contribution_layout, &err) != 0 ||
        tally_open(&shelf->sums, &contribution_layout, &err) != 0)
        fail_msg("%s", err.text);
    return shelf;
}

void shelf_free(struct shelf *shelf)
{
    for (size_t i = 0; i < shelf->stored_count; i++)
        free(shelf->stored[i].state);
    free(shelf->stored);
    ledger_free(shelf->ledger);
    dictionary_free(shelf->names);
    tally_free(shelf->batch);
    tally_free(shelf->sums);
    free(shelf);
}

void shelf_number(struct shelf *shelf, const char *name)
{
    struct error err;
    if (dictionary_learn(shelf->names, text_of(name), ++shelf->numbers, &err) != 0)
        fail_msg("%s", err.text);
}

static struct stored *find(const struct shelf *shelf, int32_t partition, struct text id)
{
    for (size_t i = 0; i < shelf->stored_count; i++)
        if (shelf->stored[i].partition == partition && text_is(id, shelf->stored[i].id))
            return &shelf->stored[i];
    return NULL;
}

static struct stored *find_or_add(struct shelf *shelf, int32_t partition, struct text id)
{
    struct stored *stored = find(shelf, partition, id);
    if (stored)
        return stored;
    if (shelf->stored_count == shelf->stored_room) {
        shelf->stored_room = shelf->stored_room ? 2 * shelf->stored_room : 16;
        shelf->stored = realloc(shelf->stored, shelf->stored_room * sizeof *shelf->stored);
        if (!shelf->stored)
            abort();
    }
    stored = &shelf->stored[shelf->stored_count++];
    *stored = (struct stored){.partition = partition};
    if (!id.at || id.len >= sizeof stored->id)
        fail_msg("no customer's id");
    else
        memcpy(stored->id, id.at, id.len);
    return stored;
}

/* A time of day that is missing is noon. */
static int64_t time_of(const char *words)
{
    char full[64];
    int64_t ms;
    snprintf(full, sizeof full, "%s%s", words, strlen(words) == 10 ? "T12:00:00Z" : "");
    if (!calendar_parse_time(text_of(full), &ms))
        fail_msg("no time: %s", words);
    return ms;
}

static enum event_type type_of(const char *word, struct event *event)
{
    static const struct {
        const char *word;
        enum event_type type;
    } known[] = {
        {"sale", EVENT_SALE_COMPLETED},    {"interaction", EVENT_SALE_INTERACTION},
        {"refund", EVENT_SALE_REFUNDED},   {"sale.referred", EVENT_SALE_REFERRED},
        {"contact", EVENT_SERVICE_OPENED}, {"service.referred", EVENT_SERVICE_REFERRED},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(word, known[i].word) == 0)
            return known[i].type;
    for (enum event_scale scale = SCALE_CSAT; scale < SCALES; scale++) {
        size_t len = strlen(event_scale_words[scale]);
        if (strncmp(word, event_scale_words[scale], len) != 0)
            continue;
        event->rated = (struct event_rated){.scale = scale, .score = atoi(word + len)};
        return EVENT_SERVICE_RATED;
    }
    fail_msg("no kind of event: %s", word);
    return EVENT_TYPES;
}

static void take_lines(struct event *event, struct event_item *items, char *lines)
{
    char *rest;
    for (char *line = strtok_r(lines, ",", &rest); line; line = strtok_r(NULL, ",", &rest))
        items[event->sale.item_count++].line = text_of(line);
    event->sale.items = items;
}

static void take_member(struct event *event, struct event_item *items, char *word)
{
    char *value = strchr(word, '=');
    if (!value) {
        fail_msg("no member: %s", word);
        return;
    }
    *value++ = 0;
    struct text text = text_of(value);
    if (strcmp(word, "customer") == 0)
        event->customer = *value ? text : (struct text){0};
    else if (strcmp(word, "region") == 0)
        event->region = text;
    else if (strcmp(word, "rep") == 0)
        event->rep = text;
    else if (strcmp(word, "ref") == 0)
        event->ref = text;
    else if (strcmp(word, "line") == 0)
        take_lines(event, items, value);
    else
        fail_msg("no member: %s", word);
}

void shelf_take(struct shelf *shelf, int32_t partition, const char *words)
{
    struct event event = {.customer = text_of("c"), .ref = text_of("1")};
    struct event_item items[16] = {0};
    char copy[256], *rest, *word;
    snprintf(copy, sizeof copy, "%s", words);
    if (!(word = strtok_r(copy, " ", &rest)))
        return;
    event.type = type_of(word, &event);
    if (!(word = strtok_r(NULL, " ", &rest))) {
        fail_msg("no time: %s", words);
        return;
    }
    event.time_ms = time_of(word);
    while ((word = strtok_r(NULL, " ", &rest)))
        take_member(&event, items, word);
    shelf_event(shelf, partition, &event);
}

void shelf_event(struct shelf *shelf, int32_t partition, const struct event *event)
{
    ledger_add(shelf->ledger, partition, shelf->offset++, event);
}

static void number_names(struct shelf *shelf)
{
    uint32_t id = 0;
    while ((id = dictionary_unnumbered(shelf->names, id))) {
        char name[256];
        snprintf(name, sizeof name, "%.*s", TEXT_ARG(dictionary_name(shelf->names, id)));
        shelf_number(shelf, name);
    }
}

static void work_out(struct shelf *shelf)
{
    struct error err;
    number_names(shelf);
    for (size_t i = 0; i < ledger_customers(shelf->ledger); i++) {
        struct ledger_customer customer = ledger_customer(shelf->ledger, i);
        struct stored *stored = find(shelf, customer.partition, customer.id);
        if (!stored)
            continue;
        ledger_known(shelf->ledger, i, (struct text){stored->state, stored->len});
        if (stored->forgotten)
            ledger_forgotten(shelf->ledger, i, stored->offset, stored->offset);
    }
    if (ledger_apply(shelf->ledger, shelf->batch, &err) != 0)
        fail_msg("%s", err.text);
}

static void store(struct shelf *shelf)
{
    for (size_t i = 0; i < ledger_customers(shelf->ledger); i++) {
        struct text state;
        struct ledger_customer customer = ledger_customer(shelf->ledger, i);
        if (!ledger_state(shelf->ledger, i, &state))
            continue;
        struct stored *stored = find_or_add(shelf, customer.partition, customer.id);
        char *bytes = malloc(state.len + 1);
        assert_non_null(bytes);
        memcpy(bytes, state.at, state.len);
        free(stored->state);
        stored->state = bytes;
        stored->len = state.len;
    }
}

static void add_up(struct tally *to, const struct tally *from)
{
    for (size_t r = 0; r < tally_rows(from); r++) {
        struct tally_view row = tally_view(from, r);
        int64_t *sums = tally_row(to, row.time, row.slot, row.scope, row.block);
        for (int i = 0; i < row.width; i++)
            tally_add(to, &sums[i], row.sums[i]);
    }
}

static void forget_batch(struct shelf *shelf)
{
    ledger_reset(shelf->ledger);
    tally_reset(shelf->batch);
}

void shelf_apply(struct shelf *shelf)
{
    work_out(shelf);
    store(shelf);
    add_up(shelf->sums, shelf->batch);
    forget_batch(shelf);
}

void shelf_drop(struct shelf *shelf)
{
    work_out(shelf);
    forget_batch(shelf);
}

void shelf_forget(struct shelf *shelf, int32_t partition, const char *customer)
{
    struct stored *stored = find_or_add(shelf, partition, text_of(customer));
    stored->forgotten = true;
    stored->offset = shelf->offset;
    stored->len = 0;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *print_row(const struct shelf *shelf, const struct tally_view *row, bool scopes)
{
    char *line = NULL, date[11] = "undated";
    size_t len;
    bool any = false;
    FILE *out = open_memstream(&line, &len);
    assert_non_null(out);
    if (row->time == TALLY_DAY)
        calendar_format_date(row->slot, date);
    fprintf(out, "%s", date);
    if (scopes && row->scope == SCOPE_ALL)
        fprintf(out, " all");
    else if (scopes)
        fprintf(out, " %.*s", TEXT_ARG(dictionary_name(shelf->names, row->scope)));
    for (int i = 0; i < row->width; i++) {
        any |= row->sums[i] != 0;
        if (row->sums[i])
            fprintf(out, " %s", contribution_layout.fields[i]);
        if (row->sums[i] && row->sums[i] != 1)
            fprintf(out, "=%lld", (long long)row->sums[i]);
    }
    fclose(out);
    if (any)
        return line;
    free(line);
    return NULL;
}

char *shelf_print(const struct shelf *shelf, bool scopes)
{
    size_t rows = tally_rows(shelf->sums), count = 0, len;
    char **lines = calloc(rows + 1, sizeof *lines), *all = NULL;
    FILE *out = open_memstream(&all, &len);
    assert_true(lines && out);
    for (size_t r = 0; r < rows; r++) {
        struct tally_view row = tally_view(shelf->sums, r);
        char *line = scopes || row.scope == SCOPE_ALL ? print_row(shelf, &row, scopes) : NULL;
        if (line)
            lines[count++] = line;
    }
    qsort(lines, count, sizeof *lines, by_bytes);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%s%s", i ? " | " : "", lines[i]);
        free(lines[i]);
    }
    fclose(out);
    free(lines);
    return all;
}

const struct tally *shelf_sums(const struct shelf *shelf)
{
    return shelf->sums;
}

struct dictionary *shelf_names(struct shelf *shelf)
{
    return shelf->names;
}

struct text shelf_state(const struct shelf *shelf, int32_t partition, const char *customer)
{
    const struct stored *stored = find(shelf, partition, text_of(customer));
    return stored && stored->len ? (struct text){stored->state, stored->len} : text_of("");
}

static bool holds(const struct tally *a, const struct tally *b)
{
    for (size_t r = 0; r < tally_rows(a); r++) {
        struct tally_view row = tally_view(a, r);
        /* Looking a row up may make it, of zeroes: absent and zero are equal. */
        const int64_t *other =
            tally_row((struct tally *)(uintptr_t)b, row.time, row.slot, row.scope, row.block);
        if (memcmp(row.sums, other, (size_t)row.width * sizeof *other) != 0)
            return false;
    }
    return true;
}

bool shelf_equal(const struct tally *a, const struct tally *b)
{
    return holds(a, b) && holds(b, a);
}

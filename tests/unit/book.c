#include "tests/unit/book.h"

#include "common/calendar.h"
#include "tests/unit/event_maker.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Reading a zone takes a while: the last one is kept. */
static const struct zone *zone_named(const char *name)
{
    static struct zone *kept;
    struct error err = {0};
    if (kept && strcmp(zone_name(kept), name) == 0)
        return kept;
    zone_free(kept);
    kept = NULL;
    if (zone_open(&kept, name, &err))
        fail_msg("%s", err.text);
    return kept;
}

void book_open(struct book *book, const struct fold_kind *kind, const char *scopes,
               const char *zone)
{
    struct error err = {0};
    book->fold = (struct fold){.kind = kind, .zone = zone_named(zone), .floor = INT32_MIN};
    book->decoder = maker_decoder();
    assert_int_equal(tally_open(&book->fold.tally, &kind->layout, &err), 0);
    if (scopes_open(&book->fold.scopes, scopes, &err))
        fail_msg("%s", err.text);
}

void book_close(struct book *book)
{
    decoder_free(book->decoder);
    tally_free(book->fold.tally);
    scopes_free(book->fold.scopes);
}

void book_clear(struct book *book)
{
    tally_reset(book->fold.tally);
}

void book_add(struct book *book, const char *type, const char *time, const char *members)
{
    char *json;
    struct event event = maker_event(book->decoder, type, time, members, &json);
    assert_int_equal(event_side(event.type), book->fold.kind->side);
    fold_event(&book->fold, &event);
    free(json);
}

static bool is_when(const struct tally_view *row, const char *when)
{
    char text[32] = "undated", date[11];
    if (row->time == TALLY_DAY)
        calendar_format_date(row->slot, text);
    if (row->time == TALLY_HOUR)
        snprintf(text, sizeof text, "%sT%02d", calendar_format_date(row->slot / 24, date),
                 row->slot % 24);
    return strcmp(text, when) == 0;
}

static bool is_scope(const struct book *book, const struct tally_view *row, const char *scope)
{
    char text[160] = "all";
    if (row->scope != SCOPE_ALL)
        snprintf(text, sizeof text, "%s=%.*s", scope_dimension(book->fold.scopes, row->scope),
                 TEXT_ARG(scope_value(book->fold.scopes, row->scope)));
    return strcmp(text, scope) == 0;
}

/* Calls for each cell of a hash that is not 0. */
static void each_cell(const struct book *book, const char *when, const char *scope,
                      void (*visit)(void *context, const char *name, int64_t value), void *context)
{
    for (size_t r = 0; r < tally_rows(book->fold.tally); r++) {
        struct tally_view row = tally_view(book->fold.tally, r);
        if (!is_when(&row, when) || !is_scope(book, &row, scope))
            continue;
        for (int i = 0; i < row.width; i++) {
            char name[48];
            if (row.sums[i] == 0)
                continue;
            tally_name(&book->fold.kind->layout, row.block, i, name, sizeof name);
            visit(context, name, row.sums[i]);
        }
    }
}

struct listing {
    char text[4096];
    size_t len;
    int count;
};

static void list_cell(void *context, const char *name, int64_t value)
{
    struct listing *listing = context;
    listing->len +=
        (size_t)snprintf(listing->text + listing->len, sizeof listing->text - listing->len,
                         "%s=%" PRId64 " ", name, value);
    listing->count++;
}

static bool holds(const char *list, const char *word, size_t len)
{
    for (const char *at = list; *at; at += strcspn(at, " ") + 1)
        if (strcspn(at, " ") == len && memcmp(at, word, len) == 0)
            return true;
    return false;
}

void book_expect(const struct book *book, const char *when, const char *scope, const char *cells)
{
    struct listing listing = {.len = 0};
    int expected = 0;
    each_cell(book, when, scope, list_cell, &listing);
    for (const char *at = cells; *at; expected++) {
        size_t len = strcspn(at, " ");
        if (!holds(listing.text, at, len))
            fail_msg("%s %s: %.*s is not in: %s", when, scope, (int)len, at, listing.text);
        at += len + strspn(at + len, " ");
    }
    if (listing.count != expected)
        fail_msg("%s %s: expected %s\nthere are %s", when, scope, cells, listing.text);
}

struct wanted {
    const char *field;
    int64_t value;
};

static void take_wanted(void *context, const char *name, int64_t value)
{
    struct wanted *wanted = context;
    if (strcmp(wanted->field, name) == 0)
        wanted->value = value;
}

int64_t book_cell(const struct book *book, const char *when, const char *scope, const char *field)
{
    struct wanted wanted = {field, 0};
    each_cell(book, when, scope, take_wanted, &wanted);
    return wanted.value;
}

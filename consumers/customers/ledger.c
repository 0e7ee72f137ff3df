#include "consumers/customers/ledger.h"

#include "common/scope.h"
#include "consumers/customers/codec.h"

#include <stdio.h>
#include <stdlib.h>

#define PAGE_BYTES  65536
#define NO_DEED     UINT32_MAX
#define SCOPES_KEPT 65536 /* values of scopes after which their table begins anew */

struct page {
    struct page *next;
    size_t used, room;
    char bytes[];
};

struct noted {
    struct deed deed;
    enum side side;
    int64_t offset;
    uint32_t next; /* of the same customer; NO_DEED: the last */
};

struct entry {
    int32_t partition;
    struct text id, known, state;
    int64_t forgotten[SIDES];
    uint32_t first, last, count; /* of the noted */
    bool changed;
};

struct ledger {
    struct customer_rules rules;
    struct dictionary *names;
    struct scopes *scopes;
    struct lists *lists;
    struct codec *codec;
    struct customer before, after;
    struct entry *entries;
    size_t entry_count, entry_room;
    uint32_t *index;   /* entry + 1, 0: free */
    size_t index_room; /* power of two, at least twice entry_room */
    struct noted *noted;
    size_t noted_count, noted_room;
    struct page *pages; /* ids and states */
    uint32_t ids[SCOPE_DIMENSIONS_MAX + EVENT_ITEMS_MAX];
    bool failed; /* memory was short: the batch is not whole */
};

int ledger_open(struct ledger **out, const struct customer_rules *rules, const char *scopes,
                struct dictionary *names, struct error *err)
{
    struct ledger *l = calloc(1, sizeof *l);
    *out = NULL;
    if (!l)
        return error_memory(err);
    l->rules = *rules;
    l->names = names;
    l->entry_room = 256;
    l->index_room = 1024;
    l->entries = malloc(l->entry_room * sizeof *l->entries);
    l->index = calloc(l->index_room, sizeof *l->index);
    int rc = l->entries && l->index ? 0 : error_memory(err);
    if (rc == 0)
        rc = scopes_open(&l->scopes, scopes, err);
    if (rc == 0)
        rc = lists_open(&l->lists, names, err);
    if (rc == 0)
        rc = codec_open(&l->codec, names, l->lists, err);
    if (rc != 0) {
        ledger_free(l);
        return -1;
    }
    *out = l;
    return 0;
}

static void free_pages(struct ledger *l)
{
    while (l->pages) {
        struct page *next = l->pages->next;
        free(l->pages);
        l->pages = next;
    }
}

void ledger_free(struct ledger *ledger)
{
    if (!ledger)
        return;
    scopes_free(ledger->scopes);
    lists_free(ledger->lists);
    codec_free(ledger->codec);
    customer_free(&ledger->before);
    customer_free(&ledger->after);
    free(ledger->entries);
    free(ledger->index);
    free(ledger->noted);
    free_pages(ledger);
    free(ledger);
}

void ledger_reset(struct ledger *ledger)
{
    memset(ledger->index, 0, ledger->index_room * sizeof *ledger->index);
    ledger->entry_count = ledger->noted_count = 0;
    ledger->failed = false;
    lists_reset(ledger->lists);
    if (scopes_count(ledger->scopes) > SCOPES_KEPT || scopes_failed(ledger->scopes))
        scopes_reset(ledger->scopes);
    free_pages(ledger);
}

static struct text keep(struct ledger *l, struct text text)
{
    struct page *page = l->pages;
    if (!page || page->room - page->used < text.len) {
        size_t room = text.len > PAGE_BYTES ? text.len : PAGE_BYTES;
        page = malloc(sizeof *page + room);
        if (!page) {
            l->failed = true;
            return text_of("");
        }
        *page = (struct page){l->pages, 0, room};
        l->pages = page;
    }
    char *at = page->bytes + page->used;
    if (text.len)
        memcpy(at, text.at, text.len);
    page->used += text.len;
    return (struct text){at, text.len};
}

static size_t place_of(const struct ledger *l, int32_t partition, struct text id)
{
    size_t i = XXH3_64bits_withSeed(id.at, id.len, (uint64_t)partition) & (l->index_room - 1);
    for (; l->index[i]; i = (i + 1) & (l->index_room - 1)) {
        const struct entry *entry = &l->entries[l->index[i] - 1];
        if (entry->partition == partition && text_equal(entry->id, id))
            break;
    }
    return i;
}

static bool grow_entries(struct ledger *l)
{
    struct entry *entries = realloc(l->entries, 2 * l->entry_room * sizeof *entries);
    if (entries)
        l->entries = entries;
    uint32_t *index = calloc(2 * l->index_room, sizeof *index);
    if (!entries || !index) {
        free(index);
        return false;
    }
    free(l->index);
    l->index = index;
    l->index_room *= 2;
    l->entry_room *= 2;
    for (size_t e = 0; e < l->entry_count; e++)
        l->index[place_of(l, l->entries[e].partition, l->entries[e].id)] = (uint32_t)e + 1;
    return true;
}

/* NULL when memory is short. */
static struct entry *entry_of(struct ledger *l, int32_t partition, struct text id)
{
    size_t place = place_of(l, partition, id);
    if (l->index[place])
        return &l->entries[l->index[place] - 1];
    if (l->entry_count == l->entry_room) {
        if (!grow_entries(l))
            return NULL;
        place = place_of(l, partition, id);
    }
    struct entry *entry = &l->entries[l->entry_count];
    *entry = (struct entry){.partition = partition,
                            .id = keep(l, id),
                            .known = text_of(""),
                            .state = text_of(""),
                            .forgotten = {INT64_MAX, INT64_MAX},
                            .first = NO_DEED,
                            .last = NO_DEED};
    if (l->failed)
        return NULL;
    l->index[place] = (uint32_t)++l->entry_count;
    return entry;
}

static bool note(struct ledger *l, int32_t partition, struct text id, const struct noted *noted)
{
    struct entry *entry = entry_of(l, partition, id);
    if (!entry)
        return false;
    if (l->noted_count == l->noted_room) {
        size_t room = l->noted_room ? 2 * l->noted_room : 1024;
        struct noted *more = realloc(l->noted, room * sizeof *more);
        if (!more)
            return false;
        l->noted = more;
        l->noted_room = room;
    }
    uint32_t place = (uint32_t)l->noted_count++;
    l->noted[place] = *noted;
    if (entry->last == NO_DEED)
        entry->first = place;
    else
        l->noted[entry->last].next = place;
    entry->last = place;
    entry->count++;
    return true;
}

/* False for events that no customer counter depends on. */
static bool kind_of(const struct event *event, enum deed_kind *kind)
{
    switch (event->type) {
    case EVENT_SALE_COMPLETED:
        *kind = DEED_SALE;
        return true;
    case EVENT_SALE_INTERACTION:
        *kind = DEED_INTERACTION;
        return true;
    case EVENT_SERVICE_OPENED:
        *kind = DEED_CONTACT;
        return true;
    case EVENT_SALE_REFERRED:
        *kind = DEED_REFERRED_BY_SALE;
        return true;
    case EVENT_SERVICE_REFERRED:
        *kind = DEED_REFERRED_BY_SERVICE;
        return true;
    case EVENT_SERVICE_RATED:
        *kind = DEED_RATING;
        return event->rated.scale == SCALE_CSAT || event->rated.scale == SCALE_NPS;
    default:
        return false;
    }
}

/* The id of a scope's name, "region=north". */
static uint32_t named(struct ledger *l, uint32_t scope)
{
    char name[256]; /* two slugs, "labels." and "=" are fewer */
    int len = snprintf(name, sizeof name, "%s=%.*s", scope_dimension(l->scopes, scope),
                       TEXT_ARG(scope_value(l->scopes, scope)));
    uint32_t id = dictionary_id(l->names, (struct text){name, (size_t)len});
    l->failed |= id == 0;
    return id;
}

static uint32_t list_of(struct ledger *l, const struct event *event)
{
    uint32_t scopes[1 + SCOPE_DIMENSIONS_MAX];
    size_t count = 0;
    int scope_count = scopes_of(l->scopes, event, scopes);
    for (int i = 1; i < scope_count; i++) /* from 1: the first is `all` */
        l->ids[count++] = named(l, scopes[i]);
    if (event->type == EVENT_SALE_COMPLETED)
        for (size_t i = 0; i < event->sale.item_count; i++) {
            uint32_t scope = scopes_line(l->scopes, event->sale.items[i].line);
            if (scope != SCOPE_ALL)
                l->ids[count++] = named(l, scope);
        }
    l->failed |= scopes_failed(l->scopes);
    return l->failed ? LISTS_EMPTY : lists_add(l->lists, l->ids, count);
}

void ledger_add(struct ledger *ledger, int32_t partition, int64_t offset, const struct event *event)
{
    struct noted noted = {.side = event_side(event->type), .offset = offset, .next = NO_DEED};
    struct deed *deed = &noted.deed;
    if (!event->customer.at || !kind_of(event, &deed->kind))
        return;
    /* Valid events lie between CUSTOMER_TIME_MIN_S and CUSTOMER_TIME_MAX_S: after 1970. */
    deed->time_s = event->time_ms / 1000;
    deed->day = zone_day(ledger->rules.zone, deed->time_s);
    if (deed->kind == DEED_SALE || deed->kind == DEED_RATING)
        deed->list = list_of(ledger, event);
    if (deed->kind == DEED_RATING) {
        deed->ref = XXH3_64bits(event->ref.at, event->ref.len);
        deed->scale = (uint8_t)event->rated.scale;
        deed->score = (uint8_t)event->rated.score;
    }
    if (!note(ledger, partition, event->customer, &noted))
        ledger->failed = true;
}

size_t ledger_customers(const struct ledger *ledger)
{
    return ledger->entry_count;
}

size_t ledger_events(const struct ledger *ledger)
{
    return ledger->noted_count;
}

struct ledger_customer ledger_customer(const struct ledger *ledger, size_t customer)
{
    const struct entry *entry = &ledger->entries[customer];
    return (struct ledger_customer){entry->partition, entry->id, entry->count};
}

void ledger_known(struct ledger *ledger, size_t customer, struct text state)
{
    ledger->entries[customer].known = state;
}

void ledger_forgotten(struct ledger *ledger, size_t customer, int64_t sale_offset,
                      int64_t service_offset)
{
    ledger->entries[customer].forgotten[SIDE_SALE] = sale_offset;
    ledger->entries[customer].forgotten[SIDE_SERVICE] = service_offset;
}

/* Its events into ledger->after. */
static bool live_on(struct ledger *l, const struct contribution *to, const struct entry *entry)
{
    for (uint32_t i = entry->first; i != NO_DEED; i = l->noted[i].next) {
        const struct noted *noted = &l->noted[i];
        if (noted->offset >= entry->forgotten[noted->side])
            continue;
        contribution_deed(to, &noted->deed);
        if (!customer_add(&l->after, &l->rules, l->lists, &noted->deed))
            return false;
    }
    return true;
}

static int apply_one(struct ledger *l, const struct contribution *to, struct entry *entry,
                     struct error *err)
{
    struct text state;
    if (codec_decode(l->codec, entry->known, &l->before, err) != 0)
        return -1;
    if (!customer_copy(&l->after, &l->before) || !live_on(l, to, entry))
        return error_memory(err);
    contribution_difference(to, &l->before, &l->after);
    if (codec_encode(l->codec, &l->after, &state, err) != 0)
        return -1;
    entry->changed = !text_equal(state, entry->known);
    entry->state = entry->changed ? keep(l, state) : entry->known;
    return 0;
}

int ledger_apply(struct ledger *ledger, struct tally *tally, struct error *err)
{
    struct contribution to = {&ledger->rules, ledger->lists, tally};
    for (size_t i = 0; i < ledger->entry_count && !ledger->failed; i++) {
        struct entry *entry = &ledger->entries[i];
        if (apply_one(ledger, &to, entry, err) != 0)
            return error_prefix(err, "customer %.*s of partition %d", TEXT_ARG(entry->id),
                                (int)entry->partition);
    }
    if (ledger->failed || lists_failed(ledger->lists) || tally_failed(tally))
        return error_memory(err);
    return 0;
}

bool ledger_state(const struct ledger *ledger, size_t customer, struct text *state)
{
    *state = ledger->entries[customer].state;
    return ledger->entries[customer].changed;
}

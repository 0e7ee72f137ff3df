#include "producers/rejected/rejected_verbs.h"

#include "common/calendar.h"
#include "producers/rejected/letter_json.h"

#include <inttypes.h>
#include <stdlib.h>

enum { REASONS_MAX = 32, TABLE_LIMIT = 20 };

struct reason_count {
    char name[LETTER_REASON_MAX + 1];
    int64_t records, first_ms, last_ms;
};

/* A letter that is to be shown, once all are read. */
struct entry {
    json_t *json;
    int64_t rejected_ms;
};

struct list {
    const struct rejected *rejected;
    struct known *known[SIDES]; /* with --open */
    struct reason_count reasons[REASONS_MAX];
    int reason_count;
    int64_t total, shown, limit; /* limit 0: none */
    struct entry *entries;
    size_t count, room;
    int rc;
    struct error *err;
};

/* ---- collecting ---- */

/* Sent again since, or found good by the settings of today. */
static bool stands(const struct list *list, const struct letter *letter)
{
    XXH128_hash_t hash;
    if (!letter_event_hash(&letter->record, &hash)) {
        return false;
    }
    for (int side = 0; side < SIDES; side++) {
        if (known_has(list->known[side], hash)) {
            return true;
        }
    }
    return false;
}

/* Reasons of versions to come share the last line when there are too many. */
static struct reason_count *count_of(struct list *list, struct text reason)
{
    for (int i = 0; i < list->reason_count; i++) {
        if (text_is(reason, list->reasons[i].name)) {
            return &list->reasons[i];
        }
    }
    if (list->reason_count == REASONS_MAX) {
        return &list->reasons[REASONS_MAX - 1];
    }
    struct reason_count *new = &list->reasons[list->reason_count++];
    bool last = list->reason_count == REASONS_MAX;
    snprintf(new->name, sizeof new->name, "%.*s", last ? 7 : (int)reason.len,
             last ? "(other)" : reason.at);
    return new;
}

static void count(struct list *list, const struct letter *letter)
{
    struct reason_count *reason = count_of(list, letter->reason);
    if (reason->records == 0 || letter->rejected_ms < reason->first_ms) {
        reason->first_ms = letter->rejected_ms;
    }
    if (reason->records == 0 || letter->rejected_ms > reason->last_ms) {
        reason->last_ms = letter->rejected_ms;
    }
    reason->records++;
    list->total++;
}

static int newest_first(const void *a, const void *b)
{
    int64_t x = ((const struct entry *)a)->rejected_ms, y = ((const struct entry *)b)->rejected_ms;
    return (x < y) - (x > y);
}

/* Keeps the newest `limit`. */
static void cut(struct list *list)
{
    if (list->count > 0) {
        qsort(list->entries, list->count, sizeof *list->entries, newest_first);
    }
    while (list->limit && list->count > (size_t)list->limit) {
        json_decref(list->entries[--list->count].json);
    }
}

static int keep(struct list *list, json_t *json, int64_t rejected_ms)
{
    if (list->limit && list->count >= 2 * (size_t)list->limit) {
        cut(list);
    }
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 64;
        struct entry *grown = realloc(list->entries, room * sizeof *grown);
        if (!grown) {
            json_decref(json);
            return error_memory(list->err);
        }
        list->entries = grown;
        list->room = room;
    }
    list->entries[list->count++] = (struct entry){json, rejected_ms};
    return 0;
}

static void print_line(const json_t *json)
{
    json_dumpf(json, stdout, JSON_COMPACT);
    putchar('\n');
}

static bool on_letter(void *context, const struct letter *letter)
{
    struct list *list = context;
    if (list->rejected->words->open && stands(list, letter)) {
        return true;
    }
    count(list, letter);
    json_t *json = letter_json(letter, list->rejected->words->values);
    if (!json) {
        list->rc = error_memory(list->err);
        return false;
    }
    if (list->rejected->format != REJECTED_NDJSON) {
        list->rc = keep(list, json, letter->rejected_ms);
        return list->rc == 0;
    }
    print_line(json);
    json_decref(json);
    list->shown++;
    return !list->limit || list->shown < list->limit;
}

/* ---- printing ---- */

static const char *time_text(int64_t ms, char out[32])
{
    return ms < 0 ? "-" : calendar_format_time(ms - ms % 1000, out);
}

static const char *member(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    return text ? text : "";
}

static void print_letters(const struct list *list)
{
    int width = 3;
    for (size_t i = 0; i < list->count; i++) {
        int len = (int)json_string_length(json_object_get(list->entries[i].json, "key"));
        width = len > width ? len : width;
    }
    printf("%-20s  %-*s  %-19s  %s\n", "rejected", width, "key", "reason", "detail");
    for (size_t i = 0; i < list->count; i++) {
        char time[32];
        const json_t *json = list->entries[i].json;
        printf("%-20s  %-*s  ", time_text(list->entries[i].rejected_ms, time), width,
               member(json, "key"));
        printf("%-19s  ", member(json, "reason"));
        rejected_print(text_of(member(json, "detail")), stdout);
        putchar('\n');
    }
    if (list->total > (int64_t)list->count) {
        printf("... and %" PRId64 " older (--limit 0 shows all)\n",
               list->total - (int64_t)list->count);
    }
}

static void print_reasons(const struct list *list)
{
    printf("\n%-19s  %9s  %-20s  %s\n", "reason", "records", "first", "last");
    for (int i = 0; i < list->reason_count; i++) {
        char first[32], last[32];
        const struct reason_count *r = &list->reasons[i];
        printf("%-19s  %9" PRId64 "  %-20s  %s\n", r->name, r->records,
               time_text(r->first_ms, first), time_text(r->last_ms, last));
    }
    printf("%-19s  %9" PRId64 "\n", "all", list->total);
}

static int most_first(const void *a, const void *b)
{
    const struct reason_count *x = a, *y = b;
    if (x->records != y->records) {
        return x->records < y->records ? 1 : -1;
    }
    return strcmp(x->name, y->name);
}

static json_t *reason_json(const struct reason_count *reason)
{
    char first[32], last[32];
    return json_pack("{s:s, s:I, s:s, s:s}", "reason", reason->name, "records",
                     (json_int_t)reason->records, "first", time_text(reason->first_ms, first),
                     "last", time_text(reason->last_ms, last));
}

static int print_document(const struct list *list, struct error *err)
{
    json_t *reasons = json_array(), *letters = json_array();
    int failed = !reasons || !letters;
    for (int i = 0; i < list->reason_count && !failed; i++) {
        failed = json_array_append_new(reasons, reason_json(&list->reasons[i]));
    }
    for (size_t i = 0; i < list->count && !failed; i++) {
        failed = json_array_append(letters, list->entries[i].json);
    }
    json_t *document =
        json_pack("{s:s, s:I, s:o, s:o}", "topic", list->rejected->config->topics_rejected,
                  "records", (json_int_t)list->total, "reasons", reasons, "letters", letters);
    if (document && !failed) {
        json_dumpf(document, stdout, JSON_INDENT(2));
        putchar('\n');
    }
    failed = failed || !document;
    json_decref(document);
    return failed ? error_memory(err) : 0;
}

static int print(struct list *list, struct error *err)
{
    if (list->rejected->format == REJECTED_NDJSON) {
        return 0;
    }
    cut(list);
    qsort(list->reasons, (size_t)list->reason_count, sizeof *list->reasons, most_first);
    if (list->rejected->format == REJECTED_JSON) {
        return print_document(list, err);
    }
    if (list->total == 0) {
        printf("No rejected records%s in %s.\n", list->rejected->words->open ? " left open" : "",
               list->rejected->config->topics_rejected);
        return 0;
    }
    print_letters(list);
    print_reasons(list);
    return 0;
}

static void clear(struct list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        json_decref(list->entries[i].json);
    }
    for (int side = 0; side < SIDES; side++) {
        known_free(list->known[side]);
    }
    free(list->entries);
}

int rejected_list(const struct rejected *rejected, struct error *err)
{
    int64_t foreign = 0, limit = rejected->words->limit;
    struct list list = {.rejected = rejected, .err = err};
    list.limit = limit >= 0 ? limit : rejected->format == REJECTED_TABLE ? TABLE_LIMIT : 0;
    int rc = rejected->words->open ? rejected_read_known(rejected->config, list.known, err) : 0;
    if (!rc) {
        rc = letters_read(rejected->config, rejected->filter, on_letter, &list, &foreign, err);
    }
    rc = rc ? rc : list.rc;
    rc = rc ? rc : print(&list, err);
    if (!rc && foreign) {
        fprintf(stderr, "tandem rejected: %" PRId64 " records of %s are no dead letters\n", foreign,
                rejected->config->topics_rejected);
    }
    clear(&list);
    return rc ? 1 : 0;
}

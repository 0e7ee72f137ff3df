#include "consumers/comparison/counters.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* Entries lie in the order they came; `slots` is an open hash over them: place + 1, 0 is free. */
struct entry {
    char name[COUNTERS_NAME_MAX];
    size_t len;
    __int128 sum;
};

struct counters {
    struct entry *entries;
    uint32_t *slots;
    size_t count, room, slot_count; /* slot_count: a power of two, at least twice the room */
};

int counters_open(struct counters **out, struct error *err)
{
    *out = calloc(1, sizeof **out);
    return *out ? 0 : error_memory(err);
}

void counters_free(struct counters *counters)
{
    if (!counters)
        return;
    free(counters->entries);
    free(counters->slots);
    free(counters);
}

void counters_clear(struct counters *counters)
{
    counters->count = 0;
    if (counters->slots)
        memset(counters->slots, 0, counters->slot_count * sizeof *counters->slots);
}

/* The slot that holds the name, or the free one where it belongs. There is always a free one. */
static size_t slot_of(const struct counters *counters, struct text name)
{
    size_t mask = counters->slot_count - 1;
    size_t slot = (size_t)XXH3_64bits(name.at, name.len) & mask;
    while (counters->slots[slot]) {
        const struct entry *entry = &counters->entries[counters->slots[slot] - 1];
        if (text_equal(name, (struct text){entry->name, entry->len}))
            break;
        slot = (slot + 1) & mask;
    }
    return slot;
}

static int grow(struct counters *counters, struct error *err)
{
    size_t room = counters->room ? counters->room * 2 : 64;
    struct entry *entries = realloc(counters->entries, room * sizeof *entries);
    if (!entries)
        return error_memory(err);
    counters->entries = entries;
    uint32_t *slots = calloc(room * 2, sizeof *slots);
    if (!slots)
        return error_memory(err);
    free(counters->slots);
    counters->slots = slots;
    counters->slot_count = room * 2;
    counters->room = room;
    for (size_t i = 0; i < counters->count; i++) {
        struct text name = {entries[i].name, entries[i].len};
        counters->slots[slot_of(counters, name)] = (uint32_t)i + 1;
    }
    return 0;
}

static int check_name(struct text name, struct error *err)
{
    if (name.len == 0)
        return error_set(err, ERROR_INPUT, "a counter without a name");
    if (name.len > COUNTERS_NAME_MAX)
        return error_set(err, ERROR_INPUT,
                         "the counter %.64s... has a name of %zu bytes, more than "
                         "%d",
                         name.at, name.len, COUNTERS_NAME_MAX);
    return 0;
}

static int add_wide(struct counters *counters, struct text name, __int128 amount, struct error *err)
{
    if (check_name(name, err))
        return -1;
    if (counters->count == counters->room && grow(counters, err))
        return -1;
    size_t slot = slot_of(counters, name);
    if (!counters->slots[slot]) {
        if (counters->count == COUNTERS_MAX)
            return error_set(err, ERROR_INPUT, "more than %d counters: %.*s is one too many",
                             COUNTERS_MAX, TEXT_ARG(name));
        struct entry *entry = &counters->entries[counters->count++];
        memcpy(entry->name, name.at, name.len);
        entry->len = name.len;
        entry->sum = 0;
        counters->slots[slot] = (uint32_t)counters->count;
    }
    counters->entries[counters->slots[slot] - 1].sum += amount;
    return 0;
}

int counters_add(struct counters *counters, struct text name, int64_t amount, struct error *err)
{
    return add_wide(counters, name, amount, err);
}

int counters_add_all(struct counters *counters, const struct counters *more, struct error *err)
{
    for (size_t i = 0; i < more->count; i++) {
        const struct entry *entry = &more->entries[i];
        if (add_wide(counters, (struct text){entry->name, entry->len}, entry->sum, err))
            return -1;
    }
    return 0;
}

/* Decimal int64, as HINCRBY leaves it: no blanks, no plus sign. */
static bool parse_int64(struct text text, int64_t *out)
{
    size_t i = 0;
    bool negative = text.len > 0 && text.at[0] == '-';
    if (negative)
        i++;
    if (i == text.len)
        return false;
    int64_t value = 0;
    for (; i < text.len; i++) {
        int digit = text.at[i] - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, negative ? -digit : digit, &value))
            return false;
    }
    *out = value;
    return true;
}

int counters_add_field(struct counters *counters, struct text name, struct text value,
                       struct error *err)
{
    int64_t amount;
    if (check_name(name, err))
        return -1;
    if (!parse_int64(value, &amount))
        return error_set(err, ERROR_INPUT, "the counter %.*s is no whole number: \"%.*s\"",
                         TEXT_ARG(name), value.len > 40 ? 40 : (int)value.len,
                         value.at ? value.at : "");
    return add_wide(counters, name, amount, err);
}

__int128 counters_get(const struct counters *counters, struct text name)
{
    if (!counters || counters->count == 0)
        return 0;
    uint32_t place = counters->slots[slot_of(counters, name)];
    return place ? counters->entries[place - 1].sum : 0;
}

size_t counters_count(const struct counters *counters)
{
    return counters ? counters->count : 0;
}

struct text counters_at(const struct counters *counters, size_t i, __int128 *sum)
{
    *sum = counters->entries[i].sum;
    return (struct text){counters->entries[i].name, counters->entries[i].len};
}

/* "response_b57" with prefix "response_b" -> 57; -1 when it is no bucket of it. */
static int bucket_of(const struct entry *entry, const char *prefix, size_t prefix_len)
{
    size_t digits = entry->len - prefix_len;
    if (entry->len <= prefix_len || digits > 4 || memcmp(entry->name, prefix, prefix_len) != 0)
        return -1;
    int bucket = 0;
    for (size_t i = prefix_len; i < entry->len; i++) {
        if (entry->name[i] < '0' || entry->name[i] > '9')
            return -1;
        bucket = bucket * 10 + (entry->name[i] - '0');
    }
    return bucket < HISTOGRAM_BUCKETS ? bucket : -1;
}

static int by_bucket(const void *a, const void *b)
{
    const struct histogram_count *x = a, *y = b;
    return (x->bucket > y->bucket) - (x->bucket < y->bucket);
}

static int64_t clamp_int64(__int128 value)
{
    if (value > INT64_MAX)
        return INT64_MAX;
    return value < INT64_MIN ? INT64_MIN : (int64_t)value;
}

int counters_histogram(const struct counters *counters, const char *prefix,
                       struct histogram_count **out, size_t *count, struct error *err)
{
    size_t entries = counters ? counters->count : 0;
    *count = 0;
    *out = malloc((entries ? entries : 1) * sizeof **out);
    if (!*out)
        return error_memory(err);
    for (size_t i = 0; i < entries; i++) {
        const struct entry *entry = &counters->entries[i];
        int bucket = bucket_of(entry, prefix, strlen(prefix));
        if (bucket >= 0 && entry->sum != 0)
            (*out)[(*count)++] = (struct histogram_count){bucket, clamp_int64(entry->sum)};
    }
    qsort(*out, *count, sizeof **out, by_bucket);
    return 0;
}

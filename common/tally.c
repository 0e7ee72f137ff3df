#include "common/tally.h"

#include "common/currency.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SUMS 8192            /* sums of one chunk of memory: 64 KiB */
/* Before the sums of a row: a bit for each cell that shares have added to, so that they are counted
 * word by word and not cell by cell. */
#define TOUCHED (TALLY_WIDTH_MAX / 64)
#define CELL_LIMIT (INT64_C(1) << 62)
#define SHARES_LIMIT (INT64_C(1) << 61)

/* Rows never move: chunks are kept from batch to batch. */
struct chunk {
    struct chunk *next;
    size_t used;
    int64_t sums[CHUNK_SUMS];
};

struct row {
    uint64_t key;
    int64_t *sums;
};

struct tally {
    const struct tally_layout *layout;
    int width[3];                  /* of fields, records, currency */
    struct row *rows;
    size_t row_count, row_room;
    struct row *index;             /* the same rows by their keys; sums NULL: free */
    size_t index_room;             /* power of two, at least twice row_room */
    struct chunk *chunks, *current;
    size_t cells;
    int64_t shared;                /* no cell holds more by shares */
    bool full, failed;
    int64_t spare[TOUCHED + TALLY_WIDTH_MAX]; /* where sums go when memory is short */
};

static int count_names(const char *const *names)
{
    int count = 0;
    while (names && names[count])
        count++;
    return count;
}

int tally_open(struct tally **out, const struct tally_layout *layout, struct error *err)
{
    struct tally *t = calloc(1, sizeof *t);
    *out = NULL;
    if (!t)
        return error_memory(err);
    t->layout = layout;
    t->width[TALLY_FIELDS] = count_names(layout->fields);
    t->width[TALLY_RECORDS] = count_names(layout->records);
    t->width[TALLY_CURRENCY] = count_names(layout->currency);
    t->row_room = 256;
    t->index_room = 1024;
    t->rows = malloc(t->row_room * sizeof *t->rows);
    t->index = calloc(t->index_room, sizeof *t->index);
    t->chunks = t->current = calloc(1, sizeof *t->chunks);
    if (!t->rows || !t->index || !t->chunks) {
        tally_free(t);
        return error_memory(err);
    }
    *out = t;
    return 0;
}

void tally_free(struct tally *tally)
{
    if (!tally)
        return;
    for (struct chunk *chunk = tally->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    free(tally->rows);
    free(tally->index);
    free(tally);
}

void tally_reset(struct tally *tally)
{
    memset(tally->index, 0, tally->index_room * sizeof *tally->index);
    for (struct chunk *chunk = tally->chunks; chunk; chunk = chunk->next) {
        memset(chunk->sums, 0, chunk->used * sizeof *chunk->sums);
        chunk->used = 0;
    }
    tally->current = tally->chunks;
    tally->row_count = tally->cells = 0;
    tally->shared = 0;
    tally->full = tally->failed = false;
}

static uint64_t row_key(enum tally_time time, int32_t slot, uint32_t scope, int block)
{
    /* 2 bits of time, 24 of slot (hours until 2100 need 21), 26 of scope, 12 of block. */
    return (uint64_t)time << 62 | (uint64_t)((uint32_t)slot & 0xffffff) << 38 |
           (uint64_t)(scope & 0x3ffffff) << 12 | (uint64_t)(unsigned)block;
}

static size_t mix(uint64_t key)
{
    return (size_t)((key ^ key >> 29) * UINT64_C(0x9e3779b97f4a7c15) >> 20);
}

static int width_of(const struct tally *t, int block)
{
    return block >= TALLY_HISTOGRAM ? 32 : t->width[block > TALLY_CURRENCY ? TALLY_CURRENCY : block];
}

static int64_t *new_sums(struct tally *t, int width)
{
    size_t words = TOUCHED + (size_t)width;
    if (t->current->used + words > CHUNK_SUMS) {
        if (!t->current->next)
            t->current->next = calloc(1, sizeof *t->current);
        if (!t->current->next)
            return NULL;
        t->current = t->current->next;
    }
    int64_t *sums = t->current->sums + t->current->used + TOUCHED;
    t->current->used += words;
    return sums;
}

/* The place of a key in the index, or the free one where it belongs. */
static inline struct row *find(const struct tally *t, uint64_t key)
{
    size_t i = mix(key) & (t->index_room - 1);
    while (t->index[i].sums && t->index[i].key != key)
        i = (i + 1) & (t->index_room - 1);
    return &t->index[i];
}

static bool grow(struct tally *t)
{
    struct row *rows = realloc(t->rows, 2 * t->row_room * sizeof *rows);
    if (rows)
        t->rows = rows;
    struct row *index = calloc(2 * t->index_room, sizeof *index);
    if (!rows || !index) {
        free(index);
        return false;
    }
    free(t->index);
    t->index = index;
    t->row_room *= 2;
    t->index_room *= 2;
    for (size_t r = 0; r < t->row_count; r++)
        *find(t, t->rows[r].key) = t->rows[r];
    return true;
}

static int64_t *add_row(struct tally *t, uint64_t key, int width)
{
    int64_t *sums;
    if ((t->row_count == t->row_room && !grow(t)) || !(sums = new_sums(t, width))) {
        t->failed = true;
        return t->spare + TOUCHED;
    }
    t->rows[t->row_count++] = *find(t, key) = (struct row){key, sums};
    return sums;
}

static inline int64_t *row_of(struct tally *t, uint64_t key)
{
    const struct row *row = find(t, key);
    return row->sums ? row->sums : add_row(t, key, width_of(t, (int)(key & 0xfff)));
}

int64_t *tally_row(struct tally *tally, enum tally_time time, int32_t slot, uint32_t scope,
                   int block)
{
    return row_of(tally, row_key(time, slot, scope, block));
}

/* Counts the cells that no share has added to before. */
static void touch(struct tally *t, int64_t *row, const struct tally_share *share)
{
    for (int word = 0; word < TOUCHED; word++) {
        uint64_t before = (uint64_t)row[word - TOUCHED], now = before | share->touched[word];
        t->cells += (size_t)__builtin_popcountll(now ^ before);
        row[word - TOUCHED] = (int64_t)now;
    }
}

/* Whether touch() would find any: seldom. */
static inline bool touches(const int64_t *row, const struct tally_share *share)
{
    _Static_assert(TOUCHED == 2, "two words");
    return (share->touched[0] & ~(uint64_t)row[-2]) | (share->touched[1] & ~(uint64_t)row[-1]);
}

static inline void add_share(struct tally *t, uint64_t key, const struct tally_share *share)
{
    const struct tally_addend *add = share->adds, *end = add + share->count;
    int64_t *row = row_of(t, key);
    if (touches(row, share))
        touch(t, row, share);
    for (; add < end; add++)
        row[add->cell] += add->value;
}

void tally_add_shares(struct tally *tally, enum tally_time time, int32_t slot, uint32_t scope,
                      const struct tally_share *shares, int count)
{
    uint64_t key = row_key(time, slot, scope, 0);
    int64_t largest = 0;
    for (int i = 0; i < count; i++) {
        add_share(tally, key | (uint64_t)shares[i].block, &shares[i]);
        largest |= shares[i].largest; /* as large as each of them */
    }
    tally->shared += largest;
    if (tally->shared > SHARES_LIMIT)
        tally->full = true;
}

int64_t *tally_histogram_row(struct tally *tally, enum tally_time time, int32_t slot,
                             uint32_t scope, int histogram, int bucket)
{
    return tally_row(tally, time, slot, scope, tally_histogram_block(histogram, bucket));
}

void tally_add(struct tally *tally, int64_t *cell, int64_t value)
{
    tally->cells += (*cell == 0) & (value != 0);
    *cell += value;
    if (*cell > CELL_LIMIT || *cell < -CELL_LIMIT)
        tally->full = true;
}

size_t tally_cells(const struct tally *tally)
{
    return tally->cells;
}

bool tally_full(const struct tally *tally)
{
    return tally->full;
}

bool tally_failed(const struct tally *tally)
{
    return tally->failed;
}

bool tally_empty(const struct tally *tally)
{
    return tally->row_count == 0;
}

size_t tally_rows(const struct tally *tally)
{
    return tally->row_count;
}

struct tally_view tally_view(const struct tally *tally, size_t row)
{
    uint64_t key = tally->rows[row].key;
    int block = (int)(key & 0xfff);
    return (struct tally_view){
        .time = (enum tally_time)(key >> 62),
        .slot = (int32_t)(key >> 38 & 0xffffff),
        .scope = (uint32_t)(key >> 12 & 0x3ffffff),
        .block = block,
        .sums = tally->rows[row].sums,
        .width = width_of(tally, block),
    };
}

/* Puts a text behind `len` bytes and ends it; what does not fit is cut. Returns where it ends. */
static size_t put(char *out, size_t room, size_t len, const char *text)
{
    size_t bytes = strnlen(text, room - len - 1);
    memcpy(out + len, text, bytes);
    out[len + bytes] = 0;
    return len + bytes;
}

/* Without printf: a flush names thousands of cells. */
size_t tally_name(const struct tally_layout *layout, int block, int i, char *out, size_t room)
{
    if (block >= TALLY_HISTOGRAM) {
        int histogram = (block - TALLY_HISTOGRAM) / 64, octave = (block - TALLY_HISTOGRAM) % 64;
        int len = snprintf(out, room, "%s_b%d", layout->histograms[histogram], octave * 32 + i);
        return len < 0 ? 0 : (size_t)len;
    }
    if (block < TALLY_CURRENCY)
        return put(out, room, 0, block == TALLY_RECORDS ? layout->records[i] : layout->fields[i]);
    size_t len = put(out, room, 0, layout->currency[i]);
    len = put(out, room, len, ":");
    return put(out, room, len, currency_code(block - TALLY_CURRENCY));
}

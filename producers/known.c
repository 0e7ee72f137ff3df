#include "producers/known.h"

#include "common/event.h"
#include "common/scan.h"
#include "producers/progress.h"

#include <stdlib.h>

/* Open addressing; an all-zero slot is free, so the id 0 is kept as 1. */
struct known {
    XXH128_hash_t *slots;
    size_t room; /* a power of two */
    size_t count;
};

enum { ROOM = 1024 };

int known_empty(struct known **out, struct error *err)
{
    struct known *known = calloc(1, sizeof *known);
    if (known) {
        known->room = ROOM;
        known->slots = calloc(ROOM, sizeof *known->slots);
    }
    if (!known || !known->slots) {
        known_free(known);
        return error_memory(err);
    }
    *out = known;
    return 0;
}

void known_free(struct known *known)
{
    if (known) {
        free(known->slots);
        free(known);
    }
}

static bool is_free(XXH128_hash_t slot)
{
    return slot.low64 == 0 && slot.high64 == 0;
}

static XXH128_hash_t nonzero(XXH128_hash_t id)
{
    id.low64 += is_free(id);
    return id;
}

/* The slot that holds `id`, else the free one where it belongs. */
static XXH128_hash_t *find(XXH128_hash_t *slots, size_t room, XXH128_hash_t id)
{
    size_t at = (size_t)id.low64 & (room - 1);
    while (!is_free(slots[at]) && !XXH128_isEqual(slots[at], id)) {
        at = (at + 1) & (room - 1);
    }
    return &slots[at];
}

bool known_has(const struct known *known, XXH128_hash_t id)
{
    return !is_free(*find(known->slots, known->room, nonzero(id)));
}

static int grow(struct known *known, struct error *err)
{
    size_t room = known->room * 2;
    XXH128_hash_t *slots = calloc(room, sizeof *slots);
    if (!slots) {
        return error_memory(err);
    }
    for (size_t i = 0; i < known->room; i++) {
        if (!is_free(known->slots[i])) {
            *find(slots, room, known->slots[i]) = known->slots[i];
        }
    }
    free(known->slots);
    known->slots = slots;
    known->room = room;
    return 0;
}

int known_add(struct known *known, XXH128_hash_t id, struct error *err)
{
    if (known->count >= known->room / 8 * 7 && grow(known, err)) {
        return -1;
    }
    XXH128_hash_t *slot = find(known->slots, known->room, nonzero(id));
    known->count += is_free(*slot);
    *slot = nonzero(id);
    return 0;
}

size_t known_count(const struct known *known)
{
    return known->count;
}

struct reading {
    struct known *known;
    struct decoder *decoder;
    const char *topic;
    enum side side;
    struct progress progress;
    int rc;
    struct error *err;
};

static bool on_record(void *context, const struct record *record)
{
    struct reading *reading = context;
    struct event event;
    struct rejection why;
    if (decoder_decode(reading->decoder, record, reading->side, &event, &why) == VERDICT_VALID) {
        reading->rc = known_add(reading->known, event_hash(&event), reading->err);
    }
    return reading->rc == 0;
}

static void on_tick(void *context, struct scan_progress at)
{
    struct reading *reading = context;
    if (progress_due(&reading->progress)) {
        progress_show(&reading->progress, "reading %s: %lld %%, %zu events known", reading->topic,
                      at.total > 0 ? (long long)(at.done * 100 / at.total) : 100LL,
                      reading->known->count);
    }
}

int known_open(struct known **out, const struct config *config, const char *topic, enum side side,
               bool progress, struct error *err)
{
    struct reading reading = {.topic = topic, .side = side, .err = err};
    progress_start(&reading.progress, progress);
    int rc = known_empty(&reading.known, err);
    if (!rc) {
        rc = decoder_open(&reading.decoder, config->type_prefix, err);
    }
    if (!rc) {
        rc = scan_topic(config, topic, on_record, on_tick, &reading, err);
    }
    rc = rc ? rc : reading.rc;
    progress_clear(&reading.progress);
    decoder_free(reading.decoder);
    if (rc) {
        known_free(reading.known);
        return -1;
    }
    *out = reading.known;
    return 0;
}

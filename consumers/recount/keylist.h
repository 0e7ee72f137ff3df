/* keylist.h - the keys of a business as SCAN finds them, and what the name of a counter says.
 *
 * docs/redis.md, "Counters". */
#ifndef TANDEM_KEYLIST_H
#define TANDEM_KEYLIST_H

#include "common/record.h"
#include "common/redis.h"
#include "common/tally.h"

#include <stdbool.h>
#include <stddef.h>

struct keylist {
    char **list;
    size_t count, room;
};

/* True for a key that is wanted. `rest` is what follows "tandem:{<business>}:". */
typedef bool keylist_wants(const void *context, const char *rest);

/* Adds all keys that begin with `prefix` and are wanted, sorted, each once. Walks the whole of
 * Redis in small steps. Begin with {0}. -1: Redis, memory, or a signal asked to stop. */
int keylist_scan(struct keylist *keys, struct redis *redis, const char *prefix,
                 keylist_wants *wants, const void *context, struct error *err);
/* Adds a copy of one key at the end. */
int keylist_add(struct keylist *keys, struct text key, struct error *err);
/* Sorts by bytes and drops what stands twice. */
void keylist_sort(struct keylist *keys);
/* Whether a sorted list has a key. */
bool keylist_has(const struct keylist *keys, const char *key);
void keylist_clear(struct keylist *keys); /* what it holds, not *keys itself */

/* What the name of a key of counters says. */
struct counter_key {
    enum side side; /* SIDES: of customers */
    enum tally_time time;
    int32_t slot;      /* day; hour (24 a day); 0 when undated */
    struct text scope; /* "" when undated */
};
/* Reads "sale:day:2026-11-23:all", "service:hour:2026-11-23T14:all", "sale:undated". */
bool counter_key_parse(const char *rest, struct counter_key *out);

#endif

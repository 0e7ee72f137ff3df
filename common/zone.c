#include "common/zone.h"

#include "common/calendar.h"

#include <endian.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

enum {
    DAY_S = 86400,
    /* Offset changes of one zone lie a week apart or more (Brazil, Gaza and Morocco had such short
     * summers), so steps of three days miss none; steps of one took 20 ms more of every start. */
    STEP_S = 3 * DAY_S,
    /* No offset is larger, and no change moves the wall clock by more. */
    REACH_S = 2 * DAY_S
};

#define FROM_S ((int64_t)CALENDAR_DAY_MIN * DAY_S)
#define TO_S   ((int64_t)(CALENDAR_DAY_MAX + 1) * DAY_S)

/* 0000-01-01 and 9999-12-31. */
#define FIRST_DAY INT64_C(-719528)
#define LAST_DAY  INT64_C(2932896)

/* A little more than the years asked for, so that wall clocks at their ends can be turned into
 * instants too. Outside of it the offset of the nearer end holds. */
#define SCAN_FROM_S (FROM_S - REACH_S)
#define SCAN_TO_S   (TO_S + REACH_S)

/* Spans of 2^22 s (48.5 days), each knowing the change in force at its start: a look-up is one load
 * and, rarely, a step or two forward. */
enum { SPAN_BITS = 22 };
#define SPANS ((size_t)((SCAN_TO_S - SCAN_FROM_S) >> SPAN_BITS) + 1)

struct change {
    int64_t utc_s; /* the first instant of the offset */
    int32_t offset_s;
};

struct zone {
    char name[64];
    uint64_t hash;
    size_t count; /* of changes, at least 1: the first is the offset at SCAN_FROM_S */
    size_t room;
    struct change *changes;
    uint16_t spans[SPANS];
};

static int unknown(struct error *err, const char *name)
{
    return error_set(err, ERROR_INPUT,
                     "unknown time zone \"%.60s\": a name such as Europe/Bucharest is wanted, and "
                     "the package tzdata",
                     name);
}

/* Nothing that leads out of the folder, nothing that libc would read as a rule of its own. */
static bool is_name(const char *name)
{
    size_t len = strlen(name);
    return len > 0 && len < sizeof((struct zone *)0)->name && name[0] != '/' &&
           !strstr(name, "..") &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_+-") ==
               len;
}

/* libc takes a zone it does not find for UTC without a word, so the file is looked at first. */
static bool is_zone_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return false;
    }
    struct stat st;
    char magic[4];
    bool is = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
              read(fd, magic, sizeof magic) == sizeof magic && memcmp(magic, "TZif", 4) == 0;
    close(fd);
    return is;
}

static bool is_known(const char *name)
{
    if (!is_name(name)) {
        return false;
    }
    if (strcmp(name, "UTC") == 0) {
        return true; /* what libc gives without any file */
    }
    const char *folder = getenv("TZDIR");
    char path[4096];
    int len = snprintf(path, sizeof path, "%s/%s",
                       folder && *folder ? folder : "/usr/share/zoneinfo", name);
    return len > 0 && (size_t)len < sizeof path && is_zone_file(path);
}

static int32_t libc_offset(int64_t utc_s)
{
    time_t instant = (time_t)utc_s;
    struct tm tm;
    return localtime_r(&instant, &tm) ? (int32_t)tm.tm_gmtoff : 0;
}

static int add_change(struct zone *zone, int64_t utc_s, int32_t offset_s, struct error *err)
{
    if (zone->count == zone->room) {
        size_t room = zone->room ? zone->room * 2 : 256;
        struct change *changes =
            room > UINT16_MAX ? NULL : realloc(zone->changes, room * sizeof *changes);
        if (!changes) {
            return error_memory(err);
        }
        zone->changes = changes;
        zone->room = room;
    }
    zone->changes[zone->count++] = (struct change){utc_s, offset_s};
    return 0;
}

/* The first instant after `before` at which libc's offset is no longer `offset_s`; at `after` it
 * is another. */
static int64_t bisect(int64_t before, int64_t after, int32_t offset_s)
{
    while (after - before > 1) {
        int64_t middle = before + (after - before) / 2;
        if (libc_offset(middle) == offset_s) {
            before = middle;
        } else {
            after = middle;
        }
    }
    return after;
}

static int scan(struct zone *zone, struct error *err)
{
    int32_t offset_s = libc_offset(SCAN_FROM_S);
    int failed = add_change(zone, SCAN_FROM_S, offset_s, err);
    for (int64_t at = SCAN_FROM_S; failed == 0 && at < SCAN_TO_S; at += STEP_S) {
        int32_t next_s = libc_offset(at + STEP_S);
        if (next_s != offset_s) {
            failed = add_change(zone, bisect(at, at + STEP_S, offset_s), next_s, err);
            offset_s = next_s;
        }
    }
    return failed;
}

/* Scans with TZ set to the zone, and gives the process its own back. */
static int scan_as(struct zone *zone, struct error *err)
{
    const char *was = getenv("TZ");
    char *saved = was ? strdup(was) : NULL;
    if (was && !saved) {
        return error_memory(err);
    }
    int failed = -1;
    if (setenv("TZ", zone->name, 1) == 0) {
        tzset();
        failed = scan(zone, err);
    } else {
        error_memory(err);
    }
    if (!saved || setenv("TZ", saved, 1) != 0) {
        unsetenv("TZ");
    }
    tzset();
    free(saved);
    return failed;
}

static void fill_spans(struct zone *zone)
{
    size_t at = 0;
    for (size_t i = 0; i < SPANS; i++) {
        int64_t start = SCAN_FROM_S + ((int64_t)i << SPAN_BITS);
        while (at + 1 < zone->count && zone->changes[at + 1].utc_s <= start) {
            at++;
        }
        zone->spans[i] = (uint16_t)at;
    }
}

/* The place of the change in force. */
static inline size_t find(const struct zone *zone, int64_t utc_s)
{
    if (utc_s < SCAN_FROM_S) {
        return 0;
    }
    if (utc_s >= SCAN_TO_S) {
        return zone->count - 1;
    }
    size_t at = zone->spans[(size_t)(utc_s - SCAN_FROM_S) >> SPAN_BITS];
    while (at + 1 < zone->count && zone->changes[at + 1].utc_s <= utc_s) {
        at++;
    }
    return at;
}

static void hash_pair(XXH3_state_t *state, int64_t utc_s, int32_t offset_s)
{
    uint64_t pair[2] = {htole64((uint64_t)utc_s), htole64((uint64_t)(int64_t)offset_s)};
    XXH3_64bits_update(state, pair, sizeof pair);
}

static int fill_hash(struct zone *zone, struct error *err)
{
    XXH3_state_t *state = XXH3_createState();
    if (!state) {
        return error_memory(err);
    }
    XXH3_64bits_reset(state);
    hash_pair(state, FROM_S, zone_offset(zone, FROM_S));
    for (size_t i = 0; i < zone->count; i++) {
        struct change change = zone->changes[i];
        if (change.utc_s > FROM_S && change.utc_s < TO_S) {
            hash_pair(state, change.utc_s, change.offset_s);
        }
    }
    zone->hash = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    return 0;
}

int zone_open(struct zone **out, const char *name, struct error *err)
{
    *out = NULL;
    if (!is_known(name)) {
        return unknown(err, name);
    }
    struct zone *zone = calloc(1, sizeof *zone);
    if (!zone) {
        return error_memory(err);
    }
    snprintf(zone->name, sizeof zone->name, "%s", name);
    if (scan_as(zone, err) != 0) {
        zone_free(zone);
        return -1;
    }
    fill_spans(zone);
    if (fill_hash(zone, err) != 0) {
        zone_free(zone);
        return -1;
    }
    *out = zone;
    return 0;
}

void zone_free(struct zone *zone)
{
    if (zone) {
        free(zone->changes);
        free(zone);
    }
}

const char *zone_name(const struct zone *zone)
{
    return zone->name;
}

int32_t zone_offset(const struct zone *zone, int64_t utc_s)
{
    return zone->changes[find(zone, utc_s)].offset_s;
}

int64_t zone_local(const struct zone *zone, int64_t utc_s)
{
    return utc_s + zone_offset(zone, utc_s);
}

int32_t zone_day(const struct zone *zone, int64_t utc_s)
{
    if (utc_s < FIRST_DAY * DAY_S) {
        return (int32_t)FIRST_DAY;
    }
    if (utc_s >= LAST_DAY * DAY_S) {
        return (int32_t)LAST_DAY;
    }
    /* Counted from the first day, with a day to spare for the offset: no negative remainder. */
    int64_t since_s = zone_local(zone, utc_s) - (FIRST_DAY - 1) * DAY_S;
    return (int32_t)(since_s / DAY_S + FIRST_DAY - 1);
}

/* Goes over the offsets in force around the wall clock. Each gives one candidate; between two, the
 * earlier one is real when it lies before the change, the later one when it lies behind it. Both
 * are when the clock went back over it, neither in a gap: there the offset before the change shows
 * the clock moved forward by the gap. */
static int64_t from_local(const struct zone *zone, int64_t local_s, bool late)
{
    const struct change *changes = zone->changes;
    size_t at = find(zone, local_s - REACH_S);
    int64_t utc_s = local_s - changes[at].offset_s;
    for (at++; at < zone->count; at++) {
        int64_t after_s = local_s - changes[at].offset_s;
        bool earlier_real = utc_s < changes[at].utc_s;
        bool later_real = after_s >= changes[at].utc_s;
        if (!later_real || (earlier_real && !late)) {
            break;
        }
        utc_s = after_s;
    }
    return utc_s;
}

int64_t zone_utc(const struct zone *zone, int64_t local_s)
{
    return from_local(zone, local_s, false);
}

int64_t zone_utc_late(const struct zone *zone, int64_t local_s)
{
    return from_local(zone, local_s, true);
}

int64_t zone_day_length(const struct zone *zone, int32_t day)
{
    int64_t midnight_s = (int64_t)day * DAY_S;
    return zone_utc(zone, midnight_s + DAY_S) - zone_utc(zone, midnight_s);
}

uint64_t zone_hash(const struct zone *zone)
{
    return zone->hash;
}

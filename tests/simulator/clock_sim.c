/* The machine's time, chance and log, as the world has them. */
#include "common/clock.h"
#include "common/log.h"
#include "common/random.h"
#include "common/zone.h"
#include "world.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int64_t clock_mono_ms(void)
{
    return world.now_ms;
}

int64_t clock_wall_ms(void)
{
    return WORLD_EPOCH_MS + world.now_ms;
}

void clock_sleep_ms(int64_t ms)
{
    world_sleep(ms > 0 ? ms : 1);
}

uint64_t random_u64(void)
{
    return (uint64_t)(unsigned)dice(1 << 30) << 32 | (unsigned)dice(1 << 30);
}

void log_setup(enum log_level level, enum log_format format)
{
    (void)level;
    (void)format;
}

bool log_enabled(enum log_level level)
{
    (void)level;
    return world.trace;
}

void log_write(enum log_level level, const char *event, const struct log_field *fields)
{
    char line[600];
    (void)level;
    if (!world.trace)
        return;
    int len = snprintf(line, sizeof line, "  says: %s", event);
    for (; fields->name && len < (int)sizeof line - 1; fields++)
        len += fields->string ? snprintf(line + len, sizeof line - (size_t)len, " %s=%s",
                                         fields->name, fields->string)
                              : snprintf(line + len, sizeof line - (size_t)len, " %s=%" PRId64,
                                         fields->name, fields->number);
    world_trace("%s", line);
}

/* A zone takes milliseconds to read: every worker shares the first one. */
int __real_zone_open(struct zone **out, const char *name, struct error *err);
int __wrap_zone_open(struct zone **out, const char *name, struct error *err);
void __wrap_zone_free(struct zone *zone);

int __wrap_zone_open(struct zone **out, const char *name, struct error *err)
{
    static struct zone *shared;
    static char shared_name[64];
    if (!shared || strcmp(shared_name, name) != 0) {
        if (__real_zone_open(&shared, name, err) != 0)
            return -1;
        snprintf(shared_name, sizeof shared_name, "%s", name);
    }
    *out = shared;
    return 0;
}

void __wrap_zone_free(struct zone *zone)
{
    (void)zone;
}

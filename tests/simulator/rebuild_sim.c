/* `tandem rebuild` beside workers that count: a fence, then a recount in the place of the counters.
 *
 * The recount is not run: the simulator knows what the log comes to, and writes that. It stands at
 * least as far as the live counters do, its token is another, its beginning is the log's. */
#include "world.h"

#include <stdio.h>
#include <string.h>

static bool whole_log(void)
{
    for (int p = 0; p < world.partition_count; p++)
        if (world.partitions[p].start > 0)
            return false;
    return true;
}

static void turns(int most)
{
    for (int n = dice(most); n > 0 && !world.verdict[0]; n--)
        schedule_turn();
}

/* Behind the live positions a rebuild sends the dead letters itself, before it moves on. */
static void send_letters(int p, int64_t from, int64_t to)
{
    struct partition *log = &world.partitions[p];
    for (int64_t i = from; i < to; i++)
        if (log->entries[i].kind == ENTRY_BAD && log->entries[i].state == ENTRY_COMMITTED)
            log->letters[i] = true;
}

static void place(struct store_position *at)
{
    int p = at->partition;
    int64_t from = at->at.offset, further = log_stable_end(p) - from;
    at->begin = world.partitions[p].start;
    if (further > 0 && chance(700))
        at->at = (struct place){from + 1 + dice((int)further), 0};
    send_letters(p, from, at->at.offset);
}

/* The definition stays behind the last colon. */
static void rename_token(struct memory *m)
{
    char definition[64];
    snprintf(definition, sizeof definition, "%.63s", strrchr(m->token, ':'));
    snprintf(m->token, sizeof m->token, "%013d-%08d%s", dice(1 << 30), dice(1 << 30), definition);
}

/* What takes the place of the live counters, as they stand now. */
static struct memory *recounted(void)
{
    struct memory *m = memory_copy(world.master);
    memory_fence(m, false);
    rename_token(m);
    m->broken_key[0] = 0;
    for (size_t i = 0; i < m->position_count; i++)
        place(&m->positions[i]);
    /* The whole log is counted under the floor of now. */
    if (m->trim_count) {
        m->trims[0] = (struct memory_trim){.floor = m->trims[m->trim_count - 1].floor};
        m->trim_count = 1;
    }
    recount_write(m);
    return m;
}

/* A script of Redis: nobody comes between. Without its fence it does nothing. */
static void take_place(void)
{
    if (!memory_fenced(world.master))
        return;
    struct memory *m = recounted();
    world_trace("the store is switched: %s", m->token);
    memory_free(world.master);
    world.master = m;
}

/* Killed anywhere, it is run again: then it opens the fence first, and counts. */
void rebuild_run(void)
{
    if (!world.master->exists || world.redis_away || (!world.accept_gap && !whole_log()))
        return;
    memory_fence(world.master, false);
    turns(30);
    memory_fence(world.master, true);
    turns(40);
    if (chance(700))
        take_place();
    else if (chance(500))
        memory_fence(world.master, false);
}

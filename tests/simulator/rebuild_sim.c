/* `tandem rebuild` beside workers that count: a fence, then a recount in the place of the counters.
 *
 * The recount is not run: the simulator knows what the log comes to, and writes that. It stands at
 * least as far as the live counters do, its token is another, its beginning is the log's. */
#include "world.h"

#include <stdio.h>
#include <string.h>

static void turns(int most)
{
    for (int n = dice(most); n > 0 && !world.verdict[0]; n--)
        schedule_turn();
}

/* Behind the live positions a rebuild sends the dead letters itself, before it moves on. */
static void send_letters(int p, int64_t from, int64_t to)
{
    struct partition *log = &world.logs[0][p];
    for (int64_t i = from; i < to; i++)
        if (log->entries[i].kind == ENTRY_BAD && log->entries[i].state == ENTRY_COMMITTED)
            log->letters[i] = true;
}

static void place(struct store_position *at)
{
    int t = at->topic, p = at->partition;
    int64_t from = at->at.offset, further = log_stable_end(t, p) - from;
    at->begin = world.logs[t][p].start;
    if (further > 0 && chance(700))
        at->at = (struct place){from + 1 + dice((int)further), 0};
    if (world.kind->letters)
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
static struct memory *recounted(const struct server *server)
{
    struct memory *m = memory_copy(server->master);
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
    if (world.kind->sharded)
        recount_customers_write(server, m);
    else
        recount_write(m);
    return m;
}

/* A script of Redis: nobody comes between. Without its fence it does nothing. */
static void take_place(struct server *server)
{
    if (!memory_fenced(server->master))
        return;
    struct memory *m = recounted(server);
    world_trace("the store is switched: %s", m->token);
    memory_free(server->master);
    server->master = m;
}

/* Killed anywhere, it is run again: then it opens the fence first, and counts. */
void rebuild_run(struct server *server)
{
    if (!server->master->exists || server->away || (!world.accept_gap && !log_is_whole()))
        return;
    memory_fence(server->master, false);
    turns(30);
    memory_fence(server->master, true);
    turns(40);
    if (chance(700))
        take_place(server);
    else if (chance(500))
        memory_fence(server->master, false);
}

/* Redis: a connection that breaks before or after the script ran, answers that never come, masters
 * that part, scripts that run late. What the script does is memory.c's. */
#include "common/calendar.h"
#include "common/store.h"
#include "world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* A batch on its way: the server runs it some time after it was sent, whatever became of the
 * connection or of the process that sent it. */
struct errand {
    struct batch batch;
    struct server *server;
    char token[160];
    int32_t floor;
    int64_t run_ms, answer_ms; /* when it runs, when its answer can be read */
    bool ran;
    bool to_split;
    bool gone;     /* it never reached its server: there will be no answer */
    bool orphaned; /* nobody waits for the answer */
    enum store_answer answer;
    char failed[128];
    struct errand *next;
};

struct store {
    struct server *server;
    bool connected, to_split;
    struct errand *flying; /* sent on this connection, not answered yet */
    int64_t sent_ms, timeout_ms;
};

static struct errand *errands;

static struct memory *memory_of(const struct server *server, bool split)
{
    return split && server->split ? server->split : server->master;
}

int store_open(struct store **out, const struct config *config, const struct store_kind *kind,
               struct error *err)
{
    struct worker_process *process = fiber_context(fiber_current());
    struct store *s = calloc(1, sizeof *s);
    if (strcmp(kind->name, world.kind->name) != 0)
        world_fail("a store for %s was opened", kind->name);
    (void)err;
    if (!s)
        abort();
    if (kind->shards != (world.kind->sharded ? world.server_count : 0))
        world_fail("a store of %d shards was opened", kind->shards);
    s->server = &world.servers[kind->shard];
    s->timeout_ms = config->redis_timeout_ms;
    process->stores[kind->shard] = s;
    *out = s;
    return 0;
}

static void hang_up(struct store *s)
{
    s->connected = false;
    if (s->flying)
        s->flying->orphaned = true;
    s->flying = NULL;
}

void store_free(struct store *store)
{
    if (!store)
        return;
    hang_up(store);
    free(store);
}

const char *store_address(const struct store *store)
{
    (void)store;
    return "simulated";
}

bool store_connected(const struct store *store)
{
    return store->connected;
}

/* The connection of a process that died: its last errand may still run. */
void store_dies(struct store *store)
{
    hang_up(store);
}

/* Every connection to it breaks, as in a fail-over. */
void store_reset_all(const struct server *server)
{
    for (int i = 0; i < PROCESSES_MAX; i++) {
        struct store *store = world.processes[i].stores[server - world.servers];
        if (world.processes[i].used && store)
            hang_up(store);
    }
}

static enum store_answer unknown(struct store *s, struct error *err, const char *text)
{
    hang_up(s);
    error_retry(err, ERROR_REDIS, "%s", text);
    return STORE_UNKNOWN;
}

enum store_answer store_connect(struct store *store, struct error *err)
{
    hang_up(store);
    world_sleep(dice(5));
    if (world.faults && chance(30)) {
        world_happened(F_REFUSED);
        return unknown(store, err, "connection refused");
    }
    if (store->server->away)
        return unknown(store, err, "connection refused");
    store->connected = true;
    store->to_split = store->server->split_on && chance(500);
    return STORE_DONE;
}

static enum store_answer later(struct error *err)
{
    static const char *const words[] = {"BUSY",       "LOADING",  "OOM",        "MISCONF",
                                        "NOREPLICAS", "TRYAGAIN", "CLUSTERDOWN"};
    error_retry(err, ERROR_REDIS, "%s", words[dice(7)]);
    return STORE_LATER;
}

/* One connection answers in order: what was sent before is answered before. */
static enum store_answer clear_line(struct store *s, struct error *err)
{
    while (s->flying && !s->flying->gone &&
           (!s->flying->ran || world.now_ms < s->flying->answer_ms)) {
        if (world.now_ms - s->sent_ms > s->timeout_ms)
            return unknown(s, err, "no answer in time");
        world_sleep(1 + dice(3));
    }
    if (s->flying && s->flying->gone)
        return unknown(s, err, "connection reset");
    if (s->flying)
        s->flying->orphaned = true;
    s->flying = NULL;
    return STORE_DONE;
}

/* What may go wrong with a call that is answered at once. */
static enum store_answer trouble(struct store *s, struct error *err)
{
    world_sleep(chance(300) ? dice(10) : 0);
    if (!s->connected)
        return unknown(s, err, "not connected");
    if (world.faults && chance(20)) {
        world_happened(F_REQUEST_LOST);
        return unknown(s, err, "connection reset");
    }
    if (s->server->away)
        return unknown(s, err, "connection reset");
    if (clear_line(s, err) != STORE_DONE)
        return STORE_UNKNOWN;
    if (s->server->later)
        return later(err);
    if (s->to_split && !s->server->split_on)
        return unknown(s, err, "READONLY");
    return STORE_DONE;
}

void store_state_clear(struct store_state *state)
{
    free(state->definition);
    free(state->positions);
    *state = (struct store_state){.floor = STORE_NO_FLOOR};
}

enum store_answer store_look(struct store *store, struct store_state *state, struct error *err)
{
    store_state_clear(state);
    enum store_answer answer = trouble(store, err);
    if (answer != STORE_DONE)
        return answer;
    const struct memory *m = memory_of(store->server, store->to_split);
    if (m->floor[0])
        calendar_parse_date(text_of(m->floor), &state->floor);
    state->others = m->others;
    if (!m->exists)
        return STORE_DONE;
    if (memory_fenced(m)) {
        error_retry(err, ERROR_STORE, "a rebuild is about to replace the counters");
        return STORE_LATER;
    }
    state->exists = true;
    snprintf(state->token, sizeof state->token, "%s", m->token);
    state->definition = strdup(m->definition);
    state->topic_count = m->topic_count;
    memcpy(state->topics, m->topics, sizeof m->topics);
    state->position_count = m->position_count;
    state->positions = malloc((m->position_count + 1) * sizeof *state->positions);
    if (!state->definition || !state->positions)
        abort();
    memcpy(state->positions, m->positions, m->position_count * sizeof *m->positions);
    return STORE_DONE;
}

enum store_answer store_orphans(struct store *store, bool *found, struct error *err)
{
    enum store_answer answer = trouble(store, err);
    const struct memory *m = memory_of(store->server, store->to_split);
    *found = answer == STORE_DONE && !m->exists && memory_orphans(m);
    return answer;
}

void store_definition_hash(const char *definition, char out[17])
{
    snprintf(out, 17, "%016" PRIx64, (uint64_t)XXH3_64bits(definition, strlen(definition)));
}

static const struct store_plan *plan_of(const struct store_plan *plans, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(plans[i].kind, world.kind->name) == 0)
            return &plans[i];
    abort();
}

enum store_answer store_make(struct store *store, const struct store_plan *plans, int plan_count,
                             const char *definition, struct error *err)
{
    char token[160], hash[17];
    struct worker_process *process = fiber_context(fiber_current());
    enum store_answer answer = trouble(store, err);
    /* The world's settings are those of the others: this one shall find a store, not make it. */
    if (answer == STORE_DONE && process->other_settings)
        return later(err);
    if (answer != STORE_DONE)
        return answer;
    store_definition_hash(definition, hash);
    snprintf(token, sizeof token, "%013d-%08d:%s", dice(1 << 30), dice(1 << 30), hash);
    answer = memory_make(memory_of(store->server, store->to_split), token, definition,
                         plan_of(plans, plan_count));
    world_trace("store made: %s", token);
    if (world.faults && chance(100)) {
        world_happened(F_MADE_UNKNOWN);
        return unknown(store, err, "connection reset after the script ran");
    }
    return answer;
}

enum store_answer store_note_gap(struct store *store, const char *field, const char *text,
                                 struct error *err)
{
    enum store_answer answer = trouble(store, err);
    world_trace("  notes a gap: %s %s", field, text);
    if (answer == STORE_DONE)
        memory_note(memory_of(store->server, store->to_split), field);
    return answer;
}

enum store_answer store_accept(struct store *store, const struct store_state *state, int topic,
                               const struct store_topic *now,
                               const struct store_position *positions, size_t count,
                               const char *const *notes, struct error *err)
{
    char field[300];
    enum store_answer answer = trouble(store, err);
    if (answer != STORE_DONE)
        return answer;
    struct memory *m = memory_of(store->server, store->to_split);
    answer = memory_accept(m, state, topic, now, positions, count);
    for (size_t i = 0; i < count && answer == STORE_DONE; i++) {
        world_trace("  accepts a gap: partition %d %s", positions[i].partition, notes[i]);
        snprintf(field, sizeof field, "%s:%d", state->topics[topic].name, positions[i].partition);
        memory_note(m, field);
    }
    return answer;
}

/* ---- names and customers ---- */

void store_names_clear(struct store_names *names)
{
    free(names->list);
    *names = (struct store_names){0};
}

enum store_answer store_names(struct store *store, struct store_names *names, struct error *err)
{
    char key[80];
    *names = (struct store_names){0};
    enum store_answer answer = trouble(store, err);
    if (answer != STORE_DONE)
        return answer;
    const struct memory *m = memory_of(store->server, store->to_split);
    snprintf(key, sizeof key, "%snames", m->prefix);
    if (strcmp(key, m->broken_key) == 0) {
        error_set(err, ERROR_STORE, "cannot add to %s", key);
        return STORE_BROKEN;
    }
    names->version = m->ledger;
    names->forgotten = memory_forgot_somebody(m);
    names->list = calloc(memory_names() + 1, sizeof *names->list);
    if (!names->list)
        abort();
    for (size_t i = 0; i < memory_names(); i++)
        if (memory_name(i)->kind == MEMORY_NUMBER && memory_value(m, i))
            names->list[names->count++] = (struct batch_name){text_of(memory_name(i)->field),
                                                              (uint32_t)memory_value(m, i)};
    return STORE_DONE;
}

/* Two commands: a batch or an operator may come between. */
enum store_answer store_fetch(struct store *store, struct store_customer *customers, size_t count,
                              bool forgotten, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        customers[i].state = text_of("");
        customers[i].forgotten[SIDE_SALE] = customers[i].forgotten[SIDE_SERVICE] = INT64_MAX;
    }
    enum store_answer answer = trouble(store, err);
    const struct memory *m = memory_of(store->server, store->to_split);
    for (size_t i = 0; i < count && answer == STORE_DONE; i++)
        customers[i].state = memory_state(m, customers[i].partition, customers[i].id);
    if (answer != STORE_DONE || !forgotten || count == 0)
        return answer;
    answer = trouble(store, err);
    m = memory_of(store->server, store->to_split);
    for (size_t i = 0; i < count && answer == STORE_DONE; i++)
        memory_tomb(m, customers[i].partition, customers[i].id, customers[i].forgotten);
    return answer;
}

/* ---- batches ---- */

static void batch_copy(struct batch *to, const struct batch *from)
{
    batch_init(to);
    to->mark = from->mark;
    to->ledger = from->ledger;
    for (size_t i = 0; i < from->move_count; i++)
        batch_add_move(to, from->moves[i]);
    for (size_t g = 0; g < from->group_count; g++) {
        batch_add_group(to, from->groups[g]);
        for (size_t i = 0; i < from->groups[g].count; i++)
            batch_add_cell(to, from->cells[from->groups[g].first + i].field,
                           from->cells[from->groups[g].first + i].delta);
    }
    for (size_t i = 0; i < from->currency_count; i++)
        batch_add_currency(to, from->currencies[i]);
    for (size_t i = 0; i < from->name_count; i++)
        batch_add_name(to, from->names[i].name, from->names[i].number);
    for (size_t i = 0; i < from->state_count; i++)
        batch_add_state(to, from->states[i].partition, from->states[i].customer,
                        from->states[i].state);
}

/* An answer of Redis itself instead of the script's: nothing was done. */
static bool refused(struct errand *e)
{
    if (e->server->later || (world.faults && chance(10))) {
        world_happened(F_ANSWER_LATER);
        e->answer = STORE_LATER;
        return true;
    }
    if (world.faults && chance(6)) {
        world_happened(F_ANSWER_UNKNOWN);
        e->answer = STORE_UNKNOWN;
        return true;
    }
    return false;
}

static void run(struct errand *e)
{
    struct memory *m = memory_of(e->server, e->to_split);
    e->ran = true;
    if (!refused(e))
        e->answer = memory_apply(m, &e->batch, e->token, e->floor, world.scope_limit, e->failed);
    world_trace("script ran on %s %d: %s, %zu cells, %zu names, %zu states",
                e->to_split ? "the split master" : "the master", (int)(e->server - world.servers),
                e->answer == STORE_DONE ? "applied" : "refused", e->batch.cell_count,
                e->batch.name_count, e->batch.state_count);
    for (size_t i = 0; i < e->batch.move_count && world.trace; i++)
        world_trace("    topic %d partition %d: %lld -> %lld", e->batch.moves[i].topic,
                    e->batch.moves[i].partition, (long long)e->batch.moves[i].from.offset,
                    (long long)e->batch.moves[i].to.offset);
    if (e->answer == STORE_DONE && m == e->server->master)
        world_applied(e->server, &e->batch);
}

/* Runs the errands that are due, in the order they were sent. */
void store_tick(void)
{
    for (struct errand **at = &errands; *at;) {
        struct errand *e = *at;
        if (!e->ran && e->run_ms <= world.now_ms && !e->server->away) {
            if (e->to_split && !e->server->split_on) /* the master it was sent to is gone */
                e->ran = e->gone = true;
            else
                run(e);
        }
        if (e->ran && e->orphaned) {
            *at = e->next;
            batch_free(&e->batch);
            free(e);
        } else {
            at = &e->next;
        }
    }
}

/* The server is another now, or was set back: what was on its way to it is lost. */
void store_forget_errands(const struct server *server)
{
    for (struct errand *e = errands; e; e = e->next) {
        if (e->server != server)
            continue;
        e->gone = e->gone || !e->ran;
        e->ran = true;
    }
    store_tick();
}

static void enqueue(struct errand *e)
{
    struct errand **last = &errands;
    while (*last)
        last = &(*last)->next;
    *last = e;
}

enum store_answer store_send(struct store *store, const struct batch *batch, const char *token,
                             int32_t floor, struct error *err)
{
    enum store_answer answer = trouble(store, err);
    if (answer != STORE_DONE)
        return answer;
    struct errand *e = calloc(1, sizeof *e);
    if (!e)
        abort();
    batch_copy(&e->batch, batch);
    snprintf(e->token, sizeof e->token, "%s", token);
    e->server = store->server;
    e->floor = floor;
    e->to_split = store->to_split;
    bool slow = world.faults && chance(30);
    if (slow)
        world_happened(F_SLOW);
    e->run_ms = world.now_ms + (slow ? dice(8000) : dice(6));
    e->answer_ms = e->run_ms + dice(4);
    if (world.faults && chance(15)) { /* it never arrives, and nobody tells */
        world_happened(F_REQUEST_LOST);
        e->ran = e->gone = true;
    }
    store->flying = e;
    store->sent_ms = world.now_ms;
    enqueue(e);
    if (chance(100)) /* somebody may cut us off right here */
        world_sleep(0);
    return STORE_PENDING;
}

static enum store_answer tell(const struct errand *e, struct error *err)
{
    switch (e->answer) {
    case STORE_BROKEN:
        error_set(err, ERROR_STORE, "cannot add to %s", e->failed);
        break;
    case STORE_LATER:
        return later(err);
    case STORE_UNKNOWN:
        error_retry(err, ERROR_REDIS, "READONLY");
        break;
    default:
        error_retry(err, ERROR_STORE, "the store is not where the batch expects it");
    }
    return e->answer;
}

enum store_answer store_receive(struct store *store, int64_t wait_ms, struct error *err)
{
    int64_t end_ms = world.now_ms + wait_ms;
    for (;;) {
        struct errand *e = store->flying;
        if (!store->connected || !e)
            return unknown(store, err, "connection reset");
        if (world.faults && chance(15)) {
            world_happened(F_REPLY_LOST);
            return unknown(store, err, "reply lost");
        }
        if (e->ran && !e->gone && world.now_ms >= e->answer_ms)
            break;
        if (world.now_ms - store->sent_ms > store->timeout_ms)
            return unknown(store, err, "no answer in time");
        if (world.now_ms >= end_ms)
            return STORE_PENDING;
        world_sleep(1 + dice(3));
    }
    enum store_answer answer = tell(store->flying, err);
    store->flying->orphaned = true;
    store->flying = NULL;
    return answer;
}

#include "common/store_inside.h"

#include "apply_lua.h"

#include "common/calendar.h"
#include "common/clock.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* How often a live connection is asked whether Redis has begun to evict. */
#define GUARD_EVERY_MS 10000

void store_apply_init(struct store *store)
{
    redis_script_init(&store->apply, apply_lua);
}

static void args_of_moves(const struct store *s, struct args *args, const struct batch *batch)
{
    args_number(args, (int64_t)batch->move_count);
    for (size_t i = 0; i < batch->move_count; i++) {
        const struct batch_move *move = &batch->moves[i];
        store_arg_position(args, s->words[move->topic], move->partition);
        store_arg_place(args, move->from);
        store_arg_place(args, move->to);
    }
}

static void args_of_group(struct args *args, const struct batch *batch,
                          const struct batch_group *group)
{
    args_text(args, group->head);
    args_text(args, group->dimension);
    args_text(args, group->value);
    args_text(args, group->dirty);
    if (group->expire_s)
        args_number(args, group->expire_s);
    else
        args_string(args, "");
    args_number(args, (int64_t)group->count);
    for (size_t i = group->first; i < group->first + group->count; i++) {
        args_text(args, batch->cells[i].field);
        args_number(args, batch->cells[i].delta);
    }
}

static void args_of_head(const struct store *s, struct args *args, const struct batch *batch,
                         const char *token, int32_t floor)
{
    char date[11];
    args_string(args, "EVALSHA");
    args_string(args, s->apply.sha);
    args_string(args, "5");
    args_string(args, s->position_key);
    args_string(args, s->floor_key);
    args_string(args, s->dirty_key);
    args_string(args, s->currency_key);
    args_string(args, s->names_key);
    args_string(args, s->prefix);
    args_string(args, token);
    args_format(args, "%s", floor == STORE_NO_FLOOR ? "" : calendar_format_date(floor, date));
    args_number(args, s->scope_limit);
    args_format(args, "%016" PRIx64, batch->mark);
    args_format(args, batch->ledger ? "%016" PRIx64 : "", batch->ledger);
}

static void args_of_ledger(struct store *s, struct args *args, const struct batch *batch)
{
    args_number(args, (int64_t)batch->name_count);
    for (size_t i = 0; i < batch->name_count; i++) {
        args_text(args, batch->names[i].name);
        args_number(args, batch->names[i].number);
    }
    args_number(args, (int64_t)batch->state_count);
    for (size_t i = 0; i < batch->state_count; i++) {
        args_text(args, store_customer_key(s, i, batch->states[i].partition,
                                           batch->states[i].customer));
        args_text(args, batch->states[i].state);
    }
}

static bool args_of_batch(struct store *s, const struct batch *batch, const char *token,
                          int32_t floor)
{
    struct args *args = &s->args;
    size_t numbers = 10 + 3 * batch->move_count + 2 * batch->group_count + batch->cell_count +
                     batch->name_count;
    size_t count = 24 + 3 * batch->move_count + batch->currency_count + 6 * batch->group_count +
                   2 * (batch->cell_count + batch->name_count + batch->state_count);
    if (!args_begin(args, count, numbers) || !store_customer_keys(s, batch->state_count))
        return false;
    args_of_head(s, args, batch, token, floor);
    args_of_moves(s, args, batch);
    args_number(args, (int64_t)batch->currency_count);
    for (size_t i = 0; i < batch->currency_count; i++)
        args_string(args, batch->currencies[i]);
    args_number(args, (int64_t)batch->group_count);
    for (size_t i = 0; i < batch->group_count; i++)
        args_of_group(args, batch, &batch->groups[i]);
    args_of_ledger(s, args, batch);
    return true;
}

enum store_answer store_send(struct store *store, const struct batch *batch, const char *token,
                             int32_t floor, struct error *err)
{
    enum store_answer clear = store_clear_line(store, err);
    if (clear == STORE_DONE && clock_mono_ms() - store->guarded_ms > GUARD_EVERY_MS)
        clear = store_guard(store, err);
    if (clear != STORE_DONE)
        return clear;
    if (batch->failed || !args_of_batch(store, batch, token, floor)) {
        error_memory(err);
        return STORE_BROKEN;
    }
    store->sent_ms = clock_mono_ms();
    enum redis_answer answer = redis_send(store->redis, err, (int)store->args.count,
                                          store->args.list, store->args.lengths);
    store->flying = answer == REDIS_OK;
    return answer == REDIS_OK ? STORE_PENDING : store_answer_of(answer);
}

/* The script's own answer: a list that begins with a word. */
static enum store_answer answer_of_script(const struct store *s, const redisReply *reply,
                                           struct error *err)
{
    const char *word = reply->type == REDIS_REPLY_ARRAY && reply->elements
                           ? reply->element[0]->str : NULL;
    if (!word) {
        error_set(err, ERROR_REDIS, "an answer of an unexpected form");
        return STORE_BROKEN;
    }
    if (strcmp(word, "applied") == 0)
        return STORE_DONE;
    if (strcmp(word, "torn") == 0 && reply->elements == 3) {
        store_torn(s, reply->element[1]->str, reply->element[2]->str, err);
        return STORE_BROKEN;
    }
    if (strcmp(word, "failed") == 0 && reply->elements == 4) {
        const char *message = reply->element[3]->str ? reply->element[3]->str : "";
        enum store_answer answer = store_answer_of(redis_sort(message));
        error_set(err, ERROR_STORE, "cannot add to field %s of %s: %s",
                  reply->element[2]->str, reply->element[1]->str, message);
        if (err)
            err->retry = answer != STORE_BROKEN;
        return answer;
    }
    error_retry(err, ERROR_STORE, "the store is at another %s than the batch expects",
                strcmp(word, "moved") == 0    ? "position"
                : strcmp(word, "ledger") == 0 ? "version of its names" : word);
    return strcmp(word, "token") == 0 ? STORE_FOREIGN : STORE_MOVED;
}

/* Redis forgot the script (SCRIPT FLUSH, restart, fail-over): load it and send the batch again. */
static enum store_answer send_again(struct store *s, struct error *err)
{
    redisReply *reply;
    enum redis_answer answer =
        redis_callf(s->redis, &reply, err, "SCRIPT LOAD %s", s->apply.source);
    if (answer != REDIS_OK)
        return store_answer_of(answer);
    freeReplyObject(reply);
    answer = redis_send(s->redis, err, (int)s->args.count, s->args.list, s->args.lengths);
    s->flying = answer == REDIS_OK;
    return answer == REDIS_OK ? STORE_PENDING : store_answer_of(answer);
}

enum store_answer store_receive(struct store *store, int64_t wait_ms, struct error *err)
{
    redisReply *reply;
    if (!redis_received(store->redis, wait_ms)) {
        if (clock_mono_ms() - store->sent_ms < store->timeout_ms)
            return STORE_PENDING;
        redis_disconnect(store->redis);
        store->flying = false;
        error_retry(err, ERROR_REDIS, "redis %s: no answer to a batch within %" PRId64 " ms",
                    store_address(store), store->timeout_ms);
        return STORE_UNKNOWN;
    }
    store->flying = false;
    enum redis_answer answer = redis_receive(store->redis, &reply, err);
    if (answer == REDIS_NOSCRIPT)
        return send_again(store, err);
    if (answer != REDIS_OK)
        return store_answer_of(answer);
    enum store_answer result = answer_of_script(store, reply, err);
    freeReplyObject(reply);
    return result;
}

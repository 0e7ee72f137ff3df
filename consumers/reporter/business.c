#include "consumers/reporter/business.h"

#include "common/calendar.h"
#include "common/layout.h"
#include "consumers/reporter/dirty.h"
#include "consumers/reporter/key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Dimensions of the setting `scopes`, one after the other; false at the end. */
static bool next_dimension(const char **rest, struct text *out)
{
    while (**rest == ',' || **rest == ' ') {
        (*rest)++;
    }
    size_t len = strcspn(*rest, ", ");
    *out = (struct text){*rest, len};
    *rest += len;
    return len > 0;
}

static int ask(struct redis *redis, const char *business, const char *command, const char *name,
               const char *field, struct error *err)
{
    char key[KEY_MAX];
    const char *argv[] = {command, key_format(key, business, "%s", name), field};
    return redis_send(redis, err, field ? 3 : 2, argv, NULL) == REDIS_OK ? 0 : -1;
}

static int ask_all(struct redis *redis, const struct config *config, struct error *err)
{
    const char *business = config->business;
    if (ask(redis, business, "HGET", "position:sales", "token", err) != 0 ||
        ask(redis, business, "HGET", "position:service", "token", err) != 0 ||
        ask(redis, business, "HGET", "position:sales", "layout", err) != 0 ||
        ask(redis, business, "GET", "floor", NULL, err) != 0 ||
        ask(redis, business, "HGETALL", "reported", NULL, err) != 0 ||
        ask(redis, business, "SMEMBERS", "currency", NULL, err) != 0) {
        return -1;
    }
    const char *rest = config->scopes;
    struct text dimension;
    while (next_dimension(&rest, &dimension)) {
        char name[KEY_MAX];
        snprintf(name, sizeof name, "scope:%.*s", TEXT_ARG(dimension));
        if (ask(redis, business, "SMEMBERS", name, NULL, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int add_word(struct words *words, struct text text, struct error *err)
{
    char **list = realloc(words->list, (words->count + 1) * sizeof *list);
    if (!list) {
        return error_memory(err);
    }
    words->list = list;
    list[words->count] = strndup(text.at, text.len);
    if (!list[words->count]) {
        return error_memory(err);
    }
    words->count++;
    return 0;
}

static int compare_words(const void *left, const void *right)
{
    return dirty_compare_scopes(*(char *const *)left, *(char *const *)right);
}

/* "<store id>:<definition>", alike on both sides. */
static void take_store(struct business *out, const redisReply *reply)
{
    const char *colon = reply->str ? memchr(reply->str, ':', reply->len) : NULL;
    size_t len = colon ? (size_t)(colon - reply->str) : 0;
    if (len > 0 && len < sizeof out->store && !memchr(reply->str, '\0', len)) {
        memcpy(out->store, reply->str, len);
        out->store[len] = '\0';
    }
}

static int take_floor(struct business *out, const redisReply *reply, struct error *err)
{
    out->floor = INT32_MIN;
    if (reply->type == REDIS_REPLY_STRING &&
        !calendar_parse_date((struct text){reply->str, reply->len}, &out->floor)) {
        return error_set(err, ERROR_STORE, "the floor in Redis is not a day: %.*s",
                         (int)(reply->len < 40 ? reply->len : 40), reply->str);
    }
    return 0;
}

static void take_reported(struct business *out, const redisReply *reply)
{
    bool from = false, until = false;
    for (size_t i = 0; i + 1 < reply->elements; i += 2) {
        struct text name = {reply->element[i]->str, reply->element[i]->len};
        struct text value = {reply->element[i + 1]->str, reply->element[i + 1]->len};
        if (text_is(name, "day")) {
            out->has_day = calendar_parse_date(value, &out->day);
        } else if (text_is(name, "customers")) {
            out->customers = text_is(value, "1");
        } else if (text_is(name, "ledger_from")) {
            calendar_parse_date(value, &out->ledger_from);
        } else if (text_is(name, "from")) {
            from = calendar_parse_date(value, &out->from);
        } else if (text_is(name, "until")) {
            until = calendar_parse_date(value, &out->until);
        } else if (text_is(name, "settings") && value.len < sizeof out->settings) {
            memcpy(out->settings, value.at, value.len);
            out->settings[value.len] = '\0';
        }
    }
    out->has_range = from && until;
}

static int take_currencies(struct business *out, const redisReply *reply, struct error *err)
{
    for (size_t i = 0; i < reply->elements; i++) {
        struct text code = {reply->element[i]->str, reply->element[i]->len};
        if (code.len == 3 && add_word(&out->currencies, code, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int take_scopes(struct business *out, struct text dimension, const redisReply *reply,
                       struct error *err)
{
    for (size_t i = 0; i < reply->elements; i++) {
        char scope[KEY_MAX];
        int len = snprintf(scope, sizeof scope, "%.*s=%.*s", TEXT_ARG(dimension),
                           (int)(reply->element[i]->len < 128 ? reply->element[i]->len : 128),
                           reply->element[i]->str);
        struct text text = {scope, (size_t)len};
        if (key_scope_valid(text) && add_word(&out->scopes, text, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int receive(struct redis *redis, redisReply **reply, struct error *err)
{
    return redis_receive(redis, reply, err) == REDIS_OK ? 0 : -1;
}

static int receive_scopes(struct business *out, struct redis *redis, const struct config *config,
                          struct error *err)
{
    const char *rest = config->scopes;
    struct text dimension;
    if (add_word(&out->scopes, text_of("all"), err) != 0) {
        return -1;
    }
    while (next_dimension(&rest, &dimension)) {
        redisReply *reply = NULL;
        if (receive(redis, &reply, err) != 0) {
            return -1;
        }
        int rc = take_scopes(out, dimension, reply, err);
        freeReplyObject(reply);
        if (rc != 0) {
            return -1;
        }
    }
    qsort(out->scopes.list, out->scopes.count, sizeof *out->scopes.list, compare_words);
    return 0;
}

/* The answers to ask_all(), in its order. */
static int receive_all(struct business *out, struct redis *redis, const struct config *config,
                       struct error *err)
{
    for (int i = 0; i < 6; i++) {
        redisReply *reply = NULL;
        int rc = receive(redis, &reply, err);
        if (rc != 0) {
            return -1;
        }
        if (i == 0 || (i == 1 && out->store[0] == '\0')) {
            take_store(out, reply);
        } else if (i == 2) {
            rc = out->store[0] ? layout_check(reply->str, err) : 0;
        } else if (i == 3) {
            rc = take_floor(out, reply, err);
        } else if (i == 4) {
            take_reported(out, reply);
        } else if (i == 5) {
            rc = take_currencies(out, reply, err);
        }
        freeReplyObject(reply);
        if (rc != 0) {
            return -1;
        }
    }
    if (out->currencies.count > 0) {
        qsort(out->currencies.list, out->currencies.count, sizeof *out->currencies.list,
              compare_words);
    }
    return receive_scopes(out, redis, config, err);
}

int business_read(struct business *out, struct redis *redis, const struct config *config,
                  struct error *err)
{
    *out = (struct business){.floor = INT32_MIN, .ledger_from = INT32_MIN};
    if (ask_all(redis, config, err) != 0 || receive_all(out, redis, config, err) != 0) {
        redis_disconnect(redis); /* answers may be under way */
        business_clear(out);
        return -1;
    }
    return 0;
}

static void words_clear(struct words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        free(words->list[i]);
    }
    free(words->list);
}

void business_clear(struct business *business)
{
    words_clear(&business->currencies);
    words_clear(&business->scopes);
    *business = (struct business){0};
}

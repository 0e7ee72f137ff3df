#include "consumers/recount/keylist.h"

#include "common/calendar.h"
#include "common/command.h"

#include <stdio.h>
#include <stdlib.h>

void keylist_clear(struct keylist *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        free(keys->list[i]);
    free(keys->list);
    *keys = (struct keylist){0};
}

int keylist_add(struct keylist *keys, struct text key, struct error *err)
{
    if (keys->count == keys->room) {
        size_t room = keys->room ? keys->room * 2 : 256;
        char **list = realloc(keys->list, room * sizeof *list);
        if (!list)
            return error_memory(err);
        keys->list = list;
        keys->room = room;
    }
    keys->list[keys->count] = strndup(key.at, key.len);
    if (!keys->list[keys->count])
        return error_memory(err);
    keys->count++;
    return 0;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void keylist_sort(struct keylist *keys)
{
    size_t kept = 0;
    if (keys->count)
        qsort(keys->list, keys->count, sizeof *keys->list, compare);
    for (size_t i = 0; i < keys->count; i++) {
        if (kept && strcmp(keys->list[kept - 1], keys->list[i]) == 0)
            free(keys->list[i]);
        else
            keys->list[kept++] = keys->list[i];
    }
    keys->count = kept;
}

static int compare_name(const void *name, const void *key)
{
    return strcmp(name, *(char *const *)key);
}

bool keylist_has(const struct keylist *keys, const char *key)
{
    return keys->count &&
           bsearch(key, keys->list, keys->count, sizeof *keys->list, compare_name) != NULL;
}

static int take_page(struct keylist *keys, const redisReply *reply, size_t prefix,
                     keylist_wants *wants, const void *context, char cursor[32], struct error *err)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 || !reply->element[0]->str)
        return error_set(err, ERROR_REDIS, "an answer of an unexpected form");
    snprintf(cursor, 32, "%s", reply->element[0]->str);
    for (size_t i = 0; i < reply->element[1]->elements; i++) {
        const redisReply *key = reply->element[1]->element[i];
        /* One with a zero byte in it is none of ours. */
        if (key->len < prefix || strlen(key->str) != key->len || !wants(context, key->str + prefix))
            continue;
        if (keylist_add(keys, (struct text){key->str, key->len}, err) != 0)
            return -1;
    }
    return 0;
}

int keylist_scan(struct keylist *keys, struct redis *redis, const char *prefix,
                 keylist_wants *wants, const void *context, struct error *err)
{
    char cursor[32] = "0", pattern[128];
    snprintf(pattern, sizeof pattern, "%s*", prefix);
    do {
        redisReply *reply;
        if (command_stopping())
            return error_set(err, ERROR_STOPPED, "stopped while looking for keys");
        if (redis_callf(redis, &reply, err, "SCAN %s MATCH %s COUNT 1000", cursor, pattern) !=
            REDIS_OK)
            return -1;
        int rc = take_page(keys, reply, strlen(prefix), wants, context, cursor, err);
        freeReplyObject(reply);
        if (rc != 0)
            return -1;
    } while (strcmp(cursor, "0") != 0);
    keylist_sort(keys);
    return 0;
}

/* ---- names ---- */

static bool take_word(const char **rest, const char *word)
{
    size_t len = strlen(word);
    if (strncmp(*rest, word, len) != 0)
        return false;
    *rest += len;
    return true;
}

static bool take_side(const char **rest, enum side *side)
{
    for (*side = 0; *side < SIDES; (*side)++) {
        const char *at = *rest;
        if (take_word(&at, side_name(*side)) && *at == ':') {
            *rest = at + 1;
            return true;
        }
    }
    return take_word(rest, "customer:");
}

static bool take_date(const char **rest, int32_t *day)
{
    if (strlen(*rest) < 10 || !calendar_parse_date((struct text){*rest, 10}, day))
        return false;
    *rest += 10;
    return true;
}

static bool take_hour(const char **rest, int32_t *slot)
{
    const char *at = *rest;
    if (at[0] != 'T' || at[1] < '0' || at[1] > '2' || at[2] < '0' || at[2] > '9')
        return false;
    int hour = 10 * (at[1] - '0') + at[2] - '0';
    *slot = 24 * *slot + hour;
    *rest += 3;
    return hour < 24;
}

bool counter_key_parse(const char *rest, struct counter_key *out)
{
    *out = (struct counter_key){0};
    if (!take_side(&rest, &out->side))
        return false;
    if (strcmp(rest, "undated") == 0) {
        out->time = TALLY_UNDATED;
        out->scope = text_of("");
        return true;
    }
    out->time = take_word(&rest, "hour:") ? TALLY_HOUR : TALLY_DAY;
    if ((out->time == TALLY_DAY && !take_word(&rest, "day:")) || !take_date(&rest, &out->slot) ||
        (out->time == TALLY_HOUR && !take_hour(&rest, &out->slot)) || *rest != ':')
        return false;
    out->scope = text_of(rest + 1);
    return true;
}

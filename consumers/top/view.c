#include "consumers/top/view.h"

#include "common/clock.h"
#include "consumers/reporter/key.h"
#include "consumers/reporter/published.h"

#include <stdlib.h>
#include <string.h>

static const char *const words[2] = {"sales", "service"};

void view_init(struct view *view)
{
    *view = (struct view){0};
    for (int side = 0; side < 2; side++) {
        view->side[side].position = view->side[side].lag = view->side[side].rate = -1;
        for (int i = 0; i < VIEW_RATES; i++) {
            view->side[side].rates[i] = -1;
        }
    }
}

void view_clear(struct view *view)
{
    fields_free(view->fields);
    view->fields = NULL;
}

/* Fields "<word>:<partition>" hold "<offset>:<epoch>". */
static int64_t sum_positions(const redisReply *hash, const char *word)
{
    size_t len = strlen(word);
    int64_t sum = -1;
    for (size_t i = 0; i + 1 < hash->elements; i += 2) {
        const char *field = hash->element[i]->str;
        if (strncmp(field, word, len) == 0 && field[len] == ':') {
            sum = (sum < 0 ? 0 : sum) + strtoll(hash->element[i + 1]->str, NULL, 10);
        }
    }
    return sum;
}

/* A position that went back (a store made anew) is no rate. */
static void note_rate(struct view_side *side, int64_t position, int64_t passed_ms)
{
    bool known = side->position >= 0 && position >= side->position && passed_ms > 0;
    side->rate = known ? (position - side->position) * 10000 / passed_ms : -1;
    side->position = position;
    memmove(side->rates, side->rates + 1, (VIEW_RATES - 1) * sizeof *side->rates);
    side->rates[VIEW_RATES - 1] = side->rate;
}

static int read_positions(struct view *view, struct redis *redis, const char *business,
                          struct error *err)
{
    int64_t now_ms = clock_mono_ms();
    for (int side = 0; side < 2; side++) {
        char key[KEY_MAX];
        redisReply *reply = NULL;
        key_format(key, business, "position:%s", words[side]);
        if (redis_callf(redis, &reply, err, "HGETALL %s", key) != REDIS_OK) {
            return -1;
        }
        note_rate(&view->side[side], sum_positions(reply, words[side]),
                  view->read_ms ? now_ms - view->read_ms : 0);
        freeReplyObject(reply);
    }
    view->read_ms = now_ms;
    return 0;
}

int view_read(struct view *view, struct redis *redis, const char *business, enum period_kind kind,
              const char *scope, struct error *err)
{
    char key[KEY_MAX];
    struct fields *fields = NULL;
    struct trend trend;
    key_format(key, business, "comparison:current:%s:%s", period_kind_name(kind), scope);
    if (published_read(redis, key, &fields, err) != 0) {
        return -1;
    }
    bool has_trend = fields && trend_choose(&trend, fields);
    if ((has_trend && trend_read(&trend, redis, business, scope, err) != 0) ||
        read_positions(view, redis, business, err) != 0) {
        fields_free(fields);
        return -1;
    }
    view_clear(view);
    view->fields = fields;
    view->has_trend = has_trend;
    if (has_trend) {
        view->trend = trend;
    }
    view->now_s = clock_wall_ms() / 1000;
    return 0;
}

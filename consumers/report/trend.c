#include "consumers/report/trend.h"

#include "consumers/report/sheet.h"
#include "consumers/reporter/key.h"

#include <stdio.h>
#include <string.h>

static void choose(struct trend *trend, const struct fields *fields, const char *metric)
{
    struct trend_line *line = &trend->line[trend->lines++];
    snprintf(line->metric, sizeof line->metric, "%.63s", metric);
    for (size_t i = 0; i < TREND_PERIODS; i++)
        snprintf(line->value[i], TREND_VALUE, "%s", FIELDS_UNDEFINED);
    snprintf(line->value[TREND_PERIODS - 1], TREND_VALUE, "%.47s",
             fields_value(fields, line->metric));
}

/* Profit where costs are known, else revenue, in the first currency. */
static void choose_money(struct trend *trend, const struct fields *fields)
{
    char metric[64];
    const char *currency = sheet_currency(fields, "");
    if (!currency)
        return;
    snprintf(metric, sizeof metric, "cost_coverage_pct:%.16s", currency);
    const char *known = fields_value(fields, metric);
    bool costs = strcmp(known, "0.00") != 0 && strcmp(known, FIELDS_UNDEFINED) != 0;
    snprintf(metric, sizeof metric, "%s:%.16s", costs ? "gross_profit" : "revenue", currency);
    choose(trend, fields, metric);
}

bool trend_choose(struct trend *trend, const struct fields *fields)
{
    memset(trend, 0, sizeof *trend);
    if (!period_parse(text_of(fields_value(fields, "period")), &trend->last))
        return false;
    choose_money(trend, fields);
    choose(trend, fields, "orders");
    choose(trend, fields, "csat_pct");
    choose(trend, fields, "opened");
    return true;
}

static int ask(const struct trend *trend, struct redis *redis, const char *business,
               const char *scope, struct period period, struct error *err)
{
    char key[KEY_MAX], name[16];
    const char *argv[2 + TREND_LINES] = {"HMGET", key};
    key_format(key, business, "comparison:%s:%s:%s", period_kind_name(period.kind),
               period_format(period, name), scope);
    for (size_t i = 0; i < trend->lines; i++)
        argv[2 + i] = trend->line[i].metric;
    return redis_send(redis, err, 2 + (int)trend->lines, argv, NULL) == REDIS_OK ? 0 : -1;
}

static void take(struct trend *trend, size_t at, const redisReply *reply)
{
    for (size_t i = 0; i < trend->lines && i < reply->elements; i++) {
        const char *value = reply->element[i]->str;
        if (value)
            snprintf(trend->line[i].value[at], TREND_VALUE, "%.47s", value);
    }
}

int trend_read(struct trend *trend, struct redis *redis, const char *business, const char *scope,
               struct error *err)
{
    struct period period = trend->last;
    for (size_t i = 1; i < TREND_PERIODS; i++) {
        period = period_previous(period);
        if (ask(trend, redis, business, scope, period, err) != 0)
            return -1;
    }
    for (size_t i = 1; i < TREND_PERIODS; i++) {
        redisReply *reply = NULL;
        if (redis_receive(redis, &reply, err) != REDIS_OK) {
            redis_disconnect(redis); /* answers may be under way */
            return -1;
        }
        take(trend, TREND_PERIODS - 1 - i, reply);
        freeReplyObject(reply);
    }
    return 0;
}

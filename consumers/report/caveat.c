#include "consumers/report/caveat.h"

#include "common/calendar.h"
#include "consumers/reporter/key.h"

#include <inttypes.h>
#include <stdlib.h>

static int write_gap(struct redis *redis, const char *business, enum language language, FILE *out,
                     struct error *err)
{
    static const char *const TEXTS[LANGUAGES] = {
        "Note: a part of the log was lost before it was counted:",
        "Notă: o parte din jurnal s-a pierdut înainte de a fi numărată:",
    };
    char key[KEY_MAX];
    redisReply *reply = NULL;
    if (redis_callf(redis, &reply, err, "HGETALL %s", key_format(key, business, "gap")) !=
        REDIS_OK) {
        return -1;
    }
    if (reply->elements > 0) {
        fprintf(out, "\n%s\n", TEXTS[language]);
    }
    for (size_t i = 0; i + 1 < reply->elements; i += 2) {
        fprintf(out, "  %s: %s\n", reply->element[i]->str, reply->element[i + 1]->str);
    }
    freeReplyObject(reply);
    return 0;
}

static const char *const SIDES[2] = {"sale", "service"};

static int ask_misplaced(struct redis *redis, const char *business, struct period period,
                         struct error *err)
{
    for (int32_t day = period.first; day <= period.last; day++) {
        for (int side = 0; side < 2; side++) {
            char key[KEY_MAX], date[11];
            const char *argv[] = {"HGET",
                                  key_format(key, business, "%s:day:%s:all", SIDES[side],
                                             calendar_format_date(day, date)),
                                  "misplaced"};
            if (redis_send(redis, err, 3, argv, NULL) != REDIS_OK) {
                return -1;
            }
        }
    }
    return 0;
}

static int count_misplaced(struct redis *redis, const char *business, struct period period,
                           int64_t *sum, struct error *err)
{
    *sum = 0;
    if (ask_misplaced(redis, business, period, err) != 0) {
        return -1;
    }
    for (int32_t i = 0; i < 2 * (period.last - period.first + 1); i++) {
        redisReply *reply = NULL;
        if (redis_receive(redis, &reply, err) != REDIS_OK) {
            redis_disconnect(redis); /* answers may be under way */
            return -1;
        }
        *sum += reply->str ? strtoll(reply->str, NULL, 10) : 0;
        freeReplyObject(reply);
    }
    return 0;
}

static int write_misplaced(struct redis *redis, const char *business, const struct fields *fields,
                           enum language language, FILE *out, struct error *err)
{
    static const char *const TEXTS[LANGUAGES] = {
        "Note: events found in another partition than their customer's: %" PRId64
        ". For these it is\nnot promised that a repeated one counts once.\n",
        "Notă: evenimente aflate în altă partiție decât a clientului: %" PRId64
        ". Pentru acestea nu se\npromite că unul repetat este numărat o singură dată.\n",
    };
    struct period period;
    int64_t sum;
    if (!period_parse(text_of(fields_value(fields, "period")), &period)) {
        return 0;
    }
    if (count_misplaced(redis, business, period, &sum, err) != 0) {
        return -1;
    }
    if (sum > 0) {
        fputc('\n', out);
        fprintf(out, language == LANGUAGE_RO ? TEXTS[LANGUAGE_RO] : TEXTS[LANGUAGE_EN], sum);
    }
    return 0;
}

int caveat_write(struct redis *redis, const char *business, const struct fields *fields,
                 enum language language, FILE *out, struct error *err)
{
    if (write_gap(redis, business, language, out, err) != 0) {
        return -1;
    }
    return write_misplaced(redis, business, fields, language, out, err);
}

#include "producers/rejected/since.h"

#include "common/calendar.h"

static const struct unit {
    char letter;
    int64_t ms;
} units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}, {'w', 604800000}};

enum { AGE_DIGITS_MAX = 6 };

static bool read_age(struct text text, int64_t *ms)
{
    int64_t number = 0;
    if (text.len < 2 || text.len > AGE_DIGITS_MAX + 1) {
        return false;
    }
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return false;
        }
        number = number * 10 + (text.at[i] - '0');
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (units[i].letter == text.at[text.len - 1]) {
            *ms = number * units[i].ms;
            return true;
        }
    }
    return false;
}

int since_parse(const char *text, const struct zone *zone, int64_t now_ms, int64_t *out,
                struct error *err)
{
    int64_t age_ms;
    int32_t day;
    if (calendar_parse_time(text_of(text), out)) {
        return 0;
    }
    if (calendar_parse_date(text_of(text), &day)) {
        *out = zone_utc(zone, (int64_t)day * 86400) * 1000;
        return 0;
    }
    if (read_age(text_of(text), &age_ms)) {
        *out = now_ms - age_ms;
        return 0;
    }
    return error_set(err, ERROR_USAGE,
                     "--since %.60s: write 90m, 24h or 7d, a day (2026-11-23), or a time "
                     "(2026-11-23T14:00:00Z)",
                     text);
}

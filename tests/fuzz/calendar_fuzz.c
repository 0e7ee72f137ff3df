/* calendar_fuzz - any bytes as a time, a date, a period and a --since: what is read and written
 * again is the same. */
#include "common/calendar.h"
#include "fuzz.h"
#include "producers/rejected/since.h"

static void check_time(struct text text)
{
    int64_t ms, again;
    char out[32];
    if (calendar_parse_time(text, &ms) &&
        calendar_parse_time(text_of(calendar_format_time(ms, out)), &again) && again != ms) {
        abort(); /* near 2000 and 2099 the offset may lead out of the years that are read */
    }
}

static void check_date(struct text text)
{
    int32_t day;
    char out[11];
    if (calendar_parse_date(text, &day) && !text_is(text, calendar_format_date(day, out))) {
        abort();
    }
}

static void check_period(struct text text)
{
    struct period p;
    char out[16];
    if (!period_parse(text, &p)) {
        return;
    }
    struct period next = period_next(p), back = period_previous(next);
    if (!text_is(text, period_format(p, out)) || p.first > p.last || next.first != p.last + 1 ||
        back.first != p.first || back.last != p.last ||
        period_of(p.kind, p.last).first != p.first) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct zone *zone;
    struct text text = {(const char *)data, size};
    struct error err;
    int64_t ms;
    if (!zone && zone_open(&zone, "Europe/Bucharest", &err) != 0) {
        abort();
    }
    check_time(text);
    check_date(text);
    check_period(text);
    char *since = fuzz_string(data, size);
    since_parse(since, zone, INT64_C(1795435200123), &ms, &err);
    free(since);
    return 0;
}

#include "common/calendar.h"

#include <stddef.h>

static const char *const kind_names[PERIOD_KINDS] = {"day", "week", "month", "quarter", "year"};

/* Two digits at a time: 0..99, or -1. */
static inline int two_digits(const char *at)
{
    unsigned tens = (unsigned char)at[0] - (unsigned)'0';
    unsigned ones = (unsigned char)at[1] - (unsigned)'0';
    return tens > 9 || ones > 9 ? -1 : (int)(tens * 10 + ones);
}

static inline int four_digits(const char *at)
{
    int high = two_digits(at), low = two_digits(at + 2);
    return high < 0 || low < 0 ? -1 : high * 100 + low;
}

static char *put_digits(char *at, int value, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + count;
}

static bool leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_length(int year, int month)
{
    static const unsigned char lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && leap(year) ? 29 : lengths[month - 1];
}

static int64_t floor_divide(int64_t n, int64_t d)
{
    return n / d - (n % d < 0);
}

/* Days are counted in eras of 400 years (146,097 days) that begin on a first of March, so that a
 * leap day is the last of its year and month lengths follow one straight line. */
int32_t calendar_day(int year, int month, int dom)
{
    int y = month <= 2 ? year - 1 : year;
    int era = (y >= 0 ? y : y - 399) / 400;
    int year_of_era = y - era * 400;
    int day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + dom - 1;
    int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void calendar_civil(int32_t day, int *year, int *month, int *dom)
{
    int64_t shifted = (int64_t)day + 719468;
    int era = (int)floor_divide(shifted, 146097);
    int day_of_era = (int)(shifted - (int64_t)era * 146097);
    int year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int from_march = (5 * day_of_year + 2) / 153;
    *dom = day_of_year - (153 * from_march + 2) / 5 + 1;
    *month = from_march < 10 ? from_march + 3 : from_march - 9;
    *year = year_of_era + era * 400 + (*month <= 2);
}

bool calendar_valid(int year, int month, int dom)
{
    return year >= 1 && year <= 9999 && month >= 1 && month <= 12 && dom >= 1 &&
           dom <= month_length(year, month);
}

int calendar_weekday(int32_t day)
{
    int64_t from_monday = (int64_t)day + 3; /* 1970-01-01 was a Thursday */
    return (int)(from_monday - floor_divide(from_monday, 7) * 7);
}

int32_t calendar_add_months(int32_t day, int months)
{
    int year, month, dom;
    calendar_civil(day, &year, &month, &dom);
    int64_t count = (int64_t)year * 12 + (month - 1) + months;
    int to_year = (int)floor_divide(count, 12);
    int to_month = (int)(count - (int64_t)to_year * 12) + 1;
    int length = month_length(to_year, to_month);
    return calendar_day(to_year, to_month, dom < length ? dom : length);
}

/* The same for 2000-2099, where every fourth year is a leap year: no division by what is not known
 * when compiling, and no branch. */
static inline int32_t day_of_this_century(int year, int month, int dom)
{
    static const int16_t before[13] = {0,   0,   31,  59,  90,  120, 151,
                                       181, 212, 243, 273, 304, 334};
    int y = year - 2000;
    return CALENDAR_DAY_MIN + y * 365 + (y + 3) / 4 + before[month] + (month > 2 && y % 4 == 0) +
           dom - 1;
}

/* The ten bytes at `at`. */
static inline bool read_date(const char *at, int32_t *day)
{
    int year = four_digits(at), month = two_digits(at + 5), dom = two_digits(at + 8);
    if (at[4] != '-' || at[7] != '-' || !calendar_valid(year, month, dom)) {
        return false;
    }
    *day = year >= 2000 && year < 2100 ? day_of_this_century(year, month, dom)
                                       : calendar_day(year, month, dom);
    return true;
}

bool calendar_parse_date(struct text text, int32_t *day)
{
    return text.len == 10 && read_date(text.at, day);
}

char *calendar_format_date(int32_t day, char out[11])
{
    int year, month, dom;
    calendar_civil(day, &year, &month, &dom);
    char *at = put_digits(out, year, 4);
    *at++ = '-';
    at = put_digits(at, month, 2);
    *at++ = '-';
    at = put_digits(at, dom, 2);
    *at = '\0';
    return out;
}

/* ".f" with 1-9 digits at `at`, if there is a point. Gives the place behind it, or NULL. */
static const char *read_fraction(const char *at, const char *end, int *ms)
{
    *ms = 0;
    if (at == end || *at != '.') {
        return at;
    }
    static const uint8_t weights[] = {100, 10, 1};
    const char *first = ++at;
    for (; at < end && *at >= '0' && *at <= '9'; at++)
        if (at - first < 3)
            *ms += (*at - '0') * weights[at - first];
    return at == first || at - first > 9 ? NULL : at;
}

/* "Z", "+HH:MM" or "-HH:MM", up to `end` exactly. */
static bool read_offset(const char *at, const char *end, int *offset_s)
{
    if (end - at == 1) {
        *offset_s = 0;
        return *at == 'Z' || *at == 'z';
    }
    if (end - at != 6 || (*at != '+' && *at != '-') || at[3] != ':') {
        return false;
    }
    int hour = two_digits(at + 1), minute = two_digits(at + 4);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59) {
        return false;
    }
    *offset_s = (hour * 60 + minute) * 60;
    if (*at == '-') {
        *offset_s = -*offset_s;
    }
    return true;
}

/* The sixteen bytes of "2026-11-23T14:05". */
static bool read_minute(const char *at, int64_t *local_s)
{
    int32_t day;
    int hour = two_digits(at + 11), minute = two_digits(at + 14);
    if ((at[10] != 'T' && at[10] != 't') || at[13] != ':' || at[1] != '0' ||
        !read_date(at, &day) || hour < 0 || hour > 23 || minute < 0 || minute > 59) {
        return false;
    }
    *local_s = (int64_t)day * 86400 + hour * 3600 + minute * 60;
    return true;
}

bool calendar_parse_next(struct calendar_minute *minute, struct text text, int64_t *ms)
{
    const char *at = text.at;
    /* The 2 keeps a minute that is still all zeroes from being taken for a text of such. */
    if (text.len < 20 || at[0] != '2' || at[16] != ':') {
        return false;
    }
    if (memcmp(minute->text, at, sizeof minute->text) != 0) {
        int64_t local_s;
        if (!read_minute(at, &local_s)) {
            return false;
        }
        memcpy(minute->text, at, sizeof minute->text);
        minute->local_s = local_s;
    }
    int second = two_digits(at + 17), fraction_ms, offset_s;
    const char *end = at + text.len, *zone = read_fraction(at + 19, end, &fraction_ms);
    if (second < 0 || second > 59 || !zone || !read_offset(zone, end, &offset_s)) {
        return false;
    }
    *ms = (minute->local_s + second - offset_s) * 1000 + fraction_ms;
    return true;
}

bool calendar_parse_time(struct text text, int64_t *ms)
{
    struct calendar_minute minute = {0};
    return calendar_parse_next(&minute, text, ms);
}

char *calendar_format_time(int64_t ms, char out[32])
{
    const int64_t first = (int64_t)calendar_day(0, 1, 1) * 86400000;
    const int64_t last = (int64_t)calendar_day(10000, 1, 1) * 86400000 - 1;
    ms = ms < first ? first : ms > last ? last : ms;
    int64_t seconds = floor_divide(ms, 1000);
    int32_t day = (int32_t)floor_divide(seconds, 86400);
    int of_day = (int)(seconds - (int64_t)day * 86400);
    calendar_format_date(day, out);
    char *at = out + 10;
    *at++ = 'T';
    at = put_digits(at, of_day / 3600, 2);
    *at++ = ':';
    at = put_digits(at, of_day / 60 % 60, 2);
    *at++ = ':';
    at = put_digits(at, of_day % 60, 2);
    int fraction_ms = (int)(ms - seconds * 1000);
    if (fraction_ms != 0) {
        *at++ = '.';
        at = put_digits(at, fraction_ms, 3);
    }
    *at++ = 'Z';
    *at = '\0';
    return out;
}

const char *period_kind_name(enum period_kind kind)
{
    return kind_names[kind];
}

bool period_kind_parse(struct text text, enum period_kind *kind)
{
    for (int i = 0; i < PERIOD_KINDS; i++) {
        if (text_is(text, kind_names[i])) {
            *kind = (enum period_kind)i;
            return true;
        }
    }
    return false;
}

/* `count` whole months from the first of the given one. */
static struct period months(enum period_kind kind, int year, int month, int count)
{
    int32_t first = calendar_day(year, month, 1);
    return (struct period){kind, first, calendar_add_months(first, count) - 1};
}

struct period period_of(enum period_kind kind, int32_t day)
{
    int year, month, dom;
    calendar_civil(day, &year, &month, &dom);
    int32_t monday = day - calendar_weekday(day);
    switch (kind) {
    case PERIOD_WEEK:
        return (struct period){kind, monday, monday + 6};
    case PERIOD_MONTH:
        return months(kind, year, month, 1);
    case PERIOD_QUARTER:
        return months(kind, year, (month - 1) / 3 * 3 + 1, 3);
    case PERIOD_YEAR:
        return months(kind, year, 1, 12);
    case PERIOD_DAY:
    case PERIOD_KINDS:
        break;
    }
    return (struct period){kind, day, day};
}

struct period period_next(struct period p)
{
    return period_of(p.kind, p.last + 1);
}

struct period period_previous(struct period p)
{
    return period_of(p.kind, p.first - 1);
}

/* Week 1 is the one that holds January 4th; a week's year is that of its Thursday. */
static bool week_period(int year, int week, struct period *out)
{
    if (week < 1) {
        return false;
    }
    int32_t first_monday = period_of(PERIOD_WEEK, calendar_day(year, 1, 4)).first;
    struct period p = period_of(PERIOD_WEEK, first_monday + (week - 1) * 7);
    int thursday_year, month, dom;
    calendar_civil(p.first + 3, &thursday_year, &month, &dom);
    if (thursday_year != year) {
        return false;
    }
    *out = p;
    return true;
}

/* What follows "YYYY-": "Www", "Qq" or "MM". */
static bool parse_in_year(int year, struct text rest, struct period *out)
{
    if (rest.len == 3 && rest.at[0] == 'W') {
        return week_period(year, two_digits(rest.at + 1), out);
    }
    if (rest.len != 2) {
        return false;
    }
    if (rest.at[0] == 'Q') {
        if (rest.at[1] < '1' || rest.at[1] > '4') {
            return false;
        }
        *out = months(PERIOD_QUARTER, year, (rest.at[1] - '1') * 3 + 1, 3);
        return true;
    }
    int month = two_digits(rest.at);
    if (month < 1 || month > 12) {
        return false;
    }
    *out = months(PERIOD_MONTH, year, month, 1);
    return true;
}

bool period_parse(struct text text, struct period *out)
{
    if (text.len < 4 || text.at[0] != '2' || text.at[1] != '0') {
        return false;
    }
    int year = four_digits(text.at);
    if (year < 0) {
        return false;
    }
    int32_t day;
    if (text.len == 4) {
        *out = months(PERIOD_YEAR, year, 1, 12);
        return true;
    }
    if (calendar_parse_date(text, &day)) {
        *out = (struct period){PERIOD_DAY, day, day};
        return true;
    }
    if (text.at[4] != '-') {
        return false;
    }
    return parse_in_year(year, (struct text){text.at + 5, text.len - 5}, out);
}

char *period_format(struct period p, char out[16])
{
    if (p.kind == PERIOD_DAY) {
        return calendar_format_date(p.first, out);
    }
    int year, month, dom;
    calendar_civil(p.kind == PERIOD_WEEK ? p.first + 3 : p.first, &year, &month, &dom);
    char *at = put_digits(out, year, 4);
    if (p.kind == PERIOD_WEEK) {
        *at++ = '-';
        *at++ = 'W';
        at = put_digits(at, (p.first + 3 - calendar_day(year, 1, 1)) / 7 + 1, 2);
    } else if (p.kind == PERIOD_MONTH) {
        *at++ = '-';
        at = put_digits(at, month, 2);
    } else if (p.kind == PERIOD_QUARTER) {
        *at++ = '-';
        *at++ = 'Q';
        *at++ = (char)('1' + (month - 1) / 3);
    }
    *at = '\0';
    return out;
}

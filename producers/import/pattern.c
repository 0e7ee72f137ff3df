#include "producers/import/pattern.h"

#include "common/calendar.h"
#include "common/money.h"

#include <strings.h>

enum {
    LITERAL = 'l',
    BLANKS = ' ',
    YEAR4 = 'Y',
    YEAR2 = 'y',
    MONTH2 = 'M',
    MONTH1 = 'm',
    MONTH_SHORT = 'b',
    MONTH_LONG = 'B',
    DAY2 = 'D',
    DAY1 = 'd',
    HOUR2 = 'H',
    HOUR1 = 'h',
    MINUTE = 'i',
    SECOND = 's',
    HALF = 'p',
    OFFSET = 'z',
    ISO = 'I',
    UNIX = 'U'
};

static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};

/* Longer words before those that they begin with. */
static const struct word {
    const char *text;
    char kind;
} words[] = {
    {"YYYY", YEAR4}, {"YY", YEAR2},  {"MMMM", MONTH_LONG}, {"MMM", MONTH_SHORT},
    {"MM", MONTH2},  {"M", MONTH1},  {"DD", DAY2},         {"D", DAY1},
    {"HH", HOUR2},   {"H", HOUR1},   {"SS", SECOND},       {"AM", HALF},
    {"ISO", ISO},    {"UNIX", UNIX}, {"Z", OFFSET},        {"T", LITERAL},
};

static bool letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

static const struct word *find_word(struct text rest)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t len = strlen(words[i].text);
        if (rest.len >= len && memcmp(rest.at, words[i].text, len) == 0) {
            return &words[i];
        }
    }
    return NULL;
}

/* MM directly after the hour means minutes. */
static bool after_hour(const struct pattern *pattern)
{
    for (int i = pattern->count - 1; i >= 0; i--) {
        char kind = pattern->pieces[i].kind;
        if (kind != LITERAL && kind != BLANKS) {
            return kind == HOUR1 || kind == HOUR2;
        }
    }
    return false;
}

static int next_piece(struct pattern *pattern, struct text *rest, struct error *err)
{
    struct pattern_piece piece = {LITERAL, rest->at[0]};
    size_t len = 1;
    const struct word *word = find_word(*rest);
    if (word && word->kind != LITERAL) {
        piece.kind = word->kind;
        len = strlen(word->text);
        if (piece.kind == MONTH2 && after_hour(pattern)) {
            piece.kind = MINUTE;
        }
    } else if (!word && letter(rest->at[0])) {
        return error_set(err, ERROR_USAGE, "\"%.*s\" begins with no word of a format",
                         TEXT_ARG(*rest));
    } else if (blank(rest->at[0])) {
        piece.kind = BLANKS;
    }
    if (pattern->count == PATTERN_PIECES_MAX) {
        return error_set(err, ERROR_USAGE, "is longer than %d words and signs", PATTERN_PIECES_MAX);
    }
    pattern->pieces[pattern->count++] = piece;
    *rest = (struct text){rest->at + len, rest->len - len};
    return 0;
}

static int count_kinds(const struct pattern *pattern, const char *kinds)
{
    int n = 0;
    for (int i = 0; i < pattern->count; i++) {
        n += strchr(kinds, pattern->pieces[i].kind) != NULL;
    }
    return n;
}

/* A date wants year, month and day once each; a time an hour and its minutes. */
static int check(struct pattern *pattern, struct error *err)
{
    int whole = count_kinds(pattern, "IU");
    int years = count_kinds(pattern, "Yy"), months_ = count_kinds(pattern, "MmbB");
    int days = count_kinds(pattern, "Dd"), hours = count_kinds(pattern, "Hh");
    int minutes = count_kinds(pattern, "i"), seconds = count_kinds(pattern, "s");
    int halves = count_kinds(pattern, "p"), offsets = count_kinds(pattern, "z");
    if (whole > 0 && pattern->count > 1) {
        return error_set(err, ERROR_USAGE, "ISO and UNIX stand alone");
    }
    if (whole == 0 && (years != 1 || months_ != 1 || days != 1)) {
        return error_set(err, ERROR_USAGE, "needs year, month and day, once each");
    }
    if (hours > 1 || minutes > 1 || seconds > 1 || halves > 1 || offsets > 1) {
        return error_set(err, ERROR_USAGE, "has a word twice");
    }
    if (hours != minutes || seconds > hours || halves > hours || offsets > hours) {
        return error_set(err, ERROR_USAGE,
                         "has a part of a time: a time is at least an hour followed by MM");
    }
    pattern->has_date = true;
    pattern->has_hour = whole || hours;
    return 0;
}

int pattern_parse(struct pattern *out, struct text format, struct error *err)
{
    struct pattern pattern = {.count = 0};
    struct text rest = format;
    while (rest.len > 0) {
        if (next_piece(&pattern, &rest, err) != 0) {
            return -1;
        }
    }
    if (check(&pattern, err) != 0) {
        return -1;
    }
    *out = pattern;
    return 0;
}

/* What is read so far. `at` moves; every reader returns false without caring where it stays. */
struct reading {
    const char *at, *end;
    int year, month, day, hour, minute, second, ms;
    int half; /* -1: none, 0: AM, 1: PM */
    bool has_offset;
    int32_t offset_s;
};

static bool digits(struct reading *r, int least, int most, int *out)
{
    int value = 0, n = 0;
    while (n < most && r->at < r->end && *r->at >= '0' && *r->at <= '9') {
        value = value * 10 + (*r->at++ - '0');
        n++;
    }
    *out = value;
    return n >= least;
}

static bool sign(struct reading *r, char c)
{
    if (r->at < r->end && *r->at == c) {
        r->at++;
        return true;
    }
    return false;
}

static bool fraction(struct reading *r)
{
    if (r->at == r->end || (*r->at != '.' && *r->at != ',')) {
        return true;
    }
    r->at++;
    const char *from = r->at;
    for (int unit = 100; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++, unit /= 10) {
        r->ms += unit * (*r->at - '0');
    }
    return r->at > from;
}

static bool month_name(struct reading *r, bool whole)
{
    for (int i = 0; i < 12; i++) {
        size_t len = whole ? strlen(months[i]) : 3;
        if ((size_t)(r->end - r->at) >= len && strncasecmp(r->at, months[i], len) == 0) {
            r->at += len;
            r->month = i + 1;
            return true;
        }
    }
    return false;
}

static bool half_day(struct reading *r)
{
    if (r->end - r->at < 2 || (r->at[1] != 'M' && r->at[1] != 'm')) {
        return false;
    }
    char c = (char)(r->at[0] & ~0x20);
    r->half = c == 'P';
    r->at += 2;
    return c == 'A' || c == 'P';
}

/* Z, +02:00, +0200 or +02. */
static bool offset(struct reading *r)
{
    r->has_offset = true;
    if (sign(r, 'Z') || sign(r, 'z')) {
        return true;
    }
    bool west = r->at < r->end && *r->at == '-';
    int hours = 0, minutes = 0;
    if ((!sign(r, '+') && !sign(r, '-')) || !digits(r, 2, 2, &hours)) {
        return false;
    }
    if ((sign(r, ':') || r->at < r->end) && !digits(r, 2, 2, &minutes)) {
        return false;
    }
    r->offset_s = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return hours <= 23 && minutes <= 59;
}

static void skip_blanks(struct reading *r)
{
    while (r->at < r->end && blank(*r->at)) {
        r->at++;
    }
}

/* 2026-11-23T14:05[:09[.123]][offset], T or a blank between. */
static bool iso(struct reading *r)
{
    if (!digits(r, 4, 4, &r->year) || !sign(r, '-') || !digits(r, 2, 2, &r->month) ||
        !sign(r, '-') || !digits(r, 2, 2, &r->day) ||
        !(sign(r, 'T') || sign(r, 't') || sign(r, ' ')) || !digits(r, 2, 2, &r->hour) ||
        !sign(r, ':') || !digits(r, 2, 2, &r->minute)) {
        return false;
    }
    if (sign(r, ':') && !(digits(r, 2, 2, &r->second) && fraction(r))) {
        return false;
    }
    skip_blanks(r);
    return r->at == r->end || offset(r);
}

static bool take_piece(struct reading *r, struct pattern_piece piece)
{
    switch (piece.kind) {
    case YEAR4:
        return digits(r, 4, 4, &r->year);
    case YEAR2:
        if (!digits(r, 2, 2, &r->year)) {
            return false;
        }
        r->year += 2000;
        return true;
    case MONTH2:
        return digits(r, 2, 2, &r->month);
    case MONTH1:
        return digits(r, 1, 2, &r->month);
    case MONTH_SHORT:
        return month_name(r, false);
    case MONTH_LONG:
        return month_name(r, true);
    case DAY2:
        return digits(r, 2, 2, &r->day);
    case DAY1:
        return digits(r, 1, 2, &r->day);
    case HOUR2:
        return digits(r, 2, 2, &r->hour);
    case HOUR1:
        return digits(r, 1, 2, &r->hour);
    case MINUTE:
        return digits(r, 2, 2, &r->minute);
    case SECOND:
        return digits(r, 2, 2, &r->second) && fraction(r);
    case HALF:
        return half_day(r);
    case OFFSET:
        return offset(r);
    case ISO:
        return iso(r);
    case BLANKS: {
        bool any = r->at < r->end && blank(*r->at);
        skip_blanks(r);
        return any;
    }
    default:
        return sign(r, piece.literal);
    }
}

static enum pattern_fault finish(struct reading *r, struct moment *out)
{
    if (r->half >= 0) {
        if (r->hour < 1 || r->hour > 12) {
            return PATTERN_NO_SUCH_DATE;
        }
        r->hour = r->hour % 12 + 12 * r->half;
    }
    if (!calendar_valid(r->year, r->month, r->day) || r->hour > 23 || r->minute > 59 ||
        r->second > 59) {
        return PATTERN_NO_SUCH_DATE;
    }
    if (r->year < 2000 || r->year > 2099) {
        return PATTERN_YEAR;
    }
    int32_t day = calendar_day(r->year, r->month, r->day);
    int64_t second = (int64_t)day * 86400 + r->hour * 3600 + r->minute * 60 + r->second;
    *out = (struct moment){day, second * 1000 + r->ms, r->has_offset, r->offset_s};
    return PATTERN_FITS;
}

/* Seconds since 1970, decimals allowed. */
static enum pattern_fault read_unix(struct text text, struct moment *out)
{
    int64_t ms;
    if (money_parse(text, 3, '.', 0, &ms, NULL) != 0) {
        return PATTERN_DIFFERS;
    }
    if (ms < CALENDAR_DAY_MIN * INT64_C(86400000) ||
        ms >= (CALENDAR_DAY_MAX + 1) * INT64_C(86400000)) {
        return PATTERN_YEAR;
    }
    *out = (struct moment){(int32_t)(ms / 86400000), ms, true, 0};
    return PATTERN_FITS;
}

enum pattern_fault pattern_read(const struct pattern *pattern, struct text text, struct moment *out)
{
    if (pattern->pieces[0].kind == UNIX) {
        return read_unix(text, out);
    }
    struct reading r = {.at = text.at, .end = text.at + text.len, .half = -1};
    for (int i = 0; i < pattern->count; i++) {
        if (!take_piece(&r, pattern->pieces[i])) {
            return PATTERN_DIFFERS;
        }
    }
    return r.at == r.end ? finish(&r, out) : PATTERN_DIFFERS;
}

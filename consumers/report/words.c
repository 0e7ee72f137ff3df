#include "consumers/report/words.h"

#include "common/currency.h"
#include "common/money.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const codes[LANGUAGES] = {"en", "ro"};
static const char decimal_sign[LANGUAGES] = {'.', ','};
static const char grouping_sign[LANGUAGES] = {',', '.'};

const char *language_code(enum language language)
{
    return codes[language];
}

bool language_parse(struct text code, enum language *out)
{
    for (enum language l = LANGUAGE_EN; l < LANGUAGES; l++) {
        if (text_is(code, codes[l])) {
            *out = l;
            return true;
        }
    }
    return false;
}

bool words_parse(const char *value, int64_t *units, int *decimals)
{
    char digits[WORDS_MAX];
    const char *point = strchr(value, '.');
    size_t whole = point ? (size_t)(point - value) : strlen(value);
    const char *tail = point ? point + 1 : "";
    if (*value == '\0' || strlen(value) >= sizeof digits ||
        strspn(value + (*value == '-'), "0123456789.") != strlen(value) - (*value == '-'))
        return false;
    snprintf(digits, sizeof digits, "%.*s%s", (int)whole, value, tail);
    char *end = NULL;
    errno = 0;
    *units = strtoll(digits, &end, 10);
    *decimals = (int)strlen(tail);
    return errno == 0 && *end == '\0' && end != digits;
}

static bool is_undefined(const char *value)
{
    return strcmp(value, "NaN") == 0;
}

static char *as_it_is(const char *value, char out[WORDS_MAX])
{
    snprintf(out, WORDS_MAX, "%s", is_undefined(value) ? WORDS_DASH : value);
    return out;
}

char *words_number(enum language language, const char *value, char out[WORDS_MAX])
{
    int64_t units;
    int decimals;
    if (!words_parse(value, &units, &decimals))
        return as_it_is(value, out);
    return money_format(units, decimals, decimal_sign[language], grouping_sign[language], out,
                        WORDS_MAX);
}

char *words_money(enum language language, const char *minor, const char *currency,
                  char out[WORDS_MAX])
{
    char amount[64];
    int64_t units;
    int decimals, place = currency_find(text_of(currency));
    if (!words_parse(minor, &units, &decimals) || decimals > 0 || place < 0)
        return as_it_is(minor, out);
    money_format(units, currency_exponent(place), decimal_sign[language], grouping_sign[language],
                 amount, sizeof amount);
    snprintf(out, WORDS_MAX, "%s %s", amount, currency_code(place));
    return out;
}

/* Counts with nouns */

struct noun_forms {
    const char *one, *many;
};

static const struct noun_forms nouns[LANGUAGES][NOUNS] = {
    [LANGUAGE_EN] = {{"rating", "ratings"}, {"order", "orders"}, {"ticket", "tickets"}, {"d", "d"}},
    [LANGUAGE_RO] = {{"evaluare", "evaluări"},
                     {"comandă", "comenzi"},
                     {"solicitare", "solicitări"},
                     {"zi", "zile"}},
};

/* Romanian puts "de" between a number and its noun from 20 on, unless its last two digits are
 * 01 to 19. */
static bool takes_de(enum language language, int64_t count)
{
    int64_t tail = llabs(count % 100);
    return language == LANGUAGE_RO && (count >= 20 || count <= -20) && (tail == 0 || tail >= 20);
}

char *words_count(enum language language, int64_t count, enum noun noun, char out[WORDS_MAX])
{
    char number[64];
    const struct noun_forms *forms = &nouns[language][noun];
    money_format(count, 0, decimal_sign[language], grouping_sign[language], number, sizeof number);
    snprintf(out, WORDS_MAX, "%s %s%s", number, takes_de(language, count) ? "de " : "",
             count == 1 ? forms->one : forms->many);
    return out;
}

/* Durations */

char *words_duration(enum language language, int64_t seconds, char out[WORDS_MAX])
{
    char days[WORDS_MAX];
    int64_t minutes = seconds / 60, hours = minutes / 60;
    if (seconds < 60)
        snprintf(out, WORDS_MAX, "%" PRId64 " s", seconds);
    else if (seconds < 3600 && seconds % 60)
        snprintf(out, WORDS_MAX, "%" PRId64 " min %" PRId64 " s", minutes, seconds % 60);
    else if (seconds < 3600)
        snprintf(out, WORDS_MAX, "%" PRId64 " min", minutes);
    else if (hours < 24 && minutes % 60)
        snprintf(out, WORDS_MAX, "%" PRId64 " h %" PRId64 " min", hours, minutes % 60);
    else if (hours < 24)
        snprintf(out, WORDS_MAX, "%" PRId64 " h", hours);
    else if (hours % 24)
        snprintf(out, WORDS_MAX, "%s %" PRId64 " h",
                 words_count(language, hours / 24, NOUN_DAYS, days), hours % 24);
    else
        words_count(language, hours / 24, NOUN_DAYS, out);
    return out;
}

static char *duration_of(enum language language, const char *value, char out[WORDS_MAX])
{
    int64_t units;
    int decimals;
    if (!words_parse(value, &units, &decimals) || decimals > 2)
        return as_it_is(value, out);
    int64_t scale = decimals == 0 ? 1 : decimals == 1 ? 10 : 100;
    return words_duration(language, money_divide(units, scale), out);
}

/* Metrics */

static char *percent_of(enum language language, const char *value, char out[WORDS_MAX])
{
    char number[WORDS_MAX];
    if (is_undefined(value))
        return as_it_is(value, out);
    snprintf(out, WORDS_MAX, "%.120s %%", words_number(language, value, number));
    return out;
}

/* "revenue:EUR" and "EUR" -> "EUR"; "orders" and "" -> "". */
static const char *currency_in(const char *suffix)
{
    const char *colon = strrchr(suffix, ':');
    suffix = colon ? colon + 1 : suffix;
    return currency_find(text_of(suffix)) >= 0 ? suffix : "";
}

char *words_metric(enum language language, const struct metric *metric, const char *suffix,
                   const char *value, char out[WORDS_MAX])
{
    const char *currency = currency_in(suffix);
    switch (metric->kind) {
    case METRIC_PERCENT:
        return percent_of(language, value, out);
    case METRIC_SECONDS:
    case METRIC_MEAN_SECONDS:
        return duration_of(language, value, out);
    case METRIC_MONEY:
        return *currency ? words_money(language, value, currency, out)
                         : words_number(language, value, out);
    default:
        return words_number(language, value, out);
    }
}

/* Periods */

static const char *const months[LANGUAGES][12] = {
    {"January", "February", "March", "April", "May", "June", "July", "August", "September",
     "October", "November", "December"},
    {"ianuarie", "februarie", "martie", "aprilie", "mai", "iunie", "iulie", "august", "septembrie",
     "octombrie", "noiembrie", "decembrie"},
};

static const char *const week_form[LANGUAGES] = {"week %d of %d", "săptămâna %d din %d"};
static const char *const quarter_form[LANGUAGES] = {"quarter %d of %d", "trimestrul %d din %d"};

char *words_period(enum language language, struct period period, char out[WORDS_MAX])
{
    int year, month, day, week;
    char iso[16];
    *out = '\0';
    calendar_civil(period.first, &year, &month, &day);
    const char *name = months[language][month - 1];
    switch (period.kind) {
    case PERIOD_DAY:
        snprintf(out, WORDS_MAX, "%d %s %d", day, name, year);
        break;
    case PERIOD_WEEK:
        if (sscanf(period_format(period, iso), "%d-W%d", &year, &week) == 2)
            snprintf(out, WORDS_MAX, week_form[language], week, year);
        break;
    case PERIOD_MONTH:
        snprintf(out, WORDS_MAX, "%s %d", name, year);
        break;
    case PERIOD_QUARTER:
        snprintf(out, WORDS_MAX, quarter_form[language], (month - 1) / 3 + 1, year);
        break;
    default:
        snprintf(out, WORDS_MAX, "%d", year);
    }
    return out;
}

/* States */

struct word {
    const char *name, *text[LANGUAGES];
};

static const struct word sale_states[] = {
    {"good", {"on target", "la țintă"}},
    {"weak", {"behind target", "sub țintă"}},
    {"none", {"no target", "fără țintă"}},
    {NULL, {NULL, NULL}},
};

static const struct word service_states[] = {
    {"content", {"content", "mulțumiți"}},
    {"at_risk", {"at risk", "în scădere"}},
    {"unhappy", {"unhappy", "nemulțumiți"}},
    {"unknown", {"too few ratings", "prea puține evaluări"}},
    {NULL, {NULL, NULL}},
};

static const struct word severities[] = {
    {"ok", {"ok", "în regulă"}},
    {"notice", {"notice", "de știut"}},
    {"warning", {"warning", "atenție"}},
    {"critical", {"critical", "critic"}},
    {NULL, {NULL, NULL}},
};

static const char *word_of(const struct word *words, enum language language, const char *name)
{
    for (; words->name; words++)
        if (strcmp(words->name, name) == 0)
            return words->text[language];
    return WORDS_DASH;
}

const char *words_sale_state(enum language language, const char *state)
{
    return word_of(sale_states, language, state);
}

const char *words_service_state(enum language language, const char *state)
{
    return word_of(service_states, language, state);
}

const char *words_severity(enum language language, const char *severity)
{
    return word_of(severities, language, severity);
}

/* Bytes 80-BF go on with a character; CC and CD begin the combining marks U+0300-U+037F, but for
 * CD B0 and above. */
size_t words_width(const char *text)
{
    size_t width = 0;
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        bool combining = *p == 0xCC || (*p == 0xCD && p[1] < 0xB0);
        if ((*p & 0xC0) != 0x80 && !combining)
            width++;
    }
    return width;
}

/* words.h - numbers, durations, periods and states as people of a language write them. Pure.
 *
 * Published values are plain ("2297200", "87.50", "NaN"); here they get grouping and decimal signs,
 * units and nouns. What is no number is shown as it is, what is undefined as a dash. */
#ifndef TANDEM_WORDS_H
#define TANDEM_WORDS_H

#include "common/calendar.h"
#include "common/text.h"
#include "consumers/comparison/metrics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum language { LANGUAGE_EN, LANGUAGE_RO, LANGUAGES };

const char *language_code(enum language language); /* "en", "ro" */
bool language_parse(struct text code, enum language *out);

#define WORDS_MAX  128 /* room that any of the texts below fits in */
#define WORDS_DASH "–"

/* "-12345.60" -> -1234560 and 2. False when it is no plain number or does not fit. */
bool words_parse(const char *value, int64_t *units, int *decimals);

/* "-12345.60" -> "-12,345.60", "-12.345,60". Each of these returns out. */
char *words_number(enum language language, const char *value, char out[WORDS_MAX]);
/* Minor units -> "2,297,200.65 USD", "2.297.200,65 USD". */
char *words_money(enum language language, const char *minor, const char *currency,
                  char out[WORDS_MAX]);
/* Seconds -> "45 s", "1 h 30 min", "3 d 4 h", in Romanian "3 zile 4 h"; two units at most, cut. */
char *words_duration(enum language language, int64_t seconds, char out[WORDS_MAX]);

enum noun { NOUN_RATINGS, NOUN_ORDERS, NOUN_TICKETS, NOUN_DAYS, NOUNS };
/* "1 order", "1,020 orders"; Romanian with its "de": "1 comandă", "19 comenzi", "20 de comenzi". */
char *words_count(enum language language, int64_t count, enum noun noun, char out[WORDS_MAX]);

/* A published value of a metric. `suffix` is what follows the ':' in its name ("EUR", "orders",
 * "revenue:EUR"), or "". */
char *words_metric(enum language language, const struct metric *metric, const char *suffix,
                   const char *value, char out[WORDS_MAX]);

/* "23 November 2026", "week 48 of 2026", "November 2026", "quarter 4 of 2026", "2026". */
char *words_period(enum language language, struct period period, char out[WORDS_MAX]);

/* The word of a published state in a cell: "on target", "prea puține evaluări". */
const char *words_sale_state(enum language language, const char *state);
const char *words_service_state(enum language language, const char *state);
const char *words_severity(enum language language, const char *severity);

/* Columns a text takes on a terminal: characters, without combining marks. */
size_t words_width(const char *text);

#endif

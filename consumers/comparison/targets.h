/* targets.h - what sales should reach and when service counts as good: the targets file.
 *
 * schemas/targets.json is its form. A file is taken whole or refused whole, with every mistake
 * listed by its path. Pure but for targets_read(). */
#ifndef TANDEM_TARGETS_H
#define TANDEM_TARGETS_H

#include "common/calendar.h"
#include "common/error.h"
#include "common/text.h"
#include "consumers/comparison/metrics.h"
#include "consumers/comparison/sentences.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TARGETS_BYTES_MAX (1024 * 1024)

struct targets;

enum measure { MEASURE_GROSS_PROFIT, MEASURE_REVENUE, MEASURE_ORDERS };

struct target {
    const char *scope; /* "all", "region=north" */
    struct period period;
    enum measure measure;
    int currency;   /* common/currency.h; -1 for orders */
    int64_t amount; /* minor units, or a number of orders; > 0 */
};

struct slo {
    const struct metric *metric;
    bool is_max;       /* else the threshold is a minimum */
    int64_t threshold; /* whole for counts and seconds, else hundredths ("10.00" = 1000) */
};

struct service_rules {
    int64_t min_ratings;
    int csat_floor_bp;
    bool has_nps_floor;
    int nps_floor_bp; /* -10000..10000 */
    int slip_bp;
    const struct slo *slo;
    size_t slo_count;
};

/* Reads and checks the bytes of a targets file. `scopes` is the setting of that name
 * ("region,channel,rep,line"): other dimensions are refused.
 * 0, caller owns *out until targets_free(). -1 ERROR_INPUT: the file is refused, err says how many
 * mistakes, *mistakes (may be NULL; the caller's, sentences_free()) lists them all; or -1
 * ERROR_MEMORY with *mistakes NULL. */
int targets_parse(struct targets **out, struct text json, const char *scopes,
                  struct sentences **mistakes, struct error *err);
/* Reads the file at `path` (one of more than TARGETS_BYTES_MAX is refused) and parses it. `json`
 * (may be NULL) gets its bytes, the caller's to free(): what is kept in Redis. -1 as above, and
 * ERROR_SYSTEM with *mistakes NULL when it cannot be read. */
int targets_read(struct targets **out, const char *path, const char *scopes, char **json,
                 struct sentences **mistakes, struct error *err);
void targets_free(struct targets *targets);

/* From here on `targets` may be NULL: no targets, each day weighs 1, the usual rules of service. */

/* All targets, sorted by scope, period, measure and currency code. */
size_t targets_count(const struct targets *targets);
const struct target *targets_at(const struct targets *targets, size_t i);
/* Those of one scope and exactly one period: *first points at the first of as many as returned. */
size_t targets_find(const struct targets *targets, const char *scope, struct period period,
                    const struct target **first);
/* "gross_profit:RON", "orders". Returns out. */
char *target_name(const struct target *target, char out[32]);
const char *measure_name(enum measure measure);

int targets_weight(const struct targets *targets, int32_t day); /* 0..1000; 0 on a holiday */
int targets_weight_max(const struct targets *targets);          /* the greatest of the seven */
const struct service_rules *targets_service(const struct targets *targets);

/* What is allowed but worth a look: targets of a whole that differ from the sum of those of its
 * regions. The caller's, sentences_free(). 0, or -1 when memory is short. */
int targets_warnings(const struct targets *targets, struct sentences **out, struct error *err);

/* Prints them as people read them, aligned, in English. */
void targets_print(const struct targets *targets, FILE *out);

#endif

/* counters.h - the counters of one side, of one day or of many: a name and a sum each.
 *
 * Made from the day hashes in Redis (docs/redis.md, "Counters") and added together for longer
 * periods. Sums are 128 bits wide, so that any number of days of int64 counters fits and adding
 * cannot overflow. A counter that is absent is 0. Pure; use from one thread. */
#ifndef TANDEM_COUNTERS_H
#define TANDEM_COUNTERS_H

#include "common/error.h"
#include "common/histogram.h"
#include "common/text.h"

#include <stddef.h>
#include <stdint.h>

#define COUNTERS_NAME_MAX 64    /* bytes of a counter's name */
#define COUNTERS_MAX      65536 /* different names in one set: three full histograms take 5,664 */

struct counters;

/* An empty set. 0, caller owns *out until counters_free(); -1 when memory is short. */
int counters_open(struct counters **out, struct error *err);
void counters_free(struct counters *counters);
void counters_clear(struct counters *counters); /* empty again; keeps its memory */

/* Adds one field of a hash as Redis answers it: the value is a decimal int64 ("-12").
 * -1 ERROR_INPUT when it is not, or the name is empty or longer than COUNTERS_NAME_MAX, or there
 * are more names than COUNTERS_MAX (the text names the field); ERROR_MEMORY. */
int counters_add_field(struct counters *counters, struct text name, struct text value,
                       struct error *err);
/* Adds a number to one counter. Errors as above. */
int counters_add(struct counters *counters, struct text name, int64_t amount, struct error *err);
/* Adds every counter of `more`. */
int counters_add_all(struct counters *counters, const struct counters *more, struct error *err);

/* The sum of a name, 0 when absent. `counters` NULL is an empty set. */
__int128 counters_get(const struct counters *counters, struct text name);

/* How many names there are, and the i-th of them in the order they came. */
size_t counters_count(const struct counters *counters);
struct text counters_at(const struct counters *counters, size_t i, __int128 *sum);

/* The buckets "<prefix><k>" (prefix "response_b") that are not 0, ascending, into *out, which the
 * caller frees with free(); *count their number. A count beyond int64 is cut to its edge.
 * 0, or -1 when memory is short. */
int counters_histogram(const struct counters *counters, const char *prefix,
                       struct histogram_count **out, size_t *count, struct error *err);

#endif

/* reading.h - what the answers have in common: reading many hashes, and values as JSON. */
#ifndef TANDEM_READING_H
#define TANDEM_READING_H

#include "consumers/dashboard/answers.h"
#include "consumers/reporter/key.h"

#include <yyjson.h>

/* The period that is asked for; the running one by the clock. */
struct period reading_period(const struct source *source, const struct question *question);
int32_t reading_today(const struct source *source);

/* HMGET of `fields` from each of `count` keys, many in flight. *replies (count of them, each an array
 * of as many elements as fields) is the caller's: reading_free(). 0, -1. */
int reading_many(const struct source *source, char (*keys)[KEY_MAX], size_t count,
                 const char *const *fields, size_t field_count, redisReply ***replies,
                 struct error *err);
void reading_free(redisReply **replies, size_t count);

/* A published value: a number as it is written, NaN and what is absent as null, else a string. */
yyjson_mut_val *reading_value(yyjson_mut_doc *doc, const char *name, const char *value);
/* Element i of a reply, or NULL. */
const char *reading_element(const redisReply *reply, size_t i);
/* The document as text; frees it. 0, -1 when memory is short. */
int reading_finish(yyjson_mut_doc *doc, char **body, size_t *length, struct error *err);

/* "87.50" -> 8750. False: no plain number of at most two decimals, or NULL. */
bool reading_hundredths(const char *value, int64_t *out);

#endif

/* letters.h - reads the topic of rejected records, one letter a key. */
#ifndef TANDEM_LETTERS_H
#define TANDEM_LETTERS_H

#include "common/config.h"
#include "common/error.h"
#include "producers/rejected/letter.h"

#include <stdbool.h>
#include <stdint.h>

#define LETTERS_ALWAYS INT64_MIN

struct letters_filter {
    const char *reason; /* NULL: any */
    int64_t since_ms;   /* rejected at or after; LETTERS_ALWAYS */
};

/* Called for each letter, valid during the call; false ends the reading early. */
typedef bool letters_take(void *context, const struct letter *letter);

/* Reads the topic from its beginning to its end of this moment, telling on a terminal how far it
 * is. Of the copies of a letter only the first is given, 16 bytes of memory each. *foreign (may be
 * NULL) is how many records were no letters. 0, or -1 (Kafka, memory, a signal asked to stop). */
int letters_read(const struct config *config, struct letters_filter filter, letters_take *take,
                 void *context, int64_t *foreign, struct error *err);

#endif

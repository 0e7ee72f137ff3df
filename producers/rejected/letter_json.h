/* letter_json.h - a dead letter as JSON, for programs. */
#ifndef TANDEM_LETTER_JSON_H
#define TANDEM_LETTER_JSON_H

#include "producers/rejected/letter.h"

#include <jansson.h>

/* key, time, reason, detail, topic, partition, offset, truncated; with `whole` also event_key,
 * headers and value. Bytes that are no UTF-8 stand under <name>_base64. What is absent is null.
 * The caller's (json_decref); NULL when memory is short. */
json_t *letter_json(const struct letter *letter, bool whole);

#endif

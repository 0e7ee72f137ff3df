/* spoilt.h - records that cannot be counted, one after the other of every kind.
 *
 * Kind number n: below REJECTS the reject reason n; then two types that are ignored; then a
 * tombstone. What a record is hangs on its number alone. */
#ifndef TANDEM_SPOILT_H
#define TANDEM_SPOILT_H

#include "common/event.h"
#include "producers/simulate/parcel.h"

enum { SPOILT_UNKNOWN_TYPE = REJECTS, SPOILT_FOREIGN_TYPE, SPOILT_TOMBSTONE, SPOILT_KINDS };

struct spoilt;

/* `type_prefix` and `source` must outlive it. NULL: no memory. */
struct spoilt *spoilt_open(const char *type_prefix, const char *source, uint32_t tag);
void spoilt_free(struct spoilt *spoilt);

/* Record `number` (from 0): kind number % SPOILT_KINDS, in two variants by turns. Its time is
 * `time_ms`, that of time_future 2099. The parcel is good until the next call. */
void spoilt_make(struct spoilt *spoilt, uint64_t number, int64_t time_ms, struct parcel *parcel);

#endif

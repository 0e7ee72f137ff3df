/* parcel.h - one record on its way to a topic. */
#ifndef TANDEM_PARCEL_H
#define TANDEM_PARCEL_H

#include "common/record.h"

#define PARCEL_HEADERS_MAX 9

enum parcel_kind { PARCEL_GOOD, PARCEL_AGAIN, PARCEL_BAD, PARCEL_KINDS };

struct parcel {
    enum parcel_kind kind;
    enum side side;         /* which topic it goes to */
    struct text key, value; /* value.at NULL: a tombstone */
    struct record_header headers[PARCEL_HEADERS_MAX];
    size_t header_count;
};

#endif

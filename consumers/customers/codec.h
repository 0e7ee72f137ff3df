/* codec.h - a customer's state as a few bytes, and back.
 *
 * Equal sets of events give equal bytes, however they came together: whatever a state is made of
 * stands in one order, as differences, and scopes by the numbers of the shard's dictionary. About
 * 60 bytes for five events. What is stored:
 *
 *   head           1 byte   version (3 bits), overflowed, first sale apart, sale, referral (2 bits)
 *   base           varint   the earliest time below, seconds from CUSTOMER_TIME_MIN_S
 *   first sale     time, list             when it is not the first of the sales below
 *   months         varint first month, varint bytes, bits from it on       with a sale
 *   referral       time                   when there is one
 *   sales          varint count, each time, list                with a sale, not overflowed
 *   ratings        varint count, each time, scale and score, 8 bytes of hash, list; replaced
 *   contacts       varint count, each first, length
 *   interactions   the same
 *
 * A time is a varint: seconds from the one before it of its kind, else from the base. A list is 0,
 * a count and that many numbers, or n: the n-th list of this state. Decoding is total. Pure. */
#ifndef TANDEM_CODEC_H
#define TANDEM_CODEC_H

#include "consumers/customers/customer.h"

struct codec;

/* 0, caller owns *out until codec_free(); -1 when memory is short. `names` and `lists` must outlive
 * it, `lists` be one of `names`. */
int codec_open(struct codec **out, const struct dictionary *names, struct lists *lists,
               struct error *err);
void codec_free(struct codec *codec);

/* The state's bytes, valid until the next call; empty (at not NULL) for a customer of whom nothing
 * is known. -1: ERROR_STORE when a scope has no number yet, ERROR_MEMORY. */
int codec_encode(struct codec *codec, const struct customer *customer, struct text *out,
                 struct error *err);

/* Fills *customer, whatever it held. -1: ERROR_STORE when these are no state's bytes, with
 * err->retry when they say a number that the dictionary has not learnt; ERROR_MEMORY. What it takes
 * encodes to the same bytes again. */
int codec_decode(struct codec *codec, struct text bytes, struct customer *customer,
                 struct error *err);

#endif

/* blob.h - bytes of which each text is kept once, so that a number stands for it.
 *
 * What a memory holds are numbers; a customer's state is the number of its bytes. Equal bytes have
 * equal numbers. One thread. */
#ifndef TANDEM_BLOB_H
#define TANDEM_BLOB_H

#include "common/text.h"

#include <stdint.h>

/* The number of these bytes, from 1; 0 when there are none. */
int64_t blob_of(struct text bytes);
/* Valid until blob_forget_all(); empty for 0. */
struct text blob_text(int64_t blob);
void blob_forget_all(void);

#endif

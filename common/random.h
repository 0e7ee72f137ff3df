/* random.h - numbers nobody can guess, behind one seam like the clock. */
#ifndef TANDEM_RANDOM_H
#define TANDEM_RANDOM_H

#include <stdint.h>

/* 64 random bits of the operating system. Never fails: without them the process ends. */
uint64_t random_u64(void);

#endif

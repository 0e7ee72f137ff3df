#include "common/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

uint64_t random_u64(void)
{
    uint64_t bits;
    if (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits) {
        perror("getrandom");
        abort();
    }
    return bits;
}

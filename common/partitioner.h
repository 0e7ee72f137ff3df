/* partitioner.h - Kafka's default partitioner, as the Java client computes it. Pure. */
#ifndef TANDEM_PARTITIONER_H
#define TANDEM_PARTITIONER_H

#include "common/text.h"

#include <stdint.h>

/* (murmur2(key) & 0x7fffffff) mod partitions; partitions > 0. */
int32_t partition_of(struct text key, int32_t partitions);

#endif

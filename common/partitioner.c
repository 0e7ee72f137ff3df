#include "common/partitioner.h"

/* Four bytes, the lowest first, as the Java client reads them on every machine. */
static uint32_t read_word(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* MurmurHash2, 32 bits, with the seed of org.apache.kafka.common.utils.Utils. */
static uint32_t murmur2(const unsigned char *at, size_t len)
{
    const uint32_t m = 0x5bd1e995;
    uint32_t hash = 0x9747b28cu ^ (uint32_t)len;

    for (; len >= 4; at += 4, len -= 4) {
        uint32_t k = read_word(at) * m;
        k ^= k >> 24;
        hash = (hash * m) ^ (k * m);
    }
    if (len >= 3) {
        hash ^= (uint32_t)at[2] << 16;
    }
    if (len >= 2) {
        hash ^= (uint32_t)at[1] << 8;
    }
    if (len >= 1) {
        hash ^= at[0];
        hash *= m;
    }
    hash ^= hash >> 13;
    hash *= m;
    return hash ^ hash >> 15;
}

int32_t partition_of(struct text key, int32_t partitions)
{
    uint32_t hash = murmur2((const unsigned char *)key.at, key.len);
    return (int32_t)((hash & 0x7fffffffu) % (uint32_t)partitions);
}

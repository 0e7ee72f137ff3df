#include "consumers/customers/ledger_key.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

int ledger_shard_of(int32_t partition, int shards)
{
    return (int)(partition % shards);
}

int ledger_shards_in(const char *definition)
{
    static const char name[] = "ledger.shards=";
    for (const char *line = definition; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, sizeof name - 1) != 0)
            continue;
        char *end;
        const char *digits = line + sizeof name - 1;
        long shards = strtol(digits, &end, 10);
        bool whole = *digits >= '0' && *digits <= '9' && (*end == '\n' || *end == '\0');
        return whole && shards >= 1 && shards <= LEDGER_SHARDS_MAX ? (int)shards : 0;
    }
    return 0;
}

char *ledger_prefix(char out[LEDGER_PREFIX_MAX], const char *business, int shard)
{
    snprintf(out, LEDGER_PREFIX_MAX, "tandem:{%s.%d}:", business, shard);
    return out;
}

char *ledger_state_key(char out[LEDGER_KEY_MAX], const char *prefix, int32_t partition,
                       struct text customer)
{
    snprintf(out, LEDGER_KEY_MAX, "%sc:%" PRId32 ":%.*s", prefix, partition, TEXT_ARG(customer));
    return out;
}

char *ledger_forgotten_field(char out[LEDGER_KEY_MAX], int32_t partition, struct text customer)
{
    XXH128_hash_t hash = XXH3_128bits(customer.at, customer.len);
    snprintf(out, LEDGER_KEY_MAX, "%" PRId32 ":%016" PRIx64 "%016" PRIx64, partition, hash.high64,
             hash.low64);
    return out;
}

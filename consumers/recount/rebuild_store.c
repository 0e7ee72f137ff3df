#include "consumers/recount/rebuild_store.h"

#include "consumers/customers/ledger_key.h"

#include <stdio.h>

static bool begins(const char *text, const char *word)
{
    return strncmp(text, word, strlen(word)) == 0;
}

static bool is_of_main(const void *context, const char *rest)
{
    (void)context;
    return begins(rest, "sale:") || begins(rest, "service:") || begins(rest, "scope:") ||
           strcmp(rest, "currency") == 0 || strcmp(rest, "position:sales") == 0 ||
           strcmp(rest, "position:service") == 0 || strcmp(rest, "floors") == 0 ||
           strcmp(rest, "gap") == 0;
}

/* Who was forgotten stays so: both sets read the same hash. */
static bool is_of_shard(const void *context, const char *rest)
{
    (void)context;
    return begins(rest, "customer:") || begins(rest, "c:") || strcmp(rest, "names") == 0 ||
           strcmp(rest, "position:customers") == 0 || strcmp(rest, "floors") == 0 ||
           strcmp(rest, "gap") == 0;
}

struct rebuild_store rebuild_store_of(const struct config *config, int shard)
{
    struct rebuild_store store = {
        .shard = shard, .positions = {"position:sales", "position:service"}, .wants = is_of_main};
    if (shard == REBUILD_MAIN) {
        snprintf(store.prefix, sizeof store.prefix, "tandem:{%s}:", config->business);
        return store;
    }
    _Static_assert(sizeof store.prefix >= LEDGER_PREFIX_MAX, "a shard's prefix fits");
    ledger_prefix(store.prefix, config->business, shard);
    store.positions[0] = store.positions[1] = "position:customers";
    store.wants = is_of_shard;
    return store;
}

char *rebuild_store_key(const struct rebuild_store *store, const char *generation, const char *rest,
                        char out[KEY_MAX])
{
    snprintf(out, KEY_MAX, "%s%s%s", store->prefix, generation, rest);
    return out;
}

int rebuild_store_go(const struct rebuild_store *store, const struct config *config,
                     struct redis *redis, struct error *err)
{
    char key[KEY_MAX];
    return redis_wait_for(redis, config, rebuild_store_key(store, "", store->positions[0], key),
                          err);
}

int rebuild_store_blame(const struct rebuild_store *store, struct error *err)
{
    return store->shard == REBUILD_MAIN ? -1
                                        : error_prefix(err, "shard %d of the ledger", store->shard);
}

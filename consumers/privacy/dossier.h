/* dossier.h - all that the ledger holds of one customer.
 *
 * A customer is known by partition and id. The id's own partition is where events of today go;
 * others hold what was sent under a key of another kind, or before partitions were added. */
#ifndef TANDEM_DOSSIER_H
#define TANDEM_DOSSIER_H

#include "common/config.h"
#include "common/record.h"
#include "common/redis.h"
#include "consumers/customers/customer.h"
#include "consumers/customers/ledger_key.h"

/* What one partition holds: a state, a mark that the customer was forgotten, or both. */
struct dossier_page {
    int32_t partition;
    int shard;
    char token[160]; /* of the shard's store, when it was read */
    bool known;      /* there is a state */
    size_t bytes;    /* of it, as stored */
    struct customer customer;
    struct dictionary *names; /* of the shard; NULL: nothing is known */
    struct lists *lists;      /* of the customer's sales and ratings */
    bool forgotten;
    int64_t from[SIDES]; /* of a forgotten one: events at and above these offsets are anonymous */
};

struct dossier {
    const char *business, *id;
    int32_t partitions, home; /* of a topic; the one that the id's events go to */
    int shards;
    int rebuilt_shards; /* of a ledger that is being rebuilt beside it; 0: none is */
    /* Those that hold something, and always home's, which comes first. */
    struct dossier_page *pages;
    size_t page_count;
};

/* Reads *out; `config` and `id` must outlive it. Free with dossier_clear(), also after -1: Redis,
 * memory, a signal, ERROR_STORE when there is no ledger or it is damaged. */
int dossier_read(struct dossier *out, const struct config *config, struct redis *redis,
                 const char *id, struct error *err);
void dossier_clear(struct dossier *dossier); /* what it holds, not *dossier itself */
/* Nothing at all is known of the customer: neither a state nor a mark. */
bool dossier_empty(const struct dossier *dossier);

#endif

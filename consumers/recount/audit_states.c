#include "consumers/recount/audit_states.h"

#include <stdlib.h>
#include <xxhash.h>

struct known {
    int32_t partition;
    uint32_t id_len, state_len;
    char bytes[]; /* of the id, then of the state */
};

/* Open addressing, at most half full. */
struct states {
    struct known **slots;
    size_t room, count;
};

int states_open(struct states **out, struct error *err)
{
    struct states *states = calloc(1, sizeof *states);
    *out = NULL;
    if (!states)
        return error_memory(err);
    states->room = 1024;
    states->slots = calloc(states->room, sizeof *states->slots);
    if (!states->slots) {
        free(states);
        return error_memory(err);
    }
    *out = states;
    return 0;
}

void states_free(struct states *states)
{
    if (!states)
        return;
    for (size_t i = 0; i < states->room; i++)
        free(states->slots[i]);
    free(states->slots);
    free(states);
}

static struct text id_of(const struct known *known)
{
    return (struct text){known->bytes, known->id_len};
}

static struct known **slot_of(const struct states *states, int32_t partition, struct text id)
{
    size_t i = XXH3_64bits_withSeed(id.at, id.len, (uint64_t)partition) & (states->room - 1);
    for (; states->slots[i]; i = (i + 1) & (states->room - 1))
        if (states->slots[i]->partition == partition && text_equal(id_of(states->slots[i]), id))
            break;
    return &states->slots[i];
}

static int grow(struct states *states, struct error *err)
{
    struct states bigger = {.room = 2 * states->room, .count = states->count};
    bigger.slots = calloc(bigger.room, sizeof *bigger.slots);
    if (!bigger.slots)
        return error_memory(err);
    for (size_t i = 0; i < states->room; i++)
        if (states->slots[i])
            *slot_of(&bigger, states->slots[i]->partition, id_of(states->slots[i])) =
                states->slots[i];
    free(states->slots);
    *states = bigger;
    return 0;
}

struct text states_get(const struct states *states, int32_t partition, struct text customer)
{
    const struct known *known = *slot_of(states, partition, customer);
    return known ? (struct text){known->bytes + known->id_len, known->state_len} : text_of("");
}

int states_put(struct states *states, int32_t partition, struct text customer, struct text state,
               struct error *err)
{
    if (2 * (states->count + 1) > states->room && grow(states, err) != 0)
        return -1;
    struct known **slot = slot_of(states, partition, customer);
    struct known *known = realloc(*slot, sizeof *known + customer.len + state.len);
    if (!known)
        return error_memory(err);
    states->count += !*slot;
    *slot = known;
    known->partition = partition;
    known->id_len = (uint32_t)customer.len;
    known->state_len = (uint32_t)state.len;
    memcpy(known->bytes, customer.at, customer.len);
    if (state.len)
        memcpy(known->bytes + customer.len, state.at, state.len);
    return 0;
}

bool states_next(const struct states *states, size_t *at, struct states_customer *out)
{
    for (; *at < states->room; (*at)++) {
        const struct known *known = states->slots[*at];
        if (!known || known->state_len == 0)
            continue;
        *out = (struct states_customer){known->partition, id_of(known)};
        (*at)++;
        return true;
    }
    return false;
}

#include "consumers/doctor/facts.h"

#include <stdlib.h>

void facts_clear(struct facts *facts)
{
    for (int t = 0; t < FACTS_TOPICS; t++) {
        free(facts->kafka.topics[t].starts);
        free(facts->kafka.topics[t].ends);
    }
    for (int s = 0; s < facts->store_count; s++) {
        free(facts->stores[s].definition);
        free(facts->stores[s].positions);
    }
}

static int64_t behind(const struct facts *facts, const struct facts_position *position)
{
    const struct facts_topic *topic = &facts->kafka.topics[position->topic];
    if (!topic->ends || position->partition >= topic->partitions || position->at < 0)
        return 0;
    int64_t end = topic->ends[position->partition];
    return end > position->at ? end - position->at : 0;
}

int64_t facts_lag(const struct facts *facts, int kind)
{
    int64_t lag = 0;
    bool known = false;
    for (int s = 0; s < facts->store_count; s++) {
        const struct facts_store *store = &facts->stores[s];
        if (store->kind != kind || !store->exists)
            continue;
        known = facts->kafka.answers;
        for (size_t i = 0; i < store->position_count; i++)
            lag += behind(facts, &store->positions[i]);
    }
    return known ? lag : FACTS_UNKNOWN;
}

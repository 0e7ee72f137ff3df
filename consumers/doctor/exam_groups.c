#include "consumers/doctor/exam.h"

#include <inttypes.h>

/* What three seconds of a slow worker bring: more than that is worth a look. */
enum { LAG_NOTED = 100000 };

static const char *const kinds[] = {"sales", "service", "customers"};

static void exam_members(struct diagnosis *d, const struct facts *facts, int kind)
{
    const struct facts_group *g = &facts->kafka.groups[kind];
    if (!g->known) {
        diagnosis_say(d, FINDING_WARNING, "groups", "%s: the brokers do not tell its members",
                      g->name);
        diagnosis_mend(d, "kafka-consumer-groups.sh --describe --members --group %s", g->name);
    } else if (g->members == 0 && kind == KIND_CUSTOMERS && facts->shards == 0) {
        diagnosis_say(d, FINDING_OK, "groups",
                      "%s: nobody counts customers, and there is no ledger", g->name);
    } else if (g->members == 0) {
        diagnosis_say(d, FINDING_ERROR, "groups", "%s: no member: nobody counts %s", g->name,
                      kinds[kind]);
        diagnosis_mend(d, "tandem %s-worker", kinds[kind]);
    } else if (g->rebalancing) {
        diagnosis_say(d, FINDING_WARNING, "groups", "%s: %d member%s, rebalancing (%s)", g->name,
                      g->members, g->members == 1 ? "" : "s", g->state);
        diagnosis_mend(d, "tandem doctor, in half a minute");
    } else {
        diagnosis_say(d, FINDING_OK, "groups", "%s: %d member%s", g->name, g->members,
                      g->members == 1 ? "" : "s");
    }
}

static void exam_lag(struct diagnosis *d, const struct facts *facts, int kind)
{
    int64_t lag = facts_lag(facts, kind);
    if (lag == FACTS_UNKNOWN) /* the store's line tells why */
        return;
    bool members = !facts->kafka.groups[kind].known || facts->kafka.groups[kind].members > 0;
    bool stands = facts->looked_again && facts->moved[kind] == 0;
    if (lag == 0) {
        diagnosis_say(d, FINDING_OK, "lag", "%s: everything is counted", kinds[kind]);
    } else if (!members || stands) {
        diagnosis_say(d, FINDING_ERROR, "lag", "%s: %" PRId64 " records behind, and %s",
                      kinds[kind], lag,
                      members ? "its positions stand still" : "nobody counts them");
        diagnosis_mend(d,
                       members ? "tandem help %s-worker; its log says what it waits for"
                               : "tandem %s-worker",
                       kinds[kind]);
    } else if (lag > LAG_NOTED) {
        diagnosis_say(d, FINDING_WARNING, "lag", "%s: %" PRId64 " records behind, counting",
                      kinds[kind], lag);
        diagnosis_mend(d, "tandem %s-worker, one more, up to as many as there are partitions",
                       kinds[kind]);
    } else {
        diagnosis_say(d, FINDING_OK, "lag", "%s: %" PRId64 " records behind, counting", kinds[kind],
                      lag);
    }
}

void exam_groups(struct diagnosis *d, const struct facts *facts)
{
    if (!facts->kafka.answers)
        return;
    for (int kind = 0; kind < FACTS_KINDS; kind++)
        exam_members(d, facts, kind);
    for (int kind = 0; kind < FACTS_KINDS; kind++)
        exam_lag(d, facts, kind);
}

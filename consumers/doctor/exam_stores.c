#include "consumers/doctor/exam.h"

#include "common/layout.h"
#include "common/store.h"
#include "consumers/worker/definition.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {"sales", "service", "customers"};

static bool switching(const struct facts_store *s)
{
    size_t len = strlen(s->token), mark = strlen(STORE_SWITCHING);
    return len > mark && strcmp(s->token + len - mark, STORE_SWITCHING) == 0;
}

static void exam_settings(struct diagnosis *d, const struct facts *facts,
                          const struct facts_store *s)
{
    char differences[700];
    if (definition_compare(facts->definitions[s->kind], s->definition, differences,
                           sizeof differences) == 0)
        return;
    diagnosis_say(d, FINDING_ERROR, "store",
                  "%s: the counters were made with other settings: %s; workers refuse", s->name,
                  differences);
    diagnosis_mend(d,
                   strstr(differences, "ledger.shards")
                       ? "set them alike; for another ledger.shards, tandem %s-worker --business "
                         "SECOND"
                       : "set them alike (tandem settings); or take the new ones by tandem "
                         "rebuild, and start the %s-workers with them",
                   kinds[s->kind]);
}

/* Whole, of this version, of these settings. False: its positions say nothing. */
static bool exam_state(struct diagnosis *d, const struct facts *facts, const struct facts_store *s)
{
    if (!s->token[0] || !s->definition) {
        diagnosis_say(d, FINDING_ERROR, "store", "%s: its position hash has no token: damaged",
                      s->name);
        diagnosis_mend(d, "tandem rebuild");
        return false;
    }
    if (layout_age(s->layout) != LAYOUT_SAME) {
        bool newer = layout_age(s->layout) == LAYOUT_NEWER;
        diagnosis_say(d, FINDING_ERROR, "store",
                      "%s: made by %s tandem (layout %s of the keys; this one knows %d)", s->name,
                      newer ? "a newer" : "an older", s->layout[0] ? s->layout : "1", STORE_LAYOUT);
        diagnosis_mend(d, newer ? "tandem version; use the newer one"
                                : "tandem rebuild, with this one");
        return false;
    }
    if (switching(s)) {
        diagnosis_say(d, FINDING_ERROR, "store",
                      "%s: a rebuild is switching, or was killed as it did; workers wait", s->name);
        diagnosis_mend(d, "tandem rebuild, when none is running");
    }
    if (strcmp(s->begun[0] ? s->begun : "0", s->done[0] ? s->done : "0") != 0) {
        diagnosis_say(d, FINDING_ERROR, "store",
                      "%s: Redis replayed a part of a batch (%s begun, "
                      "%s done): the counters hold more than the log",
                      s->name, s->begun, s->done);
        diagnosis_mend(d, "tandem rebuild");
    }
    exam_settings(d, facts, s);
    return true;
}

static bool differs(const char *known, const char *now)
{
    return known[0] && now[0] && strcmp(known, now) != 0;
}

/* The same log? False: its offsets mean other records. */
static bool exam_topic(struct diagnosis *d, const struct facts *facts, const struct facts_store *s,
                       int topic)
{
    const struct facts_store_topic *known = &s->topics[topic];
    const struct facts_topic *t = &facts->kafka.topics[topic];
    if (strcmp(known->name, t->name) != 0) {
        diagnosis_say(d, FINDING_ERROR, "positions", "%s: the store counts topic %s, not %s",
                      s->name, known->name, t->name);
        diagnosis_mend(d, "tandem %s-worker --topics-%s %s", kinds[s->kind],
                       topic == FACTS_SALES ? "sales" : "service", known->name);
        return false;
    }
    if (!t->exists)
        return false;
    if (differs(known->cluster, facts->kafka.cluster) || differs(known->id, t->id)) {
        diagnosis_say(d, FINDING_ERROR, "positions",
                      "%s: topic %s is not the one that was counted (made anew, or another Kafka): "
                      "topic id %s, the store knows %s",
                      s->name, t->name, t->id, known->id);
        diagnosis_mend(d, "tandem %s-worker --accept-gap, or tandem rebuild", kinds[s->kind]);
        return false;
    }
    if (known->partitions == t->partitions)
        return true;
    diagnosis_say(d, FINDING_ERROR, "positions",
                  "%s: topic %s has %" PRId32 " partitions, the store counts %" PRId32
                  ": they are fixed once counting began",
                  s->name, t->name, t->partitions, known->partitions);
    diagnosis_mend(
        d, "tandem topics --topics-%s NEW --partitions %" PRId32 ", then import the events there",
        topic == FACTS_SALES ? "sales" : "service", t->partitions);
    return false;
}

static void exam_position(struct diagnosis *d, const struct facts *facts,
                          const struct facts_store *s, const struct facts_position *p)
{
    const struct facts_topic *t = &facts->kafka.topics[p->topic];
    if (p->at < 0 || p->begin < 0) {
        diagnosis_say(d, FINDING_ERROR, "positions",
                      "%s: no position for %s partition %" PRId32 ": damaged", s->name, t->name,
                      p->partition);
        diagnosis_mend(d, "tandem rebuild");
        return;
    }
    if (!t->starts || !t->ends || p->partition >= t->partitions || t->ends[p->partition] < 0)
        return;
    int64_t start = t->starts[p->partition], end = t->ends[p->partition];
    if (p->at < start) {
        diagnosis_say(d, FINDING_ERROR, "positions",
                      "%s: %s partition %" PRId32 ": gap: counted up to offset %" PRId64
                      ", but the log now begins at %" PRId64,
                      s->name, t->name, p->partition, p->at, start);
        diagnosis_mend(d, "tandem %s-worker --accept-gap", kinds[s->kind]);
    } else if (p->at > end) {
        diagnosis_say(d, FINDING_ERROR, "positions",
                      "%s: %s partition %" PRId32 ": counted up to offset %" PRId64
                      ", but the log ends at %" PRId64 ": it was cut back or replaced",
                      s->name, t->name, p->partition, p->at, end);
        diagnosis_mend(d, "tandem %s-worker --accept-gap, or tandem rebuild", kinds[s->kind]);
    } else if (p->begin < start) {
        diagnosis_say(d, FINDING_WARNING, "positions",
                      "%s: %s partition %" PRId32 ": counted from offset %" PRId64
                      ", but the log now begins at %" PRId64 ": no audit any more, and a rebuild "
                      "counts less",
                      s->name, t->name, p->partition, p->begin, start);
        diagnosis_mend(d, "tandem topics --check; retention.ms=-1 keeps what is left");
    }
}

static void exam_positions(struct diagnosis *d, const struct facts *facts,
                           const struct facts_store *s)
{
    bool right[2] = {false, false};
    size_t before = d->count;
    for (int topic = FACTS_SALES; topic <= FACTS_SERVICE; topic++)
        if (s->topics[topic].name[0])
            right[topic] = exam_topic(d, facts, s, topic);
    for (size_t i = 0; i < s->position_count; i++)
        if (right[s->positions[i].topic])
            exam_position(d, facts, s, &s->positions[i]);
    if (d->count == before && s->position_count > 0)
        diagnosis_say(d, FINDING_OK, "positions", "%s: every position is in the log", s->name);
}

static void exam_store(struct diagnosis *d, const struct facts *facts, const struct facts_store *s)
{
    size_t before = d->count;
    if (s->why[0]) {
        diagnosis_say(d, FINDING_ERROR, "store", "%s: cannot be read: %s", s->name, s->why);
        diagnosis_mend(d, "redis-cli -u URL PING");
        return;
    }
    if (!s->exists)
        return;
    bool usable = exam_state(d, facts, s);
    if (d->count == before)
        diagnosis_say(d, FINDING_OK, "store", "%s: whole, with these settings", s->name);
    if (usable && facts->kafka.answers)
        exam_positions(d, facts, s);
}

static bool there(const struct facts *facts, int kind)
{
    for (int i = 0; i < facts->store_count; i++)
        if (facts->stores[i].kind == kind && (facts->stores[i].exists || facts->stores[i].why[0]))
            return true;
    return false;
}

static void exam_missing(struct diagnosis *d, const struct config *config,
                         const struct facts *facts)
{
    bool sales = there(facts, KIND_SALES), service = there(facts, KIND_SERVICE);
    if (!sales && !service) {
        diagnosis_say(d, FINDING_WARNING, "store", "business %s has no store: nothing was counted",
                      config->business);
        diagnosis_mend(d, "tandem sales-worker and tandem service-worker");
    } else if (!sales || !service) {
        diagnosis_say(d, FINDING_ERROR, "store",
                      "the positions of %s are missing beside those of %s: damaged",
                      sales ? "service" : "sales", sales ? "sales" : "service");
        diagnosis_mend(d, "tandem rebuild");
    }
}

void exam_stores(struct diagnosis *d, const struct config *config, const struct facts *facts)
{
    if (facts->node_count == 0 || !facts->nodes[0].answers)
        return;
    exam_missing(d, config, facts);
    for (int i = 0; i < facts->store_count; i++)
        exam_store(d, facts, &facts->stores[i]);
    for (int i = 0; i < facts->store_count; i++)
        if (facts->stores[i].kind == KIND_CUSTOMERS && !facts->stores[i].exists &&
            !facts->stores[i].why[0] && facts->shards > 0) {
            diagnosis_say(d, FINDING_WARNING, "store",
                          "%s: is not there: it was emptied, or never made", facts->stores[i].name);
            diagnosis_mend(d, "tandem customers-worker; it counts the shard from the log");
        }
}

#include "consumers/doctor/exam.h"

#include <inttypes.h>
#include <string.h>

enum {
    DAY_MS = 86400000,
    MESSAGE_MIN = 70000, /* a dead letter's 65,536 bytes, its key and headers */
    AHEAD_WARNING_MS = 5000,
    AHEAD_ERROR_MS = 300000 /* events more than this ahead of their record are rejected */
};

static void mend_setting(struct diagnosis *d, const struct config *config, const char *topic,
                         const char *setting)
{
    diagnosis_mend(d,
                   "kafka-configs.sh --bootstrap-server %s --alter --entity-type topics "
                   "--entity-name %s --add-config %s",
                   config->brokers, topic, setting);
}

static void exam_retention(struct diagnosis *d, const struct config *config,
                           const struct facts_topic *t)
{
    if (t->retention_ms >= 0) {
        bool short_ = t->retention_ms < DAY_MS;
        diagnosis_say(d, short_ ? FINDING_ERROR : FINDING_WARNING, "topics",
                      "%s: retention.ms=%" PRId64 ": %s", t->name, t->retention_ms,
                      short_
                          ? "an outage of a day loses events; audit and rebuild reach no further "
                            "back"
                          : "audit and rebuild reach no further back");
        mend_setting(d, config, t->name, "retention.ms=-1");
    }
    if (t->retention_bytes >= 0) {
        diagnosis_say(d, FINDING_WARNING, "topics",
                      "%s: retention.bytes=%" PRId64 " a partition: a busy day shortens what audit "
                      "and rebuild can read",
                      t->name, t->retention_bytes);
        mend_setting(d, config, t->name, "retention.bytes=-1");
    }
}

static void exam_cleanup(struct diagnosis *d, const struct config *config,
                         const struct facts_topic *t, bool compact)
{
    bool compacts = strstr(t->cleanup, "compact") != NULL;
    if (compact == compacts && (!compact || strcmp(t->cleanup, "compact") == 0))
        return;
    diagnosis_say(d, FINDING_ERROR, "topics", "%s: cleanup.policy is %s: %s", t->name, t->cleanup,
                  compact ? "the last comparison of every period would go"
                          : "compaction takes events away");
    mend_setting(d, config, t->name, compact ? "cleanup.policy=compact" : "cleanup.policy=delete");
}

static void exam_replicas(struct diagnosis *d, const struct config *config,
                          const struct facts_topic *t, int brokers)
{
    if (t->replication == 1 && brokers > 1) {
        diagnosis_say(d, FINDING_WARNING, "topics",
                      "%s: one replica on %d brokers: a lost disk loses events", t->name, brokers);
        diagnosis_mend(d,
                       "kafka-reassign-partitions.sh --bootstrap-server %s --execute "
                       "--reassignment-json-file replicas.json",
                       config->brokers);
    }
    bool all = t->replication > 1 && t->min_insync >= t->replication;
    if (!all && t->min_insync >= t->replication - 1)
        return;
    char setting[64];
    snprintf(setting, sizeof setting, "min.insync.replicas=%d",
             t->replication > 2 ? t->replication - 1 : 1);
    diagnosis_say(d, FINDING_WARNING, "topics",
                  "%s: min.insync.replicas is %" PRId64 " of %d replicas: %s", t->name,
                  t->min_insync, t->replication,
                  all ? "one broker away stops the producers"
                      : "a record that few brokers hold counts as safe");
    mend_setting(d, config, t->name, setting);
}

static void exam_settings(struct diagnosis *d, const struct config *config,
                          const struct facts_topic *t, bool compact, int brokers)
{
    exam_cleanup(d, config, t, compact);
    if (!compact)
        exam_retention(d, config, t);
    exam_replicas(d, config, t, brokers);
    if (t->message_max < MESSAGE_MIN) {
        diagnosis_say(d, FINDING_ERROR, "topics",
                      "%s: max.message.bytes is %" PRId64 ": records of 65,536 bytes do not fit",
                      t->name, t->message_max);
        mend_setting(d, config, t->name, "max.message.bytes=1048588");
    }
    if (t->unclean) {
        diagnosis_say(d, FINDING_WARNING, "topics",
                      "%s: unclean.leader.election.enable is true: "
                      "acknowledged records may vanish",
                      t->name);
        mend_setting(d, config, t->name, "unclean.leader.election.enable=false");
    }
}

static void exam_topic(struct diagnosis *d, const struct config *config, const struct facts *facts,
                       int i)
{
    const struct facts_topic *t = &facts->kafka.topics[i];
    size_t before = d->count;
    if (!t->exists) {
        diagnosis_say(d, FINDING_ERROR, "topics", "%s does not exist", t->name);
        diagnosis_mend(d, "tandem topics");
        return;
    }
    if (t->leaderless) {
        diagnosis_say(d, FINDING_ERROR, "topics", "%s: %d of %" PRId32 " partitions have no leader",
                      t->name, t->leaderless, t->partitions);
        diagnosis_mend(d,
                       "kafka-topics.sh --bootstrap-server %s --describe --topic %s "
                       "--unavailable-partitions",
                       config->brokers, t->name);
    }
    if (!t->settings_known) {
        diagnosis_say(d, FINDING_WARNING, "topics",
                      "%s: the brokers do not tell its settings (no right to ask?)", t->name);
        diagnosis_mend(d,
                       "kafka-acls.sh --bootstrap-server %s --add --allow-principal User:NAME "
                       "--operation DescribeConfigs --topic %s",
                       config->brokers, t->name);
    } else {
        exam_settings(d, config, t, i == FACTS_COMPARISON, facts->kafka.brokers);
    }
    if (d->count == before)
        diagnosis_say(d, FINDING_OK, "topics", "%s: %" PRId32 " partition%s, %d replica%s, %s",
                      t->name, t->partitions, t->partitions == 1 ? "" : "s", t->replication,
                      t->replication == 1 ? "" : "s",
                      i == FACTS_COMPARISON ? "compacted" : "kept for ever");
}

static void exam_alike(struct diagnosis *d, const struct facts_kafka *kafka)
{
    const struct facts_topic *sales = &kafka->topics[FACTS_SALES],
                             *service = &kafka->topics[FACTS_SERVICE];
    if (!sales->exists || !service->exists || sales->partitions == service->partitions)
        return;
    diagnosis_say(d, FINDING_ERROR, "topics",
                  "%s has %" PRId32 " partitions and %s has %" PRId32
                  ": a customer's two sides never meet",
                  sales->name, sales->partitions, service->name, service->partitions);
    diagnosis_mend(d,
                   "tandem topics --topics-sales NEW --topics-service NEW --partitions %" PRId32
                   ", then import the events there",
                   sales->partitions > service->partitions ? sales->partitions
                                                           : service->partitions);
}

/* Kafka tells nobody its time. What can be seen is time stamps that are yet to come. */
static void exam_time(struct diagnosis *d, const struct facts_kafka *kafka)
{
    const struct facts_topic *newest = NULL;
    for (int i = 0; i < FACTS_TOPICS; i++)
        if (kafka->topics[i].newest_ms >= 0 &&
            (!newest || kafka->topics[i].newest_ms > newest->newest_ms))
            newest = &kafka->topics[i];
    if (!newest)
        return;
    int64_t ahead_ms = newest->newest_ms - kafka->asked_ms;
    if (ahead_ms <= AHEAD_WARNING_MS) {
        diagnosis_say(d, FINDING_OK, "clock",
                      "no record of Kafka is stamped ahead of this machine");
        return;
    }
    diagnosis_say(d, ahead_ms > AHEAD_ERROR_MS ? FINDING_ERROR : FINDING_WARNING, "clock",
                  "%s: a record is stamped %" PRId64 " s ahead of this machine: the clock of its "
                  "sender, of a broker or of this machine is wrong",
                  newest->name, ahead_ms / 1000);
    diagnosis_mend(d, "chronyc tracking, on each of them");
}

void exam_kafka(struct diagnosis *d, const struct config *config, const struct facts *facts)
{
    const struct facts_kafka *kafka = &facts->kafka;
    if (!kafka->answers) {
        diagnosis_say(d, FINDING_ERROR, "kafka", "no answer from %s: %s", config->brokers,
                      kafka->why);
        diagnosis_mend(d, "kafka-broker-api-versions.sh --bootstrap-server %s", config->brokers);
        return;
    }
    diagnosis_say(d, FINDING_OK, "kafka", "%d broker%s at %s", kafka->brokers,
                  kafka->brokers == 1 ? "" : "s", config->brokers);
    for (int i = 0; i < FACTS_TOPICS; i++)
        exam_topic(d, config, facts, i);
    exam_alike(d, kafka);
    exam_time(d, kafka);
    if (kafka->why[0]) {
        diagnosis_say(d, FINDING_WARNING, "kafka", "some questions had no answer: %s", kafka->why);
        diagnosis_mend(d, "kafka-broker-api-versions.sh --bootstrap-server %s", config->brokers);
    }
}

#include "consumers/worker/opening.h"

#include "common/log.h"
#include "consumers/worker/gap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void opening_define(const struct kind *kind, const struct config *config, const struct zone *zone,
                    char *out)
{
    definition_write(config, zone, out);
    size_t len = strlen(out);
    if (kind->define)
        kind->define(config, out + len, DEFINITION_BYTES - len);
}

void opening_init(struct opening *opening, const struct config *config, struct broker *broker,
                  struct store *store, const struct kind *kind, const struct zone *zone)
{
    *opening = (struct opening){.config = config, .broker = broker, .store = store, .kind = kind,
                                .state.floor = STORE_NO_FLOOR};
    opening_define(kind, config, zone, opening->definition);
}

void opening_clear(struct opening *opening)
{
    for (int t = 0; t < STORE_TOPICS_MAX; t++)
        broker_topic_clear(&opening->logs[t]);
    store_state_clear(&opening->state);
}

static const char *topic_name(const struct opening *o, int topic)
{
    return kind_topic(o->config, o->kind->sides[topic]);
}

/* Kafka cannot answer just now, or something about the topic must be mended. */
static enum store_answer answer_of_log(const struct error *err)
{
    return err->retry ? STORE_LATER : STORE_BROKEN;
}

static int check_topic(struct opening *o, const char *name, const struct broker_topic *topic,
                       struct error *err)
{
    if (topic->compacted)
        return error_set(err, ERROR_LOG,
                         "topic %s is compacted: Kafka would remove events; set its "
                         "cleanup.policy to delete", name);
    if (topic->retention_ms >= 0 && !o->warned) {
        log_warning("the topic forgets: counters can be recounted only from what it still holds",
                    log_s("topic", name), log_i("retention_ms", topic->retention_ms));
        o->warned = true;
    }
    return 0;
}

/* ---- making a store ---- */

/* Of a kind with shards one store is made at a time; sales and service are made together. */
static const struct kind *const main_kinds[OPENING_KINDS] = {&sales_worker_kind,
                                                             &service_worker_kind};

struct draft {
    int kind_count, topic_count;
    struct broker_topic topics[STORE_TOPICS_MAX];
    const char *names[STORE_TOPICS_MAX];
    struct store_plan plans[OPENING_KINDS];
    struct store_position *positions[OPENING_KINDS];
};

static void draft_clear(struct draft *draft)
{
    for (int t = 0; t < draft->topic_count; t++)
        broker_topic_clear(&draft->topics[t]);
    for (int k = 0; k < draft->kind_count; k++)
        free(draft->positions[k]);
}

static int32_t first_partition(const struct opening *o)
{
    return o->shard;
}

static int32_t next_partition(const struct opening *o, int32_t partition)
{
    return partition + (o->shards ? o->shards : 1);
}

static int draft_positions(const struct opening *o, struct store_plan *plan, int topic,
                           const char *name, const struct broker_topic *log,
                           struct store_position *positions, struct error *err)
{
    for (int32_t p = first_partition(o); p < log->partitions; p = next_partition(o, p)) {
        if (log->starts[p] > 0 && !o->accept_gap)
            return error_set(err, ERROR_LOG,
                             "the log of %s partition %" PRId32 " begins at offset %" PRId64
                             ", not at 0: what was before it cannot be counted; --accept-gap "
                             "counts from there and says so in every report",
                             name, p, log->starts[p]);
        positions[plan->position_count++] =
            (struct store_position){topic, p, log->starts[p], {log->starts[p], -1}};
    }
    return 0;
}

static void draft_topic(struct store_topic *topic, const char *word, const char *name,
                        const struct broker_topic *log)
{
    topic->word = word;
    topic->partitions = log->partitions;
    snprintf(topic->name, sizeof topic->name, "%s", name);
    snprintf(topic->cluster, sizeof topic->cluster, "%s", log->cluster);
    snprintf(topic->id, sizeof topic->id, "%s", log->id);
}

static int draft_kind(struct opening *o, struct draft *draft, const struct kind *kind,
                      struct error *err)
{
    struct store_plan *plan = &draft->plans[draft->kind_count];
    struct store_position **positions = &draft->positions[draft->kind_count++];
    size_t room = 0;
    *plan = (struct store_plan){.kind = kind->name, .topic_count = kind->topic_count};
    for (int t = 0; t < kind->topic_count; t++) {
        const char *name = kind_topic(o->config, kind->sides[t]);
        struct broker_topic *log = &draft->topics[draft->topic_count];
        draft->names[draft->topic_count++] = name;
        if (broker_describe(o->broker, name, log, err) != 0 || check_topic(o, name, log, err) != 0)
            return -1;
        room += (size_t)log->partitions;
        struct store_position *grown = realloc(*positions, room * sizeof *grown);
        if (!grown)
            return error_memory(err);
        *positions = grown;
        draft_topic(&plan->topics[t], kind_word(kind->sides[t]), name, log);
        if (draft_positions(o, plan, t, name, log, *positions, err) != 0)
            return -1;
    }
    plan->positions = *positions;
    return 0;
}

static int draft_all(struct opening *o, struct draft *draft, struct error *err)
{
    if (o->shards)
        return draft_kind(o, draft, o->kind, err);
    for (int k = 0; k < OPENING_KINDS; k++)
        if (draft_kind(o, draft, main_kinds[k], err) != 0)
            return -1;
    return 0;
}

/* Remembers for the reports what was never counted. */
static enum store_answer note_gaps(struct opening *o, const struct draft *draft, struct error *err)
{
    for (int t = 0; t < draft->topic_count; t++) {
        const struct broker_topic *log = &draft->topics[t];
        for (int32_t p = first_partition(o); p < log->partitions; p = next_partition(o, p)) {
            char field[300], text[64];
            if (log->starts[p] == 0)
                continue;
            snprintf(field, sizeof field, "%s:%" PRId32, draft->names[t], p);
            snprintf(text, sizeof text, "0-%" PRId64, log->starts[p]);
            enum store_answer answer = store_note_gap(o->store, field, text, err);
            if (answer != STORE_DONE)
                return answer;
        }
    }
    return STORE_DONE;
}

static enum store_answer refuse_orphans(const struct opening *o, struct error *err)
{
    char prefix[80];
    kind_prefix(o->kind, o->config, "", o->shard, prefix, sizeof prefix);
    error_set(err, ERROR_STORE,
              "Redis holds day counters of business %s but not the positions they stand at: "
              "they cannot be continued; remove the keys %s* to count the log anew",
              o->config->business, prefix);
    return STORE_BROKEN;
}

/* What is known of the log is younger than the look: a store may have been made in between, and then
 * it is no matter where the log begins now. */
static enum store_answer made_meanwhile(struct opening *o, struct error *err)
{
    struct error why = *err;
    enum store_answer answer = store_look(o->store, &o->state, err);
    if (answer == STORE_DONE && !o->state.exists && !o->state.others) {
        *err = why;
        return STORE_BROKEN;
    }
    return answer;
}

static enum store_answer make_store(struct opening *o, struct error *err)
{
    struct draft draft = {0};
    bool orphans;
    enum store_answer answer = store_orphans(o->store, &orphans, err);
    /* Another worker may have made the store since, and counted: look before judging. */
    if (answer == STORE_DONE && orphans)
        answer = store_look(o->store, &o->state, err);
    if (answer == STORE_DONE && orphans && (o->state.exists || o->state.others))
        return STORE_DONE;
    if (answer == STORE_DONE && orphans)
        answer = refuse_orphans(o, err);
    if (answer == STORE_DONE && draft_all(o, &draft, err) != 0) {
        draft_clear(&draft);
        return err->retry ? STORE_LATER : made_meanwhile(o, err);
    }
    if (answer == STORE_DONE)
        answer = note_gaps(o, &draft, err);
    if (answer == STORE_DONE)
        answer = store_make(o->store, draft.plans, draft.kind_count, o->definition, err);
    if (answer == STORE_DONE)
        log_info("store made", log_s("redis", store_address(o->store)),
                 log_s("business", o->config->business));
    draft_clear(&draft);
    /* Somebody else was faster: theirs is as good. */
    return answer == STORE_MOVED ? STORE_DONE : answer;
}

/* ---- checking one that is there ---- */

int opening_definition(const char *definition, const struct store_state *state, struct error *err)
{
    char hash[17], differences[700];
    const char *colon = strrchr(state->token, ':');
    store_definition_hash(definition, hash);
    if (colon && strcmp(colon + 1, hash) == 0)
        return 0;
    definition_compare(definition, state->definition, differences, sizeof differences);
    return error_set(err, ERROR_STORE,
                     "the counters were made with other settings: %s; set them alike, or recount "
                     "with `tandem rebuild`", differences);
}

static int check_partitions(const struct opening *o, int topic, struct error *err)
{
    const struct store_topic *known = &o->state.topics[topic];
    const char *name = topic_name(o, topic);
    if (strcmp(known->name, name) != 0)
        return error_set(err, ERROR_LOG, "the store counts topic %s, this worker reads %s",
                         known->name, name);
    if (known->partitions != o->logs[topic].partitions)
        return error_set(err, ERROR_LOG,
                         "topic %s has %" PRId32 " partitions, the store counts %" PRId32
                         ": partitions are fixed; more of them need a new topic and an import",
                         name, o->logs[topic].partitions, known->partitions);
    return 0;
}

static bool differs(const char *known, const char *now)
{
    return known[0] && now[0] && strcmp(known, now) != 0;
}

/* The log is the one the store counts: the same cluster, and the same topic, not one made anew. */
static enum store_answer check_ids(struct opening *o, int t, struct error *err)
{
    const struct store_topic *known = &o->state.topics[t];
    const struct broker_topic *log = &o->logs[t];
    bool cluster = differs(known->cluster, log->cluster);
    bool topic = o->config->topic_id_check && differs(known->id, log->id);
    if (o->config->topic_id_check && !log->id[0] && !o->warned) {
        log_warning("the broker gives no topic ids: a topic made anew would not be noticed",
                    log_s("topic", known->name));
        o->warned = true;
    }
    if (!cluster && !topic)
        return STORE_DONE;
    if (o->accept_gap)
        return gap_take_topic(o, t, err);
    error_set(err, ERROR_LOG,
              "topic %s is not the one that was counted: the store knows cluster %s, topic id %s; "
              "this is cluster %s, topic id %s (deleted and made anew, or another Kafka); its "
              "offsets mean other records; --accept-gap counts it from its beginning, on top of "
              "what is there", known->name, known->cluster, known->id, log->cluster, log->id);
    return STORE_BROKEN;
}

static enum store_answer look(struct opening *o, struct error *err)
{
    enum store_answer answer = store_look(o->store, &o->state, err);
    if (answer != STORE_DONE || o->state.exists)
        return answer;
    if (o->state.others) {
        error_set(err, ERROR_STORE,
                  "the store of business %s lacks the positions of %s: it is damaged",
                  o->config->business, o->kind->name);
        return STORE_BROKEN;
    }
    answer = make_store(o, err);
    if (answer == STORE_DONE)
        answer = store_look(o->store, &o->state, err);
    if (answer == STORE_DONE && !o->state.exists) {
        error_retry(err, ERROR_STORE, "the store went away while it was made");
        return STORE_LATER;
    }
    return answer;
}

/* Sides of a customer meet because its events have the same partition in both topics. */
static int check_alike(const struct opening *o, struct error *err)
{
    for (int t = 1; t < o->kind->topic_count; t++)
        if (o->logs[t].partitions != o->logs[0].partitions)
            return error_set(err, ERROR_LOG,
                             "topic %s has %" PRId32 " partitions, topic %s has %" PRId32
                             ": customers are known by partition, so both must have as many",
                             topic_name(o, 0), o->logs[0].partitions, topic_name(o, t),
                             o->logs[t].partitions);
    return 0;
}

static enum store_answer check_logs(struct opening *o, struct error *err)
{
    for (int t = 0; t < o->kind->topic_count; t++) {
        if (broker_describe(o->broker, topic_name(o, t), &o->logs[t], err) != 0)
            return answer_of_log(err);
        if (check_topic(o, topic_name(o, t), &o->logs[t], err) != 0)
            return STORE_BROKEN;
    }
    return check_alike(o, err) == 0 ? STORE_DONE : STORE_BROKEN;
}

/* Whether a gap was accepted, so that the state is to be read again. */
static enum store_answer check_all_ids(struct opening *o, struct error *err)
{
    for (int t = 0; t < o->kind->topic_count; t++) {
        enum store_answer answer = check_ids(o, t, err);
        if (answer == STORE_MOVED) { /* somebody else accepted it meanwhile, or the store moved */
            error_retry(err, ERROR_STORE, "the store moved while a gap was accepted");
            return STORE_LATER;
        }
        if (answer != STORE_DONE)
            return answer;
    }
    return look(o, err);
}

enum store_answer opening_check(struct opening *o, struct error *err)
{
    enum store_answer answer = check_logs(o, err);
    if (answer == STORE_DONE)
        answer = look(o, err);
    if (answer != STORE_DONE)
        return answer;
    if (opening_definition(o->definition, &o->state, err) != 0)
        return STORE_BROKEN;
    for (int t = 0; t < o->kind->topic_count; t++)
        if (check_partitions(o, t, err) != 0)
            return STORE_BROKEN;
    return check_all_ids(o, err);
}

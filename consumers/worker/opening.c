#include "consumers/worker/opening.h"

#include "common/log.h"
#include "consumers/worker/gap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void opening_init(struct opening *opening, const struct config *config, struct broker *broker,
                  struct store *store, const struct fold_kind *kind, const struct zone *zone)
{
    *opening = (struct opening){
        .config = config, .broker = broker, .store = store, .kind = kind,
        .kinds = {&sales_kind, &service_kind},
        .topics = {config->topics_sales, config->topics_service},
        .state.floor = STORE_NO_FLOOR,
    };
    definition_write(config, zone, opening->definition);
}

void opening_clear(struct opening *opening)
{
    broker_topic_clear(&opening->log);
    store_state_clear(&opening->state);
}

static const char *own_topic(const struct opening *o)
{
    return o->kind == o->kinds[0] ? o->topics[0] : o->topics[1];
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

struct draft {
    struct broker_topic topics[OPENING_KINDS];
    struct store_plan plans[OPENING_KINDS];
    struct store_position *positions[OPENING_KINDS];
};

static void draft_clear(struct draft *draft)
{
    for (int k = 0; k < OPENING_KINDS; k++) {
        broker_topic_clear(&draft->topics[k]);
        free(draft->positions[k]);
    }
}

static int draft_kind(struct opening *o, struct draft *draft, int k, struct error *err)
{
    struct broker_topic *topic = &draft->topics[k];
    if (broker_describe(o->broker, o->topics[k], topic, err) != 0 ||
        check_topic(o, o->topics[k], topic, err) != 0)
        return -1;
    struct store_position *positions = calloc((size_t)topic->partitions, sizeof *positions);
    if (!positions)
        return error_memory(err);
    draft->positions[k] = positions;
    for (int32_t p = 0; p < topic->partitions; p++) {
        if (topic->starts[p] > 0 && !o->accept_gap)
            return error_set(err, ERROR_LOG,
                             "the log of %s partition %" PRId32 " begins at offset %" PRId64
                             ", not at 0: what was before it cannot be counted; --accept-gap "
                             "counts from there and says so in every report",
                             o->topics[k], p, topic->starts[p]);
        positions[p] = (struct store_position){0, p, topic->starts[p], {topic->starts[p], -1}};
    }
    struct store_plan *plan = &draft->plans[k];
    *plan = (struct store_plan){.kind = o->kinds[k]->name, .topic_count = 1,
                                .positions = positions, .position_count = (size_t)topic->partitions};
    plan->topics[0].word = o->kinds[k]->name;
    plan->topics[0].partitions = topic->partitions;
    snprintf(plan->topics[0].name, sizeof plan->topics[0].name, "%s", o->topics[k]);
    snprintf(plan->topics[0].cluster, sizeof plan->topics[0].cluster, "%s", topic->cluster);
    snprintf(plan->topics[0].id, sizeof plan->topics[0].id, "%s", topic->id);
    return 0;
}

/* Remembers for the reports what was never counted. */
static enum store_answer note_gaps(struct opening *o, const struct draft *draft, struct error *err)
{
    for (int k = 0; k < OPENING_KINDS; k++) {
        for (int32_t p = 0; p < draft->topics[k].partitions; p++) {
            char field[300], text[64];
            if (draft->topics[k].starts[p] == 0)
                continue;
            snprintf(field, sizeof field, "%s:%" PRId32, o->topics[k], p);
            snprintf(text, sizeof text, "0-%" PRId64, draft->topics[k].starts[p]);
            enum store_answer answer = store_note_gap(o->store, field, text, err);
            if (answer != STORE_DONE)
                return answer;
        }
    }
    return STORE_DONE;
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
    if (answer == STORE_DONE && orphans) {
        error_set(err, ERROR_STORE,
                  "Redis holds day counters of business %s but not the positions they stand at: "
                  "they cannot be continued; remove the keys tandem:{%s}:* to count the log anew",
                  o->config->business, o->config->business);
        answer = STORE_BROKEN;
    }
    for (int k = 0; k < OPENING_KINDS && answer == STORE_DONE; k++)
        if (draft_kind(o, &draft, k, err) != 0)
            answer = answer_of_log(err);
    if (answer == STORE_DONE)
        answer = note_gaps(o, &draft, err);
    if (answer == STORE_DONE)
        answer = store_make(o->store, draft.plans, OPENING_KINDS, o->definition, err);
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

static int check_partitions(const struct opening *o, struct error *err)
{
    const struct store_topic *known = &o->state.topics[0];
    const char *name = own_topic(o);
    if (strcmp(known->name, name) != 0)
        return error_set(err, ERROR_LOG, "the store counts topic %s, this worker reads %s",
                         known->name, name);
    if (known->partitions != o->log.partitions)
        return error_set(err, ERROR_LOG,
                         "topic %s has %" PRId32 " partitions, the store counts %" PRId32
                         ": partitions are fixed; more of them need a new topic and an import",
                         name, o->log.partitions, known->partitions);
    return 0;
}

static bool differs(const char *known, const char *now)
{
    return known[0] && now[0] && strcmp(known, now) != 0;
}

/* The log is the one the store counts: the same cluster, and the same topic, not one made anew. */
static enum store_answer check_ids(struct opening *o, struct error *err)
{
    const struct store_topic *known = &o->state.topics[0];
    const struct broker_topic *log = &o->log;
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
        return gap_take_topic(o, err);
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

enum store_answer opening_check(struct opening *o, struct error *err)
{
    if (broker_describe(o->broker, own_topic(o), &o->log, err) != 0)
        return answer_of_log(err);
    if (check_topic(o, own_topic(o), &o->log, err) != 0)
        return STORE_BROKEN;
    enum store_answer answer = look(o, err);
    if (answer != STORE_DONE)
        return answer;
    if (opening_definition(o->definition, &o->state, err) != 0 || check_partitions(o, err) != 0)
        return STORE_BROKEN;
    answer = check_ids(o, err);
    if (answer == STORE_MOVED) { /* somebody else accepted it meanwhile, or the store moved on */
        error_retry(err, ERROR_STORE, "the store moved while a gap was accepted");
        return STORE_LATER;
    }
    return answer == STORE_DONE ? look(o, err) : answer;
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "consumers/doctor/exam.h"

#include <stdlib.h>
#include <string.h>

/* A stack that is well: one broker, two partitions, everything counted and published. */
static struct facts facts;
static struct config config;
static struct diagnosis diagnosis;
static int64_t starts[4][2], ends[4][2];
static struct facts_position positions[2][2];
static char definition[] = "fold=1\nledger.shards=1\n";
static char brokers[] = "kafka:9092", business[] = "main";

static void make_topic(int i, const char *name)
{
    ends[i][0] = 10;
    ends[i][1] = 20;
    facts.kafka.topics[i] = (struct facts_topic){.name = name,
                                                 .exists = true,
                                                 .partitions = 2,
                                                 .replication = 1,
                                                 .id = "id",
                                                 .settings_known = true,
                                                 .cleanup = "delete",
                                                 .retention_ms = -1,
                                                 .retention_bytes = -1,
                                                 .min_insync = 1,
                                                 .message_max = 1048588,
                                                 .starts = starts[i],
                                                 .ends = ends[i],
                                                 .newest_ms = 1000};
}

static void make_store(int kind, const char *name)
{
    struct facts_store *s = &facts.stores[kind];
    *s = (struct facts_store){.kind = kind,
                              .exists = true,
                              .token = "1-a:b",
                              .definition = definition,
                              .positions = positions[kind],
                              .position_count = 2};
    strcpy(s->name, name);
    strcpy(s->topics[kind].name, name);
    strcpy(s->topics[kind].id, "id");
    s->topics[kind].partitions = 2;
    positions[kind][0] = (struct facts_position){kind, 0, 0, 10};
    positions[kind][1] = (struct facts_position){kind, 1, 0, 20};
}

static int make_well(void **state)
{
    static const char *const names[] = {"sales", "service", "rejected", "comparison"};
    (void)state;
    memset(&facts, 0, sizeof facts);
    memset(starts, 0, sizeof starts);
    config.brokers = brokers;
    config.business = business;
    facts.kafka.answers = true;
    facts.kafka.brokers = 1;
    facts.kafka.asked_ms = 2000;
    for (int i = 0; i < FACTS_TOPICS; i++)
        make_topic(i, names[i]);
    strcpy(facts.kafka.topics[FACTS_COMPARISON].cleanup, "compact");
    for (int k = 0; k < FACTS_KINDS; k++)
        facts.kafka.groups[k] = (struct facts_group){.name = "g", .known = true, .members = 1};
    facts.node_count = 1;
    facts.nodes[0] = (struct facts_redis){.answers = true,
                                          .address = "r:6379",
                                          .version = "7.0.15",
                                          .role = "master",
                                          .policy = "noeviction",
                                          .aof = true};
    facts.store_count = 2;
    make_store(KIND_SALES, "sales");
    make_store(KIND_SERVICE, "service");
    for (int k = 0; k < FACTS_KINDS; k++)
        strcpy(facts.definitions[k], definition);
    facts.report = (struct facts_report){.known = true, .lease = true, .as_of_s = 90};
    facts.now_s = 100;
    return 0;
}

static void examine(void)
{
    diagnosis_clear(&diagnosis);
    exam_kafka(&diagnosis, &config, &facts);
    exam_groups(&diagnosis, &facts);
    exam_redis(&diagnosis, &facts);
    exam_stores(&diagnosis, &config, &facts);
    exam_report(&diagnosis, &facts);
    assert_false(diagnosis.failed);
}

/* Exactly one line is not ok; it says these words and has something that mends it. */
static void expect(enum finding_level level, const char *area, const char *words)
{
    const struct finding *found = NULL;
    examine();
    for (size_t i = 0; i < diagnosis.count; i++) {
        const struct finding *f = &diagnosis.list[i];
        assert_int_equal(f->level == FINDING_OK, f->mend == NULL);
        if (f->level == FINDING_OK)
            continue;
        if (found)
            fail_msg("also: %s", f->text);
        found = f;
    }
    assert_non_null(found);
    assert_int_equal(diagnosis.worst, level);
    assert_int_equal(found->level, level);
    assert_string_equal(found->area, area);
    if (!strstr(found->text, words))
        fail_msg("%s: not in: %s", words, found->text);
    make_well(NULL);
}

static int clear(void **state)
{
    (void)state;
    diagnosis_clear(&diagnosis);
    return 0;
}

static void a_stack_that_is_well_has_only_lines_that_are_ok(void **state)
{
    (void)state;
    examine();
    for (size_t i = 0; i < diagnosis.count; i++)
        if (diagnosis.list[i].level != FINDING_OK)
            fail_msg("%s", diagnosis.list[i].text);
    assert_int_equal(diagnosis.worst, FINDING_OK);
    assert_true(diagnosis.count > 15);
}

static void topics_are_judged_by_what_the_promise_needs(void **state)
{
    (void)state;
    struct facts_topic *sales = &facts.kafka.topics[FACTS_SALES];
    sales->leaderless = 1;
    expect(FINDING_ERROR, "topics", "1 of 2 partitions have no leader");
    sales->settings_known = false;
    expect(FINDING_WARNING, "topics", "do not tell its settings");
    sales->retention_ms = 86399999;
    expect(FINDING_ERROR, "topics", "an outage of a day loses events");
    sales->retention_ms = 86400000;
    expect(FINDING_WARNING, "topics", "reach no further back");
    sales->retention_bytes = 1;
    expect(FINDING_WARNING, "topics", "retention.bytes=1");
    sales->unclean = true;
    expect(FINDING_WARNING, "topics", "unclean.leader.election.enable");
    sales->message_max = 69999;
    expect(FINDING_ERROR, "topics", "max.message.bytes is 69999");
    strcpy(sales->cleanup, "compact,delete");
    expect(FINDING_ERROR, "topics", "compaction takes events away");
    strcpy(facts.kafka.topics[FACTS_COMPARISON].cleanup, "compact,delete");
    expect(FINDING_ERROR, "topics", "the last comparison of every period would go");
}

static void replicas_are_judged_by_how_many_must_have_a_record(void **state)
{
    static const struct {
        int brokers, replication, min_insync;
        const char *words; /* NULL: well */
    } cases[] = {{1, 1, 1, NULL},
                 {3, 3, 2, NULL},
                 {3, 2, 1, NULL},
                 {3, 1, 1, "one replica on 3 brokers"},
                 {3, 3, 1, "few brokers hold"},
                 {3, 3, 3, "one broker away stops"},
                 {2, 2, 2, "one broker away stops"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        facts.kafka.brokers = cases[i].brokers;
        for (int t = 0; t < FACTS_TOPICS; t++) {
            bool judged = t == FACTS_REJECTED || !cases[i].words;
            facts.kafka.topics[t].replication = judged ? cases[i].replication : 3;
            facts.kafka.topics[t].min_insync = judged ? cases[i].min_insync : 2;
        }
        if (cases[i].words) {
            expect(FINDING_WARNING, "topics", cases[i].words);
        } else {
            examine();
            assert_int_equal(diagnosis.worst, FINDING_OK);
            make_well(NULL);
        }
    }
}

static void a_record_stamped_ahead_of_here_tells_of_a_wrong_clock(void **state)
{
    (void)state;
    facts.kafka.topics[FACTS_SERVICE].newest_ms = 2000 + 5001;
    expect(FINDING_WARNING, "clock", "service: a record is stamped 5 s ahead");
    facts.kafka.topics[FACTS_SERVICE].newest_ms = 2000 + 300001;
    expect(FINDING_ERROR, "clock", "300 s ahead");
    facts.nodes[0].ahead_ms = -2001;
    expect(FINDING_WARNING, "clock", "2 s behind this machine");
    facts.nodes[0].ahead_ms = 60001;
    expect(FINDING_ERROR, "clock", "60 s ahead of this machine");
}

static void a_lag_is_judged_by_whether_anybody_comes_on(void **state)
{
    (void)state;
    positions[KIND_SALES][1].at = 19;
    facts.looked_again = true;
    expect(FINDING_ERROR, "lag", "sales: 1 records behind, and its positions stand still");
    positions[KIND_SALES][1].at = 19;
    facts.looked_again = true;
    facts.moved[KIND_SALES] = 1;
    examine();
    assert_int_equal(diagnosis.worst, FINDING_OK);
    ends[FACTS_SALES][1] = 200000;
    expect(FINDING_WARNING, "lag", "behind, counting");
    facts.kafka.groups[KIND_SERVICE].rebalancing = true;
    expect(FINDING_WARNING, "groups", "rebalancing");
    facts.kafka.groups[KIND_SERVICE].members = 0;
    expect(FINDING_ERROR, "groups", "nobody counts service");
    facts.kafka.groups[KIND_CUSTOMERS].members = 0; /* there is no ledger */
    examine();
    assert_int_equal(diagnosis.worst, FINDING_OK);
    facts.shards = 1;
    expect(FINDING_ERROR, "groups", "nobody counts customers");
}

static void a_redis_is_judged_by_what_it_may_lose(void **state)
{
    (void)state;
    struct facts_redis *r = &facts.nodes[0];
    strcpy(r->policy, "volatile-lru");
    expect(FINDING_ERROR, "redis", "maxmemory-policy is volatile-lru");
    r->evicted = 3;
    expect(FINDING_ERROR, "redis", "3 keys were evicted");
    r->aof = false;
    expect(FINDING_WARNING, "redis", "keeps nothing on disk:");
    r->aof = false;
    r->snapshots = FACTS_UNKNOWN;
    expect(FINDING_WARNING, "redis", "CONFIG is refused");
    r->torn_loads = 1;
    expect(FINDING_WARNING, "redis", "aof-load-truncated is yes");
    strcpy(r->write_failed, "aof_last_write_status");
    expect(FINDING_ERROR, "redis", "cannot write to its disk (aof_last_write_status)");
    strcpy(r->role, "slave");
    expect(FINDING_ERROR, "redis", "is a slave");
    strcpy(r->version, "6.2.1");
    expect(FINDING_WARNING, "redis", "version 6.2.1");
    r->cluster_broken = true;
    expect(FINDING_ERROR, "redis", "its cluster is not whole");
    r->latency_us = 10001;
    expect(FINDING_WARNING, "redis", "10.00 ms");
    r->max_bytes = 100 << 20;
    r->used_bytes = 81 << 20;
    expect(FINDING_WARNING, "redis", "80 % of its memory used");
    r->max_bytes = 100 << 20;
    r->used_bytes = 97 << 20;
    expect(FINDING_ERROR, "redis", "96 % of its memory used");
}

static void stores_are_judged_before_their_positions(void **state)
{
    (void)state;
    struct facts_store *s = &facts.stores[KIND_SALES];
    strcpy(s->layout, "2");
    expect(FINDING_ERROR, "store", "made by a newer tandem (layout 2");
    strcpy(s->layout, "0");
    expect(FINDING_ERROR, "store", "made by an older tandem (layout 0");
    s->token[0] = 0;
    expect(FINDING_ERROR, "store", "has no token");
    strcpy(s->token, "1-a:b:switching");
    expect(FINDING_ERROR, "store", "a rebuild is switching");
    strcpy(s->begun, "8");
    strcpy(s->done, "7");
    expect(FINDING_ERROR, "store", "8 begun, 7 done");
    strcpy(facts.definitions[KIND_SALES], "fold=1\nledger.shards=2\n");
    expect(FINDING_ERROR, "store", "ledger.shards is 2 here, 1 in the store");
    strcpy(s->why, "WRONGTYPE");
    expect(FINDING_ERROR, "store", "cannot be read: WRONGTYPE");
    s->exists = false;
    expect(FINDING_ERROR, "store", "positions of sales are missing");
    facts.store_count = 0;
    expect(FINDING_WARNING, "store", "no store");
}

static void positions_are_judged_against_the_log(void **state)
{
    (void)state;
    struct facts_position *p = &positions[KIND_SALES][0];
    starts[FACTS_SALES][0] = 11;
    expect(FINDING_ERROR, "positions",
           "gap: counted up to offset 10, but the log now begins at 11");
    starts[FACTS_SALES][0] = 10;
    expect(FINDING_WARNING, "positions", "counted from offset 0, but the log now begins at 10");
    p->at = 11;
    expect(FINDING_ERROR, "positions", "up to offset 11, but the log ends at 10");
    p->at = FACTS_UNKNOWN;
    expect(FINDING_ERROR, "positions", "no position for sales partition 0");
    strcpy(facts.stores[KIND_SALES].topics[FACTS_SALES].id, "other");
    expect(FINDING_ERROR, "positions", "is not the one that was counted");
    strcpy(facts.stores[KIND_SALES].topics[FACTS_SALES].name, "old");
    expect(FINDING_ERROR, "positions", "counts topic old, not sales");
    facts.stores[KIND_SALES].topics[FACTS_SALES].partitions = 3;
    expect(FINDING_ERROR, "positions", "has 2 partitions, the store counts 3");
    ends[FACTS_SALES][0] = starts[FACTS_SALES][0] = FACTS_UNKNOWN; /* the broker did not say */
    examine();
    assert_int_equal(diagnosis.worst, FINDING_OK);
}

static void a_report_is_stale_when_something_counted_waits(void **state)
{
    (void)state;
    facts.report.lease = false;
    expect(FINDING_WARNING, "report", "no reporter runs");
    facts.report.lease = false;
    facts.report.dirty = 2;
    expect(FINDING_ERROR, "report", "stale: 2 days and scopes");
    facts.report.dirty = 2;
    facts.now_s = 90 + 61;
    expect(FINDING_ERROR, "report", "does not come on");
    facts.report.dirty = 2;
    examine();
    assert_int_equal(diagnosis.worst, FINDING_OK);
    facts.report.gaps = 1;
    facts.report.dirty = 0;
    expect(FINDING_WARNING, "report", "1 notes of gaps");
    facts.report.rebuild = true;
    expect(FINDING_WARNING, "report", "a rebuild was begun");
    facts.report.outbox = 1001;
    expect(FINDING_WARNING, "report", "1001 publications");
}

static void json_has_the_worst_as_its_status(void **state)
{
    char *text = NULL;
    size_t size;
    (void)state;
    facts.report.lease = false;
    examine();
    make_well(NULL);
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(diagnosis_print_json(&diagnosis, out), 0);
    fclose(out);
    assert_non_null(strstr(text, "\"status\": \"warning\""));
    assert_non_null(strstr(text, "\"mend\": \"tandem reporter\""));
    assert_non_null(strstr(text, "\"mend\": null"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_stack_that_is_well_has_only_lines_that_are_ok, make_well,
                                        clear),
        cmocka_unit_test_setup_teardown(topics_are_judged_by_what_the_promise_needs, make_well,
                                        clear),
        cmocka_unit_test_setup_teardown(replicas_are_judged_by_how_many_must_have_a_record,
                                        make_well, clear),
        cmocka_unit_test_setup_teardown(a_record_stamped_ahead_of_here_tells_of_a_wrong_clock,
                                        make_well, clear),
        cmocka_unit_test_setup_teardown(a_lag_is_judged_by_whether_anybody_comes_on, make_well,
                                        clear),
        cmocka_unit_test_setup_teardown(a_redis_is_judged_by_what_it_may_lose, make_well, clear),
        cmocka_unit_test_setup_teardown(stores_are_judged_before_their_positions, make_well, clear),
        cmocka_unit_test_setup_teardown(positions_are_judged_against_the_log, make_well, clear),
        cmocka_unit_test_setup_teardown(a_report_is_stale_when_something_counted_waits, make_well,
                                        clear),
        cmocka_unit_test_setup_teardown(json_has_the_worst_as_its_status, make_well, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

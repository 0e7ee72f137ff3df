#include "consumers/comparison/targets.h"

#include "common/currency.h"
#include "tests/unit/scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define DIMENSIONS "region,channel,rep,line,labels.segment"

/* The paths of all mistakes, joined by blanks; "" when the file is good. */
static void expect_paths(const char *json, size_t length, const char *expected)
{
    struct targets *targets = NULL;
    struct sentences *mistakes = NULL;
    struct error err = {0};
    char paths[1024] = "";
    int result = targets_parse(&targets, (struct text){json, length}, DIMENSIONS, &mistakes, &err);
    for (size_t i = 0; i < sentences_count(mistakes); i++) {
        const char *sentence = sentences_at(mistakes, i);
        size_t used = strlen(paths);
        snprintf(paths + used, sizeof paths - used, "%s%.*s", i ? " " : "",
                 (int)(strstr(sentence, ": ") - sentence), sentence);
    }
    if (strcmp(paths, expected) != 0)
        fail_msg("%.300s: mistakes at \"%s\", not \"%s\"", json, paths, expected);
    assert_int_equal(result, *expected ? -1 : 0);
    if (result)
        assert_int_equal(err.code, ERROR_INPUT);
    sentences_free(mistakes);
    targets_free(targets);
}

static void the_smallest_file_is_good_and_holds_the_usual(void **state)
{
    (void)state;
    struct targets *targets = scene_targets("{\"version\":1}");
    const struct service_rules *service = targets_service(targets);
    assert_int_equal(targets_count(targets), 0);
    assert_int_equal(service->min_ratings, 20);
    assert_int_equal(service->csat_floor_bp, 8000);
    assert_false(service->has_nps_floor);
    assert_int_equal(service->slip_bp, 500);
    assert_int_equal(service->slo_count, 0);
    assert_int_equal(targets_weight(targets, 0), 1);
    assert_int_equal(targets_weight_max(targets), 1);
    targets_free(targets);
    assert_int_equal(targets_service(NULL)->min_ratings, 20);
    assert_int_equal(targets_weight(NULL, 0), 1);
    assert_int_equal(targets_count(NULL), 0);
    targets_free(NULL);
}

static void a_whole_file_is_read(void **state)
{
    (void)state;
    struct targets *targets = scene_targets(
        "{\"version\":1,\"pace\":{\"weights\":[2,2,2,2,2,1,0],\"holidays\":[\"2026-12-01\"]},"
        "\"targets\":[{\"period\":\"2026-11\",\"measure\":\"gross_profit\",\"currency\":\"RON\","
        "\"amount\":25000000},{\"region\":\"ro-b\",\"period\":\"2026-Q4\",\"measure\":\"revenue\","
        "\"currency\":\"RON\",\"amount\":180000000},{\"rep\":\"ana\",\"period\":\"2026-W48\","
        "\"measure\":\"orders\",\"amount\":9223372036854775807}],\"service\":{\"min_ratings\":5,"
        "\"csat_floor\":\"75.5\",\"nps_floor\":\"-0\",\"slip\":\"0.01\",\"slo\":[{\"metric\":"
        "\"response_p90\",\"max\":3600},{\"metric\":\"reopen_pct\",\"min\":\"-1.5\"}]}}");
    const struct service_rules *service = targets_service(targets);
    assert_int_equal(targets_count(targets), 3);
    assert_string_equal(targets_at(targets, 0)->scope, "all");
    assert_string_equal(targets_at(targets, 1)->scope, "region=ro-b");
    assert_int_equal(targets_at(targets, 1)->measure, MEASURE_REVENUE);
    assert_string_equal(currency_code(targets_at(targets, 1)->currency), "RON");
    assert_true(targets_at(targets, 2)->amount == INT64_MAX);
    assert_int_equal(targets_at(targets, 2)->currency, -1);
    assert_int_equal(targets_weight(targets, calendar_day(2026, 11, 30)), 2);
    assert_int_equal(targets_weight(targets, calendar_day(2026, 12, 1)), 0);
    assert_int_equal(targets_weight(targets, calendar_day(2026, 12, 6)), 0);
    assert_int_equal(targets_weight_max(targets), 2);
    assert_int_equal(service->min_ratings, 5);
    assert_int_equal(service->csat_floor_bp, 7550);
    assert_true(service->has_nps_floor);
    assert_int_equal(service->nps_floor_bp, 0);
    assert_int_equal(service->slip_bp, 1);
    assert_int_equal(service->slo_count, 2);
    assert_string_equal(service->slo[0].metric->name, "response_p90");
    assert_true(service->slo[0].is_max);
    assert_int_equal(service->slo[0].threshold, 3600);
    assert_false(service->slo[1].is_max);
    assert_int_equal(service->slo[1].threshold, -150);
    targets_free(targets);
}

static void targets_are_found_by_scope_and_period(void **state)
{
    (void)state;
    struct targets *targets = scene_targets(
        "{\"version\":1,\"targets\":["
        "{\"period\":\"2026\",\"measure\":\"orders\",\"amount\":1},"
        "{\"period\":\"2026-11\",\"measure\":\"orders\",\"amount\":2},"
        "{\"period\":\"2026-11\",\"currency\":\"USD\",\"amount\":3},"
        "{\"period\":\"2026-11\",\"currency\":\"EUR\",\"amount\":4},"
        "{\"rep\":\"ana\",\"period\":\"2026-11\",\"measure\":\"orders\",\"amount\":5}]}");
    const struct target *first = NULL;
    struct period november, december;
    char name[32];
    assert_true(period_parse(text_of("2026-11"), &november));
    assert_true(period_parse(text_of("2026-12"), &december));
    assert_int_equal(targets_find(targets, "all", november, &first), 3);
    assert_string_equal(target_name(&first[0], name), "gross_profit:EUR");
    assert_string_equal(target_name(&first[1], name), "gross_profit:USD");
    assert_string_equal(target_name(&first[2], name), "orders");
    assert_int_equal(targets_find(targets, "rep=ana", november, &first), 1);
    assert_int_equal(first->amount, 5);
    assert_int_equal(targets_find(targets, "rep=bob", november, &first), 0);
    assert_int_equal(targets_find(targets, "all", december, &first), 0);
    assert_null(first);
    assert_int_equal(targets_find(NULL, "all", november, &first), 0);
    targets_free(targets);
}

static void mistakes_are_listed_by_path(void **state)
{
    (void)state;
    static const struct {
        const char *json, *paths;
    } cases[] = {
        {"", "$"},
        {"x", "$"},
        {"[]", "$"},
        {"null", "$"},
        {"{\"version\":1} x", "$"},
        {"{\"version\":1,\"version\":1}", "$"},
        {"{\"version\":1,\"pace\":{\"weights\":[1,1,1,1,1,1,1],\"weights\":[1,1,1,1,1,1,1]}}", "$"},
        {"\xEF\xBB\xBF{\"version\":1}", "$"},
        {"{\"version\":1,\"x\":\"\xFF\"}", "$"},
        {"{}", "version"},
        {"{\"version\":2}", "version"},
        {"{\"version\":\"1\"}", "version"},
        {"{\"version\":1.0}", "version"},
        {"{\"version\":1,\"target\":[]}", "target"},
        {"{\"version\":1,\"pace\":null}", "pace"},
        {"{\"version\":1,\"targets\":{},\"service\":[]}", "targets service"},
        /* pace */
        {"{\"version\":1,\"pace\":{\"weight\":1}}", "pace.weight"},
        {"{\"version\":1,\"pace\":{\"weights\":[1,1,1,1,1,1]}}", "pace.weights"},
        {"{\"version\":1,\"pace\":{\"weights\":[1,1,1,1,1,1,1,1]}}", "pace.weights"},
        {"{\"version\":1,\"pace\":{\"weights\":[0,0,0,0,0,0,0]}}", "pace.weights"},
        {"{\"version\":1,\"pace\":{\"weights\":[0,1001,-1,1.0,\"1\",1000,null]}}",
         "pace.weights[1] pace.weights[2] pace.weights[3] pace.weights[4] pace.weights[6]"},
        {"{\"version\":1,\"pace\":{\"holidays\":[\"2026-02-29\",\"2028-02-29\",\"1999-12-31\","
         "\"2026-12-01\",\"2026-12-01\",\"2100-01-01\",20261201]}}",
         "pace.holidays[0] pace.holidays[2] pace.holidays[5] pace.holidays[6]"},
        /* targets */
        {"{\"version\":1,\"targets\":[1]}", "targets[0]"},
        {"{\"version\":1,\"targets\":[{}]}",
         "targets[0].currency targets[0].amount targets[0].period"},
        {"{\"version\":1,\"targets\":[{\"period\":\"2026\",\"measure\":\"orders\",\"amount\":1},"
         "{\"period\":\"2027\",\"measure\":\"orders\",\"amount\":1},"
         "{\"period\":\"2028\",\"measure\":\"orders\",\"amount\":0}]}",
         "targets[2].amount"},
        {"{\"version\":1,\"targets\":[{\"period\":\"2026\",\"measure\":\"orders\","
         "\"amount\":9223372036854775808}]}",
         "targets[0].amount"},
        {"{\"version\":1,\"targets\":[{\"period\":\"2026\",\"measure\":\"orders\","
         "\"amount\":\"1\"}]}",
         "targets[0].amount"},
        {"{\"version\":1,\"targets\":[{\"period\":\"2026\",\"measure\":\"orders\","
         "\"amount\":1.5}]}",
         "targets[0].amount"},
        {"{\"version\":1,\"targets\":[{\"period\":\"2026\",\"measure\":\"orders\",\"amount\":1,"
         "\"currency\":\"RON\"}]}",
         "targets[0].currency"},
        {"{\"version\":1,\"targets\":[{\"period\":\"2026\",\"currency\":\"XAU\",\"amount\":1}]}",
         "targets[0].currency"},
        {"{\"version\":1,\"targets\":[{\"period\":\"2026\",\"currency\":\"ron\",\"amount\":1}]}",
         "targets[0].currency"},
        {"{\"version\":1,\"targets\":[{\"period\":\"2026\",\"measure\":\"profit\",\"amount\":1}]}",
         "targets[0].measure"},
        {"{\"version\":1,\"targets\":[{\"period\":\"2026-W54\",\"measure\":\"orders\","
         "\"amount\":1},{\"period\":\"2025-W53\",\"measure\":\"orders\",\"amount\":1},"
         "{\"period\":\"2026-W53\",\"measure\":\"orders\",\"amount\":1},"
         "{\"period\":\"2026-13\",\"measure\":\"orders\",\"amount\":1},"
         "{\"period\":\"2026-Q5\",\"measure\":\"orders\",\"amount\":1},"
         "{\"period\":\"1999\",\"measure\":\"orders\",\"amount\":1},"
         "{\"period\":2026,\"measure\":\"orders\",\"amount\":1}]}",
         "targets[0].period targets[1].period targets[3].period targets[4].period "
         "targets[5].period targets[6].period"},
        {"{\"version\":1,\"targets\":[{\"period\":\"2026\",\"measure\":\"orders\",\"ammount\":1}]}",
         "targets[0].amount targets[0].ammount"},
        {"{\"version\":1,\"targets\":[{\"period\":\"2026\",\"measure\":\"orders\",\"amount\":1,"
         "\"labels.segment\":\"home\"}]}",
         ""},
        {"{\"version\":1,\"targets\":[{\"period\":\"2026\",\"measure\":\"orders\",\"amount\":1,"
         "\"labels.other\":\"home\"}]}",
         "targets[0].labels.other"},
        {"{\"version\":1,\"targets\":[{\"period\":\"2026\",\"measure\":\"orders\",\"amount\":1,"
         "\"region\":\"a b\"},{\"period\":\"2026\",\"measure\":\"orders\",\"amount\":1,"
         "\"region\":\"__other__\"},{\"period\":\"2026\",\"measure\":\"orders\",\"amount\":1,"
         "\"region\":\"_a\"},{\"period\":\"2026\",\"measure\":\"orders\",\"amount\":1,"
         "\"region\":null}]}",
         "targets[0].region targets[1].region targets[3].region"},
        {"{\"version\":1,\"targets\":[{\"period\":\"2026\",\"measure\":\"orders\",\"amount\":1,"
         "\"region\":\"a\",\"rep\":\"b\"}]}",
         "targets[0]"},
        {"{\"version\":1,\"targets\":[{\"period\":\"2026\",\"measure\":\"orders\",\"amount\":1},"
         "{\"period\":\"2026\",\"currency\":\"RON\",\"amount\":1},"
         "{\"period\":\"2026\",\"measure\":\"gross_profit\",\"currency\":\"RON\",\"amount\":2},"
         "{\"period\":\"2026\",\"measure\":\"orders\",\"amount\":2,\"region\":\"a\"},"
         "{\"period\":\"2026\",\"measure\":\"orders\",\"amount\":2}]}",
         "targets[2] targets[4]"},
        {"{\"version\":1,\"pace\":{\"weights\":[1,1,1,1,1,0,0],\"holidays\":[\"2026-11-23\"]},"
         "\"targets\":[{\"period\":\"2026-11-22\",\"measure\":\"orders\",\"amount\":1},"
         "{\"period\":\"2026-11-23\",\"measure\":\"orders\",\"amount\":1},"
         "{\"period\":\"2026-11-24\",\"measure\":\"orders\",\"amount\":1}]}",
         "targets[0].period targets[1].period"},
        /* service */
        {"{\"version\":1,\"service\":{\"min_rating\":1}}", "service.min_rating"},
        {"{\"version\":1,\"service\":{\"min_ratings\":0}}", "service.min_ratings"},
        {"{\"version\":1,\"service\":{\"min_ratings\":1000001}}", "service.min_ratings"},
        {"{\"version\":1,\"service\":{\"csat_floor\":80}}", "service.csat_floor"},
        {"{\"version\":1,\"service\":{\"csat_floor\":\"0.00\"}}", "service.csat_floor"},
        {"{\"version\":1,\"service\":{\"csat_floor\":\"100.01\"}}", "service.csat_floor"},
        {"{\"version\":1,\"service\":{\"csat_floor\":\"-1\"}}", "service.csat_floor"},
        {"{\"version\":1,\"service\":{\"csat_floor\":\"80.000\"}}", "service.csat_floor"},
        {"{\"version\":1,\"service\":{\"csat_floor\":\"080\"}}", "service.csat_floor"},
        {"{\"version\":1,\"service\":{\"csat_floor\":\"80.\"}}", "service.csat_floor"},
        {"{\"version\":1,\"service\":{\"csat_floor\":\".5\"}}", "service.csat_floor"},
        {"{\"version\":1,\"service\":{\"csat_floor\":\"\"}}", "service.csat_floor"},
        {"{\"version\":1,\"service\":{\"csat_floor\":null}}", "service.csat_floor"},
        {"{\"version\":1,\"service\":{\"csat_floor\":\"100.00\",\"slip\":\"0.01\","
         "\"nps_floor\":\"-100\"}}",
         ""},
        {"{\"version\":1,\"service\":{\"nps_floor\":null}}", ""},
        {"{\"version\":1,\"service\":{\"nps_floor\":\"-100.01\"}}", "service.nps_floor"},
        {"{\"version\":1,\"service\":{\"slip\":\"0\"}}", "service.slip"},
        {"{\"version\":1,\"service\":{\"slo\":[{\"metric\":\"csat\",\"max\":1},"
         "{\"metric\":\"revenue\",\"max\":1},{\"metric\":\"csat_n\",\"max\":1},"
         "{\"metric\":\"target\",\"max\":1},{\"metric\":\"orders:RON\",\"max\":1},"
         "{\"metric\":\"warranty_units\",\"max\":1},{\"max\":1}]}}",
         "service.slo[0].metric service.slo[1].metric service.slo[2].metric "
         "service.slo[3].metric service.slo[4].metric service.slo[5].metric "
         "service.slo[6].metric"},
        {"{\"version\":1,\"service\":{\"slo\":[{\"metric\":\"opened\"},"
         "{\"metric\":\"opened\",\"min\":1,\"max\":2},{\"metric\":\"opened\",\"mix\":1}]}}",
         "service.slo[0] service.slo[1] service.slo[2].mix service.slo[2]"},
        {"{\"version\":1,\"service\":{\"slo\":[{\"metric\":\"opened\",\"max\":\"1\"},"
         "{\"metric\":\"response_mean\",\"max\":\"1.00\"},{\"metric\":\"csat_pct\",\"min\":1},"
         "{\"metric\":\"nps\",\"min\":\"-5\"},{\"metric\":\"opened\",\"max\":1000000000001},"
         "{\"metric\":\"buyers\",\"min\":-1000000000000}]}}",
         "service.slo[0].max service.slo[1].max service.slo[2].min service.slo[4].max"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_paths(cases[i].json, strlen(cases[i].json), cases[i].paths);
}

static void an_amount_that_is_not_above_zero_is_told_so(void **state)
{
    (void)state;
    static const char json[] = "{\"version\":1,\"targets\":[{\"period\":\"2026\","
                               "\"measure\":\"orders\",\"amount\":-4}]}";
    struct targets *targets = NULL;
    struct sentences *mistakes = NULL;
    assert_int_equal(targets_parse(&targets, text_of(json), "", &mistakes, NULL), -1);
    assert_string_equal(sentences_at(mistakes, 0), "targets[0].amount: must be > 0");
    sentences_free(mistakes);
    assert_int_equal(targets_parse(&targets, text_of(json), "", NULL, NULL), -1);
}

static void every_cut_of_a_good_file_is_refused_without_a_crash(void **state)
{
    (void)state;
    static const char json[] =
        "{\"version\":1,\"pace\":{\"holidays\":[\"2026-12-01\"]},\"targets\":[{\"region\":\"a\","
        "\"period\":\"2026\",\"currency\":\"RON\",\"amount\":1}],\"service\":{\"slo\":[{"
        "\"metric\":\"reopen_pct\",\"max\":\"1.00\"}]}}";
    for (size_t length = 0; length < sizeof json - 1; length++)
        expect_paths(json, length, "$");
    expect_paths(json, sizeof json - 1, "");
}

static void lists_are_bounded(void **state)
{
    (void)state;
    static const struct {
        const char *head, *element, *tail, *path;
        size_t most;
    } cases[] = {
        {"{\"version\":1,\"pace\":{\"holidays\":[", "\"2026-01-01\"", "]}}", "pace.holidays", 1000},
        {"{\"version\":1,\"service\":{\"slo\":[", "{\"metric\":\"opened\",\"max\":1}", "]}}",
         "service.slo", 64},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t more = 0; more < 2; more++) {
            char *json = NULL;
            size_t length = 0;
            FILE *out = open_memstream(&json, &length);
            fputs(cases[i].head, out);
            for (size_t n = 0; n < cases[i].most + more; n++)
                fprintf(out, "%s%s", n ? "," : "", cases[i].element);
            fputs(cases[i].tail, out);
            fclose(out);
            expect_paths(json, length, more ? cases[i].path : "");
            free(json);
        }
    }
}

static void ten_thousand_targets_are_taken_and_one_more_refused(void **state)
{
    (void)state;
    for (int more = 0; more < 2; more++) {
        char *json = NULL;
        size_t length = 0;
        FILE *out = open_memstream(&json, &length);
        fputs("{\"version\":1,\"targets\":[", out);
        for (int i = 0; i < 10000 + more; i++)
            fprintf(out,
                    "%s{\"rep\":\"r%d\",\"period\":\"2026-11\",\"measure\":\"orders\","
                    "\"amount\":1}",
                    i ? "," : "", i);
        fputs("]}", out);
        fclose(out);
        expect_paths(json, length, more ? "targets" : "");
        free(json);
    }
}

static void a_file_of_more_than_a_mebibyte_is_refused(void **state)
{
    (void)state;
    static const char json[] = "{\"version\":1}";
    char *large = malloc(TARGETS_BYTES_MAX + 1);
    memset(large, ' ', TARGETS_BYTES_MAX + 1);
    memcpy(large, json, sizeof json - 1);
    expect_paths(large, TARGETS_BYTES_MAX, "");
    expect_paths(large, TARGETS_BYTES_MAX + 1, "$");
    free(large);
}

static void a_file_is_read_with_its_bytes_and_a_missing_one_is_named(void **state)
{
    (void)state;
    char path[] = "/tmp/tandem-targets-XXXXXX", *json = NULL;
    struct targets *targets = NULL;
    struct sentences *mistakes = NULL;
    struct error err = {0};
    int file = mkstemp(path);
    assert_int_equal(write(file, "{\"version\":1}", 13), 13);
    close(file);
    assert_int_equal(targets_read(&targets, path, DIMENSIONS, &json, &mistakes, &err), 0);
    assert_string_equal(json, "{\"version\":1}");
    assert_null(mistakes);
    targets_free(targets);
    free(json);
    unlink(path);
    assert_int_equal(targets_read(&targets, path, DIMENSIONS, &json, &mistakes, &err), -1);
    assert_int_equal(err.code, ERROR_SYSTEM);
    assert_non_null(strstr(err.text, path));
    assert_null(mistakes);
}

static void regions_that_do_not_add_up_are_worth_a_warning(void **state)
{
    (void)state;
    struct targets *targets =
        scene_targets("{\"version\":1,\"targets\":["
                      "{\"period\":\"2026\",\"currency\":\"RON\",\"amount\":1000},"
                      "{\"region\":\"a\",\"period\":\"2026\",\"currency\":\"RON\",\"amount\":600},"
                      "{\"region\":\"b\",\"period\":\"2026\",\"currency\":\"RON\",\"amount\":300},"
                      "{\"period\":\"2027\",\"currency\":\"RON\",\"amount\":1000},"
                      "{\"region\":\"a\",\"period\":\"2027\",\"currency\":\"RON\",\"amount\":1000},"
                      "{\"rep\":\"ana\",\"period\":\"2027\",\"currency\":\"RON\",\"amount\":1},"
                      "{\"period\":\"2028\",\"currency\":\"RON\",\"amount\":1000}]}");
    struct sentences *warnings = NULL;
    struct error err = {0};
    assert_int_equal(targets_warnings(targets, &warnings, &err), 0);
    assert_int_equal(sentences_count(warnings), 1);
    assert_string_equal(sentences_at(warnings, 0),
                        "gross profit of 2026: the whole should reach 10.00 RON, its regions "
                        "together 9.00 RON; each target counts for itself");
    sentences_free(warnings);
    targets_free(targets);
}

static void targets_are_printed_aligned(void **state)
{
    (void)state;
    struct targets *targets = scene_targets(
        "{\"version\":1,\"pace\":{\"weights\":[2,2,2,2,2,1,0],\"holidays\":[\"2026-12-01\","
        "\"2026-12-25\"]},\"targets\":["
        "{\"period\":\"2026-11\",\"currency\":\"RON\",\"amount\":25000000},"
        "{\"region\":\"ro-b\",\"period\":\"2026-Q4\",\"measure\":\"revenue\",\"currency\":\"JPY\","
        "\"amount\":180000000},"
        "{\"rep\":\"ana\",\"period\":\"2026-W48\",\"measure\":\"orders\",\"amount\":40}],"
        "\"service\":{\"nps_floor\":\"-10.00\",\"slo\":[{\"metric\":\"response_p90\",\"max\":5400},"
        "{\"metric\":\"csat_mean\",\"min\":\"4.00\"}]}}");
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    targets_print(targets, out);
    fclose(out);
    assert_string_equal(text,
                        "Scope        Period      Measure            Amount\n"
                        "all          2026-11     gross profit   250,000.00 RON\n"
                        "region=ro-b  2026-Q4     revenue       180,000,000 JPY\n"
                        "rep=ana      2026-W48    orders                 40\n"
                        "\n"
                        "Pace: a day weighs Mon 2, Tue 2, Wed 2, Thu 2, Fri 2, Sat 1, Sun 0.\n"
                        "Holidays, which weigh 0: 2026-12-01, 2026-12-25.\n"
                        "\n"
                        "Service has no target while customers are content:\n"
                        "  CSAT at least 80.00 %, judged from 20 ratings on\n"
                        "  NPS at least -10.00\n"
                        "  CSAT less than 5.00 points under the period before\n"
                        "  response_p90 at most 1 h 30 min\n"
                        "  csat_mean at least 4.00\n");
    free(text);
    targets_free(targets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_file_is_good_and_holds_the_usual),
        cmocka_unit_test(a_whole_file_is_read),
        cmocka_unit_test(targets_are_found_by_scope_and_period),
        cmocka_unit_test(mistakes_are_listed_by_path),
        cmocka_unit_test(an_amount_that_is_not_above_zero_is_told_so),
        cmocka_unit_test(every_cut_of_a_good_file_is_refused_without_a_crash),
        cmocka_unit_test(lists_are_bounded),
        cmocka_unit_test(ten_thousand_targets_are_taken_and_one_more_refused),
        cmocka_unit_test(a_file_of_more_than_a_mebibyte_is_refused),
        cmocka_unit_test(a_file_is_read_with_its_bytes_and_a_missing_one_is_named),
        cmocka_unit_test(regions_that_do_not_add_up_are_worth_a_warning),
        cmocka_unit_test(targets_are_printed_aligned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

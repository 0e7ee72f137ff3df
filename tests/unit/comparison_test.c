#include "consumers/comparison/comparison.h"

#include "tests/unit/scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MONTH(targets) "{\"version\":1,\"targets\":[" targets "]}"
#define PROFIT(amount) "{\"period\":\"2026-11\",\"currency\":\"RON\",\"amount\":" amount "}"
#define SERVICE(rules) "{\"version\":1,\"service\":{" rules "}}"

#define MIDDLE "2026-11-16T00:00:00+02:00" /* half of November's 30 days */
#define AFTER  "2026-12-01T00:00:00+02:00"
#define BEFORE "2026-10-31T23:59:59+02:00"

/* 20 ratings, 16 of them good: exactly the floor of 80 %. */
#define CONTENT "csat_n=20 csat_5=16"
#define UNHAPPY "csat_n=20 csat_5=15"

static void the_head_names_what_is_compared(void **state)
{
    (void)state;
    scene_expect(&(struct scene){.scope = "region=north", .period = "2026-W48"},
                 "business main | scope region=north | period_kind week | period 2026-W48 | "
                 "as_of 1794780000 | store 1700000000000-abc | revision 7 | closed 0");
}

static void every_field_stands_once_and_holds_a_plain_value(void **state)
{
    (void)state;
    struct fields *fields = scene_play(&(struct scene){
        .targets = MONTH(PROFIT("100") ",{\"period\":\"2026-11\",\"measure\":\"orders\","
                                       "\"amount\":3}")});
    for (size_t i = 0; i < fields_count(fields); i++) {
        struct field field = fields_at(fields, i);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(fields_at(fields, j).name, field.name);
        if (strcmp(field.name, "reasons") != 0 &&
            field.value[strspn(field.value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                            "0123456789._:{}=-")] != '\0')
            fail_msg("%s is %s", field.name, field.value);
    }
    fields_free(fields);
}

static void the_same_input_gives_the_same_bytes(void **state)
{
    (void)state;
    char *text[2] = {NULL, NULL};
    size_t length;
    for (int i = 0; i < 2; i++) {
        FILE *out = open_memstream(&text[i], &length);
        struct fields *fields = scene_play(&(struct scene){.service = UNHAPPY});
        fields_write_json(fields, out);
        fields_free(fields);
        fclose(out);
    }
    assert_string_equal(text[0], text[1]);
    free(text[0]);
    free(text[1]);
}

/* Targets */

static void a_target_gives_six_fields(void **state)
{
    (void)state;
    scene_expect(&(struct scene){.sale = "net_costed:RON=7000 cost:RON=2000 orders:RON=4",
                                 .targets = MONTH(PROFIT("12000"))},
                 "target:gross_profit:RON 12000 | attainment_pct:gross_profit:RON 41.67 | "
                 "gap:gross_profit:RON 7000 | pace_pct:gross_profit:RON 83.33 | "
                 "forecast:gross_profit:RON 10000 | required_rate:gross_profit:RON 467 | "
                 "judged gross_profit:RON | sale_state weak | provisional 0");
}

static void targets_of_orders_have_rates_with_two_decimals(void **state)
{
    (void)state;
    scene_expect(&(struct scene){.sale = "orders=10",
                                 .targets = MONTH("{\"period\":\"2026-11\",\"measure\":\"orders\","
                                                  "\"amount\":31}")},
                 "target:orders 31 | attainment_pct:orders 32.26 | gap:orders 21 | "
                 "pace_pct:orders 64.52 | forecast:orders 20.00 | required_rate:orders 1.40");
}

static void only_targets_of_exactly_this_scope_and_period_count(void **state)
{
    (void)state;
    const char *targets =
        MONTH("{\"period\":\"2026-Q4\",\"measure\":\"orders\",\"amount\":9},"
              "{\"period\":\"2026-12\",\"measure\":\"orders\",\"amount\":9},"
              "{\"region\":\"north\",\"period\":\"2026-11\",\"measure\":\"orders\",\"amount\":9}");
    scene_expect(&(struct scene){.targets = targets, .sale = "orders=5"},
                 "sale_state none | judged none | reasons targets 0 < 1 (n=5); "
                 "csat_n 0 < 20 (n=0)");
    scene_expect(&(struct scene){.targets = targets, .scope = "region=north"},
                 "judged orders | target:orders 9");
}

static void an_actual_below_zero_gives_negative_percentages_and_a_wider_gap(void **state)
{
    (void)state;
    scene_expect(
        &(struct scene){.sale = "net_costed:RON=0 cost:RON=50", .targets = MONTH(PROFIT("100"))},
        "attainment_pct:gross_profit:RON -50.00 | gap:gross_profit:RON 150 | "
        "pace_pct:gross_profit:RON -100.00 | forecast:gross_profit:RON -100");
}

static void the_largest_target_is_exact(void **state)
{
    (void)state;
    scene_expect(&(struct scene){.sale = "net_costed:RON=9223372036854775806",
                                 .as_of = AFTER,
                                 .targets = MONTH(PROFIT("9223372036854775807"))},
                 "attainment_pct:gross_profit:RON 100.00 | gap:gross_profit:RON 1 | "
                 "sale_state weak | "
                 "reasons attainment_pct:gross_profit:RON 100.00 < 100.00 (n=0); "
                 "csat_n 0 < 20 (n=0)");
}

/* The state of sales: a table of what is sold until when, of a target of 1000. */
static void sales_are_judged_by_pace_while_open_and_by_attainment_when_closed(void **state)
{
    (void)state;
    static const struct {
        const char *sale, *as_of, *expected;
    } cases[] = {
        {"net_costed:RON=1000 orders:RON=2", MIDDLE,
         "sale_state good | reasons attainment_pct:gross_profit:RON 100.00 >= 100.00 (n=2); "
         "csat_n 0 < 20 (n=0)"},
        {"net_costed:RON=500 orders:RON=2", MIDDLE,
         "sale_state good | reasons pace_pct:gross_profit:RON 100.00 >= 100.00 (n=2); "
         "csat_n 0 < 20 (n=0)"},
        {"net_costed:RON=499 orders:RON=2", MIDDLE,
         "sale_state weak | reasons pace_pct:gross_profit:RON 99.80 < 100.00 (n=2); "
         "csat_n 0 < 20 (n=0)"},
        {"", BEFORE,
         "sale_state good | closed 0 | reasons elapsed_weight 0 <= 0 (n=0); csat_n 0 < 20 (n=0) | "
         "pace_pct:gross_profit:RON NaN | forecast:gross_profit:RON NaN | "
         "required_rate:gross_profit:RON 33 | provisional 1"},
        {"net_costed:RON=1000", AFTER,
         "sale_state good | closed 1 | provisional 0 | required_rate:gross_profit:RON NaN | "
         "forecast:gross_profit:RON 1000"},
        {"net_costed:RON=999 orders:RON=1", AFTER,
         "sale_state weak | reasons attainment_pct:gross_profit:RON 99.90 < 100.00 (n=1); "
         "csat_n 0 < 20 (n=0)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        scene_expect(&(struct scene){.sale = cases[i].sale,
                                     .as_of = cases[i].as_of,
                                     .targets = MONTH(PROFIT("1000"))},
                     cases[i].expected);
}

static void rounding_never_decides_the_state_of_sales(void **state)
{
    (void)state;
    /* 99.999995 % prints as 100.00 */
    scene_expect(&(struct scene){.sale = "net_costed:RON=19999999",
                                 .as_of = AFTER,
                                 .targets = MONTH(PROFIT("20000000"))},
                 "attainment_pct:gross_profit:RON 100.00 | sale_state weak");
}

static void gross_profit_is_judged_before_revenue_before_orders(void **state)
{
    (void)state;
    static const char all_three[] = MONTH(
        "{\"period\":\"2026-11\",\"measure\":\"orders\",\"amount\":1},"
        "{\"period\":\"2026-11\",\"measure\":\"revenue\",\"currency\":\"RON\",\"amount\":1}," PROFIT(
            "1"));
    static const char two[] =
        MONTH("{\"period\":\"2026-11\",\"measure\":\"orders\",\"amount\":1},"
              "{\"period\":\"2026-11\",\"measure\":\"revenue\",\"currency\":\"RON\",\"amount\":1}");
    scene_expect(&(struct scene){.targets = all_three, .sale = "net:RON=5 orders=5"},
                 "judged gross_profit:RON | sale_state weak");
    scene_expect(&(struct scene){.targets = two, .sale = "net:RON=5"},
                 "judged revenue:RON | sale_state good");
}

static void of_several_currencies_the_worst_is_judged(void **state)
{
    (void)state;
    static const char targets[] =
        MONTH("{\"period\":\"2026-11\",\"currency\":\"RON\",\"amount\":300},"
              "{\"period\":\"2026-11\",\"currency\":\"EUR\",\"amount\":100},"
              "{\"period\":\"2026-11\",\"currency\":\"USD\",\"amount\":200}");
    static const char *const currencies[] = {"RON", NULL};
    struct scene scene = {.targets = targets, .currencies = currencies, .as_of = AFTER};
    scene.sale = "net_costed:RON=301 net_costed:EUR=101 net_costed:USD=199";
    scene_expect(&scene, "judged gross_profit:USD | sale_state weak | "
                         "attainment_pct:gross_profit:EUR 101.00");
    scene.sale = "net_costed:RON=300 net_costed:EUR=100 net_costed:USD=200";
    scene_expect(&scene, "judged gross_profit:EUR | sale_state good");
    scene.sale = "net_costed:RON=-1";
    scene_expect(&scene, "judged gross_profit:RON");
    struct fields *fields = scene_play(&scene);
    assert_null(fields_get(fields, "revenue:EUR"));
    fields_free(fields);
}

/* Pace */

static void weekends_and_holidays_weigh_what_the_file_says(void **state)
{
    (void)state;
    /* Week 48 of 2026: Monday the 23rd to Sunday the 29th; 2+2+2+2+2+1+0, less Thursday = 9. */
    static const char targets[] =
        "{\"version\":1,\"pace\":{\"weights\":[2,2,2,2,2,1,0],\"holidays\":[\"2026-11-26\"]},"
        "\"targets\":[{\"period\":\"2026-W48\",\"measure\":\"orders\",\"amount\":90}]}";
    struct scene scene = {.targets = targets, .period = "2026-W48", .sale = "orders=30"};
    static const struct {
        const char *as_of, *expected;
    } cases[] = {
        {"2026-11-23T00:00:00+02:00", "pace_pct:orders NaN | sale_state good | provisional 1 | "
                                      "required_rate:orders 13.33"},
        {"2026-11-23T10:47:59+02:00", "provisional 1"}, /* 0.8999 of 9 */
        {"2026-11-23T10:48:00+02:00", "provisional 0"}, /* a tenth is not under a tenth */
        {"2026-11-25T00:00:00+02:00", "pace_pct:orders 75.00 | forecast:orders 67.50"},
        {"2026-11-26T00:00:00+02:00", "pace_pct:orders 50.00"},
        {"2026-11-26T18:30:00+02:00", "pace_pct:orders 50.00"},
        {"2026-11-27T00:00:00+02:00", "pace_pct:orders 50.00"},
        {"2026-11-29T00:00:00+02:00", "pace_pct:orders 33.33 | closed 0 | "
                                      "required_rate:orders NaN"},
        {"2026-11-29T23:59:59+02:00", "closed 0"},
        {"2026-11-30T00:00:00+02:00", "closed 1 | pace_pct:orders 33.33"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scene.as_of = cases[i].as_of;
        scene_expect(&scene, cases[i].expected);
    }
}

static void a_day_of_23_or_25_hours_passes_evenly(void **state)
{
    (void)state;
    struct scene scene = {.sale = "orders=50"};
    scene.targets = "{\"version\":1,\"targets\":[{\"period\":\"2026-10-25\",\"measure\":\"orders\","
                    "\"amount\":100},{\"period\":\"2026-03-29\",\"measure\":\"orders\","
                    "\"amount\":100}]}";
    scene.period = "2026-10-25"; /* 25 hours from 21:00Z on */
    scene.as_of = "2026-10-25T09:30:00Z";
    scene_expect(&scene, "pace_pct:orders 100.00 | sale_state good");
    scene.as_of = "2026-10-25T22:00:00Z";
    scene_expect(&scene, "closed 1");
    scene.as_of = "2026-10-25T21:59:59Z";
    scene_expect(&scene, "closed 0");
    scene.period = "2026-03-29"; /* 23 hours from 22:00Z on */
    scene.as_of = "2026-03-29T09:30:00Z";
    scene_expect(&scene, "pace_pct:orders 100.00");
    scene.as_of = "2026-03-29T21:00:00Z";
    scene_expect(&scene, "closed 1");
}

static void a_day_whose_midnight_does_not_exist_begins_with_the_jump(void **state)
{
    (void)state;
    /* Beirut, 2026-03-29: 00:00 becomes 01:00 at 2026-03-28T22:00Z. */
    struct scene scene = {.zone = "Asia/Beirut", .period = "2026-03-28"};
    scene.as_of = "2026-03-28T21:59:59Z";
    scene_expect(&scene, "closed 0");
    scene.as_of = "2026-03-28T22:00:00Z";
    scene_expect(&scene, "closed 1");
}

static void a_day_whose_midnight_comes_twice_begins_with_the_first(void **state)
{
    (void)state;
    /* Havana, 2026-11-01: 01:00 becomes 00:00 at 05:00Z; midnight is at 04:00Z and at 05:00Z. */
    struct scene scene = {.zone = "America/Havana", .period = "2026-10-31"};
    scene.as_of = "2026-11-01T03:59:59Z";
    scene_expect(&scene, "closed 0");
    scene.as_of = "2026-11-01T04:00:00Z";
    scene_expect(&scene, "closed 1");
    scene.as_of = "2026-11-01T05:00:00Z";
    scene_expect(&scene, "closed 1");
}

static void week_53_is_a_week_like_any_other(void **state)
{
    (void)state;
    scene_expect(&(struct scene){.period = "2026-W53",
                                 .as_of = "2027-01-04T00:00:00+02:00",
                                 .sale = "orders=7",
                                 .targets = "{\"version\":1,\"targets\":[{\"period\":\"2026-W53\","
                                            "\"measure\":\"orders\",\"amount\":7}]}"},
                 "period 2026-W53 | closed 1 | sale_state good | pace_pct:orders 100.00");
}

static void provisional_is_told_without_targets_too(void **state)
{
    (void)state;
    scene_expect(&(struct scene){.as_of = "2026-11-03T23:59:59+02:00"}, "provisional 1");
    scene_expect(&(struct scene){.as_of = "2026-11-04T00:00:00+02:00"}, "provisional 0");
}

/* Service */

static void service_is_judged_by_the_first_rule_that_holds(void **state)
{
    (void)state;
    static const struct {
        const char *rules, *now, *before, *expected;
    } cases[] = {
        {"", "csat_n=19 csat_1=19", "",
         "service_state unknown | ratings_needed NaN | "
         "reasons targets 0 < 1 (n=0); csat_n 19 < 20 (n=19)"},
        {"\"nps_floor\":\"0.00\"", "csat_n=19 nps_n=19 nps_0=19", "",
         "service_state unknown | "
         "reasons targets 0 < 1 (n=0); csat_n 19 < 20 (n=19); nps_n 19 < 20 (n=19)"},
        {"", "nps_n=50 nps_0=50", "", "service_state unknown"},
        {"", CONTENT, "",
         "service_state content | ratings_needed NaN | "
         "reasons targets 0 < 1 (n=0); csat_pct 80.00 >= 80.00 (n=20)"},
        {"", UNHAPPY, "",
         "service_state unhappy | ratings_needed 5 | "
         "reasons targets 0 < 1 (n=0); csat_pct 75.00 < 80.00 (n=20)"},
        {"\"nps_floor\":\"10.00\"", CONTENT " nps_n=20 nps_9=2", "",
         "service_state content | "
         "reasons targets 0 < 1 (n=0); csat_pct 80.00 >= 80.00 (n=20); nps 10.00 >= 10.00 (n=20)"},
        {"\"nps_floor\":\"10.01\"", CONTENT " nps_n=20 nps_9=2", "",
         "service_state unhappy | "
         "ratings_needed NaN | reasons targets 0 < 1 (n=0); nps 10.00 < 10.01 (n=20)"},
        {"\"nps_floor\":\"-5.00\"", UNHAPPY " nps_n=20 nps_0=2", "",
         "service_state unhappy | "
         "ratings_needed 5 | reasons targets 0 < 1 (n=0); csat_pct 75.00 < 80.00 (n=20); "
         "nps -10.00 < -5.00 (n=20)"},
        {"\"nps_floor\":\"10.00\"", "nps_n=20 nps_9=2", "",
         "service_state content | "
         "reasons targets 0 < 1 (n=0); nps 10.00 >= 10.00 (n=20)"},
        {"\"nps_floor\":\"10.00\"", CONTENT " nps_n=19 nps_0=19", "", "service_state content"},
        {"", CONTENT, "csat_n=20 csat_5=17",
         "service_state at_risk | "
         "reasons targets 0 < 1 (n=0); csat_pct 80.00 <= 80.00 (n=20)"},
        {"", "csat_n=10000 csat_5=8001", "csat_n=20 csat_5=17", "service_state content"},
        {"", CONTENT, "csat_n=19 csat_5=19", "service_state content"},
        {"", UNHAPPY, "csat_n=20 csat_5=20", "service_state unhappy"},
        {"\"slip\":\"100.00\"", CONTENT, "csat_n=20 csat_5=17", "service_state content"},
        {"\"csat_floor\":\"0.01\",\"slip\":\"10.00\",\"nps_floor\":\"0.00\"",
         "csat_n=1 csat_1=1 nps_n=20 nps_9=1", "csat_n=20 csat_5=1", "service_state content"},
        {"\"min_ratings\":1", "csat_n=1 csat_5=1", "", "service_state content"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char targets[512];
        snprintf(targets, sizeof targets, SERVICE("%s"), cases[i].rules);
        scene_expect(&(struct scene){.targets = targets,
                                     .service = cases[i].now,
                                     .service_before = cases[i].before},
                     cases[i].expected);
    }
}

static void a_fall_is_not_told_of_a_period_before_the_floor(void **state)
{
    (void)state;
    scene_expect(&(struct scene){.service = CONTENT,
                                 .service_before = "csat_n=20 csat_5=20",
                                 .no_previous = true},
                 "service_state content");
}

static void rounding_never_decides_the_state_of_service(void **state)
{
    (void)state;
    /* 79.9999 % prints as 80.00 */
    scene_expect(&(struct scene){.service = "csat_n=1000000 csat_5=799999"},
                 "csat_pct 80.00 | service_state unhappy | ratings_needed 5 | "
                 "reasons targets 0 < 1 (n=0); csat_pct 80.00 < 80.00 (n=1000000)");
}

static void ratings_needed_restores_the_floor_exactly(void **state)
{
    (void)state;
    static const struct {
        const char *floor, *ratings, *needed;
    } cases[] = {
        {"80.00", "csat_n=42 csat_4=12 csat_5=20", "ratings_needed 8"},
        {"80.00", "csat_n=20", "ratings_needed 80"},
        {"99.99", "csat_n=20 csat_5=19", "ratings_needed 9980"},
        {"100.00", "csat_n=20 csat_5=19", "service_state unhappy | ratings_needed NaN"},
        {"100.00", "csat_n=20 csat_5=20", "service_state content | ratings_needed NaN"},
        {"0.01", "csat_n=20", "ratings_needed 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char targets[256];
        snprintf(targets, sizeof targets, SERVICE("\"csat_floor\":\"%s\""), cases[i].floor);
        scene_expect(&(struct scene){.targets = targets, .service = cases[i].ratings},
                     cases[i].needed);
    }
    for (int n = 20; n < 60; n++) {
        for (int good = 0; good * 10 < n * 8; good++) {
            char ratings[64];
            snprintf(ratings, sizeof ratings, "csat_n=%d csat_5=%d", n, good);
            struct fields *fields = scene_play(&(struct scene){.service = ratings});
            int needed = atoi(fields_get(fields, "ratings_needed"));
            assert_true((good + needed) * 10 >= (n + needed) * 8);
            assert_true((good + needed - 1) * 10 < (n + needed - 1) * 8);
            fields_free(fields);
        }
    }
}

static void promises_are_broken_beyond_their_threshold_not_at_it(void **state)
{
    (void)state;
    static const struct {
        const char *slo, *service, *reason; /* NULL: kept */
    } cases[] = {
        {"\"reopen_pct\",\"max\":\"10.00\"", "resolved=10 reopened=1", NULL},
        {"\"reopen_pct\",\"max\":\"10.00\"", "resolved=99999 reopened=10000",
         "reopen_pct 10.00 > 10.00 (n=99999)"},
        {"\"reopen_pct\",\"max\":\"10.00\"", "reopened=1", NULL},
        {"\"csat_mean\",\"min\":\"4\"", "csat_sum=79", "csat_mean 3.95 < 4.00 (n=20)"},
        {"\"csat_mean\",\"min\":\"4.0\"", "csat_sum=80", NULL},
        {"\"opened\",\"max\":3", "opened=4", "opened 4 > 3 (n=4)"},
        {"\"opened\",\"max\":4", "opened=4", NULL},
        {"\"backlog_change\",\"max\":-1", "opened=1", "backlog_change 1 > -1 (n=1)"},
        {"\"response_mean\",\"max\":33", "response_n=3 response_sum=100",
         "response_mean 33.33 > 33 (n=3)"},
        {"\"response_mean\",\"max\":34", "response_n=3 response_sum=100", NULL},
        {"\"orders\",\"min\":3", "", "orders 2 < 3 (n=2)"},
        {"\"nps\",\"min\":\"-10.00\"", "nps_n=9 nps_0=1", "nps -11.11 < -10.00 (n=9)"},
        {"\"contact_rate\",\"max\":\"50.00\"", "opened_after=1", NULL},
        {"\"contact_rate\",\"max\":\"49.99\"", "opened_after=1",
         "contact_rate 50.00 > 49.99 (n=2)"},
        {"\"first_contact_pct\",\"min\":\"75.00\"",
         "contacts_known=4 first_contact=2 reopened_known=1",
         "first_contact_pct 66.67 < 75.00 (n=3)"},
        {"\"repeat_pct\",\"min\":\"75.00\"", "", NULL},
        /* bucket 300 holds 11,264 to 11,519 */
        {"\"resolution_p90\",\"max\":11264", "resolution_n=1 resolution_b300=1", NULL},
        {"\"resolution_p90\",\"max\":11263", "resolution_n=1 resolution_b300=1",
         "resolution_p90 11519 > 11263 (n=1)"},
        {"\"resolution_p90\",\"min\":11519", "resolution_n=1 resolution_b300=1", NULL},
        {"\"resolution_p90\",\"min\":11520", "resolution_n=1 resolution_b300=1",
         "resolution_p90 11519 < 11520 (n=1)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char targets[256], service[256], expected[256];
        snprintf(targets, sizeof targets, SERVICE("\"slo\":[{\"metric\":%s}]"), cases[i].slo);
        snprintf(service, sizeof service, CONTENT " %s", cases[i].service);
        snprintf(expected, sizeof expected, "service_state %s | reasons targets 0 < 1 (n=2); %s",
                 cases[i].reason ? "at_risk" : "content",
                 cases[i].reason ? cases[i].reason : "csat_pct 80.00 >= 80.00 (n=20)");
        scene_expect(&(struct scene){.targets = targets, .service = service, .sale = "orders=2"},
                     expected);
    }
}

static void every_broken_promise_is_told_in_the_order_of_the_file(void **state)
{
    (void)state;
    scene_expect(
        &(struct scene){.service = CONTENT " opened=9 resolved=2 reopened=1",
                        .service_before = "csat_n=20 csat_5=20",
                        .targets = SERVICE("\"slo\":[{\"metric\":\"reopen_pct\",\"max\":"
                                           "\"5\"},{\"metric\":\"response_p50\",\"max\":1},"
                                           "{\"metric\":\"opened\",\"min\":10}]")},
        "service_state at_risk | reasons targets 0 < 1 (n=0); "
        "csat_pct 80.00 <= 95.00 (n=20); reopen_pct 50.00 > 5.00 (n=2); "
        "opened 9 < 10 (n=9)");
}

/* Verdicts: each of the twelve from real input. */
static void all_twelve_verdicts_can_be_reached(void **state)
{
    (void)state;
    static const char *const sales[] = {"10", "11", NULL}; /* targets; 10 orders are made */
    static const struct {
        const char *now, *before;
    } services[] = {
        {CONTENT, ""},
        {CONTENT, "csat_n=20 csat_5=20"},
        {UNHAPPY, ""},
        {"", ""},
    };
    static const char *const expected[3][4] = {
        {"both_healthy ok", "service_slipping warning", "customers_unhappy warning",
         "service_unmeasured notice"},
        {"sales_behind warning", "both_slipping critical", "both_weak critical",
         "sales_behind_unmeasured warning"},
        {"content_no_target ok", "slipping_no_target warning", "unhappy_no_target warning",
         "no_data notice"},
    };
    for (int s = 0; s < 3; s++) {
        for (int v = 0; v < 4; v++) {
            char targets[256], pairs[128];
            snprintf(targets, sizeof targets,
                     MONTH("{\"period\":\"2026-11\",\"measure\":\"orders\",\"amount\":%s}"),
                     sales[s] ? sales[s] : "");
            const char *blank = strchr(expected[s][v], ' ');
            snprintf(pairs, sizeof pairs, "verdict %.*s | severity %s",
                     (int)(blank - expected[s][v]), expected[s][v], blank + 1);
            scene_expect(&(struct scene){.sale = "orders=10",
                                         .as_of = AFTER,
                                         .service = services[v].now,
                                         .service_before = services[v].before,
                                         .targets = sales[s] ? targets : NULL},
                         pairs);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_head_names_what_is_compared),
        cmocka_unit_test(every_field_stands_once_and_holds_a_plain_value),
        cmocka_unit_test(the_same_input_gives_the_same_bytes),
        cmocka_unit_test(a_target_gives_six_fields),
        cmocka_unit_test(targets_of_orders_have_rates_with_two_decimals),
        cmocka_unit_test(only_targets_of_exactly_this_scope_and_period_count),
        cmocka_unit_test(an_actual_below_zero_gives_negative_percentages_and_a_wider_gap),
        cmocka_unit_test(the_largest_target_is_exact),
        cmocka_unit_test(sales_are_judged_by_pace_while_open_and_by_attainment_when_closed),
        cmocka_unit_test(rounding_never_decides_the_state_of_sales),
        cmocka_unit_test(gross_profit_is_judged_before_revenue_before_orders),
        cmocka_unit_test(of_several_currencies_the_worst_is_judged),
        cmocka_unit_test(weekends_and_holidays_weigh_what_the_file_says),
        cmocka_unit_test(a_day_of_23_or_25_hours_passes_evenly),
        cmocka_unit_test(a_day_whose_midnight_does_not_exist_begins_with_the_jump),
        cmocka_unit_test(a_day_whose_midnight_comes_twice_begins_with_the_first),
        cmocka_unit_test(week_53_is_a_week_like_any_other),
        cmocka_unit_test(provisional_is_told_without_targets_too),
        cmocka_unit_test(service_is_judged_by_the_first_rule_that_holds),
        cmocka_unit_test(a_fall_is_not_told_of_a_period_before_the_floor),
        cmocka_unit_test(rounding_never_decides_the_state_of_service),
        cmocka_unit_test(ratings_needed_restores_the_floor_exactly),
        cmocka_unit_test(promises_are_broken_beyond_their_threshold_not_at_it),
        cmocka_unit_test(every_broken_promise_is_told_in_the_order_of_the_file),
        cmocka_unit_test(all_twelve_verdicts_can_be_reached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

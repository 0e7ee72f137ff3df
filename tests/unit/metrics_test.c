#include "consumers/comparison/metrics.h"

#include "tests/unit/scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void every_metric_has_a_name_of_its_own_and_labels_in_both_languages(void **state)
{
    (void)state;
    for (size_t i = 0; i < metrics_count(); i++) {
        const struct metric *metric = metrics_at(i);
        assert_ptr_equal(metrics_find(text_of(metric->name)), metric);
        assert_true(metric->label[0][0] && metric->label[1][0]);
        assert_true(metric->group == METRIC_TARGET || (metric->num && metric->n));
    }
}

static void a_metric_is_found_with_its_suffix(void **state)
{
    (void)state;
    assert_string_equal(metrics_find(text_of("revenue:EUR"))->name, "revenue");
    assert_string_equal(metrics_find(text_of("pace_pct:revenue:EUR"))->name, "pace_pct");
    assert_null(metrics_find(text_of("")));
    assert_null(metrics_find(text_of("revenues")));
}

static void sale_metrics_follow_their_formulas(void **state)
{
    (void)state;
    scene_expect(
        &(struct scene){.sale =
                            "orders=7 orders:RON=6 units=9 interactions=5 "
                            "interactions_prospect=2 referred=3 warranty_units=4 net:RON=100000 "
                            "net_costed:RON=80000 cost:RON=50000 refund_net:RON=9000 "
                            "refund_net_costed:RON=6000 refund_cost:RON=1500 "
                            "assisted_net:RON=20000 refund_assisted_net:RON=1801"},
        "orders 7 | units 9 | interactions 5 | interactions_prospect 2 | referred_by_sale 3 | "
        "warranty_units 4 | revenue:RON 91000 | gross_profit:RON 25500 | margin_pct:RON 34.46 | "
        "cost_coverage_pct:RON 80.00 | average_order:RON 16667 | refund_pct:RON 9.00 | "
        "refund_cost_coverage_pct:RON 66.67 | assisted_revenue:RON 18199 | assisted_pct:RON 20.00 | "
        "revenue_change_pct:RON NaN");
}

static void service_metrics_follow_their_formulas(void **state)
{
    (void)state;
    scene_expect(
        &(struct scene){
            .sale = "orders=40 warranty_units=16",
            .service =
                "opened=12 opened_before=1 opened_during=2 opened_after=9 category_problem=4 "
                "resolved=8 reopened=1 contacts_known=7 first_contact=5 first_contact_undone=1 "
                "reopened_known=1 csat_n=8 csat_sum=30 csat_4=3 csat_5=3 nps_n=10 nps_9=3 nps_10=2 "
                "nps_6=1 nps_0=2 ces_n=3 ces_sum=16 ces_5=1 ces_7=1 response_n=3 response_sum=100 "
                "response_b10=2 response_b20=1 resolution_n=1 resolution_sum=7 resolution_b7=1 "
                "turnaround_n=1 turnaround_b31=1 claims=2 settled=4 replaced=3 "
                "settled_in_warranty=3 claim_rejected_in_warranty=1 referred=6"},
        "opened 12 | opened_before 1 | opened_during 2 | opened_after 9 | category_problem 4 | "
        "category_other 0 | after_pct 75.00 | contact_rate 22.50 | csat_pct 75.00 | csat_mean 3.75 | "
        "nps 20.00 | ces_mean 5.33 | ces_easy_pct 66.67 | first_contact_pct 66.67 | "
        "response_p50 10 | response_p90 20 | resolution_p50 7 | resolution_p90 7 | "
        "turnaround_p50 31 | turnaround_p90 31 | response_mean 33.33 | resolution_mean 7.00 | "
        "reopen_pct 12.50 | backlog_change 5 | claim_rate_pct 12.50 | replaced_pct 75.00 | "
        "honoured_pct 66.67 | referred_by_service 6 | csat_n 8 | nps_n 10 | ces_n 3 | "
        "response_n 3 | resolution_n 1 | contacts_known 7 | settled 4 | settled_in_warranty 3");
}

static void customer_metrics_follow_their_formulas(void **state)
{
    (void)state;
    scene_expect(
        &(struct scene){.customer =
                            "customers_new=3 customers_new_by_sale=1 customers_new_by_service=2 "
                            "orders_identified=8 orders_returning=5 orders_after_interaction=6 "
                            "orders_after_service=1 month_buyers=7 retained=2 satisfied=4 "
                            "satisfied_returned=3 dissatisfied=3 dissatisfied_returned=1",
                        .customer_before = "month_buyers=6"},
        "customers_new 3 | interacted_pct 75.00 | buyers 7 | repeat_pct 62.50 | "
        "after_service_pct 20.00 | satisfied_return_pct 75.00 | dissatisfied_return_pct 33.33 | "
        "retention_pct 33.33 | converted_by_sale 1 | converted_by_service 2 | orders_identified 8 | "
        "orders_returning 5 | satisfied 4 | dissatisfied 3");
}

static void an_empty_denominator_makes_a_metric_undefined_never_zero(void **state)
{
    (void)state;
    scene_expect(
        &(struct scene){0},
        "orders 0 | revenue:RON 0 | gross_profit:RON 0 | margin_pct:RON NaN | "
        "cost_coverage_pct:RON NaN | average_order:RON NaN | refund_pct:RON NaN | "
        "assisted_pct:RON NaN | after_pct NaN | contact_rate NaN | csat_pct NaN | csat_mean NaN | "
        "nps NaN | ces_mean NaN | ces_easy_pct NaN | first_contact_pct NaN | response_p50 NaN | "
        "response_mean NaN | reopen_pct NaN | backlog_change 0 | claim_rate_pct NaN | "
        "replaced_pct NaN | honoured_pct NaN | csat_n 0");
}

static void a_negative_denominator_makes_a_metric_undefined(void **state)
{
    (void)state;
    scene_expect(&(struct scene){.sale = "net:RON=100 refund_net:RON=300 assisted_net:RON=50 "
                                         "net_costed:RON=100 refund_net_costed:RON=300",
                                 .service = "csat_n=-1 csat_4=-1 contacts_known=1 reopened_known=2 "
                                            "first_contact=1"},
                 "revenue:RON -200 | assisted_pct:RON NaN | margin_pct:RON NaN | csat_pct NaN | "
                 "refund_pct:RON 300.00 | first_contact_pct NaN | csat_n -1");
}

static void ratings_stay_within_their_scales(void **state)
{
    (void)state;
    scene_expect(&(struct scene){.service = "csat_n=2 csat_4=5 csat_sum=20 nps_n=2 nps_9=5 ces_n=2 "
                                            "ces_7=3 ces_sum=99 contacts_known=2 first_contact=3"},
                 "csat_pct 100.00 | csat_mean 5.00 | nps 100.00 | ces_mean 7.00 | "
                 "ces_easy_pct 100.00 | first_contact_pct 100.00");
    scene_expect(&(struct scene){.service =
                                     "csat_n=2 csat_4=-5 csat_sum=-3 nps_n=2 nps_3=5 ces_n=2 "
                                     "ces_7=-3 ces_sum=1 contacts_known=2 "
                                     "first_contact_undone=3"},
                 "csat_pct 0.00 | csat_mean 1.00 | nps -100.00 | ces_mean 1.00 | "
                 "ces_easy_pct 0.00 | first_contact_pct 0.00");
}

static void other_percentages_may_pass_a_hundred_or_be_negative(void **state)
{
    (void)state;
    scene_expect(&(struct scene){.sale = "orders=2 net:RON=100 net_costed:RON=100 cost:RON=350",
                                 .service = "opened_after=5 resolved=1 reopened=3"},
                 "margin_pct:RON -250.00 | contact_rate 250.00 | reopen_pct 300.00");
}

static void percentages_round_half_away_from_zero(void **state)
{
    (void)state;
    scene_expect(&(struct scene){.sale = "net:RON=20000 refund_net:RON=1"}, "refund_pct:RON 0.01");
    scene_expect(&(struct scene){.sale = "net:RON=20001 refund_net:RON=1"}, "refund_pct:RON 0.00");
    scene_expect(&(struct scene){.sale = "net_costed:RON=20000 cost:RON=20001"},
                 "margin_pct:RON -0.01");
    scene_expect(&(struct scene){.sale = "net_costed:RON=20001 cost:RON=20002"},
                 "margin_pct:RON 0.00");
    scene_expect(&(struct scene){.sale = "net:RON=-5 orders:RON=2"}, "average_order:RON -3");
}

static void what_does_not_fit_64_bits_is_undefined(void **state)
{
    (void)state;
    scene_expect(&(struct scene){.sale = "net:RON=9223372036854775807 refund_net:RON=-1 orders=1 "
                                         "assisted_net:RON=9223372036854775807 orders:RON=1"},
                 "revenue:RON NaN | assisted_revenue:RON 9223372036854775807 | "
                 "assisted_pct:RON 100.00 | average_order:RON 9223372036854775807 | orders 1");
    scene_expect(&(struct scene){.sale = "net:RON=1 refund_net:RON=9223372036854775807"},
                 "refund_pct:RON NaN");
}

static void a_quantile_lies_within_its_bucket(void **state)
{
    (void)state;
    /* bucket 300: 11,264 to 11,519; ranks 2 and 3 of 3: 11264 + 255 * 2 / 3, + 255 */
    scene_expect(&(struct scene){.service = "resolution_n=3 resolution_b300=3"},
                 "resolution_p50 11434 | resolution_p90 11519");
    scene_expect(&(struct scene){.service = "resolution_n=10 resolution_b1=9 resolution_b5=1"},
                 "resolution_p50 1 | resolution_p90 1");
    scene_expect(&(struct scene){.service = "resolution_n=11 resolution_b1=9 resolution_b5=2"},
                 "resolution_p90 5");
    scene_expect(&(struct scene){.service = "resolution_n=0 resolution_b1=9"},
                 "resolution_p90 NaN");
}

static void scope_line_has_no_service(void **state)
{
    (void)state;
    scene_expect(&(struct scene){.scope = "line=phones",
                                 .sale = "orders=3 net:RON=10",
                                 .service = "opened=4 opened_after=4 csat_n=90 csat_5=90",
                                 .customer = "orders_identified=2 orders_returning=1"},
                 "orders 3 | revenue:RON 10 | opened NaN | contact_rate NaN | csat_pct NaN | "
                 "csat_n NaN | referred_by_service NaN | backlog_change NaN | repeat_pct 50.00 | "
                 "service_state unknown | reasons targets 0 < 1 (n=3); csat_n NaN < 20 (n=0)");
}

static void revenue_change_is_told_of_closed_periods_only(void **state)
{
    (void)state;
    struct scene scene = {.sale = "net:RON=150 refund_net:RON=30",
                          .sale_before = "net:RON=100 refund_net:RON=20",
                          .as_of = "2026-12-01T00:00:00+02:00"};
    scene_expect(&scene, "closed 1 | revenue_change_pct:RON 50.00");
    scene.no_previous = true;
    scene_expect(&scene, "revenue_change_pct:RON NaN");
    scene.no_previous = false;
    scene.as_of = "2026-11-30T23:59:59+02:00";
    scene_expect(&scene, "closed 0 | revenue_change_pct:RON NaN");
    scene.as_of = "2026-12-01T00:00:00+02:00";
    scene.sale_before = "net:RON=20 refund_net:RON=20";
    scene_expect(&scene, "revenue_change_pct:RON NaN");
}

static void buyers_and_retention_are_for_months_of_the_whole_business(void **state)
{
    (void)state;
    struct scene scene = {.customer = "month_buyers=3 retained=1",
                          .customer_before = "month_buyers=2"};
    scene_expect(&scene, "buyers 3 | retention_pct 50.00");
    scene.scope = "region=north";
    scene_expect(&scene, "buyers NaN | retention_pct NaN");
    scene.scope = "all";
    scene.period = "2026-Q4";
    scene_expect(&scene, "buyers NaN | retention_pct NaN");
    scene.period = "2026-11";
    scene.no_previous = true;
    scene_expect(&scene, "buyers 3 | retention_pct NaN");
}

static void without_a_count_of_customers_their_metrics_are_undefined(void **state)
{
    (void)state;
    scene_expect(&(struct scene){.sale = "orders=3"},
                 "customers_new NaN | repeat_pct NaN | buyers NaN | retention_pct NaN | "
                 "converted_by_sale NaN | orders_identified NaN | dissatisfied NaN");
}

static void what_looks_back_needs_the_ledger(void **state)
{
    (void)state;
    struct scene scene = {.customer = "orders_identified=4 orders_returning=2 "
                                      "orders_after_interaction=1 orders_after_service=1 "
                                      "satisfied=1 dissatisfied=1",
                          .ledger_from = calendar_day(2026, 11, 1)};
    scene_expect(&scene, "interacted_pct 25.00 | after_service_pct 50.00 | "
                         "satisfied_return_pct 0.00 | dissatisfied_return_pct 0.00");
    scene.ledger_from++;
    scene_expect(&scene, "interacted_pct NaN | after_service_pct NaN | satisfied_return_pct NaN | "
                         "dissatisfied_return_pct NaN | repeat_pct 50.00");
}

static void each_currency_is_counted_by_itself_in_the_order_of_codes(void **state)
{
    (void)state;
    static const char *const currencies[] = {"RON", "EUR", "JPY", NULL};
    struct scene scene = {.sale = "net:RON=100 net:EUR=7 orders:EUR=2", .currencies = currencies};
    scene_expect(&scene, "revenue:RON 100 | revenue:EUR 7 | revenue:JPY 0 | average_order:EUR 4 | "
                         "average_order:JPY NaN");
    struct fields *fields = scene_play(&scene);
    const char *seen = NULL;
    for (size_t i = 0; i < fields_count(fields); i++) {
        const char *name = fields_at(fields, i).name;
        if (strncmp(name, "revenue:", 8) == 0) {
            assert_true(!seen || strcmp(seen, name) < 0);
            seen = name;
        }
    }
    fields_free(fields);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_metric_has_a_name_of_its_own_and_labels_in_both_languages),
        cmocka_unit_test(a_metric_is_found_with_its_suffix),
        cmocka_unit_test(sale_metrics_follow_their_formulas),
        cmocka_unit_test(service_metrics_follow_their_formulas),
        cmocka_unit_test(customer_metrics_follow_their_formulas),
        cmocka_unit_test(an_empty_denominator_makes_a_metric_undefined_never_zero),
        cmocka_unit_test(a_negative_denominator_makes_a_metric_undefined),
        cmocka_unit_test(ratings_stay_within_their_scales),
        cmocka_unit_test(other_percentages_may_pass_a_hundred_or_be_negative),
        cmocka_unit_test(percentages_round_half_away_from_zero),
        cmocka_unit_test(what_does_not_fit_64_bits_is_undefined),
        cmocka_unit_test(a_quantile_lies_within_its_bucket),
        cmocka_unit_test(scope_line_has_no_service),
        cmocka_unit_test(revenue_change_is_told_of_closed_periods_only),
        cmocka_unit_test(buyers_and_retention_are_for_months_of_the_whole_business),
        cmocka_unit_test(without_a_count_of_customers_their_metrics_are_undefined),
        cmocka_unit_test(what_looks_back_needs_the_ledger),
        cmocka_unit_test(each_currency_is_counted_by_itself_in_the_order_of_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/book.h"
#include "tests/unit/event_maker.h"

#include "common/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define TIME "2026-11-23T12:00:00Z"
#define DAY  "2026-11-23"

static struct book book;

static int set_up(void **state)
{
    (void)state;
    book_open(&book, &service_kind, "region,channel,rep,line", "Europe/Bucharest");
    return 0;
}

static int take_down(void **state)
{
    (void)state;
    book_close(&book);
    return 0;
}

/* Members of an event's data and everything it adds to the day, and to the hour. */
struct fold_case {
    const char *members, *cells;
};

static void expect_all(const char *type, const struct fold_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        book_clear(&book);
        book_add(&book, type, TIME, cases[i].members);
        book_expect(&book, DAY, "all", cases[i].cells);
        book_expect(&book, DAY "T14", "all", cases[i].cells);
    }
}

#define EXPECT_ALL(type, cases) expect_all(type, cases, sizeof cases / sizeof *cases)

static void a_ticket_counts_its_phase_category_and_who_opened_it(void **state)
{
    (void)state;
    static const char *const phases[] = {"before", "during", "after"};
    static const char *const categories[] = {"question",   "problem",   "guidance",
                                             "prevention", "upsell",    "bond",
                                             "warranty",   "complaint", "other"};
    for (int p = 0; p < 3; p++) {
        for (int c = 0; c < 9; c++) {
            char members[96], cells[128];
            snprintf(members, sizeof members, "'phase':'%s','category':'%s'%s", phases[p],
                     categories[c],
                     c % 2 ? ",'by':'company'"
                     : c   ? ",'by':'customer'"
                           : "");
            snprintf(cells, sizeof cells, "opened=1 opened_%s=1 category_%s=1%s", phases[p],
                     categories[c], c % 2 ? " opened_by_company=1" : "");
            expect_all("service.opened", &(struct fold_case){members, cells}, 1);
        }
    }
}

static void a_resolution_counts_what_is_known_of_it(void **state)
{
    (void)state;
    static const struct fold_case cases[] = {
        {"", "resolved=1"},
        {"'contacts':1", "resolved=1 contacts_known=1 first_contact=1"},
        {"'contacts':2", "resolved=1 contacts_known=1"},
        {"'resolution':0", "resolved=1 resolution_n=1 resolution_b0=1"},
        {"'resolution':5400", "resolved=1 resolution_n=1 resolution_sum=5400 resolution_b266=1"},
        {"'first_response':31", "resolved=1 response_n=1 response_sum=31 response_b31=1"},
        {"'first_response':32", "resolved=1 response_n=1 response_sum=32 response_b32=1"},
        {"'resolution':315360000,'first_response':1",
         "resolved=1 resolution_n=1 resolution_sum=315360000 resolution_b773=1 response_n=1 "
         "response_sum=1 response_b1=1"},
    };
    EXPECT_ALL("service.resolved", cases);
    assert_int_equal(histogram_bucket(5400), 266);
    assert_int_equal(histogram_bucket(315360000), 773);
}

static void a_reopened_ticket_takes_a_first_contact_back(void **state)
{
    (void)state;
    static const struct fold_case cases[] = {
        {"", "reopened=1"},
        {"'was_first_contact':false", "reopened=1 reopened_known=1"},
        {"'was_first_contact':true", "reopened=1 reopened_known=1 first_contact_undone=1"},
    };
    EXPECT_ALL("service.reopened", cases);
}

static void a_rating_counts_its_score(void **state)
{
    (void)state;
    static const struct {
        const char *scale;
        int least, greatest;
    } scales[] = {{"csat", 1, 5}, {"nps", 0, 10}, {"ces", 1, 7}};
    for (int s = 0; s < 3; s++) {
        for (int score = scales[s].least; score <= scales[s].greatest; score++) {
            char members[64], cells[96], sum[32] = "";
            if (score)
                snprintf(sum, sizeof sum, " %s_sum=%d", scales[s].scale, score);
            snprintf(members, sizeof members, "'scale':'%s','score':%d", scales[s].scale, score);
            snprintf(cells, sizeof cells, "%s_n=1 %s_%d=1%s", scales[s].scale, scales[s].scale,
                     score, sum);
            expect_all("service.rated", &(struct fold_case){members, cells}, 1);
        }
    }
}

static void a_changed_answer_takes_the_old_score_out(void **state)
{
    (void)state;
    static const struct fold_case cases[] = {
        {"'scale':'csat','score':5,'previous':2", "csat_sum=3 csat_5=1 csat_2=-1"},
        {"'scale':'csat','score':1,'previous':5", "csat_sum=-4 csat_1=1 csat_5=-1"},
        {"'scale':'nps','score':0,'previous':10", "nps_sum=-10 nps_0=1 nps_10=-1"},
        {"'scale':'ces','score':7,'previous':1", "ces_sum=6 ces_7=1 ces_1=-1"},
        {"'scale':'csat','score':4,'previous':4", ""},
    };
    EXPECT_ALL("service.rated", cases);
}

static void an_answer_changed_on_another_day_changes_that_day(void **state)
{
    (void)state;
    book_add(&book, "service.rated", TIME, "'scale':'csat','score':2");
    book_add(&book, "service.rated", "2026-11-24T12:00:00Z",
             "'scale':'csat','score':5,'previous':2");
    book_expect(&book, DAY, "all", "csat_n=1 csat_sum=2 csat_2=1");
    book_expect(&book, "2026-11-24", "all", "csat_sum=3 csat_2=-1 csat_5=1");
}

/* The last day of a warranty is the same day of a later month, or that month's last. */
static void a_claim_is_in_warranty_until_the_end_of_its_last_local_day(void **state)
{
    (void)state;
    static const struct {
        const char *purchased;
        int months;
        const char *time, *day;
        bool inside;
    } cases[] = {
        {"2024-11-23", 24, "2026-11-23T23:59:59+02:00", "2026-11-23", true},
        {"2024-11-23", 24, "2026-11-24T00:00:00+02:00", "2026-11-24", false},
        {"2024-11-23", 24, "2026-11-23T21:59:59Z", "2026-11-23", true},
        {"2024-11-23", 24, "2026-11-23T22:00:00Z", "2026-11-24", false},
        {"2026-11-23", 0, "2026-11-23T12:00:00Z", "2026-11-23", true},
        {"2026-11-23", 0, "2026-11-24T12:00:00Z", "2026-11-24", false},
        {"2026-12-01", 0, "2026-11-24T12:00:00Z", "2026-11-24", true}, /* before it was bought */
        {"2026-01-31", 1, "2026-02-28T12:00:00Z", "2026-02-28", true},
        {"2026-01-31", 1, "2026-03-01T12:00:00Z", "2026-03-01", false},
        {"2024-01-31", 1, "2024-02-29T12:00:00Z", "2024-02-29", true},
        {"2024-02-29", 12, "2025-02-28T12:00:00Z", "2025-02-28", true},
        {"2024-02-29", 12, "2025-03-01T12:00:00Z", "2025-03-01", false},
        {"2024-02-29", 48, "2028-02-29T12:00:00Z", "2028-02-29", true},
        {"2023-12-31", 2, "2024-02-29T12:00:00Z", "2024-02-29", true},
        {"0001-01-01", 600, "2026-11-23T12:00:00Z", "2026-11-23", false},
        {"9999-12-31", 600, "2026-11-23T12:00:00Z", "2026-11-23", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char members[128];
        snprintf(members, sizeof members, "'product':'p','purchased':'%s','warranty_months':%d",
                 cases[i].purchased, cases[i].months);
        book_clear(&book);
        book_add(&book, "service.claimed", cases[i].time, members);
        book_expect(&book, cases[i].day, "all",
                    cases[i].inside ? "claims=1 claims_in_warranty=1" : "claims=1");
    }
}

static void a_settlement_counts_its_outcome(void **state)
{
    (void)state;
    static const struct fold_case cases[] = {
        {"'outcome':'replaced','in_warranty':true", "settled=1 settled_in_warranty=1 replaced=1"},
        {"'outcome':'repaired','in_warranty':false", "settled=1 repaired=1"},
        {"'outcome':'refunded','in_warranty':true",
         "settled=1 settled_in_warranty=1 claim_refunded=1"},
        {"'outcome':'rejected','in_warranty':false", "settled=1 claim_rejected=1"},
        {"'outcome':'rejected','in_warranty':true",
         "settled=1 settled_in_warranty=1 claim_rejected=1 claim_rejected_in_warranty=1"},
        {"'outcome':'replaced','in_warranty':false,'turnaround':64",
         "settled=1 replaced=1 turnaround_n=1 turnaround_sum=64 turnaround_b64=1"},
    };
    EXPECT_ALL("service.settled", cases);
    static const struct fold_case referral = {"'customer':'c'", "referred=1"};
    expect_all("service.referred", &referral, 1);
}

static void every_scope_of_an_event_gets_the_whole_of_it(void **state)
{
    (void)state;
    book_add(&book, "service.resolved", TIME,
             "'contacts':1,'resolution':40,'region':'n','channel':'chat','rep':'ana'");
    static const char *const scopes[] = {"all", "region=n", "channel=chat", "rep=ana"};
    for (int i = 0; i < 4; i++)
        book_expect(&book, DAY, scopes[i],
                    "resolved=1 contacts_known=1 first_contact=1 resolution_n=1 resolution_sum=40 "
                    "resolution_b40=1");
}

/* For each histogram: as many in the buckets as its n, for each scale: as many scores. */
static void buckets_and_scores_add_up_to_their_counts(void **state)
{
    (void)state;
    static const char *const sets[][4] = {
        {"response", "_b", "0", "1000"},   {"resolution", "_b", "0", "1000"},
        {"turnaround", "_b", "0", "1000"}, {"csat", "_", "1", "5"},
        {"nps", "_", "0", "10"},           {"ces", "_", "1", "7"},
    };
    static struct maker_dice dice;
    dice.seed = 5;
    for (int i = 0; i < 3000; i++) {
        maker_roll(&dice, (enum event_type)(EVENT_SERVICE_OPENED + i % 7),
                   (uint64_t)maker_below(&dice, 1 << MAKER_CHOICES));
        dice.event.time_ms = 1795435200000;
        fold_event(&book.fold, &dice.event);
    }
    for (size_t s = 0; s < sizeof sets / sizeof *sets; s++) {
        char field[64];
        int64_t sum = 0;
        for (int k = atoi(sets[s][2]); k <= atoi(sets[s][3]); k++) {
            snprintf(field, sizeof field, "%s%s%d", sets[s][0], sets[s][1], k);
            sum += book_cell(&book, DAY, "all", field);
        }
        snprintf(field, sizeof field, "%s_n", sets[s][0]);
        assert_int_equal(sum, book_cell(&book, DAY, "all", field));
        assert_in_range(sum, 20, 3000);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_ticket_counts_its_phase_category_and_who_opened_it),
        TEST(a_resolution_counts_what_is_known_of_it),
        TEST(a_reopened_ticket_takes_a_first_contact_back),
        TEST(a_rating_counts_its_score),
        TEST(a_changed_answer_takes_the_old_score_out),
        TEST(an_answer_changed_on_another_day_changes_that_day),
        TEST(a_claim_is_in_warranty_until_the_end_of_its_last_local_day),
        TEST(a_settlement_counts_its_outcome),
        TEST(every_scope_of_an_event_gets_the_whole_of_it),
        TEST(buckets_and_scores_add_up_to_their_counts),
    };
    return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}

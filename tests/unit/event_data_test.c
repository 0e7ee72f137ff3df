/* The fields of data, through the decoder. */
#include "common/event.h"

#include "common/currency.h"
#include "tests/unit/event_maker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct decoder *decoder;

static int set_up(void **state)
{
    (void)state;
    decoder = maker_decoder();
    return 0;
}

static int take_down(void **state)
{
    (void)state;
    decoder_free(decoder);
    return 0;
}

/* What decoding says of an event with these members of data: "valid", "bad_field data.net". */
static void expect(const char *type, const char *members, const char *expected)
{
    char *json = maker_json(type, "2026-11-23T12:00:00Z", members), said[160];
    struct record record = maker_record(text_of(json));
    struct event event;
    struct rejection why = {0};
    enum verdict verdict = decoder_decode(decoder, &record, SIDES, &event, &why);
    snprintf(said, sizeof said, "%s%s%s",
             verdict == VERDICT_REJECTED ? reject_name(why.reason) : verdict_name(verdict),
             why.field[0] ? " " : "", why.field);
    if (strcmp(said, expected) != 0)
        fail_msg("%s %s: %s, not %s (%s)", type, members, said, expected, why.detail);
    free(json);
}

/* Members of data, and what decoding says of them. */
struct member_case {
    const char *members, *expected;
};

static void expect_all(const char *type, const struct member_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect(type, cases[i].members, cases[i].expected);
}

#define EXPECT_ALL(type, cases) expect_all(type, cases, sizeof cases / sizeof *cases)
#define LONG64                  "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff.-_Z"

static void slugs_are_short_and_plain(void **state)
{
    (void)state;
    static const struct member_case cases[] = {
        {"'customer':'" LONG64 "'", "valid"},
        {"'customer':'" LONG64 "x'", "bad_field data.customer"},
        {"'customer':''", "bad_field data.customer"},
        {"'customer':'a b'", "bad_field data.customer"},
        {"'customer':'a@b.c'", "bad_field data.customer"},
        {"'customer':'\\u0219'", "bad_field data.customer"},
        {"'customer':'a\\u0000'", "bad_field data.customer"},
        {"'customer':'a=b'", "bad_field data.customer"},
        {"'customer':null", "bad_field data.customer"},
        {"'customer':7", "bad_field data.customer"},
        {"'customer':'a','region':'b/c'", "bad_field data.region"},
        {"'customer':'a','rep':[]", "bad_field data.rep"},
        {"'customer':'a','channel':{}", "bad_field data.channel"},
        {"'customer':'a','referrer':'b c'", "bad_field data.referrer"},
        {"'region':'x'", "missing_field data.customer"},
    };
    EXPECT_ALL("sale.referred", cases);
    EXPECT_ALL("service.referred", cases);
}

static void labels_are_at_most_eight_slugs(void **state)
{
    (void)state;
    static const struct member_case cases[] = {
        {"'customer':'c','labels':{}", "valid"},
        {"'customer':'c','labels':{'a':'1','b':'1','c':'1','d':'1','e':'1','f':'1','g':'1',"
         "'h':'1'}",
         "valid"},
        {"'customer':'c','labels':{'a':'1','b':'1','c':'1','d':'1','e':'1','f':'1','g':'1',"
         "'h':'1','i':'1'}",
         "bad_field data.labels"},
        {"'customer':'c','labels':[]", "bad_field data.labels"},
        {"'customer':'c','labels':null", "bad_field data.labels"},
        {"'customer':'c','labels':{'':'1'}", "bad_field data.labels"},
        {"'customer':'c','labels':{'a b':'1'}", "bad_field data.labels"},
        {"'customer':'c','labels':{'a':''}", "bad_field data.labels.a"},
        {"'customer':'c','labels':{'a':'x','b':1}", "bad_field data.labels.b"},
        {"'customer':'c','labels':{'" LONG64 "':null}", "bad_field data.labels." LONG64},
        {"'customer':'c','labels':{'a':'x','a':'y'}", "duplicate_key"},
    };
    EXPECT_ALL("sale.referred", cases);
}

static void the_fields_of_a_sale_are_checked_in_their_order(void **state)
{
    (void)state;
    static const struct member_case cases[] = {
        {"'currency':'RON','net':0", "valid"},
        {"'net':-1", "missing_field data.currency"},
        {"'currency':'ron','net':-1", "bad_field data.currency"},
        {"'currency':'EURO'", "bad_field data.currency"},
        {"'currency':978", "bad_field data.currency"},
        {"'currency':'XAU'", "currency_unknown data.currency"},
        {"'currency':'ABC','net':-1", "currency_unknown data.currency"},
        {"'currency':'RON','discount':-1", "missing_field data.net"},
        {"'currency':'RON','net':-1,'discount':null", "amount_range data.net"},
        {"'currency':'RON','net':1000000000000", "valid"},
        {"'currency':'RON','net':1000000000001", "amount_range data.net"},
        {"'currency':'RON','net':5.0", "bad_field data.net"},
        {"'currency':'RON','net':'5'", "bad_field data.net"},
        {"'currency':'RON','net':1,'discount':-1,'cost':-1", "amount_range data.discount"},
        {"'currency':'RON','net':1,'cost':-1,'units':-1", "amount_range data.cost"},
        {"'currency':'RON','net':1,'units':1000001", "bad_field data.units"},
        {"'currency':'RON','net':1,'units':-1,'warranty_units':-1", "bad_field data.units"},
        {"'currency':'RON','net':1,'units':1000000,'warranty_units':1000000", "valid"},
        {"'currency':'RON','net':1,'warranty_units':-1", "bad_field data.warranty_units"},
        {"'currency':'RON','net':1,'warranty_units':2,'assist_ticket':''",
         "bad_field data.assist_ticket"},
        {"'currency':'RON','net':1,'warranty_units':2,'items':{}", "bad_field data.items"},
        {"'currency':'RON','net':1,'warranty_units':2", "bad_field data.warranty_units"},
        {"'currency':'RON','net':1,'units':0,'warranty_units':1", "bad_field data.warranty_units"},
        {"'currency':'RON','net':1,'warranty_units':1,'unknown':null", "valid"},
    };
    EXPECT_ALL("sale.completed", cases);
}

#define SALE       "'currency':'RON','net':10,"
#define ITEM(more) "{'sku':'s','qty':2," more "}"

static void items_are_checked_one_after_the_other(void **state)
{
    (void)state;
    static const struct member_case cases[] = {
        {SALE "'items':[]", "valid"},
        {SALE "'items':null", "bad_field data.items"},
        {SALE "'items':[7]", "bad_field data.items[0]"},
        {SALE "'items':[" ITEM("'net':10") ",null]", "bad_field data.items[1]"},
        {SALE "'items':[{'qty':1,'net':1}]", "missing_field data.items[0].sku"},
        {SALE "'items':[{'sku':'','qty':1,'net':1}]", "bad_field data.items[0].sku"},
        {SALE "'items':[{'sku':'s','line':'a b','net':1}]", "bad_field data.items[0].line"},
        {SALE "'items':[{'sku':'s','net':-1}]", "missing_field data.items[0].qty"},
        {SALE "'items':[{'sku':'s','qty':1.5,'net':-1}]", "bad_field data.items[0].qty"},
        {SALE "'items':[" ITEM("'cost':1") "]", "missing_field data.items[0].net"},
        {SALE "'items':[" ITEM("'net':-1,'cost':null") "]", "amount_range data.items[0].net"},
        {SALE "'items':[" ITEM("'net':10,'cost':-1") "]", "amount_range data.items[0].cost"},
        {SALE "'items':[" ITEM("'net':4") "," ITEM("'net':6") "]", "valid"},
        {SALE "'items':[" ITEM("'net':4") "," ITEM("'net':5") "]", "amount_mismatch data.net"},
        {SALE "'cost':3,'items':[" ITEM("'net':10,'cost':3") "]", "valid"},
        {SALE "'cost':3,'items':[" ITEM("'net':10,'cost':4") "]", "amount_mismatch data.cost"},
        {SALE "'cost':3,'items':[" ITEM("'net':4,'cost':4") "," ITEM("'net':6") "]", "valid"},
        {SALE "'warranty_units':4,'items':[" ITEM("'net':4") "," ITEM("'net':6") "]", "valid"},
        {SALE "'warranty_units':5,'items':[" ITEM("'net':4") "," ITEM("'net':6") "]",
         "bad_field data.warranty_units"},
        {SALE "'warranty_units':5,'items':[" ITEM("'net':4") "]", "bad_field data.warranty_units"},
        {SALE "'items':[" ITEM("'net':10,'sku':'t'") "]", "duplicate_key"},
    };
    EXPECT_ALL("sale.completed", cases);
}

static void two_hundred_items_are_read_and_one_more_is_not(void **state)
{
    (void)state;
    for (int count = 199; count <= 201; count++) {
        char members[12000];
        int len = sprintf(members, "'currency':'RON','net':%d,'items':[", count);
        for (int i = 0; i < count; i++)
            len +=
                sprintf(members + len, "%s{'sku':'s%d','qty':1,'net':1,'cost':0}", i ? "," : "", i);
        strcpy(members + len, "]");
        expect("sale.completed", members, count > 200 ? "bad_field data.items" : "valid");
    }
}

static struct event read_event(const char *type, const char *members, char **json)
{
    return maker_event(decoder, type, "2026-11-23T12:00:00Z", members, json);
}

static void units_and_cost_of_a_sale_come_from_where_the_contract_says(void **state)
{
    (void)state;
    static const struct {
        const char *members;
        int64_t units, cost;
        bool has_units, has_cost;
    } cases[] = {
        {SALE "'x':1", 1, 0, false, false},
        {SALE "'units':7,'cost':0", 7, 0, true, true},
        {SALE "'items':[]", 1, 0, false, false},
        {SALE "'items':[" ITEM("'net':4") "," ITEM("'net':6,'cost':2") "]", 4, 0, false, false},
        {SALE "'items':[" ITEM("'net':4,'cost':1") "," ITEM("'net':6,'cost':2") "]", 4, 3, false,
         true},
        {SALE "'units':0,'items':[" ITEM("'net':10") "]", 0, 0, true, false},
        {SALE "'cost':9,'items':[" ITEM("'net':10") "]", 2, 9, false, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *json;
        struct event event = read_event("sale.completed", cases[i].members, &json);
        assert_int_equal(event.sale.units, cases[i].units);
        assert_int_equal(event.sale.has_units, cases[i].has_units);
        assert_int_equal(event.sale.cost, cases[i].cost);
        assert_int_equal(event.sale.has_cost, cases[i].has_cost);
        free(json);
    }
}

#define REFUND "'order':'o','currency':'RON','net':10,"

static void the_fields_of_a_refund_are_checked_in_their_order(void **state)
{
    (void)state;
    static const struct member_case cases[] = {
        {REFUND "'reason':'other'", "valid"},
        {"'currency':'x'", "missing_field data.order"},
        {"'order':'o','net':1", "missing_field data.currency"},
        {"'order':'o','currency':'RON'", "missing_field data.net"},
        {REFUND "'cost':-1,'units':-1", "amount_range data.cost"},
        {REFUND "'units':-1,'full':1", "bad_field data.units"},
        {REFUND "'full':1", "bad_field data.full"},
        {REFUND "'full':'true'", "bad_field data.full"},
        {REFUND "'assist_ticket':''", "missing_field data.reason"},
        {REFUND "'reason':'Return'", "bad_field data.reason"},
        {REFUND "'reason':1,'assist_ticket':''", "bad_field data.reason"},
        {REFUND "'reason':'price','assist_ticket':'','line':''", "bad_field data.assist_ticket"},
        {REFUND "'reason':'price','line':'a b'", "bad_field data.line"},
    };
    EXPECT_ALL("sale.refunded", cases);
}

static void the_cost_of_a_refund_is_known_without_goods_to_take_back(void **state)
{
    (void)state;
    for (int r = 0; r < REFUND_REASONS; r++) {
        char members[128], *json;
        const char *reason = event_refund_reason_words[r];
        snprintf(members, sizeof members, REFUND "'reason':'%s'", reason);
        struct event event = read_event("sale.refunded", members, &json);
        assert_int_equal(event.refund.has_cost,
                         !strcmp(reason, "price") || !strcmp(reason, "chargeback"));
        assert_int_equal(event.refund.cost, 0);
        free(json);
        snprintf(members, sizeof members, REFUND "'cost':4,'reason':'%s'", reason);
        event = read_event("sale.refunded", members, &json);
        assert_true(event.refund.has_cost);
        assert_int_equal(event.refund.cost, 4);
        free(json);
    }
}

static void interactions_tickets_and_resolutions_are_checked_in_order(void **state)
{
    (void)state;
    static const struct member_case interaction[] = {
        {"'kind':'lead'", "valid"},
        {"'prospect':1", "missing_field data.kind"},
        {"'kind':'email','prospect':1", "bad_field data.kind"},
        {"'kind':'call','prospect':null", "bad_field data.prospect"},
    };
    static const struct member_case opened[] = {
        {"'phase':'after','category':'bond'", "valid"},
        {"'category':'x'", "missing_field data.phase"},
        {"'phase':'later'", "bad_field data.phase"},
        {"'phase':'after','by':'x'", "missing_field data.category"},
        {"'phase':'after','category':'x','by':'x'", "bad_field data.category"},
        {"'phase':'after','category':'bond','by':'seller'", "bad_field data.by"},
        {"'phase':'after','category':'bond','by':null", "bad_field data.by"},
    };
    static const struct member_case resolved[] = {
        {"", "valid"},
        {"'contacts':0,'resolution':-1", "bad_field data.contacts"},
        {"'contacts':1000000,'resolution':315360000,'first_response':0", "valid"},
        {"'contacts':1000001", "bad_field data.contacts"},
        {"'resolution':315360001,'first_response':-1", "bad_field data.resolution"},
        {"'first_response':-1", "bad_field data.first_response"},
    };
    static const struct member_case reopened[] = {
        {"", "valid"},
        {"'was_first_contact':true", "valid"},
        {"'was_first_contact':'true'", "bad_field data.was_first_contact"},
    };
    EXPECT_ALL("sale.interaction", interaction);
    EXPECT_ALL("service.opened", opened);
    EXPECT_ALL("service.resolved", resolved);
    EXPECT_ALL("service.reopened", reopened);
}

static void scores_lie_in_the_range_of_their_scale(void **state)
{
    (void)state;
    static const struct {
        const char *scale;
        int least, greatest;
    } scales[] = {{"csat", 1, 5}, {"nps", 0, 10}, {"ces", 1, 7}};
    for (int s = 0; s < 3; s++) {
        for (int score = -2; score <= 12; score++) {
            char members[96];
            bool good = score >= scales[s].least && score <= scales[s].greatest;
            snprintf(members, sizeof members, "'scale':'%s','score':%d", scales[s].scale, score);
            expect("service.rated", members, good ? "valid" : "bad_field data.score");
            snprintf(members, sizeof members, "'scale':'%s','score':%d,'previous':%d",
                     scales[s].scale, scales[s].least, score);
            expect("service.rated", members, good ? "valid" : "bad_field data.previous");
        }
    }
    expect("service.rated", "'score':5", "missing_field data.scale");
    expect("service.rated", "'scale':'stars','score':5", "bad_field data.scale");
    expect("service.rated", "'scale':'csat','previous':9", "missing_field data.score");
    expect("service.rated", "'scale':'csat','score':4.0", "bad_field data.score");
    expect("service.rated", "'ticket':'','scale':'x'", "bad_field data.ticket");
}

static void claims_and_settlements_are_checked_in_their_order(void **state)
{
    (void)state;
    static const struct member_case claimed[] = {
        {"'product':'p','purchased':'2026-01-10','warranty_months':0", "valid"},
        {"'product':'p','purchased':'0001-01-01','warranty_months':600", "valid"},
        {"'product':'p','purchased':'9999-12-31','warranty_months':600", "valid"},
        {"'purchased':'x'", "missing_field data.product"},
        {"'product':'p','warranty_months':-1", "missing_field data.purchased"},
        {"'product':'p','purchased':'2026-02-29'", "bad_field data.purchased"},
        {"'product':'p','purchased':'0000-01-01'", "bad_field data.purchased"},
        {"'product':'p','purchased':'2026-1-10'", "bad_field data.purchased"},
        {"'product':'p','purchased':'2026-01-10'", "missing_field data.warranty_months"},
        {"'product':'p','purchased':'2026-01-10','warranty_months':601,'ticket':''",
         "bad_field data.warranty_months"},
        {"'product':'p','purchased':'2026-01-10','warranty_months':6,'ticket':''",
         "bad_field data.ticket"},
    };
    static const struct member_case settled[] = {
        {"'outcome':'replaced','in_warranty':false", "valid"},
        {"'in_warranty':1", "missing_field data.outcome"},
        {"'outcome':'lost'", "bad_field data.outcome"},
        {"'outcome':'repaired','turnaround':-1", "missing_field data.in_warranty"},
        {"'outcome':'repaired','in_warranty':1", "bad_field data.in_warranty"},
        {"'outcome':'repaired','in_warranty':true,'turnaround':-1", "bad_field data.turnaround"},
    };
    EXPECT_ALL("service.claimed", claimed);
    EXPECT_ALL("service.settled", settled);
}

static void one_events_fields_do_not_leak_into_the_next(void **state)
{
    (void)state;
    char *json;
    struct event event = read_event("sale.completed",
                                    SALE "'customer':'c','labels':{'a':'b'},'cost':3,'discount':2,"
                                         "'assist_ticket':'t','items':[" ITEM("'net':10") "]",
                                    &json);
    assert_int_equal(event.label_count, 1);
    assert_int_equal(event.sale.item_count, 1);
    assert_null(event.sale.items[0].line.at);
    free(json);
    event = read_event("sale.completed", SALE "'x':1", &json);
    assert_null(event.customer.at);
    assert_null(event.partitionkey.at);
    assert_int_equal(event.label_count, 0);
    assert_int_equal(event.sale.item_count, 0);
    assert_false(event.sale.has_cost || event.sale.has_discount);
    assert_int_equal(event.sale.cost + event.sale.discount, 0);
    assert_null(event.sale.assist_ticket.at);
    assert_int_equal(event.sale.currency, currency_find(text_of("RON")));
    free(json);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, take_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(slugs_are_short_and_plain),
        TEST(labels_are_at_most_eight_slugs),
        TEST(the_fields_of_a_sale_are_checked_in_their_order),
        TEST(items_are_checked_one_after_the_other),
        TEST(two_hundred_items_are_read_and_one_more_is_not),
        TEST(units_and_cost_of_a_sale_come_from_where_the_contract_says),
        TEST(the_fields_of_a_refund_are_checked_in_their_order),
        TEST(the_cost_of_a_refund_is_known_without_goods_to_take_back),
        TEST(interactions_tickets_and_resolutions_are_checked_in_order),
        TEST(scores_lie_in_the_range_of_their_scale),
        TEST(claims_and_settlements_are_checked_in_their_order),
        TEST(one_events_fields_do_not_leak_into_the_next),
    };
    return cmocka_run_group_tests_name("event_data", tests, NULL, NULL);
}

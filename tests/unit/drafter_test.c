#include "producers/import/drafter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#define ORDER                                                                             \
    "{'source':'/s','zone':'Europe/Bucharest','skip':[{'column':'state','in':['test']}]," \
    "'events':[{'type':'sale.completed','id':'o:{no}','group_by':'no','currency':'EUR',"  \
    "'time':{'column':'day','format':'YYYY-MM-DD','at':'12:00'},'order':{'column':'no'}," \
    "'customer':{'column':'who','slug':true},'items':{'sku':{'column':'sku'},'qty':1,"    \
    "'net':{'column':'net'},'cost':{'column':'net','minus':'profit'}}}]}"
#define HEADER "no,day,who,sku,net,profit,state"

#define TICKET                                                                             \
    "{'source':'/s','zone':'Europe/Bucharest','numbers':{'decimal':',','grouping':'.',"    \
    "'ignore':['h']},'events':[{'type':'service.resolved','id':'t:{t}',"                   \
    "'time':{'template':'{d} {c}','format':'D-MMM-YYYY H:MM','plus':{'column':'h',"        \
    "'unit':'hours'}},'ticket':{'column':'t'},'resolution':{'column':'h','unit':'hours'}," \
    "'first_response':{'column':'m','unit':'minutes','default':60}},"                      \
    "{'type':'service.rated','id':'t:{t}:r','when':[{'column':'s','empty':false}],"        \
    "'time':{'column':'i','format':'ISO'},'rating':{'column':'t'},"                        \
    "'scale':'csat','score':{'column':'s','values':{'good':5,'bad':1}}}]}"

struct world {
    struct mapping *mapping;
    struct zone *zone;
    struct drafter *drafter;
    char said[4096]; /* what the sink got, a line each */
    bool stop;
};

static void say(struct world *world, const char *format, ...)
{
    size_t len = strlen(world->said);
    va_list args;
    va_start(args, format);
    vsnprintf(world->said + len, sizeof world->said - len, format, args);
    va_end(args);
}

static bool on_event(void *context, struct event *event, uint64_t line)
{
    struct world *world = context;
    say(world, "%d %.*s at %lld", (int)line, TEXT_ARG(event->id), (long long)event->time_ms / 1000);
    if (event->type == EVENT_SALE_COMPLETED) {
        say(world, " net %lld cost %lld items %zu", (long long)event->sale.net,
            event->sale.has_cost ? (long long)event->sale.cost : -1LL, event->sale.item_count);
    } else if (event->type == EVENT_SERVICE_RESOLVED) {
        say(world, " after %lld, %lld", (long long)event->resolved.resolution_s,
            (long long)event->resolved.first_response_s);
    } else if (event->type == EVENT_SERVICE_RATED) {
        say(world, " score %d", event->rated.score);
    }
    say(world, "\n");
    return !world->stop;
}

static bool on_refused(void *context, const struct refusal *refusal)
{
    struct world *world = context;
    for (size_t i = 0; i < refusal->line_count; i++) {
        say(world, "%s%d", i ? "," : "", (int)refusal->lines[i]);
    }
    say(world, " %s%s\n", refusal->text, refusal->event ? "" : " [row]");
    return !world->stop;
}

static struct row split(char *line, uint64_t number, struct text fields[16])
{
    struct row row = {number, fields, 0};
    for (char *at = line; at; row.count++) {
        char *comma = strchr(at, ';');
        size_t len = comma ? (size_t)(comma - at) : strlen(at);
        fields[row.count] = (struct text){at, len};
        at = comma ? comma + 1 : NULL;
    }
    return row;
}

static int open_world(struct world *world, const char *quoted, const char *header, bool neighbours,
                      struct error *err)
{
    char json[4096], line[256];
    struct text fields[16];
    struct mistakes *mistakes = mistakes_open();
    struct drafter_sink sink = {world, on_event, on_refused};
    snprintf(json, sizeof json, "%s", quoted);
    snprintf(line, sizeof line, "%s", header);
    for (char *c = json; *c; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    for (char *c = line; *c; c++) {
        *c = *c == ',' ? ';' : *c;
    }
    assert_int_equal(mapping_parse(&world->mapping, json, strlen(json), mistakes, err), 0);
    mistakes_free(mistakes);
    assert_int_equal(zone_open(&world->zone, world->mapping->zone.at, err), 0);
    struct row row = split(line, 1, fields);
    return drafter_open(&world->drafter, world->mapping, world->zone, &row, neighbours, &sink, err);
}

/* Feeds the rows, which end with NULL, and compares what the sink got. Fields are parted by `;`,
 * so that a comma can be a decimal sign. */
static void assert_gives(const char *mapping, const char *header, bool neighbours,
                         const char *const *rows, const char *wanted)
{
    struct world world = {.stop = false};
    struct error err = {0};
    assert_int_equal(open_world(&world, mapping, header, neighbours, &err), 0);
    for (uint64_t i = 0; rows[i]; i++) {
        char line[256];
        struct text fields[16];
        snprintf(line, sizeof line, "%s", rows[i]);
        struct row row = split(line, i + 2, fields);
        assert_true(drafter_row(world.drafter, &row));
        memset(line, '!', sizeof line); /* nothing may still lie in the row */
    }
    assert_true(drafter_end(world.drafter));
    assert_string_equal(world.said, wanted);
    drafter_free(world.drafter);
    zone_free(world.zone);
    mapping_free(world.mapping);
}

#define ROWS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void rows_of_one_order_are_gathered_from_the_whole_file(void **state)
{
    (void)state;
    assert_gives(ORDER, HEADER, false,
                 ROWS("A;2020-01-02;c1;x;1.005;0.5;", "B;2020-01-03;c2;y;7;-1;",
                      "A;2020-01-02;c1;z;1.015;0;"),
                 "2 o:A at 1577959200 net 202 cost 152 items 2\n"
                 "3 o:B at 1578045600 net 700 cost 800 items 1\n");
}

static void an_order_whose_cost_is_not_whole_has_none(void **state)
{
    (void)state;
    assert_gives(ORDER, HEADER, false, ROWS("A;2020-01-02;c1;x;5;1;", "A;2020-01-02;c1;y;5;;"),
                 "2 o:A at 1577959200 net 1000 cost -1 items 2\n");
}

static void a_bad_row_takes_its_order_with_it_and_nothing_else(void **state)
{
    (void)state;
    assert_gives(ORDER, HEADER, false,
                 ROWS("A;2020-01-02;c1;x;5;1;", "B;2020-01-02;c1;x;abc;1;",
                      "A;2020-01-02;c1;y;5;1;", "B;2020-01-02;c1;x;5;1;", "C;2020-02-30;c1;x;5;1;"),
                 "3 column \"net\": \"abc\" is not an amount [row]\n"
                 "6 column \"day\": \"2020-02-30\" does not exist [row]\n"
                 "2 o:A at 1577959200 net 1000 cost 800 items 2\n"
                 "3,5 order \"B\" is refused whole\n"
                 "6 order \"C\" is refused whole\n");
}

static void rows_of_an_order_that_contradict_each_other_refuse_it(void **state)
{
    (void)state;
    assert_gives(ORDER, HEADER, false, ROWS("A;2020-01-02;c1;x;5;1;", "A;2020-01-02;c2;y;5;1;"),
                 "3 column \"who\": customer differs from that of line 2, of the same order [row]\n"
                 "2,3 order \"A\" is refused whole\n");
}

static void a_cost_below_zero_is_told(void **state)
{
    (void)state;
    assert_gives(
        ORDER, HEADER, false, ROWS("A;2020-01-02;c1;x;1;3;"),
        "2 column \"net\": cost would be -200 minor units, allowed is 0-1000000000000 [row]\n"
        "2 order \"A\" is refused whole\n");
}

static void a_row_of_another_width_spoils_its_order(void **state)
{
    (void)state;
    assert_gives(ORDER, HEADER, false, ROWS("A;2020-01-02;c1;x;1;0;", "A;2020-01-02"),
                 "3 2 fields, but the header has 7\n2,3 order \"A\" is refused whole\n");
}

static void skipped_rows_and_empty_numbers_do_not_meet(void **state)
{
    (void)state;
    assert_gives(ORDER, HEADER, false, ROWS("A;;;;;;test", ";2020-01-02;c1;x;1;0;"),
                 "3 column \"no\": is empty\n");
}

static void neighbours_give_each_order_as_it_ends(void **state)
{
    (void)state;
    assert_gives(
        ORDER, HEADER, true,
        ROWS("A;2020-01-02;c1;x;1;0;", "A;2020-01-02;c1;y;1;0;", "B;2020-01-02;c1;x;2;0;",
             "A;2020-01-02;c1;z;1;0;", "C;2020-01-02;c1;x;3;0;"),
        "2 o:A at 1577959200 net 200 cost 200 items 2\n"
        "4 o:B at 1577959200 net 200 cost 200 items 1\n"
        "5 column \"no\": order \"A\" of line 2 is met again after others; without --no-sort "
        "its rows may lie apart\n"
        "6 o:C at 1577959200 net 300 cost 300 items 1\n");
}

static void an_order_holds_two_hundred_items(void **state)
{
    (void)state;
    const char *rows[203] = {0};
    char lines[1200] = "2", wanted[1400];
    for (int i = 0; i < 201; i++) {
        rows[i] = "A;2020-01-02;c1;x;1;0;";
        size_t len = strlen(lines);
        if (i) {
            snprintf(lines + len, sizeof lines - len, ",%d", i + 2);
        }
    }
    snprintf(wanted, sizeof wanted,
             "202 the order has more than 200 items [row]\n"
             "%s order \"A\" is refused whole\n",
             lines);
    assert_gives(ORDER, HEADER, false, rows, wanted);
    rows[200] = NULL;
    assert_gives(ORDER, HEADER, false, rows,
                 "2 o:A at 1577959200 net 20000 cost 20000 items 200\n");
}

static void one_row_gives_several_events_when_their_conditions_hold(void **state)
{
    (void)state;
    assert_gives(TICKET, "t,d,c,h,m,s,i", false,
                 ROWS("1;1-Jan-2020;10:00;1.000,5 h;2,5;good;2020-03-01T00:00:00+02:00",
                      "2;1-Jan-2020;10:00;0,5;;;"),
                 "2 t:1 at 1581467400 after 3601800, 150\n2 t:1:r at 1583013600 score 5\n"
                 "3 t:2 at 1577867400 after 1800, 60\n");
}

static void durations_round_half_to_even_seconds(void **state)
{
    (void)state;
    assert_gives(TICKET, "t,d,c,h,m,s,i", false,
                 ROWS("1;1-Jan-2020;10:00;0;0,041666666666666666;;", "2;1-Jan-2020;10:00;0;0,025;;",
                      "3;1-Jan-2020;10:00;0;0,04166666666666667;;"),
                 "2 t:1 at 1577865600 after 0, 2\n3 t:2 at 1577865600 after 0, 2\n"
                 "4 t:3 at 1577865600 after 0, 3\n");
}

static void one_event_of_a_row_may_fail_alone(void **state)
{
    (void)state;
    assert_gives(TICKET, "t,d,c,h,m,s,i", false,
                 ROWS("1;1-Jan-2020;10:00;1;1;so-so;2020-03-01T00:00:00Z",
                      "2;1-Jan-2020;10:00;-1;1;bad;2020-03-01T00:00:00Z"),
                 "2 t:1 at 1577869200 after 3600, 60\n"
                 "2 column \"s\": \"so-so\" is not among \"values\"\n"
                 "3 column \"h\": the added time would be -3600 seconds, allowed is 0-315360000\n"
                 "3 t:2:r at 1583020800 score 1\n");
}

static void a_local_time_that_does_not_exist_moves_by_the_gap_and_a_repeated_one_is_the_earlier(
    void **state)
{
    (void)state;
    assert_gives(TICKET, "t,d,c,h,m,s,i", false,
                 ROWS("1;29-Mar-2020;3:30;0;1;;", "2;25-Oct-2020;3:30;0;1;;"),
                 "2 t:1 at 1585445400 after 0, 60\n"   /* 04:30+03:00 */
                 "3 t:2 at 1603585800 after 0, 60\n"); /* 03:30+03:00 */
}

static void columns_that_are_missing_or_doubled_are_named(void **state)
{
    (void)state;
    struct world world = {.stop = false};
    struct error err = {0};
    assert_int_equal(open_world(&world, ORDER, "no,day,who,net,state", false, &err), -1);
    assert_string_equal(err.text, "the header has no column \"sku\", \"profit\"");
    zone_free(world.zone);
    mapping_free(world.mapping);
    assert_int_equal(open_world(&world, ORDER, HEADER ",day", false, &err), -1);
    assert_string_equal(err.text, "the header has more than one column \"day\"");
    zone_free(world.zone);
    mapping_free(world.mapping);
}

static void text_that_is_not_utf_8_is_told(void **state)
{
    (void)state;
    assert_gives(ORDER, HEADER, false, ROWS("A;2020-01-02;c1;caf\xe9;1;0;"),
                 "2 column \"sku\": is not UTF-8 [row]\n2 order \"A\" is refused whole\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_one_order_are_gathered_from_the_whole_file),
        cmocka_unit_test(an_order_whose_cost_is_not_whole_has_none),
        cmocka_unit_test(a_bad_row_takes_its_order_with_it_and_nothing_else),
        cmocka_unit_test(rows_of_an_order_that_contradict_each_other_refuse_it),
        cmocka_unit_test(a_cost_below_zero_is_told),
        cmocka_unit_test(a_row_of_another_width_spoils_its_order),
        cmocka_unit_test(skipped_rows_and_empty_numbers_do_not_meet),
        cmocka_unit_test(neighbours_give_each_order_as_it_ends),
        cmocka_unit_test(an_order_holds_two_hundred_items),
        cmocka_unit_test(one_row_gives_several_events_when_their_conditions_hold),
        cmocka_unit_test(durations_round_half_to_even_seconds),
        cmocka_unit_test(one_event_of_a_row_may_fail_alone),
        cmocka_unit_test(
            a_local_time_that_does_not_exist_moves_by_the_gap_and_a_repeated_one_is_the_earlier),
        cmocka_unit_test(columns_that_are_missing_or_doubled_are_named),
        cmocka_unit_test(text_that_is_not_utf_8_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

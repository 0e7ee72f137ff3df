#include "producers/import/mapping.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define HEAD         "{'source':'/s','zone':'UTC','events':["
#define TIME         "'time':{'column':'d','format':'YYYY-MM-DD','at':'12:00'}"
#define TICKET       HEAD "{'type':'service.reopened','id':'t:{t}'," TIME ",'ticket':"

/* Mappings are written with ' for ", so that they can be read here. */
static struct mapping *parse(const char *quoted, struct mistakes *mistakes)
{
    char json[4096];
    struct mapping *mapping = NULL;
    struct error err = {0};
    snprintf(json, sizeof json, "%s", quoted);
    for (char *c = json; *c; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    int result = mapping_parse(&mapping, json, strlen(json), mistakes, &err);
    assert_int_equal(result, mistakes_count(mistakes) ? -1 : 0);
    return mapping;
}

static void assert_mistakes(const char *quoted, const char *const *wanted, size_t n)
{
    struct mistakes *mistakes = mistakes_open();
    struct mapping *mapping = parse(quoted, mistakes);
    assert_null(mapping);
    for (size_t i = 0; i < mistakes_count(mistakes) && i < n; i++) {
        assert_string_equal(mistakes_at(mistakes, i), wanted[i]);
    }
    assert_int_equal(mistakes_count(mistakes), n);
    mistakes_free(mistakes);
}

static void a_right_mapping_is_taken(void **state)
{
    (void)state;
    struct mistakes *mistakes = mistakes_open();
    struct mapping *m =
        parse("{'source':'/s','zone':'Europe/Bucharest','delimiter':';',"
              "'numbers':{'decimal':',','grouping':'.','ignore':['EUR']},"
              "'skip':[{'column':'test','in':['yes','1']}],'common':{'region':{'column':'r'}},"
              "'events':[{'type':'sale.completed','id':'o:{o}','group_by':['o','shop'],'order':"
              "{'column':'o'},'currency':'EUR','labels':{'a':'b'},"
              "'time':{'template':'{d} {t}','format':'M/D/YYYY H:MM'},"
              "'items':{'sku':{'column':'p'},'qty':1,'net':{'column':'n','minus':'x'}}}]}",
              mistakes);
    assert_non_null(m);
    assert_int_equal(m->delimiter, ';');
    assert_int_equal(m->numbers.decimal, ',');
    assert_int_equal(m->specs[0].group_count, 2);
    assert_int_equal(m->specs[0].fields[2].kind, SOURCE_TEMPLATE); /* region, from common */
    assert_int_equal(m->specs[0].fields[3].kind, SOURCE_NONE);
    assert_int_equal(m->column_count, 9); /* test o shop d t r p n x, each once */
    mapping_free(m);
    mistakes_free(mistakes);
}

static void every_mistake_is_told_with_its_path(void **state)
{
    (void)state;
    static const char *const wanted[] = {
        "sorce: unknown member, did you mean \"source\"?",
        "source: is missing",
        "zone: must be a string",
        "delimiter: must be one sign",
        "skip[0]: needs one of \"in\", \"not_in\" and \"empty\"",
        "numbers: the decimal sign cannot be the grouping sign",
        "events[0].type: \"sale.complete\" is no type of event, as sale.completed is",
        "events[1].group_by: unknown member",
        "events[1].id: needs a column, as in \"order:{Order ID}\": each event has an id of its own",
        "events[1].time: needs \"at\": the format has no hour",
        "events[1].when[0].colum: unknown member, did you mean \"column\"?",
        "events[1].when[0].column: is missing",
        "events[1].ticket: is missing",
        "events[1].contacts: must be an integer of 1-1000000",
        "events[1].resolution.unit: must be one of seconds, minutes, hours, days",
    };
    assert_mistakes(
        "{'sorce':'/s','zone':1,'delimiter':'--','skip':[{'column':'a'}],"
        "'numbers':{'grouping':'.'},'events':[{'type':'sale.complete'},"
        "{'type':'service.resolved','group_by':'x','id':'fixed',"
        "'time':{'column':'d','format':'YYYY-MM-DD'},'when':[{'colum':'a','empty':true}],"
        "'contacts':0,'resolution':{'column':'h'}}]}",
        wanted, COUNT(wanted));
}

static void one_mistake(const char *mapping, const char *mistake)
{
    assert_mistakes(mapping, &mistake, 1);
}

static void each_kind_of_mistake_has_its_words(void **state)
{
    (void)state;
    one_mistake("[]", "must be an object");
    one_mistake("{", "line 1, column 1: string or '}' expected near end of file");
    one_mistake("{'source':'/s','zone':'UTC','events':[]}",
                "events: must be a list of 1-64 kinds of event");
    one_mistake(TICKET "{'column':'t','template':'{t}'}}]}",
                "events[0].ticket: needs only one of \"column\" and \"template\"");
    one_mistake(TICKET "{'template':'a{t'}}]}",
                "events[0].ticket.template: a column is written {Name}, a brace {{ or }}");
    one_mistake(TICKET "''}]}", "events[0].ticket: must not be empty");
    one_mistake(TICKET "{'column':'t','unit':'hours'}}]}", "events[0].ticket.unit: unknown member");
    one_mistake(TICKET "{'column':'t','slug':false}}]}",
                "events[0].ticket.slug: must be true, or left out");
    one_mistake(TICKET "{'column':'t','otherwise':'x'}}]}",
                "events[0].ticket: has \"otherwise\" without \"values\"");
    one_mistake(
        TICKET "'x','was_first_contact':{'column':'w'}}]}",
        "events[0].was_first_contact: needs \"values\": which texts mean true, which false");
    one_mistake(TICKET "'x','region':'a b'}]}",
                "events[0].region: must be 1-64 of the signs A-Z a-z 0-9 . _ -");
    one_mistake(TICKET "'x'},{'type':'service.reopened','id':'t:{t}'," TIME ",'ticket':'y'}]}",
                "events[1].id: is also the id of events[0]");
    one_mistake(HEAD "{'type':'sale.completed','id':'{o}'," TIME ",'order':'x','currency':'EUR',"
                     "'net':1,'items':{'sku':'x','qty':1,'net':1}}]}",
                "events[0].net: is the sum of the items: leave it out");
    one_mistake(HEAD "{'type':'sale.completed','id':'{o}'," TIME ",'order':'x','currency':'XXX',"
                     "'net':1}]}",
                "events[0].currency: must be a currency of ISO 4217, as EUR");
    one_mistake(
        HEAD "{'type':'service.opened','id':'{o}'," TIME ",'ticket':'x','phase':'after',"
             "'category':{'column':'c','values':{'x':'fun'}}}]}",
        "events[0].category.values.x: must be one of question, problem, guidance, prevention, "
        "upsell, bond, warranty, complaint, other");
    one_mistake(HEAD "{'type':'service.reopened','id':'{o}','ticket':'x','time':{'column':'d',"
                     "'format':'YYYY-MM-DD HH:MM','at':'12:00'}}]}",
                "events[0].time: has \"at\", but the format has an hour");
    one_mistake(HEAD "{'type':'service.reopened','id':'{o}','ticket':'x','time':{'column':'d',"
                     "'format':'YYYY','at':'12:00'}}]}",
                "events[0].time.format: needs year, month and day, once each");
    one_mistake(HEAD "{'type':'service.reopened','id':'{o}','ticket':'x','time':{'column':'d',"
                     "'format':'YYYY-MM-DD','at':'25:00'}}]}",
                "events[0].time.at: must be a time of day, HH:MM or HH:MM:SS");
}

static void a_mistake_in_common_is_told_once(void **state)
{
    (void)state;
    one_mistake("{'source':'/s','zone':'UTC','common':{'rep':'a b'},'events':["
                "{'type':'service.reopened','id':'a{t}'," TIME ",'ticket':'x'},"
                "{'type':'service.reopened','id':'b{t}'," TIME ",'ticket':'x'}]}",
                "common.rep: must be 1-64 of the signs A-Z a-z 0-9 . _ -");
}

static void deep_nesting_and_strange_bytes_are_refused(void **state)
{
    (void)state;
    char deep[5000];
    struct mapping *mapping = NULL;
    struct error err = {0};
    struct mistakes *mistakes = mistakes_open();
    memset(deep, '[', sizeof deep);
    assert_int_equal(mapping_parse(&mapping, deep, sizeof deep, mistakes, &err), -1);
    assert_int_equal(mapping_parse(&mapping, "{\"a\":\"\xff\"}", 9, mistakes, &err), -1);
    assert_int_equal(mapping_parse(&mapping, "{\"a\":1,\"a\":2}", 13, mistakes, &err), -1);
    assert_int_equal(mapping_parse(&mapping, "", 0, mistakes, &err), -1);
    assert_null(mapping);
    mistakes_free(mistakes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_right_mapping_is_taken),
        cmocka_unit_test(every_mistake_is_told_with_its_path),
        cmocka_unit_test(each_kind_of_mistake_has_its_words),
        cmocka_unit_test(a_mistake_in_common_is_told_once),
        cmocka_unit_test(deep_nesting_and_strange_bytes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

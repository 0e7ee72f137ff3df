#include "common/event.h"

#include "tests/unit/event_maker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define JSON_HEADER                        \
    {                                      \
        "content-type", "application/json" \
    }
#define EVENT_HEADER                                   \
    {                                                  \
        "content-type", "application/cloudevents+json" \
    }

/* A record in words: ' in the value stands for ", a header without value has "(none)". */
struct scene {
    const char *value;
    const char *headers[12][2];
    const char *key;
    int64_t timestamp_ms; /* 0: none */
    enum side side;       /* SIDE_SALE unless said */
    const char *expected; /* "valid", "bad_field time", "too_large" */
};

#define GOOD_DATA "{'customer':'c','order':'1','currency':'RON','net':5}"
#define GOOD_TIME "2026-11-23T14:05:09+02:00" /* 1795435509 s */

/* An event of which one attribute and the data are as given; "-" leaves the attribute out. */
static char *event_with(const char *name, const char *value, const char *data)
{
    static const char *const attributes[][2] = {
        {"specversion", "'1.0'"},    {"id", "'a'"},
        {"source", "'/s'"},          {"type", "'tandem.sale.completed.v1'"},
        {"time", "'" GOOD_TIME "'"}, {"subject", "'1'"},
        {"partitionkey", NULL},      {"datacontenttype", NULL},
    };
    char *json = malloc(70000);
    size_t len = (size_t)sprintf(json, "{");
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
        bool is = strcmp(attributes[i][0], name) == 0;
        const char *text = is ? value : attributes[i][1];
        if (text && strcmp(text, "-") != 0)
            len += (size_t)sprintf(json + len, "'%s':%s,", attributes[i][0], text);
    }
    if (data)
        len += (size_t)sprintf(json + len, "'data':%s,", data);
    strcpy(json + len - 1, "}");
    return json;
}

static size_t fill_headers(const struct scene *scene, struct record_header *headers)
{
    size_t count = 0;
    for (; count < 12 && scene->headers[count][0]; count++) {
        const char *value = scene->headers[count][1];
        headers[count].name = text_of(scene->headers[count][0]);
        headers[count].value = text_of(strcmp(value, "(none)") == 0 ? NULL : value);
    }
    return count;
}

static void play(const struct scene *scene)
{
    struct decoder *decoder = maker_decoder();
    struct record_header headers[12];
    struct event event;
    struct rejection why = {0};
    char *value = scene->value ? strdup(scene->value) : NULL, said[160];
    for (char *at = value; at && (at = strchr(at, '\''));)
        *at = '"';
    struct record record = {.timestamp_ms = scene->timestamp_ms ? scene->timestamp_ms : -1,
                            .key = text_of(scene->key),
                            .value = text_of(value),
                            .headers = headers,
                            .header_count = fill_headers(scene, headers)};
    enum verdict verdict = decoder_decode(decoder, &record, scene->side, &event, &why);
    snprintf(said, sizeof said, "%s%s%s",
             verdict == VERDICT_REJECTED ? reject_name(why.reason) : verdict_name(verdict),
             why.field[0] ? " " : "", why.field);
    if (strcmp(said, scene->expected) != 0)
        fail_msg("%.300s: %s, not %s (%s)", value ? value : "null", said, scene->expected,
                 why.detail);
    free(value);
    decoder_free(decoder);
}

/* A structured event with one attribute as given. */
static void expect_attribute(const char *name, const char *value, const char *expected)
{
    char *json = event_with(name, value, GOOD_DATA);
    play(&(struct scene){.value = json, .headers = {EVENT_HEADER}, .expected = expected});
    free(json);
}

static void expect_data(const char *data, const char *expected)
{
    char *json = event_with("", NULL, data);
    play(&(struct scene){.value = json, .headers = {EVENT_HEADER}, .expected = expected});
    free(json);
}

static void the_mode_is_told_by_the_media_type(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"application/cloudevents", "valid"},
        {"application/cloudevents+json", "valid"},
        {"Application/CloudEvents+JSON;charset=UTF-8", "valid"},
        {" \tapplication/cloudevents+json \t; x=y", "valid"},
        {"application/cloudevents;x", "valid"},
        {"application/cloudevents-batch+json", "format_unsupported content-type"},
        {"application/cloudevents+avro", "format_unsupported content-type"},
        {"APPLICATION/CLOUDEVENTSX", "format_unsupported content-type"},
        /* binary: the value is data, and attributes are missing */
        {"application/json", "missing_field specversion"},
        {"application/cloudevent", "missing_field specversion"},
        {"", "missing_field specversion"},
        {";", "missing_field specversion"},
        {"(none)", "missing_field specversion"},
    };
    char *json = event_with("", NULL, GOOD_DATA);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        play(&(struct scene){
            .value = json, .headers = {{"content-type", cases[i][0]}}, .expected = cases[i][1]});
    free(json);
}

static void header_names_are_matched_exactly_and_the_last_counts(void **state)
{
    (void)state;
    char *json = event_with("", NULL, GOOD_DATA);
    const struct scene scenes[] = {
        {.headers = {JSON_HEADER, EVENT_HEADER}, .expected = "valid"},
        {.headers = {EVENT_HEADER, JSON_HEADER}, .expected = "missing_field specversion"},
        {.headers = {{"Content-Type", "application/json"}}, .expected = "valid"},
        {.headers = {{"content_type", "application/json"}}, .expected = "valid"},
        {.headers = {{"CE_SPECVERSION", "1.0"}}, .expected = "valid"},
        {.headers = {{"ce_specversion", "1.0"}}, .expected = "missing_field id"},
        {.headers = {{"ce_specversion", "(none)"}}, .expected = "bad_field specversion"},
        {.headers = {EVENT_HEADER, {"ce_id", ""}, {"ce_type", "x"}}, .expected = "valid"},
        {.headers = {{"", ""}}, .expected = "valid"},
    };
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        struct scene scene = scenes[i];
        scene.value = json;
        play(&scene);
    }
    free(json);
}

static void without_headers_a_member_specversion_tells(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{'specversion':'1.0'}", "missing_field id"},
        {"{'specversion':''}", "bad_field specversion"},
        {"{'specversion':1,'specversion':'1.0'}", "duplicate_key"},
        {"{'specversion':1}", "not_cloudevent"},
        {"{'data':{'specversion':'1.0'}}", "not_cloudevent"},
        {"['specversion']", "not_cloudevent"},
        {"{'specversion':'1.0'", "not_cloudevent"},
        {"'specversion'", "not_cloudevent"},
        {"", "not_cloudevent"},
        {"{'specversion':'1.0','a':[[[[[[[1]]]]]]]}", "missing_field id"},
        {"{'specversion':'1.0','a':[[[[[[[[]]]]]]]]}", "bad_json"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        play(&(struct scene){.value = cases[i][0], .expected = cases[i][1]});
}

static void a_null_value_is_a_tombstone_whatever_else_there_is(void **state)
{
    (void)state;
    char *key = malloc(70001);
    memset(key, 'k', 70000);
    key[70000] = '\0';
    play(&(struct scene){.expected = "tombstone"});
    play(&(struct scene){.key = key, .expected = "tombstone"});
    play(&(struct scene){.headers = {{"content-type", "application/cloudevents+avro"}},
                         .expected = "tombstone"});
    free(key);
}

static void an_empty_value_is_no_tombstone(void **state)
{
    (void)state;
    play(&(struct scene){.value = "", .headers = {EVENT_HEADER}, .expected = "bad_json"});
    play(&(struct scene){.value = "", .headers = {JSON_HEADER}, .expected = "bad_json"});
}

/* Key, header names and values, and value together. */
static void a_record_of_65536_bytes_is_read_and_one_more_is_too_large(void **state)
{
    (void)state;
    const size_t others = strlen("c") + strlen("content-type") +
                          strlen("application/cloudevents+json") + strlen("x") + strlen("yz");
    for (size_t bytes = 65535; bytes <= 65537; bytes++) {
        char *json = event_with("", NULL, GOOD_DATA);
        size_t len = strlen(json);
        memset(json + len, ' ', bytes - others - len);
        json[bytes - others] = '\0';
        play(&(struct scene){.value = json,
                             .key = "c",
                             .headers = {EVENT_HEADER, {"x", "yz"}},
                             .expected = bytes > 65536 ? "too_large" : "valid"});
        free(json);
    }
}

static void eight_levels_are_read_and_nine_are_not(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        /* in a structured event data is level 2 */
        {"{'specversion':'1.0','a':[[[[[[[]]]]]]]}", "missing_field id", "e"},
        {"{'specversion':'1.0','a':[[[[[[[{}]]]]]]]}", "bad_json", "e"},
        {"{'specversion':'1.0','a':{'a':{'a':{'a':{'a':{'a':{'a':{}}}}}}}}", "missing_field id",
         "e"},
        {"{'specversion':'1.0','a':{'a':{'a':{'a':{'a':{'a':{'a':[{}]}}}}}}}", "bad_json", "e"},
        /* in binary mode it is level 1 */
        {"{'a':[[[[[[[]]]]]]]}", "missing_field specversion", "b"},
        {"{'a':[[[[[[[[]]]]]]]]}", "bad_json", "b"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scene scene = {.value = cases[i][0], .expected = cases[i][1]};
        scene.headers[0][0] = "content-type";
        scene.headers[0][1] = *cases[i][2] == 'e' ? "application/cloudevents" : "application/json";
        play(&scene);
    }
}

/* Each record has every mistake from its place in the order on; the first one decides. */
static void the_first_mistake_in_the_order_of_checks_decides(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{'data_base64':1,'data_base64':2,'a':[[[[[[[[1]]]]]]]]}", "bad_json"},
        {"{'data_base64':1,'data_base64':2}", "format_unsupported data_base64"},
        {"{'data_base64':null}", "format_unsupported data_base64"},
        {"{'a':1,'a':2}", "duplicate_key"},
        {"{'data':{'items':[{'sku':1,'sku':1}]}}", "duplicate_key"},
        {"{'id':'','type':7}", "missing_field specversion"},
        {"{'specversion':'1.1','id':''}", "bad_field specversion"},
        {"{'specversion':1.0}", "bad_field specversion"},
        {"{'specversion':'1.0','source':''}", "missing_field id"},
        {"{'specversion':'1.0','id':'','type':1}", "bad_field id"},
        {"{'specversion':'1.0','id':'a','type':''}", "missing_field source"},
        {"{'specversion':'1.0','id':'a','source':null,'type':''}", "bad_field source"},
        {"{'specversion':'1.0','id':'a','source':'s','time':1}", "missing_field type"},
        {"{'specversion':'1.0','id':'a','source':'s','type':''}", "bad_field type"},
        {"{'specversion':'1.0','id':'a','source':'s','type':'x','time':1}", "ignored"},
        {"{'specversion':'1.0','id':'a','source':'s','type':'tandem.service.opened.v2'}",
         "version_unsupported type"},
        {"{'specversion':'1.0','id':'a','source':'s','type':'tandem.service.opened.v1'}",
         "wrong_topic type"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        play(&(struct scene){
            .value = cases[i][0], .headers = {EVENT_HEADER}, .expected = cases[i][1]});
}

#define START  "{'specversion':'1.0','id':'a','source':'s','type':'tandem.sale.completed.v1'"
#define FUTURE "'time':'2099-01-01T00:00:00Z'"

static void the_order_goes_on_behind_the_type(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {START ",'subject':''}", "missing_field time"},
        {START ",'subject':'','time':'x'}", "bad_field time"},
        {START "," FUTURE ",'partitionkey':1}", "missing_field subject"},
        {START "," FUTURE ",'subject':'','partitionkey':1}", "bad_field subject"},
        {START "," FUTURE ",'subject':'1','partitionkey':1,'datacontenttype':1}",
         "bad_field partitionkey"},
        {START "," FUTURE ",'subject':'1','datacontenttype':'text/plain'}",
         "bad_field datacontenttype"},
        {START "," FUTURE ",'subject':'1'}", "time_future time"},
        {START ",'time':'" GOOD_TIME "','subject':'1'}", "data_missing data"},
        {START ",'time':'" GOOD_TIME "','subject':'1','data':null}", "data_missing data"},
        {START ",'time':'" GOOD_TIME "','subject':'1','data':[]}", "data_missing data"},
        {START ",'time':'" GOOD_TIME "','subject':'1','data':{}}", "missing_field data.order"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        play(&(struct scene){.value = cases[i][0],
                             .headers = {EVENT_HEADER},
                             .timestamp_ms = 1795435509000,
                             .expected = cases[i][1]});
}

static void an_event_may_be_300_seconds_ahead_of_its_record(void **state)
{
    (void)state;
    static const struct {
        int64_t timestamp_ms;
        const char *expected;
    } cases[] = {
        {1795435509000 - 300000, "valid"},
        {1795435509000 - 300001, "time_future time"},
        {1, "time_future time"},
        {-1, "valid"},
        {INT64_MIN, "valid"},
        {INT64_MAX, "valid"}, /* no overflow */
    };
    char *json = event_with("", NULL, GOOD_DATA);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        play(&(struct scene){.value = json,
                             .headers = {EVENT_HEADER},
                             .timestamp_ms = cases[i].timestamp_ms,
                             .expected = cases[i].expected});
    free(json);
}

static void a_type_is_known_of_another_version_or_ignored(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"'tandem.sale.completed.v1'", "valid"},
        {"'tandem.sale.completed.v2'", "version_unsupported type"},
        {"'tandem.sale.completed.v01'", "version_unsupported type"},
        {"'tandem.sale.completed.v0'", "version_unsupported type"},
        {"'tandem.sale.completed.v99999999999999999999999'", "version_unsupported type"},
        {"'tandem.sale.completed.v'", "ignored"},
        {"'tandem.sale.completed.1'", "ignored"},
        {"'tandem.sale.completed'", "ignored"},
        {"'tandem.sale.completed.v1 '", "ignored"},
        {"'tandem.sale.completed.v1\\u0000'", "ignored"},
        {"'tandem.sale.completed.v1.v1'", "ignored"},
        {"'tandem.sale.Completed.v1'", "ignored"},
        {"'Tandem.sale.completed.v1'", "ignored"},
        {"'tandem.sale.completedx.v1'", "ignored"},
        {"'tandem..v1'", "ignored"},
        {"'tandem.v1'", "ignored"},
        {"'tandem.'", "ignored"},
        {"'t'", "ignored"},
        {"'.v1'", "ignored"},
        {"'sale.completed.v1'", "ignored"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_attribute("type", cases[i][0], cases[i][1]);
}

static void a_prefix_is_the_deciders_own(void **state)
{
    (void)state;
    static const char *const prefixes[] = {"ro.acme.", "", "tandem"};
    static const enum verdict expected[] = {VERDICT_IGNORED, VERDICT_VALID, VERDICT_IGNORED};
    for (int i = 0; i < 3; i++) {
        struct decoder *decoder;
        struct event event;
        struct rejection why;
        char *json = event_with("type", "'sale.completed.v1'", GOOD_DATA);
        for (char *at = json; (at = strchr(at, '\''));)
            *at = '"';
        assert_int_equal(decoder_open(&decoder, prefixes[i], NULL), 0);
        struct record record = maker_record(text_of(json));
        assert_int_equal(decoder_decode(decoder, &record, SIDES, &event, &why), expected[i]);
        decoder_free(decoder);
        free(json);
    }
}

/* `count` times `letter`, in quotes, in one of four places so that a table can hold some. */
static const char *times(const char *letter, int count)
{
    static char texts[4][1024];
    static int next;
    char *out = texts[next++ % 4];
    size_t len = (size_t)sprintf(out, "'");
    for (int i = 0; i < count; i++)
        len += (size_t)sprintf(out + len, "%s", letter);
    strcpy(out + len, "'");
    return out;
}

static void refs_are_counted_in_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int max;
    } cases[] = {{"id", 128}, {"source", 256}};
    for (int i = 0; i < 2; i++) {
        char bad[32];
        snprintf(bad, sizeof bad, "bad_field %s", cases[i].name);
        expect_attribute(cases[i].name, times("a", cases[i].max), "valid");
        expect_attribute(cases[i].name, times("a", cases[i].max + 1), bad);
        expect_attribute(cases[i].name, times("ș", cases[i].max / 2), "valid");
        expect_attribute(cases[i].name, times("ș", cases[i].max / 2 + 1), bad);
        expect_attribute(cases[i].name, "''", bad);
        expect_attribute(cases[i].name, "'a\\u0000b'", bad);
        expect_attribute(cases[i].name, "'\\u001f'", bad);
        expect_attribute(cases[i].name, "'\\u007f'", bad);
        expect_attribute(cases[i].name, "'\\u0080'", bad);
        expect_attribute(cases[i].name, "'x\\u009f'", bad);
        expect_attribute(cases[i].name, "'\\u00a0'", "valid");
        expect_attribute(cases[i].name, "' '", "valid");
        expect_attribute(cases[i].name, "'\\ud83d\\ude00'", "valid");
    }
    expect_attribute("subject", times("1", 129), "bad_field subject");
    expect_attribute("subject", times("1", 128), "subject_mismatch subject");
    expect_attribute("subject", "'1 '", "subject_mismatch subject");
}

static void optional_attributes_may_be_absent_but_not_null(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"partitionkey", "'c'", "valid"},
        {"partitionkey", "''", "valid"},
        {"partitionkey", "'\\u0000'", "valid"},
        {"partitionkey", "null", "bad_field partitionkey"},
        {"partitionkey", "1", "bad_field partitionkey"},
        {"datacontenttype", "'application/json'", "valid"},
        {"datacontenttype", "' Application/JSON ; charset=utf-8'", "valid"},
        {"datacontenttype", "'application/json+x'", "bad_field datacontenttype"},
        {"datacontenttype", "''", "bad_field datacontenttype"},
        {"datacontenttype", "null", "bad_field datacontenttype"},
        {"time", "null", "bad_field time"},
        {"time", "''", "bad_field time"},
        {"time", "'2026-11-23 14:05:09Z'", "bad_field time"},
        {"time", "'2026-11-23t14:05:09z'", "valid"},
        {"time", "'2026-11-23T14:05:60Z'", "bad_field time"},
        {"time", "'2026-02-29T14:05:00Z'", "bad_field time"},
        {"time", "'1999-12-31T23:59:59Z'", "bad_field time"},
        {"time", "'2100-01-01T00:00:00Z'", "bad_field time"},
        {"time", "'2000-01-01T00:00:00+14:00'", "valid"},
        {"time", "1795435509", "bad_field time"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_attribute(cases[i][0], cases[i][1], cases[i][2]);
}

#define BINARY(name, value)                                                                   \
    JSON_HEADER, {"ce_specversion", "1.0"}, {"ce_id", "a"}, {"ce_source", "/s"},              \
        {"ce_type", "tandem.sale.completed.v1"}, {"ce_time", GOOD_TIME}, {"ce_subject", "1"}, \
    {                                                                                         \
        name, value                                                                           \
    }

static void binary_mode_takes_attributes_from_headers(void **state)
{
    (void)state;
    const struct scene scenes[] = {
        {.value = GOOD_DATA, .headers = {BINARY("x", "")}, .expected = "valid"},
        {.value = GOOD_DATA, .headers = {BINARY("ce_id", "")}, .expected = "bad_field id"},
        {.value = GOOD_DATA, .headers = {BINARY("ce_id", "(none)")}, .expected = "bad_field id"},
        {.value = GOOD_DATA, .headers = {BINARY("ce_id", "\xff")}, .expected = "bad_field id"},
        {.value = GOOD_DATA, .headers = {BINARY("ce_id", "\xc2\x80")}, .expected = "bad_field id"},
        {.value = GOOD_DATA, .headers = {BINARY("ce_id", "\xe2\x82")}, .expected = "bad_field id"},
        {.value = GOOD_DATA, .headers = {BINARY("ce_id", "\xe2\x82\xac")}, .expected = "valid"},
        {.value = GOOD_DATA,
         .headers = {BINARY("ce_id", "\xed\xa0\x80")},
         .expected = "bad_field id"},
        {.value = GOOD_DATA,
         .headers = {BINARY("ce_specversion", "1.1")},
         .expected = "bad_field specversion"},
        {.value = GOOD_DATA, .headers = {BINARY("ce_type", "other")}, .expected = "ignored"},
        {.value = GOOD_DATA,
         .headers = {BINARY("ce_subject", "2")},
         .expected = "subject_mismatch subject"},
        {.value = GOOD_DATA, .headers = {BINARY("ce_partitionkey", "")}, .expected = "valid"},
        {.value = GOOD_DATA,
         .headers = {BINARY("ce_partitionkey", "\xc0")},
         .expected = "bad_field partitionkey"},
        {.value = GOOD_DATA, .headers = {BINARY("ce_data_base64", "x")}, .expected = "valid"},
        {.value = GOOD_DATA,
         .headers = {BINARY("content-type", "application/xml")},
         .expected = "bad_field datacontenttype"},
        {.value = GOOD_DATA,
         .headers = {BINARY("content-type", "application/json; charset=x")},
         .expected = "valid"},
        {.value = "null", .headers = {BINARY("x", "")}, .expected = "bad_json"},
        {.value = "[]", .headers = {BINARY("x", "")}, .expected = "bad_json"},
        {.value = "{'a':1,'a':1}", .headers = {BINARY("x", "")}, .expected = "duplicate_key"},
        {.value = "{'data_base64':1}",
         .headers = {BINARY("x", "")},
         .expected = "missing_field data.order"},
        {.value = "{}", .headers = {BINARY("x", "")}, .expected = "missing_field data.order"},
    };
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
        play(&scenes[i]);
}

static void header_values_are_strict_utf8(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80",
        "\xc0\xaf",
        "\xc1\xbf",
        "\xc2",
        "\xc2x",
        "\xe0\x9f\xbf",
        "\xe2\x82",
        "\xe2\x82x",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf0\x8f\xbf\xbf",
        "\xf0\x90\x80",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff",
    };
    static const char *const good[] = {"\xc2\xa0",         "\xdf\xbf",        "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",     "\xee\x80\x80",    "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        play(&(struct scene){.value = GOOD_DATA,
                             .headers = {BINARY("ce_partitionkey", bad[i])},
                             .expected = "bad_field partitionkey"});
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        play(&(struct scene){.value = GOOD_DATA,
                             .headers = {BINARY("ce_partitionkey", good[i])},
                             .expected = "valid"});
}

static void binary_and_structured_give_the_same_event(void **state)
{
    (void)state;
    static const struct record_header headers[] = {
        {{"ce_specversion", 14}, {"1.0", 3}},
        {{"ce_id", 5}, {"a", 1}},
        {{"ce_source", 9}, {"/test", 5}},
        {{"ce_type", 7}, {"tandem.service.opened.v1", 24}},
        {{"ce_time", 7}, {"2026-11-23T12:00:00.123456Z", 27}},
        {{"ce_subject", 10}, {"1", 1}},
        {{"ce_partitionkey", 15}, {"c", 1}},
    };
    static const char data[] =
        "{\"customer\":\"c\",\"ticket\":\"1\",\"phase\":\"after\",\"category\":\"bond\"}";
    struct decoder *decoder = maker_decoder();
    struct event event;
    struct rejection why;
    struct record record = {
        .timestamp_ms = -1, .value = text_of(data), .headers = headers, .header_count = 7};
    assert_int_equal(decoder_decode(decoder, &record, SIDE_SERVICE, &event, &why), VERDICT_VALID);
    assert_int_equal(event.type, EVENT_SERVICE_OPENED);
    assert_true(event.time_ms == 1795435200123);
    assert_true(text_is(event.id, "a"));
    assert_true(text_is(event.source, "/test"));
    assert_true(text_is(event.subject, "1"));
    assert_true(text_is(event.ref, "1"));
    assert_true(text_is(event.partitionkey, "c"));
    assert_true(text_is(event.customer, "c"));
    assert_null(event.region.at);
    assert_int_equal(event.opened.phase, PHASE_AFTER);
    assert_int_equal(event.opened.category, CATEGORY_BOND);
    assert_int_equal(event.opened.by, BY_CUSTOMER);
    decoder_free(decoder);
}

static void a_long_repeated_name_leaves_whole_characters_in_the_detail(void **state)
{
    (void)state;
    struct decoder *decoder = maker_decoder();
    struct event event;
    for (int shift = 0; shift < 4; shift++) {
        struct rejection why = {0};
        char name[512] = "aaaa", json[1200];
        name[shift] = '\0';
        for (int i = 0; i < 40; i++)
            strcat(name, "😀");
        snprintf(json, sizeof json, "{\"%s\":1,\"%s\":2}", name, name);
        struct record record = maker_record(text_of(json));
        decoder_decode(decoder, &record, SIDES, &event, &why);
        assert_int_equal(why.reason, REJECT_DUPLICATE_KEY);
        const char *end = strstr(why.detail, "\" stands there twice");
        assert_non_null(end);
        assert_memory_equal(end - 4, "😀", 4);
    }
    decoder_free(decoder);
}

static void data_is_checked_only_behind_the_envelope(void **state)
{
    (void)state;
    expect_data("{'order':null,'currency':'RON','net':5}", "bad_field data.order");
    expect_data(GOOD_DATA, "valid");
    expect_data(NULL, "data_missing data");
    expect_data("'text'", "data_missing data");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mode_is_told_by_the_media_type),
        cmocka_unit_test(header_names_are_matched_exactly_and_the_last_counts),
        cmocka_unit_test(without_headers_a_member_specversion_tells),
        cmocka_unit_test(a_null_value_is_a_tombstone_whatever_else_there_is),
        cmocka_unit_test(an_empty_value_is_no_tombstone),
        cmocka_unit_test(a_record_of_65536_bytes_is_read_and_one_more_is_too_large),
        cmocka_unit_test(eight_levels_are_read_and_nine_are_not),
        cmocka_unit_test(the_first_mistake_in_the_order_of_checks_decides),
        cmocka_unit_test(the_order_goes_on_behind_the_type),
        cmocka_unit_test(an_event_may_be_300_seconds_ahead_of_its_record),
        cmocka_unit_test(a_type_is_known_of_another_version_or_ignored),
        cmocka_unit_test(a_prefix_is_the_deciders_own),
        cmocka_unit_test(refs_are_counted_in_bytes),
        cmocka_unit_test(optional_attributes_may_be_absent_but_not_null),
        cmocka_unit_test(binary_mode_takes_attributes_from_headers),
        cmocka_unit_test(header_values_are_strict_utf8),
        cmocka_unit_test(binary_and_structured_give_the_same_event),
        cmocka_unit_test(a_long_repeated_name_leaves_whole_characters_in_the_detail),
        cmocka_unit_test(data_is_checked_only_behind_the_envelope),
    };
    return cmocka_run_group_tests_name("decoder", tests, NULL, NULL);
}

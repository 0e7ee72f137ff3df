/* The decoder against bytes nobody should send. */
#include "tests/fuzz/decoder_fuzz.c"
#include "tests/unit/event_maker.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <yyjson.h>

#include <cmocka.h>

enum { STRUCTURED_BYTES = 12 + 43 }; /* of maker_record()'s header */

/* What decoding `value` as a structured event says: "valid", "bad_json". The bytes lie alone in
 * memory, so that a sanitizer sees a step beyond them. */
static const char *verdict_of(const char *value, size_t len)
{
    static struct decoder *decoder;
    struct event event;
    struct rejection why = {0};
    char *alone = malloc(len ? len : 1);
    if (!decoder)
        decoder = maker_decoder();
    memcpy(alone, value, len);
    struct record record = maker_record((struct text){alone, len});
    enum verdict verdict = decoder_decode(decoder, &record, SIDES, &event, &why);
    free(alone);
    return verdict == VERDICT_REJECTED ? reject_name(why.reason) : verdict_name(verdict);
}

static void a_record_of_open_brackets_is_bad_json(void **state)
{
    (void)state;
    size_t len = EVENT_BYTES_MAX - STRUCTURED_BYTES;
    char *bytes = malloc(len);
    static const char *const patterns[] = {"[", "{", "[{", "{\"a\":", "[[],", "\"", "\\", "-"};
    for (size_t p = 0; p < sizeof patterns / sizeof *patterns; p++) {
        for (size_t i = 0; i < len; i++)
            bytes[i] = patterns[p][i % strlen(patterns[p])];
        assert_string_equal(verdict_of(bytes, len), "bad_json");
    }
    free(bytes);
}

/* Well-formed this time, so that only the depth is wrong. */
static void a_record_of_thirty_thousand_levels_is_bad_json(void **state)
{
    (void)state;
    size_t levels = (EVENT_BYTES_MAX - STRUCTURED_BYTES) / 2;
    char *bytes = malloc(2 * levels);
    memset(bytes, '[', levels);
    memset(bytes + levels, ']', levels);
    assert_string_equal(verdict_of(bytes, 2 * levels), "bad_json");
    free(bytes);
}

/* Two printable letters that JSON does not escape: 8,464 different names. */
static void write_name(char *out, int n)
{
    static const char letters[] = " !#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`"
                                  "abcdefghijklmnopqrstuvwxyz{|}~";
    int count = (int)sizeof letters - 1;
    out[0] = letters[n / count];
    out[1] = letters[n % count];
}

/* A good event with as many unknown members as a record can hold; the last repeats the name of
 * member `twin`, -1: none. */
static const char *verdict_of_crowd(int twin)
{
    enum { MEMBERS_MAX = 8464 };
    char *event = maker_json("sale.referred", "2026-11-23T12:00:00Z", "'customer':'c','x':{");
    size_t len = strlen(event) - 2;
    char *json = malloc(len + 7 * MEMBERS_MAX + 3);
    memcpy(json, event, len);
    for (int i = 0; i < MEMBERS_MAX; i++, len += 7) {
        memcpy(json + len, "\"..\":0,", 7);
        write_name(json + len + 1, i == MEMBERS_MAX - 1 && twin >= 0 ? twin : i);
    }
    memcpy(json + len - 1, "}}}", 3);
    len += 2;
    const char *verdict = verdict_of(json, len);
    free(event);
    free(json);
    return verdict;
}

static void thousands_of_members_are_fine_and_one_repeated_name_is_found(void **state)
{
    (void)state;
    assert_string_equal(verdict_of_crowd(-1), "valid");
    for (int twin = 0; twin < 8463; twin += 769)
        assert_string_equal(verdict_of_crowd(twin), "duplicate_key");
}

static void bytes_that_are_not_utf8_are_bad_json(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xc2",
        "\xc2 ",
        "\xe0\x80\x80",
        "\xe0\x9f\xbf",
        "\xe2\x82",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xef\xbf",
        "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf",
        "\xf0\x90\x80",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xfe",
        "\xff",
        /* and the escapes of half a character */
        "\\ud800",
        "\\udc00",
        "\\udfff",
        "\\ud800x",
        "\\ud800\\u0041",
        "\\ud800\\ud800",
        "\\udc00\\ud800",
        "\\u12",
        "\\u12g4",
        "\\x41",
    };
    static const char *const good[] = {
        "\x7f",         "\xc2\x80",     "\xdf\xbf",         "\xe0\xa0\x80",     "\xed\x9f\xbf",
        "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "\\ud83d\\ude00",
        "\\u0000",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad + sizeof good / sizeof *good; i++) {
        bool is_bad = i < sizeof bad / sizeof *bad;
        const char *bytes = is_bad ? bad[i] : good[i - sizeof bad / sizeof *bad];
        for (int in_name = 0; in_name < 2; in_name++) {
            char members[128];
            snprintf(members, sizeof members,
                     in_name ? "'customer':'c','x%s':1" : "'customer':'c','x':'%s'", bytes);
            char *json = maker_json("sale.referred", "2026-11-23T12:00:00Z", members);
            const char *verdict = verdict_of(json, strlen(json));
            if (strcmp(verdict, is_bad ? "bad_json" : "valid") != 0)
                fail_msg("case %zu: %s", i, verdict);
            free(json);
        }
    }
}

static void a_good_event_cut_anywhere_is_bad_json(void **state)
{
    (void)state;
    char *json = maker_json("sale.completed", "2026-11-23T12:00:00Z",
                            "'currency':'RON','net':3,'items':[{'sku':'s','qty':1,'net':3}]");
    size_t len = strlen(json);
    assert_string_equal(verdict_of(json, len), "valid");
    for (size_t cut = 0; cut < len; cut++)
        assert_string_equal(verdict_of(json, cut), "bad_json");
    free(json);
}

static void hostile_numbers_reject_the_record_and_no_more(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"'net':1e999", "bad_field"},
        {"'net':99999999999999999999999999", "bad_field"},
        {"'net':-99999999999999999999999999", "bad_field"},
        {"'net':18446744073709551615", "bad_field"},
        {"'net':9223372036854775807", "amount_range"},
        {"'net':-9223372036854775808", "amount_range"},
        {"'net':-0", "valid"},
        {"'net':0,'units':9223372036854775807", "bad_field"},
        {"'net':0,'unknown':1e999", "valid"},
        {"'net':0,'unknown':-1e-999", "valid"},
        {"'net':NaN", "bad_json"},
        {"'net':-Infinity", "bad_json"},
        {"'net':01", "bad_json"},
        {"'net':+1", "bad_json"},
        {"'net':0x10", "bad_json"},
        {"'net':1.", "bad_json"},
        {"'net':.5", "bad_json"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char members[128];
        snprintf(members, sizeof members, "'currency':'RON',%s", cases[i][0]);
        char *json = maker_json("sale.completed", "2026-11-23T12:00:00Z", members);
        const char *verdict = verdict_of(json, strlen(json));
        if (strcmp(verdict, cases[i][1]) != 0)
            fail_msg("%s: %s", cases[i][0], verdict);
        free(json);
    }
}

static void run_fuzz_target(int choice, const char *bytes, size_t len)
{
    uint8_t *input = malloc(len + 1);
    input[0] = (uint8_t)choice;
    memcpy(input + 1, bytes, len);
    LLVMFuzzerTestOneInput(input, len + 1);
    free(input);
}

/* The record's value of an example, or 0 when it is not plain text. */
static int run_example(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "schemas/examples/%s", name);
    yyjson_doc *doc = yyjson_read_file(path, 0, NULL, NULL);
    yyjson_val *value = yyjson_obj_get(yyjson_doc_get_root(doc), "value");
    if (yyjson_is_str(value))
        for (int choice = 0; choice < 3; choice++)
            run_fuzz_target(choice, yyjson_get_str(value), yyjson_get_len(value));
    int ran = yyjson_is_str(value);
    yyjson_doc_free(doc);
    return ran;
}

static void every_example_goes_through_the_fuzz_target(void **state)
{
    (void)state;
    DIR *folder = opendir("schemas/examples");
    int ran = 0;
    assert_non_null(folder); /* run this in the root of the repository */
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (strstr(entry->d_name, ".json"))
            ran += run_example(entry->d_name);
    if (folder)
        closedir(folder);
    assert_in_range(ran, 300, 100000);
}

/* Some bytes changed, cut, doubled or put elsewhere. */
static size_t mutate(struct maker_dice *dice, char *bytes, size_t len, size_t room)
{
    static const char hints[] = "\"\\{}[]:,0123456789-+.eEtfnu \n\t\0\x80\xc2\xed\xf0\xff/_a";
    for (int64_t changes = 1 + maker_below(dice, 4); changes > 0 && len > 1; changes--) {
        size_t at = (size_t)maker_below(dice, (int64_t)len),
               to = (size_t)maker_below(dice, (int64_t)len);
        size_t piece = 1 + (size_t)maker_below(dice, 12);
        int64_t kind = maker_below(dice, 6);
        if (kind == 0)
            bytes[at] = (char)maker_below(dice, 256);
        else if (kind <= 2)
            bytes[at] = hints[maker_below(dice, sizeof hints - 1)];
        else if (kind == 3 && at + piece < len) { /* a piece goes */
            memmove(bytes + at, bytes + at + piece, len - at - piece);
            len -= piece;
        } else if (kind == 4 && at + piece < len && len + piece < room) { /* a piece twice */
            memmove(bytes + at + piece, bytes + at, len - at);
            len += piece;
        } else if (kind == 5 && at + piece < len && to + piece < len)
            memmove(bytes + to, bytes + at, piece);
    }
    return len;
}

static void two_hundred_thousand_changed_events_do_no_harm(void **state)
{
    (void)state;
    static struct maker_dice dice;
    static char line[EVENT_BYTES_MAX], changed[2 * EVENT_BYTES_MAX];
    size_t len = 0;
    dice.seed = 7;
    for (int round = 0; round < 200000; round++) {
        if (round % 50 == 0) {
            uint64_t mask = (uint64_t)maker_below(&dice, 1 << MAKER_CHOICES);
            maker_roll(&dice, (enum event_type)(round / 50 % EVENT_TYPES), mask);
            len = event_encode(&dice.event, "tandem.", line, sizeof line);
        }
        const char *data = len ? strstr(line, "\"data\":") + 7 : line;
        bool whole = round % 3 != 2; /* binary mode gets the object of data alone */
        size_t start = whole ? 0 : (size_t)(data - line);
        size_t size = len == 0 ? 0 : whole ? len : len - start - 1;
        memcpy(changed, line + start, size);
        size = mutate(&dice, changed, size, sizeof changed);
        run_fuzz_target(round % 3, changed, size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_of_open_brackets_is_bad_json),
        cmocka_unit_test(a_record_of_thirty_thousand_levels_is_bad_json),
        cmocka_unit_test(thousands_of_members_are_fine_and_one_repeated_name_is_found),
        cmocka_unit_test(bytes_that_are_not_utf8_are_bad_json),
        cmocka_unit_test(a_good_event_cut_anywhere_is_bad_json),
        cmocka_unit_test(hostile_numbers_reject_the_record_and_no_more),
        cmocka_unit_test(every_example_goes_through_the_fuzz_target),
        cmocka_unit_test(two_hundred_thousand_changed_events_do_no_harm),
    };
    return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}

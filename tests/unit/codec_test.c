#include "consumers/customers/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { NAMES = 300, DEEDS_MAX = 40 };

static struct zone *zone;
static struct dictionary *names;
static struct lists *lists;
static struct codec *codec;
static struct customer_rules rules = {NULL, INT32_MIN, 2000};

/* Three hundred scopes, so that numbers take one byte or two. */
static int set_up(void **state)
{
    char name[32];
    (void)state;
    if (zone_open(&zone, "Europe/Bucharest", NULL) || dictionary_open(&names, NULL) ||
        lists_open(&lists, names, NULL) || codec_open(&codec, names, lists, NULL))
        return -1;
    rules.zone = zone;
    for (uint32_t i = 1; i <= NAMES; i++) {
        snprintf(name, sizeof name, "rep=%u", i);
        if (dictionary_learn(names, text_of(name), i, NULL) != 0)
            return -1;
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    codec_free(codec);
    lists_free(lists);
    dictionary_free(names);
    zone_free(zone);
    return 0;
}

static uint32_t list_of(uint32_t first, int count)
{
    uint32_t ids[16];
    for (int i = 0; i < count; i++)
        ids[i] = dictionary_numbered(names, (first + 37 * (uint32_t)i) % NAMES + 1);
    return lists_add(lists, ids, (size_t)count);
}

static void add(struct customer *customer, struct deed deed)
{
    deed.day = zone_day(zone, deed.time_s);
    assert_true(customer_add(customer, &rules, lists, &deed));
}

static struct deed roll(unsigned *seed)
{
    struct deed deed = {.kind = (enum deed_kind)(rand_r(seed) % (DEED_RATING + 1)),
                        .time_s = INT64_C(1767225600) + rand_r(seed) % (400 * 86400),
                        .ref = (uint64_t)rand_r(seed) << 33 | (uint64_t)rand_r(seed) % 5,
                        .scale = (uint8_t)(rand_r(seed) % 2 ? SCALE_CSAT : SCALE_NPS),
                        .score = (uint8_t)(1 + rand_r(seed) % 5)};
    if (rand_r(seed) % 50 == 0)
        deed.time_s = CUSTOMER_TIME_MIN_S + rand_r(seed) % 2 * INT64_C(3155932800);
    if (deed.kind == DEED_SALE || deed.kind == DEED_RATING)
        deed.list = list_of((uint32_t)(rand_r(seed) % 12), rand_r(seed) % 6);
    return deed;
}

static void roll_customer(struct customer *customer, unsigned *seed)
{
    int count = rand_r(seed) % DEEDS_MAX;
    rules.limit = rand_r(seed) % 8 ? 2000 : 5;
    rules.from_day = rand_r(seed) % 4 ? INT32_MIN : 20500;
    customer_clear(customer);
    for (int i = 0; i < count; i++)
        add(customer, roll(seed));
}

static struct text encode(const struct customer *customer)
{
    struct text bytes;
    struct error err;
    if (codec_encode(codec, customer, &bytes, &err) != 0)
        fail_msg("%s", err.text);
    return bytes;
}

/* Alone in memory, so that a sanitizer sees a step beyond them. The caller's. */
static char *copy_of(struct text bytes)
{
    char *copy = malloc(bytes.len ? bytes.len : 1);
    assert_non_null(copy);
    memcpy(copy, bytes.at, bytes.len);
    return copy;
}

static bool equal(const struct customer *a, const struct customer *b)
{
    bool same = a->has_sale == b->has_sale && a->overflowed == b->overflowed &&
                a->referral == b->referral && a->referral_s == b->referral_s &&
                a->first.time_s == b->first.time_s && a->first.list == b->first.list &&
                memcmp(a->months, b->months, sizeof a->months) == 0 &&
                a->sale_count == b->sale_count && a->rating_count == b->rating_count &&
                a->replaced == b->replaced && a->contacts.count == b->contacts.count &&
                a->interactions.count == b->interactions.count;
    for (size_t i = 0; same && i < a->sale_count; i++)
        same = sale_compare(lists, &a->sales[i], &b->sales[i]) == 0;
    for (size_t i = 0; same && i < a->rating_count; i++)
        same = rating_compare(&a->ratings[i], &b->ratings[i]) == 0 &&
               a->ratings[i].list == b->ratings[i].list &&
               a->ratings[i].score == b->ratings[i].score;
    for (size_t i = 0; same && i < a->contacts.count; i++)
        same = memcmp(&a->contacts.at[i], &b->contacts.at[i], sizeof(struct run)) == 0;
    for (size_t i = 0; same && i < a->interactions.count; i++)
        same = memcmp(&a->interactions.at[i], &b->interactions.at[i], sizeof(struct run)) == 0;
    return same;
}

static void a_state_comes_back_as_it_was(void **state)
{
    (void)state;
    struct customer before, after;
    unsigned seed = 1;
    customer_init(&before);
    customer_init(&after);
    for (int i = 0; i < 20000; i++) {
        struct error err;
        roll_customer(&before, &seed);
        struct text bytes = encode(&before);
        char *copy = copy_of(bytes);
        if (codec_decode(codec, (struct text){copy, bytes.len}, &after, &err) != 0)
            fail_msg("customer %d: %s", i, err.text);
        if (!equal(&before, &after))
            fail_msg("customer %d came back as another", i);
        struct text again = encode(&after);
        assert_true(text_equal(again, (struct text){copy, again.len}));
        free(copy);
    }
    customer_free(&before);
    customer_free(&after);
}

static void nothing_known_is_no_bytes(void **state)
{
    (void)state;
    struct customer customer;
    struct error err;
    customer_init(&customer);
    assert_int_equal(encode(&customer).len, 0);
    add(&customer, (struct deed){.kind = DEED_CONTACT, .time_s = 1767225600});
    assert_int_equal(codec_decode(codec, text_of(""), &customer, &err), 0);
    assert_true(customer_empty(&customer));
    customer_free(&customer);
}

/* What is taken in spite of a change is a state, and written as it was read. */
static bool taken(struct text bytes)
{
    static struct customer customer;
    struct error err = {0};
    char *copy = copy_of(bytes);
    bool valid = codec_decode(codec, (struct text){copy, bytes.len}, &customer, &err) == 0;
    if (!valid)
        assert_int_equal(err.code, ERROR_STORE);
    else if (bytes.len)
        assert_true(text_equal(encode(&customer), bytes));
    free(copy);
    customer_free(&customer);
    return valid;
}

static void a_state_cut_off_or_with_more_behind_it_is_refused(void **state)
{
    (void)state;
    struct customer customer;
    unsigned seed = 2;
    customer_init(&customer);
    for (int i = 0; i < 500; i++) {
        roll_customer(&customer, &seed);
        struct text bytes = encode(&customer);
        char *longer = malloc(bytes.len + 1);
        memcpy(longer, bytes.at, bytes.len);
        longer[bytes.len] = 0;
        for (size_t len = 1; len < bytes.len; len++)
            assert_false(taken((struct text){longer, len}));
        assert_false(taken((struct text){longer, bytes.len + 1}));
        free(longer);
    }
    customer_free(&customer);
}

static void any_byte_may_be_wrong(void **state)
{
    (void)state;
    struct customer customer;
    unsigned seed = 3;
    int refused = 0;
    customer_init(&customer);
    for (int i = 0; i < 300; i++) {
        roll_customer(&customer, &seed);
        struct text bytes = encode(&customer);
        char *changed = copy_of(bytes);
        size_t len = bytes.len;
        for (size_t at = 0; at < len; at++)
            for (int bit = 0; bit < 8; bit++) {
                changed[at] = (char)(changed[at] ^ 1 << bit);
                refused += !taken((struct text){changed, len});
                changed[at] = (char)(changed[at] ^ 1 << bit);
            }
        free(changed);
    }
    assert_true(refused > 1000);
    customer_free(&customer);
}

static void random_bytes_are_refused_or_a_state(void **state)
{
    (void)state;
    unsigned seed = 4;
    char bytes[48];
    for (int i = 0; i < 300000; i++) {
        size_t len = 1 + (size_t)rand_r(&seed) % sizeof bytes;
        for (size_t at = 0; at < len; at++)
            bytes[at] = (char)(rand_r(&seed) % (rand_r(&seed) % 2 ? 4 : 256));
        bytes[0] = (char)(1 << 5 | rand_r(&seed) % 32);
        taken((struct text){bytes, len});
    }
}

/* Counts that no memory could hold must not be believed. */
static void a_count_beyond_the_bytes_is_refused_before_anything_is_made_of_it(void **state)
{
    (void)state;
    static const char *const states[] = {
        "\x24\x01\x00\x01\x01\xff\xff\xff\xff\xff\xff\xff\x7f",
        "\x20\x01\xff\xff\xff\xff\x7f\x00\x00",
        "\x24\x01\x00\x01\x01\x01\x00\x00\xff\xff\xff\x7f",
    };
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        assert_false(taken(text_of(states[i])));
}

/* Bytes that read well and yet are no set's canonical form; before each, one that is. */
static void what_stands_out_of_order_is_refused(void **state)
{
    (void)state;
#define BYTES(literal)              \
    {                               \
        literal, sizeof literal - 1 \
    }
#define REF "12345678"
    static const struct {
        struct text good, bad;
    } states[] = {
        /* Two contacts 30 days and a second apart, and two that are one run. */
        {BYTES("\x20\x01\x00\x00\x02\x00\x00\x81\x9a\x9e\x01\x00\x00"),
         BYTES("\x20\x01\x00\x00\x02\x00\x00\x80\x9a\x9e\x01\x00\x00")},
        /* An answer replaced, and none that did it. */
        {BYTES("\x20\x01\x00\x00\x01\x00\x00\x00"), BYTES("\x20\x01\x00\x05\x01\x00\x00\x00")},
        /* One rating twice. */
        {BYTES("\x20\x01\x02\x00\x05" REF "\x00\x00\x01\x05" REF "\x01\x00\x00\x00"),
         BYTES("\x20\x01\x02\x00\x05" REF "\x00\x00\x00\x05" REF "\x01\x00\x00\x00")},
        /* The first sale apart, and not before the others. */
        {BYTES("\x2c\x01\x00\x00\x00\x00\x01\x01\x01\x05\x01\x00\x00\x00\x00"),
         BYTES("\x2c\x01\x00\x00\x00\x00\x01\x01\x01\x00\x01\x00\x00\x00\x00")},
    };
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        if (!taken(states[i].good))
            fail_msg("state %zu should be taken", i);
        if (taken(states[i].bad))
            fail_msg("state %zu should be refused", i);
    }
}

static void a_number_not_learnt_yet_may_be_tried_again(void **state)
{
    (void)state;
    struct customer customer;
    struct error err;
    customer_init(&customer);
    add(&customer, (struct deed){.kind = DEED_SALE, .time_s = 1767225600, .list = list_of(7, 2)});
    struct text bytes = encode(&customer);
    char *copy = copy_of(bytes);
    struct dictionary *few;
    struct lists *other;
    struct codec *ignorant;
    assert_int_equal(dictionary_open(&few, NULL), 0);
    assert_int_equal(lists_open(&other, few, NULL), 0);
    assert_int_equal(codec_open(&ignorant, few, other, NULL), 0);
    struct text same = {copy, bytes.len};
    assert_int_equal(codec_decode(ignorant, same, &customer, &err), -1);
    assert_true(err.retry);
    assert_int_equal(dictionary_learn(few, text_of("rep=8"), 8, NULL), 0);
    assert_int_equal(dictionary_learn(few, text_of("rep=45"), 45, NULL), 0);
    assert_int_equal(codec_decode(ignorant, same, &customer, &err), 0);
    assert_int_equal(customer.sale_count, 1);
    codec_free(ignorant);
    lists_free(other);
    dictionary_free(few);
    free(copy);
    customer_free(&customer);
}

static void a_scope_without_a_number_cannot_be_written(void **state)
{
    (void)state;
    struct customer customer;
    struct text bytes;
    struct error err;
    uint32_t id = dictionary_id(names, text_of("rep=new"));
    customer_init(&customer);
    add(&customer,
        (struct deed){.kind = DEED_SALE, .time_s = 1767225600, .list = lists_add(lists, &id, 1)});
    assert_int_equal(codec_encode(codec, &customer, &bytes, &err), -1);
    assert_int_equal(err.code, ERROR_STORE);
    customer_free(&customer);
}

static void five_events_are_some_seventy_bytes(void **state)
{
    (void)state;
    struct customer customer;
    int64_t start = 1767225600;
    customer_init(&customer);
    add(&customer, (struct deed){.kind = DEED_INTERACTION, .time_s = start});
    add(&customer, (struct deed){.kind = DEED_SALE,
                                 .time_s = start + 86400 * 3 + 11,
                                 .list = list_of(200, 4)});
    add(&customer, (struct deed){.kind = DEED_CONTACT, .time_s = start + 86400 * 20 + 12345});
    add(&customer, (struct deed){.kind = DEED_RATING,
                                 .time_s = start + 86400 * 21 + 54321,
                                 .ref = UINT64_MAX,
                                 .scale = SCALE_CSAT,
                                 .score = 5,
                                 .list = list_of(220, 3)});
    add(&customer, (struct deed){.kind = DEED_SALE,
                                 .time_s = start + 86400 * 120 + 4711,
                                 .list = list_of(210, 4)});
    size_t len = encode(&customer).len;
    print_message("interaction, sale, contact, rating, sale: %zu bytes\n", len);
    assert_in_range(len, 1, 75);
    customer_free(&customer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_state_comes_back_as_it_was),
        TEST(nothing_known_is_no_bytes),
        TEST(a_state_cut_off_or_with_more_behind_it_is_refused),
        TEST(any_byte_may_be_wrong),
        TEST(random_bytes_are_refused_or_a_state),
        TEST(a_count_beyond_the_bytes_is_refused_before_anything_is_made_of_it),
        TEST(what_stands_out_of_order_is_refused),
        TEST(a_number_not_learnt_yet_may_be_tried_again),
        TEST(a_scope_without_a_number_cannot_be_written),
        TEST(five_events_are_some_seventy_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

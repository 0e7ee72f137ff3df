#include "consumers/worker/flush.h"

#include "tests/unit/book.h"
#include "tests/unit/event_maker.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* One group as a line: "<key> <dirty mark>|<expiry>: field=delta ...". */
static void write_group(const struct batch *batch, const struct batch_group *group, char *out,
                        size_t room)
{
    bool scoped = group->dimension.len > 0;
    int len = snprintf(out, room, "%.*s%.*s%s%.*s %.*s|%" PRId64 ":", TEXT_ARG(group->head),
                       TEXT_ARG(group->dimension), scoped ? "=" : "", TEXT_ARG(group->value),
                       TEXT_ARG(group->dirty), group->expire_s);
    for (size_t i = group->first; i < group->first + group->count; i++)
        len += snprintf(out + len, room - (size_t)len, " %.*s=%" PRId64,
                        TEXT_ARG(batch->cells[i].field), batch->cells[i].delta);
}

/* The groups of the batch are these, in any order. */
static void expect_groups(const struct batch *batch, const char *const *expected, size_t count)
{
    for (size_t e = 0; e < count; e++) {
        char lines[8192] = "", line[1024];
        size_t g = 0;
        for (; g < batch->group_count; g++) {
            write_group(batch, &batch->groups[g], line, sizeof line);
            if (strcmp(line, expected[e]) == 0)
                break;
            strcat(strcat(lines, "\n"), line);
        }
        if (g == batch->group_count)
            fail_msg("no %s in:%s", expected[e], lines);
    }
    assert_int_equal(batch->group_count, count);
    assert_false(batch->failed);
}

#define EXPECT_GROUPS(batch, ...)                                     \
    do {                                                              \
        static const char *const groups[] = {__VA_ARGS__};            \
        expect_groups(batch, groups, sizeof groups / sizeof *groups); \
    } while (0)

static void an_event_becomes_the_hashes_that_readers_look_for(void **state)
{
    (void)state;
    struct book book;
    struct batch batch;
    batch_init(&batch);
    book_open(&book, &sales_kind, "region,labels.segment", "Europe/Bucharest");
    book_add(&book, "sale.refunded", "2026-11-23T14:05:09+02:00",
             "'order':'o','currency':'RON','net':50,'reason':'return','region':'ro-b',"
             "'labels':{'segment':'consumer'}");
    flush_tally(&book.fold, "tandem:{main}:", 0, &batch);
    /* The hour ends at 13:00 UTC, epoch second 1795438800, and is kept for 14 days. */
    EXPECT_GROUPS(
        &batch,
        "tandem:{main}:sale:day:2026-11-23:all sale:2026-11-23:|0: refunds=1 refund_return=1",
        "tandem:{main}:sale:day:2026-11-23:all sale:2026-11-23:|0: revenue:RON=-50 "
        "refund_net:RON=50",
        "tandem:{main}:sale:day:2026-11-23:region=ro-b sale:2026-11-23:|0: refunds=1 "
        "refund_return=1",
        "tandem:{main}:sale:day:2026-11-23:region=ro-b sale:2026-11-23:|0: revenue:RON=-50 "
        "refund_net:RON=50",
        "tandem:{main}:sale:day:2026-11-23:labels.segment=consumer sale:2026-11-23:|0: refunds=1 "
        "refund_return=1",
        "tandem:{main}:sale:day:2026-11-23:labels.segment=consumer sale:2026-11-23:|0: "
        "revenue:RON=-50 refund_net:RON=50",
        "tandem:{main}:sale:hour:2026-11-23T14:all |1796648400: refunds=1 refund_return=1",
        "tandem:{main}:sale:hour:2026-11-23T14:all |1796648400: revenue:RON=-50 "
        "refund_net:RON=50");
    assert_int_equal(batch.currency_count, 1);
    assert_string_equal(batch.currencies[0], "RON");
    batch_free(&batch);
    book_close(&book);
}

static void service_counters_and_records_have_their_keys_too(void **state)
{
    (void)state;
    struct book book;
    struct batch batch;
    batch_init(&batch);
    book_open(&book, &service_kind, "region", "UTC");
    book_add(&book, "service.resolved", "2026-01-02T03:04:05Z", "'first_response':40");
    fold_record(&book.fold, RECORD_DUPLICATES, 1767323045000);
    fold_record(&book.fold, (enum record_field)REJECT_BAD_JSON, -1);
    flush_tally(&book.fold, "tandem:{a-business-of-thirty-two-letters}:", 0, &batch);
    EXPECT_GROUPS(&batch,
                  "tandem:{a-business-of-thirty-two-letters}:service:day:2026-01-02:all "
                  "service:2026-01-02:|0: resolved=1 response_n=1 response_sum=40",
                  "tandem:{a-business-of-thirty-two-letters}:service:day:2026-01-02:all "
                  "service:2026-01-02:|0: response_b40=1",
                  "tandem:{a-business-of-thirty-two-letters}:service:hour:2026-01-02T03:all "
                  "|1768536000: resolved=1 response_n=1 response_sum=40",
                  "tandem:{a-business-of-thirty-two-letters}:service:hour:2026-01-02T03:all "
                  "|1768536000: response_b40=1",
                  "tandem:{a-business-of-thirty-two-letters}:service:day:2026-01-02:all "
                  "service:2026-01-02:|0: duplicates=1",
                  "tandem:{a-business-of-thirty-two-letters}:service:undated |0: "
                  "rejected_bad_json=1");
    assert_int_equal(batch.currency_count, 0);
    batch_free(&batch);
    book_close(&book);
}

static void sums_that_came_back_to_zero_are_left_out(void **state)
{
    (void)state;
    struct book book;
    struct batch batch;
    batch_init(&batch);
    book_open(&book, &service_kind, "region", "UTC");
    book_add(&book, "service.rated", "2026-01-02T03:04:05Z",
             "'scale':'csat','score':4,'previous':2");
    book_add(&book, "service.rated", "2026-01-02T03:04:06Z",
             "'scale':'csat','score':2,'previous':4");
    flush_tally(&book.fold, "tandem:{main}:", 0, &batch);
    assert_int_equal(batch.group_count, 0); /* and no day is marked for the reporter */
    batch_free(&batch);
    book_close(&book);
}

static void a_currency_counts_even_without_any_amount(void **state)
{
    (void)state;
    struct book book;
    struct batch batch;
    batch_init(&batch);
    book_open(&book, &sales_kind, "region", "UTC");
    book_add(&book, "sale.refunded", "2026-01-02T03:04:05Z",
             "'order':'o','currency':'EUR','net':0,'reason':'return'");
    book_add(&book, "sale.completed", "2026-01-02T03:04:05Z", "'currency':'JPY','net':0");
    flush_tally(&book.fold, "tandem:{main}:", 0, &batch);
    assert_int_equal(batch.currency_count, 2);
    assert_string_equal(batch.currencies[0], "EUR");
    assert_string_equal(batch.currencies[1], "JPY");
    batch_free(&batch);
    book_close(&book);
}

static void hours_that_expired_since_are_left_out(void **state)
{
    (void)state;
    struct book book;
    struct batch batch;
    const int64_t expiry_s = 1796648400;
    batch_init(&batch);
    book_open(&book, &sales_kind, "region", "UTC");
    book_add(&book, "sale.interaction", "2026-11-23T12:59:59Z", "'kind':'call'");
    for (int late = 0; late < 2; late++) {
        batch_clear(&batch);
        flush_tally(&book.fold, "tandem:{main}:", expiry_s - 1 + late, &batch);
        assert_int_equal(batch.group_count, late ? 1 : 2);
        assert_int_equal(batch.groups[0].expire_s, 0);
    }
    batch_free(&batch);
    book_close(&book);
}

/* Whatever is folded: each sum once, and all of it. */
static void every_sum_of_the_tally_is_in_the_batch_once(void **state)
{
    (void)state;
    static struct maker_dice dice;
    struct book book;
    struct batch batch;
    size_t cells = 0;
    dice.seed = 3;
    batch_init(&batch);
    book_open(&book, &sales_kind, "region,channel,rep,line", "Europe/Bucharest");
    for (int i = 0; i < 2000; i++) {
        maker_roll(&dice, (enum event_type)(i % 4),
                   (uint64_t)maker_below(&dice, 1 << MAKER_CHOICES));
        dice.event.time_ms = 1795435200000 + maker_below(&dice, 3 * 86400000);
        fold_event(&book.fold, &dice.event);
    }
    flush_tally(&book.fold, "tandem:{main}:", 0, &batch);
    for (size_t r = 0; r < tally_rows(book.fold.tally); r++) {
        struct tally_view row = tally_view(book.fold.tally, r);
        for (int i = 0; i < row.width; i++)
            cells += row.sums[i] != 0;
    }
    assert_int_equal(batch.cell_count, cells);
    assert_in_range(cells, 1000, tally_cells(book.fold.tally));
    for (size_t g = 0; g < batch.group_count; g++)
        assert_in_range(batch.groups[g].count, 1, 128);
    batch_free(&batch);
    book_close(&book);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_becomes_the_hashes_that_readers_look_for),
        cmocka_unit_test(service_counters_and_records_have_their_keys_too),
        cmocka_unit_test(sums_that_came_back_to_zero_are_left_out),
        cmocka_unit_test(a_currency_counts_even_without_any_amount),
        cmocka_unit_test(hours_that_expired_since_are_left_out),
        cmocka_unit_test(every_sum_of_the_tally_is_in_the_batch_once),
    };
    return cmocka_run_group_tests_name("flush", tests, NULL, NULL);
}

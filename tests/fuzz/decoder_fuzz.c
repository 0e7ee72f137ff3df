/* decoder_fuzz - any bytes as a record, in libFuzzer's form. tests/unit/hostile_test.c feeds it
 * schemas/examples and random changes of good events; clang -fsanitize=fuzzer makes a fuzzer of it.
 *
 * Whatever the bytes are there is a verdict; what is valid is still valid, and the same event, when
 * it is written and read again. The first byte chooses the headers, the rest is the value. */
#include "common/event.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* clang-format off */
#define HEADER(name, value) {{(name), sizeof(name) - 1}, {(value), sizeof(value) - 1}}
/* clang-format on */

/* From none to a whole event in binary mode. */
static const struct record_header structured[] = {
    HEADER("content-type", "application/cloudevents+json; charset=UTF-8")};
static const struct record_header binary[] = {HEADER("content-type", "application/json"),
                                              HEADER("ce_specversion", "1.0"),
                                              HEADER("ce_id", "x"),
                                              HEADER("ce_source", "/fuzz"),
                                              HEADER("ce_type", "tandem.sale.completed.v1"),
                                              HEADER("ce_time", "2026-11-23T14:05:09+02:00"),
                                              HEADER("ce_subject", "1")};

static struct record record_of(int choice, const uint8_t *data, size_t size)
{
    struct record record = {.timestamp_ms = -1, .value = {(const char *)data, size}};
    if (choice % 3 != 0)
        record.headers = choice % 3 == 1 ? structured : binary;
    if (choice % 3 != 0)
        record.header_count = choice % 3 == 1 ? 1 : sizeof binary / sizeof *binary;
    return record;
}

static void expect_same_again(struct decoder *decoder, const struct event *event)
{
    static char line[EVENT_BYTES_MAX];
    XXH128_hash_t hash = event_hash(event);
    enum event_type type = event->type;
    int64_t time_ms = event->time_ms;
    struct event again;
    struct rejection why;
    size_t len = event_encode(event, "tandem.", line, sizeof line - 64);
    struct record record = record_of(1, (const uint8_t *)line, len);
    if (len == 0)
        return; /* grown beyond a record by escapes */
    if (decoder_decode(decoder, &record, SIDES, &again, &why) != VERDICT_VALID ||
        again.type != type || again.time_ms != time_ms || !XXH128_isEqual(event_hash(&again), hash))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct decoder *decoder;
    struct event event;
    struct rejection why;
    if (size == 0 || (!decoder && decoder_open(&decoder, "tandem.", NULL) != 0))
        return 0;
    struct record record = record_of(data[0], data + 1, size - 1);
    if (decoder_decode(decoder, &record, SIDES, &event, &why) == VERDICT_VALID)
        expect_same_again(decoder, &event);
    return 0;
}

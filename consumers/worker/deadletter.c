#include "consumers/worker/deadletter.h"

#include "common/publisher.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    OWN_HEADERS = 6,
    KEPT_BYTES = 65536,      /* of key, value and headers: an unknown upstream must not fill the topic */
    FULL_COUNT = 1000,
    FULL_BYTES = 8 << 20,
    SEND_WAIT_MS = 1000
};

struct deadletters {
    struct publisher *publisher;
    const char *topic;
    struct record_header *headers;
    size_t header_room;
    int64_t bytes;           /* sent since all were acknowledged */
    int64_t failed;
    char failure[256];
};

static void on_report(void *context, void *cookie, const char *failure)
{
    struct deadletters *letters = context;
    (void)cookie;
    if (!failure)
        return;
    letters->failed++;
    snprintf(letters->failure, sizeof letters->failure, "%s", failure);
}

int deadletters_open(struct deadletters **out, const struct config *config, struct error *err)
{
    struct deadletters *letters = calloc(1, sizeof *letters);
    *out = NULL;
    if (!letters)
        return error_memory(err);
    letters->topic = config->topics_rejected;
    if (publisher_open(&letters->publisher, config, on_report, letters, err) != 0) {
        deadletters_free(letters);
        return -1;
    }
    *out = letters;
    return 0;
}

void deadletters_free(struct deadletters *letters)
{
    if (!letters)
        return;
    publisher_free(letters->publisher);
    free(letters->headers);
    free(letters);
}

int deadletters_wait(struct deadletters *letters, struct error *err)
{
    return publisher_await(letters->publisher, letters->topic, err);
}

static bool reserve_headers(struct deadletters *letters, size_t count)
{
    if (count <= letters->header_room)
        return true;
    struct record_header *grown = realloc(letters->headers, count * sizeof *grown);
    if (!grown)
        return false;
    letters->headers = grown;
    letters->header_room = count;
    return true;
}

static size_t header_bytes(const struct record *record)
{
    size_t bytes = 0;
    for (size_t i = 0; i < record->header_count; i++)
        bytes += record->headers[i].name.len + record->headers[i].value.len;
    return bytes;
}

/* What is kept of one record. */
struct letter {
    struct text value;
    size_t header_count;
    char key[300], partition[16], offset[24], detail[280], truncated[96];
};

static void add_header(struct deadletters *letters, struct letter *letter, const char *name,
                       const char *value)
{
    letters->headers[letter->header_count++] =
        (struct record_header){text_of(name), text_of(value)};
}

/* At most KEPT_BYTES of key and value, and the headers if they still fit. The original's key is a
 * header here: the letter's own key says where the record stands. */
static void keep_record(struct deadletters *letters, const struct record *record,
                        struct letter *letter)
{
    size_t key = record->key.len < KEPT_BYTES ? record->key.len : KEPT_BYTES;
    size_t value = record->value.len < KEPT_BYTES - key ? record->value.len : KEPT_BYTES - key;
    size_t headers = header_bytes(record);
    bool with_headers = key + value + headers <= KEPT_BYTES;
    letter->value = (struct text){record->value.at, value};
    if (with_headers && record->header_count) {
        memcpy(letters->headers, record->headers, record->header_count * sizeof *letters->headers);
        letter->header_count = record->header_count;
    }
    if (record->key.at)
        letters->headers[letter->header_count++] =
            (struct record_header){text_of("tandem_key"), {record->key.at, key}};
    if (key < record->key.len || value < record->value.len || !with_headers) {
        snprintf(letter->truncated, sizeof letter->truncated, "key %zu, value %zu, headers %zu",
                 record->key.len, record->value.len, headers);
        add_header(letters, letter, "tandem_truncated", letter->truncated);
    }
}

static void add_place(struct deadletters *letters, struct letter *letter, const char *topic,
                      const struct record *record, const struct rejection *why)
{
    snprintf(letter->partition, sizeof letter->partition, "%" PRId32, record->partition);
    snprintf(letter->offset, sizeof letter->offset, "%" PRId64, record->offset);
    snprintf(letter->key, sizeof letter->key, "%s/%s/%s", topic, letter->partition, letter->offset);
    snprintf(letter->detail, sizeof letter->detail, "%s%s%s", why->field, why->field[0] ? ": " : "",
             why->detail);
    add_header(letters, letter, "tandem_reason", reject_name(why->reason));
    add_header(letters, letter, "tandem_topic", topic);
    add_header(letters, letter, "tandem_partition", letter->partition);
    add_header(letters, letter, "tandem_offset", letter->offset);
    add_header(letters, letter, "tandem_detail", letter->detail);
}

static int send(struct deadletters *letters, const struct letter *letter, struct error *err)
{
    return publisher_send(letters->publisher, letters->topic, text_of(letter->key), letter->value,
                          letters->headers, letter->header_count, NULL, SEND_WAIT_MS, err);
}

int deadletters_add(struct deadletters *letters, const char *topic, const struct record *record,
                    const struct rejection *why, struct error *err)
{
    struct letter letter = {.value = text_of("")};
    if (!reserve_headers(letters, record->header_count + OWN_HEADERS + 2))
        return error_memory(err);
    keep_record(letters, record, &letter);
    add_place(letters, &letter, topic, record, why);
    letters->bytes += (int64_t)(letter.value.len + header_bytes(record) + sizeof letter);
    if (send(letters, &letter, err) == 0)
        return 0;
    if (err && err->retry)
        return -1;
    /* Refused for its size even so: a bare one still says where the original stands and why. */
    letter.header_count = 0;
    letter.value = text_of("");
    snprintf(letter.truncated, sizeof letter.truncated, "key %zu, value %zu, headers %zu",
             record->key.len, record->value.len, header_bytes(record));
    add_header(letters, &letter, "tandem_truncated", letter.truncated);
    add_place(letters, &letter, topic, record, why);
    if (send(letters, &letter, err) == 0)
        return 0;
    /* A bare one is never too large: the topic was deleted, say, and may be made again. */
    if (err)
        err->retry = true;
    return -1;
}

bool deadletters_settled(struct deadletters *letters, int64_t wait_ms)
{
    if (publisher_pending(letters->publisher) > 0)
        publisher_flush(letters->publisher, wait_ms, NULL);
    if (publisher_pending(letters->publisher) > 0)
        return false;
    letters->bytes = 0;
    return true;
}

bool deadletters_full(const struct deadletters *letters)
{
    return letters->bytes > FULL_BYTES || publisher_pending(letters->publisher) > FULL_COUNT;
}

int64_t deadletters_failed(struct deadletters *letters, struct error *err)
{
    int64_t failed = letters->failed;
    letters->failed = 0;
    if (failed)
        error_retry(err, ERROR_KAFKA, "%s: %s", letters->topic, letters->failure);
    return failed;
}

#include "common/message.h"

#include <stdlib.h>

void message_headers_free(struct message_headers *headers)
{
    free(headers->list);
    *headers = (struct message_headers){0};
}

/* A value that is there but empty keeps a pointer: NULL means none. */
static struct text bytes(const void *at, size_t len)
{
    return (struct text){at, at ? len : 0};
}

static int read_headers(const rd_kafka_headers_t *list, struct message_headers *headers,
                        struct record *record, struct error *err)
{
    size_t count = rd_kafka_header_cnt(list);
    if (count > headers->room) {
        struct record_header *grown = realloc(headers->list, count * sizeof *grown);
        if (!grown)
            return error_memory(err);
        headers->list = grown;
        headers->room = count;
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = NULL;
        const void *value = NULL;
        size_t len = 0;
        rd_kafka_header_get_all(list, i, &name, &value, &len);
        headers->list[i] = (struct record_header){text_of(name), bytes(value, len)};
    }
    record->headers = headers->list;
    record->header_count = count;
    return 0;
}

int message_record(const rd_kafka_message_t *message, struct message_headers *headers,
                   struct record *record, struct error *err)
{
    rd_kafka_timestamp_type_t type;
    rd_kafka_headers_t *list = NULL;
    int64_t timestamp_ms = rd_kafka_message_timestamp(message, &type);
    *record = (struct record){
        .partition = message->partition,
        .leader_epoch = rd_kafka_message_leader_epoch(message),
        .offset = message->offset,
        .timestamp_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp_ms,
        .key = bytes(message->key, message->key_len),
        .value = bytes(message->payload, message->len),
    };
    if (rd_kafka_message_headers(message, &list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0; /* none */
    return read_headers(list, headers, record, err);
}

/* message.h - librdkafka's message seen as a record. */
#ifndef TANDEM_MESSAGE_H
#define TANDEM_MESSAGE_H

#include "common/error.h"
#include "common/record.h"

#include <librdkafka/rdkafka.h>

/* Room for one record's headers, used again for the next. Begin with {0}; message_headers_free(). */
struct message_headers {
    struct record_header *list;
    size_t room;
};
void message_headers_free(struct message_headers *headers);

/* Fills *record; it points into the message and into `headers`. -1 when memory is short. */
int message_record(const rd_kafka_message_t *message, struct message_headers *headers,
                   struct record *record, struct error *err);

#endif

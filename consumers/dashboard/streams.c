#include "consumers/dashboard/streams.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RING = 2048, TEXT_MAX = 640, SCOPE_MAX = 144, BLOCK = 4096, HELLO_MAX = 400 };

struct message {
    char scope[SCOPE_MAX]; /* "": for all */
    char text[TEXT_MAX];
    size_t length;
};

struct listener {
    struct listener *previous, *next;
    struct streams *streams;
    struct MHD_Connection *connection;
    char scope[SCOPE_MAX];
    char hello[HELLO_MAX];
    bool greeted, asleep;
    uint64_t place; /* number of the message that is next */
};

struct streams {
    struct listener *first;
    size_t count, limit;
    bool ending;
    uint64_t said; /* messages so far; number n lies in ring[n % RING] */
    struct message ring[RING];
};

static const char reset_text[] = "event: reset\ndata: {}\n\n";

int streams_open(struct streams **out, size_t limit, struct error *err)
{
    *out = calloc(1, sizeof **out);
    if (!*out) {
        return error_memory(err);
    }
    (*out)->limit = limit;
    return 0;
}

void streams_free(struct streams *streams)
{
    free(streams);
}

size_t streams_count(const struct streams *streams)
{
    return streams->count;
}

static bool concerns(const struct listener *listener, const struct message *message)
{
    return !message->scope[0] || !listener->scope[0] ||
           strcmp(message->scope, listener->scope) == 0;
}

/* Passes over what is for others. NULL: nothing is left. */
static const struct message *next_message(struct listener *listener)
{
    struct streams *streams = listener->streams;
    for (; listener->place < streams->said; listener->place++) {
        const struct message *message = &streams->ring[listener->place % RING];
        if (concerns(listener, message)) {
            return message;
        }
    }
    return NULL;
}

static size_t put(char *buffer, size_t room, const char *text, size_t length)
{
    if (length > room) {
        return 0;
    }
    memcpy(buffer, text, length);
    return length;
}

static size_t write_messages(struct listener *listener, char *buffer, size_t room)
{
    struct streams *streams = listener->streams;
    size_t used = 0, length;
    const struct message *message;
    if (!listener->greeted) {
        listener->greeted = true;
        used = put(buffer, room, listener->hello, strlen(listener->hello));
    }
    if (streams->said - listener->place > RING) {
        listener->place = streams->said;
        used += put(buffer + used, room - used, reset_text, sizeof reset_text - 1);
    }
    while ((message = next_message(listener)) != NULL) {
        length = put(buffer + used, room - used, message->text, message->length);
        if (length == 0) {
            break;
        }
        used += length;
        listener->place++;
    }
    return used;
}

/* Called by the daemon whenever there is room on the wire. */
static ssize_t read_stream(void *cls, uint64_t position, char *buffer, size_t room)
{
    struct listener *listener = cls;
    (void)position;
    if (listener->streams->ending) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    size_t used = write_messages(listener, buffer, room);
    if (used == 0) {
        listener->asleep = true;
        MHD_suspend_connection(listener->connection);
    }
    return (ssize_t)used;
}

static void free_listener(void *cls)
{
    struct listener *listener = cls;
    if (listener->previous) {
        listener->previous->next = listener->next;
    } else {
        listener->streams->first = listener->next;
    }
    if (listener->next) {
        listener->next->previous = listener->previous;
    }
    listener->streams->count--;
    free(listener);
}

static void add(struct streams *streams, struct listener *listener)
{
    listener->next = streams->first;
    if (streams->first) {
        streams->first->previous = listener;
    }
    streams->first = listener;
    streams->count++;
}

struct MHD_Response *streams_listen(struct streams *streams, struct MHD_Connection *connection,
                                    const char *scope, const char *hello)
{
    struct listener *listener =
        streams->count < streams->limit ? calloc(1, sizeof *listener) : NULL;
    if (!listener) {
        return NULL;
    }
    listener->streams = streams;
    listener->connection = connection;
    listener->place = streams->said;
    snprintf(listener->scope, sizeof listener->scope, "%s", scope);
    snprintf(listener->hello, sizeof listener->hello, "%s", hello);
    add(streams, listener);
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, BLOCK, read_stream, listener, free_listener);
    if (!response) {
        free_listener(listener);
    }
    return response;
}

void streams_say(struct streams *streams, const char *scope, const char *event, const char *data)
{
    struct message *message = &streams->ring[streams->said % RING];
    int length =
        snprintf(message->text, sizeof message->text, "id: %llu\nevent: %s\ndata: %.560s\n\n",
                 (unsigned long long)streams->said, event, data);
    snprintf(message->scope, sizeof message->scope, "%s", scope ? scope : "");
    message->length = length < TEXT_MAX ? (size_t)length : TEXT_MAX - 1;
    streams->said++;
}

void streams_wake(struct streams *streams)
{
    for (struct listener *at = streams->first; at; at = at->next) {
        bool behind = streams->said - at->place > RING;
        if (at->asleep && (streams->ending || behind || next_message(at))) {
            at->asleep = false;
            MHD_resume_connection(at->connection);
        }
    }
}

void streams_end(struct streams *streams)
{
    streams->ending = true;
    streams_wake(streams);
}

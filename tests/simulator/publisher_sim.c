/* Kafka's producer side, for dead letters: acknowledged late, or not at all. */
#include "common/publisher.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct letter {
    int partition;
    int64_t offset;
    int64_t due_ms, expires_ms;
};

struct publisher {
    publisher_report *report;
    void *context;
    struct letter queue[512];
    int count;
    int64_t delivered, failed;
};

int publisher_open(struct publisher **out, const struct config *config, publisher_report *report,
                   void *context, struct error *err)
{
    struct publisher *p = calloc(1, sizeof *p);
    (void)config;
    (void)err;
    if (!p)
        abort();
    p->report = report;
    p->context = context;
    *out = p;
    return 0;
}

void publisher_free(struct publisher *publisher)
{
    free(publisher);
}

static void deliver(struct publisher *p)
{
    int kept = 0;
    for (int i = 0; i < p->count; i++) {
        struct letter *letter = &p->queue[i];
        if (!world.letters_away && letter->due_ms <= world.now_ms) {
            world.logs[0][letter->partition].letters[letter->offset] = true;
            p->delivered++;
            if (p->report)
                p->report(p->context, NULL, NULL);
        } else if (letter->expires_ms <= world.now_ms) {
            p->failed++;
            world_happened(F_LETTER_FAILED);
            if (p->report)
                p->report(p->context, NULL, "message timed out");
        } else {
            p->queue[kept++] = *letter;
        }
    }
    p->count = kept;
}

int publisher_send(struct publisher *publisher, const char *topic, struct text key,
                   struct text value, const struct record_header *headers, size_t header_count,
                   void *cookie, int64_t wait_ms, struct error *err)
{
    long long partition, offset;
    char name[80];
    (void)topic;
    (void)value;
    (void)headers;
    (void)header_count;
    (void)cookie;
    deliver(publisher);
    if (publisher->count == 512 || (world.faults && chance(10))) {
        world_happened(F_QUEUE_FULL);
        world_sleep(wait_ms);
        return error_retry(err, ERROR_KAFKA, "queue full");
    }
    snprintf(name, sizeof name, "%.*s", TEXT_ARG(key));
    const char *place = strchr(name, '/');
    if (!place || sscanf(place, "/%lld/%lld", &partition, &offset) != 2 || partition < 0 ||
        partition >= world.partition_count || offset < 0 || offset >= LOG_MAX) {
        world_fail("a dead letter with the key %s", name);
        return 0;
    }
    struct letter letter = {(int)partition, offset, world.now_ms + dice(chance(200) ? 400 : 8),
                            world.now_ms + 120000};
    if (world.faults && chance(50)) { /* a broker refuses it */
        letter.expires_ms = letter.due_ms;
        letter.due_ms = INT64_MAX;
    }
    publisher->queue[publisher->count++] = letter;
    return 0;
}

void publisher_poll(struct publisher *publisher, int64_t wait_ms)
{
    world_sleep(wait_ms);
    deliver(publisher);
}

int publisher_flush(struct publisher *publisher, int64_t wait_ms, struct error *err)
{
    int64_t end_ms = world.now_ms + wait_ms;
    deliver(publisher);
    while (publisher->count && world.now_ms < end_ms) {
        world_sleep(1 + dice(5));
        deliver(publisher);
    }
    return publisher->count ? error_retry(err, ERROR_KAFKA, "not delivered yet") : 0;
}

int64_t publisher_pending(const struct publisher *publisher)
{
    return publisher->count;
}

int64_t publisher_delivered(const struct publisher *publisher)
{
    return publisher->delivered;
}

int64_t publisher_failed(const struct publisher *publisher)
{
    return publisher->failed;
}

int publisher_await(struct publisher *publisher, const char *topic, struct error *err)
{
    return publisher_wait(publisher, topic, err);
}

int publisher_wait(struct publisher *publisher, const char *topic, struct error *err)
{
    (void)publisher;
    (void)topic;
    (void)err;
    return 0;
}

#include "producers/simulate/facts.h"

#include <inttypes.h>
#include <stdio.h>

static struct text write_customer(const struct facts *facts, char *out, size_t room,
                                  uint32_t customer)
{
    int len = snprintf(out, room, "c%" PRIu64 "-%" PRIu32, facts->goods->seed, customer);
    return (struct text){out, (size_t)len};
}

static struct text write_ref(const struct facts *facts, char *out, size_t room, char kind,
                             uint32_t number)
{
    int len = snprintf(out, room, "%c-%06" PRIx32 "-%" PRIu32, kind, facts->tag, number);
    return (struct text){out, (size_t)len};
}

struct event *facts_begin(struct facts *facts, enum event_type type, int64_t time_ms,
                          uint32_t customer, char kind, uint32_t number)
{
    struct event *event = &facts->event;
    *event = (struct event){.type = type, .time_ms = time_ms, .source = text_of(facts->source)};
    facts->other_count = 0;
    event->ref = write_ref(facts, facts->ref, sizeof facts->ref, kind, number);
    event->subject = event->ref;
    event->partitionkey = event->ref;
    if (customer) {
        event->customer = write_customer(facts, facts->customer, sizeof facts->customer, customer);
        event->partitionkey = event->customer;
        event->region = text_of(goods_region(goods_person(facts->goods, customer).region));
    }
    return event;
}

void facts_identify(struct facts *facts, const char *noun, const char *suffix, int round)
{
    char end[16] = "";
    if (round) {
        snprintf(end, sizeof end, ":%d", round);
    }
    int len = snprintf(facts->id, sizeof facts->id, "%s:%s%s%s%s", noun, facts->ref,
                       suffix ? ":" : "", suffix ? suffix : "", end);
    facts->event.id = (struct text){facts->id, (size_t)len};
}

struct text facts_other(struct facts *facts, char kind, uint32_t number)
{
    if (!number) {
        return (struct text){0};
    }
    char *out = facts->others[facts->other_count++];
    return kind == 'c' ? write_customer(facts, out, sizeof facts->others[0], number)
                       : write_ref(facts, out, sizeof facts->others[0], kind, number);
}

void facts_label(struct facts *facts, const char *name, const char *value)
{
    if (value) {
        facts->event.labels[facts->event.label_count++] =
            (struct event_label){text_of(name), text_of(value)};
    }
}

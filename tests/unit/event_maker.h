/* event_maker.h - events and records for tests, from a few words or at random. */
#ifndef TANDEM_TESTS_EVENT_MAKER_H
#define TANDEM_TESTS_EVENT_MAKER_H

#include "common/event.h"

/* A structured record without key and time stamp. It points at `value`, which must stay. */
struct record maker_record(struct text value);

/* A CloudEvent as JSON, the caller's to free: type "sale.completed", its object called "1", and the
 * other members of data with ' for ": "'currency':'RON','net':100". */
char *maker_json(const char *type, const char *time, const char *members);

/* The same decoded, which must succeed. Its texts point into *json (the caller's to free) and into
 * the decoder. */
struct event maker_event(struct decoder *decoder, const char *type, const char *time,
                         const char *members, char **json);

/* A decoder for types that begin with "tandem.". */
struct decoder *maker_decoder(void);

/* An event made of dice. Its texts and items lie here. */
struct maker_dice {
    unsigned seed;
    uint64_t mask; /* what is left of the choices */
    struct event event;
    struct event_item items[EVENT_ITEMS_MAX];
    char pool[1 << 17];
    size_t used;
};

/* Rolls a valid event of `type`. Bit after bit of `mask` says which of its optional members are
 * there; MAKER_CHOICES bits are enough for any type. dice->seed goes on from call to call. */
#define MAKER_CHOICES 15
void maker_roll(struct maker_dice *dice, enum event_type type, uint64_t mask);

/* From 0 to limit - 1. */
int64_t maker_below(struct maker_dice *dice, int64_t limit);

#endif

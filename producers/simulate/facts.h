/* facts.h - one event of the simulated shop being filled in.
 *
 * Owns the bytes its event points to, until the next facts_begin(). Ids are made from the fact:
 * "order:o-3fa91c-17:paid". */
#ifndef TANDEM_FACTS_H
#define TANDEM_FACTS_H

#include "producers/simulate/goods.h"

struct facts {
    const struct goods *goods;
    const char *source;
    uint32_t tag; /* 24 bits that keep the numbers of two runs apart */
    struct event event;
    char id[96], ref[32], customer[40], others[2][40];
    int other_count;
};

/* Starts an event about object `number` of a kind ('o' order, 't' ticket, ...) with the customer's
 * own region; customer 0: nobody in particular. Returns the event, for the fields of its type. */
struct event *facts_begin(struct facts *facts, enum event_type type, int64_t time_ms,
                          uint32_t customer, char kind, uint32_t number);
/* "<noun>:<ref>", then ":<suffix>" unless NULL, then ":<round>" unless 0. */
void facts_identify(struct facts *facts, const char *noun, const char *suffix, int round);
/* The ref of another object or customer ('c'), at most two an event. 0: absent. */
struct text facts_other(struct facts *facts, char kind, uint32_t number);
void facts_label(struct facts *facts, const char *name, const char *value); /* NULL: none */

#endif

/* orders.h - rows that belong together, gathered into one order each.
 *
 * Either over the whole file, or neighbouring rows only, which needs memory for one order at a
 * time (and 24 bytes for each one that is done). An order is whole or refused: one row that cannot
 * be used takes the others with it. */
#ifndef TANDEM_ORDERS_H
#define TANDEM_ORDERS_H

#include "producers/import/extract.h"

/* Rows of which something could not be made. */
struct refusal {
    const char *text;      /* what is wrong, and in which column */
    const char *type;      /* of the event that it would have been; "" for a whole row */
    const uint64_t *lines; /* ascending, at least one */
    size_t line_count;
    bool event; /* an event is lost by it (bad rows of an order count once) */
};

/* Who takes what is made. */
struct drafter_sink {
    void *context;
    /* `line` is where the event's first row begins. False stops everything. */
    bool (*event)(void *context, struct event *event, uint64_t line);
    bool (*refused)(void *context, const struct refusal *refusal);
};

struct orders;

/* Orders of one kind of event. `neighbours`: the events given to the sink are valid only during
 * the call; else until orders_free(). NULL when memory is short; `spec` and `sink` must outlive
 * it. */
struct orders *orders_open(const struct spec *spec, const struct drafter_sink *sink,
                           bool neighbours);
void orders_free(struct orders *orders);

/* Adds the row that `x` holds. False: the sink said stop. */
bool orders_add(struct orders *orders, struct extract *x, uint64_t line);
/* Refuses the order of the row that `x` holds as far as it can be known: the row is broken. */
bool orders_spoil(struct orders *orders, struct extract *x, uint64_t line);
/* Gives what is left to the sink, in the order of the first rows. */
bool orders_end(struct orders *orders);

#endif

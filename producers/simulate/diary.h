/* diary.h - what is still to happen, soonest first.
 *
 * A heap by time; of two things at the same moment the one noted first comes first, so that the
 * order is the same in every run. */
#ifndef TANDEM_DIARY_H
#define TANDEM_DIARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum happening_kind {
    HAPPEN_ASK, /* somebody asks for an offer */
    HAPPEN_BUY, /* somebody has decided to buy: waits for the next sale */
    HAPPEN_OPEN,
    HAPPEN_RESOLVE,
    HAPPEN_REOPEN,
    HAPPEN_RATE,
    HAPPEN_CHANGE, /* of a rating */
    HAPPEN_CLAIM,
    HAPPEN_SETTLE,
    HAPPEN_REFUND,
    HAPPEN_REFER
};

/* One thing to happen. What the fields mean beyond their names hangs on the kind. */
struct happening {
    int64_t at_ms;
    uint64_t number;   /* set by diary_note() */
    int64_t since_ms;  /* ticket: its opening; claim: purchase, then its making; purchase: rating */
    uint32_t customer; /* 0: nobody in particular */
    uint32_t seat;     /* the customer's place among the customers */
    uint32_t order, ticket, claim;
    uint32_t assist; /* the ticket that led to the order */
    uint8_t kind, phase, category, by;
    uint8_t round;   /* how often the ticket was resolved, the rating given */
    uint8_t quality; /* how the customer was served: 0 badly .. 2 well */
    uint8_t scale, score;
    uint8_t reason;   /* of a refund */
    bool by_sale;     /* a referral: of the sale side */
    bool in_warranty; /* a claim that is settled */
};

struct diary {
    struct happening *heap;
    size_t count, room;
    uint64_t noted;
};

/* Notes a copy. False: no memory, nothing noted. */
bool diary_note(struct diary *diary, const struct happening *happening);
/* The soonest, or NULL; valid until the next call. */
const struct happening *diary_next(const struct diary *diary);
/* Takes the soonest out; the diary is not empty. */
struct happening diary_take(struct diary *diary);
void diary_free(struct diary *diary); /* leaves it empty */

#endif

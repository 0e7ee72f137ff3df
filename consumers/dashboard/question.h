/* question.h - what is asked for by the parameters of an address. Pure.
 *
 * Every parameter is checked before anything is read; an unknown or repeated one is an error that
 * names it, because a typing mistake must not be answered as if it were another question. */
#ifndef TANDEM_QUESTION_H
#define TANDEM_QUESTION_H

#include "common/calendar.h"
#include "common/error.h"
#include "common/text.h"
#include "consumers/report/words.h"

#include <stdbool.h>
#include <stddef.h>

#define QUESTION_METRICS 32
#define QUESTION_COUNT   400

enum question_part {
    ASK_PERIOD = 1,
    ASK_SCOPE = 2,
    ASK_LANG = 4,
    ASK_METRICS = 8,
    ASK_COUNT = 16,
    ASK_DIMENSION = 32
};

struct question {
    unsigned seen;
    bool current; /* the running period of `kind`; else `period` */
    enum period_kind kind;
    struct period period;
    char scope[160], dimension[80];
    enum language language;
    char metrics[QUESTION_METRICS][64];
    size_t metric_count;
    int count;
};

/* The running month of scope all, in English, twelve periods. */
void question_begin(struct question *question);
/* Takes one parameter; `allowed` are the parts that may be asked for. 0; -1: ERROR_USAGE has not the
 * form, ERROR_INPUT has it, but there is no such thing (30 February, a metric of that name). */
int question_take(struct question *question, unsigned allowed, const char *name, struct text value,
                  struct error *err);

#endif

/* diagnosis.h - the lines of `tandem doctor`: what is well, what is not, and the command that mends
 * it. Pure but for the printing. */
#ifndef TANDEM_DIAGNOSIS_H
#define TANDEM_DIAGNOSIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum finding_level { FINDING_OK, FINDING_WARNING, FINDING_ERROR };

struct finding {
    enum finding_level level;
    const char *area;  /* "kafka", "topics", ...: static */
    char *text, *mend; /* mend NULL: nothing to do */
};

struct diagnosis {
    struct finding *list;
    size_t count;
    enum finding_level worst;
    bool failed; /* memory was short: the list is not whole */
};

/* Adds a line. */
void diagnosis_say(struct diagnosis *diagnosis, enum finding_level level, const char *area,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The command that mends what was said last. */
void diagnosis_mend(struct diagnosis *diagnosis, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void diagnosis_clear(struct diagnosis *diagnosis);

/* Lines for people; in colours when `colour`. */
void diagnosis_print(const struct diagnosis *diagnosis, bool colour, FILE *out);
/* {"status":"warning","checks":[{"area":...,"level":...,"text":...,"mend":...}]}. -1: memory. */
int diagnosis_print_json(const struct diagnosis *diagnosis, FILE *out);

#endif

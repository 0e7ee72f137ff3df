/* verdict.h - three states of sales times four of service: twelve verdicts, no overlap. Pure. */
#ifndef TANDEM_VERDICT_H
#define TANDEM_VERDICT_H

#include "common/text.h"

#include <stdbool.h>

enum sale_state { SALE_GOOD, SALE_WEAK, SALE_NONE, SALE_STATES };
enum service_state {
    SERVICE_CONTENT,
    SERVICE_AT_RISK,
    SERVICE_UNHAPPY,
    SERVICE_UNKNOWN,
    SERVICE_STATES
};

struct verdict {
    const char *code;        /* "service_slipping" */
    const char *severity;    /* "ok", "notice", "warning", "critical" */
    const char *sentence[2]; /* English, Romanian */
};

const char *sale_state_name(enum sale_state state);       /* "good", "weak", "none" */
const char *service_state_name(enum service_state state); /* "content", "at_risk", ... */

const struct verdict *verdict_of(enum sale_state sale, enum service_state service);
/* By code, or NULL. */
const struct verdict *verdict_find(struct text code);

#endif

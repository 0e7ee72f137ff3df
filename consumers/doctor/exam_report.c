#include "consumers/doctor/exam.h"

#include <inttypes.h>

/* A reporter publishes within a second, and takes over from another within ten. */
enum { STALE_S = 60, OUTBOX_NOTED = 1000 };

static void exam_age(struct diagnosis *d, const struct facts *facts)
{
    const struct facts_report *r = &facts->report;
    bool never = r->as_of_s == FACTS_UNKNOWN;
    int64_t age_s = facts->now_s - r->as_of_s;
    if (r->dirty > 0 && (!r->lease || (!never && age_s > STALE_S))) {
        diagnosis_say(d, FINDING_ERROR, "report",
                      "stale: %" PRId64 " days and scopes were counted and are not published%s",
                      r->dirty,
                      r->lease ? "; the reporter that holds the lease does not come on"
                               : "; no reporter runs");
        diagnosis_mend(d, r->lease ? "tandem help reporter; its log says what it waits for"
                                   : "tandem reporter");
    } else if (!r->lease) {
        diagnosis_say(d, FINDING_WARNING, "report",
                      "no reporter runs; nothing waits to be published");
        diagnosis_mend(d, "tandem reporter");
    } else if (never) {
        diagnosis_say(d, FINDING_OK, "report", "a reporter runs; nothing is published of today");
    } else {
        diagnosis_say(d, FINDING_OK, "report",
                      "a reporter runs; today's comparison is %" PRId64 " s old", age_s);
    }
}

void exam_report(struct diagnosis *d, const struct facts *facts)
{
    const struct facts_report *r = &facts->report;
    if (!r->known)
        return;
    exam_age(d, facts);
    if (r->outbox > OUTBOX_NOTED) {
        diagnosis_say(d, FINDING_WARNING, "report",
                      "%" PRId64 " publications are in Redis but not yet in Kafka", r->outbox);
        diagnosis_mend(d, "tandem topics --check");
    }
    if (r->gaps > 0) {
        diagnosis_say(d, FINDING_WARNING, "report",
                      "%" PRId64 " notes of gaps: parts of the log were never counted, and every "
                      "report says so",
                      r->gaps);
        diagnosis_mend(d, "tandem rebuild, where the log still holds them");
    }
    if (r->rebuild) {
        diagnosis_say(d, FINDING_WARNING, "report",
                      "a rebuild was begun and is not done; the live counters are as they were");
        diagnosis_mend(d, "tandem rebuild; it goes on where it stood");
    }
}

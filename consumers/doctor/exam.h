/* exam.h - judges what was found out, area by area. Pure: from facts to lines.
 *
 * docs/operations.md, "What the doctor looks at", tells the bounds. */
#ifndef TANDEM_EXAM_H
#define TANDEM_EXAM_H

#include "consumers/doctor/diagnosis.h"
#include "consumers/doctor/facts.h"

/* Brokers, the four topics, time stamps of records. */
void exam_kafka(struct diagnosis *diagnosis, const struct config *config,
                const struct facts *facts);
/* Who counts, and how far behind. */
void exam_groups(struct diagnosis *diagnosis, const struct facts *facts);
/* Every Redis that holds something. */
void exam_redis(struct diagnosis *diagnosis, const struct facts *facts);
/* The stores: settings, version, positions against the log. */
void exam_stores(struct diagnosis *diagnosis, const struct config *config,
                 const struct facts *facts);
/* What the reporter published, and when. */
void exam_report(struct diagnosis *diagnosis, const struct facts *facts);

#endif

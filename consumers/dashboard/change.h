/* change.h - one metric with its words and what has changed since the period before. Pure. */
#ifndef TANDEM_CHANGE_H
#define TANDEM_CHANGE_H

#include "consumers/comparison/fields.h"
#include "consumers/comparison/metrics.h"
#include "consumers/report/words.h"

#include <yyjson.h>

struct change {
    struct field field;
    const char *previous; /* NULL: the period before is not published */
    const struct metric *metric;
    bool closed; /* money and counts are only compared between whole periods */
    enum language language;
};

/* {"label","kind","value","text","previous","previous_text","change","change_text"}: ratios and
 * times change by their difference, counts and money by a share in percent. */
yyjson_mut_val *change_describe(yyjson_mut_doc *doc, const struct change *of);

#endif

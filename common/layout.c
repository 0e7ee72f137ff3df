#include "common/layout.h"

#include <stdlib.h>

enum layout_age layout_age(const char *stored)
{
    char *end;
    if (!stored || !*stored)
        return 1 < STORE_LAYOUT ? LAYOUT_OLDER : LAYOUT_SAME;
    long layout = strtol(stored, &end, 10);
    if (*end || layout > STORE_LAYOUT)
        return LAYOUT_NEWER;
    return layout < STORE_LAYOUT ? LAYOUT_OLDER : LAYOUT_SAME;
}

int layout_check_newer(const char *stored, struct error *err)
{
    if (layout_age(stored) != LAYOUT_NEWER)
        return 0;
    return error_set(err, ERROR_STORE,
                     "the counters were made by a newer tandem (layout %.20s of the keys; this one "
                     "knows %d): use that one, or a newer one",
                     stored, STORE_LAYOUT);
}

int layout_check(const char *stored, struct error *err)
{
    if (layout_age(stored) == LAYOUT_OLDER)
        return error_set(
            err, ERROR_STORE,
            "the counters were made by an older tandem (layout %.20s of the keys; this "
            "one knows %d): recount with this one's `tandem rebuild`",
            stored && *stored ? stored : "1", STORE_LAYOUT);
    return layout_check_newer(stored, err);
}

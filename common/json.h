/* json.h - the strictness that a JSON parser does not give: depth and repeated member names.
 *
 * Works on a parsed document (yyjson), one pass, no allocation. */
#ifndef TANDEM_JSON_H
#define TANDEM_JSON_H

#include "common/names.h"

#include <stdbool.h>
#include <yyjson.h>

/* What one pass over a document found. */
struct json_check {
    bool too_deep;                    /* more than `depth` containers inside each other */
    bool repeated;                    /* two equal member names in one object */
    struct text repeated_name;
};

/* Checks `root` and everything under it. Recursion is bounded by `depth`. */
void json_check(yyjson_val *root, int depth, struct json_check *out);

/* Puts the value of each member of `object` whose name stands in `names` at its place in
 * `values` (NULL where absent). Of a repeated name the first stays. */
void json_members(yyjson_val *object, const struct names *names, yyjson_val **values, int count);

static inline struct text json_text(yyjson_val *value)
{
    return (struct text){yyjson_get_str(value), yyjson_get_len(value)};
}

/* A whole number within int64, written without `.` or exponent. */
static inline bool json_int(yyjson_val *value, int64_t *out)
{
    if (yyjson_is_sint(value)) {
        *out = yyjson_get_sint(value);
        return true;
    }
    if (!yyjson_is_uint(value) || yyjson_get_uint(value) > INT64_MAX)
        return false;
    *out = (int64_t)yyjson_get_uint(value);
    return true;
}

#endif

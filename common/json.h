/* json.h - texts of a value that yyjson parsed. */
#ifndef TANDEM_JSON_H
#define TANDEM_JSON_H

#include "common/text.h"

#include <yyjson.h>

static inline struct text json_text(yyjson_val *value)
{
    return (struct text){yyjson_get_str(value), yyjson_get_len(value)};
}

#endif

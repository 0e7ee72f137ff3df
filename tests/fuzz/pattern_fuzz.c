/* pattern_fuzz - a format of dates, a line feed, and a text: read by the format, or refused. */
#include "fuzz.h"
#include "producers/import/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
    struct pattern pattern;
    struct moment moment;
    struct error err;
    if (!end) {
        return 0;
    }
    struct text format = {(const char *)data, (size_t)(end - data)};
    struct text text = {(const char *)end + 1, size - format.len - 1};
    if (pattern_parse(&pattern, format, &err) == 0 &&
        pattern_read(&pattern, text, &moment) == PATTERN_FITS && moment.has_offset &&
        (moment.offset_s < -86400 || moment.offset_s > 86400)) {
        abort();
    }
    return 0;
}

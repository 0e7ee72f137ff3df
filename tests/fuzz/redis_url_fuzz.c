/* redis_url_fuzz - any bytes as the URL of a Redis. What it says when it refuses one has no part of
 * the password. The same bytes as what a node of a cluster says of another. */
#include "common/redis_moved.h"
#include "common/redis_url.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct redis_url url = {0};
    struct error err = {0};
    char *text = fuzz_string(data, size);
    const char *secret = strstr(text, ":s3cr3t");
    if (redis_url_parse(&url, text, &err) == 0) {
        if (!url.path && !url.sentinels && (url.port < 1 || url.port > 65535 || !url.host[0])) {
            abort();
        }
        redis_url_clear(&url);
    } else if (secret && strchr(secret, '@') && strstr(err.text, "s3cr3t")) {
        abort();
    }
    struct redis_node node = {.port = -1};
    if (redis_moved_parse(text, &node) ? node.port < 1 || node.port > 65535 : node.port != -1) {
        abort();
    }
    free(text);
    return 0;
}
